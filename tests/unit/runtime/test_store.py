"""The store: modes, damage of every kind to every file, failures of every write."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from axcore.errors import StoreError
from axcore.model.events import STATE_RECOVERED, SYSTEM_FAULT, NewEvent
from axcore.runtime import store as store_module
from axcore.runtime.bus import Bus
from axcore.runtime.clock import SystemClock
from axcore.runtime.ledger import Ledger, Transaction
from axcore.runtime.store import Store
from axcore.runtime.store_open import erase_store, open_store
from axcore.runtime.wakeup import Wakeup

MakeLedger = Callable[..., Ledger]


def grant(number: int) -> Callable[[Transaction], None]:
    def job(tx: Transaction) -> None:
        tx.put("k", f"{number:03}", b"v%d" % number)
        tx.publish(NewEvent(topic="granted", data={"number": str(number)}))

    return job


KILLED = """
import os, sys
sys.path[:0] = {path!r}
from pathlib import Path
from axcore.runtime.bus import Bus
from axcore.runtime.clock import SystemClock
from axcore.runtime.ledger import Ledger
from axcore.runtime.wakeup import Wakeup
from axcore.model.events import NewEvent
wakeup = Wakeup()
ledger = Ledger(Path({data!r}), SystemClock(), Bus(), wait=wakeup.wait, wake=wakeup.wake)
ledger.load()
def grant(number):
    def job(tx):
        tx.put("k", f"{{number:03}}", b"v%d" % number)
        tx.publish(NewEvent(topic="granted", data={{"number": str(number)}}))
    return job
for number in range(10):
    ledger.submit(grant(number))
    ledger.turn()
if {copy}:
    ledger._store._upkeep(True)
for number in range(10, 20):
    ledger.submit(grant(number))
    ledger.turn()
