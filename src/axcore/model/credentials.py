"""Credential holders of the entry list, and what readers report (manual: Reader > Entry list, Reader > PIN)."""

from __future__ import annotations

from typing import Literal

import msgspec

MAX_HOLDERS = 50
MAX_PIN_LENGTH = 32
ACCESS_GRANTED = "Access granted"
"""The default event condition."""

CredentialKind = Literal["card", "pin", "qr"]


class Always(msgspec.Struct, frozen=True, tag="always"):
    """Valid without end."""


class Between(msgspec.Struct, frozen=True, tag="from_to"):
    """Valid from ``start`` until before ``end`` (RFC 3339 UTC; None = open)."""

    start: str | None = None
    end: str | None = None


class Times(msgspec.Struct, frozen=True, tag="number_of_times"):
    """Valid for ``count`` uses; what is left lives in ``Holder.remaining``."""

    count: int


class Scheduled(msgspec.Struct, frozen=True, tag="schedule"):
    """Valid while the named schedule is active.

    Until schedules exist it never is: access is denied with that reason.
    """

    schedule: str


Validity = Always | Between | Times | Scheduled


class CardValue(msgspec.Struct, frozen=True):
    """The bits of a card as they came over the line."""

    bits: int
    """Length of the frame, 1..256."""
    value: str
    """The frame as lower-case hex, right-aligned, zero-padded to whole bytes (26 bits -> 8 digits)."""


class HolderSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a user enters for a credential holder. At least one of card, pin and qr must be given."""

    first_name: str
    last_name: str = ""
    card: CardValue | None = None
    pin: str | None = None
    qr: str | None = None
    event_condition: str = ACCESS_GRANTED
    validity: Validity = Always()
    enabled: bool = True


class Holder(HolderSpec, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stored credential holder."""

    id: str
    remaining: int | None = None
    """Uses left; None unless validity is ``Times``."""


class AccessSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reader > PIN and Reader > Entry list."""

    use_entry_list: bool = False
    pin_length: int = 4
    """0..32 digits; 0 = users are not asked for a PIN."""
    pin_timeout: float = 10.0
    """Seconds (3..50) without a key before the reader returns to idle."""


class CredentialRead(msgspec.Struct, frozen=True, kw_only=True):
    """A credential as a reader or keypad reported it."""

    kind: CredentialKind
    card: CardValue | None = None
    pin: str | None = None
    qr: str | None = None
    reader: int = 0
    t_ns: int = 0
    correlation: str | None = None
