"""Edges to frames: the decoder with its windows, and the buffers that it takes."""

from __future__ import annotations

import enum
import json
import struct
from collections.abc import Iterable, Sequence

import msgspec

from axcore._native.wiegand import MAX_BITS, NEVER, Frame, WiegandDecoder
from axcore.errors import InputError

__all__ = ["EDGE", "FRAME", "NEVER", "Decoder", "Frame", "Result", "Windows", "pack_edges", "parse_trace"]

EDGE = struct.Struct("=QII")
"""An edge record: t_ns, line (0 = DATA0, 1 = DATA1), level after the transition (0 low, 1 high).

The same as a numpy array: ``[("t_ns", "u8"), ("line", "u4"), ("level", "u4")]``.
"""
FRAME = struct.Struct("=QQQ4QHHI")
"""A frame record of ``Decoder.feed_into``: t_first_ns, t_last_ns, t_done_ns, four words of bits (least significant
first), nbits, result, glitches."""


class Result(enum.IntEnum):
    """What ``Frame.result`` says. Every burst of edges has exactly one; the first fault wins."""

    FRAME = 0
    """Good bits."""
    OVERLAP = 1
    """Both lines were low together."""
    SHORT = 2
    """Fewer bits than ``min_bits``."""
    LONG = 3
    """More bits than ``max_bits``."""
    PULSE = 4
    """A pulse shorter than ``min_pulse_ns`` (but no glitch) or longer than ``max_pulse_ns``."""
    GAP = 5
    """An interval outside ``min_interval_ns`` .. ``max_interval_ns`` within the frame."""
    STUCK = 6
    """A line stayed low for ``frame_gap_ns``."""
    ORDER = 7
    """Time ran backwards, a level repeated, or an edge made no sense."""


_MAX_NS = 2**32 - 1


class Windows(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a decoder accepts. Times in ns; windows include their limits. ``InputError`` names a field that is wrong.

    The defaults take every reader known to us: SIA AC-01 asks for pulses of 20..100 us and intervals of 0.2..20 ms.
    """

    min_pulse_ns: int = 10_000
    max_pulse_ns: int = 400_000
    glitch_ns: int = 5_000
    """Lows shorter than this, and highs shorter than this within a pulse, are ignored and counted."""
    min_interval_ns: int = 82_500
    """Least time from the start of a pulse to the start of the next: 150 us less 45 % jitter."""
    max_interval_ns: int = 24_000_000
    """Most time from the start of a pulse to the start of the next; below the frame gap."""
    frame_gap_ns: int = 25_000_000
    """Quiet time that ends a frame."""
    min_bits: int = 4
    max_bits: int = 128
    expect_bits: int = 0
    """Length of the only active format: the frame ends there, without waiting for the gap. 0 = none."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            limit = MAX_BITS if name.endswith("_bits") else _MAX_NS
            if type(value) is not int or not 0 <= value <= limit:
                raise InputError(name, f"must be a whole number from 0 to {limit}")
        rules = [
            ("glitch_ns", self.glitch_ns <= self.min_pulse_ns, "must not be above min_pulse_ns"),
            ("max_pulse_ns", self.min_pulse_ns <= self.max_pulse_ns, "must not be below min_pulse_ns"),
            ("max_pulse_ns", self.max_pulse_ns < self.frame_gap_ns, "must be below frame_gap_ns"),
            ("max_interval_ns", self.min_interval_ns <= self.max_interval_ns, "must not be below min_interval_ns"),
            ("max_interval_ns", self.max_interval_ns < self.frame_gap_ns, "must be below frame_gap_ns"),
            ("min_bits", self.min_bits >= 1, "must be at least 1"),
            ("max_bits", self.min_bits <= self.max_bits, "must not be below min_bits"),
            (
                "expect_bits",
                self.expect_bits == 0 or self.min_bits <= self.expect_bits <= self.max_bits,
                "must be 0 or within min_bits .. max_bits",
            ),
        ]
        for field, holds, reason in rules:
            if not holds:
                raise InputError(field, reason)


class Decoder(WiegandDecoder):
    """The decoder of one reader: ``Decoder(frame_gap_ns=50_000_000)``, arguments as in ``Windows``.

    ``feed`` takes any buffer of edge records (``EDGE``): bytes, array, numpy. ``feed_into`` writes frame records
    (``FRAME``) to a buffer of yours and makes no objects. One thread at a time.
    """

    def __init__(self, **windows: int) -> None:
        try:
            self.windows = Windows(**windows)
        except TypeError:
            unknown = sorted(set(windows) - set(Windows.__struct_fields__))
            raise InputError(unknown[0], "is not a window of the decoder") from None
        super().__init__(**msgspec.structs.asdict(self.windows))

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a decoder cannot be pickled")


def pack_edges(edges: Iterable[Sequence[int]]) -> bytes:
    """Edge records from (t_ns, line, level) triples. ``InputError`` names the triple that is wrong."""
    out = bytearray()
    for index, edge in enumerate(edges):
        if len(edge) != 3 or any(type(value) is not int for value in edge):
            raise InputError(f"edges[{index}]", "must be three whole numbers: t_ns, line, level")
        t_ns, line, level = edge
        if not 0 <= t_ns < NEVER:
            raise InputError(f"edges[{index}]", "t_ns must not be negative and below 2**64 - 1")
        if line not in (0, 1) or level not in (0, 1):
            raise InputError(f"edges[{index}]", "line and level must be 0 or 1")
        out += EDGE.pack(t_ns, line, level)
    return bytes(out)


def parse_trace(text: str) -> bytes:
    """Edge records from a recorded trace: one edge a line, ``t_ns,line,level`` or ``[t_ns, line, level]``.

    Empty lines and lines that start with # are skipped, and so is a heading. ``InputError`` names the line.
    """
    out = bytearray()
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.strip()
        if not entry or entry.startswith("#") or (number == 1 and entry[0].isalpha()):
            continue
        try:
            values = json.loads(entry if entry.startswith("[") else f"[{entry}]")
            out += pack_edges([values])
        except json.JSONDecodeError:
            raise InputError(f"line {number}", "must be t_ns, line, level") from None
        except InputError as error:
            raise InputError(f"line {number}", error.reason) from None
    return bytes(out)
