"""Supervision of a service on the loop: it is brought back when it dies, with a pause when it dies too often.

Threads: the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

from axcore.model.events import SYSTEM_FAULT, NewEvent
from axcore.runtime.clock import NS
from axcore.runtime.transaction import Transaction

log = logging.getLogger(__name__)

MANY = 5
"""So many ends ..."""
WINDOW_NS = 10 * NS
"""... within this time ..."""
PAUSE = 2.0
"""... are followed by this pause (seconds), as is a failed start."""


class Startable(Protocol):
    """A service."""

    urls: tuple[str, ...]

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class Restartable:
    """Owns one service at a time; ``make`` gives a new one. Ends and failures are told as events."""

    def __init__(
        self,
        name: str,
        make: Callable[[], Startable],
        post: Callable[[Callable[[Transaction], Any]], None],
        mono_ns: Callable[[], int],
        *,
        pause: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self.name = name
        self.server: Startable | None = None
        self._make = make
        self._post = post
        self._mono_ns = mono_ns
        self._pause = pause
        self._ends: list[int] = []
        self._stopped = False
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """The first start; raises what the service raises."""
        server = self._make()
        await server.start()
        self.server = server

    async def stop(self) -> None:
        """The last stop."""
        self._stopped = True
        async with self._lock:
            if self.server is not None:
                await self.server.stop()

    async def drop(self) -> None:
        """End the service as if it had died, and bring it back."""
        async with self._lock:
            if self._stopped or self.server is None:
                return
            self._tell("ended")
            await self.server.stop()
            now = self._mono_ns()
            self._ends = [t for t in self._ends if now - t < WINDOW_NS] + [now]
            if len(self._ends) >= MANY:
                await self._pause(PAUSE)
            while not self._stopped:
                try:
                    await self.start()
                except Exception as error:
                    log.exception("%s does not start", self.name)
                    self._tell(f"does not start: {error}")
                    await self._pause(PAUSE)
                else:
                    return

    def _tell(self, reason: str) -> None:
        event = NewEvent(topic=SYSTEM_FAULT, data={"component": self.name, "reason": reason})
        self._post(lambda tx: tx.publish(event))
