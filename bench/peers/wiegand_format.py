"""Card formats in plain Python, written for speed: masks and shifts precomputed, parity by ``int.bit_count``.

``Plain`` serves every format with runs of bits in order; ``h10301_encode`` and ``h10301_decode`` are the one format
that most people write by hand. Same checks as ours: limits, length, parity, fixed bits.
"""

from typing import NamedTuple

from axcore.testing.reference_wiegand_table import TABLE, Row


class Card(NamedTuple):
    facility: int | None
    card: int | None
    issue: int | None
    oem: int | None
    ok: bool


class Plain:
    """One format."""

    def __init__(self, row: Row) -> None:
        def mask(positions: tuple[int, ...]) -> int:
            return sum(1 << (row.bits - 1 - p) for p in positions)

        self.bits = row.bits
        self.fixed = sum(bit << (row.bits - 1 - p) for p, bit in row.fixed.items())
        self.fixed_mask = mask(tuple(row.fixed))
        self.fields = [
            (row.limit[name], row.bits - 1 - places[-1], (1 << len(places)) - 1)
            if (places := row.fields.get(name))
            else None
            for name in ("facility", "card", "issue", "oem")
        ]
        self.rules = [(mask(covered), 1 << (row.bits - 1 - at), odd) for at, odd, covered in row.parity]
        self.checks = [(covered | bit, odd) for covered, bit, odd in self.rules]

    def encode(self, facility: int = 0, card: int = 0, issue: int = 0, oem: int = 0) -> tuple[int, int]:
        frame = self.fixed
        for value, field in zip((facility, card, issue, oem), self.fields, strict=True):
            if field is None:
                if value:
                    raise ValueError("no such field")
                continue
            most, shift, _ = field
            if not 0 <= value <= most:
                raise ValueError("out of range")
            frame |= value << shift
        for mask, bit, odd in self.rules:
            if (frame & mask).bit_count() & 1 != odd:
                frame |= bit
        return frame, self.bits

    def decode(self, frame: int, nbits: int) -> Card:
        if nbits != self.bits or frame >> nbits:
            raise ValueError("wrong length")
        found = [None if field is None else frame >> field[1] & field[2] for field in self.fields]
        ok = frame & self.fixed_mask == self.fixed
        for mask, odd in self.checks:
            if (frame & mask).bit_count() & 1 != odd:
                ok = False
        return Card(*found, ok)

    def holds(self, frame: int) -> bool:
        if frame & self.fixed_mask != self.fixed:
            return False
        return all((frame & mask).bit_count() & 1 == odd for mask, odd in self.checks)


def _plain(row: Row) -> bool:
    return not row.bcd and all(list(p) == list(range(p[0], p[0] + len(p))) for p in row.fields.values())


PLAIN = {name: Plain(row) for name, row in TABLE.items() if _plain(row)}
_BY_LENGTH: dict[int, list[tuple[str, Plain]]] = {}
for _name, _format in PLAIN.items():
    _BY_LENGTH.setdefault(_format.bits, []).append((_name, _format))


def identify(frame: int, nbits: int) -> list[str]:
    """Formats that hold, by length first (without H10320, whose digits this codec does not know)."""
    return [name for name, format_ in _BY_LENGTH.get(nbits, ()) if format_.holds(frame)]


def h10301_encode(facility: int, card: int) -> tuple[int, int]:
    """By hand."""
    if not 0 <= facility <= 255 or not 0 <= card <= 65535:
        raise ValueError("out of range")
    data = facility << 16 | card
    return ((data >> 12).bit_count() & 1) << 25 | data << 1 | (~(data & 0xFFF).bit_count() & 1), 26


def h10301_decode(frame: int, nbits: int) -> Card:
    """By hand."""
    if nbits != 26 or frame >> 26:
        raise ValueError("wrong length")
    ok = not (frame >> 13).bit_count() & 1 and (frame & 0x1FFF).bit_count() & 1
    return Card(frame >> 17 & 255, frame >> 1 & 65535, None, None, bool(ok))
