"""The action *Make call*, and the condition *DTMF* with the events that there are (manual: Set up rules)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from axcore.model import events
from axcore.model.actions import Action, MakeCall
from axcore.model.rules import Condition, Rule
from axcore.rules import FilterError, canonical, parse_filter
from axcore.services.events import ActionType, Run
from axcore.services.events.conditions import ConditionType, Item

from .service import IntercomService

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

EVENT_ID: Final = "DTMFEventId"


class CallPerformer:
    """Makes calls. A rule keeps the id of its contact, so that it follows the contact's address."""

    kinds = (MakeCall,)

    def __init__(self, intercom: IntercomService) -> None:
        self._intercom = intercom

    def describe(self) -> Iterable[ActionType]:
        to = {"type": "string", "title": "To", "examples": [one.name for one in self._people()]}
        accounts = [*self._intercom.accounts.accounts]
        account = {"type": "string", "title": "From SIP account", "default": "", "examples": accounts}
        fields = {"to": to, "account": account}
        return (ActionType(type="make_call", group="Calls", name="Make call", fields=fields),)

    def check(self, action: Any) -> Action:
        checked: Action = msgspec.structs.replace(action, to=self._intercom.check_to(action.to, action.account))
        return checked

    def start(self, tx: Transaction, action: Any, run: Run) -> None:
        self._intercom.call(tx, action.to, action.account, correlation=run.correlation)

    def stop(self, tx: Transaction, action: Any, run: Run) -> None:
        """A call has its own end."""

    def _people(self) -> Iterable[Any]:
        book = self._intercom.contacts.book
        return (*book.contacts.values(), *book.groups.values())


def rules_calling(rules: Iterable[Rule], key: str) -> Iterable[str]:
    """The rules that call this contact or group."""
    for rule in rules:
        if isinstance(rule.action, MakeCall) and rule.action.to == key:
            yield f"the rule {rule.name!r}"


def rules_calling_from(rules: Iterable[Rule], account: str) -> Iterable[str]:
    """The rules that call from this account (id)."""
    for rule in rules:
        if isinstance(rule.action, MakeCall) and rule.action.account == account:
            yield f"the rule {rule.name!r}"


def rules_waiting(rules: Iterable[Rule], event: str) -> Iterable[str]:
    """The rules with a condition that names this DTMF event (id)."""
    for rule in rules:
        if any(_waits(condition, event) for condition in rule.conditions):
            yield f"the rule {rule.name!r}"


def _waits(condition: Condition, event: str) -> bool:
    if not condition.content:
        return condition.topic == events.CALL_DTMF and condition.data.get(EVENT_ID) == event
    try:
        asked = parse_filter(condition.topic, condition.content)
    except FilterError:
        return False
    about = asked.covers(canonical(events.CALL_DTMF))
    return about and asked.could({EVENT_ID: event}) and not asked.could({EVENT_ID: ""})


def conditions(intercom: IntercomService) -> tuple[ConditionType, ...]:
    """*Call > DTMF*, with the names of the events (a ``ConditionSource``). Any thread."""
    known = tuple(intercom.accounts.dtmf.events.values())
    event = Item(
        name=EVENT_ID,
        nice_name="DTMF event",
        values=tuple(one.id for one in known),
        nice_values=tuple(one.name for one in known),
        listed=True,
    )
    number = Item(name="CallId", nice_name="Call")
    return (ConditionType(topic=events.CALL_DTMF, group="Call", name="DTMF", stateful=False, data=(event, number)),)
