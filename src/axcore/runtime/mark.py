"""The marker beside the store: how far the ledger had come, told by a file that SQLite does not know.

A SQLite file that was emptied, or whose write-ahead log was cut, opens without complaint and has silently lost commits.
The marker holds the number of the last commit, so that such a loss is seen. It is one mapped page: an update is a
memory copy (no system call), survives the death of the process, and after a power cut is at worst older than the store,
never newer, because it is written after the commit. Two slots are written in turn, each with a checksum, so that a torn
write leaves the other. The file's ``flock`` also keeps a second process out of the directory. Threads: the ledger
thread.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import zlib
from pathlib import Path

from axcore.errors import StoreError

_SIZE = 4096
_SLOT = struct.Struct("<8sQI")  # magic, last id, checksum of both
_MAGIC = b"axmark01"
_OFFSETS = (0, 2048)


class Mark:
    """``last_id`` is the highest commit number known; None when the marker was absent or unreadable."""

    def __init__(self, path: Path) -> None:
        """Lock and read the marker; the file is only made by ``create``.

        Raises StoreError when another process has it.
        """
        self.path = path
        self.last_id: int | None = None
        self.existed = path.exists()
        self._lock_fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._map: mmap.mmap | None = None
        self._slot = 0
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock_fd)
            raise StoreError(str(path.parent), "is in use by another process") from error
        if self.existed:
            self.last_id = self._read()

    def _read(self) -> int | None:
        try:
            data = self.path.read_bytes()
        except OSError as error:
            os.close(self._lock_fd)
            raise StoreError(str(self.path), f"cannot be read: {error.strerror}") from error
        if len(data) != _SIZE:
            return None
        found = [value for value in (_decode(data, offset) for offset in _OFFSETS) if value is not None]
        return max(found) if found else None

    def create(self, last_id: int) -> None:
        """Write a whole new marker, durable on return, and map it for ``update``."""
        temporary = self.path.with_suffix(".new")
        fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(fd, 0o600)
            page = bytearray(_SIZE)
            for offset in _OFFSETS:
                page[offset : offset + _SLOT.size] = _encode(last_id)
            os.write(fd, page)
            os.fsync(fd)
            os.replace(temporary, self.path)
            os.fsync(self._lock_fd)
            self._map = mmap.mmap(fd, _SIZE)
        finally:
            os.close(fd)
        self.last_id = last_id

    def update(self, last_id: int) -> None:
        """Note a finished commit."""
        assert self._map is not None
        offset = _OFFSETS[self._slot]
        self._map[offset : offset + _SLOT.size] = _encode(last_id)
        self._slot ^= 1
        self.last_id = last_id

    def close(self) -> None:
        """Write back and give up the lock."""
        if self._map is not None:
            self._map.flush()
            self._map.close()
            self._map = None
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1


def _encode(last_id: int) -> bytes:
    return _SLOT.pack(_MAGIC, last_id, zlib.crc32(last_id.to_bytes(8, "little"), zlib.crc32(_MAGIC)))


def _decode(data: bytes, offset: int) -> int | None:
    magic, last_id, crc = _SLOT.unpack_from(data, offset)
    good = magic == _MAGIC and crc == zlib.crc32(last_id.to_bytes(8, "little"), zlib.crc32(_MAGIC))
    return int(last_id) if good else None
