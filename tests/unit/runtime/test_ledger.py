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


def native(ledger: Ledger, *jobs: Callable[[Transaction], object]) -> None:
    """Have the pins tell something, once."""
    waiting = [jobs]
    ledger.on_native = lambda: waiting.pop() if waiting else ()


def test_what_the_pins_tell_is_not_written_together_with_what_waits() -> None:
    ledger = MemoryLedger()
    ledger._turning = True
    waiting = ledger.submit(put("a"))
    native(ledger, publish("card"))
    ledger.turn()
    assert ([event.topic for event in ledger.store.events], waiting.done()) == (["card"], False)
    native(ledger, publish("card"))
    ledger.turn()
    assert waiting.done()  # it is passed over once only
    assert ledger.store.commits == 2


def test_lazy_jobs_wait_while_a_card_comes_in_but_not_long() -> None:
    ledger = MemoryLedger()
    ledger._turning = True
    opened = ledger.submit(lambda tx: tx.publish(NewEvent(topic="open"), lazy=True))
    ledger.turn()
    assert not opened.done()
    ledger.expects = lambda: True
    held, behind = ledger.submit(put("lazy"), lazy=True), ledger.submit(put("behind"))
    ledger.turn()
    assert opened.done()  # committed before the card is there
    assert ledger.store.commits == 1
    assert 0 < ledger._timeout() <= 1_000_000
    assert not behind.done()  # the order stays
    native(ledger, publish("card"))
    ledger.turn()
    assert [event.topic for event in ledger.store.events] == ["open", "card"]
    ledger.virtual_clock.advance(0.05)
    ledger.turn()
    assert held.done()
    assert behind.done()


def test_lazy_jobs_go_on_when_no_card_came() -> None:
    ledger = MemoryLedger()
    ledger._turning = True
    ledger.expects = lambda: True
    waiting = ledger.submit(put("lazy"), lazy=True)
    ledger.turn()
    ledger.expects = lambda: False
    ledger.turn()
    ledger.virtual_clock.advance(0.05)
    ledger.turn()
    assert waiting.done()


def test_others_give_way_from_the_native_job_to_its_effect() -> None:
    ledger = MemoryLedger()
    seen: list[object] = []

    def job(tx: Transaction) -> None:
        seen.append(ledger.way._taken)
        tx.act_early()
        tx.publish(NewEvent(topic="edge"))
        tx.after_commit(lambda: seen.append(ledger.way._taken))
        sync = ledger.store.sync
        ledger.store.sync = lambda: (seen.append(ledger.way._taken), sync())  # type: ignore[method-assign, assignment]

    native(ledger, job)
    ledger.turn()
    assert seen == [True, True, False]
    assert not ledger.way._taken


def test_native_jobs_come_first(make_ledger: MakeLedger) -> None:
    ledger = make_ledger(start=False)
    order: list[str] = []
    native = [[lambda tx: order.append("native")]]
    ledger.on_native = lambda: native.pop() if native else []
    ledger.post(lambda tx: order.append("http"))
    ledger.turn()
    assert order == ["native", "http"]


def test_a_failing_native_job_does_not_stop_the_others(make_ledger: MakeLedger) -> None:
    ledger = make_ledger(start=False)
    order: list[str] = []

    def bad(tx: Transaction) -> None:
        raise RuntimeError("a bug")

    ledger.on_native = lambda: [bad, lambda tx: order.append("next")]
    ledger.turn()
    assert order == ["next"]


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


def test_a_rehearsal_leaves_nothing_behind(make_ledger: MakeLedger) -> None:
    ledger = make_ledger()
    ledger.submit(put("a", b"old")).result()
    told: list[str] = []
    ledger.bus.in_transaction("t", lambda tx, _: tx.put("k", "told", b"1"))

    class State:
        value = "old"

    def rehearsal(tx: Transaction) -> None:
        told.append("rehearsed")
        tx.put("k", "a", b"new")
        tx.put("k", "b", b"new")
        tx.publish(NewEvent(topic="t"))
        tx.after_commit(lambda: pytest.fail("an effect of a rehearsal"))
        tx.assign(State, "value", "new")

    ledger.rehearse()  # there is none yet
    ledger.rehearsal = rehearsal
    last = ledger.last_id
    for _ in range(3):
        ledger.rehearse()
    assert told == ["rehearsed"] * 3
    assert State.value == "old"
    assert ledger.submit(lambda tx: tx.items("k")).result() == [("a", b"old")]
    assert (ledger.events_after(0), ledger.last_id) == ([], last)
    after = ledger.submit(publish("x")).result()
    ledger.stop()
    again = make_ledger()
    assert again.submit(lambda tx: tx.items("k")).result() == [("a", b"old")]
    assert again.events_after(0) == [after]


