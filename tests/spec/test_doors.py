"""What the door control service (VAPIX *Door control service*, ONVIF Door Control) says of a door, sentence by
sentence. Sections are named in each test."""

from __future__ import annotations

import pytest

from axcore.errors import ConflictError, InputError, NotFoundError
from axcore.model.doors import (
    DoorSchedule,
    DoorScheduleConfiguration,
    PriorityAction,
    PriorityConfiguration,
    ScheduledState,
    check_priorities,
    check_schedules,
)
from axcore.model.pacs import DEFAULT_SCHEDULES
from axcore.services.pacs.calendar import calendars, scheduled
from axcore.services.pacs.events import door_announcements, door_events
from axcore.testing.doors import Bench

DOUBLE = {"double_lock": {"type": "Relay"}}
SUPERVISED = {"monitor": {"value_when_open": "Supervised Open", "value_when_closed": "Supervised Ground"}}
MONITORED = {"monitor_when_locked": "Input Ground", "monitor_when_unlocked": "Input Open"}


# --- VAPIX Door control service: Door data structure ------------------------------------------------------------------


def test_access_time_is_how_long_the_door_remains_unlocked() -> None:
    """Door data structure: ``AccessTime``; ten seconds as delivered."""
    door = Bench()
    door.do("access")
    assert (door.mode, door.locked) == ("Accessed", False)
    door.wait(9.999)
    assert (door.mode, door.locked) == ("Accessed", False)
    door.wait(0.001)
    assert (door.mode, door.locked) == ("Locked", True)


def test_the_alarm_comes_when_the_door_is_still_open() -> None:
    """Door data structure: ``OpenTooLongTime``: DoorAlarm if the door is still open then; once, and its end."""
    door = Bench(open_too_long_ms=20_000, pre_alarm_ms=5_000)
    door.do("access")
    door.wait(2)
    door.open()
    door.wait(19.999)
    assert door.alarm == "Normal"
    door.wait(0.001)
    assert door.alarm == "DoorOpenTooLong"
    door.wait(1000)
    door.closed()
    assert door.told("alarm") == ["DoorOpenTooLong", "Normal"]


def test_the_warning_comes_before_by_the_pre_alarm_time() -> None:
    """Door data structure: ``PreAlarmTime`` before OpenTooLongTime a DoorWarning is sent."""
    door = Bench(open_too_long_ms=20_000, pre_alarm_ms=5_000)
    door.do("access")
    door.open()
    door.wait(14.999)
    assert door.told("warning") == []
    door.wait(0.001)
    assert door.told("warning") == ["DoorOpenTooLongWarn"]
    door.wait(5)
    assert door.told("warning") == ["DoorOpenTooLongWarn", "Normal"]
    quick = Bench(open_too_long_ms=20_000, pre_alarm_ms=5_000)
    quick.do("access")
    quick.open()
    quick.wait(14)
    quick.closed()
    quick.wait(100)
    assert quick.told("warning") == quick.told("alarm") == []


def test_extended_times() -> None:
    """AccessDoor: ``UseExtendedTime`` takes the extended times; times of the call override both."""
    door = Bench(extended_access_ms=30_000, extended_open_too_long_ms=60_000, pre_alarm_ms=0)
    door.do("access", extended=True)
    door.wait(29.9)
    assert door.mode == "Accessed"
    door.open()
    door.wait(59.9)
    assert (door.mode, door.alarm) == ("Locked", "Normal")
    door.wait(0.1)
    assert door.alarm == "DoorOpenTooLong"
    own = Bench()
    own.do("access", access_ms=2_000, open_too_long_ms=3_000, pre_alarm_ms=1_000)
    own.open()
    own.wait(2)
    assert (own.mode, own.told("warning")) == ("Locked", ["DoorOpenTooLongWarn"])
    own.wait(1)
    assert own.alarm == "DoorOpenTooLong"


def test_times_out_of_range_are_limited() -> None:
    """AccessDoor: best effort, the closest supported time."""
    door = Bench()
    door.do("access", access_ms=0)
    assert door.mode == "Accessed"
    door.wait(0.1)
    assert door.mode == "Locked"
    door.do("access", access_ms=10**12)
    assert door.machine.next_deadline() is not None
    door.wait(8 * 86_400)
    assert door.mode == "Locked"


