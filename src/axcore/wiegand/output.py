"""Cards to frames to edges (manual: Reader > Output format).

A card number that is longer than the format's id loses its high-order bits, as common readers do; what they become is
the business of the facility code override mode.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Literal

import msgspec

from axcore._native.wiegand_format import FORMATS, Bits, Format, identify
from axcore._native.wiegand_out import schedule as _schedule
from axcore.errors import InputError

__all__ = [
    "CardData",
    "CustomFormat",
    "Field",
    "OutputFormat",
    "OverrideMode",
    "ParityRule",
    "Timing",
    "schedule",
]

OverrideMode = Literal["Auto", "Optional", "Override"]
DataFormat = Literal["Raw", "Wiegand26", "Wiegand34", "Wiegand37", "Wiegand37FacilityCode", "Custom"]

_STANDARD = {
    "Wiegand26": "H10301",
    "Wiegand34": "H10306",
    "Wiegand37": "H10302",
    "Wiegand37FacilityCode": "H10304",
}
_FORMATS = ("Raw", *_STANDARD, "Custom")
_MAX_NS = 2**32 - 1


class Timing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How frames are sent. Times in ns."""

    pulse_ns: int = 50_000
    """Low time of a bit."""
    interval_ns: int = 2_000_000
    """From the start of a bit to the start of the next."""
    gap_ns: int = 50_000_000
    """Quiet time between frames; at least the receiver's frame gap."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value <= _MAX_NS:
                raise InputError(name, f"must be a whole number from 0 to {_MAX_NS}")
        if self.pulse_ns == 0:
            raise InputError("pulse_ns", "must be above 0")
        if self.interval_ns <= self.pulse_ns:
            raise InputError("interval_ns", "must be above pulse_ns")


_TYPICAL = Timing()


def schedule(frames: Bits | str | Sequence[Bits], *, start_ns: int = 0, timing: Timing = _TYPICAL) -> bytes:
    """Edge records (``EDGE``) of one frame or of chained frames. Exact: bit k of a frame starts k intervals after it.

    ``InputError`` when the plan would leave the clock's range.
    """
    chain = [Bits(frames)] if isinstance(frames, str) else [frames] if isinstance(frames, Bits) else frames
    edges = []
    for bits in chain:
        if not 0 <= start_ns < 2**63:
            raise InputError("start_ns", "must be 0 to 2**63 - 1")
        planned, start_ns = _schedule(
            bits.value, bits.nbits, start_ns, timing.pulse_ns, timing.interval_ns, timing.gap_ns
        )
        edges.append(planned)
    return b"".join(edges)


class CardData(msgspec.Struct, frozen=True):
    """What a reader got from a card."""

    raw: Bits
    """All bits, as they are."""
    number: int
    """The card number within them."""
    facility: int | None = None
    """The card's own facility code, when its format has one."""

    @staticmethod
    def from_serial(serial: Bits) -> CardData:
        """A serial number or a slice of secure data: the number is all of it."""
        return CardData(serial, serial.value)

    @staticmethod
    def from_frame(frame: Bits) -> CardData:
        """Bits that are a card format themselves: the first format with parity that holds tells facility and number."""
        for match in identify(frame):
            if match.parity:
                card = match.decode(frame)
                return CardData(frame, card.card or 0, card.facility)
        return CardData.from_serial(frame)


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``length`` bits from position ``start`` (0 = first bit sent)."""

    start: int
    length: int


class ParityRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bit at ``position`` makes the ones in itself and the covered bits even or odd."""

    position: int
    kind: Literal["even", "odd"]
    covers: tuple[Field, ...]


class CustomFormat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A format of one's own: length, field sizes and parity. Rules are filled in their order."""

    bits: int
    card: Field
    facility: Field | None = None
    parity: tuple[ParityRule, ...] = ()

    def __post_init__(self) -> None:
        self.format()

    def format(self) -> Format:
        """The format; ``InputError`` names what is wrong with it."""
        return _custom(self)


@functools.lru_cache(maxsize=64)
def _custom(custom: CustomFormat) -> Format:
    def positions(name: str, field: Field) -> range:
        if field.length < 1 or field.start < 0 or field.start + field.length > custom.bits:
            raise InputError(name, f"must lie within the {custom.bits} bits and be at least 1 bit long")
        return range(field.start, field.start + field.length)

    return Format.custom(
        "Custom",
        custom.bits,
        card=positions("card", custom.card),
        facility=positions("facility", custom.facility) if custom.facility else (),
        parity=[
            (rule.position, rule.kind == "odd", [p for field in rule.covers for p in positions("parity", field)])
            for rule in custom.parity
        ],
    )


class OutputFormat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """In which format card data is sent to the access control unit. ``InputError`` names a field that is wrong."""

    format: DataFormat = "Raw"
    facility_code_override: OverrideMode = "Auto"
    facility_code: int | None = None
    """The configured facility code: needed for Override, may be given for Optional; not used for Auto, nor where the
    format has no facility code."""
    custom: CustomFormat | None = None
    """The format when ``format`` is Custom."""

    def __post_init__(self) -> None:
        if self.format not in _FORMATS:
            raise InputError("format", f"must be one of {', '.join(_FORMATS)}")
        if self.facility_code_override not in ("Auto", "Optional", "Override"):
            raise InputError("facility_code_override", "must be Auto, Optional or Override")
        if (self.format == "Custom") != (self.custom is not None):
            raise InputError("custom", "must be given for, and only for, the format Custom")
        target = self.target
        limit = target.max_facility if target else None
        if limit is None or self.facility_code_override == "Auto":
            return
        if self.facility_code is None and self.facility_code_override == "Override":
            raise InputError("facility_code", "must be given when the mode is Override")
        if self.facility_code is not None and not (
            type(self.facility_code) is int and 0 <= self.facility_code <= limit
        ):
            raise InputError("facility_code", f"must be a whole number from 0 to {limit}")

    @property
    def target(self) -> Format | None:
        """The card format that is sent; None for Raw."""
        if self.custom is not None:
            return self.custom.format()
        return FORMATS.get(_STANDARD.get(self.format, ""))

    def encode(self, card: CardData) -> Bits:
        """The frame to send for a card."""
        target = self.target
        if target is None:
            return card.raw
        id_bits = len(target.fields["card"])
        number = card.number & ((1 << id_bits) - 1)
        if target.max_facility is None:
            return target.encode(card=number)
        return target.encode(facility=self._facility(card, id_bits) & target.max_facility, card=number)

    def _facility(self, card: CardData, id_bits: int) -> int:
        own = card.facility
        if self.facility_code_override == "Auto":
            return own if own is not None else card.number >> id_bits
        if self.facility_code is not None:
            return self.facility_code
        return own if own is not None else 0
