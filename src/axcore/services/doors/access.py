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

    def decide_all(
        self, tx: Transaction, request: Request, *, t_ns: int = 0, correlation: str | None = None
    ) -> list[Decision]: ...
    def taken(
        self, tx: Transaction, decision: Decision, taken: bool, *, t_ns: int = 0, correlation: str | None = None
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
        """``RequestAccess``: the decision, and whether a door was made accessible. NotFoundError: unknown reader.

        A reader with several access points (in an elevator) opens every door that is granted; the first one is given.
        """
        decisions = self._pacs.decide_all(tx, request, t_ns=t_ns, correlation=correlation)
        opened = [self._open(tx, decision, t_ns, correlation) for decision in decisions if decision.granted]
        return decisions[0], any(opened)

    def _open(self, tx: Transaction, decision: Decision, t_ns: int, correlation: str | None) -> bool:
        """Make the door of a granted access accessible; False: it refuses."""
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
            return False
        return True

    def _on_outcome(self, tx: Transaction, name: str, taken: bool, t_ns: int) -> None:
        raw = tx.get(ACCESS, name)
        if raw is None:
            return
        tx.delete(ACCESS, name)
        waiting = msgspec.json.decode(raw, type=_Waiting)
        self._pacs.taken(tx, waiting.decision, taken, t_ns=t_ns, correlation=waiting.correlation)
