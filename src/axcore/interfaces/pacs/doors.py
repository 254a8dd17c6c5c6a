"""Door control service (VAPIX *Door control service*): doors, their hardware, priorities, schedules and commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from axcore.devices.door_parts import Claim, Setup
from axcore.errors import ConflictError
from axcore.model.doors import Door, DoorScheduleConfiguration, DoorState, PriorityConfiguration

from . import door_settings
from .codec import NAMES, Arguments
from .records import Records, capabilities
from .table import Answer, Caller, One, Operation, failed, unknown

COMMANDS: Final = (
    "LockDoor", "UnlockDoor", "DoubleLockDoor", "BlockDoor", "LockDownDoor", "LockDownReleaseDoor", "LockOpenDoor",
    "LockOpenReleaseDoor", "ReleaseDoor",
)  # fmt: skip
LEVELLED: Final = frozenset(("LockDoor", "UnlockDoor", "DoubleLockDoor", "BlockDoor", "ReleaseDoor"))
"""Commands that are given at a priority level."""
_BOTH: Final = ("axtdc",)


class Extension(msgspec.Struct, frozen=True, kw_only=True):
    """Room for what is to come; empty."""


class Access(Arguments, frozen=True, kw_only=True):
    """``AccessDoor``."""

    token: str
    use_extended_time: bool = False
    access_ms: int | None = None
    open_too_long_ms: int | None = None
    pre_alarm_ms: int | None = None
    extension: Extension | None = None


class Command(Arguments, frozen=True, kw_only=True):
    """A command to a door; an empty level is the door's default."""

    token: str
    priority_level: str = ""
    extension: Extension | None = None


NAMES[Access] = {"access_ms": "AccessTime", "open_too_long_ms": "OpenTooLongTime", "pre_alarm_ms": "PreAlarmTime"}


async def _access(given: Access, caller: Caller, unlock: bool) -> Answer:
    doors = caller.doors
    times: dict[str, Any] = {
        "extended": given.use_extended_time, "access_ms": given.access_ms, "open_too_long_ms": given.open_too_long_ms,
        "pre_alarm_ms": given.pre_alarm_ms,
    }  # fmt: skip
    try:
        await caller.run(lambda tx: doors.access(tx, given.token, unlock=unlock, **times))
    except ConflictError as error:
        raise failed(error) from None
    return {}


async def access_door(given: Access, caller: Caller) -> Answer:
    """``AccessDoor``: accessible for its access time; times that are out of range are brought into it."""
    return await _access(given, caller, True)


async def access_door_without_unlock(given: Access, caller: Caller) -> Answer:
    """``AccessDoorWithoutUnlock``: it may be opened by hand."""
    return await _access(given, caller, False)


def _command(name: str) -> Operation:
    async def handler(given: Command, caller: Caller) -> Answer:
        doors = caller.doors
        level = given.priority_level if name in LEVELLED else ""
        try:
            await caller.run(lambda tx: doors.command(tx, given.token, name, level))
        except ConflictError as error:
            raise failed(error) from None
        return {}

    return Operation(service="tdc", name=name, arguments=Command, handler=handler, also=_BOTH)


async def get_door_state(given: One, caller: Caller) -> Answer:
    """``GetDoorState``."""
    return {"DoorState": shown_state(caller.doors.state(given.token))}


async def get_door_priority_state(given: One, caller: Caller) -> Answer:
    """``GetDoorPriorityState``: what each level asks for, the highest first."""
    return {"DoorPriorityAction": [_claim(claim) for claim in caller.doors.machine(given.token).claims]}


def _claim(claim: Claim) -> dict[str, str]:
    return {"PriorityLevel": claim.level, "Reason": claim.reason, "DoorAction": claim.action}


