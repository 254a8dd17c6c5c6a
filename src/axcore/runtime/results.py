"""How the result of a job gets back to who waits for it: a thread by a future, the loop by one call for all.

Threads: ``settle`` by the ledger thread.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from typing import Any, Protocol

log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where the result of a job goes."""

    def settle(self, result: Any, error: BaseException | None) -> None: ...


Settled = tuple[Sink, Any, BaseException | None]


class FutureSink:
    """To a thread that waits on a ``concurrent.futures.Future``."""

    __slots__ = ("future",)

    def __init__(self, future: Future[Any]) -> None:
        self.future = future

    def settle(self, result: Any, error: BaseException | None) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class LoopSink:
    """To a coroutine of the loop that made it."""

    __slots__ = ("future", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()

    def settle(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():  # the caller has gone
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


def settle(settled: list[Settled]) -> None:
    """Resolve futures; those of a loop in one call."""
    loops: dict[asyncio.AbstractEventLoop, list[Settled]] = {}
    for entry in settled:
        if isinstance(entry[0], LoopSink):
            loops.setdefault(entry[0].loop, []).append(entry)
        else:
            entry[0].settle(entry[1], entry[2])
    for loop, entries in loops.items():
        try:
            loop.call_soon_threadsafe(_settle_here, entries)
        except RuntimeError:
            log.debug("the loop is closed: %d results are lost", len(entries))


def _settle_here(entries: list[Settled]) -> None:
    for sink, result, error in entries:
        sink.settle(result, error)
