"""The door's state machine, where neither manual nor service says a word."""

from __future__ import annotations

import pytest

from axcore.devices.door import DoorMachine, start
from axcore.devices.door_parts import LockCommand, Outcome, Snapshot
from axcore.errors import ConflictError, NotFoundError
from axcore.testing.doors import NS, Bench, setup


def test_inputs_bring_the_door_up_to_their_time_first() -> None:
    door = Bench()
    door.do("access", "a")
    door.now += 20 * NS
    outputs = door.open()
    assert Outcome("a", False) in outputs
    assert door.alarm == "DoorForcedOpen"


def test_it_is_immutable() -> None:
    machine, _ = start(setup(), 0)
    after, _ = machine.access(0)
    assert machine.mode == "Locked"
    assert after.mode == "Accessed"
    with pytest.raises(AttributeError):
        machine.hold = "LockedDown"  # type: ignore[misc]


def test_a_second_access_extends_and_never_shortens() -> None:
    door = Bench()
    door.do("access", "a", access_ms=30_000)
    door.do("access", "b", access_ms=1_000)
    door.wait(29)
    assert door.mode == "Accessed"
    door.wait(1)
    assert (door.mode, door.outcomes()) == ("Locked", [("a", False), ("b", False)])


def test_an_access_without_unlock_does_not_lengthen_an_unlock() -> None:
    door = Bench()
    door.do("access", access_ms=1_000)
    door.do("access_without_unlock")
    door.wait(1)
    assert (door.mode, door.locked) == ("Accessed", True)


def test_a_command_that_does_not_take_effect_leaves_an_access_alone() -> None:
    door = Bench(levels={"high": "Lock", "low": "Release"})
    door.do("access")
    door.do("block", "low")
    assert door.mode == "Accessed"
    door.do("lock_door", "high")
    assert door.mode == "Locked"


def test_an_access_at_an_open_door_starts_its_time_anew() -> None:
    door = Bench(open_too_long_ms=10_000, pre_alarm_ms=0)
    door.do("access")
    door.open()
    door.wait(9)
    door.do("access", "a")
    assert door.outcomes() == [("a", True)]
    door.wait(9)
    assert door.alarm == "Normal"
    door.wait(1)
    assert door.alarm == "DoorOpenTooLong"


def test_other_settings_keep_what_runs_and_what_was_asked() -> None:
    door = Bench(levels={"high": "Release", "low": "Lock"})
    door.do("unlock_door", "low")
    door.machine, outputs = door.machine.configured(setup(levels={"low": "Lock", "new": "Block"}), door.now)
    assert door.mode == "Unlocked"
    assert LockCommand("lock", False, "Closed") in outputs
    door.machine, _ = door.machine.configured(setup(levels={"new": "Block"}), door.now)
    assert door.mode == "Blocked"
    door.machine, _ = door.machine.configured(setup(monitor={"type": "None"}), door.now)
    assert door.machine.state.door == "Unknown"


def test_a_second_lock_can_be_taken_away() -> None:
    door = Bench(double_lock={"type": "Relay"})
    door.do("double_lock")
    door.machine, _ = door.machine.configured(setup(), door.now)
    assert (door.mode, door.machine.state.double_lock) == ("Locked", None)


def test_unknown_levels_change_nothing() -> None:
    door = Bench()
    for call in (
        lambda: door.do("lock_door", "x"), lambda: door.do("release", "x"), lambda: door.do("on_schedule", "x", "Lock"),
    ):  # fmt: skip
        before = door.machine
        with pytest.raises(NotFoundError, match="x"):
            call()
        assert door.machine is before


def test_a_restored_door_knows_what_it_was_asked() -> None:
    door = Bench(levels={"high": "Release", "low": "Lock"})
    door.do("unlock_door", "high")
    door.do("lockdown")
    again = door.restart()
    assert again.mode == "LockedDown"
    again.do("lockdown_release")
    assert again.mode == "Unlocked"


def test_a_snapshot_of_other_settings_is_no_trouble() -> None:
    machine, outputs = start(setup(monitor={"type": "None"}), 0, Snapshot(alarm="DoorForcedOpen", was_open=True))
    assert isinstance(machine, DoorMachine)
    assert machine.alarm == "Normal"
    assert outputs == [LockCommand("lock", True, "Open")]


def test_a_link_that_is_told_twice_is_told_once() -> None:
    door = Bench()
    assert door.do("on_link", True) == []
    assert door.do("on_link", False)
    assert door.do("on_link", False) == []
    with pytest.raises(ConflictError):
        door.do("access")


def test_a_release_in_an_unlocked_door_is_told_to_whoever_asked() -> None:
    door = Bench()
    door.do("unlock_door")
    door.do("on_rex", True, "exit")
    assert (door.mode, door.outcomes()) == ("Unlocked", [("exit", False)])