def test_a_rehearsal_is_undone_before_other_threads_get_their_turn() -> None:
    """The store gives up the interpreter: who looks then sees what was committed, and nothing else."""
    ledger = MemoryLedger()
    seen: list[tuple[str, int, int]] = []

    class State:
        value = "old"

    def rehearsal(tx: Transaction) -> None:
        tx.put("k", "a", b"new")
        tx.publish(NewEvent(topic="t"))
        tx.assign(State, "value", "new")

    ledger._store.rehearse = lambda writes, events: seen.append((State.value, len(writes), len(events)))  # type: ignore[method-assign]
    ledger.rehearsal = rehearsal
    ledger.rehearse()
    assert seen == [("old", 1, 1)]
    assert ledger.rehearsal is rehearsal, "it failed"


def test_a_rehearsal_amid_jobs_that_wait_for_their_commit_leaves_those_alone() -> None:
    ledger = MemoryLedger()
    seen: list[bytes | None] = []

    def first(tx: Transaction) -> None:
        tx.put("k", "a", b"mine")
        ledger.rehearsal = lambda inner: inner.put("k", "a", b"rehearsed")
        ledger.rehearse()
        seen.append(tx.get("k", "a"))

    ledger.submit(first).result()
    assert seen == [b"mine"]
    assert ledger.submit(lambda tx: tx.get("k", "a")).result() == b"mine"


def test_a_rehearsal_that_fails_was_the_last(caplog: pytest.LogCaptureFixture) -> None:
    ledger = MemoryLedger()

    def rehearsal(tx: Transaction) -> None:
        tx.put("k", "a", b"new")
        raise ValueError("forgot the text")

    ledger.rehearsal = rehearsal
    ledger.rehearse()
    ledger.rehearse()
    assert caplog.text.count("the rehearsal failed") == 1
    assert ledger.submit(lambda tx: tx.items("k")).result() == []


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


def test_an_edge_acts_when_it_is_written_and_a_grant_when_it_is_durable() -> None:
    ledger = MemoryLedger()
    seen: list[str] = []
    write, sync = ledger.store.write, ledger.store.sync
    ledger.store.write = lambda *args: (write(*args), seen.append("written"))  # type: ignore[assignment, func-returns-value]
    ledger.store.sync = lambda: (sync(), seen.append("synced"))  # type: ignore[assignment, func-returns-value]

    def edge(tx: Transaction) -> None:
        tx.act_early()
        tx.after_commit(lambda: seen.append("edge"))

    def card(tx: Transaction) -> None:
        tx.put("k", "uses", b"9")
        tx.after_commit(lambda: seen.append("card"))

    for job in (edge, card, edge):
        ledger._turning = True  # one batch
        ledger.submit(job)
    ledger._turning = False
    ledger.turn()
    # The second edge comes after the card, and so does its effect.
    assert seen == ["written", "edge", "synced", "card", "edge"]


def test_after_a_sync_that_failed_edges_wait_for_the_sync_too() -> None:
    ledger = MemoryLedger()
    seen: list[int] = []

    def edge(number: int) -> Callable[[Transaction], None]:
        def job(tx: Transaction) -> None:
            tx.act_early()
            tx.put("k", "n", b"%d" % number)
            tx.after_commit(lambda: seen.append(number))

        return job

    ledger.do(edge(1))
    ledger.store.sync_broken = "no disk"
    for number in (2, 3):
        with pytest.raises(StoreError):
            ledger.do(edge(number))
    assert seen == [1, 2]
    assert ledger._image["k"]["n"] == b"1"
    ledger.store.sync_broken = None
    ledger.advance(1.0)
    ledger.do(edge(4))
    assert seen == [1, 2, 4]
    assert ledger.store.records()["k"]["n"] == b"4"
