"""The rule engine in plain Python, written from its semantics sentence by sentence: slow, and hard to get wrong.

Everything is looked up anew at every step: no counters, no ids, no tables. Times are monotonic ns. The native matcher
(``axcore.rules.Matcher``) is compared with this in ``tests/property/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from axcore.model.events import NewEvent
from axcore.rules import RuleDef, Test

Action = tuple[int, str, str]
"""t_ns, what, rule id"""
Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass
class Running:
    """A rule that is on: the definition as it was then."""

    rule: RuleDef
    active: bool = False
    satisfied: bool = False
    last: int | None = None
    due: int | None = None


class ReferenceMatcher:
    """See the module's text. Content filters and subtrees are not known here."""

    def __init__(self) -> None:
        self.rules: dict[str, RuleDef] = {}
        self.running: dict[str, Running] = {}
        self.values: dict[Key, Mapping[str, str]] = {}
        self.now = 0

    # --- rules

    def put(self, rule: RuleDef) -> None:
        """Add or edit; an edit of a running rule takes effect after off and on."""
        self.rules[rule.id] = rule

    def remove(self, rule_id: str, now: int) -> list[Action]:
        """Off, then gone."""
        actions = self.disable(rule_id, now)
        del self.rules[rule_id]
        return actions

    def enable(self, rule_id: str, now: int) -> list[Action]:
        """D2: no trigger edge, but it satisfies level rules. D6: nothing is remembered."""
        actions = self.advance(now)
        if rule_id not in self.running:
            running = self.running[rule_id] = Running(self.rules[rule_id])
            if not running.rule.edge:
                self._follow(running, self.now, actions)
        return actions

    def disable(self, rule_id: str, now: int) -> list[Action]:
        """D6."""
        if rule_id not in self.rules:
            return []
        actions = self.advance(now)
        running = self.running.pop(rule_id, None)
        if running is not None and running.active:
            actions.append((self.now, "stop", rule_id))
        return actions

    # --- events

    def feed(self, event: NewEvent, now: int, *, init: bool = False, early: bool = False) -> list[Action]:
        """A property has a value, or a pulse happened."""
        actions = self._until(now, early)
        key = _key(event.topic, event.source)
        announced = init or key not in self.values
        before = {rule_id: self._level(running.rule.tests[0]) for rule_id, running in self.running.items()}
        if event.is_property:
            self.values[key] = event.data
        for running in self._in_order():
            first = running.rule.tests[0]
            if event.is_property:
                start = self._level(first) and not before[running.rule.id] and not announced
            else:
                start = _is_about(first, event.topic, event.source) and _has(event.data, first.filter.data)
            self._after(running, start, actions)
        return actions

    def forget(self, topic: str, source: Mapping[str, str], now: int) -> list[Action]:
        """D5: a deleted property is unknown."""
        actions = self._until(now, False)
        before = {rule_id: self._level(running.rule.tests[0]) for rule_id, running in self.running.items()}
        self.values.pop(_key(topic, source), None)
        for running in self._in_order():
            start = self._level(running.rule.tests[0]) and not before[running.rule.id]
            self._after(running, start, actions)
        return actions

    # --- time

    def advance(self, now: int) -> list[Action]:
        """Waits that are over."""
        return self._until(now, False)

    def next_deadline(self) -> int | None:
        """The first of them."""
        return min((running.due for running in self.running.values() if running.due is not None), default=None)

    # --- the semantics

    def _level(self, test: Test) -> bool:
        """(property value == configured) XOR invert; unknown => False."""
        known = [data for (topic, source), data in self.values.items() if _is_about(test, topic, dict(source))]
        if not known:
            return False
        return any(_has(data, test.filter.data) for data in known) != test.invert

    def _after(self, running: Running, start: bool, actions: list[Action]) -> None:
        """What an event means to a rule, the values being those after it."""
        if not running.rule.edge:
            self._follow(running, self.now, actions)
            return
        others = all(self._level(test) for test in running.rule.tests[1:])
        if not others:
            self._deactivate(running, actions)
        elif start:
            self._candidate(running, self.now, False, actions)

    def _follow(self, running: Running, now: int, actions: list[Action]) -> None:
        was, running.satisfied = running.satisfied, all(self._level(test) for test in running.rule.tests)
        if running.satisfied and not was:
            self._candidate(running, now, True, actions)
        elif was and not running.satisfied:
            running.due = None
            self._deactivate(running, actions)

    def _candidate(self, running: Running, now: int, deferrable: bool, actions: list[Action]) -> None:
        rule = running.rule
        if rule.lasting and running.active:
            return
        if running.last is not None and now - running.last < rule.wait_ns:
            if deferrable:
                running.due = running.last + rule.wait_ns
            return
        running.last, running.due = now, None
        running.active = rule.lasting
        actions.append((now, "start" if rule.lasting else "fire", rule.id))

    def _deactivate(self, running: Running, actions: list[Action]) -> None:
        if running.active:
            running.active = False
            actions.append((self.now, "stop", running.rule.id))

    def _until(self, now: int, early: bool) -> list[Action]:
        """D9: at one instant, schedule edges come before the waits that end, other events after them."""
        actions: list[Action] = []
        self.now = max(self.now, now)
        while (due := self.next_deadline()) is not None and (due < self.now or (due == self.now and not early)):
            for running in self._in_order():
                if running.due == due:
                    self._candidate(running, due, True, actions)
        return actions

    def _in_order(self) -> list[Running]:
        return [self.running[rule_id] for rule_id in self.rules if rule_id in self.running]


def _key(topic: str, source: Mapping[str, str]) -> Key:
    return topic, tuple(sorted(source.items()))


def _is_about(test: Test, topic: str, source: Mapping[str, str]) -> bool:
    return topic in [node.path for node in test.filter.topics] and _has(source, test.filter.source)


def _has(items: Mapping[str, str], wanted: tuple[tuple[str, str], ...]) -> bool:
    return all(items.get(name) == value for name, value in wanted)
