"""The native matcher and the plain one do the same: rules of every kind, any history of events, edits and time."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axcore.model.events import NewEvent
from axcore.rules import Filter, Matcher, RuleDef, Test, Topic
from axcore.testing.reference_rules import ReferenceMatcher

PROPERTIES = [
    ("p", {"port": "0"}),
    ("p", {"port": "1"}),
    ("q", {}),
    ("r", {"a": "1", "b": "2"}),
    ("r", {"b": "2", "a": "2"}),
]
PULSES = [("x", {}), ("x", {"reader": "1"}), ("y", {})]
VALUES = ["0", "1", "2"]
STEPS = 4000


class Chance:
    """Draws from a random generator or from hypothesis, so that both histories are made by one function."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw

    def below(self, number: int) -> int:
        """0 .. number - 1"""
        if isinstance(self._draw, random.Random):
            return self._draw.randrange(number)
        return int(self._draw(st.integers(0, number - 1)))

    def of(self, items: list[Any]) -> Any:
        """One of them."""
        return items[self.below(len(items))]


def some_filter(chance: Chance, stateful: bool) -> Filter:
    topic, source = chance.of(PROPERTIES if stateful else PULSES)
    wanted = tuple((name, value) for name, value in source.items() if chance.below(3))
    data = () if not stateful and chance.below(2) else (("v", chance.of(VALUES)),)
    return Filter((Topic(topic),), wanted, data)


def some_rule(chance: Chance, rule_id: str) -> RuleDef:
    pulse = chance.below(3) == 0
    edge = pulse or chance.below(3) == 0
    first = Test(some_filter(chance, not pulse), not pulse and chance.below(3) == 0)
    more = [Test(some_filter(chance, True), chance.below(3) == 0) for _ in range(chance.below(4))]
    lasting = chance.below(2) == 0
    return RuleDef(rule_id, (first, *more), edge, lasting, chance.of([0, 0, 1, 3, 10]))


class Both:
    """The two matchers side by side."""

    def __init__(self, chance: Chance) -> None:
        self.chance = chance
        self.native = Matcher()
        self.plain = ReferenceMatcher()
        self.now = 0
        self.made = 0

    def step(self) -> None:
        """One random operation on both, and everything that can be seen is the same."""
        chance = self.chance
        self.now += chance.of([0, 0, 0, 1, 1, 2, 5])
        op = chance.below(20)
        ids = list(self.plain.rules)
        if op == 0 and len(ids) < 8:
            self.made += 1
            self.put(some_rule(chance, str(self.made)))
            self.same("enable", str(self.made), self.now)
        elif op == 1 and ids:
            self.put(some_rule(chance, chance.of(ids)))
        elif op == 2 and ids and chance.below(3) == 0:
            self.same("remove", chance.of(ids), self.now)
        elif op == 3 and ids:
            self.same("disable", chance.of(ids), self.now)
        elif op in (4, 5) and ids:
            self.same("enable", chance.of(ids), self.now)
        elif op == 6:
            self.same("advance", self.now)
        elif op == 7:
            self.same("forget", *chance.of(PROPERTIES), self.now)
        elif op < 11:
            topic, source = chance.of(PULSES)
            event = NewEvent(topic=topic, source=source, data={"v": chance.of(VALUES), "w": str(chance.below(999))})
            self.same("feed", event, self.now, early=chance.below(4) == 0)
        else:
            topic, source = chance.of(PROPERTIES)
            event = NewEvent(topic=topic, source=source, data={"v": chance.of(VALUES)}, is_property=True)
            self.same("feed", event, self.now, init=chance.below(8) == 0, early=chance.below(8) == 0)
        assert self.native.next_deadline() == self.plain.next_deadline()
        for rule_id in self.plain.rules:
            running = self.plain.running.get(rule_id)
            assert self.native.enabled(rule_id) is (running is not None)
            assert self.native.active(rule_id) is (running is not None and running.active)

    def put(self, rule: RuleDef) -> None:
        self.native.put(rule)
        self.plain.put(rule)

    def same(self, method: str, *args: Any, **options: Any) -> None:
        done = getattr(self.native, method)(*args, **options)
        assert [(step.t_ns, step.what, step.rule.id) for step in done] == getattr(self.plain, method)(*args, **options)


@given(data=st.data(), steps=st.integers(0, 60))
@settings(max_examples=150, deadline=None)
def test_native_and_plain_agree(data: st.DataObject, steps: int) -> None:
    both = Both(Chance(data.draw))
    for _ in range(steps):
        both.step()


@pytest.mark.parametrize("seed", range(12))
def test_native_and_plain_agree_for_long(seed: int) -> None:
    both = Both(Chance(random.Random(seed)))
    for _ in range(STEPS):
        both.step()


@pytest.mark.parametrize("seed", range(4))
def test_restore_undoes_everything(seed: int) -> None:
    """After any history and back, the matcher goes on as the plain one, which was never there."""
    dice = random.Random(seed)
    both = Both(Chance(dice))
    for _ in range(150):
        both.step()
        before, plain, now, made = both.native.snapshot(), both.plain, both.now, both.made
        both.plain = None  # type: ignore[assignment]
        other = Both(Chance(dice))
        other.native, other.now, other.made = both.native, now, 100_000
        for method in ("advance", "disable"):
            for rule in both.native.rules():
                getattr(both.native, method)(
                    *([rule.id] if method == "disable" else []), other.now + dice.randrange(20)
                )
        for number in range(dice.randrange(4)):
            both.native.put(some_rule(other.chance, f"other{number}"))
            both.native.enable(f"other{number}", other.now)
        for _ in range(dice.randrange(90)):
            data = {"v": str(dice.randrange(3)), "w": str(dice.random())}
            topic, source = other.chance.of(PROPERTIES)
            both.native.feed(NewEvent(topic=topic, source=source, data=data, is_property=True), other.now)
        both.native.restore(before)
        both.plain, both.now, both.made = plain, now, made
