"""A door with its lock, its second lock and its monitor, as a state machine (VAPIX *Door control service*; ONVIF Door
Control; manuals: Door connector, Door relay connector).

Sans-I/O and immutable: every input gives a new ``DoorMachine`` and what came of it, in order: ``LockCommand`` for the
relays, ``Change`` of a state that is told, ``Outcome`` of a granted access. Times are nanoseconds of a monotonic clock;
``next_deadline`` says when ``advance`` has something to do, and every input brings the door up to its own time first.

What the door is asked for comes from four places, the strongest first:

1. a request to exit: opens, whatever else is asked, and never clears an alarm;
2. lock-down and lock-open: until they are released, every other command is refused;
3. an access: until its time or until the door has closed;
4. the priority levels: the first that does not say *Release*, set by commands and by schedules. A command that takes
   effect ends an access; a schedule or a release changes what the door returns to.

A link that is lost or comes back opens nothing: an access ends with it, and a request to exit counts only after the
input was seen at rest again. What is kept over a restart is ``Snapshot``; an access is not.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from axcore.devices.bolt import MS, Bolt, Seen
from axcore.devices.door_parts import (
    MODES,
    TOLD,
    Change,
    Claim,
    Hold,
    LockCommand,
    Outcome,
    Output,
    Setup,
    Snapshot,
    Timing,
    Which,
)
from axcore.errors import ConflictError, NotFoundError
from axcore.model.doors import (
    MIN_ACCESS_MS,
    ClaimReason,
    Door,
    DoorAction,
    DoorAlarm,
    DoorMode,
    DoorState,
    DoorWarning,
    InputValue,
    LineState,
    PhysicalState,
)
from axcore.model.durations import MAX_MS


class DoorMachine(msgspec.Struct, frozen=True):
    """The door. Make one with ``start``."""

    setup: Setup
    lock: Bolt
    double: Bolt
    claims: tuple[Claim, ...]
    hold: Hold | None = None
    access_until: int | None = None
    unlock_until: int | None = None
    """An access without unlock has none."""
    timing: Timing = Timing(0, 0)
    """Of the access."""
    rex: bool = False
    rex_armed: bool = True
    """False: the input must be seen at rest before it counts again."""
    door: PhysicalState = "Unknown"
    line: LineState | None = None
    was_open: bool | None = None
    """The last that was known for sure."""
    alarm: DoorAlarm = "Normal"
    warning: DoorWarning = "Normal"
    warn_at: int | None = None
    too_long_at: int | None = None
    link: bool = True
    pending: tuple[str, ...] = ()
    """Accesses that nobody has used yet."""

    # what is asked for

    @property
    def effective(self) -> Claim | None:
        """The priority level that counts; None = all are released."""
        return next((claim for claim in self.claims if claim.action != "Release"), None)

    @property
    def base(self) -> DoorMode:
        """The mode by priority levels alone."""
        claim = self.effective
        mode = "Locked" if claim is None else MODES[claim.action]
        return "Locked" if mode == "DoubleLocked" and not self.setup.has_double else mode

    @property
    def released(self) -> bool:
        """Anyone may pass: alarms are masked."""
        return self.hold == "LockedOpen" or (self.hold is None and self.base == "Unlocked")

    @property
    def opening(self) -> bool:
        """The lock is asked to be open."""
        return self.rex or self.unlock_until is not None or self.released

    @property
    def mode(self) -> DoorMode:
        """The mode that is told."""
        if self.hold is not None:
            return self.hold
        base = self.base
        if base != "Blocked" and (self.access_until is not None or (self.rex and base != "Unlocked")):
            return "Accessed"
        if base == "Unlocked" and not self.double.locked and self.double.moving_until is not None:
            return "Locked"  # from DoubleLocked by way of Locked
        return base

    @property
    def state(self) -> DoorState:
        """Everything that is told."""
        hardware, cut = self.setup.hardware, self.line in ("short", "cut")
        reasons = (
            ("DoorMonitorFault", cut),
            ("LockFault", self.lock.jammed),
            ("LockMonitorFault", "fault" in (self.lock.seen, self.double.seen)),
            ("DoubleLockFault", self.double.jammed),
            ("LinkFault", not self.link),
        )
        faults = tuple(name for name, holds in reasons if holds)
        return DoorState(
            mode=self.mode,
            door=self.door,
            lock=self.lock.physical(hardware.lock),
            double_lock=self.double.physical(hardware.double_lock) if self.setup.has_double else None,
            alarm=self.alarm,
            warning=self.warning,
            tamper="TamperDetected" if cut else "NotInTamper",
            tamper_reason=(self.line or "").capitalize() if cut else "",
            fault="FaultDetected" if faults else "NotInFault",
            fault_reasons=faults,
        )

    @property
    def snapshot(self) -> Snapshot:
        """What to store. It changes with a command, an alarm, an opening; not with time alone."""
        return Snapshot(self.claims, self.hold, self.alarm, self.was_open, self.pending)

    # time

    def next_deadline(self) -> int | None:
        """When something is due by itself."""
        times = (
            self.lock.moving_until, self.double.moving_until, self.unlock_until, self.access_until, self.warn_at,
            self.too_long_at,
        )  # fmt: skip
        return min((time for time in times if time is not None), default=None)

    def advance(self, now: int) -> tuple[DoorMachine, list[Output]]:
        """Let time pass: everything that was due until ``now``, each at its own time."""
        door, outputs = self, []
        while (due := door.next_deadline()) is not None and due <= now:
            door, more = door._finish(*door._expired(due), due)
            outputs += more
        return door, outputs

    def _expired(self, now: int) -> tuple[DoorMachine, list[Output]]:
        hardware, outcomes = self.setup.hardware, []
        changes: dict[str, object] = {
            "lock": self.lock.advanced(now, hardware.lock),
            "double": self.double.advanced(now, hardware.double_lock),
        }
        if self.unlock_until is not None and self.unlock_until <= now:
            changes["unlock_until"] = None
        if self.access_until is not None and self.access_until <= now:
            changes.update(access_until=None, pending=())
            outcomes = _outcomes(self.pending, False)
        if self.warn_at is not None and self.warn_at <= now:
            changes.update(warn_at=None, warning="DoorOpenTooLongWarn")
        if self.too_long_at is not None and self.too_long_at <= now:
            changes.update(too_long_at=None, warn_at=None, warning="Normal", alarm="DoorOpenTooLong")
        return _replaced(self, **changes), outcomes

    # inputs

    def on_monitor(self, line: LineState, now: int) -> tuple[DoorMachine, list[Output]]:
        """The door monitor's circuit is in another state (or says again in which)."""
        door, outputs = self.advance(now)
        if not door.setup.has_monitor:
            return door, outputs
        physical = door.setup.hardware.monitor.physical(line)
        after = _replaced(door, door=physical, line=line)
        more: list[Output] = []
        if physical == "Open" and door.was_open is not True:
            after, more = after._opened(now)
        elif physical == "Closed":
            after, more = after._closed()
        return _joined(outputs, after._finish_from(door, more, now))

    def on_lock_monitor(
        self, value: InputValue | Literal["short", "cut"], now: int, which: Which = "lock"
    ) -> tuple[DoorMachine, list[Output]]:
        """A lock monitor shows ``value``. What is neither of the configured values is a fault of its line."""
        door, outputs = self.advance(now)
        hardware = door.setup.hardware
        lock = hardware.lock if which == "lock" else hardware.double_lock
        known: dict[str, Seen] = {lock.monitor_when_locked: "locked", lock.monitor_when_unlocked: "unlocked"}
        bolt = (door.lock if which == "lock" else door.double).reported(known.get(value, "fault"), lock)
        after = _replaced(door, lock=bolt) if which == "lock" else _replaced(door, double=bolt)
        return _joined(outputs, after._finish_from(door, [], now))

    def on_rex(self, active: bool, now: int, request: str = "") -> tuple[DoorMachine, list[Output]]:
        """Request to exit pressed or let go: the door opens for its access time, and as long as it is pressed."""
        door, outputs = self.advance(now)
        if not door.link:
            return door, outputs
        if not active:
            return _joined(outputs, _replaced(door, rex=False, rex_armed=True)._finish_from(door, [], now))
        if not door.rex_armed or door.rex:
            return door, outputs
        if door.released:
            open_already = _outcomes((request,) if request else (), bool(door.was_open))
            return _joined(outputs, _replaced(door, rex=True)._finish_from(door, open_already, now))
        setup = door.setup.door
        until = now + setup.access_ms * MS
        timing = door.timing if door.access_until is not None else _timing(setup)
        after, more = _replaced(
            door, rex=True, timing=timing, access_until=_later(door.access_until, until),
            unlock_until=_later(door.unlock_until, until),
        )._waits_for(request)  # fmt: skip
        return _joined(outputs, after._finish_from(door, more, now))

    def on_link(self, up: bool, now: int) -> tuple[DoorMachine, list[Output]]:
        """The line to the door's hardware is lost, or there again. Locks are told their state anew; none opens."""
        door, outputs = self.advance(now)
        if up == door.link:
            return door, outputs
        hardware = door.setup.hardware
        after, more = _replaced(door, link=up, rex=False, rex_armed=False)._ended()
        if not up:
            after = _replaced(
                after, door="Unknown", line=None, lock=after.lock.reported(None, hardware.lock),
                double=after.double.reported(None, hardware.double_lock),
            )  # fmt: skip
        after, more = after._finish_from(door, more, now)
        return after, outputs + more + (after.lock_commands() if up else [])

    def on_schedule(self, level: str, action: DoorAction, now: int) -> tuple[DoorMachine, list[Output]]:
        """A schedule has become active that has this action. NotFoundError for an unknown level."""
        door, outputs = self.advance(now)
        return _joined(outputs, door._claimed(level, action, "Schedule")._finish_from(door, [], now))

    # commands: ConflictError when they cannot be carried out, NotFoundError for an unknown level

    def access(
        self,
        now: int,
        request: str = "",
        *,
        unlock: bool = True,
        extended: bool = False,
        access_ms: int | None = None,
        open_too_long_ms: int | None = None,
        pre_alarm_ms: int | None = None,
    ) -> tuple[DoorMachine, list[Output]]:
        """Make the door accessible for its access time (``AccessDoor``); never shorter than it is already.

        Without ``unlock`` the lock stays as it is, and an opening is no alarm (``AccessDoorWithoutUnlock``). Times that
        are out of range are brought into it. ``request`` comes back in an ``Outcome``.
        """
        door, outputs = self.advance(now)
        if (why := door._refuses_access()) is not None:
            raise ConflictError("DoorMode", why)
        setup = door.setup.door
        usual = setup.extended_access_ms if extended else setup.access_ms
        ms = usual if access_ms is None else min(max(access_ms, MIN_ACCESS_MS), MAX_MS)
        timing = _timing(setup, extended)
        timing = Timing(
            timing.open_too_long if open_too_long_ms is None else min(max(open_too_long_ms, 0), MAX_MS),
            timing.pre_alarm if pre_alarm_ms is None else min(max(pre_alarm_ms, 0), MAX_MS),
        )
        until = now + ms * MS
        after = _replaced(
            door, timing=timing, access_until=_later(door.access_until, until),
            unlock_until=_later(door.unlock_until, until) if unlock else door.unlock_until,
        )  # fmt: skip
        after, more = after._unmasked(now, timing)._waits_for(request)
        return _joined(outputs, after._finish_from(door, more, now))

    def access_without_unlock(self, now: int, request: str = "") -> tuple[DoorMachine, list[Output]]:
        """``AccessDoorWithoutUnlock``: the door may be opened by hand."""
        return self.access(now, request, unlock=False)

    def lock_door(self, now: int, level: str = "") -> tuple[DoorMachine, list[Output]]:
        """``LockDoor``."""
        return self._command(level, "Lock", now)

    def unlock_door(self, now: int, level: str = "") -> tuple[DoorMachine, list[Output]]:
        """``UnlockDoor``: until told otherwise."""
        return self._command(level, "Unlock", now)

    def block(self, now: int, level: str = "") -> tuple[DoorMachine, list[Output]]:
        """``BlockDoor``: locked, and access is refused."""
        return self._command(level, "Block", now)

    def double_lock(self, now: int, level: str = "") -> tuple[DoorMachine, list[Output]]:
        """``DoubleLockDoor``: the second lock too; without one, the same as ``lock_door``."""
        return self._command(level, "DoubleLock", now)

    def release(self, now: int, level: str = "") -> tuple[DoorMachine, list[Output]]:
        """``ReleaseDoor``: the level asks for nothing any more."""
        return self._command(level, "Release", now)

    def lockdown(self, now: int) -> tuple[DoorMachine, list[Output]]:
        """``LockDownDoor``."""
        return self._held("LockedDown", now)

    def lockopen(self, now: int) -> tuple[DoorMachine, list[Output]]:
        """``LockOpenDoor``."""
        return self._held("LockedOpen", now)

    def lockdown_release(self, now: int) -> tuple[DoorMachine, list[Output]]:
        """``LockDownReleaseDoor``: back to what the priority levels say."""
        return self._unheld("LockedDown", now)

    def lockopen_release(self, now: int) -> tuple[DoorMachine, list[Output]]:
        """``LockOpenReleaseDoor``: back to what the priority levels say."""
        return self._unheld("LockedOpen", now)

    def configured(self, setup: Setup, now: int) -> tuple[DoorMachine, list[Output]]:
        """With other settings; levels that stay keep what they ask for. Running times go on."""
        door, outputs = self.advance(now)
        kept = {claim.level: claim for claim in door.claims if claim.reason}
        claims = tuple(kept.get(claim.level, claim) for claim in _claims(setup))
        after = _replaced(door, setup=setup, claims=claims)
        if not setup.has_monitor:
            after = _replaced(
                after, door="Unknown", line=None, was_open=None, alarm="Normal", warning="Normal", warn_at=None,
                too_long_at=None,
            )  # fmt: skip
        after, more = after._finish_from(door, [], now)
        return after, outputs + more + after.lock_commands()

    def lock_commands(self) -> list[Output]:
        """What every lock has to do at present."""
        return [LockCommand(which, locked, output) for which, locked, output in _commanded(self)]

    # inside

    def _refuses_access(self) -> str | None:
        if self.hold is not None:
            return f"is {self.hold}: release it first"
        if self.base in ("Blocked", "DoubleLocked"):
            return f"is {self.base}: access is refused until the door is locked or unlocked"
        return None if self.link else "is not known: the link to the door is down"

    def _command(self, level: str, action: DoorAction, now: int) -> tuple[DoorMachine, list[Output]]:
        door, outputs = self.advance(now)
        if door.hold is not None:
            raise ConflictError("DoorMode", f"is {door.hold}: release it first")
        level = level or door.setup.default_level
        after = door._claimed(level, action, "API")
        more: list[Output] = []
        effective = after.effective
        if effective is not None and effective.level == level:
            after, more = after._ended()
        return _joined(outputs, after._finish_from(door, more, now))

    def _claimed(self, level: str, action: DoorAction, reason: ClaimReason) -> DoorMachine:
        level = level or self.setup.default_level
        if level not in {claim.level for claim in self.claims}:
            raise NotFoundError("PriorityLevel", f"the door has no level {level!r}")
        claims = [Claim(level, action, reason) if claim.level == level else claim for claim in self.claims]
        return _replaced(self, claims=tuple(claims))

    def _held(self, hold: Hold, now: int) -> tuple[DoorMachine, list[Output]]:
        door, outputs = self.advance(now)
        if door.hold is not None:
            raise ConflictError("DoorMode", f"is {door.hold}: release it first")
        after, more = _replaced(door, hold=hold)._ended()
        return _joined(outputs, after._finish_from(door, more, now))

    def _unheld(self, hold: Hold, now: int) -> tuple[DoorMachine, list[Output]]:
        door, outputs = self.advance(now)
        if door.hold != hold:
            raise ConflictError("DoorMode", f"is {door.mode}, not {hold}")
        return _joined(outputs, _replaced(door, hold=None)._finish_from(door, [], now))

    def _ended(self) -> tuple[DoorMachine, list[Output]]:
        """Without its access."""
        after = _replaced(self, access_until=None, unlock_until=None, pending=())
        return after, _outcomes(self.pending, False)

    def _waits_for(self, request: str) -> tuple[DoorMachine, list[Output]]:
        """An access was granted: it is used when the door opens, or is open, or nobody could tell."""
        if not request:
            return self, []
        if self.was_open or not self.setup.has_monitor:
            return self, _outcomes((request,), True)
        return _replaced(self, pending=(*self.pending, request)), []

    def _opened(self, now: int) -> tuple[DoorMachine, list[Output]]:
        """The door has opened; was that allowed?"""
        accessed = self.access_until is not None
        closing = self.lock.locked and self.lock.moving_until is not None
        allowed = self.opening or accessed or closing or self.was_open is None
        after = _replaced(self, was_open=True, pending=())
        if not allowed:
            return _replaced(after, alarm="DoorForcedOpen"), _outcomes(self.pending, False)
        if accessed and self.setup.hardware.lock.lock_when_door_opens:
            after = _replaced(after, unlock_until=None)
        if not self.released:
            after = after._timed(now, self.timing if accessed else _timing(self.setup.door))
        return after, _outcomes(self.pending, True)

    def _closed(self) -> tuple[DoorMachine, list[Output]]:
        """The door has closed: an access is over, alarms are too."""
        after, outcomes = self._ended() if self.was_open and self.access_until is not None else (self, [])
        return _replaced(
            after, was_open=False, alarm="Normal", warning="Normal", warn_at=None, too_long_at=None
        ), outcomes

    def _unmasked(self, now: int, timing: Timing) -> DoorMachine:
        """An authorised person is there: no alarm any more, and the door may stay open from now on."""
        after = _replaced(self, alarm="Normal", warning="Normal", warn_at=None, too_long_at=None)
        return after._timed(now, timing) if after.was_open and not after.released else after

    def _timed(self, now: int, timing: Timing) -> DoorMachine:
        if not timing.open_too_long:
            return self
        until = now + timing.open_too_long * MS
        warn = until - timing.pre_alarm * MS if 0 < timing.pre_alarm < timing.open_too_long else None
        return _replaced(self, too_long_at=until, warn_at=warn)

    def _finish_from(self, before: DoorMachine, outcomes: list[Output], now: int) -> tuple[DoorMachine, list[Output]]:
        """Masks, locks, and what has changed since ``before``."""
        after, hardware = self, self.setup.hardware
        if after.released and not before.released:
            after = _replaced(after, alarm="Normal", warning="Normal", warn_at=None, too_long_at=None)
        elif before.released and not after.released and after.was_open:
            usual = _timing(after.setup.door)
            after = after._timed(now, usual if after.access_until is None else after.timing)
        double = after.base == "DoubleLocked" and not after.opening
        lock_bolt = after.lock.sent(not after.opening, now, hardware.lock)
        double_bolt = after.double.sent(double, now, hardware.double_lock)
        after = _replaced(after, lock=lock_bolt, double=double_bolt)
        commands = [
            LockCommand(*new) for old, new in zip(_commanded(before), _commanded(after), strict=False) if old != new
        ]
        return after, [*commands, *outcomes, *_changes(before.state, after.state)]

    def _finish(self, after: DoorMachine, outcomes: list[Output], now: int) -> tuple[DoorMachine, list[Output]]:
        return after._finish_from(self, outcomes, now)


