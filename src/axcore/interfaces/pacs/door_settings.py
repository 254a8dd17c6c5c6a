"""The hardware of a door as named values (VAPIX *Door control service*, *Door configuration*), both ways.

Each name stands for a field of ``DoorConfiguration``; what is not given has its default, and Get tells all of them.
"""

from __future__ import annotations

import typing
from typing import Any, Final

import msgspec

from axcore.errors import ConflictError, InputError
from axcore.model.doors import DoorConfiguration, DoorMonitor, LockConfiguration
from axcore.model.pacs import Setting

from .codec import NAMES
from .table import Caller

_LOCK: Final = {
    "Type": "type", "LockWhenDoorOpens": "lock_when_door_opens", "ValueWhenLocked": "value_when_locked",
    "ValueWhenUnlocked": "value_when_unlocked", "RelayStateWhenLocked": "relay_when_locked",
    "BoltOutTime": "bolt_out_ms", "BoltInTime": "bolt_in_ms", "LockMonitor.ValueWhenLocked": "monitor_when_locked",
    "LockMonitor.ValueWhenUnlocked": "monitor_when_unlocked", "Contact": "contact",
}  # fmt: skip
_MONITOR: Final = {
    "Type": "type", "ValueWhenOpen": "value_when_open", "ValueWhenClosed": "value_when_closed",
    "SupervisedCut": "supervised_cut_mv", "SupervisedShort": "supervised_short_mv",
    "SupervisedHigh": "supervised_high_mv", "SupervisedLow": "supervised_low_mv", "DebounceTime": "debounce_ms",
}  # fmt: skip
FIELDS: Final[dict[str, tuple[str, str]]] = {
    **{f"Lock.{name}": ("lock", field) for name, field in _LOCK.items()},
    **{f"DoubleLock.{name}": ("double_lock", field) for name, field in _LOCK.items() if name != "LockWhenDoorOpens"},
    **{f"DoorMonitor.{name}": ("monitor", field) for name, field in _MONITOR.items()},
}
"""Name -> part and field. ``Lock.Contact`` (NO, NC: which contact of the relay feeds the lock) is ours."""
OTHERS: Final[dict[str, tuple[str, ...]]] = {
    "Lock.Hardware.Address": (), "Lock.Hardware.Id": (), "Lock.Hub.Hardware.Address": (),
    "Lock.Protocol": ("", "AADP", "SmartIntego"), "Lock.TCPIP.Address": (), "Lock.TCPIP.Port": (),
    "Door.Type": ("Regular", "ElevatorFloor"), "DoorMonitor.Hardware.Address": (),
    "DoorMonitor.Protocol": ("None", "AADP", "SmartIntego"),
}  # fmt: skip
"""Settings that are kept as they are, with what they may be (the first one is the default); () = any text."""
MAX_TEXT: Final = 128
_STRUCTS: Final[dict[str, type[Any]]] = {
    "lock": LockConfiguration, "double_lock": LockConfiguration, "monitor": DoorMonitor,
}  # fmt: skip
_NAMES: Final = {f"{part}.{field}": name for name, (part, field) in FIELDS.items()}


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """``DoorConfiguration`` as it is on the wire."""

    token: str
    device_uuid: str = ""
    configuration: tuple[Setting, ...] = ()
    door_schedule_configuration: str = ""


NAMES[Wire] = {"device_uuid": "DeviceUUID"}


def read(given: Wire, caller: Caller) -> DoorConfiguration:
    """The configuration that is meant. InputError names what cannot be."""
    parts: dict[str, dict[str, Any]] = {"lock": {}, "double_lock": {}, "monitor": {}}
    others: dict[str, str] = {}
    for at, entry in enumerate(given.configuration):
        if entry.name in OTHERS:
            others[entry.name] = _other(entry, f"Configuration[{at}].Value")
            continue
        part, field = FIELDS.get(entry.name, ("", ""))
        if not part:
            raise InputError(f"Configuration[{at}].Name", f"there is no setting {entry.name[:80]!r}")
        if field in parts[part]:
            raise ConflictError(f"Configuration[{at}].Name", f"{entry.name} stands twice")
        parts[part][field] = _value(part, field, entry, f"Configuration[{at}].Value")
    if parts["monitor"] and "type" not in parts["monitor"]:
        parts["monitor"]["type"] = "Standard"  # there are values of a monitor, so that there is one
    return DoorConfiguration(
        token=given.token, device_uuid=given.device_uuid or caller.device_uuid,
        schedule_configuration=given.door_schedule_configuration, others=tuple(sorted(others.items())),
        **{part: _STRUCTS[part](**fields) for part, fields in parts.items()},
    )  # fmt: skip


def show(held: DoorConfiguration, caller: Caller) -> Wire:
    """Every setting, defaults too."""
    settings = tuple(
        Setting(name, _text(getattr(getattr(held, part), field))) for name, (part, field) in FIELDS.items()
    )
    return Wire(
        token=held.token, device_uuid=held.device_uuid or caller.device_uuid, configuration=settings,
        door_schedule_configuration=held.schedule_configuration,
    )  # fmt: skip


def info(held: DoorConfiguration) -> list[dict[str, Any]]:
    """Every setting with what it may be (``ConfigurationInfo``)."""
    found = []
    for name, (part, field) in FIELDS.items():
        hint = _hints(part)[field]
        kind = {int: "xs:int", bool: "xs:boolean"}.get(hint, "xs:string")
        value = _text(getattr(getattr(held, part), field))
        found.append({"Name": name, "Value": value, "Enums": list(typing.get_args(hint)), "Type": kind})
    for name, value in _others(held).items():
        found.append({"Name": name, "Value": value, "Enums": list(OTHERS[name]), "Type": "xs:string"})
    return found


def path(field: str) -> str:
    """The name of a setting in the place of the field of the record."""
    return _NAMES.get(field, {"schedule_configuration": "DoorScheduleConfiguration"}.get(field, field))


def _value(part: str, field: str, entry: Setting, at: str) -> Any:
    hint, text = _hints(part)[field], entry.value
    if hint is bool:
        if text.lower() not in ("true", "false", "1", "0"):
            raise InputError(at, f"{entry.name} must be true or false")
        return text.lower() in ("true", "1")
    if hint is int:
        if not (text.isascii() and text.isdecimal() and len(text) <= 9):
            raise InputError(at, f"{entry.name} must be a whole number")
        return int(text)
    choices = typing.get_args(hint)
    if text not in choices:
        raise InputError(at, f"{entry.name} must be one of {', '.join(choices)}")
    return text


def _other(entry: Setting, at: str) -> str:
    choices = OTHERS[entry.name]
    if choices and entry.value not in choices:
        raise InputError(at, f"{entry.name} must be one of {', '.join(choice for choice in choices if choice)}")
    if len(entry.value) > MAX_TEXT or not entry.value.isprintable():
        raise InputError(at, f"must have 0..{MAX_TEXT} printable characters")
    return entry.value


def _others(held: DoorConfiguration) -> dict[str, str]:
    return {name: dict(held.others).get(name, choices[0] if choices else "") for name, choices in OTHERS.items()}


def _hints(part: str) -> dict[str, Any]:
    return typing.get_type_hints(_STRUCTS[part])


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
