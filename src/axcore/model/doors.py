"""Doors: what is configured for one, and the words for the states that it is in.

Words and defaults are those of the door control services (VAPIX *Door control service*, ONVIF Door Control): they go on
the wire and into the event log as they are. Times are whole milliseconds.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from axcore.errors import ConflictError, InputError, NotFoundError
from axcore.model.durations import MAX_MS

DoorMode = Literal[
    "Unknown", "Locked", "Unlocked", "Accessed", "Blocked", "LockedDown", "LockedOpen", "DoubleLocked"
]  # fmt: skip
"""``Unknown`` is for doors of other devices; a door of this one always has a mode."""
PhysicalState = Literal["Unknown", "Open", "Closed", "Fault"]
LockPhysicalState = Literal["Unknown", "Locked", "Unlocked", "Fault"]
DoorAlarm = Literal["Normal", "DoorForcedOpen", "DoorOpenTooLong"]
DoorWarning = Literal["Normal", "DoorOpenTooLongWarn"]
DoorTamper = Literal["Unknown", "NotInTamper", "TamperDetected"]
DoorFault = Literal["Unknown", "NotInFault", "FaultDetected"]
DoorAction = Literal["Lock", "Unlock", "Block", "DoubleLock", "Release"]
"""What a priority level asks for; ``Release`` = nothing."""
ClaimReason = Literal["", "API", "Schedule"]
"""Who set the action of a priority level; empty = it is the configured one."""
LineState = Literal["open", "closed", "short", "cut"]
"""A circuit as an input sees it. An input that is not supervised knows open and closed."""
InputValue = Literal["None", "Input Open", "Input Ground", "Input 12V", "Supervised Open", "Supervised Ground"]
OutputValue = Literal["Gnd", "Float", "12V"]
Contact = Literal["NO", "NC"]

MAX_NAME = 64
MAX_DESCRIPTION = 1024
MIN_ACCESS_MS = 100
MAX_BOLT_MS = 60_000
MAX_LEVELS = 32
STANDARD = "Standard"
"""Token of the delivered priority configuration."""


class Door(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A door without its hardware."""

    token: str
    name: str = ""
    """0..64 characters."""
    description: str = ""
    access_ms: int = 10_000
    """How long the door is accessible after access was granted."""
    open_too_long_ms: int = 30_000
    """How long it may stay open; 0 = as long as anybody likes."""
    pre_alarm_ms: int = 10_000
    """How long before that the warning comes; 0, or not below ``open_too_long_ms``: no warning."""
    extended_access_ms: int = 30_000
    extended_open_too_long_ms: int = 60_000
    heartbeat_ms: int = 0
    """How often the states are told again; 0 = never."""
    priority_configuration: str = STANDARD
    default_priority: str = ""
    """Level of commands that name none; empty = the default of the priority configuration."""


