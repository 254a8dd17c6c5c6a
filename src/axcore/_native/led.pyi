"""The light kernel: layouts, profiles, frames, codes, the player, the wires. The friendly face is ``axcore.led``.

Units: ns; light is linear, 16 bits, 65535 = all that an LED gives. Buffers are contiguous; one that is too small is an
``ArgumentError``. Source: ``ax/led.h``.
"""

from array import array
from collections.abc import Sequence
from typing import Any, TypeVar, overload

from typing_extensions import Buffer, disjoint_base

_Out = TypeVar("_Out", bound=Buffer)

MAX: int
"""LEDs of a layout."""
MAX_SECTIONS: int
CATALOGUE: int
"""Rows that users may choose; they come first in ``ROWS``."""
FULL: int
AS_LISTED: int
"""Stretch of a pattern that takes the period of the catalogue; twice as much is half as fast."""
NEVER: int
PENDING: int
"""Commands that may wait in a player."""
WS2812_HZ: int
"""SPI clock for ``ws2812``."""
LEVELS: tuple[str, ...]
"""Variants that this machine has, the portable one first."""
ROWS: tuple[tuple[str, int, int, int, tuple[int, ...]], ...]
"""Of each pattern: name, default speed, least and most colours, period in ms at speed 1, 2 ..."""

@disjoint_base
class Profile:
    """A pattern with speed (from 1), linear colours, level and epoch, checked. ``RangeError``."""

    def __init__(
        self,
        row: int,
        speed: int,
        colours: Sequence[tuple[int, int, int]] = (),
        level: int = 65535,
        stretch: int = 65536,
        epoch_ns: int = 0,
    ) -> None: ...
    def period_ns(self, sections: int) -> int:
        """After this time it shows the same again; 0 if it never changes."""

    @property
    def spec(self) -> bytes:
        """``struct ax_led_spec``: what ``IoThread.show`` takes."""

@disjoint_base
class Curve:
    """Light to 8-bit code: 255 * light^(1 / gamma). ``RangeError`` unless 0.25 <= gamma <= 4."""

    def __init__(self, gamma: float) -> None: ...
    @property
    def knots(self) -> list[int]:
        """257 values at 256ths of full light; 32640 = 255."""

@disjoint_base
class Lights:
    """A layout: records of turn, x, y, section (four uint32 each; see ``ax_led_place``)."""

    def __init__(self, places: Buffer) -> None: ...
    def __len__(self) -> int: ...
    @property
    def sections(self) -> int: ...
    @property
    def level(self) -> int:
        """Index into ``LEVELS``; for tests and benches."""
    @level.setter
    def level(self, level: int) -> None: ...
    def frame(self, profile: Profile, t_ns: int, out: Buffer) -> None:
        """Light at a time: 3 * count uint16."""

    def frames(self, profile: Profile, times: Buffer, out: Buffer) -> int:
        """Light at many times (uint64); gives how many."""

    def frame8(self, profile: Profile, curve: Curve, t_ns: int, frame: int, out: Buffer) -> None:
        """Codes at a time: 3 * count bytes. ``frame`` counts up by one from frame to frame (the dither)."""

    def encode(self, curve: Curve, light: Buffer, frame: int, out: Buffer) -> None:
        """Light to codes, any number of values."""

    def mix(self, first: Buffer, second: Buffer, weight: int, out: Buffer) -> None:
        """first * (1 - weight) + second * weight, weight in 65536ths."""

LINEAR: Curve
"""Codes for outputs that are linear in light: PWM, and so every LED strip and the LED class."""

@disjoint_base
class Drawn:
    """A profile on a layout: frames as a pure function of time. ``axcore.led.Pattern`` is one."""

    def __init__(self, lights: Lights, profile: Profile) -> None: ...
    @property
    def profile(self) -> Profile:
        """For ``Player.put``."""
    @property
    def lights(self) -> Lights: ...
    @overload
    def frame(self, t: int, out: None = None) -> array[int]: ...
    @overload
    def frame(self, t: int, out: _Out) -> _Out: ...
    @overload
    def frame(self, t: Any, out: Any = None) -> Any:
        """Light at ``t`` (ns): red, green, blue of each LED, uint16, linear, 65535 = all that an LED gives.

        Writes to ``out`` (any writable buffer of 6 bytes an LED) and gives it back, or gives a new ``array("H")``. For
        a numpy array of times (integers) the result is a numpy array of shape (len(t), LEDs, 3).
        """

    @overload
    def frame8(self, t: int, frame: int = 0, out: None = None, curve: Curve | None = None) -> bytearray: ...
    @overload
    def frame8(self, t: int, frame: int, out: _Out, curve: Curve | None = None) -> _Out:
        """Codes at ``t`` (ns): red, green, blue of each LED, one byte each, through ``curve`` (``LINEAR``) and the dither.

        ``frame`` counts up by one from frame to frame; the mean of 256 frames has 16 bits. ``out`` as for ``frame``.
        """

@disjoint_base
class Player:
    """Shows profiles on a frame clock; sans-I/O. ``frame_ns``: 1 ms .. 1 s."""

    def __init__(self, places: Buffer, frame_ns: int, curve: Curve) -> None: ...
    def put(self, profile: Profile, at_ns: int, fade_ns: int = 0) -> None:
        """Show this from ``at_ns`` on. ``QueueFullError`` when ``PENDING`` wait."""

    def cancel(self) -> None:
        """Forget what waits."""

    def step(self, now_ns: int, out: Buffer) -> bool:
        """It is ``now_ns``: True when a frame (3 * count bytes) was written."""

    @property
    def next_ns(self) -> int:
        """When ``step`` would make a frame; ``NEVER``."""
    @property
    def missed(self) -> int: ...
    @property
    def row(self) -> int: ...

def flashes(
    lights: Lights, profile: Profile, first_ns: int, step_ns: int, count: int, from_ns: int = 0
) -> tuple[int, int, int, int]:
    """Most general and red flashes in any second of ``count`` frames, when that second begins, general changes from
    ``from_ns`` on. Times count from the profile's epoch. Without the GIL."""

def flashes_of(frames: Sequence[tuple[int, Buffer]], n: int, from_ns: int = 0) -> tuple[int, int, int, int]:
    """The same of given frames of ``n`` LEDs."""

def apa102(rgb: Buffer, current: int = 31) -> bytes:
    """SPI bytes of an APA102 or SK9822 strip from RGB codes; ``current`` 0 .. 31 for all LEDs."""

def ws2812(codes: Buffer, channels: int = 3) -> bytes:
    """SPI bytes at ``WS2812_HZ`` of WS2812 (3 channels) or SK6812 (4) from RGB(W) codes."""

def rgbw(light: Buffer, out: Buffer) -> None:
    """RGB light to RGBW light (uint16): what the three have in common goes to white."""

def led_class(red: int, green: int, blue: int, max_brightness: int = 255) -> tuple[int, tuple[int, int, int]]:
    """``brightness`` and ``multi_intensity`` of the LED class of Linux."""
