"""Which of its servers a SIP account uses: fail-over when one does not register it, fail-back to the first (sans-I/O).

The servers of an account are in the order of their priority. One that fails ``tries`` times in a row, or refuses, loses
its turn to the next one. While another than the first is used, the first one is asked every ``fallback_ns`` whether it
is there (``Ask``), and has its turn again when it is. When all have failed, it begins again with the first after that
time. Times are monotonic ns.
"""

from __future__ import annotations

from typing import Final

import msgspec

NS: Final = 1_000_000_000
ASK_NS: Final = 30 * NS
"""After which a question without an answer is a *no*."""
TIMEOUT: Final = 408


class Use(msgspec.Struct, frozen=True):
    """Register with another server, and send calls by it."""

    server: int
    reason: str


class Ask(msgspec.Struct, frozen=True):
    """Find out whether a server is there."""

    server: int


Effect = Use | Ask


class Servers(msgspec.Struct, frozen=True, kw_only=True):
    """See the module's text. Each method gives the state after it, and what is to be done."""

    count: int
    tries: int
    fallback_ns: int
    current: int = 0
    failures: int = 0
    """In a row, of the current one."""
    asking: bool = False
    lost: bool = False
    """All have failed."""
    deadline: int | None = None

    def registered(self, now: int) -> Step:
        """The current one has taken the account."""
        kept = self.deadline if self.current and self.deadline is not None and not self.lost else None
        deadline = (kept or now + self.fallback_ns) if self.current else None
        return _changed(self, failures=0, lost=False, deadline=deadline), ()

    def failed(self, code: int, now: int) -> Step:
        """The current one has not. ``code``: SIP status, 0 without an answer."""
        failures = self.failures + 1
        if failures < self.tries and not _refuses(code):
            return _changed(self, failures=failures), ()
        if self.current + 1 < self.count:
            deadline = self.deadline or now + self.fallback_ns
            after = _changed(self, current=self.current + 1, failures=0, deadline=deadline)
            return after, (Use(self.current + 1, "no answer" if not _refuses(code) else f"refused with {code}"),)
        return _changed(self, failures=failures, lost=True, asking=False, deadline=now + self.fallback_ns), ()

    def asked(self, alive: bool, now: int) -> Step:
        """The first one has answered, or not."""
        if not self.asking:
            return self, ()
        if alive and self.current:
            return self._first("it is back")
        return _changed(self, asking=False, deadline=now + self.fallback_ns), ()

    def advance(self, now: int) -> Step:
        """Time has passed."""
        if self.deadline is None or now < self.deadline:
            return self, ()
        if self.lost:
            return self._first("all have failed")
        if self.asking:
            return self.asked(False, now)
        return _changed(self, asking=True, deadline=now + ASK_NS), (Ask(0),)

    def _first(self, reason: str) -> Step:
        after = _changed(self, current=0, failures=0, asking=False, lost=False, deadline=None)
        return after, (Use(0, reason),)


Step = tuple[Servers, tuple[Effect, ...]]


def _refuses(code: int) -> bool:
    """Whether another try would get the same answer."""
    return 400 <= code < 500 and code != TIMEOUT


def _changed(servers: Servers, **fields: object) -> Servers:
    return msgspec.structs.replace(servers, **fields)
