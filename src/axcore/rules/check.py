"""What is odd about rules, before they run: conditions that exclude each other, rules that wake each other in a circle,
and rules that pull one output two ways. Warnings, not errors: each of them can be meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from axcore.model.events import NewEvent
from axcore.model.rules import Rule, ToggleIoOnce, ToggleIoWhileActive

from .definition import Kinds, RuleDef, Test, define
from .effects import Effects, action_effects
from .explain import describe
from .filters import Filter

WarningKind = Literal["contradiction", "loop", "shared output", "double condition", "same rule"]


class RuleWarning(msgspec.Struct, frozen=True, kw_only=True):
    """Something odd about some rules."""

    kind: WarningKind
    rules: tuple[str, ...]
    text: str


def check(
    rules: Iterable[Rule | RuleDef], kinds: Kinds | None = None, *, effects: Effects = action_effects
) -> tuple[RuleWarning, ...]:
    """Warnings about ``rules``, contradictions first. ``effects`` tells which events an action causes."""
    defs = [rule if isinstance(rule, RuleDef) else define(rule, kinds or {}) for rule in rules]
    found = [warning for rule in defs for warning in _inside(rule)]
    return (*found, *_loops(defs, effects), *_shared(defs), *_same(defs))


def _inside(rule: RuleDef) -> Iterable[RuleWarning]:
    """Conditions that exclude each other, or say the same."""
    tests = rule.tests[1:] if rule.edge else rule.tests
    for number, one in enumerate(tests):
        for other in tests[number + 1 :]:
            if one == other:
                text = f"the condition {describe(one.filter)} stands twice"
                yield RuleWarning(kind="double condition", rules=(rule.id,), text=text)
            elif _exclude(one, other):
                text = f"never satisfied: {_words(one)} and {_words(other)} exclude each other"
                yield RuleWarning(kind="contradiction", rules=(rule.id,), text=text)
    if rule.edge:
        for other in rule.tests[1:]:
            if rule.tests[0].filter == other.filter and rule.tests[0].invert != other.invert:
                text = f"never starts: when {_words(rule.tests[0])} begins, {_words(other)} does not hold"
                yield RuleWarning(kind="contradiction", rules=(rule.id,), text=text)


def _exclude(one: Test, other: Test) -> bool:
    """Whether two conditions can never hold together, as far as can be seen from exact items."""
    if one.filter == other.filter:
        return one.invert != other.invert
    if one.invert or other.invert or one.filter.content or other.filter.content:
        return False
    if one.filter.topics != other.filter.topics or one.filter.source != other.filter.source or not one.filter.source:
        return False
    wanted = dict(one.filter.data)
    return any(wanted.get(name, value) != value for name, value in other.filter.data)


def _words(test: Test) -> str:
    return ("not " if test.invert else "") + describe(test.filter)


# --- rules that wake each other


def _loops(defs: Sequence[RuleDef], effects: Effects) -> Iterable[RuleWarning]:
    """Circles of "an action of this rule changes a condition of that rule", each told once, from its first rule on."""
    users: dict[Filter, list[int]] = {}
    for number, rule in enumerate(defs):
        for test in set(rule.tests):
            users.setdefault(test.filter, []).append(number)
    known: dict[tuple[object, ...], set[int]] = {}
    wakes: list[list[int]] = []
    for rule in defs:
        woken: set[int] = set()
        for event in effects(rule):
            key = (event.topic, *event.source.items(), None, *event.data.items())
            if key not in known:
                known[key] = {number for asked in users if _touches(event, asked) for number in users[asked]}
            woken |= known[key]
        wakes.append(sorted(woken))
    for circle in _circles(wakes):
        names = tuple(defs[number].id for number in circle)
        text = "the action of a rule changes its own condition" if len(names) == 1 else "the rules set each other off"
        yield RuleWarning(kind="loop", rules=names, text=f"{text}: {' -> '.join((*names, names[0]))}")


def _touches(event: NewEvent, asked: Filter) -> bool:
    """Whether an event may change what a filter asks for."""
    return asked.matches(event.topic, event.source, {**event.data, **_stars(asked, event)})


def _stars(asked: Filter, event: NewEvent) -> dict[str, str]:
    """What the filter wants of the data whose values are not known."""
    return {name: value for name, value in asked.data if event.data.get(name) == "*"}


def _circles(wakes: Sequence[Sequence[int]]) -> Iterable[list[int]]:
    """Each strongly connected group of rules, and each rule that wakes itself (Tarjan, without recursion)."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    for root in range(len(wakes)):
        if root in order:
            continue
        work = [(root, iter(wakes[root]))]
        order[root] = low[root] = len(order)
        stack.append(root)
        while work:
            node, rest = work[-1]
            following = next(rest, None)
            if following is not None:
                if following not in order:
                    order[following] = low[following] = len(order)
                    stack.append(following)
                    work.append((following, iter(wakes[following])))
                elif following in stack:
                    low[node] = min(low[node], order[following])
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[node])
            if low[node] == order[node]:
                at = stack.index(node)
                group, stack[at:] = stack[at:], []
                if len(group) > 1 or node in wakes[node]:
                    yield sorted(group)


# --- rules and outputs


def _shared(defs: Sequence[RuleDef]) -> Iterable[RuleWarning]:
    """Two rules or more that drive one output."""
    users: dict[str, list[str]] = {}
    for rule in defs:
        action = rule.rule.action if isinstance(rule.rule, Rule) else None
        if isinstance(action, ToggleIoOnce | ToggleIoWhileActive):
            users.setdefault(action.port, []).append(rule.id)
    for port, names in users.items():
        if len(names) > 1:
            yield RuleWarning(kind="shared output", rules=tuple(names), text=f"port {port} is driven by several rules")


def _same(defs: Sequence[RuleDef]) -> Iterable[RuleWarning]:
    """Rules with the same conditions and the same action."""
    seen: dict[tuple[object, ...], str] = {}
    for rule in defs:
        if not isinstance(rule.rule, Rule):
            continue
        key = (frozenset(rule.tests), rule.tests[0], rule.edge, rule.rule.action)
        first = seen.setdefault(key, rule.id)
        if first != rule.id:
            text = "the conditions and the action are the same"
            yield RuleWarning(kind="same rule", rules=(first, rule.id), text=text)