def start(setup: Setup, now: int, snapshot: Snapshot | None = None) -> tuple[DoorMachine, list[Output]]:
    """A door at start: locks are told their state, monitors have not reported yet. An access has not outlived it."""
    kept = snapshot or Snapshot()
    claims = {claim.level: claim for claim in kept.claims if claim.reason}
    door = DoorMachine(
        setup=setup,
        lock=Bolt(True),
        double=Bolt(False),
        claims=tuple(claims.get(claim.level, claim) for claim in _claims(setup)),
        hold=kept.hold,
        alarm=kept.alarm if setup.has_monitor else "Normal",
        was_open=True if kept.was_open and setup.has_monitor else None,
    )
    if door.released:
        door = _replaced(door, alarm="Normal")
    door = _replaced(door, lock=Bolt(not door.opening), double=Bolt(door.base == "DoubleLocked" and not door.opening))
    if door.was_open and door.alarm == "Normal" and not door.released:
        door = door._timed(now, _timing(setup.door))
    return door, [*door.lock_commands(), *_outcomes(kept.pending, False)]


def _claims(setup: Setup) -> tuple[Claim, ...]:
    return tuple(Claim(entry.level, entry.action) for entry in setup.priorities.actions)


def _timing(door: Door, extended: bool = False) -> Timing:
    return Timing(door.extended_open_too_long_ms if extended else door.open_too_long_ms, door.pre_alarm_ms)


