"""The calls that there are: one that is made or held, and those that were told to end and have not yet.

Written by jobs of the ledger thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from axcore.devices.call import Call

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction


class LiveCalls:
    """See the module's text."""

    def __init__(self) -> None:
        self.now: Call | None = None
        """The one that is made or held."""
        self._ending: dict[str, Call] = {}

    @property
    def all(self) -> list[Call]:
        """Those that end first."""
        return [*self._ending.values(), *(() if self.now is None else (self.now,))]

    @property
    def deadline(self) -> int | None:
        """When the first of them has something to do."""
        return min((call.deadline for call in self.all if call.deadline is not None), default=None)

    def is_now(self, call_id: str) -> bool:
        """Whether a call is the one that is made or held."""
        return self.now is not None and self.now.id == call_id

    def with_leg(self, leg: str) -> Call | None:
        """The call that has a leg."""
        return next((call for call in self.all if call.leg(leg) is not None), None)

    def account_of(self, leg: str) -> str:
        """The account that a leg is called from; empty if there is no such leg."""
        call = self.with_leg(leg)
        known = None if call is None else call.leg(leg)
        return "" if known is None else known.target.account

    def keep(self, tx: Transaction, call: Call) -> None:
        """A call as it is now; one that is over is forgotten."""
        if call.live:
            tx.assign(self, "now", call)
            return
        if self.is_now(call.id):
            tx.assign(self, "now", None)
        ending = {key: other for key, other in self._ending.items() if key != call.id}
        if call.state != "Terminated":
            ending[call.id] = call
        tx.assign(self, "_ending", ending)
