"""Credential holders of the entry list, and what readers report (manual: Reader > Entry list, Reader > PIN)."""

from __future__ import annotations

from typing import Literal

import msgspec

MAX_HOLDERS = 50
MAX_PIN_LENGTH = 32
ACCESS_GRANTED = "Access granted"
"""The default event condition."""

MAX_NAME_LENGTH = 64
MAX_QR_LENGTH = 512
MAX_COUNT = 1_000_000
HIDDEN = "****"
"""What stands for a PIN wherever one could be shown."""

CredentialKind = Literal["card", "pin", "qr"]


class Always(msgspec.Struct, frozen=True, tag="always"):
    """Valid without end."""


class Between(msgspec.Struct, frozen=True, tag="from_to"):
    """Valid from ``start`` until before ``end`` (RFC 3339 UTC; None = open)."""

    start: str | None = None
    end: str | None = None


class Times(msgspec.Struct, frozen=True, tag="number_of_times"):
    """Valid for ``count`` uses (1..1,000,000); what is left lives in ``Holder.remaining``."""

    count: int


class Scheduled(msgspec.Struct, frozen=True, tag="schedule"):
    """Valid while a schedule (an interval) is active."""

    schedule: str
    """Its id; the name is taken too when it is entered."""


Validity = Always | Between | Times | Scheduled


class CardValue(msgspec.Struct, frozen=True):
    """The bits of a card as they came over the line."""

    bits: int
    """Length of the frame, 1..256."""
    value: str
    """The frame as lower-case hex, right-aligned, zero-padded to whole bytes (26 bits -> 8 digits)."""


class HolderSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a user enters for a credential holder. At least one of card, pin and qr must be given.

    A card with a PIN needs both, the card first; a QR code is a credential of its own. Names are compared without
    regard to case.
    """

    first_name: str
    last_name: str = ""
    card: CardValue | None = None
    pin: str | None = None
    qr: str | None = None
    event_condition: str = ACCESS_GRANTED
    validity: Validity = Always()
    enabled: bool = True

    def __repr__(self) -> str:
        return _without_pin(self)


class Holder(HolderSpec, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stored credential holder."""

    id: str
    remaining: int | None = None
    """Uses left; None unless validity is ``Times``."""

    def __repr__(self) -> str:
        return _without_pin(self)


class AccessSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reader > PIN and Reader > Entry list."""

    use_entry_list: bool = False
    use_connected_controller: bool = False
    """Forward what the entry list does not know to the door controller; without an entry list, all goes there."""
    pin_length: int = 4
    """0..32 digits; 0 = users are not asked for a PIN."""
    pin_timeout: float = 10.0
    """Seconds (3..50) without a key before the reader returns to idle."""


class ChipData(msgspec.Struct, frozen=True, kw_only=True):
    """What a card module got from a chip."""

    chip_type: str
    csn: bytes
    """Card serial number, first byte first."""
    secure: dict[str, bytes] = {}
    """Secure card data by the data set that asked for it; missing where it could not be read."""

    def __repr__(self) -> str:
        return f"ChipData({self.chip_type!r})"


class CredentialRead(msgspec.Struct, frozen=True, kw_only=True):
    """A credential as a reader or keypad reported it."""

    kind: CredentialKind
    card: CardValue | None = None
    chip: ChipData | None = None
    """Of a card module that tells the chip; ``card`` is what is used of it."""
    whole: bool = True
    """Whether ``card`` is a frame that may have a facility code and parity; False: a serial number, or a piece."""
    metadata: dict[str, CardValue] = {}
    """Card data that informs and is no credential, by data set."""
    pin: str | None = None
    qr: str | None = None
    reader: int = 0
    t_ns: int = 0
    correlation: str | None = None

    def __repr__(self) -> str:
        return _without_pin(self)


def _without_pin(struct: msgspec.Struct) -> str:
    """The usual repr, but no PIN and no QR text in it: structs end up in logs."""
    parts = []
    for field in struct.__struct_fields__:
        value = getattr(struct, field)
        parts.append(f"{field}={HIDDEN if field in ('pin', 'qr') and value is not None else repr(value)}")
    return f"{type(struct).__name__}({', '.join(parts)})"
