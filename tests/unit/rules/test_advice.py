"""explain, simulate and check."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.errors import InputError, NotFoundError
from axcore.model import events
from axcore.model.events import NewEvent
from axcore.model.rules import Condition, Rule, ToggleIoOnce, ToggleIoWhileActive
from axcore.rules import Fired, Kind, Matcher, RuleDef, Test, check, describe, explain, parse_filter, simulate

KINDS = {
    events.IO_VIRTUAL_INPUT: Kind(stateful=True, match={"active": "1"}),
    events.IO_OUTPUT_PORT: Kind(stateful=True, match={"state": "1"}),
    events.IO_PORT: Kind(stateful=True, match={"state": "1"}),
    events.ENTRY_GRANTED: Kind(stateful=False),
}
GRANTED = Condition(topic=events.ENTRY_GRANTED)
SECOND = 1_000_000_000


def rule(rule_id: str, *conditions: Condition, action: Any = None, wait: float = 0.0) -> Rule:
    return Rule(id=rule_id, name="r", conditions=conditions, action=action or ToggleIoOnce(port="4"), wait=wait)


def virtual(number: int, **fields: Any) -> Condition:
    return Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": str(number)}, **fields)


def event(number: int, active: bool, seconds: float = 0.0) -> NewEvent:
    data = {"active": str(int(active))}
    t_ns = round(seconds * SECOND)
    return NewEvent(topic=events.IO_VIRTUAL_INPUT, source={"port": str(number)}, data=data, is_property=True, t_ns=t_ns)


def test_explain_says_per_condition_why() -> None:
    matcher = Matcher([rule("1", virtual(1), virtual(2, invert=True), action=ToggleIoWhileActive(port="4"))], KINDS)
    matcher.feed(event(1, False), 0)
    told = explain(matcher, "1", 0)
    assert (told.enabled, told.active, told.satisfied) == (True, False, False)
    assert told.summary == "not active: condition 1, 2 does not hold"
    first, second = told.conditions
    assert (first.holds, first.reason) == (False, "it is not so: port=1, active=0")
    assert (second.holds, second.reason) == (False, "nothing is known of it yet")
    assert second.wanted == "not: tns1:Device/tnsaxis:IO/VirtualInput with port=2 and active=1"
    matcher.feed(event(1, True), 1)
    matcher.feed(event(2, False), 1)
    told = explain(matcher, "1", 1)
    assert (told.active, told.satisfied, told.summary) == (True, True, "active: its action runs")
    assert [state.holds for state in told.conditions] == [True, True]
    matcher.disable("1", 2)
    assert explain(matcher, "1", 2).summary == "the rule is off"
    with pytest.raises(NotFoundError):
        explain(matcher, "7", 2)


def test_explain_speaks_of_waits_and_starts() -> None:
    rules = [rule("1", GRANTED, wait=10), rule("2", virtual(1), wait=10), rule("3", virtual(1), virtual(1))]
    matcher = Matcher(rules, KINDS)
    assert explain(matcher, "1", 0).summary == "ready: it starts when its first condition does"
    assert explain(matcher, "1", 0).conditions[0].role == "start"
    matcher.feed(NewEvent(topic=events.ENTRY_GRANTED), 1 * SECOND)
    told = explain(matcher, "1", 5 * SECOND)
    assert told.waits_until_ns == 11 * SECOND
    assert told.summary == "the wait between actions is not over: a start would be lost"
    assert explain(matcher, "1", 11 * SECOND).waits_until_ns is None
    for seconds, active in ((1, True), (2, False), (3, True)):
        matcher.feed(event(1, active), seconds * SECOND)
    assert explain(matcher, "2", 4 * SECOND).summary == "satisfied: it activates when the wait between actions is over"
    assert explain(matcher, "3", 4 * SECOND).summary == "satisfied: its action has run"


def test_explain_uses_the_rule_that_runs_and_counts_instances() -> None:
    anything = Condition(topic=events.IO_PORT)
    matcher = Matcher([rule("1", anything)], KINDS)
    matcher.put(rule("1", virtual(1)))
    for port in "012":
        matcher.feed(NewEvent(topic=events.IO_PORT, source={"port": port}, data={"state": "0"}, is_property=True), 0)
    assert explain(matcher, "1", 0).conditions[0].reason == "it is not so: port=0, state=0 and 2 more"
    matcher.put(rule("2", virtual(1)))
    told = explain(matcher, "2", 0)
    assert (told.enabled, told.conditions[0].reason) == (False, "nothing is known of it yet")


def test_filters_are_described() -> None:
    content = "boolean(//Source/SimpleItem[@Name='a' or not(@Value='b')])"
    assert describe(parse_filter("a//.|b", content)) == (
        'a//. or b with an item of the source [(@Name="a" or not (@Value="b"))]'
    )


def test_simulate_replays_a_log() -> None:
    rules = [rule("1", virtual(1), wait=10), rule("2", GRANTED, virtual(1), action=ToggleIoWhileActive(port="5"))]
    granted = NewEvent(topic=events.ENTRY_GRANTED, t_ns=3 * SECOND)
    log = [event(1, True, 1), event(1, False, 2), event(1, True, 3), granted, event(1, True, 4)]
    assert simulate(rules, log, KINDS) == [
        Fired(t_ns=1 * SECOND, rule="1", what="fire", event=0),
        Fired(t_ns=3 * SECOND, rule="2", what="start", event=3),
        Fired(t_ns=11 * SECOND, rule="1", what="fire", event=None),
    ]
    assert len(simulate(rules, log, KINDS, until=5 * SECOND)) == 2
    assert simulate(rules, [], KINDS) == []
    with pytest.raises(InputError) as raised:
        simulate(rules, [event(1, True, 2), event(1, True, 1)], KINDS)
    assert raised.value.field == "log[1].t_ns"


@pytest.mark.parametrize(
    ("conditions", "kinds"),
    [
        ((virtual(1), virtual(2)), []),
        ((virtual(1), virtual(1, invert=True)), ["contradiction"]),
        ((virtual(1), virtual(1, data={"active": "0"})), ["contradiction"]),
        ((Condition(topic=events.IO_PORT), Condition(topic=events.IO_PORT, data={"state": "0"})), []),
        ((virtual(1), virtual(1)), ["double condition"]),
        ((virtual(1, trigger=True), virtual(1, invert=True)), ["contradiction"]),
        ((virtual(1, trigger=True), virtual(1)), []),
        ((virtual(1, invert=True), virtual(1, data={"active": "0"})), []),
    ],
)
def test_check_inside_a_rule(conditions: tuple[Condition, ...], kinds: list[str]) -> None:
    assert [warning.kind for warning in check([rule("1", *conditions)], KINDS)] == kinds


def test_check_finds_outputs_and_rules_twice() -> None:
    rules = [rule("1", virtual(1)), rule("2", virtual(1)), rule("3", virtual(1), action=ToggleIoOnce(port="5"))]
    found = check(rules, KINDS)
    assert [(warning.kind, warning.rules) for warning in found] == [
        ("shared output", ("1", "2")),
        ("same rule", ("1", "2")),
    ]


def test_check_finds_loops_through_outputs() -> None:
    output = Condition(topic=events.IO_OUTPUT_PORT, source={"port": "4"})
    found = check([rule("1", output), rule("2", virtual(1), action=ToggleIoOnce(port="5"))], KINDS)
    assert [(warning.kind, warning.rules) for warning in found] == [("loop", ("1",))]
    other = Condition(topic=events.IO_OUTPUT_PORT, source={"port": "5"}, invert=True)
    found = check([rule("1", output, action=ToggleIoOnce(port="5")), rule("2", other)], KINDS)
    assert [(warning.kind, warning.rules) for warning in found] == [("loop", ("1", "2"))]


def test_check_finds_loops_through_virtual_inputs() -> None:
    """What an action causes is told by the caller: virtual inputs and MQTT, where there are such actions."""
    defs = [
        RuleDef(str(n), (Test(parse_filter("v", f"boolean(//SimpleItem[@Name='n' and @Value='{n}'])")),))
        for n in range(4)
    ]
    wakes = {"0": "1", "1": "2", "2": "0", "3": "1"}

    def effects(found: RuleDef) -> list[NewEvent]:
        return [NewEvent(topic="v", source={"n": wakes[found.id]}, data={"v": "*"}, is_property=True)]

    assert [warning.rules for warning in check(defs, effects=effects)] == [("0", "1", "2")]
