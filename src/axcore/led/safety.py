"""Photosensitive safety: how often a pattern flashes, and the nearest one that does not flash too often.

WCAG 2.2, success criterion 2.3.1 and its definition of general and red flash thresholds: not more than three flashes in
any second. A general flash is a pair of opposing changes of relative luminance by 10 % or more of the maximum where the
darker state is below 0.80; a red flash is a pair of opposing changes that involve a saturated red (R / (R + G + B) at
least 0.8) and change (R - G - B) * 320 by more than 20. The rule is made for screens, so it is a guide here and no
claim of conformity; two choices are on the safe side: the size of the light is not counted in its favour, and the
maximum is the pattern's own brightest light (in the dark a dim flash is a flash).
"""

from __future__ import annotations

import msgspec

from axcore._native.led import flashes
from axcore.led.pattern import SLOWEST, Pattern

__all__ = ["LIMIT", "Report", "analyse", "safe"]

LIMIT = 3
"""Flashes in any second."""
WINDOW_NS = 1_000_000_000
STEP_NS = 2_000_000
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


def _moments(pattern: Pattern) -> range:
    """Times, from the pattern's first instant, that show all it does and how it goes on."""
    period = pattern.period_ns
    if pattern.info.stepped:
        step = max(STEP_NS, round(pattern.info.period_ms[pattern.speed - 1] * 1_000_000 * pattern.stretch) // 4)
        first = step // 2  # Never on the border of two steps.
    else:
        step, first = STEP_NS, 0
    return range(first, period + 2 * WINDOW_NS if period else first + 1, step)


def analyse(pattern: Pattern) -> Report:
    """Renders a whole period (and two seconds more) and counts flashes at 16 LEDs and of the whole light.

    >>> analyse(Pattern("Flash 1x", speed=4)).general
    4
    """
    times, period = _moments(pattern), pattern.period_ns
    begin = max(0, times[-1] + 1 - period)
    general, red, worst_ns, changes = flashes(
        pattern.lights, pattern.profile, times.start, times.step, len(times), begin
    )
    return Report(
        general=general,
        red=red,
        worst_ns=worst_ns if general or red else None,
        rate=changes / 2 / (period / 1e9) if period else 0.0,
    )


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
