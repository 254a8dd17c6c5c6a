"""Light and siren profiles (manual: Profiles; VAPIX siren and light): what is shown and heard, how long, how urgent.

Names of patterns, speeds, intensities and colours are those that the device lists (``getCapabilities``); whether they
fit is for the siren service to say.
"""

from __future__ import annotations

from typing import Literal

import msgspec

MAX_PROFILES = 30
MAX_NAME = 50
MAX_DESCRIPTION = 250
MAX_SECONDS = 259_200
MAX_REPETITIONS = 20
PRIORITIES = range(1, 11)
DEFAULT_PRIORITY = 3
MAINTENANCE, IDENTIFY, HEALTH_CHECK = 11, 12, 13
"""Priorities of what the device itself does; nobody else can give or stop these."""
Unit = Literal["seconds", "repetitions"]
Function = Literal["light", "siren"]


class Duration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long an activity lasts; a value of 0, or no duration at all, is until it is stopped."""

    unit: Unit
    value: int


class Light(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the light does. None = the pattern's default."""

    pattern: str
    speed: int | None = None
    intensity: int | None = None
    colors: tuple[str, ...] | None = None
    duration: Duration | None = None
    priority: int | None = None


class Siren(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the siren does."""

    pattern: str
    intensity: int | None = None
    duration: Duration | None = None
    priority: int | None = None


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A named light, siren or both. The name is its identity."""

    name: str
    description: str = ""
    light: Light | None = None
    siren: Siren | None = None


class Maintenance(msgspec.Struct, frozen=True, kw_only=True):
    """Maintenance mode, as stored: it survives a restart with the time that is left."""

    on: bool = True
    """As delivered, and after a factory default."""
    left_ns: int | None = None
    """Time left when it was set; None = until it is turned off."""
    until_wall_ns: int | None = None
    """When it ends by the wall clock: the time counts on while the device is off (manual)."""
