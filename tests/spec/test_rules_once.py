"""Manual: "Use Entry list to allow credential holders to open the door", System > Events > Rules; decisions D1..D10."""

from __future__ import annotations

import pytest

from axcore.errors import LimitError
from axcore.model import events
from axcore.model.events import NewEvent
from axcore.model.rules import Condition, ToggleIoOnce, ToggleIoWhileActive
from tests.unit.services.test_events import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_open_door_rule_of_the_manual(bench: Bench) -> None:
    """Name "Open door", Entry list > Access granted, I/O > Toggle I/O once, port Door, state Active, 00:00:07."""
    names = {(kind.group, kind.name): kind for kind in bench.events.conditions()}
    actions = {(kind.group, kind.name): kind for kind in bench.events.actions()}
    condition = Condition(topic=names["Entry list", "Access granted"].topic)
    assert actions["I/O", "Toggle I/O once"].type == "toggle_io_once"
    bench.add(condition, ToggleIoOnce(port="Door", state=True, duration=7.0), name="Open door")
    bench.grant()
    assert bench.lines.take() == [("pulse", "relay1", True, 7.0, None)]


def test_relay_1_is_the_port_of_the_dtmf_example(bench: Bench) -> None:
    """ "From the list of ports, select Relay 1"."""
    bench.add(Condition(topic=events.ENTRY_GRANTED), ToggleIoOnce(port="Relay 1", duration=7.0))
    bench.grant()
    assert bench.lines.take() == [("pulse", "relay1", True, 7.0, None)]


def test_at_most_256_rules(bench: Bench) -> None:
    """ "You can create up to 256 action rules"."""
    for _ in range(256):
        bench.add(Condition(topic=events.ENTRY_GRANTED), enabled=False)
    with pytest.raises(LimitError):
        bench.add(Condition(topic=events.ENTRY_GRANTED))


def test_wait_between_actions(bench: Bench) -> None:
    """ "The minimum time that must pass between rule activations"; D4: the boundary is allowed, pulses are lost."""
    bench.add(Condition(topic=events.ENTRY_GRANTED), ToggleIoOnce(port="4", duration=1), wait=10)
    for seconds, fires in ((0, True), (9.999, False), (0.001, True), (5, False), (6, True)):
        bench.ledger.advance(seconds)
        bench.grant()
        assert bool(bench.lines.take()) is fires


def test_trigger_starts_once_whatever_follows(bench: Bench) -> None:
    """ "Use this condition as a trigger": only the moment counts, also when the state stays."""
    bench.add(Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": "1"}, trigger=True), ToggleIoOnce(port="4"))
    bench.virtual(True)
    assert len(bench.lines.take()) == 1
    bench.virtual(False)
    bench.virtual(True)
    assert len(bench.lines.take()) == 1


def test_invert(bench: Bench) -> None:
    """ "Invert this condition: the condition is the opposite of your selection"."""
    condition = Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": "1"}, invert=True)
    bench.virtual(True)
    bench.add(condition, ToggleIoWhileActive(port="Door"))
    assert bench.lines.take() == []
    bench.virtual(False)
    assert bench.lines.take() == [("hold", "relay1", True, True, None)]
    bench.virtual(True)
    assert bench.lines.take() == [("hold", "relay1", False, True, None)]


def test_unknown_property_is_false_also_inverted(bench: Bench) -> None:
    """D5."""
    bench.add(Condition(topic=events.KEYPAD_STATE, invert=True), ToggleIoWhileActive(port="Door"))
    assert bench.lines.take() == []
    idle = NewEvent(topic=events.KEYPAD_STATE, data={"state": "idle"}, is_property=True)
    bench.ledger.do(lambda tx: tx.publish(idle))
    assert bench.lines.take() == [("hold", "relay1", True, True, None)]


def test_off_and_on_forgets_the_wait(bench: Bench) -> None:
    """D6."""
    rule = bench.add(Condition(topic=events.ENTRY_GRANTED), ToggleIoOnce(port="4"), wait=3600)
    bench.grant()
    bench.update(rule, enabled=False)
    bench.update(rule, enabled=True)
    bench.lines.take()
    bench.grant()
    assert len(bench.lines.take()) == 1


def test_wait_ignores_steps_of_the_wall_clock(bench: Bench) -> None:
    """D7."""
    bench.add(Condition(topic=events.ENTRY_GRANTED), ToggleIoOnce(port="4"), wait=10)
    bench.grant()
    bench.lines.take()
    for step in (3600, -86_400, 86_400 * 400):
        bench.ledger.virtual_clock.step(step)
        bench.grant()
        assert bench.lines.take() == []
    bench.ledger.advance(10)
    bench.grant()
    assert len(bench.lines.take()) == 1


def test_rules_act_in_the_order_of_creation(bench: Bench) -> None:
    """D9, also when an older rule is turned on later."""
    first = bench.add(Condition(topic=events.ENTRY_GRANTED), ToggleIoOnce(port="4"), enabled=False)
    bench.add(Condition(topic=events.ENTRY_GRANTED), ToggleIoOnce(port="5"))
    bench.update(first, enabled=True)
    bench.grant()
    assert [command[1] for command in bench.lines.take()] == ["relay1", "relay2"]


def test_reactivating_a_virtual_input_replaces_its_duration(bench: Bench) -> None:
    """D10, seen by a rule."""
    bench.add(Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": "1"}), ToggleIoWhileActive(port="Door"))
    for _ in range(3):
        bench.ledger.do(lambda tx: bench.ports.set_virtual_input(tx, 1, True, 5))
        bench.ledger.advance(4)
    assert bench.lines.take() == [("hold", "relay1", True, True, None)]
    bench.ledger.advance(1.5)
    assert bench.lines.take() == [("hold", "relay1", False, True, None)]


def test_a_start_while_the_action_runs_is_ignored(bench: Bench) -> None:
    """D3."""
    condition = Condition(topic=events.IO_PORT)  # any input
    bench.add(condition, ToggleIoWhileActive(port="Door"))
    bench.ledger.do(lambda tx: bench.ports.on_input(tx, "port1", True))
    bench.ledger.do(lambda tx: bench.ports.on_input(tx, "port2", True))
    bench.ledger.do(lambda tx: bench.ports.on_input(tx, "port1", False))
    assert bench.lines.take() == [("hold", "relay1", True, True, None)]
    bench.ledger.do(lambda tx: bench.ports.on_input(tx, "port2", False))
    assert bench.lines.take() == [("hold", "relay1", False, True, None)]
