"""Why is a rule active, or why not: what each of its conditions looks at, and what it sees."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from axcore.errors import NotFoundError

from .definition import RuleDef, Test
from .filters import Attribute, Filter, Item, Logic
from .matcher import Matcher


class ConditionState(msgspec.Struct, frozen=True, kw_only=True):
    """One condition now."""

    index: int
    role: str
    """``start`` (it starts the rule when it happens) or ``must hold``."""
    holds: bool
    wanted: str
    reason: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One rule now."""

    id: str
    enabled: bool
    active: bool
    """Its lasting action runs."""
    satisfied: bool
    """All conditions that must hold do."""
    waits_until_ns: int | None
    """Before this, it does not activate."""
    summary: str
    conditions: tuple[ConditionState, ...]


def explain(matcher: Matcher, rule_id: str, now: int) -> Explanation:
    """Why a rule of ``matcher`` is active or not at ``now``. NotFoundError."""
    found = next((rule for rule in matcher.rules() if rule.id == rule_id), None)
    if found is None:
        raise NotFoundError("id", f"there is no rule {rule_id!r}")
    slot = matcher.slot(rule_id)
    enabled, active, _, last, due = (False, False, False, None, None)
    if slot is not None:
        enabled, active, _, last, due = matcher.core.run_state(slot)
        found = matcher.slots[slot] if enabled else found
    conditions = tuple([_condition(matcher, found, index, test) for index, test in enumerate(found.tests)])
    satisfied = all(state.holds for state in conditions if state.role == "must hold")
    summary = "active: its action runs" if active else "the rule is off"
    until = None if last is None or last + found.wait_ns <= now else last + found.wait_ns
    if enabled and not active:
        summary = _why(found, conditions, until, due)
    return Explanation(
        id=rule_id,
        enabled=enabled,
        active=active,
        satisfied=satisfied,
        waits_until_ns=until,
        summary=summary,
        conditions=conditions,
    )


def _why(rule: RuleDef, conditions: tuple[ConditionState, ...], until: int | None, due: int | None) -> str:
    """Of a rule that is on, and whose action does not run."""
    missing = [str(state.index + 1) for state in conditions if state.role == "must hold" and not state.holds]
    if missing:
        return f"not active: condition {', '.join(missing)} does not hold"
    if due is not None:
        return "satisfied: it activates when the wait between actions is over"
    if not rule.edge:
        return "satisfied: its action has run"
    if until is not None:
        return "the wait between actions is not over: a start would be lost"
    return "ready: it starts when its first condition does"


def _condition(matcher: Matcher, rule: RuleDef, index: int, test: Test) -> ConditionState:
    seen = matcher.seen(test.filter)
    hits = [items for items in seen if test.filter.holds(*items)]
    holds = bool(seen) and bool(hits) != test.invert
    start = rule.edge and index == 0
    if not seen:
        reason = "nothing is known of it yet" if not start else "it has not been seen as a state; it may be a pulse"
    elif hits:
        reason = f"it is so: {_items(*hits[0])}"
    else:
        reason = f"it is not so: {_items(*seen[0])}" + (f" and {len(seen) - 1} more" if len(seen) > 1 else "")
    return ConditionState(
        index=index,
        role="start" if start else "must hold",
        holds=holds,
        wanted=("not: " if test.invert else "") + describe(test.filter),
        reason=reason,
    )


def _items(source: Mapping[str, str], data: Mapping[str, str]) -> str:
    return ", ".join([f"{name}={value}" for name, value in (*source.items(), *data.items())]) or "no data"


def describe(asked: Filter) -> str:
    """A filter in words."""
    topics = " or ".join([node.path + ("//." if node.subtree else "") for node in asked.topics]) or "anything"
    items = [f"{name}={value}" for name, value in (*asked.source, *asked.data)]
    if asked.content is not None:
        items.append(_expression(asked.content))
    return f"{topics} with {' and '.join(items)}" if items else topics


def _expression(node: Item | Attribute | Logic) -> str:
    if isinstance(node, Attribute):
        return f'@{node.name}="{node.value}"'
    if isinstance(node, Item):
        return f"an item{' of the ' + node.part.lower() if node.part else ''} [{_expression(node.test)}]"
    if node.op == "not":
        return f"not ({_expression(node.parts[0])})"
    return "(" + f" {node.op} ".join([_expression(part) for part in node.parts]) + ")"
