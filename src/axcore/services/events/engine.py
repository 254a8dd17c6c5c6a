"""The rule engine for rules with one condition: pure state and time, no I/O.

Level rules (a stateful condition without the trigger flag) are satisfied while the condition holds. Edge rules (a
pulse, or a stateful condition used as a trigger) start when it happens. ``wait`` is counted from one activation to the
next; a level rule whose wait is not over activates when it is, if it is still satisfied; an edge rule's start is lost.
Announcements of a first value and enabling a rule satisfy level rules, but are never a trigger. A property that is not
known is false, also when the condition is inverted. Times are monotonic nanoseconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from axcore.model.events import NewEvent
from axcore.model.rules import Rule, ToggleIoWhileActive

from .catalogue import ConditionType

SECOND = 1_000_000_000
What = Literal["fire", "start", "stop"]
Key = tuple[str, tuple[tuple[str, str], ...]]


class Step(msgspec.Struct, frozen=True):
    """Something to do now for a rule."""

    what: What
    rule: Rule


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """What changes while a rule is enabled."""

    level: bool = False
    active: bool = False
    """A while-active action runs."""
    t_last: int | None = None
    due: int | None = None


class Runner(msgspec.Struct, frozen=True, kw_only=True):
    """An enabled rule: the definition as it was when the rule was turned on."""

    rule: Rule
    order: int
    stateful: bool
    edge: bool
    source: tuple[tuple[str, str], ...]
    data: tuple[tuple[str, str], ...]
    state: RunState = RunState()

    @property
    def while_active(self) -> bool:
        return isinstance(self.rule.action, ToggleIoWhileActive)


def compile_rule(rule: Rule, order: int, kind: ConditionType) -> Runner:
    """The runner of an enabled rule, not yet evaluated."""
    condition = rule.conditions[0]
    return Runner(
        rule=rule,
        order=order,
        stateful=kind.stateful,
        edge=condition.trigger or not kind.stateful,
        source=tuple(condition.source.items()),
        data=tuple({**kind.match, **condition.data}.items()),
    )


def is_level(kind: ConditionType, trigger: bool) -> bool:
    """Whether a condition of this kind lasts, so that a while-active action knows its end."""
    return kind.stateful and not trigger


class Engine:
    """All enabled rules and the properties they look at. One owner; see ``snapshot``."""

    def __init__(self) -> None:
        self._runners: dict[str, Runner] = {}
        self._topics: dict[str, tuple[str, ...]] = {}
        self._values: dict[str, dict[tuple[tuple[str, str], ...], dict[str, str]]] = {}

    # --- undo: state is replaced, never changed in place

    def snapshot(self) -> object:
        """What ``restore`` needs to come back to now."""
        return self._runners, self._topics, self._values

    def restore(self, snapshot: object) -> None:
        assert isinstance(snapshot, tuple)
        self._runners, self._topics, self._values = snapshot

    # --- rules

    def enable(self, runner: Runner, now: int) -> list[Step]:
        """Take a rule in; level rules whose condition holds activate at once."""
        steps: list[Step] = []
        runner = self._follow(runner, self._level(runner), now, steps, trigger=False)
        runners = {**self._runners, runner.rule.id: runner}
        self._runners = dict(sorted(runners.items(), key=lambda item: item[1].order))
        self._index()
        return steps

    def disable(self, rule_id: str) -> list[Step]:
        """Take a rule out; what it holds is let go."""
        runner = self._runners.get(rule_id)
        if runner is None:
            return []
        self._runners = {key: other for key, other in self._runners.items() if key != rule_id}
        self._index()
        return [Step("stop", runner.rule)] if runner.state.active else []

    def active(self, rule_id: str) -> bool:
        """Whether the while-active action of a rule runs."""
        runner = self._runners.get(rule_id)
        return runner is not None and runner.state.active

    # --- events

    def feed(self, event: NewEvent, now: int) -> list[Step]:
        """An event happened: what the rules want done, in their order of creation."""
        first = self._remember(event) if event.is_property else False
        names = self._topics.get(event.topic, ())
        steps: list[Step] = []
        changed: dict[str, Runner] = {}
        for name in names:
            runner = self._runners[name]
            if not runner.stateful:
                if not event.is_property and _has(event.source, runner.source) and _has(event.data, runner.data):
                    changed[name] = _candidate(runner, now, steps)
            elif event.is_property:
                level = self._level(runner)
                if level != runner.state.level:
                    changed[name] = self._follow(runner, level, now, steps, trigger=not first)
        if changed:
            self._runners = {**self._runners, **changed}
        return steps

    # --- time

    def next_deadline(self) -> int | None:
        """When a waiting level rule may activate."""
        return min((r.state.due for r in self._runners.values() if r.state.due is not None), default=None)

    def advance(self, now: int) -> list[Step]:
        """Activate the level rules whose wait is over."""
        steps: list[Step] = []
        changed: dict[str, Runner] = {}
        for name, runner in self._runners.items():
            due = runner.state.due
            if due is not None and due <= now:
                changed[name] = _candidate(runner, now, steps)
        if changed:
            self._runners = {**self._runners, **changed}
        return steps

    # --- inside

    def _index(self) -> None:
        topics: dict[str, list[str]] = {}
        for name, runner in self._runners.items():
            topics.setdefault(runner.rule.conditions[0].topic, []).append(name)
        self._topics = {topic: tuple(names) for topic, names in topics.items()}

    def _remember(self, event: NewEvent) -> bool:
        """Keep the value of a property; True if it was not known before."""
        key = tuple(sorted(event.source.items()))
        known = self._values.get(event.topic, {})
        self._values = {**self._values, event.topic: {**known, key: event.data}}
        return key not in known

    def _level(self, runner: Runner) -> bool:
        if not runner.stateful:
            return False
        condition = runner.rule.conditions[0]
        values = self._values.get(condition.topic, {})
        seen = [data for key, data in values.items() if _has(dict(key), runner.source)]
        if not seen:
            return False
        return any(_has(data, runner.data) for data in seen) != condition.invert

    def _follow(self, runner: Runner, level: bool, now: int, steps: list[Step], *, trigger: bool) -> Runner:
        was = runner.state.level
        runner = _with(runner, level=level)
        if level and not was:
            return _candidate(runner, now, steps) if trigger or not runner.edge else runner
        if was and not level and not runner.edge:
            if runner.state.active:
                steps.append(Step("stop", runner.rule))
            return _with(runner, active=False, due=None)
        return runner


def _candidate(runner: Runner, now: int, steps: list[Step]) -> Runner:
    state, wait = runner.state, round(runner.rule.wait * SECOND)
    if runner.while_active and state.active:
        return runner
    if state.t_last is not None and now - state.t_last < wait:
        return runner if runner.edge else _with(runner, due=state.t_last + wait)
    steps.append(Step("start" if runner.while_active else "fire", runner.rule))
    return _with(runner, active=runner.while_active, t_last=now, due=None)


def _with(runner: Runner, **changes: bool | int | None) -> Runner:
    return msgspec.structs.replace(runner, state=msgspec.structs.replace(runner.state, **changes))


def _has(items: dict[str, str], wanted: Iterable[tuple[str, str]]) -> bool:
    return all(items.get(name) == value for name, value in wanted)
