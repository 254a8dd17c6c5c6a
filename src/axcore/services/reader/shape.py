"""From what a reader got to the bits that are sent: chip types, data sets, output format, keypress format.

Plain functions. Manual: Reader > Output format, Reader > Chip types, Reader protocol > Wiegand > Keypress format.
"""

from __future__ import annotations

import logging

from axcore.errors import InputError
from axcore.model.credentials import CredentialRead
from axcore.wiegand import Bits, CardData, ChipReading, select

from .settings import GENERIC, ReaderSettings

log = logging.getLogger(__name__)

MAX_QR_BITS = 1024


def shaped(read: CredentialRead, settings: ReaderSettings) -> Bits | None:
    """The bits to send for a card or a QR code; None = nothing is sent."""
    if read.card is None:
        text = (read.qr or "").encode()[: MAX_QR_BITS // 8]
        return Bits.from_bytes(text) if text else None
    frame = Bits(int(read.card.value, 16), read.card.bits)
    return shape_chip(ChipReading(GENERIC, frame), settings)


def shape_chip(reading: ChipReading, settings: ReaderSettings) -> Bits | None:
    """The same for a card module that tells the chip and its data."""
    chips = settings.chips
    if reading.chip_type not in chips.active:
        return None
    try:
        selection = select(reading, chips.data)
    except InputError as error:
        log.warning("a %s is not sent: data set %s %s", reading.chip_type, error.field, error.reason)
        return None
    bits = selection.authenticator
    if bits is None:
        return None
    whole = isinstance(reading.csn, Bits) and bits == reading.csn
    card = CardData.from_frame(bits) if whole else CardData.from_serial(bits)
    return settings.output.encode(card)


def key_frames(keys: str, settings: ReaderSettings) -> list[Bits]:
    """The Wiegand frames of keys. InputError when the format cannot hold them."""
    return settings.wiegand.keypress.encode(keys)
