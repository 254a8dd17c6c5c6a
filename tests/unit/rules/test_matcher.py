"""The matcher over the native core: rules put, edited and turned on and off, tables that fill up, and going back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from axcore.errors import InputError, LimitError, NotFoundError, RangeError
from axcore.model.events import NewEvent
from axcore.model.rules import Condition, Rule, ToggleIoOnce, ToggleIoWhileActive
from axcore.rules import Kind, Matcher, RuleDef, Step, Test, define, parse_filter, program
from axcore.rules import matcher as module

KINDS = {
    "state": Kind(stateful=True, match={"v": "1"}),
    "other": Kind(stateful=True),
    "pulse": Kind(stateful=False),
}
STATE = Condition(topic="state")
PULSE = Condition(topic="pulse")
ONCE = ToggleIoOnce(port="4")
WHILE = ToggleIoWhileActive(port="4")


def rule(rule_id: str, *conditions: Condition, action: Any = ONCE, wait: float = 0.0) -> Rule:
    return Rule(id=rule_id, name="r", conditions=conditions, action=action, wait=wait)


def state(value: str, **source: str) -> NewEvent:
    return NewEvent(topic="state", source=source, data={"v": value}, is_property=True)


def told(steps: Iterable[Step]) -> list[tuple[str, str]]:
    return [(step.what, step.rule.id) for step in steps]


def test_a_rule_of_the_model_runs() -> None:
    matcher = Matcher([rule("1", PULSE, STATE), rule("2", STATE, action=WHILE)], KINDS)
    assert told(matcher.feed(state("1"), 1)) == [("start", "2")]
    assert told(matcher.feed(NewEvent(topic="pulse"), 2)) == [("fire", "1")]
    assert matcher.feed(NewEvent(topic="nobody looks"), 3) == []
    assert told(matcher.feed(state("0"), 4)) == [("stop", "2")]
    steps = matcher.feed(state("1"), 5)
    assert (steps[0].t_ns, steps[0].timer, steps[0].rule.rule.action) == (5, False, WHILE)
    assert matcher.active("2")
    assert not matcher.active("1")
    assert not matcher.active("9")


@pytest.mark.parametrize(
    ("made", "field"),
    [
        (rule("1"), "conditions"),
        (rule("1", *[STATE] * 17), "conditions"),
        (rule("1", Condition(topic="?")), "conditions[0].topic"),
        (rule("1", Condition(topic="pulse", invert=True)), "conditions[0].invert"),
        (rule("1", STATE, PULSE), "conditions[1].topic"),
        (rule("1", STATE, Condition(topic="state", trigger=True)), "conditions[1].trigger"),
        (rule("1", PULSE, action=WHILE), "action.type"),
        (rule("1", Condition(topic="state", trigger=True), action=WHILE), "action.type"),
    ],
)
def test_what_cannot_be_is_refused(made: Rule, field: str) -> None:
    with pytest.raises(InputError) as raised:
        define(made, KINDS)
    assert raised.value.field == field
    assert define(rule("1", *[STATE] * 16), KINDS).tests


def test_an_edit_takes_effect_after_off_and_on() -> None:
    matcher = Matcher([rule("1", PULSE)], KINDS)
    matcher.put(rule("1", STATE))
    assert told(matcher.feed(NewEvent(topic="pulse"), 1)) == [("fire", "1")]
    assert matcher.feed(state("1"), 1) == []
    assert matcher.disable("1", 2) == []
    assert matcher.feed(NewEvent(topic="pulse"), 3) == []
    assert told(matcher.enable("1", 4)) == [("fire", "1")]
    assert matcher.enable("1", 5) == []
    assert matcher.feed(NewEvent(topic="pulse"), 6) == []


def test_a_rule_put_later_knows_what_was_and_others_run_on() -> None:
    matcher = Matcher([rule("1", STATE, action=WHILE, wait=1e-8)], KINDS)
    matcher.feed(NewEvent(topic="other", source={"b": "2", "a": "1"}, data={"w": "x"}, is_property=True), 1)
    assert told(matcher.feed(state("1"), 2)) == [("start", "1")]
    matcher.feed(state("0"), 3)
    matcher.feed(state("1"), 4)
    assert matcher.next_deadline() == 12
    matcher.put(rule("2", Condition(topic="other", source={"a": "1"}, data={"w": "x"}), action=WHILE))
    assert told(matcher.enable("2", 5)) == [("start", "2")]
    assert matcher.next_deadline() == 12
    assert [(step.what, step.rule.id, step.t_ns) for step in matcher.advance(20)] == [("start", "1", 12)]
    assert told(matcher.forget("other", {"a": "1", "b": "2"}, 21)) == [("stop", "2")]
    assert matcher.forget("other", {"a": "9"}, 22) == []
    assert told(matcher.remove("1", 23)) == [("stop", "1")]
    assert [found.id for found in matcher.rules()] == ["2"]
    assert matcher.feed(state("0"), 24) == []
    for missing in (matcher.remove, matcher.enable):
        with pytest.raises(NotFoundError):
            missing("1", 25)
    assert matcher.disable("1", 26) == []


def test_a_rule_that_comes_back_is_the_newest() -> None:
    first, second = (define(rule(name, PULSE), KINDS) for name in "12")
    matcher = Matcher([first, second])
    matcher.remove("1", 0)
    matcher.put(first)
    matcher.enable("1", 0)
    assert told(matcher.feed(NewEvent(topic="pulse"), 1)) == [("fire", "2"), ("fire", "1")]


def test_at_most_256_rules() -> None:
    matcher = Matcher([rule(str(number), PULSE) for number in range(256)], KINDS)
    with pytest.raises(LimitError):
        matcher.put(rule("256", PULSE))
    matcher.put(rule("255", STATE))
    with pytest.raises(LimitError):
        Matcher([rule(str(number), PULSE) for number in range(257)], KINDS)
    assert len(matcher.feed(NewEvent(topic="pulse"), 1)) == 256


def test_tables_that_are_full_are_made_anew() -> None:
    """Events that never come again are forgotten; what runs and what is known are not."""
    matcher = Matcher([rule("1", STATE, action=WHILE)], KINDS)
    matcher.feed(state("1", port="known"), 0)
    interned = [matcher.intern(state("1", port=str(number))) for number in range(300)]
    assert interned == list(range(300))
    assert matcher.intern(state("1", port="7")) == 7
    for number in range(3 * module.MOST_SPARE):
        assert matcher.feed(NewEvent(topic="other", data={"w": str(number)}, is_property=True), number) == []
    assert len(matcher.seen(parse_filter("other"))) == 1
    assert matcher.core.size < 200_000
    assert matcher.active("1")
    matcher.core.feed(7, 99_999)
    assert matcher.feed(state("0", port="known"), 99_999) == []
    assert told(matcher.feed(state("0", port="7"), 99_999)) == [("stop", "1")]


def test_many_tests_on_one_topic_find_room() -> None:
    conditions = [Condition(topic="state", data={"v": "1", f"x{n}": "y"}) for n in range(256 * 16)]
    rules = [rule(str(n), *conditions[n * 16 : n * 16 + 16]) for n in range(256)]
    matcher = Matcher(rules, KINDS)
    every = {"v": "1", **{f"x{n}": "y" for n in range(256 * 16)}}
    assert matcher.feed(state("0"), 0) == []
    assert len(matcher.feed(NewEvent(topic="state", data=every, is_property=True), 1)) == 256


def test_pulses_with_free_text_are_few_shapes() -> None:
    matcher = Matcher([rule("1", Condition(topic="pulse", data={"k": "v"}))], KINDS)
    core = matcher.core
    for number in range(1000):
        data = {"k": "v" if number % 2 else "w", "text": str(number)}
        assert bool(matcher.feed(NewEvent(topic="pulse", data=data), number)) is bool(number % 2)
    assert matcher.core is core


def test_interned_ids_stay_after_going_back() -> None:
    matcher = Matcher([rule("1", STATE, action=WHILE)], KINDS)
    before = matcher.snapshot()
    on = matcher.intern(state("1"))
    matcher.put(rule("2", STATE, action=WHILE))
    matcher.enable("2", 0)
    many = [matcher.intern(state("0", port=str(number))) for number in range(200)]
    assert len(matcher.steps(matcher.core.feed(on, 1))) == 2
    matcher.restore(before)
    assert told(matcher.steps(matcher.core.feed(on, 1))) == [("start", "1")]
    assert told(matcher.feed(state("0"), 2)) == [("stop", "1")]
    assert matcher.core.feed(many[-1], 3) == ()
    with pytest.raises(RangeError):
        matcher.core.feed(60_000, 4)


def test_interned_deletions_and_announcements() -> None:
    trigger = Condition(topic="state", trigger=True)
    matcher = Matcher([rule("1", trigger), rule("2", STATE, action=WHILE)], KINDS)
    init, on = matcher.intern(state("1"), init=True), matcher.intern(state("1"))
    off, gone = matcher.intern(state("0")), matcher.intern(state("0"), deleted=True)
    assert [len(matcher.core.feed(event, 1)) for event in (off, init, off, on, gone, gone)] == [0, 1, 1, 2, 1, 0]


def test_filters_of_services_run() -> None:
    """A subtree with alternatives starts a rule at pulses and at states that begin."""
    start = Test(parse_filter("state//.|pulse", "boolean(//SimpleItem[@Name='v' and @Value='1'])"))
    matcher = Matcher([RuleDef("1", (start,), edge=True)])
    assert told(matcher.feed(NewEvent(topic="pulse", data={"v": "1"}), 1)) == [("fire", "1")]
    assert matcher.feed(NewEvent(topic="pulse", data={"v": "2"}), 1) == []
    matcher.feed(NewEvent(topic="state/deep", data={"v": "0"}, is_property=True), 1)
    below = NewEvent(topic="state/deep", data={"v": "1"}, is_property=True)
    assert told(matcher.feed(below, 2)) == [("fire", "1")]


def test_an_early_event_that_nobody_looks_at_lets_waits_wait() -> None:
    """D9: all schedule edges of an instant come before the waits that end at it."""
    matcher = Matcher([rule("1", STATE, action=WHILE, wait=1e-8)], KINDS)
    for now, value in ((0, "1"), (1, "0"), (2, "1")):
        matcher.feed(state(value), now)
    assert matcher.feed(NewEvent(topic="nobody"), 10, early=True) == []
    assert matcher.feed(state("0"), 10, early=True) == []
    assert matcher.next_deadline() is None


def test_topics_that_somebody_makes_up_are_not_kept() -> None:
    matcher = Matcher([rule("1", PULSE)], KINDS)
    for number in range(2 * program.MAX_TOPICS):
        assert matcher.feed(NewEvent(topic=f"t{number}"), 0) == []
    assert len(matcher.feed(NewEvent(topic="pulse"), 1)) == 1