# --- Unlock the door, door states -------------------------------------------------------------------------------------


def test_unlock_lasts_until_told_otherwise_and_masks_alarms() -> None:
    """Unlock the door; DoorMode Unlocked: alarms of timing are masked."""
    door = Bench()
    door.do("unlock_door")
    door.open()
    door.wait(100_000)
    assert (door.mode, door.alarm, door.locked) == ("Unlocked", "Normal", False)
    door.do("lock_door")
    assert (door.mode, door.locked, door.alarm) == ("Locked", True, "Normal")
    door.wait(30)
    assert door.alarm == "DoorOpenTooLong", "it has stood open since it was locked"


def test_access_ends_when_the_door_has_closed() -> None:
    """AccessDoor: locked again when closed, or when AccessTime is over."""
    door = Bench()
    door.do("access")
    door.open()
    assert not door.locked
    door.closed()
    assert (door.mode, door.locked) == ("Locked", True)


def test_access_returns_to_the_previous_state() -> None:
    """AccessDoor: DoorMode changes back to its previous state."""
    door = Bench()
    door.do("unlock_door")
    door.do("access")
    assert door.mode == "Accessed"
    door.wait(10)
    assert (door.mode, door.locked) == ("Unlocked", False)


def test_unlock_keeps_an_accessed_door_unlocked() -> None:
    """Door states, Accessed: UnlockDoor is possible to keep the door unlocked."""
    door = Bench()
    door.do("access")
    door.do("unlock_door")
    door.wait(100)
    assert (door.mode, door.locked) == ("Unlocked", False)


def test_access_without_unlock_lets_a_hand_open() -> None:
    """AccessDoorWithoutUnlock: no unlocking, and no DoorForcedOpen when the door is opened while access is granted."""
    door = Bench()
    door.do("access_without_unlock", "request 1")
    assert (door.mode, door.locked) == ("Accessed", True)
    door.open()
    assert (door.alarm, door.outcomes()) == ("Normal", [("request 1", True)])
    late = Bench()
    late.do("access_without_unlock", "request 2")
    late.wait(10)
    late.open()
    assert (late.alarm, late.outcomes()) == ("DoorForcedOpen", [("request 2", False)])


def test_blocked_refuses_access() -> None:
    """Door states: Blocked is locked, and AccessDoor is prevented."""
    door = Bench()
    door.do("block")
    assert (door.mode, door.locked) == ("Blocked", True)
    for command in ("access", "access_without_unlock"):
        with pytest.raises(ConflictError, match="DoorMode: is Blocked"):
            door.do(command)
    door.do("unlock_door")
    assert door.mode == "Unlocked"


@pytest.mark.parametrize(
    ("hold", "mode", "locked"), [("lockdown", "LockedDown", True), ("lockopen", "LockedOpen", False)]
)
def test_lock_down_and_lock_open_refuse_everything_but_their_release(hold: str, mode: str, locked: bool) -> None:
    """Door states: all other attempts to change the state give an error to the caller."""
    door = Bench(**DOUBLE)
    door.do(hold)
    commands = ("access", "lock_door", "unlock_door", "block", "double_lock", "release", "lockdown", "lockopen")
    other = "lockopen_release" if hold == "lockdown" else "lockdown_release"
    for command in (*commands, other):
        before = door.machine
        with pytest.raises(ConflictError, match=mode):
            door.do(command)
        assert door.machine is before
        assert (door.mode, door.locked) == (mode, locked)
    door.do(f"{hold}_release")
    assert (door.mode, door.locked) == ("Locked", True)
    with pytest.raises(ConflictError, match=f"not {mode}"):
        door.do(f"{hold}_release")


def test_release_of_a_hold_goes_back_to_the_previous_state() -> None:
    """LockDownReleaseDoor, LockOpenReleaseDoor: back to the previous or next state."""
    door = Bench()
    door.do("unlock_door")
    door.do("lockdown")
    assert door.locked
    door.do("lockdown_release")
    assert (door.mode, door.locked) == ("Unlocked", False)
    door.do("lockopen")
    door.do("on_schedule", "", "Block")
    assert door.mode == "LockedOpen"
    door.do("lockopen_release")
    assert (door.mode, door.locked) == ("Blocked", True)


