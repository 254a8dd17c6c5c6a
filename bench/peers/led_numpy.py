"""Light patterns in numpy, as one would write them: float arrays over all LEDs, gamma by power, an ordered dither.

``Naive`` makes new arrays in each step. ``Preallocated`` computes in float32 with ``out=`` everywhere and reads the
curve from a table of 65536 codes: the fastest that we could make it. Both do what ours does: a position between LEDs
lights both, light is linear, codes are dithered over 256 frames.
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
GAMMA = 2.2
THRESHOLDS = np.array([int(f"{i:08b}"[::-1], 2) for i in range(256)], np.uint16)
"""Bits reversed, as ours."""


class Naive:
    """White with a tail turning over a steady color."""

    def __init__(self, count: int, color: tuple[int, int, int], period_ns: int, tail: float = 0.75) -> None:
        self.turn = (np.arange(count) + 0.5) / count
        self.color = np.array(color) / 65535
        self.period, self.tail, self.edge = period_ns, tail, 1 / count
        self.lanes = np.arange(3 * count).reshape(count, 3)

    def light(self, t_ns: int) -> Array:
        """Linear light, 0 .. 1."""
        head = (t_ns % self.period) / self.period
        behind = (head - self.turn + self.edge) % 1.0
        front = behind / self.edge
        back = (self.edge + self.tail - behind) / self.tail
        weight = np.clip(np.minimum(front, back), 0.0, 1.0) ** 2
        return self.color + (1.0 - self.color) * weight[:, None]

    def codes(self, t_ns: int, frame: int) -> Array:
        """8-bit codes: gamma, then dither."""
        code = 65280.0 * self.light(t_ns) ** (1 / GAMMA)
        threshold = THRESHOLDS[(self.lanes + 37 * frame) & 255]
        return ((code + threshold).astype(np.uint32) >> 8).astype(np.uint8)


class Preallocated:
    """The same without a new array."""

    def __init__(self, count: int, color: tuple[int, int, int], period_ns: int, tail: float = 0.75) -> None:
        self.turn = ((np.arange(count) + 0.5) / count).astype(np.float32)
        self.period, self.tail, self.edge = period_ns, np.float32(tail), np.float32(1 / count)
        self.base = np.tile(np.array(color, np.float32), (count, 1))
        self.more = 65535 - self.base
        self.a, self.b = np.empty(count, np.float32), np.empty(count, np.float32)
        self.light = np.empty((count, 3), np.float32)
        self.index, self.code = np.empty((count, 3), np.uint16), np.empty((count, 3), np.uint16)
        self.out = np.empty((count, 3), np.uint8)
        self.curve = np.rint(65280 * (np.arange(65536) / 65535) ** (1 / GAMMA)).astype(np.uint16)
        shifts = (np.arange(3 * count).reshape(count, 3)[None] + 37 * np.arange(256)[:, None, None]) & 255
        self.thresholds = THRESHOLDS[shifts]

    def codes(self, t_ns: int, frame: int) -> Array:
        """8-bit codes."""
        a, b = self.a, self.b
        np.subtract(np.float32((t_ns % self.period) / self.period) + self.edge, self.turn, out=a)
        np.floor(a, out=b)
        np.subtract(a, b, out=a)
        np.subtract(self.edge + self.tail, a, out=b)
        np.divide(b, self.tail, out=b)
        np.divide(a, self.edge, out=a)
        np.minimum(a, b, out=a)
        np.clip(a, 0, 1, out=a)
        np.multiply(a, a, out=a)
        np.multiply(self.more, a[:, None], out=self.light)
        np.add(self.light, self.base, out=self.light)
        np.copyto(self.index, self.light, casting="unsafe")
        np.take(self.curve, self.index, out=self.code, mode="clip")
        np.add(self.code, self.thresholds[frame & 255], out=self.code)
        np.right_shift(self.code, 8, out=self.code)
        np.copyto(self.out, self.code, casting="unsafe")
        return self.out


class Catalogue:
    """Each pattern of the catalogue by the way that it is drawn: all alike, by sections, or a window that moves."""

    def __init__(self, count: int, sections: int, kinds: list[str]) -> None:
        self.kinds = kinds
        self.window = Preallocated(count, (65535, 0, 0), 2_000_000_000)
        self.section = np.arange(count) * sections // count
        self.colors = np.array([(65535, 0, 0), (0, 0, 65535)], np.uint16)
        self.pick = np.empty(count, np.intp)
        self.light = np.empty((count, 3), np.uint16)

    def frames(self, t_ns: int, frame: int) -> int:
        """One frame of each pattern; gives how many."""
        work = self.window
        for kind in self.kinds:
            if kind == "window":
                work.codes(t_ns, frame)
                continue
            if kind == "sections":
                np.add(self.section, t_ns // 1_000_000_000, out=self.pick)
                np.bitwise_and(self.pick, 1, out=self.pick)
                np.take(self.colors, self.pick, axis=0, out=self.light, mode="clip")
            else:
                self.light[:] = self.colors[0] if t_ns % 1_000_000_000 < 500_000_000 else 0
            np.take(work.curve, self.light, out=work.code, mode="clip")
            np.add(work.code, work.thresholds[frame & 255], out=work.code)
            np.right_shift(work.code, 8, out=work.code)
            np.copyto(work.out, work.code, casting="unsafe")
        return len(self.kinds)
