"""Captures: what the light and the loudspeaker really did, read while it is written (``ax/capture.h``).

A capture is memory that the writing thread shares. Others reach it by a link in the data directory (``light.ring``,
``sound.ring``), as long as the device runs; who has it open keeps it, even when the device is killed.
Units: ns of CLOCK_MONOTONIC.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from axcore.errors import FormatError

LIGHT_RING, SOUND_RING = "light.ring", "sound.ring"
LIGHT, SOUND = 1, 2
_MAGIC = b"AXCAPT1\0"
_HEADER = struct.Struct("=8sIIIIII")
_WRITTEN = struct.Struct("=Q")
_WRITTEN_AT, _FIRST = 32, 64
_RECORD = struct.Struct("=QQQ")


class Record(NamedTuple):
    """A frame or a block."""

    number: int
    """1 for the first ever."""
    t_ns: int
    """The time that it belongs to: of the frame, of the first sample."""
    done_ns: int
    """When it was given out."""
    data: bytes


class Capture:
    """A reader. Not for several threads at once. FormatError: the file is no capture; OSError: it cannot be read."""

    def __init__(self, source: Path | int) -> None:
        fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC) if isinstance(source, Path) else source
        try:
            size = os.fstat(fd).st_size
            if size < _FIRST:
                raise FormatError("a capture has a header")
            self._map = mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ)
        finally:
            if isinstance(source, Path):
                os.close(fd)
        magic, self.kind, rate, self.detail, self._size, self._stride, self.records = _HEADER.unpack_from(self._map)
        fits = _FIRST + self._stride * self.records <= size and _RECORD.size + self._size <= self._stride
        if magic != _MAGIC or self.kind not in (LIGHT, SOUND) or not fits or self.records == 0:
            self._map.close()
            raise FormatError("this is no capture")
        self.rate = rate / 1000 if self.kind == LIGHT else float(rate)
        """Frames or samples in a second."""

    def __enter__(self) -> Capture:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the memory go."""
        self._map.close()

    @property
    def written(self) -> int:
        """The number of the newest record; 0 = there is none yet."""
        return int(_WRITTEN.unpack_from(self._map, _WRITTEN_AT)[0])

    def record(self, number: int) -> Record | None:
        """The record of that number; None when it is not there yet, or not any more."""
        if number < 1:
            return None
        at = _FIRST + (number - 1) % self.records * self._stride
        before, t_ns, done_ns = _RECORD.unpack_from(self._map, at)
        data = self._map[at + _RECORD.size : at + _RECORD.size + self._size]
        if before != number or _RECORD.unpack_from(self._map, at)[0] != number:
            return None
        return Record(number, t_ns, done_ns, data)

    @property
    def latest(self) -> Record | None:
        """The newest record."""
        while (number := self.written) > 0:
            if (found := self.record(number)) is not None:
                return found
        return None

    def since(self, number: int = 0) -> Iterator[Record]:
        """Records after that number which are still there, oldest first."""
        for wanted in range(max(number, self.written - self.records) + 1, self.written + 1):
            found = self.record(wanted)
            if found is not None:
                yield found

    def newest(self) -> Iterator[Record]:
        """Records from the newest backwards."""
        last = self.written
        for number in range(last, max(0, last - self.records), -1):
            found = self.record(number)
            if found is None:
                return
            yield found


def publish(fd: int, path: Path) -> None:
    """Have ``path`` lead to the capture with the descriptor ``fd`` of this process."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(f"/proc/{os.getpid()}/fd/{fd}")
    os.replace(fresh, path)
