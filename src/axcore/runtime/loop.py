"""The event loop and the watch over it.

``run`` starts a uvloop. ``StallDetector`` logs, with its stack, what has kept the loop from turning for more than 100
ms: the loop notes the time every 50 ms, a thread looks every 50 ms whether it did. Costs about 0.2 % of a core.
Threads: as told.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, TypeVar

import uvloop

from axcore.runtime.clock import NS, Clock, SystemClock

log = logging.getLogger(__name__)

T = TypeVar("T")

BEAT = 0.05
"""Seconds between beats and between looks."""
LIMIT = 0.1
"""A callback that lasts longer (seconds) is a stall."""


def run(main: Coroutine[Any, Any, T], *, debug: bool | None = None) -> T:
    """Run ``main`` on a new uvloop, as ``asyncio.run`` does."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop, debug=debug) as runner:
        return runner.run(main)


class StallDetector:
    """Use as a context manager on the loop. ``report(seconds, stack)`` replaces the log line."""

    def __init__(
        self, clock: Clock | None = None, report: Callable[[float, str], None] | None = None, limit: float = LIMIT
    ) -> None:
        self.stalls = 0
        """How many stalls were seen."""
        self.longest = 0.0
        """Seconds of the longest one."""
        self._clock = clock or SystemClock()
        self._report = report or _log_stall
        self._limit_ns = round((limit + BEAT) * NS)
        self._beat_ns = self._clock.mono_ns()
        self._reported = False
        self._stop = threading.Event()
        self._thread_id = 0
        self._timer: asyncio.TimerHandle | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> StallDetector:
        self.begin()
        self._thread = threading.Thread(target=self._watch, name="stall-detector", daemon=True)
        self._thread.start()
        self._tick(asyncio.get_running_loop())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._thread is not None:
            self._thread.join()

    def begin(self) -> None:
        """Watch the calling thread."""
        self._thread_id = threading.get_ident()
        self._beat_ns = self._clock.mono_ns()

    def beat(self) -> None:
        """The loop turns."""
        now = self._clock.mono_ns()
        late = now - self._beat_ns - round(BEAT * NS)
        self._beat_ns = now
        if late > self._limit_ns - round(BEAT * NS):
            self.stalls += 1
            self.longest = max(self.longest, late / NS)
            log.warning("the loop did not turn for %.0f ms", late / 1e6)
        self._reported = False

    def look(self) -> None:
        """Has the loop turned lately? Reports a stall once, while it lasts, with what the loop's thread is doing."""
        late = self._clock.mono_ns() - self._beat_ns
        if late <= self._limit_ns or self._reported:
            return
        self._reported = True
        frame = sys._current_frames().get(self._thread_id)
        stack = "".join(traceback.format_stack(frame)) if frame is not None else "(no stack)"
        self._report((late - BEAT * NS) / NS, stack)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self.beat()
        self._timer = loop.call_later(BEAT, self._tick, loop)

    def _watch(self) -> None:
        while not self._stop.wait(BEAT):
            self.look()


def _log_stall(seconds: float, stack: str) -> None:
    log.warning("the loop is blocked (for %.0f ms so far):\n%s", seconds * 1000, stack)
