"""The SQLite file under the ledger: one writer connection, one commit per batch, checksums on everything.

A commit is two steps: ``write`` puts the batch into the write-ahead log (it outlives the process), ``sync`` makes it
durable (it outlives a power cut). The log is pre-written, so that a commit allocates nothing.
Checkpoints and the last-good copy are made by a second thread with its own connections, never on the path of a card.
``store_open.py`` says how a damaged store is found and recovered. Event numbers double as commit numbers: every commit
takes at least one, so that ``last_id`` tells exactly how far the store has come. Threads: ``commit`` by the ledger
thread; ``events_after`` by any.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from axcore.errors import StoreError
from axcore.model.events import Event
from axcore.runtime.mark import Mark

log = logging.getLogger(__name__)

FORMAT = 1
"""Layout of the tables (PRAGMA user_version)."""
OWN_KIND = "ledger"
"""Records of the ledger itself."""
WAL_BYTES = 4 << 20
"""Size to which the write-ahead log is written ahead, bytes."""
CHECKPOINT_PAGES = 600
"""Log pages after which an idle checkpoint is worth its syncs."""

_ROWS = 128
"""Rows of a batch that go into one statement (bound values are limited)."""
# A batch is written by one INSERT into a view, whose triggers sort the rows out. A statement alone is its own
# transaction, so that a commit is one call: each call gives up the interpreter lock, and a busy loop returns it late.
_PUT, _DELETE, _EVENT, _DROP, _TAKE_BACK = range(5)
_BATCH = (
    "CREATE TEMP VIEW batch (op, a, b, c, d, e) AS SELECT 0, 0, 0, 0, 0, 0",
    f"CREATE TEMP TRIGGER batch_put INSTEAD OF INSERT ON batch WHEN NEW.op={_PUT} BEGIN"
    " INSERT OR REPLACE INTO record VALUES (NEW.a, NEW.b, NEW.c, NEW.d); END",
    f"CREATE TEMP TRIGGER batch_delete INSTEAD OF INSERT ON batch WHEN NEW.op={_DELETE} BEGIN"
    " DELETE FROM record WHERE kind=NEW.a AND key=NEW.b; END",
    f"CREATE TEMP TRIGGER batch_event INSTEAD OF INSERT ON batch WHEN NEW.op={_EVENT} BEGIN"
    " INSERT INTO event VALUES (NEW.a, NEW.b, NEW.c, NEW.d, NEW.e); END",
    f"CREATE TEMP TRIGGER batch_drop INSTEAD OF INSERT ON batch WHEN NEW.op={_DROP} BEGIN"
    " DELETE FROM event WHERE id<=NEW.a; END",
    f"CREATE TEMP TRIGGER batch_take_back INSTEAD OF INSERT ON batch WHEN NEW.op={_TAKE_BACK} BEGIN"
    " DELETE FROM event WHERE id>NEW.a; END",
)
_INSERT = ["INSERT INTO batch VALUES " + ",".join(["(?,?,?,?,?,?)"] * n) for n in range(_ROWS + 1)]

_Row = tuple[int, object, object, object, object, object]


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of an event is kept in its row's body."""

    source: dict[str, str] = {}
    data: dict[str, str] = {}
    is_property: bool = False
    t_ns: int = 0
    correlation: str | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Body)


def record_crc(kind: str, key: str, value: bytes) -> int:
    """Checksum of a record row."""
    return zlib.crc32(value, zlib.crc32(f"{kind}\0{key}\0".encode()))


def event_crc(number: int, time: str, topic: str, body: bytes) -> int:
    """Checksum of an event row."""
    return zlib.crc32(body, zlib.crc32(f"{number}\0{time}\0{topic}\0".encode()))


class StoreLike(Protocol):
    """What the ledger needs of a store (``Store``; one in memory is in ``axcore.testing``)."""

    recovered: str | None
    last_id: int
    event_count: int

    def records(self) -> dict[str, dict[str, bytes]]: ...
    def write(
        self,
        writes: Mapping[tuple[str, str], bytes | None],
        events: Sequence[Event],
        last_id: int,
        drop_through: int = 0,
        copy: bool = True,
    ) -> None: ...
    def sync(self) -> None: ...
    def revert(self, values: Mapping[tuple[str, str], bytes | None]) -> None: ...
    def rehearse(self, writes: Mapping[tuple[str, str], bytes | None], events: Sequence[Event]) -> None: ...
    def oldest(self, count: int) -> int: ...
    def events_after(self, number: int, limit: int = 1000) -> list[Event]: ...
    @property
    def wants_checkpoint(self) -> float: ...
    @property
    def wants_copy(self) -> bool: ...
    def upkeep(self, *, copy: bool) -> None: ...
    def close(self) -> None: ...


