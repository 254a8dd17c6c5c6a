"""The catalogue of light patterns as capability data: published, and profiles are checked by it.

Names: the strobe siren's manual, *Light pattern names*. Priorities and the rows that only the device starts: *The web
interface > Overview* and *Profiles*. Numbers that VAPIX shows in its examples (Alternate, Steady, Rotate white + steady
color; intensities of PoE classes 3 and 4) are taken from there; the others follow them and are ours.
"""

from __future__ import annotations

from typing import Any

import msgspec

from axcore._native.led import CATALOGUE, ROWS
from axcore.errors import InputError
from axcore.led.colors import COLORS

__all__ = [
    "DEFAULT_PRIORITY", "HEALTH_CHECK", "IDENTIFY", "INTENSITIES", "MAINTENANCE", "MAX_REPETITIONS", "MAX_SECONDS",
    "PATTERNS", "PRIORITIES", "SYSTEM_PATTERNS", "Choice", "ColorChoice", "Duration", "PatternInfo", "intensity_light",
    "pattern_info", "supported_patterns",
]  # fmt: skip


class Choice(msgspec.Struct, frozen=True):
    """Numbers to choose from."""

    possible: tuple[int, ...]
    default: int


class ColorChoice(msgspec.Struct, frozen=True, rename={"min_colors": "minNbrColors", "max_colors": "maxNbrColors"}):
    """How many colors, and which. White that is in the pattern's name is not counted."""

    min_colors: int
    max_colors: int
    possible: tuple[str, ...]
    default: tuple[str, ...]


class Duration(msgspec.Struct, frozen=True):
    """How long an activity lasts where nobody says: ``value`` None is until it is stopped."""

    unit: str = "seconds"
    value: int | None = None


PRIORITIES = Choice(tuple(range(1, 11)), 3)
DEFAULT_PRIORITY = PRIORITIES.default
MAINTENANCE, IDENTIFY, HEALTH_CHECK = 11, 12, 13
"""Priorities of what the device itself does; users cannot give or stop these."""
INTENSITIES = {"3": Choice((1, 2), 2), "4": Choice((1, 2, 3, 4, 5), 2)}
"""By PoE class: class 3 has the power for the lower ones only. A number means the same light in both."""
MAX_SECONDS = 259_200
MAX_REPETITIONS = 20
_DARKEST, _BRIGHTEST = 1, 5


class PatternInfo(msgspec.Struct, frozen=True):
    """A pattern and what can be chosen with it."""

    name: str
    row: int
    """In the kernel's table."""
    speed: Choice
    colors: ColorChoice
    intensity: dict[str, Choice]
    """By PoE class, "3" and "4"."""
    period_ms: tuple[int, ...]
    """At speed 1, 2 ...; of one step, where the light goes in steps."""
    stepped: bool
    """The light stands still but for steps of ``period_ms``."""
    priority: Choice = PRIORITIES
    duration: Duration = Duration()


_DEFAULT_COLORS = {"Alternate": ("red", "blue")}
_STEPPED = {"Alternate", "Random white + steady color", "Health check"}


def _info(row: int) -> PatternInfo:
    name, default_speed, least, most, period_ms = ROWS[row]
    # White is there already, and one white would not be told from the other.
    possible = tuple(color for color in COLORS if color != "white" or "white" not in name.lower())
    return PatternInfo(
        name=name,
        row=row,
        speed=Choice(tuple(range(1, len(period_ms) + 1)), default_speed),
        colors=ColorChoice(least, most, possible if most else (), _DEFAULT_COLORS.get(name, ("red",) if least else ())),
        intensity=INTENSITIES,
        period_ms=period_ms,
        stepped=name in _STEPPED,
    )


PATTERNS: dict[str, PatternInfo] = {ROWS[row][0]: _info(row) for row in range(CATALOGUE)}
"""The 23 patterns of the manual, in its order."""
SYSTEM_PATTERNS: dict[str, PatternInfo] = {ROWS[row][0]: _info(row) for row in range(CATALOGUE, len(ROWS))}
"""What only the device starts: Maintenance (a white pulsating triangle), Identify, Health check (section by
section)."""


def supported_patterns() -> list[dict[str, Any]]:
    """The catalogue in the form of ``getCapabilities`` (VAPIX Siren and light API): ``light.supportedPatterns``.

    >>> supported_patterns()[1]["colors"]
    {'minNbrColors': 1, 'maxNbrColors': 1, 'possible': ['red', 'green', 'blue', 'amber', 'white'], 'default': ['red']}
    """
    listed = [
        {
            "name": info.name,
            "speed": info.speed,
            "colors": info.colors,
            "intensity": {"poeClass": info.intensity},
            "priority": info.priority,
        }
        for info in PATTERNS.values()
    ]
    shown: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(listed))
    return shown


def pattern_info(name: str) -> PatternInfo:
    """The row of a pattern, of the catalogue or the device's own. ``InputError`` for ``pattern``.

    >>> pattern_info("Alternate").colors.default
    ('red', 'blue')
    """
    info = PATTERNS.get(name) or SYSTEM_PATTERNS.get(name)
    if info is None:
        raise InputError("pattern", f"{name!r} is no light pattern; the manual lists them as in {', '.join(PATTERNS)}")
    return info


def intensity_light(intensity: int, poe_class: int = 4) -> int:
    """Linear light (0 .. 65535) of an intensity, in equal steps to the eye. ``InputError`` names what is wrong.

    >>> [intensity_light(i) for i in (1, 2, 3, 4, 5)]
    [2621, 10486, 23593, 41942, 65535]
    """
    choice = INTENSITIES.get(str(poe_class))
    if choice is None:
        raise InputError("poe_class", f"known are the classes {', '.join(INTENSITIES)}")
    if type(intensity) is not int or intensity not in choice.possible:
        raise InputError("intensity", f"PoE class {poe_class} has the intensities {choice.possible}")
    assert _DARKEST <= intensity <= _BRIGHTEST
    return round(65535 * (intensity / _BRIGHTEST) ** 2)
