"""Manual: System > Events > Rules, rules with several conditions; decisions D1..D6 for them."""

from __future__ import annotations

import pytest

from axcore.errors import InputError
from axcore.model import events
from axcore.model.rules import Condition, Rule, RuleSpec, ToggleIoOnce, ToggleIoWhileActive
from tests.unit.services.test_events import Bench

GRANTED = Condition(topic=events.ENTRY_GRANTED)
WHILE = ToggleIoWhileActive(port="Door")
ON, OFF = ("hold", "relay1", True, True, None), ("hold", "relay1", False, True, None)


def virtual(port: int, *, invert: bool = False, trigger: bool = False) -> Condition:
    return Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": str(port)}, invert=invert, trigger=trigger)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def add(
    bench: Bench, *conditions: Condition, action: ToggleIoOnce | ToggleIoWhileActive = WHILE, wait: float = 0
) -> Rule:
    spec = RuleSpec(name="r", conditions=conditions, action=action, wait=wait)
    return bench.ledger.do(lambda tx: bench.events.add_rule(tx, spec))


def test_all_conditions_must_be_met(bench: Bench) -> None:
    """ "All of the conditions must be met to trigger the action"."""
    add(bench, virtual(1), virtual(2), virtual(3, invert=True))
    for port in (1, 2):
        bench.virtual(True, port)
    assert bench.lines.take() == [ON]
    bench.virtual(True, 3)
    assert bench.lines.take() == [OFF]
    bench.virtual(False, 3)
    assert bench.lines.take() == [ON]
    bench.virtual(False, 1)
    assert bench.lines.take() == [OFF]


def test_sixteen_conditions_and_not_seventeen(bench: Bench) -> None:
    """Up to 16 conditions each."""
    conditions = [virtual(port) for port in range(1, 18)]
    add(bench, *conditions[:16])
    for port in range(1, 17):
        assert bench.lines.take() == []
        bench.virtual(True, port)
    assert bench.lines.take() == [ON]
    with pytest.raises(InputError) as raised:
        add(bench, *conditions)
    assert raised.value.field == "conditions"


def test_a_pulse_acts_while_the_others_hold(bench: Bench) -> None:
    add(bench, GRANTED, virtual(1), action=ToggleIoOnce(port="Door", duration=7))
    bench.grant()
    assert bench.lines.take() == []
    bench.virtual(True)
    assert bench.lines.take() == []
    bench.grant(correlation="c")
    assert bench.lines.take() == [("pulse", "relay1", True, 7.0, "c")]


def test_a_triggered_rule_stays_active_as_long_as_the_other_conditions(bench: Bench) -> None:
    """ "It remains active for as long as all the other conditions are met, no matter the state of the first"."""
    add(bench, virtual(1, trigger=True), virtual(2))
    bench.virtual(True, 2)
    bench.virtual(True, 1)
    assert bench.lines.take() == [ON]
    bench.virtual(False, 1)
    bench.virtual(True, 1)
    assert bench.lines.take() == []
    bench.virtual(False, 2)
    assert bench.lines.take() == [OFF]
    bench.virtual(True, 2)
    assert bench.lines.take() == []


def test_a_condition_that_was_there_before_the_rule_counts(bench: Bench) -> None:
    bench.virtual(True, 2)
    bench.virtual(True, 1)
    add(bench, virtual(1), virtual(2))
    assert bench.lines.take() == [ON]


def test_a_wait_that_ends_is_not_the_doing_of_the_event_that_came_with_it(bench: Bench) -> None:
    add(bench, virtual(1), wait=10)
    bench.virtual(True)
    bench.virtual(False)
    bench.virtual(True)
    bench.lines.take()
    bench.ledger.virtual_clock.advance(10)
    bench.grant(correlation="c")
    assert bench.lines.take() == [ON]


def test_nothing_is_left_of_what_was_undone(bench: Bench) -> None:
    """A job that fails leaves rules, waits and levels as they were."""
    add(bench, virtual(1), virtual(2), wait=60)
    bench.virtual(True, 1)

    def job(tx: object) -> None:
        bench.ports.set_virtual_input(tx, 2, True)  # type: ignore[arg-type]
        spec = RuleSpec(name="x", conditions=(virtual(1),), action=ToggleIoWhileActive(port="5"))
        bench.events.add_rule(tx, spec)  # type: ignore[arg-type]
        raise InputError("x", "y")

    with pytest.raises(InputError):
        bench.ledger.do(job)
    assert bench.lines.take() == []
    assert len(bench.events.rules()) == 1
    bench.virtual(True, 2)
    assert bench.lines.take() == [ON]
