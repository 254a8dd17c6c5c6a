"""Messages that wait for the broker: bounded by number and size, loss is counted.

Where there is no room, the oldest message of QoS 0 makes room (it promises nothing); a message of QoS >= 1 is only lost
when the queue is full of its kind, and then it is the new one: what was accepted stays. Threads: any.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from axcore.model.mqtt import Message

MAX_MESSAGES = 1000
MAX_OCTETS = 2 << 20


class Outgoing:
    """A queue in two classes that keeps the order of arrival."""

    def __init__(self, max_messages: int = MAX_MESSAGES, max_octets: int = MAX_OCTETS) -> None:
        self.lost = 0
        """Messages that were lost so far."""
        self.wake: Callable[[], None] | None = None
        """Called after a message came, by the thread that posted it."""
        self._max_messages, self._max_octets = max_messages, max_octets
        self._lock = threading.Lock()
        self._number = 0
        self._octets = 0
        self._fleeting: OrderedDict[int, Message] = OrderedDict()
        self._kept: OrderedDict[int, Message] = OrderedDict()

    def __len__(self) -> int:
        return len(self._fleeting) + len(self._kept)

    @property
    def octets(self) -> int:
        return self._octets

    def post(self, message: Message) -> bool:
        """Add a message; False if it was lost."""
        with self._lock:
            if not self._make_room(message):
                self.lost += 1
                return False
            self._number += 1
            self._octets += message.size
            (self._kept if message.qos else self._fleeting)[self._number] = message
        if self.wake is not None:
            self.wake()
        return True

    def take(self) -> Message | None:
        """The oldest message, or None."""
        with self._lock:
            first = next(iter(self._fleeting), None)
            second = next(iter(self._kept), None)
            if first is None and second is None:
                return None
            fleeting = second is None or (first is not None and first < second)
            _, message = (self._fleeting if fleeting else self._kept).popitem(last=False)
            self._octets -= message.size
            return message

    def clear(self) -> None:
        """Forget everything (the client was turned off)."""
        with self._lock:
            self._fleeting.clear()
            self._kept.clear()
            self._octets = 0

    def _make_room(self, message: Message) -> bool:
        if message.size > self._max_octets:
            return False
        while len(self) >= self._max_messages or self._octets + message.size > self._max_octets:
            if not self._fleeting:
                return False
            _, dropped = self._fleeting.popitem(last=False)
            self._octets -= dropped.size
            self.lost += 1
        return True
