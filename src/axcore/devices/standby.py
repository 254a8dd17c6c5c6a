"""The light around the call button while the device is in standby (manual: Call button > Standby light).

Pure functions. Light is illuminance in lux; about 10 is a street that is well lit at night.
"""

from __future__ import annotations

from typing import Final

from axcore.model.intercom import StandbyMode

DARK_LUX: Final = 10.0
"""Darkness begins below this, and ..."""
BRIGHT_LUX: Final = 30.0
"""... ends above this: the built-in light may shine on the sensor, and must not turn itself off."""


def is_dark(lux: float, was_dark: bool) -> bool:
    """Whether the surroundings are dark, after they were so or not."""
    return lux <= BRIGHT_LUX if was_dark else lux < DARK_LUX


def is_lit(mode: StandbyMode, dark: bool | None) -> bool:
    """Whether the light is on. ``dark`` None: nobody knows, so that the button can be found."""
    return mode == "on" or (mode == "auto" and dark is not False)
