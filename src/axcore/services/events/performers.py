"""Who performs the actions of rules. The event service decides when; a performer knows how.

A performer is a small object that exists from the start of the device, long before the loop: it checks the values of
its kinds of action, describes them for the catalogue, and runs them inside the transaction of the event that fired the
rule. What must wait for the commit goes through ``tx.after_commit``; what must wait for a network goes into an
``Outbox`` that a service of the loop empties.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from axcore.model.actions import Action
from axcore.model.events import Event

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction


class ActionType(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of action as users choose it; ``fields`` are JSON-schema-like descriptions of what it needs."""

    type: str
    """Tag of the action."""
    group: str
    name: str
    fields: dict[str, dict[str, Any]]
    unavailable: str = ""
    """Why this device cannot perform it now; empty = it can."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One activation of a rule."""

    rule: str
    """Id."""
    name: str
    event: Event | None
    """What fired the rule; None for a timer, or when the rule was turned on."""
    correlation: str | None
    failed: Callable[[str], None]
    """Tell, from any thread, that the action could not be performed, and why (``ActionFailed``)."""


class Performer(Protocol):
    """Performs some kinds of action. All but ``describe`` are called on the ledger thread."""

    @property
    def kinds(self) -> tuple[type[Any], ...]:
        """The action structs that it performs."""

    def describe(self) -> Iterable[ActionType]:
        """The catalogue entries, as they are now. Any thread."""

    def check(self, action: Any) -> Action:
        """The action as it is kept (names resolved to ids); InputError names the field (without ``action.``)."""

    def start(self, tx: Transaction, action: Any, run: Run) -> None:
        """Perform it, or begin to (``while_active``). InputError: it cannot be done, and why."""

    def stop(self, tx: Transaction, action: Any, run: Run) -> None:
        """End what ``start`` began. Only for ``while_active``."""
