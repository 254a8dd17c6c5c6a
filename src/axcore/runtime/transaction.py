"""What a job sees: the image of all records, events to publish, effects to run once everything is durable.

The records live in memory as a whole; a job changes the image at once and leaves an undo entry behind. A job that fails
is undone alone, a batch whose commit fails is undone as a whole. That makes a savepoint free of any call into SQLite.
Threads: the ledger thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from axcore.errors import StateError
from axcore.model.events import SYSTEM_FAULT, Event, NewEvent
from axcore.runtime.bus import Bus
from axcore.runtime.clock import Instant, rfc3339
from axcore.runtime.results import Settled

log = logging.getLogger(__name__)

MAX_DEPTH = 8
"""Events that publish events that publish events ... end here."""

Undo = Callable[[], object]


class Batch:
    """What will be committed together."""

    __slots__ = (
        "bus",
        "copy",
        "depth",
        "done",
        "early",
        "effects",
        "events",
        "image",
        "next_id",
        "readers",
        "since_ns",
        "undo",
        "unlogged",
        "urgent",
        "writes",
    )

    def __init__(self, image: dict[str, dict[str, bytes]], bus: Bus, next_id: int) -> None:
        self.image = image
        self.bus = bus
        self.next_id = next_id
        self.writes: dict[tuple[str, str], bytes | None] = {}
        self.events: list[Event] = []
        self.unlogged: list[Event] = []
        self.early: list[Callable[[], None]] = []
        """Effects that wait for the write only; never when an effect before them waits for the sync."""
        self.effects: list[Callable[[], None]] = []
        self.undo: list[Undo] = []
        self.done: list[Settled] = []
        self.readers: list[Settled] = []
        self.urgent = False
        self.copy = False
        self.since_ns = 0
        self.depth = 0

    @property
    def dirty(self) -> bool:
        return bool(self.undo)

    def told(self) -> list[Event]:
        """What subscribers are told of, by number."""
        return sorted((*self.events, *self.unlogged), key=lambda event: event.id) if self.unlogged else self.events

    def unwind(self, mark: int) -> None:
        """Undo back to ``mark`` (a former length of ``undo``)."""
        while len(self.undo) > mark:
            try:
                self.undo.pop()()
            except Exception:
                log.exception("an undo step failed")


class Transaction:
    """One job's view of a batch; worthless once the job has returned."""

    __slots__ = ("_batch", "_early", "_lazy", "_time", "actor", "now")

    def __init__(self, batch: Batch, now: Instant, *, lazy: bool = False, actor: str = "") -> None:
        self._batch: Batch | None = batch
        self._early = False
        self._lazy = lazy
        self._time = ""
        self.now = now
        """The moment of the job on both clocks."""
        self.actor = actor
        """Who asked (user name), for audit events; empty = the device itself."""

    def get(self, kind: str, key: str) -> bytes | None:
        """The record, with what this and earlier jobs have changed."""
        return self._open().image.get(kind, {}).get(key)

    def items(self, kind: str) -> list[tuple[str, bytes]]:
        """Every (key, value) of a kind, sorted by key."""
        return sorted(self._open().image.get(kind, {}).items())

    def kinds(self) -> list[str]:
        """Every kind that has records, sorted (not the ledger's own)."""
        return sorted(kind for kind, records in self._open().image.items() if records and kind != "ledger")

    def put(self, kind: str, key: str, value: bytes, *, volatile: bool = False) -> None:
        """Set a record. ``volatile`` = it changes all the time (a counter) and asks for no new last-good copy."""
        self._write(kind, key, value, volatile)

    def delete(self, kind: str, key: str) -> None:
        """Remove a record; nothing happens when there is none."""
        if self.get(kind, key) is not None:
            self._write(kind, key, None, False)

    def publish(self, event: NewEvent, *, lazy: bool = False, logged: bool = True) -> Event:
        """Number, date and log an event in this transaction and call the bus's in-transaction subscribers with it.

        ``lazy`` = its commit may wait up to 50 ms for company. Not ``logged`` = everyone is told, but the log does not
        keep it (a state that every start has). A subscriber that fails is undone alone and told as a fault: it cannot
        undo what it was told of.
        """
        stored = self._insert(event, lazy, logged)
        batch = self._open()
        subscribers = batch.bus.subscribers_of(event.topic)
        if not subscribers:
            return stored
        if batch.depth >= MAX_DEPTH:
            log.error("events cause each other without end: %s is not passed on", event.topic)
            return stored
        batch.depth += 1
        try:
            for subscriber in subscribers:
                mark = len(batch.undo)
                try:
                    subscriber(self, stored)
                except Exception as error:
                    log.exception("a subscriber of %s failed", event.topic)
                    batch.unwind(mark)
                    reason = f"{type(error).__name__} at {event.topic}"
                    self._insert(NewEvent(topic=SYSTEM_FAULT, data={"component": "subscriber", "reason": reason}), True)
        finally:
            batch.depth -= 1
        return stored

    def after_commit(self, effect: Callable[[], None]) -> None:
        """Run ``effect`` in order right after the commit's sync, never before, never without it (relays go here).

        Only after ``act_early`` it may run between the write and the sync.
        """
        batch = self._open()
        effects = batch.early if self._early and not batch.effects else batch.effects
        effects.append(effect)
        batch.undo.append(effects.pop)
        batch.urgent |= not self._lazy

    def act_early(self) -> None:
        """The cause of this job is an edge of an input, which grants nobody anything and is there for all to see.

        Its effects wait until the batch is written (it survives the death of this process), not until it is synced.
        Never call it where a grant, a counter or an acknowledgement hangs on the job.
        """
        self._early = True

    def on_rollback(self, fn: Undo) -> None:
        """Call ``fn`` if what this job did so far is undone (job failed, commit failed); newest first."""
        self._open().undo.append(fn)

    def assign(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute of a service's state now, and set it back if this is undone."""
        old = getattr(owner, name)
        setattr(owner, name, value)
        self._open().undo.append(lambda: setattr(owner, name, old))

    def _open(self) -> Batch:
        if self._batch is None:
            raise StateError("the transaction is over")
        return self._batch

    def _close(self) -> None:
        self._batch = None

    def _insert(self, event: NewEvent, lazy: bool, logged: bool = True) -> Event:
        batch = self._open()
        events, number = batch.events if logged else batch.unlogged, batch.next_id
        if not self._time:
            self._time = rfc3339(self.now.wall_ns)
        stored = Event(
            id=number,
            time=self._time,
            topic=event.topic,
            source=event.source,
            data=event.data,
            is_property=event.is_property,
            t_ns=event.t_ns or self.now.mono_ns,
            correlation=event.correlation,
        )
        batch.next_id = number + 1
        events.append(stored)
        batch.undo.append(events.pop)
        if not (lazy or self._lazy):
            batch.urgent = True
        return stored

    def _write(self, kind: str, key: str, value: bytes | None, volatile: bool) -> None:
        batch = self._open()
        records = batch.image.setdefault(kind, {})
        address = (kind, key)
        old, pending, old_copy = records.get(key), batch.writes.get(address, _ABSENT), batch.copy

        def undo() -> None:
            _set(records, key, old)
            if pending is _ABSENT:
                del batch.writes[address]
            else:
                batch.writes[address] = pending
            batch.copy = old_copy

        _set(records, key, value)
        batch.writes[address] = value
        batch.copy |= not volatile
        batch.undo.append(undo)
        batch.urgent |= not self._lazy


_ABSENT: Any = object()


def _set(records: dict[str, bytes], key: str, value: bytes | None) -> None:
    if value is None:
        records.pop(key, None)
    else:
        records[key] = value
