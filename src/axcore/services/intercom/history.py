"""What is told of calls: the one that there is and the last ones. Written by jobs of the ledger thread, read by any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from axcore.errors import NotFoundError
from axcore.model.intercom import VMS_CALL, CallDirection, CallState, CallStatus, Target
from axcore.runtime.clock import rfc3339

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

KEPT = 20
"""Calls that are over and still told."""
_COUNTER = ("counter", "call")


class CallHistory:
    """Statuses by id, oldest first."""

    def __init__(self) -> None:
        self._statuses: dict[str, CallStatus] = {}

    @property
    def all(self) -> tuple[CallStatus, ...]:
        """Oldest first."""
        return tuple(self._statuses.values())

    def get(self, call_id: str) -> CallStatus:
        """NotFoundError (``CallId``)."""
        try:
            return self._statuses[call_id]
        except KeyError:
            raise NotFoundError("CallId", f"there is no call {call_id[:40]!r}") from None

    def begin(self, tx: Transaction, direction: CallDirection, account: str, **more: Any) -> str:
        """A new call; its id."""
        number = int(tx.get(*_COUNTER) or b"0") + 1
        tx.put(*_COUNTER, b"%d" % number, volatile=True)
        key = str(number)
        status = CallStatus(
            id=key, state="Idle", direction=direction, reason="", account=account,
            started=rfc3339(tx.now.wall_ns), **{"device_uri": "", **more},
        )  # fmt: skip
        over = [older for older, one in self._statuses.items() if one.state == "Terminated"]
        gone = frozenset(over[: max(0, len(self._statuses) - KEPT + 1)])  # one that still ends will be told of
        kept = {older: one for older, one in self._statuses.items() if older not in gone}
        tx.assign(self, "_statuses", {**kept, key: status})
        return key

    def enter(self, tx: Transaction, call_id: str, state: CallState, reason: str) -> CallStatus:
        """A call is in another state."""
        stopped = rfc3339(tx.now.wall_ns) if state == "Terminated" else self._statuses[call_id].stopped
        return self.note(tx, call_id, state=state, reason=reason, stopped=stopped)

    def talks(self, tx: Transaction, call_id: str, who: Target, codec: str) -> None:
        """Who has a call now."""
        kind = "VMS" if who.uri == VMS_CALL else "SIP"
        self.note(tx, call_id, codec=codec, remote_uri=who.uri, account=who.account, type=kind, answered=True)

    def note(self, tx: Transaction, call_id: str, **what: Any) -> CallStatus:
        """More is known of a call."""
        status = msgspec.structs.replace(self._statuses[call_id], **what)
        tx.assign(self, "_statuses", {**self._statuses, call_id: status})
        return status
