"""The flash analyser in plain Python, written apart from the kernel: WCAG 2.3.1 over samples of light."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

Light = tuple[float, float, float]
WINDOW_NS = 1_000_000_000
CHANGE, DARK = 0.10, 0.80
SATURATED, RED_CHANGE = 0.8, 20 / 320


class Flashes:
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


def luminance(light: tuple[float, float, float]) -> float:
    """Relative luminance of linear light (ITU-R BT.709)."""
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]


def saturated_red(light: tuple[float, float, float], top: float) -> float:
    """(R - G - B) of a saturated red, else 0; relative to ``top``."""
    red, green, blue = light
    total = red + green + blue
    return max(0.0, red - green - blue) / top if total and red >= SATURATED * total else 0.0


def count_flashes(times: Sequence[int], places: Sequence[Sequence[Light]]) -> tuple[int, int]:
    """Most general and most red flashes in any second at any place (its light at these times), or of their mean."""
    mean = [
        tuple(sum(channel) / len(places) for channel in zip(*lights, strict=True))
        for lights in zip(*places, strict=True)
    ]
    peak = max(luminance(light) for place in places for light in place)
    top = max(channel for place in places for light in place for channel in light)
    if not top:
        return 0, 0
    general = red = 0
    for place in [*places, mean]:
        bright = Flashes(luminance(place[0]) / peak, CHANGE, DARK)
        saturated = Flashes(saturated_red(place[0], top), RED_CHANGE, 2.0)
        for t_ns, light in zip(times, place, strict=True):
            bright.feed(t_ns, luminance(light) / peak)
            saturated.feed(t_ns, saturated_red(light, top))
        general, red = max(general, bright.worst()[0]), max(red, saturated.worst()[0])
    return general, red
