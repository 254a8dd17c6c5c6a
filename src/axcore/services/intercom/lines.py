"""The voice processes as lines: which of them takes a leg, and what they are.

One build of PJSIP has four calls; two processes give the six legs of a group. The first one listens for calls and
registers. ``Lines`` keeps what is known of them as plain data; ``LineDriver`` is who starts, stops and tells them.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from axcore.errors import ConflictError
from axcore.model.voice import Command, Ready

COUNT = 2


class LineDriver(Protocol):
    """The processes themselves. Any thread; nothing waits."""

    def send(self, line: int, command: Command) -> bool:
        """Give a command; False if there is nobody to take it."""

    def apply(self, on: bool) -> None:
        """Have processes with the present settings, or none."""

    def unavailable(self) -> str:
        """Why there can be none (a package is missing); empty = there can."""


class Lines(msgspec.Struct, frozen=True):
    """What is known of each line; None = it does not run."""

    ready: tuple[Ready | None, ...] = (None,) * COUNT

    def up(self, line: int, ready: Ready) -> Lines:
        """A process says what it is."""
        return Lines(tuple(ready if number == line else one for number, one in enumerate(self.ready)))

    def down(self, line: int) -> Lines:
        """A process is gone."""
        return Lines(tuple(None if number == line else one for number, one in enumerate(self.ready)))

    def choose(self, used: tuple[int, ...]) -> int:
        """The line for another leg; ``used``: lines of the legs that there are. The first line comes last.

        It is the one that takes calls. ConflictError when all are busy or gone.
        """
        best = None
        for line in reversed(range(len(self.ready))):
            ready = self.ready[line]
            if ready is not None and used.count(line) < ready.max_calls:
                best = line if best is None or used.count(line) < used.count(best) else best
        if best is None:
            raise ConflictError("to", "no voice process has a free call now")
        return best
