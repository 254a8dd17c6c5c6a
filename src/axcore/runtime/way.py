"""Right of way: bulk work in other threads waits while the ledger answers a card or an input's edge.

Each call into SQLite or the kernel gives the interpreter lock away, and while the loop is busy it comes back only after
the switch interval: several times for one edge. Whoever handles thousands of things in a row (messages of a broker)
asks before each (``give``), and stands still for the fraction of a millisecond in which a door is being decided, and
from shortly before on: who takes the interpreter lock then may be held up behind a real-time thread, lock in hand.
Threads: ``take`` and ``leave`` the ledger's, ``give`` any other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PATIENCE_S = 0.002
"""Longest stop: a slow medium does not hold up the loop."""
GLANCE_S = 0.00002
"""Rest while news is there that the ledger has not seen yet."""


class RightOfWay:
    """See the module's text."""

    def __init__(self) -> None:
        self.coming: Callable[[], bool] = lambda: False
        """Whether news from the pins waits for the ledger, or is about to."""
        self._lock = threading.Lock()
        self._taken = False

    def take(self) -> None:
        """From now on the others wait. Never blocks."""
        self._taken = self._lock.acquire(blocking=False) or self._taken

    def leave(self) -> None:
        """They go on. May be called twice."""
        if self._taken:
            self._taken = False
            self._lock.release()

    def give(self) -> None:
        """Wait for whoever has the right of way, for PATIENCE_S at most. Costs a tenth of a microsecond otherwise."""
        if self._taken or self.coming():
            self._stand()

    def _stand(self) -> None:
        end = time.monotonic() + PATIENCE_S
        while not self._taken and self.coming() and time.monotonic() < end:
            time.sleep(GLANCE_S)
        if self._taken and self._lock.acquire(timeout=max(0.0, end - time.monotonic())):
            self._lock.release()
