"""Opening the store: verify, recover from the last-good copy, or refuse and name the file.

A store is taken as it is only when SQLite's own check, the checksum of every row and the marker agree. A store that is
empty or missing where a marker or a copy tells that there was one is a loss, not a fresh start. What is recovered
carries the record ``ledger/recovered`` until the services have reacted to it in one transaction (``Ledger.load``), so
that a crash in between changes nothing. Recovered event numbers jump to the next million: they never repeat. Threads:
before the ledger starts.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from axcore.errors import StoreError
from axcore.runtime.mark import Mark
from axcore.runtime.store import (
    FORMAT,
    OWN_KIND,
    WAL_BYTES,
    Store,
    connect,
    event_crc,
    good_path,
    record_crc,
    sync_directory,
)

APPLICATION_ID = 0x41584352  # "AXCR"
ID_JUMP = 1_000_000

_SCHEMA = (
    "CREATE TABLE record (kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, crc INTEGER NOT NULL,"
    " PRIMARY KEY (kind, key)) WITHOUT ROWID",
    "CREATE TABLE event (id INTEGER PRIMARY KEY, time TEXT NOT NULL, topic TEXT NOT NULL, body BLOB NOT NULL,"
    " crc INTEGER NOT NULL)",
    f"PRAGMA user_version={FORMAT}",
    f"PRAGMA application_id={APPLICATION_ID}",
)
_NOT_DAMAGE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
}


class _DamagedError(Exception):
    """The store, or a part of it, cannot be trusted."""


StoreClass = Callable[[Path, sqlite3.Connection, Mark, int, str | None], Store]


def open_store(directory: Path, store_class: StoreClass = Store) -> Store:
    """Open, create or recover the store of a data directory (made with mode 0700).

    Raises StoreError naming the file.
    """
    _prepare(directory)
    path = directory / "state.db"
    mark = Mark(directory / "state.mark")
    try:
        known = mark.existed or good_path(path).exists()
        size = path.stat().st_size if path.exists() else 0
        if size == 0 and not known:
            create(path)
        connection, last_id = _open_or_recover(path, mark, known)
        try:
            _begin_log(path, connection)
            # Also when nothing was wrong: a row lives until Ledger.load has told it.
            row = connection.execute(
                "SELECT value FROM record WHERE kind=? AND key='recovered'", (OWN_KIND,)
            ).fetchone()
            mark.create(last_id)
            store = store_class(path, connection, mark, last_id, row[0].decode() if row else None)
            store.start_log()
        except BaseException:
            connection.close()
            raise
    except (OSError, sqlite3.Error) as error:
        mark.close()
        raise StoreError(str(path), f"cannot be opened: {error}") from error
    except BaseException:
        mark.close()
        raise
    return store


def erase_store(directory: Path) -> None:
    """Remove everything that ``open_store`` ever makes (factory default); the store must be closed. Raises OSError.

    The store goes before its marker: what a crash in between leaves is still seen as a loss, not as a fresh start.
    """
    for name in ("state.db", "state.db-wal", "state.db-shm", "state.new", "state.new-wal", "state.new-shm"):
        (directory / name).unlink(missing_ok=True)
    for name in ("state.damaged", "state.good-new", "state.good", "state.mark"):
        (directory / name).unlink(missing_ok=True)
    if directory.exists():
        sync_directory(directory)


def _prepare(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    except OSError as error:
        raise StoreError(str(directory), f"cannot be used: {error.strerror}") from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise StoreError(str(directory), "is not writable")


def create(path: Path) -> None:
    """Make a new, empty store. Raises OSError, sqlite3.Error."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(fd, 0o600)
    finally:
        os.close(fd)
    _remove_log(path)
    with contextlib.closing(connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
        connection.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute("COMMIT")
    sync_directory(path.parent)


def _open_or_recover(path: Path, mark: Mark, known: bool) -> tuple[sqlite3.Connection, int]:
    try:
        connection, last_id, empty = _verified(path)
    except _DamagedError as damage:
        return _recover(path, mark, str(damage))
    if mark.last_id is None and (known or not empty):
        reason = "the marker is damaged" if mark.existed else "the marker is missing"
    elif mark.last_id is not None and last_id < mark.last_id:
        reason = f"commits {last_id + 1} to {mark.last_id} are lost"
    else:
        return connection, last_id
    last_id = _flag(connection, mark, last_id, f"{path.name}: {reason}")
    return connection, last_id


def _verified(path: Path) -> tuple[sqlite3.Connection, int, bool]:
    """Open and check everything; (connection, last id, has no data).

    Raises _DamagedError, or StoreError where it is not damage.
    """
    if not path.exists():
        raise _DamagedError("is missing")
    if path.stat().st_size == 0:
        raise _DamagedError("is empty")
    if not os.access(path, os.R_OK | os.W_OK):
        raise StoreError(str(path), "is not readable and writable")
    path.chmod(0o600)
    connection: sqlite3.Connection | None = None
    try:
        connection = connect(path)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise _DamagedError("is not a store of this software")
        if version > FORMAT:
            raise StoreError(str(path), f"was written by a newer release (format {version}, this one knows {FORMAT})")
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            raise _DamagedError("has a damaged header")
        last_id, empty = _check_rows(connection)
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NOT_DAMAGE:
            raise StoreError(str(path), f"cannot be opened: {error}") from error
        raise _DamagedError(str(error)) from error
    except BaseException:
        if connection is not None:
            connection.close()
        raise
    return connection, last_id, empty


def _check_rows(connection: sqlite3.Connection) -> tuple[int, bool]:
    connection.text_factory = bytes
    check = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    connection.text_factory = str
    if check != b"ok":
        raise _DamagedError(f"fails its check: {check.decode(errors='replace').splitlines()[-1]}")
    last_id, rows = 0, 0
    try:
        for kind, key, value, crc in connection.execute("SELECT kind, key, value, crc FROM record"):
            if record_crc(kind, key, value) != crc:
                raise _DamagedError(f"record {kind}/{key} is damaged")
            if kind == OWN_KIND and key == "seq":
                last_id = int(value)
            rows += kind != OWN_KIND
        for number, time, topic, body, crc in connection.execute(
            "SELECT id, time, topic, body, crc FROM event ORDER BY id"
        ):
            if event_crc(number, time, topic, body) != crc:
                raise _DamagedError(f"event {number} is damaged")
            last_id = max(last_id, number)
            rows += 1
    except (TypeError, ValueError, AttributeError) as error:
        raise _DamagedError(f"holds a row of the wrong type: {error}") from error
    return last_id, rows == 0


def _recover(path: Path, mark: Mark, reason: str) -> tuple[sqlite3.Connection, int]:
    """Put a checked copy of the last-good copy in place of a damaged store."""
    good = good_path(path)
    fresh = path.with_suffix(".new")
    if not good.exists():
        raise StoreError(str(path), f"{reason}, and there is no last-good copy ({good.name}) to recover from")
    _remove_log(fresh)
    shutil.copyfile(good, fresh)
    fresh.chmod(0o600)
    try:
        connection, last_id, _ = _verified(fresh)
    except (_DamagedError, StoreError) as error:
        raise StoreError(str(path), f"{reason}, and the last-good copy {good.name} is no better: {error}") from error
    _flag(connection, mark, last_id, f"{path.name}: {reason}")
    connection.close()  # the last connection: its log is written back and removed
    fd = os.open(fresh, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    if path.exists():
        os.replace(path, path.with_suffix(".damaged"))
    _remove_log(path)
    os.replace(fresh, path)
    sync_directory(path.parent)
    connection, last_id, _ = _verified(path)
    return connection, last_id


def _flag(connection: sqlite3.Connection, mark: Mark, last_id: int, reason: str) -> int:
    """Note the recovery in the store and jump the numbers; returns the new last id."""
    last_id = (max(last_id, mark.last_id or 0) // ID_JUMP + 1) * ID_JUMP
    connection.execute("BEGIN IMMEDIATE")
    for key, value in (("recovered", reason.encode()), ("seq", b"%d" % last_id)):
        connection.execute(
            "INSERT OR REPLACE INTO record VALUES (?,?,?,?)", (OWN_KIND, key, value, record_crc(OWN_KIND, key, value))
        )
    connection.execute("COMMIT")
    return last_id


def _begin_log(path: Path, connection: sqlite3.Connection) -> None:
    """Write everything back and fill the log with zeros, so that commits only overwrite (half the time of a sync)."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    wal = Path(f"{path}-wal")
    fd = os.open(wal, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)  # no POSIX locks on this file: safe to close
    try:
        os.fchmod(fd, 0o600)
        if os.fstat(fd).st_size == 0:
            os.write(fd, bytes(WAL_BYTES))
        os.fsync(fd)
    except OSError:
        os.ftruncate(fd, 0)  # a full disk: do without
    finally:
        os.close(fd)
    sync_directory(path.parent)


def _remove_log(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{suffix}").unlink()
