"""Brute-force protection (manual: System > Security > Prevent brute-force attacks).

Two limits on failed logins: per address (*page level*) and for the whole device. An address that has logged in before
is not held up by what others do; it has only its own limit. Forwarding headers are never believed: the address is
that of the connection, an IPv6 client counts by its /64. Tables are bounded. Time is the monotonic clock,
nanoseconds.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

MAX_ADDRESSES: Final = 4096
SECOND: Final = 1_000_000_000


@dataclass(frozen=True)
class Limits:
    """Failures allowed within an interval (seconds), and how long the block is (seconds)."""

    active: bool = True
    period: int = 60
    page_count: int = 10
    page_interval: int = 60
    site_count: int = 60
    site_interval: int = 60


class Throttle:
    """Counts failed logins. ``limits`` is asked each time, so that a changed parameter works at once."""

    def __init__(self, mono_ns: Callable[[], int], limits: Callable[[], Limits]) -> None:
        self._mono_ns = mono_ns
        self._limits = limits
        self._pages: OrderedDict[str, deque[int]] = OrderedDict()
        self._site: deque[int] = deque()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._pending: dict[str, int] = {}

    def blocked(self, address: str) -> int:
        """Seconds that a login from ``address`` must wait; 0 if it may be evaluated now."""
        limits = self._limits()
        if not limits.active:
            return 0
        key = _key(address)
        page = self._pages.get(key, deque())
        pending = self._pending.get(key, 0)
        wait = self._wait(page, pending, limits.page_count, max(limits.page_interval, limits.period))
        if key not in self._known:
            pending = sum(self._pending.values())
            window = max(limits.site_interval, limits.period)
            wait = max(wait, self._wait(self._site, pending, limits.site_count, window))
        return wait

    def begin(self, address: str) -> None:
        """An evaluation that takes time has begun: it counts as failed until ``end``."""
        key = _key(address)
        self._pending[key] = self._pending.get(key, 0) + 1

    def end(self, address: str) -> None:
        """The evaluation is over; ``failed`` or ``passed`` tells how."""
        key = _key(address)
        left = self._pending.get(key, 0) - 1
        if left > 0:
            self._pending[key] = left
        else:
            self._pending.pop(key, None)

    def failed(self, address: str) -> None:
        """A login was evaluated and was wrong."""
        now, key, limits = self._mono_ns(), _key(address), self._limits()
        page = self._pages.setdefault(key, deque())
        self._pages.move_to_end(key)
        page.append(now)
        self._site.append(now)
        while len(page) > limits.page_count:
            page.popleft()
        while len(self._site) > limits.site_count:
            self._site.popleft()
        while len(self._pages) > MAX_ADDRESSES:
            self._pages.popitem(last=False)

    def passed(self, address: str) -> None:
        """A login from ``address`` was right. Its failures still count: no account may cover guesses at another."""
        key = _key(address)
        self._known[key] = None
        self._known.move_to_end(key)
        while len(self._known) > MAX_ADDRESSES:
            self._known.popitem(last=False)

    def _wait(self, failures: deque[int], pending: int, count: int, window: int) -> int:
        since = self._mono_ns() - window * SECOND
        recent = [t for t in failures if t > since]
        if len(recent) + pending < count:
            return 0
        if not recent:
            return 1
        position = max(0, len(recent) + pending - count)
        until = recent[min(position, len(recent) - 1)] + window * SECOND
        return max(1, -(-(until - self._mono_ns()) // SECOND))


@lru_cache(maxsize=1024)
def _key(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
