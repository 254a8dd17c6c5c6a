"""A pattern ready to be shown: ``frame(t)`` is a pure function of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from axcore._native.led import AS_LISTED, FULL, LINEAR, Curve, Drawn, Profile
from axcore.errors import InputError
from axcore.led.colors import Color, linear
from axcore.led.layout import Layout
from axcore.led.patterns import PatternInfo, intensity_light, pattern_info

__all__ = ["LINEAR", "SCREEN", "Pattern", "crossfade"]

SCREEN = Curve(2.2)
"""Codes for screens."""
SLOWEST = 256


class Pattern(Drawn):
    """A light pattern of the catalogue with its choices, on a layout.

    ``colors``, ``speed`` and ``intensity`` that are not given are the catalogue's; ``level`` (0 .. 65535, linear light)
    takes the place of ``intensity`` and is for dimming. ``stretch`` (1 .. 256) makes the pattern slower than its speed.
    ``epoch_ns`` is when the pattern is at its first instant: devices on one clock (PTP, NTP) with one epoch show the
    same frame at the same time. ``InputError`` names a choice that the pattern does not have.

        >>> pattern = Pattern("Alternate", Layout.siren(), colors=["red", "blue"], intensity=5)
        >>> pattern.frame(0)[:6].tolist()
        [65535, 0, 0, 65535, 0, 0]
        >>> pattern.frame(1_000_000_000)[:3].tolist()
        [0, 0, 65535]
    """

    __slots__ = ("colors", "epoch_ns", "info", "layout", "level", "speed", "stretch")

    def __init__(
        self,
        name: str,
        layout: Layout | None = None,
        *,
        colors: Sequence[Color] | None = None,
        speed: int | None = None,
        intensity: int | None = None,
        poe_class: int = 4,
        level: int | None = None,
        stretch: float = 1.0,
        epoch_ns: int = 0,
    ) -> None:
        self.info: PatternInfo = pattern_info(name)
        self.layout = layout or Layout.siren()
        self.speed = self.info.speed.default if speed is None else speed
        self.colors = tuple(self.info.colors.default if colors is None else colors)
        chosen = intensity_light(self.info.intensity["4"].default if intensity is None else intensity, poe_class)
        self.level = chosen if level is None else level
        self.stretch = stretch
        self.epoch_ns = epoch_ns
        self._check()
        light = [linear(color, f"colors[{i}]") for i, color in enumerate(self.colors)]
        profile = Profile(self.info.row, self.speed, light, self.level, round(stretch * AS_LISTED), epoch_ns)
        super().__init__(self.layout.lights(), profile)

    def _check(self) -> None:
        choice, name = self.info.colors, self.info.name
        if type(self.speed) is not int or self.speed not in self.info.speed.possible:
            raise InputError("speed", f"{name} has the speeds {self.info.speed.possible}")
        if not choice.min_colors <= len(self.colors) <= choice.max_colors:
            raise InputError("colors", f"{name} takes {choice.min_colors} to {choice.max_colors} colors")
        if type(self.level) is not int or not 0 <= self.level <= FULL:
            raise InputError("level", f"is 0 .. {FULL}")
        if not 1.0 <= self.stretch <= SLOWEST:
            raise InputError("stretch", f"is 1 .. {SLOWEST}")
        if type(self.epoch_ns) is not int or not 0 <= self.epoch_ns < 2**64:
            raise InputError("epoch_ns", "is a time in ns, 0 .. 2^64 - 1")

    def __repr__(self) -> str:
        return f"Pattern({self.info.name!r}, {self.layout!r}, colors={self.colors}, speed={self.speed})"

    @property
    def name(self) -> str:
        """As the manual writes it."""
        return self.info.name

    @property
    def period_ns(self) -> int:
        """After this time the pattern shows the same again: one repetition. 0 if it never changes."""
        return self.profile.period_ns(self.layout.sections)

    def changed(self, **changes: Any) -> Pattern:
        """The same pattern with other choices."""
        kept = {name: getattr(self, name) for name in ("colors", "speed", "level", "stretch", "epoch_ns", "layout")}
        if "intensity" in changes:
            del kept["level"]
        return Pattern(self.info.name, **{**kept, **changes})

    def _frames(self, times: Any, out: Any) -> Any:
        """``frame`` for a numpy array of times."""
        import numpy as np

        ticks: Any = np.ascontiguousarray(times, dtype=np.uint64)
        if out is None:
            out = np.empty((*ticks.shape, len(self.layout), 3), dtype=np.uint16)
        self.lights.frames(self.profile, ticks, out)
        return out


def crossfade(first: Pattern, second: Pattern, t: int, weight: float, out: Any = None) -> Any:
    """Light at ``t`` (ns) on the way from one pattern (weight 0) to another of the same layout (weight 1).

    Both patterns run on; the light is mixed linearly, so that nothing jumps. ``out`` as for ``Pattern.frame``.
    ``InputError`` for ``weight`` and ``second``.
    """
    if not 0.0 <= weight <= 1.0:
        raise InputError("weight", "is 0 .. 1")
    if first.layout != second.layout:
        raise InputError("second", "has another layout")
    out = first.frame(t, out)
    first.lights.mix(memoryview(out).cast("B")[: 6 * len(first.layout)], second.frame(t), round(weight * 65536), out)
    return out