class LockConfiguration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lock: what moves it, and what tells where it is."""

    type: Literal["None", "Standard", "Relay", "RS485HD", "RemoteIO", "TCPIP"] = "None"
    """First lock: ``None`` is a virtual lock, for trying things out. Second lock: there is none."""
    lock_when_door_opens: bool = False
    value_when_locked: OutputValue = "Gnd"
    """Of a ``Standard`` lock."""
    value_when_unlocked: OutputValue = "12V"
    relay_when_locked: Literal["Open", "Closed"] = "Open"
    """Of a ``Relay`` lock: is COM connected to NO while the door is locked?"""
    contact: Contact = "NO"
    """The contact of the relay that feeds the lock."""
    bolt_out_ms: int = 700
    """Longest time that unlocking takes; a lock monitor shortens it."""
    bolt_in_ms: int = 700
    """Longest time that locking takes."""
    monitor_when_locked: InputValue = "None"
    monitor_when_unlocked: InputValue = "None"

    @property
    def monitored(self) -> bool:
        """Whether it has a lock monitor."""
        return self.monitor_when_locked != "None" and self.monitor_when_unlocked != "None"

    @property
    def fail(self) -> Literal["safe", "secure"]:
        """What it does without power: open (*safe*) or stay locked (*secure*).

        A lock that is fed while it is locked opens when the power goes: one at NC with the relay at rest, or one at NO
        with the relay drawn (manual: Relay connector).
        """
        if self.type == "Relay":
            return "safe" if (self.relay_when_locked == "Closed") == (self.contact == "NO") else "secure"
        return "safe" if self.type == "Standard" and self.value_when_locked == "12V" else "secure"

    def output(self, locked: bool) -> str:
        """What its output does: ``Open``/``Closed`` of a relay, else ``Gnd``/``Float``/``12V``."""
        if self.type == "Relay":
            return self.relay_when_locked if locked else ("Closed" if self.relay_when_locked == "Open" else "Open")
        return self.value_when_locked if locked else self.value_when_unlocked


class DoorMonitor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What tells whether the door is open."""

    type: Literal["None", "Standard", "RS485HD", "TCPIP"] = "None"
    value_when_open: InputValue = "Input Open"
    value_when_closed: InputValue = "Input Ground"
    supervised_cut_mv: int = 2755
    """Voltages that a supervised input has in its four states, mV (VAPIX: ``DoorMonitor.Supervised*``)."""
    supervised_high_mv: int = 1855
    supervised_low_mv: int = 740
    supervised_short_mv: int = 0
    debounce_ms: int = 10

    @property
    def supervised(self) -> bool:
        """Whether it tells a cut and a short."""
        return self.value_when_open.startswith("Supervised")

    def physical(self, line: LineState) -> PhysicalState:
        """The state of the door when the circuit is in this one."""
        if line in ("short", "cut"):
            return "Fault"
        circuit_open_means_open = self.value_when_open.endswith("Open")
        return "Open" if (line == "open") == circuit_open_means_open else "Closed"


class DoorConfiguration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hardware of a door; its token is that of the door."""

    token: str
    device_uuid: str = ""
    schedule_configuration: str = ""
    """Token of a ``DoorScheduleConfiguration``."""
    lock: LockConfiguration = LockConfiguration()
    double_lock: LockConfiguration = LockConfiguration()
    monitor: DoorMonitor = DoorMonitor()
    others: tuple[tuple[str, str], ...] = ()
    """Names and values of settings that other kinds of locks have (``Lock.Hardware.Address``)."""


class PriorityAction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A priority level and what it asks for until somebody sets something else."""

    level: str
    action: DoorAction = "Release"


class PriorityConfiguration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Priority levels, the highest first."""

    token: str
    name: str = ""
    default_priority: str = ""
    """Empty = the lowest level."""
    actions: tuple[PriorityAction, ...]


STANDARD_PRIORITIES = PriorityConfiguration(
    token=STANDARD, name=STANDARD, default_priority=STANDARD, actions=(PriorityAction(level=STANDARD, action="Lock"),)
)
"""As delivered: one level."""


class ScheduledState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a level asks for when all these schedules have become active."""

    enter_action: DoorAction
    schedules: tuple[str, ...]


class DoorSchedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The scheduled states of a level; the first active one counts."""

    level: str = ""
    """Empty = the default level; then it is the only one of its configuration."""
    states: tuple[ScheduledState, ...]


class DoorScheduleConfiguration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a door does at which times."""

    token: str
    name: str = ""
    description: str = ""
    schedules: tuple[DoorSchedule, ...]


