"""Whether a thread of this process goes on: it is asked now and then, and must have answered a few looks later.

No thread can be ended from outside, and one that hangs may have locks and half of a message: the process ends with it,
and the device starts another one (``drivers.voice``). Counted are looks and not seconds, so that a process that was
stopped, or had no time, is no fault of its threads. Time is an argument; ``hangs`` belongs to the owner thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .ingress import NS

LOOK_NS: Final = 2 * NS
LOOKS: Final = 3
"""So many in a row without an answer. The owner thread is up to 1.5 s late: it takes 14 s at most."""


class Watch:
    """See the module's text. ``ask`` has the thread call what it is given, and does not wait for that."""

    def __init__(self, ask: Callable[[Callable[[], None]], object]) -> None:
        self._ask = ask
        self._next_ns = 0
        self._asked = self._answered = self._unanswered = 0

    def hangs(self, now_ns: int) -> bool:
        """Look, once it is time again; whether the thread hangs."""
        if now_ns < self._next_ns:
            return False
        self._next_ns = now_ns + LOOK_NS
        if self._answered == self._asked:
            self._unanswered = 0
            self._asked += 1
            self._ask(self._answer)
            return False
        self._unanswered += 1
        return self._unanswered >= LOOKS

    def _answer(self) -> None:
        self._answered = self._asked
