"""What may be configured for a door: every refusal names the field."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.errors import InputError
from axcore.model.doors import (
    STANDARD_PRIORITIES,
    Door,
    DoorConfiguration,
    DoorMonitor,
    LockConfiguration,
    PriorityAction,
    PriorityConfiguration,
    check_configuration,
    check_door,
    check_priorities,
)


def test_defaults_are_accepted() -> None:
    assert check_door(Door(token="d"), STANDARD_PRIORITIES).access_ms == 10_000
    assert check_configuration(DoorConfiguration(token="d"))
    assert check_priorities(STANDARD_PRIORITIES)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"access_ms": 0}, "access_ms"),
        ({"access_ms": 10**10}, "access_ms"),
        ({"open_too_long_ms": -1}, "open_too_long_ms"),
        ({"name": "x" * 65}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"description": "x" * 1025}, "description"),
        ({"token": ""}, "token"),
        ({"default_priority": "Highest"}, "default_priority"),
    ],
)
def test_doors(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as refused:
        check_door(Door(**{"token": "d", **fields}), STANDARD_PRIORITIES)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"lock": LockConfiguration(bolt_in_ms=-1)}, "lock.bolt_in_ms"),
        ({"double_lock": LockConfiguration(bolt_out_ms=60_001)}, "double_lock.bolt_out_ms"),
        ({"lock": LockConfiguration(monitor_when_locked="Input Open")}, "lock.monitor_when_locked"),
        (
            {"lock": LockConfiguration(monitor_when_locked="Input Open", monitor_when_unlocked="Input Open")},
            "lock.monitor_when_locked",
        ),
        ({"monitor": DoorMonitor(type="Standard", value_when_open="Input Ground")}, "monitor.value_when_open"),
        ({"monitor": DoorMonitor(type="Standard", value_when_open="Supervised Open")}, "monitor.value_when_closed"),
        ({"monitor": DoorMonitor(supervised_low_mv=2000)}, "monitor.supervised_short_mv"),
        ({"monitor": DoorMonitor(debounce_ms=10_001)}, "monitor.debounce_ms"),
    ],
)
def test_hardware(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as refused:
        check_configuration(DoorConfiguration(token="d", **fields))
    assert refused.value.field == field


def test_priorities() -> None:
    for actions, default, field in (
        ((), "", "actions"),
        (("a",) * 2, "", "actions"),
        (tuple(map(str, range(33))), "", "actions"),
        (("a",), "b", "default_priority"),
        (("",), "", "actions[0].level"),
    ):
        levels = tuple(PriorityAction(level=level) for level in actions)
        with pytest.raises(InputError) as refused:
            check_priorities(PriorityConfiguration(token="p", default_priority=default, actions=levels))
        assert refused.value.field == field
