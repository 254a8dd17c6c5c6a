"""A pattern ready to be shown: ``frame(t)`` is a pure function of time."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from axcore._native.led import AS_LISTED, FULL, Curve, Lights, Profile
from axcore.errors import InputError
from axcore.led.colors import Color, linear
from axcore.led.layout import Layout
from axcore.led.patterns import PatternInfo, intensity_light, pattern_info

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["LINEAR", "SCREEN", "Pattern"]

LINEAR = Curve(1.0)
"""Codes for outputs that are linear in light: PWM, and so every LED strip and the LED class."""
SCREEN = Curve(2.2)
"""Codes for screens."""
SLOWEST = 256
_Out = TypeVar("_Out", bound="Buffer")


class Pattern:
    """A light pattern of the catalogue with its choices, on a layout.

    ``colors``, ``speed`` and ``intensity`` that are not given are the catalogue's; ``level`` (0 .. 65535, linear light)
    takes the place of ``intensity`` and is for dimming. ``stretch`` (1 .. 256) makes the pattern slower than its speed.
    ``epoch_ns`` is when the pattern is at its first instant: devices on one clock (PTP, NTP) with one epoch show the same
    frame at the same time. ``InputError`` names a choice that the pattern does not have.

        >>> pattern = Pattern("Alternate", Layout.siren(), colors=["red", "blue"], intensity=5)
        >>> pattern.frame(0)[:6].tolist()
        [65535, 0, 0, 65535, 0, 0]
        >>> pattern.frame(1_000_000_000)[:3].tolist()
        [0, 0, 65535]
    """

    __slots__ = (
        "_draw",
        "_draw8",
        "_lights",
        "_profile",
        "colors",
        "epoch_ns",
        "info",
        "layout",
        "level",
        "speed",
        "stretch",
    )

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
        self._profile = Profile(self.info.row, self.speed, light, self.level, round(stretch * AS_LISTED), epoch_ns)
        self._lights: Lights = self.layout.lights()
        self._draw, self._draw8 = self._lights.frame, self._lights.frame8

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
    def profile(self) -> Profile:
        """For the kernel: ``Player.put``."""
        return self._profile

    @property
    def period_ns(self) -> int:
        """After this time the pattern shows the same again: one repetition. 0 if it never changes."""
        return self._profile.period_ns(self.layout.sections)

    def changed(self, **changes: Any) -> Pattern:
        """The same pattern with other choices."""
        kept = {name: getattr(self, name) for name in ("colors", "speed", "level", "stretch", "epoch_ns", "layout")}
        if "intensity" in changes:
            del kept["level"]
        return Pattern(self.info.name, **{**kept, **changes})

    @overload
    def frame(self, t: int, out: None = None) -> array[int]: ...
    @overload
    def frame(self, t: int, out: _Out) -> _Out: ...
    @overload
    def frame(self, t: Any, out: Any = None) -> Any: ...
    def frame(self, t: Any, out: Any = None) -> Any:
        """Light at ``t`` (ns): red, green, blue of each LED, uint16, linear, 65535 = all that an LED gives.

        Writes to ``out`` (any writable buffer of 6 bytes an LED) and gives it back, or gives a new ``array("H")``. For a
        numpy array of times (integers) the result is a numpy array of shape (len(t), LEDs, 3).
        """
        if type(t) is not int and hasattr(t, "__array_interface__") and t.ndim:
            return self._frames(t, out)
        if out is None:
            out = array("H", bytes(6 * len(self._lights)))
        self._draw(self._profile, t, out)
        return out

    def _frames(self, times: Any, out: Any) -> Any:
        import numpy as np

        ticks = np.ascontiguousarray(times, dtype=np.uint64)
        if out is None:
            out = np.empty((*ticks.shape, len(self._lights), 3), dtype=np.uint16)
        self._lights.frames(self._profile, ticks, out)
        return out

    @overload
    def frame8(self, t: int, frame: int = 0, out: None = None, curve: Curve = LINEAR) -> bytearray: ...
    @overload
    def frame8(self, t: int, frame: int, out: _Out, curve: Curve = LINEAR) -> _Out: ...
    def frame8(self, t: int, frame: int = 0, out: Any = None, curve: Curve = LINEAR) -> Any:
        """Codes at ``t`` (ns): red, green, blue of each LED, one byte each, through ``curve`` and the temporal dither.

        ``frame`` counts up by one from frame to frame; the mean of 256 frames has 16 bits. ``out`` as for ``frame``.
        """
        if out is None:
            out = bytearray(3 * len(self._lights))
        self._draw8(self._profile, curve, t, frame & 0xFFFFFFFF, out)
        return out
