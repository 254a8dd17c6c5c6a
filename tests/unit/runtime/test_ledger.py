"""The promises of the ledger: one savepoint per job, effects only after their commit, bounded queues."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from axcore.errors import InputError, QueueFullError, StateError, StoreError
from axcore.model.events import EVENTS_DROPPED, SYSTEM_FAULT, Event, NewEvent
from axcore.runtime.clock import Instant
from axcore.runtime.ledger import Ledger, Transaction
from axcore.testing import MemoryLedger

MakeLedger = Callable[..., Ledger]


def put(key: str, value: bytes = b"1") -> Callable[[Transaction], None]:
    return lambda tx: tx.put("k", key, value)


def publish(topic: str = "t") -> Callable[[Transaction], Event]:
    return lambda tx: tx.publish(NewEvent(topic=topic))


def test_a_job_sees_what_earlier_jobs_have_done(make_ledger: MakeLedger) -> None:
    ledger = make_ledger()
    ledger.submit(put("b", b"2"))
    ledger.submit(put("a", b"1"))
    assert ledger.submit(lambda tx: tx.items("k")).result() == [("a", b"1"), ("b", b"2")]
    ledger.submit(lambda tx: tx.delete("k", "a"))
    assert ledger.submit(lambda tx: (tx.get("k", "a"), tx.get("k", "b"))).result() == (None, b"2")


def test_everything_is_there_after_a_restart(make_ledger: MakeLedger) -> None:
    ledger = make_ledger()
    ledger.submit(put("a")).result()
    first = ledger.submit(publish("x/y")).result()
    ledger.stop()
    again = make_ledger()
    assert again.submit(lambda tx: tx.get("k", "a")).result() == b"1"
    assert again.events_after(0) == [first]
    assert again.submit(publish()).result().id > first.id


def test_a_failing_job_is_undone_alone() -> None:
    ledger = MemoryLedger()

    class State:
        value = "old"

    def bad(tx: Transaction) -> None:
        tx.put("k", "a", b"new")
        tx.put("k", "b", b"new")
        tx.delete("k", "a")
        tx.publish(NewEvent(topic="never"))
        tx.after_commit(lambda: pytest.fail("an effect without its commit"))
        tx.assign(State, "value", "new")
        raise InputError("first_name", "is wrong")

    ledger.do(put("a", b"old"))
    ledger._turning = True  # several jobs in one batch
    good, failed, good_too = ledger.submit(put("c")), ledger.submit(bad), ledger.submit(publish())
    ledger._turning = False
    ledger.turn()
    good.result(0)
    with pytest.raises(InputError, match="first_name"):
        failed.result(0)
    assert good_too.result(0).topic == "t"
    assert State.value == "old"
    assert ledger.do(lambda tx: tx.items("k")) == [("a", b"old"), ("c", b"1")]
    assert [e.topic for e in ledger.events] == ["t"]


def test_effects_run_after_the_commit_and_before_the_answer() -> None:
    ledger = MemoryLedger()
    seen: list[object] = []

    def job(tx: Transaction) -> None:
        tx.after_commit(lambda: seen.append(ledger.store.commits))
        tx.put("k", "a", b"1")

    commits = ledger.store.commits
    future = ledger.submit(job)
    assert seen == [commits + 1]
    assert future.done()


def test_a_failing_commit_undoes_all_acts_not_and_is_told_when_the_store_works_again() -> None:
    ledger = MemoryLedger()
    reloads: list[bool] = []
    ledger.on_reload(lambda tx: reloads.append(tx.get("k", "a") is None))
    ledger.store.broken = "disk full"

    def job(tx: Transaction) -> None:
        tx.put("k", "a", b"1")
        tx.publish(NewEvent(topic="lost"))
        tx.after_commit(lambda: pytest.fail("an effect without its commit"))

    with pytest.raises(StoreError, match="disk full"):
        ledger.do(job)
    assert reloads == [True]
    assert ledger.do(lambda tx: tx.get("k", "a")) is None
    ledger.advance(5)
    assert ledger.events == []
    ledger.store.broken = None
    ledger.advance(2)
    assert [(e.topic, e.data["component"]) for e in ledger.events] == [(SYSTEM_FAULT, "store")]
    first = ledger.do(publish())
    ids = [e.id for e in ledger.events]
    assert ids == sorted(set(ids))
    assert first.id == ids[-1]


def test_a_job_that_only_reads_costs_no_commit() -> None:
    ledger = MemoryLedger()
    commits = ledger.store.commits
    assert ledger.do(lambda tx: tx.get("k", "a")) is None
    assert ledger.store.commits == commits


def test_lazy_events_wait_for_company_but_not_long() -> None:
    ledger = MemoryLedger()
    ledger._turning = True
    waiting = ledger.submit(lambda tx: tx.publish(NewEvent(topic="denied"), lazy=True))
    ledger.turn()
    assert not waiting.done()
    assert ledger.store.commits == 0
    ledger.submit(publish("granted"))
    ledger.turn()
    assert waiting.done()
    assert ledger.store.commits == 1
    later = ledger.submit(put("a"), lazy=True)
    ledger.turn()
    assert not later.done()
    ledger.virtual_clock.advance(0.05)
    ledger.turn()
    assert later.done()
    assert ledger.store.commits == 2


def test_a_full_queue_is_told(make_ledger: MakeLedger) -> None:
    ledger = make_ledger(start=False, max_queue=3)
    for _ in range(3):
        ledger.submit(put("a"))
    with pytest.raises(QueueFullError, match="3 jobs"):
        ledger.submit(put("a"))
    ledger.turn()
    ledger.submit(put("a"))


def test_stop_finishes_what_is_queued_and_refuses_more(make_ledger: MakeLedger) -> None:
    ledger = make_ledger()
    hold = threading.Event()
    ledger.post(lambda tx: hold.wait(10) and None)
    futures = [ledger.submit(put(str(n)), lazy=True) for n in range(50)]
    hold.set()
    ledger.stop()
    assert all(future.done() for future in futures)
    with pytest.raises(StateError, match="stopped"):
        ledger.submit(put("a"))


async def test_run_answers_on_the_loop(make_ledger: MakeLedger) -> None:
    ledger = make_ledger()
    with ledger.bus.subscribe() as subscription:
        results = await asyncio.gather(*(ledger.run(publish(str(n))) for n in range(20)))
        assert len({e.id for e in results}) == 20
        assert [e.topic async for e in _take(subscription, 20)] == [str(n) for n in range(20)]
    with pytest.raises(InputError, match="x: y"):
        await ledger.run(_raise)
    gone = asyncio.create_task(ledger.run(publish()))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await ledger.run(publish(), actor="anna")).topic == "t"


def _raise(tx: Transaction) -> None:
    raise InputError("x", "y")


async def _take(subscription: object, count: int) -> object:
    for _ in range(count):
        yield await subscription.get()  # type: ignore[attr-defined]


def test_subscribers_act_in_the_transaction_of_the_event() -> None:
    ledger = MemoryLedger()

    def rule(tx: Transaction, event: Event) -> None:
        tx.put("k", "seen", event.topic.encode())
        tx.publish(NewEvent(topic="caused"))

    ledger.bus.in_transaction("cause", rule)
    ledger.do(publish("cause"))
    assert ledger.store.commits == 1
    assert [e.topic for e in ledger.events] == ["cause", "caused"]
    assert ledger.do(lambda tx: tx.get("k", "seen")) == b"cause"


def test_a_failing_subscriber_cannot_undo_what_it_was_told_of() -> None:
    ledger = MemoryLedger()

    def bad(tx: Transaction, event: Event) -> None:
        tx.put("k", "half", b"1")
        raise RuntimeError("a bug")

    ledger.bus.in_transaction("granted", bad)
    ledger.do(publish("granted"))
    assert [e.topic for e in ledger.events] == ["granted", SYSTEM_FAULT]
    assert ledger.do(lambda tx: tx.get("k", "half")) is None


def test_events_that_cause_themselves_come_to_an_end() -> None:
    ledger = MemoryLedger()
    ledger.bus.in_transaction("loop", lambda tx, e: tx.publish(NewEvent(topic="loop")) and None)
    ledger.do(publish("loop"))
    assert len(ledger.events) == 9


def test_a_transaction_is_worthless_after_its_job() -> None:
    ledger = MemoryLedger()
    kept = ledger.do(lambda tx: tx)
    with pytest.raises(StateError, match="over"):
        kept.put("k", "a", b"1")


def test_timers_fire_at_their_time() -> None:
    ledger = MemoryLedger()
    fired: list[int] = []
    start = ledger.virtual_clock.mono_ns()

    class Timer:
        deadline: int | None = start + 2_000_000_000

        def next_deadline(self) -> int | None:
            return self.deadline

        def advance(self, tx: Transaction, now: Instant) -> None:
            fired.append(now.mono_ns - start)
            self.deadline = None

    ledger.add_timer(Timer())
    ledger.advance(1.9)
    assert fired == []
    ledger.advance(5)
    assert fired == [2_000_000_000]


def test_timers_are_asked_once_between_two_waits() -> None:
    ledger = MemoryLedger()
    seen: list[str] = []

    class Timer:
        deadline = ledger.virtual_clock.mono_ns() + 500_000_000

        def next_deadline(self) -> int | None:
            seen.append("asked")
            return self.deadline

        def advance(self, tx: Transaction, now: Instant) -> None:
            seen.append("advanced")
            self.deadline += 500_000_000

    def woken(after_ms: int) -> list[str]:
        """What a job finds that comes while the ledger waits."""
        ledger._turning = True
        assert ledger._timeout() <= 500_000_000
        seen.clear()
        ledger.virtual_clock.advance(after_ms / 1000)
        ledger.post(lambda tx: seen.append("job"))
        ledger._turning = False
        ledger.turn()
        return list(seen)

    ledger.add_timer(Timer())
    assert woken(100) == ["job"]
    assert woken(400) == ["asked", "advanced", "job"]
    ledger.on_native = lambda: [lambda tx: seen.append("native")]
    assert woken(100) == ["native", "asked", "job"]  # it may owe something now


def test_the_log_is_bounded_and_tells_what_it_dropped(make_ledger: MakeLedger) -> None:
    ledger = make_ledger(start=False, log_limit=100)
    for _ in range(30):
        for _ in range(10):
            ledger.post(publish())
        ledger.turn()
    events = ledger.events_after(0)
    assert len(events) <= 100
    ids = [e.id for e in events]
    assert ids == sorted(ids)
    assert ids[-1] == ledger.last_id
    dropped = sum(int(e.data["count"]) for e in events if e.topic == EVENTS_DROPPED)
    assert dropped > 0
    assert ledger._store.event_count == len(events)


def test_a_flood_in_one_batch_stays_bounded(make_ledger: MakeLedger) -> None:
    ledger = make_ledger(start=False, log_limit=100)

    def flood(tx: Transaction) -> None:
        for _ in range(90):
            tx.publish(NewEvent(topic="t"))

    for _ in range(5):
        ledger.submit(flood)
        ledger.turn()
        assert len(ledger.events_after(0)) <= 100


def test_progress_moves_every_turn(make_ledger: MakeLedger) -> None:
    ledger = make_ledger()
    before = ledger.progress
    ledger.submit(put("a")).result()
    assert ledger.progress > before


def test_loaders_run_in_one_transaction() -> None:
    ledger = MemoryLedger()

    def bad(tx: Transaction) -> None:
        raise InputError("a", "b")

    with pytest.raises(InputError):
        ledger.load(put("a"), bad)
    assert ledger.do(lambda tx: tx.get("k", "a")) is None
    ledger.load(put("a"))
    assert ledger.store.commits == 1


def test_a_failing_timer_or_store_is_not_asked_again_at_once() -> None:
    ledger = MemoryLedger()
    calls: list[int] = []

    class Timer:
        def next_deadline(self) -> int | None:
            return 0

        def advance(self, tx: Transaction, now: Instant) -> None:
            calls.append(now.mono_ns)
            if ledger.store.broken is None:
                raise RuntimeError("a bug")
            tx.put("k", "a", b"1")

    ledger.add_timer(Timer())
    for _ in range(10):
        ledger.turn()
    assert len(calls) == 1
    assert ledger._timeout() == 1_000_000_000
    ledger.virtual_clock.advance(1)
    ledger.store.broken = "no space left"
    for _ in range(10):
        ledger.turn()
    assert len(calls) == 2
    assert ledger._timeout() == 1_000_000_000


def test_lazy_work_rests_while_the_store_fails() -> None:
    ledger = MemoryLedger()
    ledger.store.broken = "no space left"
    with pytest.raises(StoreError):
        ledger.do(publish())
    ledger._turning = True
    waiting = ledger.submit(publish("denied"), lazy=True)
    ledger.turn()
    ledger.virtual_clock.advance(0.5)
    ledger.turn()
    assert not waiting.done()
    assert ledger._timeout() == 500_000_000
    ledger.store.broken = None
    ledger.virtual_clock.advance(0.5)
    ledger.turn()
    assert waiting.result(0).topic == "denied"
    assert [e.topic for e in ledger.events] == ["denied", SYSTEM_FAULT]


def test_what_has_read_the_uncommitted_shares_its_fate() -> None:
    ledger = MemoryLedger()
    ledger.store.broken = "no space left"
    ledger._turning = True
    before = ledger.submit(lambda tx: tx.get("k", "a"))
    written = ledger.submit(put("a"))
    seen = ledger.submit(lambda tx: tx.get("k", "a"))
    ledger.turn()
    assert before.result(0) is None
    for future in (written, seen):
        with pytest.raises(StoreError):
            future.result(0)


async def test_the_log_is_read_beside_the_loop(make_ledger: MakeLedger) -> None:
    ledger = make_ledger()
    event = await ledger.run(publish())
    assert await ledger.read_events(0) == [event]
    assert await ledger.run(lambda tx: tx.kinds()) == []


def test_what_is_not_logged_is_told(make_ledger: MakeLedger) -> None:
    ledger = make_ledger()
    told: list[str] = []
    ledger.bus.in_transaction("s", lambda _, event: told.append(event.topic))

    def job(tx: Transaction) -> None:
        tx.publish(NewEvent(topic="s/quiet", is_property=True), logged=False)
        tx.publish(NewEvent(topic="s/logged", is_property=True))

    ledger.submit(job).result()
    assert told == ["s/quiet", "s/logged"]
    assert [event.topic for event in ledger.events_after(0)] == ["s/logged"]
    assert [event.topic for event in ledger.bus.properties()] == ["s/quiet", "s/logged"]
    ids = [event.id for event in ledger.bus.properties()]
    assert ids == sorted(ids)
    assert ledger.submit(publish()).result().id > ids[-1]
