"""The OSDP lines of a device in one native thread, which polls and answers whatever Python does.

``OsdpLines`` owns the thread; ``drivers.osdp_bus`` puts controllers on it, ``drivers.osdp_reader`` the device as a
reader. What the lines saw is handed to the ledger thread by ``jobs``, like the board's events.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from axcore._native.io import monotonic_ns
from axcore._native.osdp_line import ControlPanel, LineThread, PeripheralDevice, detach, line_up, set_fd

from .serial import Line

if TYPE_CHECKING:
    from axcore.runtime.clock import Instant
    from axcore.runtime.ledger import Transaction

log = logging.getLogger(__name__)

Job = Callable[["Transaction"], Any]
REOPEN_NS = 1_000_000_000
"""A line that has failed (an adapter was pulled out) is tried again so often."""
LOOK_NS = 500_000_000
"""Lines are looked at so often for failures that nobody told."""
FIFO_PRIORITY = 15
"""Below the thread that owns the pins, above everything of Python."""


class End(Protocol):
    """One end of a line, with its line."""

    @property
    def engine(self) -> ControlPanel | PeripheralDevice: ...

    @property
    def line(self) -> Line: ...

    def jobs(self) -> list[Job]:
        """What happened, as jobs in order."""


class OsdpLines:
    """Up to 32 lines. ``event_fd`` is the eventfd on which the ledger waits (``Board.io.event_fd``); -1 makes one."""

    def __init__(self, event_fd: int = -1) -> None:
        self.thread = LineThread(event_fd=event_fd, fifo_priority=FIFO_PRIORITY)
        self._ends: list[End] = []
        self._retry_ns: dict[int, int] = {}
        self._running = False

    def start(self) -> None:
        """Start the thread. Lines that were added are opened; one that cannot be is tried again."""
        self.thread.start()
        self._running = True
        for end in self._ends:
            self._open(end)

    def stop(self) -> None:
        """End the thread and close the lines."""
        self._running = False
        self.thread.stop()
        for end in self._ends:
            detach(end.engine)
            end.line.close()

    def add(self, end: End) -> None:
        """Put an end on its line; before or after ``start``."""
        self.thread.attach(end.engine)
        self._ends.append(end)
        if self._running:
            self._open(end)

    def remove(self, end: End) -> None:
        """Take it off and close the line."""
        if end in self._ends:
            self._ends.remove(end)
            detach(end.engine)
            end.line.close()

    @property
    def progress(self) -> int:
        """Turns of the thread: rises at least once a second."""
        return self.thread.counters["progress"]

    def jobs(self) -> list[Job]:
        """What the lines saw since the last call. Ledger thread."""
        return [job for end in self._ends for job in end.jobs()]

    # --- a timer of the ledger

    def next_deadline(self) -> int | None:
        """When to look at lines that have failed."""
        now = monotonic_ns()
        return min((self._retry_ns.get(id(end), now + LOOK_NS) for end in self._ends), default=None)

    def advance(self, tx: Transaction, now: Instant) -> None:
        """Open again what has failed."""
        for end in self._ends:
            if line_up(end.engine):
                self._retry_ns[id(end)] = now.mono_ns + LOOK_NS
            elif self._retry_ns.get(id(end), 0) <= now.mono_ns:
                self._open(end)

    def _open(self, end: End) -> None:
        now = monotonic_ns()
        try:
            set_fd(end.engine, -1)
            set_fd(end.engine, end.line.open())
            self._retry_ns[id(end)] = now + LOOK_NS
        except OSError as error:
            if id(end) not in self._retry_ns:
                log.warning("serial line %s: %s", end.line.path, error.strerror)
            self._retry_ns[id(end)] = now + REOPEN_NS
