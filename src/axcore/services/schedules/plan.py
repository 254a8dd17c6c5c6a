"""A schedule with its exception, as functions of the wall clock. Instants are whole seconds of UTC since 1970."""

from __future__ import annotations

from collections.abc import Iterator

from axcore.errors import InputError
from axcore.rules.schedule import Edge, Schedule, Zone

LOOKS = 20_000
"""Changes of the parts of a schedule that ``edges`` looks at for one of the whole; then there is none any more."""


class Plan:
    """``Plan(icalendar, exception, zone)``. Immutable, any thread. InputError names the field and the property."""

    def __init__(self, icalendar: str, exception: str, zone: Zone) -> None:
        self._main = _parsed("icalendar", icalendar, zone)
        self._exception = _parsed("exception", exception, zone) if exception.strip() else None
        if self._exception is not None and not self._exception.stateful:
            raise InputError("exception", "needs a DTEND: it is a time during which the schedule does not hold")
        self.stateful = self._main.stateful
        """An interval, not a pulse."""

    def active(self, t: int) -> bool:
        """Whether it holds at ``t``. A pulse never does."""
        return self._main.active(t) and not self.excepted(t)

    def excepted(self, t: int) -> bool:
        """Whether the exception holds at ``t``."""
        return self._exception is not None and self._exception.active(t)

    def looks(self, t: int) -> Iterator[Edge]:
        """The moments after ``t`` at which something may change, and how it is then.

        ``active`` None: a pulse happens. An interval's state may be the same as before, and a pulse that is excepted
        comes as False: each look takes a bounded time, whatever the texts say.
        """
        return self._main.edges(t) if self._exception is None else self._merged(t, self._exception)

    def edges(self, t: int) -> Iterator[Edge]:
        """The changes after ``t``."""
        active, looks = self.active(t), 0
        for edge in self.looks(t):
            looks += 1
            if edge.active is None or (self.stateful and edge.active is not active):
                yield edge
                looks = 0
                active = bool(edge.active)
            elif looks > LOOKS:
                return

    def next_edge(self, t: int) -> Edge | None:
        """The first change after ``t``; None: never again."""
        return next(self.edges(t), None)

    def _merged(self, t: int, exception: Schedule) -> Iterator[Edge]:
        """At one instant the exception changes first."""
        on, out = self._main.active(t), exception.active(t)
        mains, exceptions = self._main.edges(t), exception.edges(t)
        main, other = next(mains, None), next(exceptions, None)
        while main is not None or (other is not None and on):
            if other is not None and (main is None or other.t <= main.t):
                at, out = other.t, bool(other.active)
                other = next(exceptions, None)
                if (main is None or main.t != at) and self.stateful:
                    yield Edge(at, on and not out)
            elif main is not None:
                on = bool(main.active)
                yield Edge(main.t, not out and (None if main.active is None else on))
                main = next(mains, None)


def _parsed(field: str, text: str, zone: Zone) -> Schedule:
    try:
        return Schedule(text, zone)
    except InputError as error:
        raise InputError(field, f"{error.field}: {error.reason}") from None
