"""Colors: the names that users choose from, and linear light.

The names are those that VAPIX documents for light patterns (Siren and light API, ``getCapabilities``).
"""

from __future__ import annotations

from axcore.errors import InputError

__all__ = ["COLORS", "FULL", "Color", "Linear", "linear"]

FULL = 65535
"""All that an LED can give."""
Linear = tuple[int, int, int]
"""Red, green, blue in linear light, 0 .. 65535."""
Color = str | Linear
"""A name of ``COLORS``, ``"#rrggbb"`` as on a screen (sRGB), or linear light."""

COLORS: dict[str, Linear] = {
    "red": (FULL, 0, 0),
    "green": (0, FULL, 0),
    "blue": (0, 0, FULL),
    "amber": (FULL, 17000, 0),
    "white": (FULL, FULL, FULL),
}


def _from_screen(code: int) -> int:
    """An 8-bit sRGB value as linear light (IEC 61966-2-1)."""
    value = code / 255
    return round(FULL * (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4))


def linear(color: Color, field: str = "color") -> Linear:
    """The light of a color. ``InputError`` names ``field``.

    >>> linear("amber")
    (65535, 17000, 0)
    >>> linear("#ff8000")
    (65535, 14146, 0)
    """
    if isinstance(color, str):
        if color in COLORS:
            return COLORS[color]
        if len(color) == 7 and color[0] == "#" and all(digit in "0123456789abcdefABCDEF" for digit in color[1:]):
            red, green, blue = bytes.fromhex(color[1:])
            return _from_screen(red), _from_screen(green), _from_screen(blue)
        raise InputError(field, f"{color!r} is no color; choose one of {', '.join(COLORS)}, or #rrggbb")
    if isinstance(color, (tuple, list)) and len(color) == 3 and all(type(v) is int and 0 <= v <= FULL for v in color):
        return color[0], color[1], color[2]
    raise InputError(field, f"linear light is three integers of 0 .. {FULL}")
