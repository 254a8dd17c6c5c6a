"""What the schedules of doors ask for: looked at when it may change, and when the clock was stepped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from axcore.model.doors import DoorAction, DoorConfiguration, DoorScheduleConfiguration
from axcore.services.pacs.calendar import FAR, scheduled


class Scheduled(Protocol):
    """What is configured, by token."""

    @property
    def door_configurations(self) -> Mapping[str, DoorConfiguration]: ...
    @property
    def door_schedules(self) -> Mapping[str, DoorScheduleConfiguration]: ...
    @property
    def index(self) -> Any: ...


def of_door(configured: Scheduled, token: str) -> DoorScheduleConfiguration | None:
    """The schedules of a door, if it has some."""
    hardware = configured.door_configurations.get(token)
    return None if hardware is None else configured.door_schedules.get(hardware.schedule_configuration)


def asked(configured: Scheduled, token: str, wall_ns: int) -> dict[str, DoorAction]:
    """What the levels of a door are asked for at this time."""
    found = of_door(configured, token)
    return {} if found is None else scheduled(found, configured.index.calendars, wall_ns)


def span(configured: Scheduled, tokens: Iterable[str], wall_ns: int) -> tuple[int, int]:
    """From when and until when (wall time, ns; ``FAR``: for ever) the answers of this time count for all doors."""
    begin, end, calendars = 0, FAR, configured.index.calendars
    for token in tokens:
        found = of_door(configured, token)
        for entry in () if found is None else found.schedules:
            for name in (name for state in entry.states for name in state.schedules if name in calendars):
                held = calendars[name].span(wall_ns)
                begin, end = max(begin, held[0]), min(end, held[1])
    return begin, end
