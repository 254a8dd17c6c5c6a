"""Factory default: forget everything but a few records, so that no old byte is left in the data directory.

Deleting rows would leave their bytes in free pages, in the write-ahead log and in the last-good copy. So the wish is
noted in a file (``request``), and the next start (``finish``) writes a new store that holds only what is kept, puts it
in the place of the old one and overwrites and removes every old file. Each step can be repeated: after a crash at any
point the next start finishes the work. Event numbers go on, so they never repeat. Threads: before the ledger starts.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

from axcore.errors import StoreError
from axcore.runtime.mark import Mark
from axcore.runtime.store import OWN_KIND, connect, good_path, record_crc, sync_directory
from axcore.runtime.store_open import create

REQUEST = "factory-default"
"""File that asks for it; holds the mode."""
CHUNK = 1 << 20

Keep = Callable[[str, str], bool]
"""Whether the record (kind, key) stays."""


def request(directory: Path, mode: str) -> None:
    """Ask the next start to forget everything; durable on return. Raises OSError."""
    temporary = directory / f"{REQUEST}.new"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, mode.encode("ascii"))
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(temporary, directory / REQUEST)
    sync_directory(directory)


def requested(directory: Path) -> str | None:
    """The mode that was asked for and is not finished, or None."""
    try:
        return (directory / REQUEST).read_text(encoding="ascii")
    except FileNotFoundError:
        return None


def finish(directory: Path, keep: Keep, others: Iterable[str] = ()) -> None:
    """Do what was asked for: a new store with the records of ``keep``; the old files and ``others`` are gone.

    Raises StoreError.
    """
    path = directory / "state.db"
    mark = Mark(directory / "state.mark")
    try:
        records = _kept(path, keep, mark.last_id or 0)
        fresh = path.with_suffix(".wiped")
        _erase(fresh)
        create(fresh)
        with contextlib.closing(connect(fresh)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for (kind, key), value in records.items():
                row = (kind, key, value, record_crc(kind, key, value))
                connection.execute("INSERT OR REPLACE INTO record VALUES (?,?,?,?)", row)
            connection.execute("COMMIT")
        _replace(path, fresh)
        for name in ("state.good", "state.good-new", "state.new", "state.damaged", *others):
            _erase(directory / name)
        (directory / REQUEST).unlink(missing_ok=True)
        sync_directory(directory)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(str(path), f"cannot be reset: {error}") from error
    finally:
        mark.close()


def _kept(path: Path, keep: Keep, last_id: int) -> dict[tuple[str, str], bytes]:
    """What stays of the old store (nothing of one that cannot be read), and the number at which events go on."""
    records: dict[tuple[str, str], bytes] = {}
    for candidate in (path, good_path(path)):
        if not candidate.exists() or candidate.stat().st_size == 0:
            continue
        try:
            with contextlib.closing(connect(candidate)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                for kind, key, value, crc in connection.execute("SELECT kind, key, value, crc FROM record").fetchall():
                    if record_crc(kind, key, value) == crc and keep(kind, key):
                        records[kind, key] = value
                newest = connection.execute("SELECT max(id) FROM event").fetchone()[0] or 0
                seq = connection.execute("SELECT value FROM record WHERE kind=? AND key='seq'", (OWN_KIND,)).fetchone()
                last_id = max(last_id, newest, int(seq[0]) if seq else 0)
            break
        except (sqlite3.Error, ValueError, TypeError, AttributeError):
            records.clear()
    records[OWN_KIND, "seq"] = b"%d" % last_id
    return records


def _replace(path: Path, fresh: Path) -> None:
    """Put the new store in place; the old one is overwritten and gone.

    Both logs are written back by now. They go first: SQLite would play the log of the old store into the new one.
    """
    for suffix in ("-wal", "-shm"):
        _erase(Path(f"{fresh}{suffix}"))
        _erase(Path(f"{path}{suffix}"))
    fd = os.open(fresh, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    old = os.open(path, os.O_WRONLY | os.O_CLOEXEC) if path.exists() else -1
    try:
        os.replace(fresh, path)
        sync_directory(path.parent)
        if old >= 0:
            _overwrite(old)
    finally:
        if old >= 0:
            os.close(old)


def _erase(path: Path) -> None:
    """Overwrite and remove a file, if it is there."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        _overwrite(fd)
    finally:
        os.close(fd)
    path.unlink()


def _overwrite(fd: int) -> None:
    size = os.fstat(fd).st_size
    for offset in range(0, size, CHUNK):
        os.pwrite(fd, bytes(min(CHUNK, size - offset)), offset)
    os.fsync(fd)
