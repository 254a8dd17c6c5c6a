"""From what a reader got to the bits that are sent: chip types, data sets, output format, keypress format.

Plain functions. Manual: Reader > Output format, Reader > Chip types, Reader protocol > Wiegand > Keypress format.
"""

from __future__ import annotations

import logging

import msgspec

from axcore.errors import InputError
from axcore.model.credentials import CardValue, CredentialRead
from axcore.wiegand import Bits, CardData, ChipReading, DataSettings, select

from .settings import GENERIC, ChipSettings, ReaderSettings

log = logging.getLogger(__name__)

MAX_QR_BYTES = 32
"""A code that is longer has no frame: cut off, it would be the same as others."""
KEY_BITS = (4, 8)
"""Frames of a keypad that sends its keys on the data lines."""
_ALL = DataSettings()


def accepted(read: CredentialRead, chips: ChipSettings) -> CredentialRead | None:
    """What is used of a card at the built-in reader; None = the card is silently ignored."""
    frame, chip = read.card, read.chip
    chip_type = GENERIC if chip is None else chip.chip_type
    if frame is None or (chip is None and frame.bits in KEY_BITS):
        return read
    if chip_type not in chips.active:
        return None
    if chip is None:
        if chips.data == _ALL:
            return read
        reading = ChipReading(chip_type, Bits(int(frame.value, 16), frame.bits))
    else:
        reading = ChipReading(chip_type, chip.csn, chip.secure)
    try:
        selection = select(reading, chips.data)
    except InputError as error:
        log.warning("a %s is not used: data set %s %s", chip_type, error.field, error.reason)
        return None
    if selection.authenticator is None:
        return None
    card = _value(selection.authenticator)
    metadata = {name: _value(piece) for name, piece in selection.metadata.items()}
    return msgspec.structs.replace(read, card=card, chip=None, whole=chip is None and card == frame, metadata=metadata)


def shaped(read: CredentialRead, settings: ReaderSettings) -> Bits | None:
    """The bits to send for a card or a QR code; None = it cannot be sent as bits."""
    if read.card is None:
        text = (read.qr or "").encode()
        return Bits.from_bytes(text) if 0 < len(text) <= MAX_QR_BYTES else None
    bits = Bits(int(read.card.value, 16), read.card.bits)
    return settings.output.encode(CardData.from_frame(bits) if read.whole else CardData.from_serial(bits))


def key_frames(keys: str, settings: ReaderSettings) -> list[Bits]:
    """The Wiegand frames of keys. InputError when the format cannot hold them."""
    return settings.wiegand.keypress.encode(keys)


def _value(bits: Bits) -> CardValue:
    return CardValue(bits=bits.nbits, value=bits.hex())
