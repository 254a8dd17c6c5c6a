"""Named services as asyncio tasks: one that dies comes back, and nothing else notices.

Restart after 0.1 s, doubling to 2 s; after 5 failures within 10 s every 10 s, and that is told as SYSTEM_FAULT. A
service that runs for 10 s is well again. Threads: the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from axcore.errors import NotFoundError
from axcore.runtime.clock import NS, Clock, SystemClock

log = logging.getLogger(__name__)

FIRST_DELAY = 0.1
MOST_DELAY = 2.0
SLOW_DELAY = 10.0
FAILURES = 5
WINDOW = 10.0

Factory = Callable[[], Coroutine[Any, Any, None]]
Sleep = Callable[[float], Awaitable[None]]


class _Service:
    def __init__(self, name: str, factory: Factory) -> None:
        self.name = name
        self.factory = factory
        self.task: asyncio.Task[None] | None = None
        self.keeper: asyncio.Task[None] | None = None
        self.failures: list[int] = []
        self.starts = 0
        self.slow = False


class Supervisor:
    """``tell(name, reason)`` is called once each time that a service is found to fail again and again."""

    def __init__(
        self, tell: Callable[[str, str], None], *, clock: Clock | None = None, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._tell = tell
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._services: dict[str, _Service] = {}

    def add(self, name: str, factory: Factory) -> None:
        """Keep ``factory()`` running from now on; its end, with or without an exception, is a failure."""
        if name in self._services:
            raise ValueError(f"there is a service {name} already")
        service = _Service(name, factory)
        self._services[name] = service
        service.keeper = asyncio.get_running_loop().create_task(self._keep(service), name=f"keep {name}")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._services)

    def state(self, name: str) -> str:
        """``running``, ``waiting`` (to be restarted) or ``failing`` (slowed down)."""
        service = self._find(name)
        if service.task is not None and not service.task.done():
            return "running"
        return "failing" if service.slow else "waiting"

    def starts(self, name: str) -> int:
        """How often a service was started."""
        return self._find(name).starts

    def drop(self, name: str) -> None:
        """Kill a service, to see that it comes back. Raises NotFoundError."""
        service = self._find(name)
        if service.task is not None:
            service.task.cancel()

    async def stop(self) -> None:
        """Cancel everything, last added first, and wait for it."""
        for service in reversed(self._services.values()):
            if service.keeper is not None:
                service.keeper.cancel()
                await asyncio.gather(service.keeper, return_exceptions=True)
        self._services.clear()

    def _find(self, name: str) -> _Service:
        try:
            return self._services[name]
        except KeyError:
            known = ", ".join(self._services) or "none"
            raise NotFoundError("service", f"there is no service {name} (there are: {known})") from None

    async def _keep(self, service: _Service) -> None:
        try:
            while True:
                started = self._clock.mono_ns()
                reason = await self._run(service)
                await self._sleep(self._delay(service, started, reason))
        finally:
            if service.task is not None and not service.task.done():
                service.task.cancel()
                await asyncio.gather(service.task, return_exceptions=True)

    async def _run(self, service: _Service) -> str:
        service.starts += 1
        service.task = asyncio.get_running_loop().create_task(service.factory(), name=service.name)
        await asyncio.wait([service.task])
        if service.task.cancelled():
            return "was cancelled"
        error = service.task.exception()
        if error is None:
            return "has ended"
        log.error("service %s failed", service.name, exc_info=error)
        return f"{type(error).__name__}: {error}"

    def _delay(self, service: _Service, started_ns: int, reason: str) -> float:
        now = self._clock.mono_ns()
        if now - started_ns >= WINDOW * NS:
            service.failures.clear()
            service.slow = False
        service.failures = [t for t in service.failures if t > now - WINDOW * NS] + [now]
        count = len(service.failures)
        if count >= FAILURES and not service.slow:
            service.slow = True
            self._tell(service.name, f"failed {count} times in {WINDOW:.0f} s, last: {reason}")
        if service.slow:
            return SLOW_DELAY
        log.warning("service %s is restarted: %s", service.name, reason)
        return min(FIRST_DELAY * 2.0 ** (count - 1), MOST_DELAY)
