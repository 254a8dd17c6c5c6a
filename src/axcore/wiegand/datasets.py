"""Which data of a card is used (manual: Reader > Chip types > Data sets).

A card gives its serial number (CSN) and, for chips that are set up for it, secure data. Data sets cut pieces out of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from axcore._native.wiegand_format import Bits
from axcore.errors import ConflictError, InputError

__all__ = ["ChipReading", "DataSet", "DataSettings", "Selection", "select"]


class DataSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A piece of card data for one chip type."""

    name: str
    """Unique; it works as an id."""
    chip_type: str
    enabled: bool = True
    required: bool = False
    """Send nothing when the secure data cannot be read (True), or the CSN instead (False)."""
    use_as_authenticator: bool = True
    """False: the data is only metadata."""
    offset: int = 0
    """First bit of the piece; 0 = the first bit of the data."""
    length: int = 0
    """Bits of the piece; 0 = any length, that is all from the offset on."""
    use_data_on_card: bool = True
    """True: secure card data; False: the CSN in its place."""

    def __post_init__(self) -> None:
        if not self.name:
            raise InputError("name", "must not be empty")
        for field in ("offset", "length"):
            value = getattr(self, field)
            if type(value) is not int or value < 0:
                raise InputError(field, "must be a whole number, 0 or more")


class DataSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data sets of a reader and the byte order of what they read."""

    data_sets: tuple[DataSet, ...] = ()
    invert_csn_byte_order: bool = False
    """Reverse the bytes of the serial number, for all chip types that use the full CSN."""
    invert_secure_byte_order: bool = False
    """Reverse the bytes of secure card data, for chip types that use a custom data set."""

    def __post_init__(self) -> None:
        counts = Counter(data_set.name for data_set in self.data_sets)
        for name, count in counts.items():
            if count > 1:
                raise ConflictError("data_sets", f"the name {name!r} is used {count} times; it must be unique")


class ChipReading(msgspec.Struct, frozen=True):
    """What the reader got from one card."""

    chip_type: str
    csn: bytes | Bits
    """The card serial number, first byte first. Bits where a number is not made of whole bytes: their order stays."""
    secure: Mapping[str, bytes] = {}
    """Secure data by data set name; a set whose data could not be read is missing."""


class Selection(msgspec.Struct, frozen=True):
    """What is used of a reading."""

    authenticator: Bits | None
    """The credential; None = nothing is sent, because required data was not accessible."""
    metadata: dict[str, Bits]
    """Pieces that only inform, by data set name."""


def select(reading: ChipReading, settings: DataSettings) -> Selection:
    """Apply the data sets of the reading's chip type. Without an authenticating set the CSN is the credential.

    ``InputError`` names a data set whose offset or length is beyond the data.
    """
    csn = _bits(reading.csn, settings.invert_csn_byte_order)
    authenticator: Bits | None = None
    metadata: dict[str, Bits] = {}
    for data_set in settings.data_sets:
        if data_set.chip_type != reading.chip_type or not data_set.enabled:
            continue
        data = reading.secure.get(data_set.name)
        if not data_set.use_data_on_card:
            piece = _cut(csn, data_set)
        elif data:
            piece = _cut(Bits.from_bytes(_ordered(data, settings.invert_secure_byte_order)), data_set)
        elif data_set.required:
            return Selection(None, {})
        else:
            continue
        if not data_set.use_as_authenticator:
            metadata[data_set.name] = piece
        elif authenticator is None:
            authenticator = piece
    return Selection(csn if authenticator is None else authenticator, metadata)


def _bits(serial: bytes | Bits, invert: bool) -> Bits:
    if isinstance(serial, bytes):
        return Bits.from_bytes(_ordered(serial, invert))
    if not invert or serial.nbits % 8:
        return serial
    return Bits.from_bytes(serial.value.to_bytes(serial.nbits // 8, "little"))


def _ordered(data: bytes, invert: bool) -> bytes:
    return data[::-1] if invert else data


def _cut(data: Bits, data_set: DataSet) -> Bits:
    try:
        return data.slice(data_set.offset, data_set.length)
    except InputError as error:
        raise InputError(f"{data_set.name}.{error.field}", error.reason) from None