class DoorState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of a door (``tdc:GetDoorState``)."""

    mode: DoorMode
    door: PhysicalState
    lock: LockPhysicalState
    double_lock: LockPhysicalState | None
    """None: it has no second lock."""
    alarm: DoorAlarm
    warning: DoorWarning
    tamper: DoorTamper
    tamper_reason: str
    """``Short`` or ``Cut`` of a supervised door monitor, or empty."""
    fault: DoorFault
    fault_reasons: tuple[str, ...]
    """Of ``DoorMonitorFault``, ``LockFault``, ``LockMonitorFault``, ``DoubleLockFault``, ``LinkFault``."""


def check_door(door: Door, priorities: PriorityConfiguration) -> Door:
    """The door, if it can be one. InputError names the field."""
    _text("token", door.token, MAX_NAME, least=1)
    _text("name", door.name, MAX_NAME)
    _text("description", door.description, MAX_DESCRIPTION)
    for field in ("access_ms", "extended_access_ms"):
        _number(field, getattr(door, field), MIN_ACCESS_MS, MAX_MS)
    for field in ("open_too_long_ms", "pre_alarm_ms", "extended_open_too_long_ms", "heartbeat_ms"):
        _number(field, getattr(door, field), 0, MAX_MS)
    if door.default_priority and door.default_priority not in {held.level for held in priorities.actions}:
        raise NotFoundError("default_priority", f"{door.default_priority!r} is no level of {priorities.token!r}")
    return door


def check_configuration(configuration: DoorConfiguration) -> DoorConfiguration:
    """The hardware, if it makes sense. InputError names the field."""
    for name in ("lock", "double_lock"):
        lock: LockConfiguration = getattr(configuration, name)
        _number(f"{name}.bolt_out_ms", lock.bolt_out_ms, 0, MAX_BOLT_MS)
        _number(f"{name}.bolt_in_ms", lock.bolt_in_ms, 0, MAX_BOLT_MS)
        if (lock.monitor_when_locked == "None") != (lock.monitor_when_unlocked == "None"):
            raise InputError(f"{name}.monitor_when_locked", "a lock monitor needs both values, or none")
        if lock.monitored and lock.monitor_when_locked == lock.monitor_when_unlocked:
            raise ConflictError(f"{name}.monitor_when_locked", "must differ from the value when unlocked")
    monitor = configuration.monitor
    if monitor.type != "None":
        if monitor.value_when_open == monitor.value_when_closed or "None" in (
            monitor.value_when_open,
            monitor.value_when_closed,
        ):
            raise ConflictError("monitor.value_when_open", "and value_when_closed must be two different values")
        if monitor.supervised != monitor.value_when_closed.startswith("Supervised"):
            raise ConflictError("monitor.value_when_closed", "both values are supervised, or none is")
    _number("monitor.debounce_ms", monitor.debounce_ms, 0, 10_000)
    levels = (
        monitor.supervised_short_mv, monitor.supervised_low_mv, monitor.supervised_high_mv, monitor.supervised_cut_mv,
    )  # fmt: skip
    if not 0 <= levels[0] < levels[1] < levels[2] < levels[3] <= 30_000:
        raise InputError("monitor.supervised_short_mv", "short < low < high < cut, in 0..30000 mV")
    return configuration


def check_priorities(priorities: PriorityConfiguration) -> PriorityConfiguration:
    """The levels, if they can be told apart. InputError names the field."""
    levels = [held.level for held in priorities.actions]
    if not 1 <= len(levels) <= MAX_LEVELS:
        raise InputError("actions", f"must have 1..{MAX_LEVELS} levels")
    for at, level in enumerate(levels):
        _text(f"actions[{at}].level", level, MAX_NAME, least=1)
    if len(set(levels)) != len(levels):
        raise ConflictError("actions", "a level stands twice")
    if priorities.default_priority and priorities.default_priority not in levels:
        raise NotFoundError("default_priority", f"{priorities.default_priority!r} is none of the levels")
    return priorities


def check_schedules(
    configuration: DoorScheduleConfiguration, priorities: PriorityConfiguration
) -> DoorScheduleConfiguration:
    """The schedule configuration, if a door with these priorities can use it. InputError names the field."""
    levels = {held.level for held in priorities.actions}
    for at, entry in enumerate(configuration.schedules):
        if not entry.level and len(configuration.schedules) > 1:
            raise InputError(f"schedules[{at}].level", "is required when there are several")
        if entry.level and entry.level not in levels:
            raise NotFoundError(f"schedules[{at}].level", f"{entry.level!r} is no level of {priorities.token!r}")
    return configuration


def _text(field: str, value: str, most: int, least: int = 0) -> None:
    if not least <= len(value) <= most:
        raise InputError(field, f"must have {least}..{most} characters")
    if not value.isprintable():
        raise InputError(field, "must not hold control characters")


def _number(field: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InputError(field, f"must be {least}..{most} ms")
