"""A second statement of what a door does, to hold ``axcore.devices.door`` against.

Written from the words of the services, as tables: a state that is told is the first row of its table that holds, and
what an input does is a list of rows too. Facts and timers are plain dictionaries that are changed in place; nothing is
shared with the device but the configuration structs. Slow and simple on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from axcore.model.doors import Door, DoorConfiguration, LockConfiguration, PriorityConfiguration

MS = 1_000_000
WEEK_MS = 7 * 86_400_000


class RefusedError(Exception):
    """The command cannot be carried out."""


Row = tuple[str, Callable[["ReferenceDoor"], Any]]

MODE: tuple[Row, ...] = (
    ("LockedDown", lambda d: d.hold == "LockedDown"),
    ("LockedOpen", lambda d: d.hold == "LockedOpen"),
    ("Blocked", lambda d: d.wanted() == "Block"),
    ("Accessed", lambda d: "access" in d.timers),
    ("Accessed", lambda d: d.rex and d.wanted() != "Unlock"),
    ("Locked", lambda d: d.wanted() == "Unlock" and "double" in d.timers and not d.sent["double"]),
    ("Unlocked", lambda d: d.wanted() == "Unlock"),
    ("DoubleLocked", lambda d: d.wanted() == "DoubleLock"),
    ("Locked", lambda d: True),
)
"""The mode of the door: the first row that holds."""

FREE: tuple[Callable[[ReferenceDoor], Any], ...] = (
    lambda d: d.hold == "LockedOpen",
    lambda d: not d.hold and d.wanted() == "Unlock",
)
"""Anyone may pass."""

OPEN: tuple[Callable[[ReferenceDoor], Any], ...] = (
    lambda d: d.rex,
    lambda d: "unlock" in d.timers,
    lambda d: d.free(),
)
"""The lock is open."""

ALLOWED: tuple[Callable[[ReferenceDoor], Any], ...] = (
    *OPEN,
    lambda d: "access" in d.timers,
    lambda d: d.sent["lock"] and "lock" in d.timers,
    lambda d: d.ajar is None,
)
"""An opening is no break-in."""

FAULTS: tuple[Row, ...] = (
    ("DoorMonitorFault", lambda d: d.wire in ("short", "cut")),
    ("LockFault", lambda d: d.jam["lock"]),
    ("LockMonitorFault", lambda d: "fault" in d.seen.values()),
    ("DoubleLockFault", lambda d: d.jam["double"]),
    ("LinkFault", lambda d: not d.up),
)


class ReferenceDoor:
    """Call the inputs with rising times; ``told`` is what it tells, ``log`` what it did to locks and accesses."""

    sent: dict[str, bool]
    jam: dict[str, bool]
    seen: dict[str, str | None]
    timers: dict[str, int]
    hold: str
    rex: bool
    up: bool
    wire: str | None
    ajar: bool | None

    def __init__(self, door: Door, hardware: DoorConfiguration, priorities: PriorityConfiguration) -> None:
        self.door, self.hardware = door, hardware
        self.default = door.default_priority or priorities.default_priority or priorities.actions[-1].level
        self.table = {row.level: row.action for row in priorities.actions}
        self.two = hardware.double_lock.type != "None"
        self.watched = hardware.monitor.type != "None"
        self.timers = {}
        self.hold = ""
        self.rex, self.may_rex, self.up = False, True, True
        self.wire = None
        self.shown = "Unknown"
        self.ajar = None
        self.alarm, self.warning = "Normal", "Normal"
        self.seen = {"lock": None, "double": None}
        self.jam = {"lock": False, "double": False}
        self.waiting: list[str] = []
        self.limits = (0, 0)
        self.log: list[tuple[str, str, bool]] = []
        self.sent = {"lock": not self.is_open(), "double": self.wanted() == "DoubleLock"}

    # tables

    def wanted(self) -> str:
        """The action of the highest level that asks for one."""
        action = next((found for found in self.table.values() if found != "Release"), "Lock")
        return "Lock" if action == "DoubleLock" and not self.two else action

    def free(self) -> bool:
        return any(row(self) for row in FREE)

    def is_open(self) -> bool:
        return any(row(self) for row in OPEN)

    def lock_state(self, which: str) -> str:
        """Where a lock is, as far as anyone knows."""
        monitored, seen = self._lock(which).monitored, self.seen[which]
        rows = (
            ("Fault", monitored and (self.jam[which] or seen == "fault")),
            ("Unknown", monitored and seen is None),
            ("Locked", monitored and seen == "locked"),
            ("Unlocked", monitored),
            ("Unknown", which in self.timers),
            ("Locked", self.sent[which]),
            ("Unlocked", True),
        )
        return next(word for word, holds in rows if holds)

    def told(self) -> dict[str, Any]:
        """Every state."""
        faults = tuple(name for name, holds in FAULTS if holds(self))
        bad = self.wire in ("short", "cut")
        return {
            "mode": next(word for word, holds in MODE if holds(self)),
            "door": self.shown,
            "lock": self.lock_state("lock"),
            "double_lock": self.lock_state("double") if self.two else None,
            "alarm": self.alarm,
            "warning": self.warning,
            "tamper": "TamperDetected" if bad else "NotInTamper",
            "tamper_reason": str(self.wire).capitalize() if bad else "",
            "fault": "FaultDetected" if faults else "NotInFault",
            "fault_reasons": faults,
        }

    # inputs

    def wait(self, now: int) -> None:
        """Time passes."""
        while self.timers and min(self.timers.values()) <= now:
            at = min(self.timers.values())
            free = self.free()
            for name in [name for name, due in self.timers.items() if due == at]:
                self.timers.pop(name, None)
                self._rang(name)
            self._follow(at, free)

    def monitor(self, wire: str, now: int) -> None:
        self.wait(now)
        if not self.watched:
            return
        free = self.free()
        self.wire = wire
        opens = "open" if self.hardware.monitor.value_when_open.endswith("Open") else "closed"
        self.shown = "Fault" if wire in ("short", "cut") else "Open" if wire == opens else "Closed"
        if self.shown == "Closed":
            if self.ajar and "access" in self.timers:
                self._drop_access()
            self.ajar = False
            self._calm()
        elif self.shown == "Open" and not self.ajar:
            self._opening(now)
        self._follow(now, free)

    def lock_monitor(self, value: str, now: int, which: str) -> None:
        self.wait(now)
        lock = self._lock(which)
        if lock.monitored:
            free = self.free()
            words = {lock.monitor_when_locked: "locked", lock.monitor_when_unlocked: "unlocked"}
            self.seen[which] = words.get(value, "fault")  # type: ignore[call-overload]
            self._arrive(which)
            self._follow(now, free)

    def press(self, pressed: bool, now: int, request: str) -> None:
        self.wait(now)
        if not self.up:
            return
        free = self.free()
        if not pressed:
            self.rex, self.may_rex = False, True
        elif self.may_rex and not self.rex:
            self.rex = True
            if free:
                self.log += [("taken", request, bool(self.ajar))]
            else:
                if "access" not in self.timers:
                    self.limits = (self.door.open_too_long_ms, self.door.pre_alarm_ms)
                self._let(("access", "unlock"), now + self.door.access_ms * MS, request)
        self._follow(now, free)

    def line(self, up: bool, now: int) -> None:
        self.wait(now)
        if up == self.up:
            return
        free = self.free()
        self.up, self.rex, self.may_rex = up, False, False
        self._drop_access()
        if not up:
            self.wire, self.shown = None, "Unknown"
            for which in ("lock", "double"):
                if self._lock(which).monitored:
                    self.seen[which] = None
        self._follow(now, free)
        if up:
            self.log.append(("lock", "", self.sent["lock"]))
            self.log += [("double_lock", "", self.sent["double"])] if self.two else []

    def schedule(self, level: str, action: str, now: int) -> None:
        self.wait(now)
        free = self.free()
        self.table[level or self.default] = action  # type: ignore[assignment]
        self._follow(now, free)

    def set(self, level: str, action: str, now: int) -> None:
        """A command at a priority level."""
        self.wait(now)
        if self.hold:
            raise RefusedError(self.hold)
        free = self.free()
        level = level or self.default
        self.table[level] = action  # type: ignore[assignment]
        speaks = next((name for name, found in self.table.items() if found != "Release"), None)
        if action != "Release" and speaks == level:
            self._drop_access()
        self._follow(now, free)

    def keep(self, hold: str, now: int) -> None:
        """Lock-down or lock-open."""
        self.wait(now)
        if self.hold:
            raise RefusedError(self.hold)
        free = self.free()
        self.hold = hold
        self._drop_access()
        self._follow(now, free)

    def unkeep(self, hold: str, now: int) -> None:
        self.wait(now)
        if self.hold != hold:
            raise RefusedError(hold)
        free = self.free()
        self.hold = ""
        self._follow(now, free)

    def access(self, now: int, request: str, *, unlock: bool, extended: bool, ms: int | None, long: int | None) -> None:
        self.wait(now)
        if self.hold or self.wanted() in ("Block", "DoubleLock") or not self.up:
            raise RefusedError(self.wanted())
        free = self.free()
        usual = (self.door.extended_access_ms, self.door.extended_open_too_long_ms)
        if not extended:
            usual = (self.door.access_ms, self.door.open_too_long_ms)
        last = usual[0] if ms is None else sorted((100, ms, WEEK_MS))[1]
        self.limits = (usual[1] if long is None else sorted((0, long, WEEK_MS))[1], self.door.pre_alarm_ms)
        self._calm()
        if self.ajar and not free:
            self._allow_open(now, self.limits)
        self._let(("access", "unlock") if unlock else ("access",), now + last * MS, request)
        self._follow(now, free)

    # inside

    def _lock(self, which: str) -> LockConfiguration:
        return self.hardware.lock if which == "lock" else self.hardware.double_lock

    def _rang(self, name: str) -> None:
        if name == "access":
            self._drop_waiting(False)
        elif name == "warn":
            self.warning = "DoorOpenTooLongWarn"
        elif name == "long":
            self.alarm, self.warning = "DoorOpenTooLong", "Normal"
            self.timers.pop("warn", None)
        elif name in ("lock", "double") and self._lock(name).monitored:
            other = "unlocked" if self.sent[name] else "locked"
            self.jam[name] = self.seen[name] == other

    def _opening(self, now: int) -> None:
        fine, accessed = any(row(self) for row in ALLOWED), "access" in self.timers
        self.ajar = True
        self._drop_waiting(fine)
        if not fine:
            self.alarm = "DoorForcedOpen"
            return
        if accessed and self.hardware.lock.lock_when_door_opens:
            self.timers.pop("unlock", None)
        if not self.free():
            self._allow_open(now, self.limits if accessed else (self.door.open_too_long_ms, self.door.pre_alarm_ms))

    def _allow_open(self, now: int, limits: tuple[int, int]) -> None:
        long, warn = limits
        if long:
            self.timers["long"] = now + long * MS
            self.timers.pop("warn", None)
            if 0 < warn < long:
                self.timers["warn"] = now + (long - warn) * MS

    def _calm(self) -> None:
        self.alarm = self.warning = "Normal"
        self.timers.pop("warn", None)
        self.timers.pop("long", None)

    def _let(self, names: tuple[str, ...], until: int, request: str) -> None:
        for name in names:
            self.timers[name] = max(until, self.timers.get(name, 0))
        if self.ajar or not self.watched:
            self.log.append(("taken", request, True))
        else:
            self.waiting.append(request)

    def _drop_access(self) -> None:
        self.timers.pop("access", None)
        self.timers.pop("unlock", None)
        self._drop_waiting(False)

    def _drop_waiting(self, taken: bool) -> None:
        self.log += [("taken", request, taken) for request in self.waiting]
        self.waiting = []

    def _arrive(self, which: str) -> None:
        if self._lock(which).monitored and self.seen[which] == ("locked" if self.sent[which] else "unlocked"):
            self.timers.pop(which, None)
            self.jam[which] = False

    def _follow(self, now: int, was_free: bool) -> None:
        """Masks and locks follow from the facts."""
        if self.free() and not was_free:
            self._calm()
        if was_free and not self.free() and self.ajar:
            usual = (self.door.open_too_long_ms, self.door.pre_alarm_ms)
            self._allow_open(now, self.limits if "access" in self.timers else usual)
        goals = {"lock": not self.is_open(), "double": self.wanted() == "DoubleLock" and not self.is_open()}
        for which, goal in goals.items():
            if self.sent[which] != goal:
                lock = self._lock(which)
                self.sent[which], self.jam[which] = goal, False
                self.timers[which] = now + (lock.bolt_in_ms if goal else lock.bolt_out_ms) * MS
                self._arrive(which)
                self.log.append(("double_lock" if which == "double" else "lock", "", goal))
