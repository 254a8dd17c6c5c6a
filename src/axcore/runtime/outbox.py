"""Work that one thread hands to a service of the loop, bounded: what does not fit is refused, never waited for.

It may be filled before there is a loop; the service finds it when it starts. Threads: ``post`` any, the rest the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Outbox(Generic[T]):
    """A queue of at most ``maxsize`` items. ``refused`` counts what did not fit."""

    def __init__(self, maxsize: int) -> None:
        self.refused = 0
        self._items: deque[T] = deque()
        self._maxsize = maxsize
        self._lock = threading.Lock()
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Future[None]] | None = None

    def __len__(self) -> int:
        return len(self._items)

    def post(self, item: T) -> bool:
        """Add an item; False if there was no room for it."""
        with self._lock:
            if len(self._items) >= self._maxsize:
                self.refused += 1
                return False
            self._items.append(item)
            waiter, self._waiter = self._waiter, None
        if waiter is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the next one finds the item
                waiter[0].call_soon_threadsafe(_release, waiter[1])
        return True

    async def get(self) -> T:
        """The oldest item; waits for one. One reader at a time."""
        while True:
            with self._lock:
                if self._items:
                    return self._items.popleft()
                loop = asyncio.get_running_loop()
                future: asyncio.Future[None] = loop.create_future()
                self._waiter = (loop, future)
            await future

    def get_nowait(self) -> T | None:
        """The oldest item, or None."""
        with self._lock:
            return self._items.popleft() if self._items else None


def _release(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
