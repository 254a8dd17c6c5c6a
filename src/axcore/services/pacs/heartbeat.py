"""Heartbeats of a master (VAPIX *Heartbeat service*): when the next one does not come in time, it is told.

The session stays the same as long as no heartbeat was lost: who gets another one knows that there was a loss. Not kept
over a restart, which is a loss too.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from axcore.errors import InputError
from axcore.model.events import NewEvent
from axcore.runtime.clock import Instant

if TYPE_CHECKING:
    from axcore.runtime.transaction import Transaction

LOST = "tns1:Device/tnsaxis:Monitor/Heartbeat"
MAX_MS = 86_400_000
MS = 1_000_000


class Heartbeat:
    """See the module's text."""

    def __init__(self) -> None:
        self._session = ""
        self._until: int | None = None

    def beat(self, tx: Transaction, duration_ms: int) -> str:
        """The master is alive for so long; gives the session. InputError."""
        if not 1 <= duration_ms <= MAX_MS:
            raise InputError("Duration", f"must be 1..{MAX_MS} ms")
        if not self._session:
            tx.assign(self, "_session", str(uuid.uuid4()))
            tx.publish(_event(False), lazy=True)
        tx.assign(self, "_until", tx.now.mono_ns + duration_ms * MS)
        return self._session

    def next_deadline(self) -> int | None:
        """When the heartbeat is lost (monotonic ns)."""
        return self._until

    def advance(self, tx: Transaction, now: Instant) -> None:
        """Tell a loss that is due."""
        if self._until is not None and now.mono_ns >= self._until:
            tx.assign(self, "_until", None)
            tx.assign(self, "_session", "")
            tx.publish(_event(True))


def _event(lost: bool) -> NewEvent:
    return NewEvent(topic=LOST, data={"lost": "1" if lost else "0"}, is_property=True)