def _later(held: int | None, until: int) -> int:
    return until if held is None else max(held, until)


def _outcomes(requests: tuple[str, ...], taken: bool) -> list[Output]:
    return [Outcome(request, taken) for request in requests]


def _joined(outputs: list[Output], result: tuple[DoorMachine, list[Output]]) -> tuple[DoorMachine, list[Output]]:
    return result[0], outputs + result[1]


def _commanded(door: DoorMachine) -> list[tuple[Which, bool, str]]:
    hardware = door.setup.hardware
    found: list[tuple[Which, bool, str]] = [("lock", door.lock.locked, hardware.lock.output(door.lock.locked))]
    if door.setup.has_double:
        found.append(("double_lock", door.double.locked, hardware.double_lock.output(door.double.locked)))
    return found


def _changes(before: DoorState, after: DoorState) -> list[Output]:
    changes: list[Output] = []
    for what in TOLD:
        value, reason, was = getattr(after, what), "", ""
        if what == "tamper":
            reason, was = after.tamper_reason, before.tamper_reason
        elif what == "fault":
            reason, was = " ".join(after.fault_reasons), " ".join(before.fault_reasons)
        if value is not None and (value != getattr(before, what) or reason != was):
            changes.append(Change(what, value, reason))
    return changes


_replaced = msgspec.structs.replace
