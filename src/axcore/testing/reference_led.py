"""Light patterns in plain Python and float64, written apart from the kernel, to test and to time against.

``frame`` gives real numbers (0 .. 65535); the kernel's integers are theirs within one step. Where the light jumps (a
hard edge in time, a section's border), both must be on the same side: times are integers here, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, gcd

Light = tuple[float, float, float]
BLACK: Light = (0.0, 0.0, 0.0)
FULL = 65535
ROUNDS = 16

PERIODS_MS: dict[str, tuple[int, ...]] = {
    "Off": (1000,),
    "Steady": (1000,),
    "Steady white + flash color": (2000, 1000, 500),
    "Alternate": (1000, 500),
    "Pulse": (4000, 2000, 1000),
    "Escalate 3 steps": (4500, 3000, 1500),
    "Blink 3x": (2400, 1600, 1200),
    "Blink 4x": (2800, 1750, 1400),
    "Blink 3x fade": (2400, 1600, 1200),
    "Blink 4x fade": (2800, 1750, 1400),
    "Flash 1x": (2000, 1000, 500, 250),
    "Flash 3x": (2000, 1500, 1200, 900),
    "Flash 1x white + steady color": (2000, 1000, 500, 250),
    "Flash 3x white + steady color": (2000, 1500, 1200, 900),
    "Direction A + steady color": (4000, 2000, 1000, 500),
    "Direction B + steady color": (4000, 2000, 1000, 500),
    "Direction C + steady color": (4000, 2000, 1000, 500),
    "Direction D + steady color": (4000, 2000, 1000, 500),
    "Rotate white + steady color": (4000, 2000, 1000, 500),
    "Rotate tail white + steady color": (4000, 2000, 1000, 500),
    "Random white + steady color": (1000, 500, 250),
    "Spin white + steady color": (4000, 2000, 1500, 1000),
    "Steady white + steady color": (1000,),
    "Maintenance": (2000,),
    "Identify": (1000,),
    "Health check": (1000,),
}
"""Of each pattern, by speed; of a step of Alternate, Random and Health check."""

FLASHES = {
    "Steady white + flash color": (1, 1000, 500),
    "Blink 3x": (3, 166, 83),
    "Blink 4x": (4, 142, 71),
    "Flash 1x": (1, 1000, 100),
    "Flash 3x": (3, 100, 50),
    "Flash 1x white + steady color": (1, 1000, 100),
    "Flash 3x white + steady color": (3, 100, 50),
    "Identify": (1, 1000, 500),
}
"""How many in a period, from one to the next and how long, per mille."""
FADES = {"Blink 3x fade": (3, 166, 140), "Blink 4x fade": (4, 142, 120)}


@dataclass(frozen=True)
class Led:
    """Where an LED is: turns, 0 .. 1 twice, section."""

    turn: float
    x: float
    y: float
    section: int


@dataclass(frozen=True)
class Window:
    """What moves: turns from its front, and how often it is on a turn."""

    edge: float
    hold: float
    tail: float
    square: bool
    windows: int = 1


WINDOWS = {
    "Direction": Window(0.04, 0.06, 0.1, True),
    "Rotate": Window(0.05, 0.15, 0.05, False),
    "Rotate tail": Window(0.0, 0.0, 0.75, True),
    "Spin": Window(0.1, 0.15, 0.1, False, 2),
}


def mixed(first: Light, second: Light, weight: float) -> Light:
    """first at 0, second at 1."""
    return tuple(a + (b - a) * weight for a, b in zip(first, second, strict=True))  # type: ignore[return-value]


def window_weight(window: Window, behind: float, count: int) -> float:
    """The light of the window on an LED that is ``behind`` its front (turns of the window's own space, 0 .. 1)."""
    sharpest = window.windows / max(count, 8)
    edge, tail = max(window.edge, sharpest), max(window.tail, sharpest)
    total = min(edge + window.hold + tail, 1.0)
    weight = max(0.0, min(behind / edge, (total - behind) / tail, 1.0))
    return weight * weight if window.square else weight


def lit_section(step: int, sections: int) -> int:
    """Of *Random*: each section once, then in another order; sixteen orders, then again."""
    mask = 2**32 - 1
    value = (step // sections % ROUNDS + 1) * 0x9E3779B1 & mask
    value = (value ^ value >> 15) * 0x85EBCA77 & mask
    value ^= value >> 13
    stride = 1 + value % sections
    while gcd(stride, sections) != 1:
        stride += 1
    return (step % sections * stride + (value >> 8)) % sections


class ReferencePattern:
    """A pattern with its choices on a layout. ``colors`` are linear light, ``level`` 0 .. 65535."""

    def __init__(
        self,
        name: str,
        leds: Sequence[Led],
        colors: Sequence[tuple[int, int, int]] = (),
        *,
        speed: int = 1,
        level: int = FULL,
        stretch: int = 65536,
        epoch_ns: int = 0,
    ) -> None:
        share = level / FULL
        self.name, self.leds, self.epoch_ns = name, leds, epoch_ns
        self.colors: list[Light] = [(r * share, g * share, b * share) for r, g, b in colors]
        self.white: Light = (FULL * share,) * 3
        self.period = PERIODS_MS[name][speed - 1] * 1_000_000 * stretch >> 16
        self.sections = leds[-1].section + 1

    @property
    def first(self) -> Light:
        """The color, or black where none is given."""
        return self.colors[0] if self.colors else BLACK

    def frame(self, t_ns: int) -> list[Light]:
        """Light of each LED."""
        since = max(0, t_ns - self.epoch_ns)
        name = self.name
        if name in {"Off", "Steady"}:
            return [self.first] * len(self.leds)
        if name.startswith(("Direction", "Rotate", "Spin")):
            return [self._moving(led, since) for led in self.leds]
        if name in {"Alternate", "Steady white + steady color", "Random white + steady color", "Health check"}:
            return [self._section(led.section, since // self.period) for led in self.leds]
        if name == "Maintenance":
            lit = {corner * self.sections // 3 for corner in range(3)}
            light = mixed(BLACK, self.white, self._pulse(since % self.period / self.period))
            return [light if led.section in lit else BLACK for led in self.leds]
        return [self._whole(since)] * len(self.leds)

    @staticmethod
    def _pulse(x: float) -> float:
        z = 1 - abs(2 * x - 1)
        return z * z * (3 - 2 * z)

    def _whole(self, since: int) -> Light:
        name, r = self.name, since % self.period
        if name == "Escalate 3 steps":
            return mixed(BLACK, self.first, ((r * 3 // self.period + 1) / 3) ** 2)
        if name == "Pulse":
            return mixed(BLACK, self.colors[since // self.period % len(self.colors)], self._pulse(r / self.period))
        count, spacing, on = FLASHES.get(name) or FADES[name]
        flash, q = divmod(r, self.period * spacing // 1000)
        length = self.period * on // 1000
        weight = 0.0 if flash >= count or q >= length else (1 - q / length) ** 2 if name in FADES else 1.0
        if name == "Steady white + flash color":
            return mixed(self.white, self.first, weight)
        if name.endswith("white + steady color"):
            return mixed(self.first, self.white, weight)
        return mixed(BLACK, self.white if name == "Identify" else self.first, weight)

    def _section(self, section: int, step: int) -> Light:
        if self.name == "Alternate":
            return self.colors[(section + step) % len(self.colors)]
        if self.name == "Steady white + steady color":
            if self.sections == 1:
                return mixed(self.white, self.first, 0.5)
            return self.first if section % 2 else self.white
        if self.name == "Health check":
            return self.white if section == step % self.sections else BLACK
        return self.white if section == lit_section(step, self.sections) else self.first

    def _moving(self, led: Led, since: int) -> Light:
        phase, count = since % self.period / self.period, len(self.leds)
        if not self.name.startswith("Direction"):
            kind = self.name.split(" white")[0]
            window = WINDOWS[kind]
            edge = max(window.edge, window.windows / max(count, 8))
            behind = (phase - led.turn) * window.windows + edge
            return mixed(self.first, self.white, window_weight(window, behind - floor(behind), count))
        letter, window = self.name[10], WINDOWS["Direction"]
        sharpest = 1 / max(count, 8) / 2
        edge, tail = max(window.edge, sharpest), max(window.tail, sharpest)
        total = edge + window.hold + tail
        along = {"A": led.x, "B": led.y, "C": 1 - led.x, "D": 1 - led.y}[letter]
        # The face is half a turn wide, so that a window has left it before it comes again.
        behind = phase * (0.5 + total) - along / 2
        behind -= floor(behind)
        weight = max(0.0, min(behind / edge, (total - behind) / tail, 1.0))
        return mixed(self.first, self.white, weight * weight)