class Store:
    """An open, verified store (see ``store_open.open_store``)."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, mark: Mark, last_id: int, recovered: str | None
    ) -> None:
        self.path = path
        self.recovered = recovered
        """Why the store was recovered and not yet told, or None."""
        self.last_id = last_id
        self._connection = connection
        self.event_count = self._count()
        for statement in _BATCH:
            connection.execute(statement)
        # What is durable is told by this sync, not by SQLite's (it would come before the early effects of a batch).
        connection.execute("PRAGMA synchronous=NORMAL")
        self._log_fd = os.open(f"{path}-wal", os.O_RDWR | os.O_CLOEXEC)
        self._sync: Callable[[int], None] = os.fdatasync
        """Replaced by tests that fail the n-th."""
        self._written = last_id
        self._reverted: dict[tuple[str, str], bytes | None] = {}
        self._mark = mark
        self._pages = 0
        self._dirty_copy = True
        self._read_lock = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        self._worker: threading.Thread | None = None

    # the ledger thread

    def records(self) -> dict[str, dict[str, bytes]]:
        """Every record, by kind and key. Raises StoreError."""
        found: dict[str, dict[str, bytes]] = {}
        try:
            for kind, key, value in self._execute("SELECT kind, key, value FROM record", ()):
                found.setdefault(kind, {})[key] = value
        except sqlite3.Error as error:
            raise StoreError(str(self.path), f"cannot be read: {error}") from error
        return found

    def commit(
        self,
        writes: Mapping[tuple[str, str], bytes | None],
        events: Sequence[Event],
        last_id: int,
        drop_through: int = 0,
        copy: bool = True,
    ) -> None:
        """``write`` and ``sync``: on return the batch is on the medium. Raises StoreError."""
        self.write(writes, events, last_id, drop_through, copy)
        self.sync()

    def write(
        self,
        writes: Mapping[tuple[str, str], bytes | None],
        events: Sequence[Event],
        last_id: int,
        drop_through: int = 0,
        copy: bool = True,
    ) -> None:
        """Put a batch into the log: all of it, or after an exception nothing. It counts once ``sync`` has returned.

        ``writes`` maps (kind, key) to the new value or None; ``last_id`` is the number of this commit (of the last
        event, or one taken for it); events up to ``drop_through`` are removed; ``copy`` asks for a new last-good copy.
        Raises StoreError.
        """
        if not events:
            writes = {**writes, (OWN_KIND, "seq"): b"%d" % last_id}
        if self._reverted:
            writes = {**self._reverted, **writes}
        rows = _rows(writes, events)
        if drop_through:
            rows.append((_DROP, drop_through, None, None, None, None))
        if self._reverted:
            rows.insert(0, (_TAKE_BACK, self.last_id, None, None, None, None))
        try:
            if len(rows) <= _ROWS:
                self._execute(_INSERT[len(rows)], [column for row in rows for column in row])
            else:
                self._execute("BEGIN IMMEDIATE", ())
                for at in range(0, len(rows), _ROWS):
                    part = rows[at : at + _ROWS]
                    self._execute(_INSERT[len(part)], [column for row in part for column in row])
                self._execute("COMMIT", ())
        except sqlite3.Error as error:
            self._rollback()
            raise StoreError(str(self.path), f"cannot be written: {error}") from error
        self._written = last_id
        self._reverted = {}
        if drop_through:
            self.event_count = self._count()
        else:
            self.event_count += len(events)
        self._pages += 3 + (len(writes) + len(events)) // 4
        self._dirty_copy |= copy

    def sync(self) -> None:
        """Make what was written durable. After a StoreError it does not count: ``revert`` is next."""
        try:
            self._sync(self._log_fd)
        except OSError as error:
            raise StoreError(str(self.path), f"cannot be synced: {error.strerror}") from error
        self.last_id = self._written
        self._mark.update(self.last_id)

    def revert(self, values: Mapping[tuple[str, str], bytes | None]) -> None:
        """What was written could not be synced: take it back, together with the next ``write``.

        ``values`` are the records as they were before. The medium has lost its word once, so that nothing is written
        now; if the process dies first, the batch is in the store although it was never acknowledged.
        """
        self._reverted = {(OWN_KIND, "seq"): b"%d" % self.last_id, **values}

    def rehearse(self, writes: Mapping[tuple[str, str], bytes | None], events: Sequence[Event]) -> None:
        """Do what ``commit`` does up to the commit, then roll it back: no page reaches the log."""
        rows = _rows(writes, events)
        if not 0 < len(rows) <= _ROWS:
            return
        try:
            self._connection.execute("BEGIN")
            self._connection.execute(_INSERT[len(rows)], [column for row in rows for column in row])
        except sqlite3.Error:
            log.debug("the store cannot rehearse", exc_info=True)
        finally:
            self._rollback()

    def _execute(self, sql: str, parameters: Sequence[object]) -> sqlite3.Cursor:
        """Every statement of the writer goes through here (tests fail the n-th)."""
        return self._connection.execute(sql, parameters)

    def _count(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM event").fetchone()[0])

    def _rollback(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def oldest(self, count: int) -> int:
        """Number of the ``count``-th oldest event (0 = there are not so many)."""
        try:
            row = self._execute("SELECT id FROM event ORDER BY id LIMIT 1 OFFSET ?", (count - 1,)).fetchone()
        except sqlite3.Error as error:
            raise StoreError(str(self.path), f"cannot be read: {error}") from error
        return int(row[0]) if row else 0

    # any thread

    def events_after(self, number: int, limit: int = 1000) -> list[Event]:
        """Committed events with an id above ``number``, oldest first. Raises StoreError."""
        with self._read_lock:
            try:
                if self._reader is None:
                    self._reader = connect(self.path, readonly=True)
                rows = self._reader.execute(
                    "SELECT id, time, topic, body, crc FROM event WHERE id>? AND id<=? ORDER BY id LIMIT ?",
                    (number, self.last_id, limit),
                ).fetchall()
            except sqlite3.Error as error:
                raise StoreError(str(self.path), f"cannot be read: {error}") from error
        events = []
        for row in rows:
            if event_crc(*row[:4]) != row[4]:
                raise StoreError(str(self.path), f"event {row[0]} is damaged")
            events.append(_event(*row[:4]))
        return events

    # upkeep, started by the ledger thread when it has nothing to do

    @property
    def wants_checkpoint(self) -> float:
        """How long the log is; 1 and more = a checkpoint is worth its syncs."""
        return self._pages / CHECKPOINT_PAGES

    @property
    def wants_copy(self) -> bool:
        """Something has changed that the last-good copy does not have."""
        return self._dirty_copy

    def upkeep(self, *, copy: bool) -> None:
        """Checkpoint (and copy) in a thread of its own; nothing happens while the last one still runs."""
        if self._worker is not None and self._worker.is_alive():
            return
        self._pages = 0
        if copy:
            self._dirty_copy = False
        self._worker = threading.Thread(target=self._upkeep, args=(copy,), name="ledger-upkeep", daemon=True)
        self._worker.start()

    def _upkeep(self, copy: bool) -> None:
        try:
            with contextlib.closing(connect(self.path)) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            if copy:
                make_copy(self.path)
        except (sqlite3.Error, OSError) as error:
            self._dirty_copy |= copy
            log.error("upkeep of %s failed: %s", self.path, error)

    def start_log(self) -> None:
        """Write a commit that begins the write-ahead log anew, so that the next card does not pay for its header."""
        self.commit({}, (), self.last_id + 1, copy=False)

    def close(self) -> None:
        """Checkpoint, renew the last-good copy if it is out of date, close."""
        if self._worker is not None:
            self._worker.join()
        if self._dirty_copy:
            self._upkeep(copy=True)
        self.abandon()

    def abandon(self) -> None:
        """Close without upkeep."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self._connection.close()
        if self._log_fd >= 0:
            os.close(self._log_fd)
            self._log_fd = -1
        self._mark.close()


