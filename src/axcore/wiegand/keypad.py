"""Keys and PINs as Wiegand frames (manual: Reader > Reader protocol > Wiegand, "Keypress format")."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from axcore._native.wiegand_format import FORMATS, Bits
from axcore._native.wiegand_out import KEYPRESS_FORMATS, MAX_PIN, pin_frames
from axcore._native.wiegand_out import key_of as _key_of
from axcore.errors import InputError, RangeError

__all__ = ["KEYPRESS_FORMATS", "Keypress", "KeypressFormat", "key_of"]

KeypressFormat = Literal[
    "FourBit",
    "EightBitZeroPadded",
    "EightBitInvertPadded",
    "Wiegand26",
    "Wiegand34",
    "Wiegand37",
    "Wiegand37FacilityCode",
]

_CARD_FORMAT = {
    "Wiegand26": "H10301",
    "Wiegand34": "H10306",
    "Wiegand37": "H10302",
    "Wiegand37FacilityCode": "H10304",
}


class Keypress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a PIN is sent to the access control unit. ``InputError`` names a field that is wrong."""

    format: KeypressFormat = "FourBit"
    facility_code: int = 0
    """Sent with Wiegand26, Wiegand34 and Wiegand37FacilityCode; must be 0 for the others."""

    def __post_init__(self) -> None:
        if self.format not in KEYPRESS_FORMATS:
            raise InputError("format", f"must be one of {', '.join(KEYPRESS_FORMATS)}")
        card_format = FORMATS.get(_CARD_FORMAT.get(self.format, ""))
        limit = (card_format.max_facility or 0) if card_format else 0
        if type(self.facility_code) is not int or not 0 <= self.facility_code <= limit:
            reason = f"must be 0 to {limit}" if limit else f"is not sent with {self.format}"
            raise InputError("facility_code", reason)

    def encode(self, pin: str) -> list[Bits]:
        """The frames of a PIN: one per key, or one for the whole PIN's decimal value in the Wiegand formats.

        ``*`` and ``#`` exist only in the per-key formats (codes 10 and 11). ``InputError`` names ``pin``.
        """
        card_format = _CARD_FORMAT.get(self.format)
        keys = "0123456789" if card_format else "0123456789*#"
        if not 1 <= len(pin) <= MAX_PIN or any(key not in keys for key in pin):
            raise InputError("pin", f"must be 1 to {MAX_PIN} of the keys {keys}")
        try:
            return pin_frames(KEYPRESS_FORMATS.index(self.format), pin, self.facility_code)
        except RangeError:
            limit = FORMATS[card_format].max_card if card_format else 0
            raise InputError("pin", f"is above {limit}, the largest number that {self.format} can send") from None


class _Framed(Protocol):
    @property
    def bits(self) -> int: ...
    @property
    def nbits(self) -> int: ...


def key_of(frame: Bits | _Framed) -> str | None:
    """The key that a frame of 4 bits, or of 8 bits in either padding, stands for; None when it is no key."""
    return _key_of(frame.value if isinstance(frame, Bits) else frame.bits, frame.nbits)
