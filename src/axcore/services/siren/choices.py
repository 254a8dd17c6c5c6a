"""What a light and a siren can be told, and what they make of what is left out (``getCapabilities``).

Pure functions over the catalogues of ``axcore.led`` and ``axcore.siren``. Errors name the field as
``light.pattern``, ``siren.duration.value`` and so on.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import msgspec

from axcore.errors import InputError
from axcore.led import INTENSITIES, PATTERNS, Pattern, Report, analyse, intensity_light
from axcore.led import safe as safe_pattern
from axcore.model.profiles import (
    DEFAULT_PRIORITY,
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_REPETITIONS,
    MAX_SECONDS,
    PRIORITIES,
    Duration,
    Light,
    Profile,
    Siren,
)
from axcore.siren import SOUNDS, Tone

SIREN_INTENSITIES = (1, 2, 3, 4, 5)
DEFAULT_SIREN_INTENSITY = 3
POE_CLASSES = (3, 4)
SECOND_NS = 1_000_000_000
RATE = 48_000


def check_profile(profile: Profile, poe_class: int) -> Profile:
    """The profile as it is kept: names trimmed, every choice made. InputError names what cannot be."""
    name = profile.name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InputError("name", f"must be 1..{MAX_NAME} printable characters")
    if len(profile.description) > MAX_DESCRIPTION or not profile.description.replace("\n", " ").isprintable():
        raise InputError("description", f"must be at most {MAX_DESCRIPTION} printable characters")
    if profile.light is None and profile.siren is None:
        raise InputError("light", "a profile has a light, a siren, or both")
    light = None if profile.light is None else check_light(profile.light, poe_class)
    siren = None if profile.siren is None else check_siren(profile.siren)
    return msgspec.structs.replace(profile, name=name, light=light, siren=siren)


def check_light(light: Light, poe_class: int) -> Light:
    """The light with every choice made."""
    info = PATTERNS.get(light.pattern)
    if info is None:
        raise InputError("light.pattern", f"{light.pattern[:60]!r} is no light pattern of this device")
    speed = info.speed.default if light.speed is None else light.speed
    if speed not in info.speed.possible:
        raise InputError("light.speed", f"{info.name} has the speeds {_list(info.speed.possible)}")
    levels = info.intensity[str(poe_class)]
    intensity = levels.default if light.intensity is None else light.intensity
    if intensity not in levels.possible:
        raise InputError("light.intensity", f"PoE class {poe_class} has the intensities {_list(levels.possible)}")
    colors = info.colors.default if light.colors is None else light.colors
    if not info.colors.min_colors <= len(colors) <= info.colors.max_colors:
        raise InputError(
            "light.colors.number", f"{info.name} takes {info.colors.min_colors} to {info.colors.max_colors} colors"
        )
    for number, color in enumerate(colors):
        if color not in info.colors.possible:
            raise InputError(f"light.colors[{number}]", f"{color[:40]!r} is not one of {_list(info.colors.possible)}")
    return Light(
        pattern=info.name,
        speed=speed,
        intensity=intensity,
        colors=tuple(colors),
        duration=_duration(light.duration, "light"),
        priority=_priority(light.priority, "light"),
    )


def check_siren(siren: Siren) -> Siren:
    """The siren with every choice made."""
    if siren.pattern not in SOUNDS:
        raise InputError("siren.pattern", f"{siren.pattern[:60]!r} is no siren pattern of this device")
    intensity = DEFAULT_SIREN_INTENSITY if siren.intensity is None else siren.intensity
    if intensity not in SIREN_INTENSITIES:
        raise InputError("siren.intensity", f"must be one of {_list(SIREN_INTENSITIES)}")
    return Siren(
        pattern=siren.pattern,
        intensity=intensity,
        duration=_duration(siren.duration, "siren"),
        priority=_priority(siren.priority, "siren"),
    )


def length_ns(what: Light | Siren, *, safe: bool = False) -> int | None:
    """How long it lasts; None = until it is stopped. A repetition is a period of the pattern, of a still one 1 s."""
    duration = what.duration
    if duration is None or duration.value == 0:
        return None
    if duration.unit == "seconds":
        return duration.value * SECOND_NS
    return duration.value * _period_ns(what, safe)


def pattern(light: Light, *, epoch_ns: int = 0, dim: float = 1.0, safe: bool = False) -> Pattern:
    """The light to be shown from ``epoch_ns`` on; ``dim`` 0..1 takes light away (heat), ``safe`` slows what flashes."""
    assert light.intensity is not None
    level = round(intensity_light(light.intensity) * dim)
    shown = Pattern(light.pattern, colors=light.colors, speed=light.speed, level=level, epoch_ns=epoch_ns)
    if not safe:
        return shown
    speed, stretch = safe_speed(light.pattern, shown.speed, shown.colors)
    return shown.changed(speed=speed, stretch=stretch)


@functools.lru_cache(maxsize=1024)
def safe_speed(name: str, speed: int, colors: tuple[str, ...]) -> tuple[int, float]:
    """Speed and stretch at which a pattern flashes at most three times in any second (``axcore.led.safe``).

    The first answer takes up to 0.1 s: whoever must not wait asks in another thread before (``learn``).
    """
    found = safe_pattern(Pattern(name, colors=colors, speed=speed))
    return found.speed, found.stretch


def learn(light: Light | None) -> None:
    """Have the answer of ``safe_speed`` ready. Any thread; what cannot be is found out later."""
    with contextlib.suppress(InputError):
        if light is not None:
            pattern(check_light(msgspec.structs.replace(light, intensity=1), POE_CLASSES[0]), safe=True)


def flashes(light: Light) -> Report:
    """What the flash analyser says of a checked light as it was asked for, without the safe mode."""
    return analyse(pattern(light))


def fitted(light: Light, poe_class: int) -> Light:
    """The light with the intensity that the power allows now (a profile may be older than the supply)."""
    most = max(INTENSITIES[str(poe_class)].possible)
    if light.intensity is None or light.intensity <= most:
        return light
    return msgspec.structs.replace(light, intensity=most)


def capabilities(poe_class: int) -> dict[str, Any]:
    """What ``getCapabilities`` tells."""
    lights = [
        {
            "name": info.name,
            "speed": msgspec.to_builtins(info.speed),
            "colors": msgspec.to_builtins(info.colors),
            "intensity": {"poeClass": msgspec.to_builtins(info.intensity)},
            "priority": {"possible": list(PRIORITIES), "default": DEFAULT_PRIORITY},
        }
        for info in PATTERNS.values()
    ]
    sounds = [
        {
            "name": name,
            "intensity": {"possible": list(SIREN_INTENSITIES), "default": DEFAULT_SIREN_INTENSITY},
            "priority": {"possible": list(PRIORITIES), "default": DEFAULT_PRIORITY},
        }
        for name in SOUNDS
    ]
    return {
        "siren": {"supportedPatterns": sounds},
        "light": {"supportedPatterns": lights},
        "healthCheckSupport": True,
        "maintenanceModeSupport": True,
        "poeClass": poe_class,
    }


def _duration(duration: Duration | None, function: str) -> Duration | None:
    if duration is None:
        return None
    most = MAX_SECONDS if duration.unit == "seconds" else MAX_REPETITIONS
    if not 0 <= duration.value <= most:
        raise InputError(f"{function}.duration.value", f"must be 0..{most} {duration.unit}")
    return duration if duration.value else None


def _priority(priority: int | None, function: str) -> int:
    chosen = DEFAULT_PRIORITY if priority is None else priority
    if chosen not in PRIORITIES:
        raise InputError(f"{function}.priority", f"must be {PRIORITIES[0]}..{PRIORITIES[-1]}")
    return chosen


def _period_ns(what: Light | Siren, safe: bool) -> int:
    if isinstance(what, Light):
        return pattern(what, safe=safe).period_ns or SECOND_NS
    return Tone(what.pattern, rate=RATE).cycle * SECOND_NS // RATE


def _list(values: tuple[object, ...]) -> str:
    return ", ".join(map(str, values)) or "none"
