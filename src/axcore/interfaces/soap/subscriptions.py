"""Pull points: what a client subscribed to, until it is fetched. Lives on the loop.

At most ``MAX_PULL_POINTS``, each with a queue of ``MAX_QUEUE`` events: what does not fit is dropped, oldest first, and
counted. A subscription ends when its time is over on the monotonic clock; fetching keeps it alive as long again as it
was asked for.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from axcore.errors import LimitError, NotFoundError
from axcore.model.events import Event
from axcore.rules import Filter
from axcore.runtime.clock import NS, Clock

if TYPE_CHECKING:
    from axcore.runtime.bus import Subscription

MAX_PULL_POINTS: Final = 32
MAX_QUEUE: Final = 500
MAX_SECONDS: Final = 86_400.0
DEFAULT_SECONDS: Final = 60.0
Message = tuple[Event, str]
"""An event and its property operation."""


class PullPoint:
    """One subscription. ``owner`` is the account that made it."""

    def __init__(self, key: str, owner: str, asked: Filter, bus: Any, clock: Clock) -> None:
        self.key = key
        self.owner = owner
        self._filter = asked
        self._bus = bus
        self._clock = clock
        self._seconds = DEFAULT_SECONDS
        self.ends_ns = 0
        prefix = asked.topics[0].path if len(asked.topics) == 1 else None
        self.stream: Subscription = bus.subscribe(MAX_QUEUE, prefix)
        self._initial: deque[Message] = deque()
        self._after = 0
        self._waiting: asyncio.Task[Event | None] | None = None
        self._told_drops = 0
        self.synchronize()

    @property
    def left(self) -> float:
        """Seconds until it ends."""
        return (self.ends_ns - self._clock.mono_ns()) / NS

    def renew(self, seconds: float) -> None:
        """Let it end in ``seconds``, but in a day at the latest."""
        self._seconds = min(seconds, MAX_SECONDS)
        self.ends_ns = self._clock.mono_ns() + round(self._seconds * NS)

    def synchronize(self) -> None:
        """Tell every property again."""
        states = self._bus.properties()
        self._after = max((event.id for event in states), default=0)
        self._initial = deque((event, "Initialized") for event in states if self._wants(event))

    def new_drops(self) -> int:
        """Events that were dropped since this was last asked."""
        found, self._told_drops = self.stream.dropped - self._told_drops, self.stream.dropped
        return found

    def close(self) -> None:
        """End it; who waits is told."""
        self.stream.close()

    async def pull(self, limit: int, patience: float) -> list[Message]:
        """Up to ``limit`` messages; waits up to ``patience`` s for the first. A second pull ends the first one."""
        await self._supersede()
        found = self._ready(limit)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(patience, max(self.left, 0.0))
        while not found and (left := deadline - loop.time()) > 0:
            self._waiting = task = asyncio.ensure_future(self.stream.get())
            try:
                await asyncio.wait({task}, timeout=left)
            finally:
                if self._waiting is task:
                    self._waiting = None
                if not task.done():
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
            if task.cancelled() or (event := task.result()) is None:
                break
            if self._is_new(event):
                found.append(_message(event))
            found += self._ready(limit - len(found))
        self.ends_ns = max(self.ends_ns, self._clock.mono_ns() + round(self._seconds * NS))
        return found

    async def _supersede(self) -> None:
        task, self._waiting = self._waiting, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _ready(self, limit: int) -> list[Message]:
        found: list[Message] = []
        while len(found) < limit and self._initial:
            found.append(self._initial.popleft())
        while len(found) < limit and (event := self.stream.get_nowait()) is not None:
            if self._is_new(event):
                found.append(_message(event))
        return found

    def _is_new(self, event: Event) -> bool:
        """Wanted, and not told as an initial state already."""
        return self._wants(event) and not (event.is_property and event.id <= self._after)

    def _wants(self, event: Event) -> bool:
        return self._filter.matches(event.topic, event.source, event.data)


def _message(event: Event) -> Message:
    return event, "Changed" if event.is_property else ""


class PullPoints:
    """All subscriptions. ``streams`` is the set of what the server closes when it stops; they end with it."""

    def __init__(self, bus: Any, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._points: dict[str, PullPoint] = {}

    def __len__(self) -> int:
        return len(self._points)

    def create(self, owner: str, asked: Filter, seconds: float, streams: set[Subscription]) -> PullPoint:
        """A new subscription. ``LimitError`` while there are as many as there can be."""
        self._sweep(streams)
        if len(self._points) >= MAX_PULL_POINTS:
            raise LimitError("subscriptions", f"there are {MAX_PULL_POINTS} pull points already; try again later")
        point = PullPoint(secrets.token_hex(8), owner, asked, self._bus, self._clock)
        point.renew(seconds)
        self._points[point.key] = point
        streams.add(point.stream)
        return point

    def get(self, key: str, owner: str, streams: set[Subscription]) -> PullPoint:
        """A subscription of this account; ``NotFoundError`` if there is none, or none any more."""
        self._sweep(streams)
        point = self._points.get(key)
        if point is None or point.owner != owner:
            raise NotFoundError("SubscriptionId", "there is no such subscription, or it has ended")
        return point

    def remove(self, point: PullPoint, streams: set[Subscription]) -> None:
        """End a subscription."""
        self._points.pop(point.key, None)
        streams.discard(point.stream)
        point.close()

    def _sweep(self, streams: set[Subscription]) -> None:
        for point in list(self._points.values()):
            if point.left <= 0 or point.stream.closed:
                self.remove(point, streams)
