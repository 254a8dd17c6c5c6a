"""The Wiegand formats once more, as plain position lists: typed in apart from the native table, to test it against.

``_row(name, bits, fields, parity, fixed)``: a field is ``(first, length)`` or a list of positions, with its limit; a
parity rule is ``(position, kind, positions)``. Positions count from the first bit received.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    name: str
    bits: int
    fields: Mapping[str, tuple[int, ...]]
    limit: Mapping[str, int]
    parity: tuple[tuple[int, int, tuple[int, ...]], ...]
    fixed: Mapping[int, int]
    bcd: bool = False


Place = tuple[int, int] | list[int]
Rule = tuple[int, str, Iterable[int]]
TABLE: dict[str, Row] = {}


def _row(
    name: str,
    bits: int,
    parity: Iterable[Rule] = (),
    fixed: Mapping[int, int] | None = None,
    bcd: bool = False,
    **fields: tuple[Place, int],
) -> None:
    places = {
        key: tuple(place) if isinstance(place, list) else tuple(range(place[0], place[0] + place[1]))
        for key, (place, _) in fields.items()
    }
    rules = tuple((at, int(kind == "odd"), tuple(covered)) for at, kind, covered in parity)
    TABLE[name] = Row(name, bits, places, {key: most for key, (_, most) in fields.items()}, rules, fixed or {}, bcd)


def _span(first: int, last: int) -> range:
    """Positions ``first`` to ``last``, both included."""
    return range(first, last + 1)


def _halves(bits: int, even: range, odd: range) -> list[Rule]:
    """The usual pair: an even bit in front, an odd bit at the end."""
    return [(0, "even", even), (bits - 1, "odd", odd)]


def _two_of_three(first: int, last: int) -> list[int]:
    """first, first + 1, first + 3, first + 4 ... up to last."""
    return [p for p in _span(first, last) if (p - first) % 3 != 2]


_INDASC_FC = [9, 4, 6, 5, 0, 7, 19, 8, 10, 16, 24, 12, 22]
_INDASC_CN = [26, 1, 3, 15, 14, 17, 20, 13, 25, 2, 18, 21, 11, 23]
_TECOM_FC = [15, 19, 24, 23, 22, 18, 6, 10, 14, 3, 2]
_TECOM_CN = [0, 1, 13, 12, 9, 26, 20, 16, 17, 21, 25, 7, 8, 11, 4, 5]
_SIE_ODD = [1, 3, 4, 6, 7, 9, 10, 12, 13, 15, 16, 18, 19, 21, 22, 24, 25, 27, 28, 30, 31, 33, 34]
_SIE_EVEN = [1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 22, 23, 25, 26, 28, 29, 31, 32, 34]
_W28_ODD = [4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 22, 23, 25, 26]

_H26 = _halves(26, _span(1, 12), _span(13, 24))
_H34 = _halves(34, _span(1, 16), _span(17, 32))
_H37 = _halves(37, _span(1, 18), _span(18, 35))
_H38 = _halves(38, _span(1, 18), _span(19, 36))

_row("H10301", 26, _H26, facility=((1, 8), 255), card=((9, 16), 65535))
_row("ind26", 26, _H26, facility=((1, 12), 4095), card=((13, 12), 4095))
_row("ind27", 27, facility=((0, 13), 8191), card=((13, 14), 16383))
_row("indasc27", 27, facility=(_INDASC_FC, 8191), card=(_INDASC_CN, 16383))
_row("Tecom27", 27, facility=(_TECOM_FC, 2047), card=(_TECOM_CN, 65535))
_row(
    "2804W",
    28,
    [(2, "odd", _W28_ODD), (0, "even", _span(1, 13)), (27, "odd", _span(0, 26))],
    facility=((4, 8), 255),
    card=((12, 15), 32767),
)
_row("ind29", 29, facility=((0, 13), 8191), card=((13, 16), 65535))
_row("ATSW30", 30, _halves(30, _span(1, 12), _span(13, 28)), facility=((1, 12), 4095), card=((13, 16), 65535))
_row("ADT31", 31, facility=((1, 4), 15), card=((5, 23), 8388607))
_row("HCP32", 32, card=((1, 24), 16383))
_row("HPP32", 32, facility=((1, 12), 4095), card=((13, 19), 524287))
_row(
    "Kastle",
    32,
    _halves(32, _span(1, 16), _span(14, 30)),
    {1: 1},
    issue=((2, 5), 31),
    facility=((7, 8), 255),
    card=((15, 16), 65535),
)
_row("Kantech", 32, facility=((7, 8), 255), card=((15, 16), 65535))
_row("WIE32", 32, facility=((4, 12), 4095), card=((16, 16), 65535))
_row("D10202", 33, _halves(33, _span(1, 16), _span(16, 31)), facility=((1, 7), 127), card=((8, 24), 16777215))
_row("H10306", 34, _H34, facility=((1, 16), 65535), card=((17, 16), 65535))
_row("N10002", 34, _H34, facility=((1, 16), 65535), card=((17, 16), 65535))
_row("Optus34", 34, card=((1, 16), 65535), facility=((22, 11), 1023))
_row("SMP34", 34, facility=((1, 13), 1023), issue=((14, 3), 7), card=((17, 16), 65535))
_row("BQT34", 34, _H34, facility=((1, 8), 255), card=((9, 24), 16777215))
_row(
    "C1k35s",
    35,
    [(1, "even", _two_of_three(2, 33)), (34, "odd", _two_of_three(1, 32)), (0, "odd", _span(1, 34))],
    facility=((2, 12), 4095),
    card=((14, 20), 1048575),
)
_row(
    "C15001",
    36,
    _halves(36, _span(1, 17), _span(18, 34)),
    oem=((1, 10), 1023),
    facility=((11, 8), 255),
    card=((19, 16), 65535),
)
_row(
    "S12906",
    36,
    [(0, "odd", _span(1, 17)), (35, "odd", _span(17, 34))],
    facility=((1, 8), 255),
    issue=((9, 2), 3),
    card=((11, 24), 16777215),
)
_row(
    "S12906b",
    36,
    [(0, "odd", _span(1, 17)), (35, "odd", _span(18, 34))],
    facility=((1, 8), 255),
    card=((11, 24), 16777215),
)
_row("Sie36", 36, [(0, "odd", _SIE_ODD), (35, "even", _SIE_EVEN)], facility=((1, 18), 262143), card=((19, 16), 65535))
_row(
    "H10320",
    37,
    [
        (33, "even", range(1, 33, 4)),
        (34, "odd", range(2, 33, 4)),
        (35, "even", range(3, 33, 4)),
        (36, "even", range(4, 33, 4)),
    ],
    {0: 1},
    bcd=True,
    card=((1, 32), 99999999),
)
_row("H10302", 37, _H37, card=((1, 35), 34359738367))
_row("H10304", 37, _H37, facility=((1, 16), 65535), card=((17, 19), 524287))
_row("P10004", 37, facility=((1, 13), 8191), card=((14, 18), 262143))
_row(
    "HGen37",
    37,
    [(0, "even", range(4, 33, 4)), (2, "odd", range(6, 35, 4)), (3, "even", range(7, 36, 4))],
    {36: 1},
    card=((4, 32), 524287),
)
_row("MDI37", 37, _H37, facility=((3, 4), 15), card=((7, 29), 536870911))
_row("BQT38", 38, _H38, card=((1, 19), 262143), issue=((20, 4), 7), facility=((24, 13), 4095))
_row("ISCS", 38, _H38, oem=((1, 4), 7), facility=((5, 10), 1023), card=((15, 22), 4194303))
_row("PW39", 39, _halves(39, _span(1, 18), _span(19, 37)), facility=((1, 17), 65535), card=((18, 20), 1048575))
_row(
    "P10001",
    40,
    [(32 + bit, "even", range(bit, 32, 8)) for bit in range(8)],
    {0: 1, 1: 1, 2: 1, 3: 1},
    facility=((4, 12), 4095),
    card=((16, 16), 65535),
)
_row("Casi40", 40, card=((1, 38), 274877906943))
_row("Verkada40", 40, _halves(40, _span(1, 19), _span(20, 38)), facility=((1, 10), 1023), card=((11, 28), 268435455))
_row("BC40", 40, [(39, "odd", _span(19, 38))], oem=((0, 7), 127), facility=((7, 12), 4095), card=((19, 20), 1048575))
_row(
    "Defcon32",
    42,
    _halves(42, _span(1, 20), _span(21, 40)),
    facility=((1, 16), 65535),
    card=((17, 20), 1048575),
    issue=((37, 4), 15),
)
_row("H800002", 46, _halves(46, _span(1, 44), _span(1, 44)), facility=((1, 14), 16383), card=((15, 30), 1073741823))
_row(
    "C1k48s",
    48,
    [(1, "even", _two_of_three(3, 46)), (47, "odd", _two_of_three(2, 45)), (0, "odd", _span(1, 47))],
    facility=((2, 22), 4194303),
    card=((24, 23), 8388607),
)
_row("Avig56", 56, _halves(56, _span(1, 27), _span(28, 54)), facility=((1, 20), 1048575), card=((21, 34), 17179869183))
_row("IR56", 56, facility=((0, 24), 16777215), card=((24, 32), 4294967295))
