"""From a request at a reader to a door: decide, write it down, make the door accessible, and say what came of it.

Granted and denied are told by the access control service, whatever the door says then: a door that is locked down
refuses an access that was granted, and the access is *not taken*. What waits for its door is a record of kind
``door.access``, so that a restart tells the end of it.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Protocol

import msgspec

from axcore.errors import ConflictError, NotFoundError
from axcore.services.doors.service import DoorService
from axcore.services.pacs.decision import Decision, Request

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

ACCESS = "door.access"


class Pacs(Protocol):
    """What is needed of ``PacsService``."""

    def decide(self, tx: Transaction, request: Request, t_ns: int = 0, correlation: str | None = None) -> Decision: ...
    def taken(
        self, tx: Transaction, decision: Decision, taken: bool, t_ns: int = 0, correlation: str | None = None
    ) -> None: ...


class _Waiting(msgspec.Struct, frozen=True, omit_defaults=True):
    decision: Decision
    correlation: str | None = None


class AccessController:
    """Requests of readers and clients, on the ledger thread."""

    def __init__(self, pacs: Pacs, doors: DoorService) -> None:
        self._pacs = pacs
        self._doors = doors
        self._count = count(1)
        doors.on_outcome = self._on_outcome

    def request(
        self, tx: Transaction, request: Request, t_ns: int = 0, correlation: str | None = None
    ) -> tuple[Decision, bool]:
        """``RequestAccess``: the decision, and whether a door was made accessible. NotFoundError: unknown reader."""
        decision = self._pacs.decide(tx, request, t_ns, correlation)
        if not decision.granted or decision.action == "":
            return decision, False
        name = f"{tx.now.wall_ns:x}-{next(self._count):x}"
        tx.put(ACCESS, name, msgspec.json.encode(_Waiting(decision, correlation)), volatile=True)
        try:
            self._doors.access(
                tx, decision.door, name, unlock=decision.unlock, extended=decision.extended,
                access_ms=decision.access_ms, open_too_long_ms=decision.open_too_long_ms,
                pre_alarm_ms=decision.pre_alarm_ms, t_ns=t_ns, correlation=correlation,
            )  # fmt: skip
        except (ConflictError, NotFoundError):
            self._on_outcome(tx, name, False, t_ns)
            return decision, False
        return decision, True

    def _on_outcome(self, tx: Transaction, name: str, taken: bool, t_ns: int) -> None:
        raw = tx.get(ACCESS, name)
        if raw is None:
            return
        tx.delete(ACCESS, name)
        waiting = msgspec.json.decode(raw, type=_Waiting)
        self._pacs.taken(tx, waiting.decision, taken, t_ns, waiting.correlation)
