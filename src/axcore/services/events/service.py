"""The event service: keeps the rules, feeds the matcher inside the transaction of each event, and runs the actions.

Because a rule is evaluated in the transaction that publishes its event, a grant, its event and what the rule does are
one commit; the output moves after it. Methods that take ``tx`` are jobs of the ledger thread; ``rules``,
``conditions`` and ``actions`` may be called from any thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.devices import DeviceModel
from axcore.errors import InputError, LimitError, NotFoundError
from axcore.model import events
from axcore.model.convert import patched
from axcore.model.events import Event, NewEvent
from axcore.model.rules import (
    MAX_CONDITIONS,
    MAX_NAME,
    MAX_RULES,
    MAX_WAIT,
    Action,
    Rule,
    RuleSpec,
)
from axcore.rules import (
    SCHEDULED,
    Effects,
    Explanation,
    Fired,
    Matcher,
    Recorded,
    RuleDef,
    RuleWarning,
    Step,
    action_effects,
    check,
    check_conditions,
    define,
    explain,
    replay,
)

from .catalogue import check_condition, condition_types
from .conditions import ConditionType
from .performers import ActionType, Performer, Run

if TYPE_CHECKING:
    from axcore.runtime.bus import Bus
    from axcore.runtime.clock import Instant
    from axcore.runtime.ledger import Transaction

KIND = "rule"
_COUNTER = ("counter", "rule")


ConditionSource = Callable[[], Iterable[ConditionType]]
"""Conditions whose values come and go (schedules, MQTT subscriptions); their topics stay. Any thread."""


class EventService:
    """Rules: up to 16 conditions and one action each."""

    def __init__(
        self,
        model: DeviceModel,
        performers: Sequence[Performer],
        bus: Bus,
        submit: Callable[[Callable[[Transaction], Any]], object],
        *,
        conditions: Sequence[ConditionSource] = (),
    ) -> None:
        self._performers = tuple(performers)
        self._by_kind = {kind: performer for performer in self._performers for kind in performer.kinds}
        self._submit = submit
        self._fixed = condition_types(model)
        self._sources = tuple(conditions)
        self._types = {kind.topic: kind for kind in self.conditions()}
        self._rules: dict[str, Rule] = {}
        self._matcher = Matcher(kinds=self._types)
        self._started = False
        self._effects: tuple[Effects, ...] = (action_effects,)
        bus.in_transaction(None, self._on_event)

    def add_effects(self, effects: Effects) -> None:
        """Tell the check for loops of events that actions cause (set-up)."""
        self._effects = (*self._effects, effects)

    # --- life

    def load(self, tx: Transaction) -> None:
        """Read the stored rules. They run from ``start``. After a failed commit, what runs goes on as it is."""
        stored = [msgspec.json.decode(value, type=Rule) for _, value in tx.items(KIND)]
        self._rules = {rule.id: rule for rule in sorted(stored, key=lambda rule: int(rule.id))}

    def start(self, tx: Transaction) -> None:
        """Turn on every enabled rule; call after the initial states are published (they are no trigger)."""
        self._remember(tx)
        self._started = True
        fit = [rule for rule in self._rules.values() if self._put(tx, rule)]
        for rule in fit:
            if rule.enabled:
                self._enable(tx, rule)

    # --- what users see

    def rules(self) -> tuple[Rule, ...]:
        """Every rule, oldest first."""
        return tuple(self._rules.values())

    def rule(self, rule_id: str) -> Rule:
        """One rule; ``NotFoundError`` if there is none."""
        try:
            return self._rules[rule_id]
        except KeyError:
            raise NotFoundError("id", f"there is no rule {rule_id!r}") from None

    def active(self, rule_id: str) -> bool:
        """Whether the action of a rule is running now (while-active actions)."""
        return self._matcher.active(rule_id)

    def conditions(self) -> tuple[ConditionType, ...]:
        """The catalogue of conditions, with the values that they can have now."""
        return (*self._fixed, *(kind for source in self._sources for kind in source()))

    def actions(self) -> tuple[ActionType, ...]:
        """The catalogue of actions, with the values that they can have now."""
        return tuple(kind for performer in self._performers for kind in performer.describe())

    def check_action(self, action: Action) -> Action:
        """An action as it is kept; InputError names its field (``action.port``). On the ledger thread."""
        try:
            return self._performer(action).check(action)
        except InputError as error:
            raise type(error)(f"action.{error.field}", error.reason) from None

    # --- advice

    def explain(self, rule_id: str, now: int) -> Explanation:
        """Why a rule is active or not at ``now`` (monotonic ns). On the ledger thread. NotFoundError."""
        rule = self.rule(rule_id)
        if self._matcher.has(rule_id):
            return explain(self._matcher, rule_id, now)
        try:
            define(rule, self._types)
            summary = "the rules do not run yet"
        except InputError as error:
            summary = f"this device cannot run it: {error}; change the rule"
        return Explanation(
            id=rule_id,
            enabled=False,
            active=False,
            satisfied=False,
            waits_until_ns=None,
            summary=summary,
            conditions=(),
        )

    def check(self) -> tuple[RuleWarning, ...]:
        """What is odd about the rules. Any thread."""

        def effects(rule: RuleDef) -> Iterable[NewEvent]:
            return (event for one in self._effects for event in one(rule))

        return check(self._fitting(), effects=effects)

    def simulate(self, log: Sequence[Event | Recorded], rules: Sequence[RuleSpec] | None = None) -> list[Fired]:
        """What would have fired: ``rules`` (their ids count from 1) or those that there are, if they are enabled.

        Any thread. InputError names the rule or the event that cannot be.
        """
        if rules is None:
            return replay([one for one in self._fitting() if one.rule.enabled], log, self._types)
        chosen: list[Rule] = []
        for number, spec in enumerate(rules):
            try:
                checked = self._checked(spec)
            except InputError as error:
                raise type(error)(f"rules[{number}].{error.field}", error.reason) from None
            fields = {name: getattr(checked, name) for name in RuleSpec.__struct_fields__}
            chosen.append(Rule(**fields, id=str(number + 1)))
        if len(chosen) > MAX_RULES:
            raise LimitError("rules", f"at most {MAX_RULES}")
        return replay([rule for rule in chosen if rule.enabled], log, self._types)

    # --- settings

    def add_rule(self, tx: Transaction, spec: RuleSpec) -> Rule:
        """Keep a rule, and turn it on if it is enabled. ``LimitError`` at the 257th."""
        if len(self._rules) >= MAX_RULES:
            raise LimitError("rules", f"there are {MAX_RULES} rules already; remove one first")
        spec = self._checked(spec)
        number = int(tx.get(*_COUNTER) or b"0") + 1
        rule = Rule(id=str(number), **{name: getattr(spec, name) for name in RuleSpec.__struct_fields__})
        self._remember(tx)
        self._rules = {**self._rules, rule.id: rule}
        tx.put(*_COUNTER, str(number).encode())
        self._keep(tx, rule, "add")
        if self._started and self._put(tx, rule) and rule.enabled:
            self._enable(tx, rule)
        return rule

    def update_rule(self, tx: Transaction, rule_id: str, patch: Mapping[str, Any]) -> Rule:
        """Change a rule. A rule that is on goes on as it was until it is turned off and on again (manual)."""
        old = self.rule(rule_id)
        if "id" in patch and patch["id"] != rule_id:
            raise InputError("id", "cannot be changed")
        new = patched(old, patch, Rule)
        checked = self._checked(new)
        assert isinstance(checked, Rule)
        if checked == old:
            return old
        self._remember(tx)
        self._rules = {**self._rules, rule_id: checked}
        self._keep(tx, checked, "update")
        fits = self._started and self._put(tx, checked)
        if old.enabled and not checked.enabled:
            self._run(tx, self._matcher.disable(rule_id, tx.now.mono_ns), None)
        elif fits and checked.enabled and not old.enabled:
            self._enable(tx, checked)
        return checked

    def remove_rule(self, tx: Transaction, rule_id: str) -> None:
        """Turn a rule off and forget it."""
        self.rule(rule_id)
        self._remember(tx)
        self._rules = {key: rule for key, rule in self._rules.items() if key != rule_id}
        tx.delete(KIND, rule_id)
        tx.publish(_changed(rule_id, "remove"))
        if self._matcher.has(rule_id):
            self._run(tx, self._matcher.remove(rule_id, tx.now.mono_ns), None)

    # --- time (a timer of the ledger)

    def next_deadline(self) -> int | None:
        return self._matcher.next_deadline()

    def advance(self, tx: Transaction, now: Instant) -> None:
        self._remember(tx)
        self._run(tx, self._matcher.advance(now.mono_ns), None)

    # --- inside

    def _on_event(self, tx: Transaction, event: Event) -> None:
        self._remember(tx)
        if event.topic in SCHEDULED:  # counts from its own instant, and comes before waits that end with it (D9)
            steps = self._matcher.feed(event, event.t_ns, early=True)
        else:
            steps = self._matcher.feed(event, tx.now.mono_ns)
        self._run(tx, steps, event)

    def _checked(self, spec: RuleSpec) -> RuleSpec:
        name = spec.name.strip()
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise InputError("name", f"must be 1..{MAX_NAME} printable characters")
        if not math.isfinite(spec.wait) or not 0 <= spec.wait <= MAX_WAIT:
            raise InputError("wait", f"must be 0..{MAX_WAIT} s (99:59:59)")
        if not 1 <= len(spec.conditions) <= MAX_CONDITIONS:
            raise InputError("conditions", f"must be 1..{MAX_CONDITIONS}, not {len(spec.conditions)}")
        types = {kind.topic: kind for kind in self.conditions()}
        conditions = tuple(
            check_condition(types, condition, number == 0, f"conditions[{number}]")
            for number, condition in enumerate(spec.conditions)
        )
        spec = msgspec.structs.replace(spec, name=name, conditions=conditions)
        check_conditions(spec, types)
        return msgspec.structs.replace(spec, action=self.check_action(spec.action))

    def _fitting(self) -> list[RuleDef]:
        """The rules that this device can run."""
        found: list[RuleDef] = []
        for rule in self.rules():
            try:
                found.append(define(rule, self._types))
            except InputError:
                continue
        return found

    def _performer(self, action: Action) -> Performer:
        performer = self._by_kind.get(type(action))
        if performer is None:
            raise InputError("type", "this device has no such action")
        return performer

    def _keep(self, tx: Transaction, rule: Rule, action: str) -> None:
        tx.put(KIND, rule.id, msgspec.json.encode(rule))
        tx.publish(_changed(rule.id, action))

    def _enable(self, tx: Transaction, rule: Rule) -> None:
        self._run(tx, self._matcher.enable(rule.id, tx.now.mono_ns), None)

    def _put(self, tx: Transaction, rule: Rule) -> bool:
        """Give the matcher a rule, or tell that this device has not what it asks for (it was another one's)."""
        try:
            self._matcher.put(rule)
        except InputError as error:
            if rule.enabled:
                tx.publish(_failed(rule, f"{error.field}: {error.reason}"))
            return False
        return True

    def _run(self, tx: Transaction, steps: Iterable[Step], event: Event | None) -> None:
        """``event`` caused the steps, but not those of a wait that happened to be over with it."""
        for step in steps:
            rule: Rule = step.rule.rule
            cause = None if step.timer else event
            correlation = cause.correlation if cause is not None else None
            failed = partial(self._report, rule, correlation)
            run = Run(rule=rule.id, name=rule.name, event=cause, correlation=correlation, failed=failed)
            try:
                performer = self._performer(rule.action)
                (performer.stop if step.what == "stop" else performer.start)(tx, rule.action, run)
            except InputError as error:
                if step.what != "stop":
                    tx.publish(_failed(rule, error.reason, correlation))

    def _report(self, rule: Rule, correlation: str | None, reason: str) -> None:
        event = _failed(rule, reason, correlation)
        self._submit(lambda tx: tx.publish(event))

    def _remember(self, tx: Transaction) -> None:
        rules, running, started = self._rules, self._matcher.snapshot(), self._started

        def undo() -> None:
            self._rules, self._started = rules, started
            self._matcher.restore(running)

        tx.on_rollback(undo)


def _failed(rule: Rule, reason: str, correlation: str | None = None) -> NewEvent:
    data = {"rule": rule.id, "name": rule.name, "reason": reason}
    return NewEvent(topic=events.ACTION_FAILED, data=data, correlation=correlation)


def _changed(rule_id: str, action: str) -> NewEvent:
    return NewEvent(topic=events.CONFIGURATION_CHANGED, data={"kind": KIND, "key": rule_id, "action": action})
