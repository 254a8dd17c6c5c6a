"""Photosensitive safety: how often a pattern flashes, and the nearest one that does not flash too often.

WCAG 2.2, success criterion 2.3.1 and its definition of general and red flash thresholds: not more than three flashes in
any second. A general flash is a pair of opposing changes of relative luminance by 10 % or more of the maximum where the
darker state is below 0.80; a red flash is a pair of opposing changes that involve a saturated red (R / (R + G + B) at
least 0.8) and change (R - G - B) * 320 by more than 20. The rule is made for screens, so it is a guide here and no
claim of conformity; two choices are on the safe side: the size of the light is not counted in its favour, and the
maximum is the pattern's own brightest light (in the dark a dim flash is a flash).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator

import msgspec

from axcore.led.pattern import SLOWEST, Pattern

__all__ = ["LIMIT", "Report", "analyse", "safe"]

LIMIT = 3
"""Flashes in any second."""
WINDOW_NS = 1_000_000_000
STEP_NS = 2_000_000
PROBES = 16
"""Places that are looked at, at most; the whole light (its mean) comes besides."""
CHANGE, DARK = 0.10, 0.80
SATURATED, RED_CHANGE = 0.8, 20 / 320
SLOWER = 1.1


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What ``analyse`` found."""

    general: int
    """Most general flashes in any second."""
    red: int
    """Most red flashes in any second."""
    worst_ns: int | None
    """When the worst second begins, from the pattern's first instant; None when nothing flashes."""
    rate: float
    """General flashes a second on average over a period, of the place that flashes most."""

    @property
    def general_exceeded(self) -> bool:
        """More general flashes than ``LIMIT`` in some second."""
        return self.general > LIMIT

    @property
    def red_exceeded(self) -> bool:
        """More red flashes than ``LIMIT`` in some second."""
        return self.red > LIMIT

    @property
    def safe(self) -> bool:
        """Neither limit is exceeded."""
        return not (self.general_exceeded or self.red_exceeded)

    def __str__(self) -> str:
        if self.worst_ns is None:
            return "no flashes"
        begins = f"the worst second begins at {self.worst_ns / 1e9:.2f} s"
        said = f"{self.general} general and {self.red} red flashes in a second, {begins}"
        return said if self.safe else f"{said}; more than {LIMIT} are not allowed"


class _Flashes:
    """Opposing changes of one signal at one place."""

    __slots__ = ("change", "dark", "high", "low", "rising", "times")

    def __init__(self, value: float, change: float, dark: float) -> None:
        self.change, self.dark = change, dark
        self.low = self.high = value
        self.rising: bool | None = None
        self.times: list[int] = []

    def feed(self, t_ns: int, value: float) -> None:
        """The signal is ``value`` now."""
        self.low, self.high = min(self.low, value), max(self.high, value)
        if self.rising is not True and value - self.low >= self.change and self.low < self.dark:
            self._turn(t_ns, value, True)
        elif self.rising is not False and self.high - value >= self.change and value < self.dark:
            self._turn(t_ns, value, False)

    def _turn(self, t_ns: int, value: float, rising: bool) -> None:
        self.times.append(t_ns)
        self.rising = rising
        self.low = self.high = value

    def worst(self) -> tuple[int, int]:
        """Most flashes (pairs of changes) in any second, and when it begins."""
        best, when = 0, 0
        for i, t_ns in enumerate(self.times):
            count = (bisect_left(self.times, t_ns + WINDOW_NS) - i) // 2
            if count > best:
                best, when = count, t_ns
        return best, when


