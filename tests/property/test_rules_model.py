"""Rules with one condition against a second statement of the same semantics, over random histories.

The model is written from the words of the semantics: it recomputes everything from the history of values.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from axcore.model.events import NewEvent
from axcore.model.rules import Condition, Rule, ToggleIoOnce, ToggleIoWhileActive
from axcore.rules import Kind, Matcher, Step

KINDS = {"level": Kind(stateful=True, match={"v": "1"}), "pulse": Kind(stateful=False)}
SECOND = 1_000_000_000


@dataclass
class Model:
    """One rule."""

    stateful: bool
    trigger: bool
    invert: bool
    wait: int
    holds: bool
    value: str | None = None
    on: bool = False
    level: bool = False
    running: bool = False
    last: int | None = None
    owed: int | None = None
    out: list[str] = field(default_factory=list)

    def truth(self) -> bool:
        return self.value is not None and (self.value == "1") != self.invert

    def start(self, now: int, defer: bool) -> None:
        if self.holds and self.running:
            return
        if self.last is not None and now < self.last + self.wait:
            if defer:
                self.owed = self.last + self.wait
            return
        self.last, self.owed = now, None
        self.running = self.holds
        self.out.append("start" if self.holds else "fire")

    def pulse(self, now: int) -> None:
        if self.on and not self.stateful:
            self.start(now, False)

    def set(self, value: str, now: int) -> None:
        known = self.value is not None
        self.value = value
        if self.on and self.stateful:
            self.follow(now, known)

    def follow(self, now: int, may_trigger: bool) -> None:
        was, self.level = self.level, self.truth()
        if self.level and not was and (may_trigger or not self.trigger):
            self.start(now, not self.trigger)
        if was and not self.level and not self.trigger:
            self.owed = None
            self.stop()

    def stop(self) -> None:
        if self.running:
            self.out.append("stop")
        self.running = False

    def switch(self, on: bool, now: int) -> None:
        if on == self.on:
            return
        self.on = on
        if on:
            self.level, self.last, self.owed = False, None, None
            if self.stateful:
                self.follow(now, False)
        else:
            self.stop()
            self.owed = None

    def tick(self, now: int) -> None:
        if self.on and self.owed is not None and now >= self.owed:
            self.start(now, True)


@st.composite
def kinds(draw: st.DrawFn) -> Model:
    stateful = draw(st.booleans())
    trigger = draw(st.booleans()) if stateful else False
    return Model(
        stateful=stateful,
        trigger=trigger,
        invert=draw(st.booleans()) if stateful else False,
        wait=draw(st.sampled_from([0, 1, 3, 5])) * SECOND,
        holds=draw(st.booleans()) if stateful and not trigger else False,
    )


def rule_of(number: int, model: Model) -> Rule:
    topic = "level" if model.stateful else "pulse"
    action = ToggleIoWhileActive(port="4") if model.holds else ToggleIoOnce(port="4")
    condition = Condition(topic=topic, invert=model.invert, trigger=model.trigger)
    return Rule(id=str(number), name="r", conditions=(condition,), action=action, wait=model.wait / SECOND)


OPS = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(["0", "1"])),
    st.tuples(st.just("pulse"), st.just("")),
    st.tuples(st.just("pass"), st.sampled_from(["0.5", "1", "2.5", "5"])),
    st.tuples(st.just("switch"), st.sampled_from(["on", "off"])),
)


@given(models=st.lists(kinds(), min_size=1, max_size=4), history=st.lists(OPS, max_size=60))
@settings(max_examples=400, deadline=None)
def test_matcher_and_model_do_the_same(models: list[Model], history: list[tuple[str, str]]) -> None:
    matcher, now = Matcher(kinds=KINDS), 100 * SECOND
    done: dict[str, list[str]] = {str(number): [] for number in range(len(models))}

    def take(steps: list[Step]) -> None:
        for step in steps:
            done[step.rule.id].append(step.what)

    for number, model in enumerate(models):
        matcher.put(rule_of(number, model))

    def switch(on: bool) -> None:
        for number, model in enumerate(models):
            if on and not model.on:
                take(matcher.enable(str(number), now))
            elif not on:
                take(matcher.disable(str(number), now))
            model.switch(on, now)

    switch(True)
    for op, argument in history:
        if op == "set":
            take(matcher.feed(NewEvent(topic="level", data={"v": argument}, is_property=True), now))
            for model in models:
                model.set(argument, now)
        elif op == "pulse":
            take(matcher.feed(NewEvent(topic="pulse"), now))
            for model in models:
                model.pulse(now)
        elif op == "switch":
            switch(argument == "on")
        else:
            end = now + round(float(argument) * SECOND)
            while (due := matcher.next_deadline()) is not None and due <= end:
                now = max(now, due)
                take(matcher.advance(now))
                for model in models:
                    model.tick(now)
            assert all(model.owed is None or not model.on or model.owed > end for model in models)
            now = end
        for number, model in enumerate(models):
            assert done[str(number)] == model.out
            assert matcher.active(str(number)) == model.running


@given(history=st.lists(OPS, max_size=30), models=st.lists(kinds(), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_restore_undoes_everything(history: list[tuple[str, str]], models: list[Model]) -> None:
    matcher = Matcher([rule_of(number, model) for number, model in enumerate(models)], KINDS)
    before = matcher.snapshot()
    for position, (op, argument) in enumerate(history, 1):
        if op == "set":
            matcher.feed(NewEvent(topic="level", data={"v": argument}, is_property=True), position * SECOND)
        elif op == "pulse":
            matcher.feed(NewEvent(topic="pulse"), position * SECOND)
        elif op == "pass":
            matcher.advance(position * SECOND)
        else:
            matcher.disable("0", position * SECOND)
    matcher.restore(before)
    assert matcher.snapshot() == before
