"""The event loop and the watch over it.

``run`` starts a uvloop. ``StallDetector`` logs, with its stack, what has kept the loop from turning for more than 100
ms: the loop notes the time every 50 ms, a thread looks every 50 ms whether it did. Costs about 0.2 % of a core.
Threads: as told.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import selectors
import sys
import threading
import time
import traceback
from collections.abc import Callable, Coroutine
from types import FrameType, TracebackType
from typing import Any, TypeVar

import uvloop

from axcore.runtime.clock import NS, Clock, SystemClock

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK = 0.05
"""Seconds between two looks."""
LIMIT = 0.1
"""No answer for so long (seconds) is a stall."""
_LOOP_FILES = {asyncio.runners.__file__, asyncio.base_events.__file__, selectors.__file__}


def run(main: Coroutine[Any, Any, T], *, debug: bool | None = None) -> T:
    """Run ``main`` on a new uvloop, as ``asyncio.run`` does."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop, debug=debug) as runner:
        return runner.run(main)


class StallDetector:
    """Use as a context manager on the loop. ``report(seconds, stack)`` replaces the log line."""

    def __init__(self, clock: Clock | None = None, report: Callable[[float, str], None] | None = None) -> None:
        self.stalls = 0
        """How many stalls were seen."""
        self._clock = clock or SystemClock()
        self._report = report or _log_stall
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread_id = 0
        self._asked_ns: int | None = None
        self._reported = False
        self._stopped = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> StallDetector:
        self.attach(asyncio.get_running_loop())
        self._thread = threading.Thread(target=self._watch, name="stall-detector", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopped = True
        if self._thread is not None:
            self._thread.join()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch ``loop``, which runs in the calling thread."""
        self._loop = loop
        self._thread_id = threading.get_ident()

    def answer(self) -> None:
        """The loop turns (it was asked to call this)."""
        self._asked_ns = None
        self._reported = False

    def look(self) -> None:
        """One look (every ``LOOK`` seconds). Reports a stall once, while it lasts, with what the thread is doing."""
        frame = sys._current_frames().get(self._thread_id)
        if self._asked_ns is None:
            if frame is None or _is_waiting(frame) or self._loop is None:
                return
            self._asked_ns = self._clock.mono_ns()
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self.answer)
            return
        late = self._clock.mono_ns() - self._asked_ns
        if late >= LIMIT * NS and not self._reported:
            self._reported = True
            self.stalls += 1
            self._report(late / NS, "".join(traceback.format_stack(frame)))

    def _watch(self) -> None:
        while not self._stopped:  # a plain sleep: an Event's wait would cost four times as much
            time.sleep(LOOK)
            self.look()


def _is_waiting(frame: FrameType) -> bool:
    """Is the thread in the loop's own wait, and not in a callback?"""
    return frame.f_code.co_filename in _LOOP_FILES


def _log_stall(seconds: float, stack: str) -> None:
    log.warning("the loop is blocked (for %.0f ms so far):\n%s", seconds * 1000, stack)