def test_double_locked_locks_the_secondary_lock_and_unlocks_by_way_of_locked() -> None:
    """Door states: DoubleLocked; UnlockDoor moves through Locked. DoorMode: no access at night."""
    door = Bench(**DOUBLE)
    door.do("double_lock")
    assert door.mode == "DoubleLocked"
    assert door.machine.double.locked
    with pytest.raises(ConflictError, match="DoubleLocked"):
        door.do("access")
    door.do("unlock_door")
    assert door.mode == "Locked"
    assert not door.machine.double.locked
    door.wait(0.7)
    assert door.mode == "Unlocked"


def test_without_a_double_lock_it_is_locked() -> None:
    """DoorMode DoubleLocked: a door that has no double lock treats it as Locked."""
    door = Bench()
    door.do("double_lock")
    assert door.mode == "Locked"
    assert door.machine.state.double_lock is None
    door.do("access")
    assert door.mode == "Accessed"


# --- alarms -----------------------------------------------------------------------------------------------------------


def test_forced_open_only_when_nobody_released_the_door() -> None:
    """DoorAlarm: DoorForcedOpen, and Normal again when the door has closed."""
    door = Bench()
    door.open()
    assert door.alarm == "DoorForcedOpen"
    door.wait(1000)
    assert door.told("alarm") == ["DoorForcedOpen"]
    door.closed()
    assert door.told("alarm") == ["DoorForcedOpen", "Normal"]


def test_a_request_to_exit_opens_whatever_the_mode_and_is_no_break_in() -> None:
    """Free egress: REX opens also a blocked or locked-down door; the mode is told unchanged."""
    for command, mode in (("lock_door", "Accessed"), ("block", "Blocked"), ("lockdown", "LockedDown")):
        door = Bench(**DOUBLE)
        door.do(command)
        door.do("on_rex", True, "exit")
        assert (door.mode, door.locked) == (mode, False)
        door.open()
        assert (door.alarm, door.outcomes()) == ("Normal", [("exit", True)])
        door.do("on_rex", False)
        door.closed()
        assert door.locked
    double = Bench(**DOUBLE)
    double.do("double_lock")
    double.do("on_rex", True)
    assert not double.machine.double.locked
    assert not double.locked


def test_a_held_request_to_exit_keeps_the_door_open() -> None:
    """Free egress: the access time begins with the press; a longer press lasts as long."""
    door = Bench()
    door.do("on_rex", True)
    door.wait(60)
    assert not door.locked
    door.do("on_rex", False)
    assert door.locked


def test_a_request_to_exit_clears_no_alarm() -> None:
    """An alarm ends with the door closed or with an authorised access; a motion sensor is neither."""
    door = Bench()
    door.open()
    door.do("on_rex", True)
    assert door.alarm == "DoorForcedOpen"
    door.do("access")
    assert door.alarm == "Normal"


def test_a_hand_on_the_door_while_the_bolt_moves_is_no_break_in() -> None:
    """BoltInTime: the lock may still be open while it locks."""
    door = Bench()
    door.do("access")
    door.wait(10.5)
    door.open()
    assert door.alarm == "Normal"


def test_a_break_in_behind_a_cut_line_is_told() -> None:
    """Supervised monitor: cut first, then opened."""
    door = Bench(**SUPERVISED)
    door.line("cut")
    door.line("open")
    assert door.alarm == "DoorForcedOpen"


# --- locks ------------------------------------------------------------------------------------------------------------


def test_lock_when_door_opens() -> None:
    """Lock.LockWhenDoorOpens: the lock locks when the door is opened, or stays unlocked."""
    door = Bench(lock={"lock_when_door_opens": True})
    door.do("access")
    door.open()
    assert (door.mode, door.locked) == ("Accessed", True)
    door.closed()
    assert door.mode == "Locked"
    free = Bench(lock={"lock_when_door_opens": True})
    free.do("unlock_door")
    free.open()
    assert not free.locked, "nobody asked for a lock"