def shown_state(state: DoorState) -> dict[str, Any]:
    """A state as it is on the wire."""
    reasons = state.fault_reasons
    fault: dict[str, Any] = {"State": state.fault, "Reason": " ".join(reasons)}
    fault |= {
        name: name in reasons for name in ("DoorMonitorFault", "LockFault", "DoubleLockFault", "LockMonitorFault")
    }
    return {
        "DoorMode": state.mode,
        "DoorPhysicalState": state.door,
        "LockPhysicalState": state.lock,
        "DoubleLockPhysicalState": state.double_lock,
        "Alarm": state.alarm,
        "Tamper": {"State": state.tamper, "Reason": state.tamper_reason},
        "Fault": fault,
    }


def door_capabilities(setup: Setup) -> dict[str, Any]:
    """What a door can do (``DoorCapabilities``)."""
    hardware = setup.hardware
    return {
        "Access": True, "AccessTimingOverride": True, "Lock": True, "Unlock": True, "Block": True,
        "DoubleLock": setup.has_double, "LockDown": True, "LockOpen": True, "DoorMonitor": setup.has_monitor,
        "LockMonitor": hardware.lock.monitored,
        "DoubleLockMonitor": setup.has_double and hardware.double_lock.monitored,
        "Alarm": setup.has_monitor, "Tamper": hardware.monitor.supervised, "Fault": True, "Warning": setup.has_monitor,
        "Configurable": True, "PriorityLevels": len(setup.priorities.actions),
    }  # fmt: skip


def _info(door: Door, caller: Caller) -> dict[str, Any]:
    setup = caller.pacs.door_setup(door.token)
    return {
        "token": door.token, "Name": door.name, "Description": door.description,
        "Capabilities": door_capabilities(setup),
    }  # fmt: skip


async def get_door_configuration_info(given: One, caller: Caller) -> Answer:
    """``GetDoorConfigurationInfo``: every setting of a door, with what it may be."""
    known = caller.pacs.door_configurations
    if given.token not in known:
        raise unknown("Token", given.token)
    return {"ConfigurationInfo": door_settings.info(known[given.token])}


def _capabilities(caller: Caller) -> dict[str, Any]:
    from axcore.services.pacs.service import MAX_PAGE

    return {
        "MaxLimit": MAX_PAGE, "GetDoorSupported": True, "SetDoorSupported": True,
        "PriorityConfigurationSupported": True,
    }  # fmt: skip


RECORDS: Final = (
    Records(service="axtdc", wire="Door", kind="pacs.door", struct=Door, info=_info, also=("tdc",), info_also=("tdc",)),
    Records(
        service="axtdc", wire="DoorConfiguration", kind="pacs.door_configuration", struct=door_settings.Wire,
        read=door_settings.read, show=door_settings.show, path=door_settings.path,
    ),
    Records(
        service="axtdc", wire="PriorityConfiguration", kind="pacs.priority_configuration",
        struct=PriorityConfiguration,
    ),
    Records(
        service="axtdc", wire="DoorScheduleConfiguration", kind="pacs.door_schedule_configuration",
        struct=DoorScheduleConfiguration,
    ),
)  # fmt: skip


def operations() -> Iterator[Operation]:
    """Every operation of the service."""
    for records in RECORDS:
        yield from records.operations()
    yield capabilities("tdc", _capabilities, _BOTH)
    yield Operation(service="tdc", name="AccessDoor", arguments=Access, handler=access_door, also=_BOTH)
    yield Operation(
        service="axtdc", name="AccessDoorWithoutUnlock", arguments=Access, handler=access_door_without_unlock,
        also=("tdc",),
    )  # fmt: skip
    yield from (_command(name) for name in COMMANDS)
    yield Operation(service="tdc", name="GetDoorState", arguments=One, handler=get_door_state, also=_BOTH)
    yield Operation(
        service="axtdc", name="GetDoorPriorityState", arguments=One, handler=get_door_priority_state, also=("tdc",)
    )
    yield Operation(
        service="axtdc", name="GetDoorConfigurationInfo", arguments=One, handler=get_door_configuration_info
    )
