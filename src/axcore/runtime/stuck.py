"""Native threads that stand still are told of as SYSTEM_FAULT, once, and in the log when they go on.

A stuck ledger or I/O thread ends the process by the watchdog (``runtime.notify``). A thread that hangs in the driver of
a sound card or of a serial line would hang there again, and doors, buttons and relays work without it: the process
goes on. Counted are looks without progress and not seconds, so that a process that was stopped, or a machine that had
no time for it, is no fault of its threads. Threads: the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

log = logging.getLogger(__name__)

LOOK_S: Final = 5.0
"""Seconds between two looks; threads that have something to do turn at least once a second."""
LOOKS: Final = 3
"""So many in a row without progress are told."""


class StuckThreads:
    """``read()`` gives the counters of those threads that have something to do now; ``tell(name, reason)``: a fault."""

    def __init__(self, read: Callable[[], Mapping[str, int]], tell: Callable[[str, str], None]) -> None:
        self._read, self._tell = read, tell
        self._seen: dict[str, tuple[int, int]] = {}
        """By name: the counter, and for how many looks it has not moved."""

    def look(self) -> None:
        """One look (every ``LOOK_S`` seconds)."""
        before, self._seen = self._seen, {}
        for name, count in self._read().items():
            last, still = before.get(name, (count - 1, 0))
            if count != last and still >= LOOKS:
                log.warning("the thread of %s goes on", name)
            still = still + 1 if count == last else 0
            self._seen[name] = count, still
            if still == LOOKS:
                log.critical("the thread of %s makes no progress", name)
                self._tell(name, f"its thread makes no progress for {LOOKS * LOOK_S:.0f} s")

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)