def test_bolt_times_are_shortened_by_a_lock_monitor() -> None:
    """Lock.BoltOutTime, BoltInTime: the longest time; a lock monitor shortens it, and tells a bolt that is stuck."""
    plain = Bench()
    plain.do("unlock_door")
    assert plain.machine.state.lock == "Unknown"
    plain.wait(0.7)
    assert plain.machine.state.lock == "Unlocked"
    watched = Bench(lock=MONITORED)
    watched.do("on_lock_monitor", "Input Ground")
    assert watched.machine.state.lock == "Locked"
    watched.do("unlock_door")
    assert watched.machine.state.lock == "Locked"
    watched.do("on_lock_monitor", "Input Open")
    assert (watched.machine.state.lock, watched.machine.lock.moving_until) == ("Unlocked", None)
    watched.do("lock_door")
    watched.wait(0.7)
    state = watched.machine.state
    assert (state.lock, state.fault, state.fault_reasons) == ("Fault", "FaultDetected", ("LockFault",))
    watched.do("on_lock_monitor", "Input Ground")
    assert watched.machine.state.fault == "NotInFault"
    watched.do("on_lock_monitor", "cut")
    assert watched.machine.state.fault_reasons == ("LockMonitorFault",)


# --- priorities and schedules -----------------------------------------------------------------------------------------


def test_the_first_level_that_asks_for_something_counts() -> None:
    """Manage doors with priority levels: the highest action is in force; releasing it gives way to the next."""
    door = Bench(levels={"Highest": "Release", "Medium": "Release", "Lowest": "Lock"})
    assert door.mode == "Locked"
    door.do("unlock_door", "Medium")
    assert door.mode == "Unlocked"
    door.do("lock_door", "Lowest")
    assert door.mode == "Unlocked"
    door.do("block", "Highest")
    assert door.mode == "Blocked"
    door.do("release", "Highest")
    assert door.mode == "Unlocked"
    door.do("release", "Medium")
    assert door.mode == "Locked"
    assert [(claim.action, claim.reason) for claim in door.machine.claims] == [
        ("Release", "API"), ("Release", "API"), ("Lock", "API"),
    ]  # fmt: skip


def test_all_released_is_locked() -> None:
    """Manage doors with priority levels: if all actions are released the door falls back to Locked."""
    door = Bench(levels={"only": "Unlock"})
    assert door.mode == "Unlocked"
    door.do("release")
    assert (door.mode, door.locked) == ("Locked", True)


def test_the_default_level_is_used_when_none_is_named() -> None:
    """Setting a priority configuration: DefaultPriority; the door's own goes before."""
    levels = {"High": "Release", "Low": "Lock"}
    door = Bench(levels=levels, default_priority="High")
    door.do("unlock_door")
    assert [claim.action for claim in door.machine.claims] == ["Unlock", "Lock"]
    with pytest.raises(NotFoundError, match="PriorityLevel"):
        door.do("unlock_door", "Highest")


def test_an_emergency_unlock_overrides_a_schedule_until_it_is_released() -> None:
    """Door open within specific time period: API at High over Schedule at Normal, with their reasons."""
    door = Bench(levels={"High": "Release", "Normal": "Release"})
    door.do("on_schedule", "Normal", "Lock")
    door.do("unlock_door", "High")
    assert [(c.level, c.reason, c.action) for c in door.machine.claims] == [
        ("High", "API", "Unlock"), ("Normal", "Schedule", "Lock"),
    ]  # fmt: skip
    assert door.mode == "Unlocked"
    door.do("release", "High")
    assert door.mode == "Locked"


def test_a_schedule_does_not_cut_an_access_short() -> None:
    """A schedule changes what the door returns to."""
    door = Bench()
    door.do("access")
    door.do("on_schedule", "", "Lock")
    assert door.mode == "Accessed"
    door.do("lock_door")
    assert door.mode == "Locked", "a command does"


def test_the_first_active_schedule_gives_the_action() -> None:
    """Setting schedule configuration: the list is gone through in order, the first active one counts."""
    configuration = DoorScheduleConfiguration(
        token="s",
        schedules=(
            DoorSchedule(
                states=(
                    ScheduledState(enter_action="Unlock", schedules=("standard_office_hours",)),
                    ScheduledState(enter_action="Lock", schedules=("standard_always",)),
                )
            ),
        ),
    )
    known = calendars(DEFAULT_SCHEDULES)
    monday_noon, sunday = 1_768_219_200 * 10**9, 1_768_132_800 * 10**9
    assert scheduled(configuration, known, monday_noon) == {"": "Unlock"}
    assert scheduled(configuration, known, sunday) == {"": "Lock"}


