"""What access control is made of, kept in the ledger: records, their index, decisions and what came of them.

Methods that take ``tx`` are jobs of the ledger thread; the properties are snapshots for any thread. Kinds of records
are those of ``index.KINDS`` and ``DOOR_KINDS``; the key is the token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.errors import InputError
from axcore.model.doors import (
    STANDARD_PRIORITIES,
    Door,
    DoorConfiguration,
    DoorScheduleConfiguration,
    PriorityConfiguration,
)
from axcore.model.pacs import DEFAULT_AUTHENTICATION, DEFAULT_SCHEDULES, Passage
from axcore.services import time as zones
from axcore.services.pacs import events
from axcore.services.pacs.decision import Decision, Request, decide, entered
from axcore.services.pacs.index import KINDS, Index, build, load

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

DOOR_KINDS: dict[str, type[Any]] = {
    "pacs.door": Door,
    "pacs.door_configuration": DoorConfiguration,
    "pacs.priority_configuration": PriorityConfiguration,
    "pacs.door_schedule_configuration": DoorScheduleConfiguration,
}
PASSAGE = "pacs.passage"
Listener = Callable[["Transaction", str, str], object]
"""Told kind and token of a record that was stored or removed."""


class PacsService:
    """Construct it, then ``Ledger.load(service.load)``."""

    def __init__(self) -> None:
        self._index = build()
        self._passages: Mapping[str, Passage] = {}
        self._doors: Mapping[str, Mapping[str, Any]] = {kind: {} for kind in DOOR_KINDS}
        self._listeners: list[Listener] = []

    def load(self, tx: Transaction) -> None:
        """Read everything; also after a failed commit."""
        stored = {kind: dict(tx.items(kind)) for kind in KINDS}
        for kind, defaults in (
            ("pacs.authentication_profile", DEFAULT_AUTHENTICATION),
            ("pacs.schedule", DEFAULT_SCHEDULES),
        ):
            delivered = {entry.token: msgspec.json.encode(entry) for entry in defaults}
            stored[kind] = delivered | stored[kind]
        zone = tx.get("param", "Time.TimeZone")
        self._index, self._passages = load(stored, zones.zone(zone.decode() if zone else "UTC"))
        found: dict[str, dict[str, Any]] = {}
        for kind, struct in DOOR_KINDS.items():
            found[kind] = {token: msgspec.json.decode(raw, type=struct) for token, raw in tx.items(kind)}
        standard = {STANDARD_PRIORITIES.token: STANDARD_PRIORITIES}
        found["pacs.priority_configuration"] = standard | found["pacs.priority_configuration"]
        self._doors = found

    @property
    def index(self) -> Index:
        return self._index

    @property
    def passages(self) -> Mapping[str, Passage]:
        return self._passages

    @property
    def doors(self) -> Mapping[str, Door]:
        return self._doors["pacs.door"]

    @property
    def door_configurations(self) -> Mapping[str, DoorConfiguration]:
        return self._doors["pacs.door_configuration"]

    @property
    def priorities(self) -> Mapping[str, PriorityConfiguration]:
        return self._doors["pacs.priority_configuration"]

    @property
    def door_schedules(self) -> Mapping[str, DoorScheduleConfiguration]:
        return self._doors["pacs.door_schedule_configuration"]

    def subscribe(self, listener: Listener) -> None:
        """Have ``listener`` told of every change, in its transaction (set-up)."""
        self._listeners.append(listener)

    def store(self, tx: Transaction, kind: str, record: Any) -> None:
        """Store a record in the place of the one with its token."""
        if kind not in KINDS and kind not in DOOR_KINDS:
            raise InputError("kind", f"there are no records of kind {kind!r}")
        tx.put(kind, record.token, msgspec.json.encode(record))
        self._changed(tx, kind, record.token)

    def remove(self, tx: Transaction, kind: str, token: str) -> None:
        """Remove a record, if there is one."""
        tx.delete(kind, token)
        self._changed(tx, kind, token)

    def decide(self, tx: Transaction, request: Request, t_ns: int = 0, correlation: str | None = None) -> Decision:
        """Decide, and tell what was decided. NotFoundError names an unknown reader."""
        decision = decide(self._index, request, tx.now.wall_ns, self._passages)
        for event in events.decided(decision, request.id_data, t_ns):
            tx.publish(msgspec.structs.replace(event, correlation=correlation))
        return decision

    def taken(
        self, tx: Transaction, decision: Decision, taken: bool, t_ns: int = 0, correlation: str | None = None
    ) -> None:
        """A granted access was used, or not: told, and remembered for anti-passback."""
        event = events.outcome_event(decision, taken, t_ns)
        tx.publish(msgspec.structs.replace(event, correlation=correlation))
        if not taken:
            return
        passage = entered(self._index, decision, self._passages.get(decision.credential), tx.now.wall_ns)
        if passage is not None:
            tx.put(PASSAGE, passage.credential, msgspec.json.encode(passage), volatile=True)
            tx.assign(self, "_passages", {**self._passages, passage.credential: passage})

    def _changed(self, tx: Transaction, kind: str, token: str) -> None:
        before = self._index, self._passages, self._doors

        def undo() -> None:
            self._index, self._passages, self._doors = before

        tx.on_rollback(undo)
        self.load(tx)
        for listener in self._listeners:
            listener(tx, kind, token)
