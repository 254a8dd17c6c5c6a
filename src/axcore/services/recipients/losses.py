"""What could not be delivered is told, but not each message of a flood: the event log is for doors too."""

from __future__ import annotations

import time
from collections.abc import Callable

from axcore.errors import QueueFullError

from .delivery import Delivery

AT_ONCE = 10
"""Failures of a recipient that are told one by one."""
PER_SECOND = 1.0
"""And from then on."""


class Losses:
    """Failed deliveries of one recipient. None in silence: what is not told alone is told as a number."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._budget = float(AT_ONCE)
        self._seen = clock()
        self._untold = 0
        self._last: tuple[Delivery, str] | None = None

    def tell(self, delivery: Delivery, reason: str) -> None:
        """A delivery failed."""
        now = self._clock()
        self._budget = min(self._budget + (now - self._seen) * PER_SECOND, AT_ONCE)
        self._seen = now
        self._last = delivery, reason
        self._untold += 1
        if self._budget >= 1:
            self._budget -= 1
            self.settle()

    def settle(self) -> None:
        """Tell what is still untold: after a failure, and when nothing waits any more."""
        if self._last is None or not self._untold:
            return
        delivery, reason = self._last
        more = f" (and {self._untold - 1} more before it)" if self._untold > 1 else ""
        try:
            delivery.failed(reason + more)
        except QueueFullError:  # the next one tells it
            return
        self._untold = 0