def test_a_level_may_be_left_out_of_a_single_schedule_only() -> None:
    """Setting schedule configuration: PriorityLevel can be empty if there is only one element."""
    priorities = PriorityConfiguration(token="p", actions=(PriorityAction(level="a"), PriorityAction(level="b")))
    state = (ScheduledState(enter_action="Lock", schedules=("standard_always",)),)
    one = DoorScheduleConfiguration(token="s", schedules=(DoorSchedule(states=state),))
    assert check_schedules(one, priorities) is one
    two = DoorScheduleConfiguration(
        token="s", schedules=(DoorSchedule(states=state), DoorSchedule(level="a", states=state))
    )
    with pytest.raises(InputError, match=r"schedules\[0\].level"):
        check_schedules(two, priorities)
    with pytest.raises(NotFoundError, match="no level"):
        check_schedules(
            DoorScheduleConfiguration(token="s", schedules=(DoorSchedule(level="c", states=state),)), priorities
        )
    with pytest.raises(ConflictError, match="twice"):
        check_priorities(
            PriorityConfiguration(token="p", actions=(PriorityAction(level="a"), PriorityAction(level="a")))
        )


# --- events, links, restarts ------------------------------------------------------------------------------------------


def test_each_state_has_a_stateful_event() -> None:
    """Events when door state is changed: one topic each, source DoorToken, data State; all of them at start-up."""
    door = Bench()
    events = door_events("d1", door.do("access"))
    assert [(event.topic, event.data["State"]) for event in events] == [
        ("tns1:Door/State/DoorMode", "Accessed"), ("tns1:Door/State/LockPhysicalState", "Unknown"),
    ]  # fmt: skip
    assert all(event.is_property and event.source == {"DoorToken": "d1"} for event in events)
    told = {
        event.topic.rpartition("/")[2]: event.data["State"] for event in door_announcements("d1", door.machine.state)
    }
    assert told == {
        "DoorMode": "Accessed", "DoorPhysicalState": "Closed", "LockPhysicalState": "Unknown", "DoorAlarm": "Normal",
        "DoorTamper": "NotInTamper", "DoorFault": "NotInFault",
    }  # fmt: skip


def test_losing_or_regaining_a_link_never_opens() -> None:
    """EN 60839-11-1: loss or restoration of a communication channel shall not release an access point."""
    door = Bench()
    door.do("access", "request")
    door.do("on_link", False)
    assert (door.locked, door.outcomes()) == (True, [("request", False)])
    assert door.machine.state.fault_reasons == ("LinkFault",)
    with pytest.raises(ConflictError, match="link"):
        door.do("access")
    door.do("on_link", True)
    door.do("on_rex", True)
    assert door.locked, "the input was never seen at rest"
    door.do("on_rex", False)
    door.do("on_rex", True)
    assert not door.locked


def test_a_restart_ends_an_access_and_keeps_alarms_and_modes() -> None:
    """P14: both alarms survive a restart without a false one; every state after a restart is known."""
    door = Bench()
    door.do("access", "request")
    again = door.restart()
    assert (again.mode, again.locked, again.outcomes()) == ("Locked", True, [("request", False)])
    again.open()
    assert again.alarm == "Normal", "opened while the device was off: who knows"
    again.wait(30)
    assert again.alarm == "DoorOpenTooLong"
    forced = Bench()
    forced.open()
    after = forced.restart()
    assert after.alarm == "DoorForcedOpen"
    after.open()
    after.wait(100)
    after.closed()
    assert after.told("alarm") == ["Normal"]
    held = Bench()
    held.do("lockopen")
    assert (held.restart().mode, held.restart().locked) == ("LockedOpen", False)


def test_without_a_monitor_nobody_can_tell() -> None:
    """No door monitor: an access is over by time alone, and counts as taken."""
    door = Bench(monitor={"type": "None"})
    door.do("access", "request")
    assert door.outcomes() == [("request", True)]
    door.open()
    assert (door.machine.state.door, door.alarm) == ("Unknown", "Normal")
    door.wait(10)
    assert door.locked
