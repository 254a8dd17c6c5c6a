"""The ledger: the one thread that owns the store and the state of every service. *Persist, then act.*

Whatever changes anything is a *job*, run here in a transaction. A turn takes native events first (a card never waits
behind HTTP, and is not written together with it), then what the timers owe, then queued jobs, and commits with one
sync. Effects (relays), subscribers and callers are told after the commit, in that order, and never without it; the
effects of an input's edge, which grants nothing, wait for the write but not for the sync (``Transaction.act_early``).
Jobs marked lazy, and lazy events, leave the batch open for up to 50 ms, so that a flood of unknown cards costs few
syncs. While a card or an input's edge is under way, lazy jobs wait, and what they left open is committed before.
Failing jobs are undone alone; if the commit fails, all is undone.

Threads: ``submit`` any, ``run`` the loop, the rest as told. Allocation: queues are bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol, TypeVar

from axcore.errors import InputError, QueueFullError, StateError, StoreError
from axcore.model.events import EVENTS_DROPPED, STATE_RECOVERED, SYSTEM_FAULT, Event, NewEvent
from axcore.runtime.bus import Bus
from axcore.runtime.clock import NS, Clock, Instant, instant
from axcore.runtime.results import FutureSink, LoopSink, Settled, Sink, settle
from axcore.runtime.store import StoreLike
from axcore.runtime.store_open import open_store
from axcore.runtime.transaction import Batch, Transaction
from axcore.runtime.way import RightOfWay

__all__ = ["Job", "Ledger", "Timed", "Transaction"]

log = logging.getLogger(__name__)

T = TypeVar("T")
Job = Callable[[Transaction], T]

LAZY_NS = 50_000_000
"""Longest wait of a lazy commit."""
IDLE_NS = NS
"""A turn happens at least this often: the watchdog's proof of life."""
RETRY_NS = NS
"""Rest after a failed commit or timer before it is tried again by itself."""
BUDGET_NS = 500_000
"""Time for queued jobs in a turn, so that a card that arrives meanwhile waits no longer."""
HELD_NS = 1_000_000
"""A look whether lazy jobs still have to wait."""
MAX_BATCH = 64
"""Events after which a lazy batch is committed anyway."""
FIFO_PRIORITY = 10
"""Below the I/O thread, above everything else: a card does not wait for a busy machine."""
LOG_LIMIT = 30_000
"""Events kept."""
DROP_STEP = 1000
"""Events dropped at a time when the log is full."""
QUIET_NS = NS // 2
"""Upkeep starts after this long without a commit ..."""
COPY_EVERY_NS = 10 * NS
"""... and copies the store at most this often;"""
COPY_AT_LAST_NS = 60 * NS
"""without such a pause, a copy that is wanted waits no longer than this."""


class Timed(Protocol):
    """A service with deadlines on the monotonic clock."""

    def next_deadline(self) -> int | None:
        """The next moment (ns) at which ``advance`` is needed; None = none."""

    def advance(self, tx: Transaction, now: Instant) -> None:
        """Do everything that is due."""


class _Item:
    __slots__ = ("actor", "job", "lazy", "sink")

    def __init__(self, job: Job[Any], sink: Sink | None, lazy: bool, actor: str) -> None:
        self.job = job
        self.sink = sink
        self.lazy = lazy
        self.actor = actor


