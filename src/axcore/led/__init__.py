"""Light patterns, usable without the runtime: 23 patterns as pure functions of time, on any layout of LEDs.

    >>> from axcore.led import Layout, Pattern, analyse
    >>> pattern = Pattern("Rotate tail white + steady color", Layout.strip(60), colors=["blue"], speed=3)
    >>> light = pattern.frame(1_500_000_000)
    >>> len(light), max(light)
    (180, 10486)
    >>> analyse(pattern).safe
    True
    >>> apa102(pattern.frame8(0))[:4]
    b'\\x00\\x00\\x00\\x00'

Light is linear, 16 bits, until the last step: ``frame8`` sends it through a curve and a temporal dither to 8-bit codes
for a wire (``apa102``, ``ws2812``) or a screen; ``led_class`` is for the LED class of Linux. Times are nanoseconds of a
clock that devices may share.
"""

from axcore._native.led import (
    NEVER,
    PENDING,
    WS2812_HZ,
    Curve,
    Lights,
    Player,
    Profile,
    apa102,
    led_class,
    rgbw,
    ws2812,
)
from axcore.led.colors import COLORS, Color, linear
from axcore.led.layout import Layout, Place
from axcore.led.pattern import LINEAR, SCREEN, Pattern, crossfade
from axcore.led.patterns import (
    INTENSITIES,
    PATTERNS,
    PRIORITIES,
    SYSTEM_PATTERNS,
    PatternInfo,
    intensity_light,
    pattern_info,
    supported_patterns,
)
from axcore.led.safety import Report, analyse, safe

__all__ = [
    "COLORS",
    "INTENSITIES",
    "LINEAR",
    "NEVER",
    "PATTERNS",
    "PENDING",
    "PRIORITIES",
    "SCREEN",
    "SYSTEM_PATTERNS",
    "WS2812_HZ",
    "Color",
    "Curve",
    "Layout",
    "Lights",
    "Pattern",
    "PatternInfo",
    "Place",
    "Player",
    "Profile",
    "Report",
    "analyse",
    "apa102",
    "crossfade",
    "intensity_light",
    "led_class",
    "linear",
    "pattern_info",
    "rgbw",
    "safe",
    "supported_patterns",
    "ws2812",
]
