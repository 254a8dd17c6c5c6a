"""Random jobs, some failing, and random failures of commits: the ledger against a dictionary; and random kills."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axcore.errors import StoreError
from axcore.model.events import NewEvent
from axcore.runtime.ledger import Transaction
from axcore.testing import MemoryLedger, MemoryStore

KILLS = 10

operation = st.one_of(
    st.tuples(st.just("put"), st.sampled_from("abc"), st.integers(0, 9)),
    st.tuples(st.just("delete"), st.sampled_from("abc"), st.just(0)),
    st.tuples(st.just("publish"), st.sampled_from("xy"), st.just(0)),
    st.tuples(st.just("fail"), st.just(""), st.just(0)),
)
jobs = st.lists(st.lists(operation, max_size=5), max_size=5)


def apply(tx: Transaction, operations: list[tuple[str, str, int]], effects: list[str]) -> None:
    for what, key, value in operations:
        if what == "put":
            tx.put("k", key, b"%d" % value)
        elif what == "delete":
            tx.delete("k", key)
        elif what == "publish":
            tx.publish(NewEvent(topic=key))
            tx.after_commit(lambda key=key: effects.append(key))  # type: ignore[misc]
        else:
            raise RuntimeError("on purpose")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(jobs, st.booleans()), max_size=6))
def test_the_ledger_is_a_dictionary_that_forgets_failures(
    batches: list[tuple[list[list[tuple[str, str, int]]], bool]],
) -> None:
    store = MemoryStore()
    ledger = MemoryLedger(store=store)
    records: dict[str, bytes] = {}
    topics: list[str] = []
    effects: list[str] = []
    for batch, broken in batches:
        store.broken = "no space left" if broken else None
        ledger._turning = True
        futures = [
            (ops, ledger.submit(lambda tx, ops=ops: apply(tx, ops, effects)))  # type: ignore[misc]
            for ops in batch
        ]
        ledger._turning = False
        ledger.turn()
        for operations, future in futures:
            error = future.exception(0)
            assert (any(o[0] == "fail" for o in operations)) == isinstance(error, RuntimeError) or broken
            if error is not None:
                assert isinstance(error, RuntimeError) or (broken and isinstance(error, StoreError))
                continue
            for what, key, value in operations:
                if what == "put":
                    records[key] = b"%d" % value
                elif what == "delete":
                    records.pop(key, None)
                elif what == "publish":
                    topics.append(key)
        assert effects == topics
        assert store.records().get("k", {}) == records == dict(ledger._image.get("k", {}))
    assert [e.topic for e in store.events if e.topic in "xy"] == topics
    assert [e.id for e in store.events] == sorted({e.id for e in store.events})


CHILD = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from axcore.model.credentials import Times
from axcore.model.credentials import CardValue
from axcore.runtime.bus import Bus
from axcore.runtime.clock import SystemClock
from axcore.runtime.ledger import Ledger
from axcore.runtime.wakeup import Wakeup
from axcore.services.access import AccessService
wakeup = Wakeup()
ledger = Ledger(Path({data!r}), SystemClock(), Bus(), wait=wakeup.wait, wake=wakeup.wake)
access = AccessService()
def open_door(tx, event):
    line = (event.data["remaining"] + "\\n").encode()
    tx.after_commit(lambda: (sys.stdout.buffer.write(line), sys.stdout.buffer.flush()))
ledger.bus.in_transaction("tns1:AccessControl/tnsaxis:EntryList/AccessGranted", open_door)
ledger.load(access.load)
ledger.start()
if not access.holders():
    card = {{"bits": 26, "value": "1"}}
    validity = {{"type": "number_of_times", "count": 1000000}}
    spec = {{"first_name": "Anna", "card": card, "validity": validity}}
    ledger.submit(lambda tx: access.set_settings(tx, {{"use_entry_list": True}})).result()
    ledger.submit(lambda tx: access.add_holder(tx, spec)).result()
print("ready", flush=True)
while True:
    futures = [ledger.submit(lambda tx: access.on_frame(tx, 0, 26, 1)) for _ in range({batch})]
    futures[-1].result()
"""


@pytest.mark.parametrize("batch", [1, 5])
def test_no_kill_loses_doubles_or_gives_away_a_use(tmp_path: Path, batch: int) -> None:
    """Every opening has its record and its use; a kill burns at most the grants of the commit that it has cut off."""
    data = tmp_path / "data"
    code = CHILD.format(path=sys.path, data=str(data), batch=batch)
    opened: list[int] = []
    burnt = 0
    for seed in range(KILLS):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            time.sleep(random.Random(seed).uniform(0.0, 0.15))  # wall clock: kills come at any moment
            child.kill()
            lines = child.stdout.read().split(b"\n")[:-1]
        new = [int(line) for line in lines]
        if new and opened:
            assert new[0] < opened[-1], "a use was given twice"
            burnt += opened[-1] - new[0] - 1
        assert new == list(range(new[0], new[0] - len(new), -1)) if new else True
        opened += new
    assert len(opened) > KILLS
    assert len(set(opened)) == len(opened)
    assert burnt <= batch * KILLS
