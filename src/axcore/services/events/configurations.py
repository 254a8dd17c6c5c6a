"""Action configurations, and which rule was made of which.

A rule holds its action itself, so that it runs whatever becomes of a configuration. What is kept here is what a client
of the action service entered, and a link from each of its rules. A rule without a link (made over REST), or whose
action was changed since, has an implicit configuration of its own: it is listed and may be used like the others, and
goes with its rule.

Methods that take ``tx`` are jobs of the ledger thread; the others may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError
from axcore.model import events
from axcore.model.actions import Action
from axcore.model.configurations import IMPLICIT, MAX_CONFIGURATIONS, ActionConfiguration
from axcore.model.events import NewEvent
from axcore.model.rules import MAX_NAME, Rule, RuleSpec

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

KIND = "action_configuration"
LINK = "action_configuration_of_rule"
_COUNTER = ("counter", KIND)


class Rules(Protocol):
    """What is needed of the event service."""

    def rules(self) -> tuple[Rule, ...]: ...
    def check_action(self, action: Action) -> Action: ...
    def add_rule(self, tx: Transaction, spec: RuleSpec) -> Rule: ...
    def remove_rule(self, tx: Transaction, rule_id: str) -> None: ...


class ConfigurationService:
    """Keeps action configurations. At most 512."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._stored: dict[str, ActionConfiguration] = {}
        self._links: dict[str, str] = {}

    def load(self, tx: Transaction) -> None:
        """Read what is stored."""
        stored = [msgspec.json.decode(value, type=ActionConfiguration) for _, value in tx.items(KIND)]
        self._stored = {item.id: item for item in sorted(stored, key=lambda item: int(item.id))}
        self._links = {rule: value.decode() for rule, value in tx.items(LINK)}

    def configurations(self) -> tuple[ActionConfiguration, ...]:
        """Every configuration, the implicit ones last."""
        stored = self._stored
        return (*stored.values(), *(_implicit(rule) for rule in self._rules.rules() if not self._linked(rule)))

    def configuration(self, configuration_id: str) -> ActionConfiguration:
        """One configuration; ``NotFoundError`` if there is none."""
        for item in self.configurations():
            if item.id == configuration_id:
                return item
        raise NotFoundError("ConfigurationID", f"there is no action configuration {configuration_id[:40]!r}")

    def of_rule(self, rule: Rule) -> str:
        """Id of the configuration that a rule runs."""
        return self._links[rule.id] if self._linked(rule) else _implicit(rule).id

    def users(self, configuration_id: str) -> tuple[Rule, ...]:
        """The rules that run a configuration."""
        return tuple(rule for rule in self._rules.rules() if self.of_rule(rule) == configuration_id)

    # --- changes

    def add(
        self, tx: Transaction, template: str, name: str, parameters: Mapping[str, str], action: Action
    ) -> ActionConfiguration:
        """Keep a configuration whose action this device can perform. ``LimitError`` at the 513th."""
        if len(self._stored) >= MAX_CONFIGURATIONS:
            raise LimitError("configurations", f"there are {MAX_CONFIGURATIONS} already; remove one first")
        if len(name) > MAX_NAME or not name.isprintable():
            raise InputError("Name", f"must be at most {MAX_NAME} printable characters")
        number = int(tx.get(*_COUNTER) or b"0") + 1
        item = ActionConfiguration(
            id=str(number),
            template=template,
            name=name,
            parameters=dict(parameters),
            action=self._rules.check_action(action),
        )
        self._remember(tx)
        tx.put(*_COUNTER, str(number).encode())
        tx.put(KIND, item.id, msgspec.json.encode(item))
        self._stored = {**self._stored, item.id: item}
        _tell(tx, item.id, "add")
        return item

    def remove(self, tx: Transaction, configuration_id: str) -> None:
        """Forget a configuration; ``ConflictError`` while a rule runs it."""
        item = self.configuration(configuration_id)
        users = self.users(item.id)
        if users:
            raise ConflictError("ConfigurationID", f"the rule {users[0].name!r} uses it; remove the rule first")
        self._remember(tx)
        self._stored = {key: value for key, value in self._stored.items() if key != item.id}
        tx.delete(KIND, item.id)
        _tell(tx, item.id, "remove")

    def add_rule(self, tx: Transaction, spec: RuleSpec, configuration_id: str) -> Rule:
        """Add a rule that runs a configuration; ``spec`` has its action already."""
        item = self.configuration(configuration_id)
        rule = self._rules.add_rule(tx, msgspec.structs.replace(spec, action=item.action))
        self._remember(tx)
        if item.template:
            tx.put(LINK, rule.id, item.id.encode())
            self._links = {**self._links, rule.id: item.id}
        self._forget_stale(tx)
        return rule

    def remove_rule(self, tx: Transaction, rule_id: str) -> None:
        """Remove a rule and its link."""
        self._rules.remove_rule(tx, rule_id)
        self._remember(tx)
        self._forget_stale(tx)

    # --- inside

    def _linked(self, rule: Rule) -> bool:
        item = self._stored.get(self._links.get(rule.id, ""))
        return item is not None and item.action == rule.action

    def _forget_stale(self, tx: Transaction) -> None:
        """Links of rules that were removed elsewhere."""
        there = {rule.id for rule in self._rules.rules()}
        for rule in [rule for rule in self._links if rule not in there]:
            tx.delete(LINK, rule)
        self._links = {rule: item for rule, item in self._links.items() if rule in there}

    def _remember(self, tx: Transaction) -> None:
        stored, links = self._stored, self._links

        def undo() -> None:
            self._stored, self._links = stored, links

        tx.on_rollback(undo)


def _implicit(rule: Rule) -> ActionConfiguration:
    return ActionConfiguration(id=str(IMPLICIT + int(rule.id)), name=rule.name, action=rule.action)


def _tell(tx: Transaction, key: str, action: str) -> None:
    data = {"kind": KIND, "key": key, "action": action}
    tx.publish(NewEvent(topic=events.CONFIGURATION_CHANGED, data=data))
