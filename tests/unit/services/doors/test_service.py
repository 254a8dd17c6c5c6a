"""Doors on a ledger in memory: relays, schedules, restarts, links, changes of the configuration, failed commits."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.errors import ConflictError, InputError, NotFoundError, StoreError
from axcore.model import events as topics
from axcore.model.doors import Door, DoorSchedule, DoorScheduleConfiguration, ScheduledState
from axcore.testing.controller import CARD, NS, OTHER, ControllerBench


def test_a_granted_card_is_a_pulse_that_ends_by_itself() -> None:
    bench = ControllerBench()
    bench.let_in()
    bench.swipe()
    assert bench.lines.commands == [("pulse", "relay1", True, 10.0)]
    assert bench.mode() == "Accessed"
    assert bench.panel.shown == ["granted"]


def test_a_second_access_lengthens_the_first() -> None:
    bench = ControllerBench()
    bench.let_in()
    bench.swipe()
    bench.wait(6)
    bench.swipe()
    bench.wait(6)
    assert bench.open
    bench.wait(4.1)
    assert not bench.open
    assert bench.mode() == "Locked"


def test_the_door_locks_when_it_has_closed_behind_somebody() -> None:
    bench = ControllerBench()
    bench.let_in()
    bench.swipe()
    bench.events()
    bench.input("door1", True)
    assert bench.told(topics.DOOR_PHYSICAL_STATE)[0].data == {"State": "Open"}
    bench.input("door1", False)
    assert not bench.open
    assert bench.lines.commands[-1] == ("end", "relay1")


@pytest.mark.parametrize("taken", [True, False])
def test_an_access_is_told_twice(taken: bool) -> None:
    bench = ControllerBench()
    bench.let_in()
    bench.events()
    bench.swipe()
    if taken:
        bench.input("door1", True)
    bench.wait(11)
    told = [event.topic for event in bench.events() if event.topic.startswith("tns1:AccessControl")]
    second = topics.ACCESS_TAKEN if taken else topics.ACCESS_NOT_TAKEN
    assert told == [topics.ACCESS_GRANTED + "Credential", second + "Credential"]


def test_a_locked_down_door_refuses_what_was_granted() -> None:
    bench = ControllerBench()
    bench.let_in()
    bench.command("LockDownDoor")
    bench.events()
    bench.swipe()
    told = [event.topic for event in bench.events() if event.topic.startswith("tns1:AccessControl")]
    assert told == [topics.ACCESS_GRANTED + "Credential", topics.ACCESS_NOT_TAKEN + "Credential"]
    assert bench.panel.shown == ["denied"]
    assert not bench.open


def test_unlocked_stays_until_locked_and_over_a_restart() -> None:
    bench = ControllerBench()
    bench.command("UnlockDoor")
    assert bench.lines.commands == [("set", "relay1", True), ("end", "relay1")]
    again = bench.restart()
    assert again.mode() == "Unlocked"
    assert again.open
    again.command("LockDoor")
    assert not again.open


def test_an_access_does_not_outlive_a_restart_and_its_end_is_told() -> None:
    bench = ControllerBench()
    bench.let_in()
    bench.swipe()
    again = bench.restart()
    assert again.mode() == "Locked"
    assert not again.open
    assert [event.topic for event in again.told(topics.ACCESS_NOT_TAKEN)] == [topics.ACCESS_NOT_TAKEN + "Credential"]
    assert not again.ledger.store.records().get("door.access")


def test_a_link_that_is_lost_or_comes_back_opens_nothing() -> None:
    bench = ControllerBench()
    bench.let_in()
    bench.swipe()
    bench.do(lambda tx: bench.doors.on_link(tx, "door1", False))
    assert not bench.open
    assert bench.doors.state("door1").fault_reasons == ("LinkFault",)
    bench.swipe()
    assert not bench.open
    bench.input("rex1", True)
    bench.do(lambda tx: bench.doors.on_link(tx, "door1", True))
    assert not bench.open  # the button must be seen at rest before it counts
    bench.input("rex1", False)
    bench.input("rex1", True)
    assert bench.open


def test_a_button_that_is_pressed_at_the_start_opens() -> None:
    """Free egress: the I/O thread opens natively; the door follows it."""
    bench = ControllerBench(before=lambda b, tx: b.lines.inputs.update(rex1=True))
    assert bench.mode() == "Accessed"


def test_a_fail_safe_lock_rests_energised() -> None:
    bench = ControllerBench()
    assert bench.doors.wires().outputs == {"relay1": "open"}
    bench.configure(lock={"relay_when_locked": "Closed"})
    assert bench.lines.normals["relay1"] == "closed"
    bench.let_in()
    bench.swipe()
    assert bench.open  # active is unlocked, whatever the relay does for it


def test_what_rex_opens_follows_the_configuration() -> None:
    bench = ControllerBench()
    assert bench.doors.wires().rex == {"rex1": ("relay1", 10.0)}
    bench.configure(access_ms=3000)
    assert bench.lines.rex["rex1"] == ("relay1", 3.0)
    bench.configure(lock={"type": "None"})
    assert bench.lines.rex["rex1"] is None
    assert bench.doors.owned() == {}


def test_a_second_lock_has_a_relay_of_its_own() -> None:
    bench = ControllerBench("a1710-b")
    bench.configure("door2", double_lock={"type": "Relay"})
    bench.command("DoubleLockDoor", "door2")
    assert bench.lines.active("auxrelay2")
    assert not bench.lines.active("relay2")
    bench.command("UnlockDoor", "door2")
    assert not bench.lines.active("auxrelay2")
    assert bench.lines.active("relay2")


def test_a_reversed_door_monitor() -> None:
    bench = ControllerBench()
    bench.configure(monitor={"value_when_open": "Input Ground", "value_when_closed": "Input Open"})
    assert bench.lines.normals["door1"] == "open"
    assert bench.doors.state("door1").door == "Closed"
    bench.input("door1", True)
    assert bench.doors.state("door1").door == "Open"


def test_a_removed_door_leaves_its_relay_and_its_place() -> None:
    bench = ControllerBench()
    bench.command("UnlockDoor")
    bench.do(lambda tx: bench.pacs.remove(tx, "pacs.door", ("door1",)))
    assert not bench.open
    assert bench.doors.tokens == ()
    assert bench.ledger.store.records().get("door.state") in (None, {})
    bench.do(lambda tx: bench.pacs.set(tx, "pacs.door", (Door(token="gate"),)))
    assert bench.doors.place("gate") == 1
    again = bench.restart()
    assert again.doors.tokens == ("gate",)
    assert again.doors.place("gate") == 1


def test_a_door_without_terminals_is_a_door() -> None:
    bench = ControllerBench()
    bench.do(lambda tx: bench.pacs.set(tx, "pacs.door", (Door(token="floor9"),)))
    assert bench.doors.place("floor9") is None
    bench.do(lambda tx: bench.doors.access(tx, "floor9"))
    assert bench.mode("floor9") == "Accessed"
    assert bench.lines.commands == []


def schedule(bench: ControllerBench, *states: tuple[str, str]) -> None:
    """Have the first door follow schedules."""
    entries = tuple(ScheduledState(enter_action=action, schedules=(name,)) for action, name in states)  # type: ignore[arg-type]
    times = DoorScheduleConfiguration(token="times", schedules=(DoorSchedule(states=entries),))
    bench.do(lambda tx: bench.pacs.set(tx, "pacs.door_schedule_configuration", (times,)))
    hardware = bench.pacs.door_configurations["door1"]

    import msgspec

    changed = msgspec.structs.replace(hardware, schedule_configuration="times")
    bench.do(lambda tx: bench.pacs.set(tx, "pacs.door_configuration", (changed,)))


def office(bench: ControllerBench, hour: float) -> None:
    """Go to this hour of the next Monday, UTC, without a turn of the ledger in between."""
    day = 86_400
    wall = bench.clock.wall_ns() / NS
    monday = wall - (wall / day + 3) % 7 * day + 7 * day
    bench.clock.step(monday + hour * 3600 - wall)
    bench.wait(0.001)


def test_doors_follow_their_schedules() -> None:
    bench = ControllerBench()
    schedule(bench, ("Unlock", "standard_office_hours"), ("Lock", "standard_always"))
    office(bench, 7.0)
    assert bench.mode() == "Locked"
    bench.wait(3600 + 1)
    assert bench.mode() == "Unlocked"
    assert bench.open
    bench.command("LockDoor")  # somebody goes home early
    bench.wait(3600)
    assert bench.mode() == "Locked"
    bench.wait(8 * 3600)
    assert bench.mode() == "Locked"


def test_a_schedule_counts_at_the_start() -> None:
    bench = ControllerBench()
    schedule(bench, ("Unlock", "standard_always"))
    assert bench.mode() == "Unlocked"
    bench.command("LockDoor")
    assert bench.restart().mode() == "Unlocked"


def test_a_clock_that_is_stepped_is_just_another_time() -> None:
    bench = ControllerBench()
    schedule(bench, ("Unlock", "standard_office_hours"), ("Lock", "standard_always"))
    office(bench, 3.0)
    assert bench.mode() == "Locked"
    bench.clock.step(6 * 3600)
    bench.wait(1)
    assert bench.mode() == "Unlocked"
    bench.clock.step(-6 * 3600)
    bench.wait(1)
    assert bench.mode() == "Locked"


def test_states_are_told_again_with_a_heartbeat() -> None:
    bench = ControllerBench()
    bench.configure(heartbeat_ms=10_000)
    bench.wait(60)
    bench.events()
    bench.wait(35)
    assert len(bench.told(topics.DOOR_MODE)) in (3, 4)


def test_commands_are_checked() -> None:
    bench = ControllerBench()
    with pytest.raises(NotFoundError, match="door1"):
        bench.command("LockDoor", "door7")
    with pytest.raises(InputError, match="LockDownDoor"):
        bench.command("OpenSesame")
    with pytest.raises(InputError, match="PriorityLevel"):
        bench.command("LockDownDoor", level="Standard")
    with pytest.raises(NotFoundError, match="PriorityLevel"):
        bench.command("LockDoor", level="Fire")
    bench.command("LockOpenDoor")
    with pytest.raises(ConflictError):
        bench.command("LockDoor")
    assert bench.mode() == "LockedOpen"


def test_a_failed_commit_takes_everything_back() -> None:
    bench = ControllerBench()
    bench.let_in()
    bench.ledger.store.broken = "disk full"
    with pytest.raises(StoreError):
        bench.command("UnlockDoor")
    assert bench.mode() == "Locked"
    assert not bench.open
    bench.ledger.store.broken = None
    bench.swipe()
    assert bench.open


def test_lines_that_are_no_doors_are_somebody_elses() -> None:
    bench = ControllerBench()
    assert not bench.do(lambda tx: bench.doors.on_input(tx, "port1", True))
    assert bench.do(lambda tx: bench.doors.on_input(tx, "rex1", True))


def test_strangers_and_lost_cards() -> None:
    bench = ControllerBench()
    bench.let_in()
    bench.swipe(OTHER)
    assert not bench.open
    assert bench.panel.shown == ["denied"]
    assert bench.readers.last("reader1")["CardNr"] == "10212"
    bench.do(lambda tx: bench.pacs.set_enabled(tx, "pacs.credential", ("card02004fcb",), False))
    bench.swipe(CARD)
    assert not bench.open


def test_full_queues_are_told_and_made_up_for() -> None:
    from axcore.errors import QueueFullError

    bench = ControllerBench()
    real, calls = bench.lines.set, []

    def refuse(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 1:
            raise QueueFullError("no room")
        real(*arguments)

    bench.lines.set = refuse  # type: ignore[method-assign]
    bench.command("UnlockDoor")
    bench.wait(0.1)
    assert bench.open
    assert [event.data["component"] for event in bench.told(topics.SYSTEM_FAULT)] == ["doors"]
