"""The asyncio glue of both ends: bytes in, bytes out, one timer. The engines below know no loop and no clock."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable

from axcore._native.osdp_line import NEVER, ControlPanel, PeripheralDevice

Write = Callable[[bytes], object]


class Pump:
    """Drives an engine. Give it bytes with ``feed``; it calls ``write`` with bytes to send, and ``_on_events`` of its
    subclass. It needs a running loop for its timer; without one, call ``poll`` when ``deadline_ns`` is reached.
    """

    def __init__(self, engine: ControlPanel | PeripheralDevice, write: Write, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._write = write
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._fd: int | None = None
        self._closed = False
        self._inside = False

    @property
    def deadline_ns(self) -> int:
        """When ``poll`` has something to do, on the clock of this object."""
        return self._engine.deadline_ns

    def feed(self, data: bytes) -> None:
        """Bytes from the line."""
        self._run(data)

    def poll(self) -> None:
        """Do what is due."""
        self._run(b"")

    def _run(self, data: bytes) -> None:
        if self._closed or self._inside:
            return
        self._inside = True
        try:
            out = self._engine.step(data, self._clock())
            self._on_events()
            if not out:
                out = self._engine.advance(self._clock())  # a handler answered
            if out:
                self._write(out)
        finally:
            self._inside = False
        self._schedule()

    def _on_events(self) -> None:
        raise NotImplementedError

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._engine.deadline_ns
        if deadline == NEVER or self._closed:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._timer = loop.call_later(max(0, deadline - self._clock()) / 1e9, self.poll)

    def _attach(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        asyncio.get_running_loop().add_reader(fd, self._readable)
        self.poll()

    def _readable(self) -> None:
        assert self._fd is not None
        try:
            data = os.read(self._fd, 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.feed(data)
        else:
            self.close()

    def close(self) -> None:
        """Stop. The file descriptor, if there is one, stays open: it is the caller's."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._fd is not None:
            asyncio.get_running_loop().remove_reader(self._fd)
            self._fd = None


def now_ns() -> int:
    """CLOCK_MONOTONIC in ns."""
    return time.monotonic_ns()


def fd_writer(fd: int) -> Write:
    """A ``write`` for a descriptor. What the line does not take is lost, as on a real one: the protocol repeats."""

    def write(data: bytes) -> None:
        try:
            os.write(fd, data)
        except (BlockingIOError, BrokenPipeError):
            return

    return write