def _moments(pattern: Pattern) -> Iterator[int]:
    """Times, from the pattern's first instant, that show all it does and how it goes on."""
    period = pattern.period_ns
    if pattern.info.stepped:
        step = max(STEP_NS, round(pattern.info.period_ms[pattern.speed - 1] * 1_000_000 * pattern.stretch) // 4)
        offset = step // 2  # Never on the border of two steps.
    else:
        step, offset = STEP_NS, 0
    return iter(range(offset, period + 2 * WINDOW_NS if period else 1, step))


def _samples(pattern: Pattern) -> tuple[list[int], list[list[tuple[float, float, float]]]]:
    """Times, and of each place (the whole light last) its light at these times, relative to the brightest channel."""
    count = len(pattern.layout)
    probes = sorted({i * count // min(count, PROBES) for i in range(min(count, PROBES))})
    times = list(_moments(pattern))
    out = array("H", bytes(6 * count))
    places: list[list[tuple[float, float, float]]] = [[] for _ in range(len(probes) + 1)]
    for t_ns in times:
        light = pattern.frame(pattern.epoch_ns + t_ns, out)
        pixels = [(light[3 * i], light[3 * i + 1], light[3 * i + 2]) for i in probes]
        for place, pixel in zip(places, pixels, strict=False):
            place.append(pixel)
        places[-1].append((sum(p[0] for p in pixels) / len(probes), sum(p[1] for p in pixels) / len(probes),
                           sum(p[2] for p in pixels) / len(probes)))  # fmt: skip
    return times, places


def _luminance(light: tuple[float, float, float]) -> float:
    """Relative luminance of linear light (ITU-R BT.709)."""
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]


def _red(light: tuple[float, float, float], top: float) -> float:
    """(R - G - B) of a saturated red, else 0; relative to ``top``."""
    red, green, blue = light
    total = red + green + blue
    return max(0.0, red - green - blue) / top if total and red >= SATURATED * total else 0.0


def analyse(pattern: Pattern) -> Report:
    """Renders a whole period (and two seconds more) and counts flashes at every section and of the whole light.

    >>> analyse(Pattern("Flash 1x", speed=4)).general
    4
    """
    times, places = _samples(pattern)
    peak = max((_luminance(light) for place in places for light in place), default=0.0)
    top = max((channel for place in places for light in place for channel in light), default=0.0)
    if not top:
        return Report(general=0, red=0, worst_ns=None, rate=0.0)
    general = red = changes = 0
    worst_ns: int | None = None
    seen: set[tuple[tuple[float, float, float], ...]] = set()
    for place in places:
        if (history := tuple(place)) in seen:
            continue
        seen.add(history)
        bright, saturated = (
            _Flashes(_luminance(place[0]) / peak, CHANGE, DARK),
            _Flashes(_red(place[0], top), RED_CHANGE, 2.0),
        )
        before = place[0]
        for t_ns, light in zip(times, place, strict=True):
            if light != before:
                bright.feed(t_ns, _luminance(light) / peak)
                saturated.feed(t_ns, _red(light, top))
                before = light
        for signal in (bright, saturated):
            count, when = signal.worst()
            if count > max(general, red) or (worst_ns is None and count):
                worst_ns = when
            general, red = (max(general, count), red) if signal is bright else (general, max(red, count))
        changes = max(changes, sum(t_ns > times[-1] - pattern.period_ns for t_ns in bright.times))
    rate = changes / 2 / (pattern.period_ns / 1e9) if pattern.period_ns else 0.0
    return Report(general=general, red=red, worst_ns=worst_ns, rate=rate)


def safe(pattern: Pattern) -> Pattern:
    """The pattern itself if it is safe, else at the highest speed that is, else slower than its slowest speed.

    >>> safe(Pattern("Flash 1x", speed=4)).speed
    3
    """
    found = pattern
    for speed in range(pattern.speed, 0, -1):
        found = pattern if speed == pattern.speed else pattern.changed(speed=speed)
        if analyse(found).safe:
            return found
    while found.stretch < SLOWEST:
        found = found.changed(stretch=min(SLOWEST, found.stretch * SLOWER))
        if analyse(found).safe:
            return found
    return pattern.changed(level=0)
