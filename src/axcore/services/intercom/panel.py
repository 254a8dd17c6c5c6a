"""The front of the station: the call button, and numbers dialled on the keypad (manual: Calls, Use the keypad).

What cannot be done is told as an event: a button has no other answer. Jobs of the ledger thread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from axcore.devices import call as calls
from axcore.errors import InputError

from . import notices

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

    from .service import IntercomService

NS = 1_000_000_000


class Panel:
    """See the module's text."""

    def __init__(self, intercom: IntercomService) -> None:
        self._intercom = intercom
        self._dialled_ns = 0

    def on_button(self, tx: Transaction, t_ns: int, correlation: str | None = None) -> None:
        """The call button was pressed. One that is turned off can be used for nothing: its press only ends a number."""
        intercom = self._intercom
        button, call, now = intercom.contacts.button, intercom.busy, tx.now.mono_ns
        if t_ns and t_ns == self._dialled_ns:
            return  # the digits before it were a speed dial number
        if not button.enabled:
            return
        does = calls.button(call, button.during_call, round(button.delay * NS), now)
        if does == "call":
            if intercom.reaches(button.recipients):
                act = partial(intercom.call_contacts, tx, button.recipients, fallback=button.fallback)
                self._try(tx, partial(act, correlation=correlation), correlation)
        elif call is not None and does == "end":
            intercom.hang_up(tx, call.id, "ended by the call button")
        elif call is not None and does == "answer":
            intercom.answer(tx, call.id)

    def on_speed_dial(self, tx: Transaction, digits: str, t_ns: int, correlation: str | None = None) -> None:
        """A number was entered before the call key. During a call that is the button, whatever was typed before it."""
        intercom = self._intercom
        if intercom.busy is not None:
            return
        known = intercom.contacts.by_speed_dial(digits)
        if known is not None:
            tx.assign(self, "_dialled_ns", t_ns)
            self._try(tx, partial(intercom.call_contacts, tx, (known,), correlation=correlation), correlation)

    @staticmethod
    def _try(tx: Transaction, act: Callable[[], object], correlation: str | None) -> None:
        try:
            act()
        except InputError as error:
            tx.publish(notices.fault(f"no call: {error.reason}", correlation))
