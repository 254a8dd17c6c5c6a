"""What comes from the pins goes first: written alone, lazy jobs stand aside, a rehearsal leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from axcore.errors import StoreError
from axcore.model.events import NewEvent
from axcore.runtime.ledger import Ledger, Transaction
from axcore.testing import MemoryLedger
from tests.unit.runtime.test_ledger import MakeLedger, publish, put


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