class Ledger:
    """See the module's text. ``path`` is the data directory; ``store`` replaces the SQLite store in tests."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        bus: Bus,
        *,
        wait: Callable[[int], bool],
        wake: Callable[[], None],
        store: StoreLike | None = None,
        max_queue: int = 4096,
        log_limit: int = LOG_LIMIT,
    ) -> None:
        """Opens (or recovers) the store. Raises StoreError naming the file."""
        self.clock = clock
        self.bus = bus
        self.progress = 0
        """Rises every turn, at least once a second."""
        self.on_native: Callable[[], Iterable[Job[Any]]] | None = None
        """Called at the start of each turn, hands over every native event that waits, as jobs."""
        self.expects: Callable[[], bool] = lambda: False
        """Whether a native event is under way."""
        self.rehearsal: Job[Any] | None = None
        """Run and thrown away while a card comes in (see ``rehearse``)."""
        self.way = RightOfWay()
        """Others give way to what ``on_native`` hands over."""
        self._wait = wait
        self._wake = wake
        self._store: StoreLike = open_store(path) if store is None else store
        self._max_queue = max_queue
        self._log_limit = log_limit
        self._queue: deque[_Item] = deque()
        self._expected_ns: int | None = None
        """Since when a native event is under way."""
        self._holding = False
        """Lazy jobs wait for it."""
        self._passed_over = False
        """The queue has just waited for a native event's commit, and is next."""
        self._lock = threading.Lock()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._timers: list[Timed] = []
        self._timers_rest_ns = 0
        """Nothing that they owe is due before, unless a job runs. Looked at before each wait."""
        self._not_before: list[int] = []
        self._reload: list[Job[None]] = []
        self._image = self._store.records()
        self._batch = Batch(self._image, bus, self._store.last_id + 1)
        self._settled: list[Settled] = []
        self._fault: str | None = None
        self._retry_ns = 0
        self._last_commit_ns = clock.mono_ns()
        self._last_copy_ns = clock.mono_ns() - COPY_EVERY_NS  # a clean start makes one

    # set-up, before start

    @property
    def recovered(self) -> str | None:
        """Why the store was recovered, until ``load`` has told it."""
        return self._store.recovered

    def add_timer(self, service: Timed) -> None:
        """Have ``service.advance`` called when its deadline is over."""
        self._timers.append(service)
        self._not_before.append(0)

    def on_reload(self, load: Job[None]) -> None:
        """Call ``load(tx)`` after a failed commit, so that a service reads its state from the store again.

        Only for state that ``assign`` and ``on_rollback`` do not put back.
        """
        self._reload.append(load)

    def load(self, *loaders: Job[None]) -> None:
        """Run the services' ``load(tx)`` in one transaction and commit it; call before ``start``.

        After a recovery the event STATE_RECOVERED is part of it, and loaders find ``tx.get("ledger", "recovered")``.
        Raises what a loader raises, or StoreError.
        """
        batch = self._batch
        tx = Transaction(batch, instant(self.clock))
        try:
            if self.recovered is not None:
                file, _, reason = self.recovered.partition(": ")
                tx.publish(NewEvent(topic=STATE_RECOVERED, data={"file": file, "reason": reason}))
            for loader in loaders:
                loader(tx)
            tx.delete("ledger", "recovered")
        except BaseException:
            batch.unwind(0)
            batch.urgent = False
            raise
        finally:
            tx._close()
        if batch.dirty and (error := self._commit()) is not None:
            raise error
        self._store.recovered = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Refuse new jobs, finish the queued ones, commit, close the store. Safe to call twice."""
        with self._lock:
            if self._stopping:
                return
            self._stopping = True
        if self._thread is None:
            self.turn()
        else:
            self._wake()
            self._thread.join()
        self._store.close()

    # jobs

    def submit(self, job: Job[T], *, lazy: bool = False, actor: str = "") -> Future[T]:
        """Queue a job from any thread; the future resolves after its commit's sync.

        Raises QueueFullError (nothing queued) and StateError after ``stop``. The future raises what the job raised, or
        StoreError.
        """
        future: Future[T] = Future()
        self._enqueue(_Item(job, FutureSink(future), lazy, actor))
        return future

    async def run(self, job: Job[T], *, lazy: bool = False, actor: str = "") -> T:
        """``submit`` for the loop."""
        sink = LoopSink(asyncio.get_running_loop())
        self._enqueue(_Item(job, sink, lazy, actor))
        result: T = await sink.future
        return result

    def post(self, job: Job[Any], *, lazy: bool = False) -> None:
        """Queue a job whose result nobody waits for; its errors are logged. Raises like ``submit``."""
        self._enqueue(_Item(job, None, lazy, ""))

    def events_after(self, number: int, limit: int = 1000) -> list[Event]:
        """Committed events with an id above ``number``, oldest first; from any thread (about 10 us an event)."""
        return self._store.events_after(number, min(limit, self._log_limit))

    async def read_events(self, number: int, limit: int = 1000) -> list[Event]:
        """``events_after`` without blocking the loop."""
        return await asyncio.to_thread(self.events_after, number, limit)

    @property
    def last_id(self) -> int:
        """Number of the last commit; no event has a higher id yet."""
        return self._store.last_id

    def _enqueue(self, item: _Item) -> None:
        with self._lock:
            if self._stopping:
                raise StateError("the ledger is stopped")
            if len(self._queue) >= self._max_queue:
                raise QueueFullError(f"{self._max_queue} jobs wait for the ledger already")
            self._queue.append(item)
        self._wake()

    # the ledger thread

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # not allowed here: the ordinary way
            # Threads that this one starts (upkeep) do not inherit it.
            os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(FIFO_PRIORITY))
        while not (self._stopping and not self._queue):
            if not self._wait(self._timeout()):
                self.rehearse()
            self.turn()
        self.turn()

    def rehearse(self) -> None:
        """Run the rehearsal, so that the code of a decision is in the processor's caches when a card is complete.

        A decision takes a tenth of the time then. The rehearsal has a batch of its own, which is undone and thrown
        away: nothing of it can be committed, and what is not committed has no effect. It is undone before the store is
        asked: there other threads get their turn, and must not see what has not happened.
        """
        rehearsal = self.rehearsal
        if rehearsal is None:
            return
        batch = Batch(self._image, self.bus, self._batch.next_id)
        tx = Transaction(batch, instant(self.clock))
        try:
            rehearsal(tx)
            writes, events = dict(batch.writes), list(batch.events)
            batch.unwind(0)
            self._store.rehearse(writes, events)
        except Exception:
            log.exception("the rehearsal failed; there will be no other")
            self.rehearsal = None
        finally:
            tx._close()
            batch.unwind(0)

    def _timeout(self) -> int:
        if self._stopping:
            return 0
        if self._queue:
            return HELD_NS if self._holding and self._queue[0].lazy else 0
        now = self.clock.mono_ns()
        due = now + IDLE_NS
        for at, timer in enumerate(self._timers):
            deadline = self._deadline(at, timer)
            if deadline is not None:
                due = min(due, deadline)
        self._timers_rest_ns = due
        if self._batch.dirty:
            due = min(due, self._batch.since_ns + LAZY_NS if self._fault is None else self._retry_ns)
        return max(0, due - now)

    def turn(self) -> None:
        """One turn: everything that waits, then the commit. For the thread, and for tests that have none."""
        self.progress += 1
        rest_ns, self._timers_rest_ns = self._timers_rest_ns, 0
        if self.on_native is not None and (jobs := tuple(self.on_native())):
            self.way.take()
            rest_ns = 0
            for job in jobs:
                self._do(job, None, False, "")
        now = self.clock.mono_ns()
        began = self._expect(now)
        self._passed_over = self._batch.urgent and not self._passed_over and not self._stopping
        if not self._passed_over:
            if now >= rest_ns:
                self._run_timers(now)
            self._drain_queue(now)
        batch = self._batch
        if (self._fault is not None and now >= self._retry_ns) or (
            batch.dirty and (batch.urgent or began or self._lazy_is_over(batch))
        ):
            self._commit()
        else:
            self._settled += batch.readers
            batch.readers.clear()
        self.way.leave()
        if self._settled:
            settled, self._settled = self._settled, []
            settle(settled)
        self._upkeep(now)

    def _expect(self, now: int) -> bool:
        """See whether lazy jobs have to wait (LAZY_NS at most); whether that has begun."""
        if self._stopping or not self.expects():
            self._expected_ns, self._holding = None, False
            return False
        began = self._expected_ns is None
        if self._expected_ns is None:
            self._expected_ns = now
        self._holding = now - self._expected_ns < LAZY_NS
        return began

    def _run_timers(self, now: int) -> None:
        for at, timer in enumerate(self._timers):
            deadline = self._deadline(at, timer)
            if deadline is not None and deadline <= now:
                well = self._do(lambda tx, timer=timer: timer.advance(tx, tx.now), None, False, "")  # type: ignore[misc]
                if not well:
                    self._not_before[at] = now + RETRY_NS

    def _deadline(self, at: int, timer: Timed) -> int | None:
        """A timer's deadline; later where it, or the store, has just failed: no failure is repeated at once."""
        deadline = timer.next_deadline()
        if deadline is None:
            return None
        return max(deadline, self._not_before[at], self._retry_ns if self._fault is not None else 0)

    def _drain_queue(self, now: int) -> None:
        until = now + BUDGET_NS
        while self._queue and not (self._holding and self._queue[0].lazy):
            item = self._queue.popleft()
            self._do(item.job, item.sink, item.lazy, item.actor)
            if self.clock.mono_ns() >= until and not self._stopping:
                break

    def _lazy_is_over(self, batch: Batch) -> bool:
        if self._stopping or len(batch.events) >= MAX_BATCH:
            return True
        return self._fault is None and self.clock.mono_ns() - batch.since_ns >= LAZY_NS

    def _do(self, job: Job[Any], sink: Sink | None, lazy: bool, actor: str) -> bool:
        """Run a job in the batch; returns whether it did not fail."""
        batch = self._batch
        now = instant(self.clock)
        tx = Transaction(batch, now, lazy=lazy, actor=actor)
        mark, was_urgent, next_id = len(batch.undo), batch.urgent, batch.next_id
        result: Any = None
        failed: BaseException | None = None
        try:
            result = job(tx)
        except Exception as error:
            failed = error
            batch.unwind(mark)
            batch.urgent, batch.next_id = was_urgent, next_id
            if sink is None and not isinstance(error, InputError):
                log.exception("a job of the ledger failed")
        finally:
            tx._close()
        changed = len(batch.undo) > mark
        if changed and mark == 0:
            batch.since_ns = now.mono_ns
        if sink is None:
            return failed is None
        if changed:
            batch.done.append((sink, result, failed))
        else:  # what has only read may have seen what is not committed yet, and shares its fate
            (batch.readers if mark else self._settled).append((sink, result, failed))
        return failed is None

    def _commit(self) -> StoreError | None:
        """Commit the batch, act, tell; on failure undo everything and tell that."""
        batch = self._batch
        fault = self._fault
        try:
            drop = self._make_room(batch)
            if fault is not None:
                self._tell(batch, SYSTEM_FAULT, {"component": "store", "reason": fault})
            last_id = batch.next_id - 1
            if not batch.events:  # a commit takes a number even when it has no event
                last_id = batch.next_id
                batch.next_id += 1
            self._store.write(batch.writes, batch.events, last_id, drop, batch.copy)
        except StoreError as error:
            self._abort(batch, error)
            return error
        if self._fault is None:  # a store that has just failed has to sync first
            _act(batch.early)
            batch.early = []
            if not batch.effects:
                self.way.leave()
        try:
            self._store.sync()
        except StoreError as error:
            self._abort(batch, error, written=True)
            return error
        self._fault = None
        self._batch = Batch(self._image, self.bus, batch.next_id)
        _act(batch.early)
        _act(batch.effects)
        self._last_commit_ns = self.clock.mono_ns()
        self.bus.deliver(batch.told())
        self._settled += batch.done + batch.readers
        return None

    def _abort(self, batch: Batch, error: StoreError, *, written: bool = False) -> None:
        if self._fault is None:
            log.error("%s", error)
        self._fault = error.reason
        self._retry_ns = self.clock.mono_ns() + RETRY_NS
        touched = tuple(batch.writes)
        batch.unwind(0)
        if written:
            self._store.revert({at: self._image.get(at[0], {}).get(at[1]) for at in touched})
        self._batch = Batch(self._image, self.bus, batch.next_id)
        self._settled += [(sink, None, failed or error) for sink, _, failed in batch.done + batch.readers]
        for load in self._reload:
            self._do(load, None, True, "")

    def _make_room(self, batch: Batch) -> int:
        """Drop the oldest events when the log is full; returns the number through which."""
        if self._store.event_count + len(batch.events) + 2 <= self._log_limit:
            return 0
        step = max(
            min(DROP_STEP, self._log_limit // 4), self._store.event_count + len(batch.events) + 2 - self._log_limit
        )
        step = min(step, self._store.event_count)
        drop = self._store.oldest(step) if step else 0
        if drop:
            self._tell(batch, EVENTS_DROPPED, {"count": str(step)})
        return drop

    def _tell(self, batch: Batch, topic: str, data: dict[str, str]) -> None:
        tx = Transaction(batch, instant(self.clock), lazy=True)
        tx.publish(NewEvent(topic=topic, data=data))
        tx._close()

    def _upkeep(self, now: int) -> None:
        """Have the log written back and the store copied: when nothing happens, or when it has waited for too long."""
        store = self._store
        quiet = not self._queue and now - self._last_commit_ns >= QUIET_NS
        since_copy = now - self._last_copy_ns
        copy = store.wants_copy and since_copy >= (COPY_EVERY_NS if quiet else COPY_AT_LAST_NS)
        if copy or store.wants_checkpoint >= (1 if quiet else 4):
            if copy:
                self._last_copy_ns = now
            store.upkeep(copy=copy)


def _act(effects: Iterable[Callable[[], None]]) -> None:
    for effect in effects:
        try:
            effect()
        except Exception:
            log.exception("an effect failed after its commit")
