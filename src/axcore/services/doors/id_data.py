"""What the bits of a card say (VAPIX *IdPoint service*, ``IdDataConfiguration``). Pure functions.

``Card`` is all bits, right-aligned in whole bytes, lower-case hex. Other fields come from the configuration for cards
of this length; cards of 26 bits without one are read by the standard format (H10301). Bits count from 1, the first one
sent first.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from axcore.model.credentials import CardValue
from axcore.model.pacs import IdDataConfiguration, IdDataField
from axcore.wiegand import FORMATS, Bits

STANDARD_BITS = 26


def id_data(card: CardValue, configurations: Iterable[IdDataConfiguration] = ()) -> dict[str, str]:
    """The fields of a card: ``Card``, ``BitCount``, and those of the first configuration that fits."""
    data = {"Card": card.value, "BitCount": str(card.bits)}
    for configuration in configurations:
        if configuration.input_bit_length == card.bits:
            bits = f"{int(card.value, 16):0{card.bits}b}"
            fields = {field.name: read(field, bits) for field in configuration.fields}
            return data | {name: value for name, value in fields.items() if value is not None}
    if card.bits == STANDARD_BITS:
        told = FORMATS["H10301"].decode(Bits(int(card.value, 16), STANDARD_BITS))
        if told.ok:
            data |= {"FacilityCode": str(told.facility), "CardNr": str(told.card)}
    return data


def read(field: IdDataField, bits: str) -> str | None:
    """One field of a card's bits (text of 0 and 1); None when a part of it is not there."""
    taken = ""
    for chunk in field.map.split(","):
        part = _chunk(chunk.strip(), bits)
        if part is None:
            return None
        taken += part
    order, _, form = field.encoding.partition("2")
    width = -(-len(taken) // 8) * 8
    octets = int(taken or "0", 2).to_bytes(width // 8, "big") if width else b""
    if "LE" in order:
        octets = octets[::-1]
    if "IBO" in order:
        octets = bytes(int(f"{octet:08b}"[::-1], 2) for octet in octets)
    if form == "Int":
        return str(int.from_bytes(octets, "big"))
    return octets.hex() if form == "hex" else base64.b64encode(octets).decode()


def _chunk(text: str, bits: str) -> str | None:
    """Bits N, M-N, or constants ``b01`` and ``xF7``."""
    if text[:1] == "b":
        return text[1:]
    if text[:1] == "x":
        return "".join(f"{int(digit, 16):04b}" for digit in text[1:])
    first, _, last = text.partition("-")
    if not first.isdigit() or not (last or first).isdigit():
        return None
    begin, end = int(first), int(last or first)
    return bits[begin - 1 : end] if 1 <= begin <= end <= len(bits) else None
