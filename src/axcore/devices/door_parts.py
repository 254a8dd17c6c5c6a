"""The parts of a door's state machine: what is configured, what outlives a restart, and what comes out of it."""

from __future__ import annotations

from typing import Literal

import msgspec

from axcore.model.doors import (
    STANDARD_PRIORITIES,
    ClaimReason,
    Door,
    DoorAction,
    DoorAlarm,
    DoorConfiguration,
    DoorMode,
    PriorityConfiguration,
)

Which = Literal["lock", "double_lock"]
Hold = Literal["LockedDown", "LockedOpen"]
MODES: dict[DoorAction, DoorMode] = {
    "Lock": "Locked", "Unlock": "Unlocked", "Block": "Blocked", "DoubleLock": "DoubleLocked",
}  # fmt: skip
TOLD = ("mode", "door", "lock", "double_lock", "alarm", "warning", "tamper", "fault")
"""The states that have an event each, in the order in which they are told."""


class LockCommand(msgspec.Struct, frozen=True):
    """What a lock has to do now."""

    which: Which
    locked: bool
    output: str
    """``Open``/``Closed`` of a relay (COM to NO), else ``Gnd``/``Float``/``12V``."""


class Change(msgspec.Struct, frozen=True):
    """A state is another one now: ``what`` is one of ``TOLD``."""

    what: str
    value: str
    reason: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """A granted access was used (the door opened) or not."""

    request: str
    """What was given with the access."""
    taken: bool


Output = LockCommand | Change | Outcome


class Setup(msgspec.Struct, frozen=True):
    """What is configured."""

    door: Door
    hardware: DoorConfiguration
    priorities: PriorityConfiguration = STANDARD_PRIORITIES

    @property
    def has_double(self) -> bool:
        return self.hardware.double_lock.type != "None"

    @property
    def has_monitor(self) -> bool:
        return self.hardware.monitor.type != "None"

    @property
    def default_level(self) -> str:
        """Level of commands that name none."""
        priorities = self.priorities
        return self.door.default_priority or priorities.default_priority or priorities.actions[-1].level


class Claim(msgspec.Struct, frozen=True):
    """What a priority level asks for at present (``axtdc:GetDoorPriorityState``)."""

    level: str
    action: DoorAction
    reason: ClaimReason = ""


class Timing(msgspec.Struct, frozen=True):
    """How long the door may stay open, ms."""

    open_too_long: int
    pre_alarm: int


class Snapshot(msgspec.Struct, frozen=True):
    """What of a door outlives a restart."""

    claims: tuple[Claim, ...] = ()
    hold: Hold | None = None
    alarm: DoorAlarm = "Normal"
    was_open: bool | None = None
    pending: tuple[str, ...] = ()