def connect(path: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """A connection with the settings that every one must have."""
    mode = "ro" if readonly else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=2.0
    )
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("PRAGMA cell_size_check=ON")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA secure_delete=FAST")
    return connection


def good_path(path: Path) -> Path:
    """Where the last-good copy of a store is."""
    return path.with_suffix(".good")


def make_copy(path: Path) -> None:
    """Write the last-good copy: whole new file, sync, rename, sync of the directory. Raises sqlite3.Error, OSError."""
    target = good_path(path)
    temporary = target.with_suffix(".good-new")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(fd, 0o600)
        with contextlib.closing(connect(path)) as connection:
            connection.execute("VACUUM INTO ?", (str(temporary),))
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(temporary, target)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make renames in a directory durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _event(number: int, time: str, topic: str, raw: bytes) -> Event:
    body = _decoder.decode(raw)
    return Event(
        id=number,
        time=time,
        topic=topic,
        source=body.source,
        data=body.data,
        is_property=body.is_property,
        t_ns=body.t_ns,
        correlation=body.correlation,
    )


def _rows(writes: Mapping[tuple[str, str], bytes | None], events: Sequence[Event]) -> list[_Row]:
    rows: list[_Row] = []
    for (kind, key), value in writes.items():
        if value is None:
            rows.append((_DELETE, kind, key, None, None, None))
        else:
            rows.append((_PUT, kind, key, value, record_crc(kind, key, value), None))
    for event in events:
        body = _encoder.encode(Body(event.source, event.data, event.is_property, event.t_ns, event.correlation))
        crc = event_crc(event.id, event.time, event.topic, body)
        rows.append((_EVENT, event.id, event.time, event.topic, body, crc))
    return rows
