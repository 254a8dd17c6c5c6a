"""The event bus: who is told of an event, and when.

* *In-transaction* subscribers (rules, counters) are called by the ledger thread inside the transaction that publishes,
  so what they do is durable together with the event.
* *Subscriptions* (streams, log views, MQTT) live on the event loop and are told after the commit. Each has a bounded
  queue; what does not fit is dropped, oldest first, and counted. A stalled loop costs a bounded backlog and one
  wake-up, not one per event.
* The *property cache* keeps the last committed event of each (topic, source) that is a property.

Threads: ``in_transaction`` before the ledger starts; ``deliver`` by the ledger thread; ``subscribe`` on the loop;
``properties`` from any thread.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from axcore.model.events import Event
    from axcore.runtime.ledger import Transaction

    InTransaction = Callable[[Transaction, Event], None]

log = logging.getLogger(__name__)

BACKLOG = 8192
"""Most events that wait for a loop that does not turn."""


def _covers(prefix: str, topic: str) -> bool:
    """Is ``topic`` the node ``prefix`` of the topic tree, or below it?"""
    return not prefix or topic == prefix or topic.startswith(prefix if prefix[-1] == "/" else prefix + "/")


class Subscription:
    """An async iterator over committed events; ``dropped`` counts the ones that did not fit. Use on the loop only."""

    def __init__(self, bus: Bus, maxsize: int, prefix: str | None, since: int) -> None:
        self.dropped = 0
        self.since = since
        """Id of the last event that was committed before this began: older ones may come, but are not missed."""
        self._bus = bus
        self._prefix = prefix or ""
        self._events: deque[Event] = deque(maxlen=maxsize)
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Event:
        event = await self.get()
        if event is None:
            raise StopAsyncIteration
        return event

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def waiting(self) -> int:
        """Events that wait to be taken."""
        return len(self._events)

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self._closed

    async def get(self) -> Event | None:
        """The next event; None once the subscription is closed and empty."""
        while not self._events:
            if self._closed:
                return None
            await self.wait()
        return self._events.popleft()

    async def wait(self) -> bool:
        """Wait until there is an event, or ``wake`` or ``close`` is called; False once closed and empty."""
        if not self._events and not self._closed:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return bool(self._events) or not self._closed

    def get_nowait(self) -> Event | None:
        """The next event, or None when there is none now."""
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        """End the subscription; a waiting reader gets the end of the stream."""
        self._closed = True
        self._bus._remove(self)
        self.wake()

    def wake(self) -> None:
        """Let the waiting reader look again."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _put(self, event: Event) -> None:
        if not _covers(self._prefix, event.topic):
            return
        if len(self._events) == self._events.maxlen:
            self.dropped += 1
        self._events.append(event)


class Bus:
    """See the module's text."""

    def __init__(self) -> None:
        self.dropped = 0
        """Events that no subscription was told of because the loop did not turn for too long."""
        self._in_transaction: list[tuple[str, InTransaction]] = []
        self._by_topic: dict[str, tuple[InTransaction, ...]] = {}
        self._properties: dict[tuple[str, tuple[tuple[str, str], ...]], Event] = {}
        self._forgotten: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        self._subscriptions: tuple[Subscription, ...] = ()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._backlog: deque[Event] = deque(maxlen=BACKLOG)
        self._scheduled = False
        self._last = 0

    def in_transaction(self, prefix: str | None, fn: InTransaction) -> Callable[[], None]:
        """Call ``fn(tx, event)`` in the transaction of every event at or below topic ``prefix`` (None = all).

        Subscribers are called in the order of registration. Returns a function that ends it.
        """
        entry = (prefix or "", fn)
        self._in_transaction.append(entry)
        self._by_topic = {}

        def remove() -> None:
            self._in_transaction.remove(entry)
            self._by_topic = {}

        return remove

    def subscribers_of(self, topic: str) -> tuple[InTransaction, ...]:
        """The in-transaction subscribers of a topic."""
        found = self._by_topic.get(topic)
        if found is None:
            found = tuple(fn for prefix, fn in self._in_transaction if _covers(prefix, topic))
            if len(self._by_topic) < 1024:
                self._by_topic[topic] = found
        return found

    def subscribe(self, maxsize: int = 1000, prefix: str | None = None) -> Subscription:
        """Follow committed events from now on. Call on the running loop; close it when done."""
        self._loop = asyncio.get_running_loop()
        with self._lock:
            subscription = Subscription(self, maxsize, prefix, self._last)
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def properties(self) -> tuple[Event, ...]:
        """The last committed event of every property."""
        with self._lock:
            return tuple(self._properties.values())

    def snapshot(self) -> tuple[tuple[Event, ...], int]:
        """``properties()``, with the id of the last event that was committed before: nothing newer is in it."""
        with self._lock:
            return tuple(self._properties.values()), self._last

    def forget(self, topic: str, source: Mapping[str, str]) -> None:
        """A property is there no more (an effect of a commit; its last event may be in the same commit)."""
        key = (topic, tuple(sorted(source.items())))
        with self._lock:
            self._properties.pop(key, None)
            self._forgotten.add(key)

    def deliver(self, events: Sequence[Event]) -> None:
        """Tell of committed events (the ledger thread, once a batch)."""
        if not events:
            return
        schedule = False
        with self._lock:
            self._last = max(self._last, events[-1].id)
            for event in events:
                if event.is_property:
                    self._properties[(event.topic, tuple(sorted(event.source.items())))] = event
            for key in self._forgotten:
                self._properties.pop(key, None)
            self._forgotten.clear()
            if self._subscriptions:
                lost = len(self._backlog) + len(events) - BACKLOG
                if lost > 0:
                    self.dropped += lost
                    for subscription in self._subscriptions:
                        subscription.dropped += lost
                self._backlog.extend(events)
                schedule = not self._scheduled
                self._scheduled = True
        if schedule and self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self._fan_out)
            except RuntimeError:  # the loop is closed: nobody is left to tell
                with self._lock:
                    self._subscriptions = ()
                    self._backlog.clear()
                    self._scheduled = False

    def _fan_out(self) -> None:
        with self._lock:
            events = list(self._backlog)
            self._backlog.clear()
            self._scheduled = False
            subscriptions = self._subscriptions
        for subscription in subscriptions:
            for event in events:
                subscription._put(event)
            if subscription._events:
                subscription.wake()

    def _remove(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)
