"""A ledger that needs no thread and no disk: every job runs and commits in the call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from axcore.errors import StoreError
from axcore.model.events import Event
from axcore.runtime.bus import Bus
from axcore.runtime.ledger import LOG_LIMIT, Job, Ledger
from axcore.testing.clock import VirtualClock

T = TypeVar("T")


class MemoryStore:
    """A store in memory. Set ``broken`` to let every commit fail; give it to a second ledger to play a restart."""

    def __init__(self) -> None:
        self.recovered: str | None = None
        self.last_id = 0
        self.event_count = 0
        self.broken: str | None = None
        self.sync_broken: str | None = None
        """Why no sync works (None: they work)."""
        self.unsynced: tuple[dict[str, dict[str, bytes]], list[Event], int] | None = None
        self.commits = 0
        self.rehearsals = 0
        self.events: list[Event] = []
        self._records: dict[str, dict[str, bytes]] = {}

    def records(self) -> dict[str, dict[str, bytes]]:
        return {kind: dict(records) for kind, records in self._records.items()}

    def write(
        self,
        writes: Mapping[tuple[str, str], bytes | None],
        events: Sequence[Event],
        last_id: int,
        drop_through: int = 0,
        copy: bool = True,
    ) -> None:
        if self.broken is not None:
            raise StoreError("memory", self.broken)
        if self.unsynced is not None:
            raise AssertionError("written twice without a sync")
        before = {kind: dict(records) for kind, records in self._records.items()}
        self.unsynced = before, list(self.events), self.last_id
        for (kind, key), value in writes.items():
            if value is None:
                self._records.get(kind, {}).pop(key, None)
            else:
                self._records.setdefault(kind, {})[key] = value
        self.events = [event for event in self.events if event.id > drop_through] + list(events)
        self.event_count = len(self.events)
        self.last_id = last_id

    def sync(self) -> None:
        if self.sync_broken is not None:
            raise StoreError("memory", self.sync_broken)
        self.unsynced = None
        self.commits += 1

    def revert(self, values: Mapping[tuple[str, str], bytes | None]) -> None:
        assert self.unsynced is not None
        self._records, self.events, self.last_id = self.unsynced
        self.event_count = len(self.events)
        self.unsynced = None
        for (kind, key), value in values.items():
            assert self._records.get(kind, {}).get(key) == value, f"{kind}/{key} was something else"

    def rehearse(self, writes: Mapping[tuple[str, str], bytes | None], events: Sequence[Event]) -> None:
        self.rehearsals += 1

    def oldest(self, count: int) -> int:
        return self.events[count - 1].id if count <= len(self.events) else 0

    def events_after(self, number: int, limit: int = 1000) -> list[Event]:
        return [event for event in self.events if event.id > number][:limit]

    wants_checkpoint = 0.0
    wants_copy = False

    def upkeep(self, *, copy: bool) -> None:
        raise AssertionError("never wanted")

    def close(self) -> None:
        pass


class MemoryLedger(Ledger):
    """A ledger whose jobs are over when the call returns. Do not ``start`` it; move time with ``advance``."""

    def __init__(
        self,
        clock: VirtualClock | None = None,
        bus: Bus | None = None,
        store: MemoryStore | None = None,
        *,
        log_limit: int = LOG_LIMIT,
    ) -> None:
        self.virtual_clock = clock or VirtualClock()
        self.store = store or MemoryStore()
        super().__init__(
            Path("memory"),
            self.virtual_clock,
            bus or Bus(),
            wait=lambda _: True,
            wake=self._awake,
            store=self.store,
            log_limit=log_limit,
        )
        self._turning = False

    def _awake(self) -> None:
        if self._turning:
            return
        self._turning = True
        try:
            self.turn()
            if self._batch.dirty:  # lazy, but no time passes here
                self._batch.urgent = True
                self.turn()
        finally:
            self._turning = False

    def do(self, job: Job[T], *, lazy: bool = False, actor: str = "") -> T:
        """Run a job and commit it now; raises what it raises."""
        return self.submit(job, lazy=lazy, actor=actor).result(timeout=0)

    def advance(self, seconds: float) -> None:
        """Let time pass, in steps, so that every timer fires at its own moment."""
        end = self.virtual_clock.mono_ns() + round(seconds * 1e9)
        while True:
            deadlines = [self._deadline(at, timer) for at, timer in enumerate(self._timers)]
            due = min((d for d in deadlines if d is not None and d <= end), default=end)
            self.virtual_clock.advance(max(0, due - self.virtual_clock.mono_ns()) / 1e9)
            self._awake()
            if due >= end:
                return

    @property
    def events(self) -> list[Event]:
        """Every committed event."""
        return self.store.events