os.kill(os.getpid(), 9)
"""


def killed(data: Path, copy: bool = True) -> None:
    """A process that wrote records 0..9, made its last-good copy, wrote 10..19 and was killed."""
    code = KILLED.format(path=sys.path, data=str(data), copy=copy)
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9


def test_only_the_owner_can_read_anything(make_ledger: MakeLedger, data: Path) -> None:
    old = os.umask(0)
    try:
        ledger = make_ledger()
        ledger.submit(grant(1)).result()
        files = {p.name: stat.S_IMODE(p.stat().st_mode) for p in data.iterdir()}
        assert set(files) == {"state.db", "state.db-wal", "state.db-shm", "state.mark"}
        ledger.stop()
        files.update({p.name: stat.S_IMODE(p.stat().st_mode) for p in data.iterdir()})
        assert "state.good" in files
        assert set(files.values()) == {0o600}
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
    finally:
        os.umask(old)


def test_a_second_process_is_kept_out(make_ledger: MakeLedger, data: Path) -> None:
    make_ledger()
    with pytest.raises(StoreError, match="another process"):
        open_store(data)


def test_a_killed_process_has_lost_nothing(data: Path, make_ledger: MakeLedger) -> None:
    killed(data)
    ledger = make_ledger()
    assert ledger.recovered is None
    assert len(ledger.submit(lambda tx: tx.items("k")).result()) == 20
    assert [e.data["number"] for e in ledger.events_after(0)] == [str(n) for n in range(20)]


def test_a_newer_format_is_refused(make_ledger: MakeLedger, data: Path) -> None:
    make_ledger().stop()
    with sqlite3.connect(data / "state.db") as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StoreError, match=r"state\.db.*newer release"):
        make_ledger()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def halve(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def noise(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


def no_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\xff" * 64)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for at in range(100, len(data), 997):
        data[at] ^= 0x10
    path.write_bytes(data)


def text(path: Path) -> None:
    path.write_text("not what it was\n" * 500)


def remove(path: Path) -> None:
    path.unlink()


DAMAGES = [empty, halve, zero, noise, no_header, flip, text, remove]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["state.db", "state.db-wal", "state.mark", "state.good"])
def test_damage_is_recovered_and_told_and_never_hidden(
    data: Path, make_ledger: MakeLedger, name: str, damage: Callable[[Path], None]
) -> None:
    killed(data)
    damage(data / name)
    ledger = make_ledger(load=False, start=False)
    recovered = ledger.recovered
    ledger.load()
    ledger.start()
    records = ledger.submit(lambda tx: tx.items("k")).result()
    told = [e for e in ledger.events_after(0) if e.topic == STATE_RECOVERED]
    if name == "state.good":
        assert (len(records), told) == (20, [])
        return
    if recovered is None:  # repaired from the log, or from the second slot of the marker
        assert (len(records), told) == (20, [])
        assert name != "state.mark" or damage in (no_header, flip)
        return
    assert told[0].data["file"] == "state.db"
    assert len(records) >= 10 or name == "state.db-wal"
    assert ledger.submit(grant(99)).result() is None
    assert ledger.last_id > 1_000_000
    ledger.stop()
    assert make_ledger().recovered is None


@pytest.mark.parametrize("damage", DAMAGES)
def test_without_a_copy_damage_is_refused_by_name(
    data: Path, make_ledger: MakeLedger, damage: Callable[[Path], None]
) -> None:
    make_ledger().stop()
    (data / "state.good").unlink()
    damage(data / "state.db")
    with pytest.raises(StoreError, match=r"state\.db: .*no last-good copy"):
        make_ledger()
    if damage is not remove:
        assert (data / "state.db").exists()


def test_two_damaged_files_are_refused_by_name(data: Path, make_ledger: MakeLedger) -> None:
    make_ledger().stop()
    zero(data / "state.db")
    zero(data / "state.good")
    with pytest.raises(StoreError, match=r"state\.db: .*state\.good is no better"):
        make_ledger()


@pytest.mark.parametrize("table", ["record", "event"])
def test_one_changed_row_is_noticed(data: Path, make_ledger: MakeLedger, table: str) -> None:
    ledger = make_ledger()
    ledger.submit(grant(1)).result()
    ledger.stop()
    column = "value" if table == "record" else "topic"
    connection = sqlite3.connect(data / "state.db", isolation_level=None)
    connection.execute(f"UPDATE {table} SET {column}='other'")
    connection.close()
    ledger = make_ledger()
    assert [e.topic for e in ledger.events_after(0)][-1] == STATE_RECOVERED


def test_an_older_store_in_the_place_of_the_newer_is_noticed(data: Path, make_ledger: MakeLedger) -> None:
    make_ledger().stop()
    old = (data / "state.db").read_bytes()
    ledger = make_ledger()
    ledger.submit(grant(1)).result()
    ledger.stop()
    (data / "state.db").write_bytes(old)
    ledger = make_ledger(load=False)
    assert ledger.recovered is not None
    assert "are lost" in ledger.recovered
    ledger.load()


def test_the_recovery_is_told_again_until_it_was_committed(data: Path, make_ledger: MakeLedger) -> None:
    make_ledger().stop()
    zero(data / "state.db")
    make_ledger(load=False, start=False).stop()
    ledger = make_ledger()
    assert [e.topic for e in ledger.events_after(0)] == [STATE_RECOVERED]


class FaultyStore(Store):
    """Fails the ``fail_at``-th statement."""

    fail_at = 0
    count = 0

    def _execute(self, sql: str, parameters: Sequence[object]) -> sqlite3.Cursor:
        type(self).count += 1
        if type(self).count == self.fail_at:
            raise sqlite3.OperationalError("disk I/O error")
        return super()._execute(sql, parameters)


def test_whatever_write_fails_the_state_is_old_or_new_and_nothing_acts_without_its_commit(tmp_path: Path) -> None:
    fail_at, failures = 0, 1
    while failures:
        fail_at += 1
        wakeup = Wakeup()
        directory = tmp_path / str(fail_at)
        store = open_store(directory, FaultyStore)
        FaultyStore.count = 0
        FaultyStore.fail_at = fail_at
        effects: list[int] = []
        done: list[int] = []
        failures = 0
        try:
            ledger = Ledger(directory, SystemClock(), Bus(), wait=wakeup.wait, wake=wakeup.wake, store=store)
        except StoreError:
            store.abandon()
            failures = 1
            continue
        for number in range(6):

            def job(tx: Transaction, number: int = number, effects: list[int] = effects) -> None:
                grant(number)(tx)
                tx.after_commit(lambda: effects.append(number))

            future = ledger.submit(job)
            ledger.turn()
            try:
                future.result(0)
                done.append(number)
            except StoreError:
                failures += 1
        assert effects == done
        image = ledger._image["k"]
        store.abandon()
        again = open_store(directory)
        assert again.records().get("k", {}) == image == {f"{n:03}": b"v%d" % n for n in done}
        events = [e.data["number"] for e in again.events_after(0) if e.topic == "granted"]
        assert events == [str(n) for n in done]
        again.abandon()
        wakeup.close()
    assert fail_at > 6


def test_what_could_not_be_synced_is_taken_back(tmp_path: Path) -> None:
    """Every second sync fails: what was written for it is gone after the next, records and events alike."""
    wakeup = Wakeup()
    store = open_store(tmp_path)
    ledger = Ledger(tmp_path, SystemClock(), Bus(), wait=wakeup.wait, wake=wakeup.wake, store=store)
    syncs = 0
    effects: list[int] = []
    early: list[int] = []

    def sync(fd: int) -> None:
        nonlocal syncs
        syncs += 1
        if syncs % 2 == 0:
            raise OSError(5, "Input/output error")
        os.fdatasync(fd)

    store._sync = sync
    done = []
    for number in range(9):

        def job(tx: Transaction, number: int = number) -> None:
            tx.put("k", "same", b"%d" % number)
            tx.delete("k", f"{number - 1:03}")
            grant(number)(tx)
            tx.after_commit(lambda: effects.append(number))

        def edge(tx: Transaction, number: int = number) -> None:
            tx.act_early()
            tx.after_commit(lambda: early.append(number))

        future = ledger.submit(job if number % 3 else edge)
        ledger.turn()
        try:
            future.result(0)
            done.append(number)
        except StoreError:
            assert ledger.events_after(store.last_id) == []
    assert done == [0, 2, 4, 6, 8]
    assert effects == [n for n in done if n % 3]
    assert early == [0, 3, 6]  # the third was written and not synced: it is no secret that the input changed
    image = dict(ledger._image["k"])
    store.abandon()
    again = open_store(tmp_path)
    assert again.records()["k"] == image == {"002": b"v2", "004": b"v4", "008": b"v8", "same": b"8"}
    assert [e.data["number"] for e in again.events_after(0) if e.topic == "granted"] == ["2", "4", "8"]
    again.abandon()
    wakeup.close()


def test_a_disk_without_room_fails_the_commit_and_nothing_else(tmp_path: Path) -> None:
    """Real failures of real writes: the file may not grow beyond a limit that falls anywhere into the commit."""
    wakeup = Wakeup()
    store = open_store(tmp_path / "data")
    ledger = Ledger(tmp_path, SystemClock(), Bus(), wait=wakeup.wait, wake=wakeup.wake, store=store)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    done: list[str] = []
    failed = 0
    for number in range(24):
        future = ledger.submit(grant(number))
        resource.setrlimit(resource.RLIMIT_FSIZE, (number * 4000 if number % 3 else limits[0], limits[1]))
        try:
            ledger.turn()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        try:
            future.result(0)
            done.append(str(number))
        except StoreError:
            failed += 1
    store.abandon()
    again = open_store(tmp_path / "data")
    assert failed > 3
    assert len(done) >= 8
    assert set(again.records()["k"]) == {f"{int(n):03}" for n in done}
    events = again.events_after(0)
    assert [e.data["number"] for e in events if e.topic == "granted"] == done
    assert sum(e.topic == SYSTEM_FAULT for e in events) > 0
    again.abandon()
    wakeup.close()


def test_upkeep_makes_the_copy_and_writes_the_log_back(data: Path, make_ledger: MakeLedger) -> None:
    ledger = make_ledger(start=False)
    ledger.submit(grant(1))
    ledger.turn()
    store = ledger._store
    assert isinstance(store, Store)
    assert store.wants_copy
    store.upkeep(copy=True)
    assert store._worker is not None
    store._worker.join()
    assert not store.wants_copy
    connection = sqlite3.connect(data / "state.good")
    assert connection.execute("SELECT count(*) FROM record WHERE kind='k'").fetchone() == (1,)
    connection.close()
    assert not (data / "state.good-new").exists()


def test_an_erased_store_is_a_fresh_start(data: Path, make_ledger: MakeLedger) -> None:
    killed(data)
    (data / "state.damaged").write_bytes(b"v1")
    erase_store(data)
    assert list(data.iterdir()) == []
    ledger = make_ledger()
    assert ledger.recovered is None
    assert ledger.events_after(0) == []


def test_a_flood_does_not_let_the_log_grow_without_end(
    make_ledger: MakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = make_ledger(start=False)
    store = ledger._store
    assert isinstance(store, Store)
    monkeypatch.setattr(store_module, "CHECKPOINT_PAGES", 20)
    checkpoints: list[bool] = []
    monkeypatch.setattr(store, "_upkeep", checkpoints.append)
    for _ in range(100):  # no pause in which upkeep would start by itself
        ledger.submit(grant(1))
        ledger.turn()
        if store._worker is not None:
            store._worker.join()
    assert len(checkpoints) >= 3
    monkeypatch.undo()
