"""When a schedule holds, with the answer remembered until its next change.

The schedule is a pure function of the wall clock; an answer counts for the span in which it was asked, so that a step
of the clock in either direction is just another question. The exception schedule always wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo

from axcore.errors import InputError
from axcore.model.doors import DoorAction, DoorScheduleConfiguration
from axcore.model.pacs import ScheduleText
from axcore.rules.schedule import Schedule, Zone

NS = 1_000_000_000
FAR = 1 << 62
"""No change to come."""


class Calendar:
    """A schedule in a zone. Its only state is the last answer: asking it from several threads is harmless."""

    __slots__ = ("_answer", "_exception", "_schedule")

    def __init__(self, text: ScheduleText, zone: Zone) -> None:
        self._schedule = _interval("definition", text.definition, zone)
        self._exception = _interval("exception", text.exception, zone) if text.exception else None
        self._answer = (0, 0, False, False)

    def ask(self, wall_ns: int) -> tuple[bool, bool]:
        """Whether its definition holds at this wall time, and whether its exception does."""
        begin, end, holds, excepted = self._answer
        if begin <= wall_ns < end:
            return holds, excepted
        t = wall_ns // NS
        asked = [schedule for schedule in (self._schedule, self._exception) if schedule is not None]
        holds, excepted = self._schedule.active(t), self._exception is not None and self._exception.active(t)
        edges = (schedule.next_edge(t) for schedule in asked)
        end = min((edge.t * NS for edge in edges if edge is not None), default=FAR)
        self._answer = (t * NS, end, holds, excepted)
        return holds, excepted

    def active(self, wall_ns: int) -> bool:
        """Whether it holds, and is not excepted (``ScheduleActive``)."""
        holds, excepted = self.ask(wall_ns)
        return holds and not excepted

    def span(self, wall_ns: int) -> tuple[int, int]:
        """From when and until when (``FAR``: for ever) the answer for this wall time counts."""
        self.ask(wall_ns)
        return self._answer[:2]


def calendars(texts: Iterable[ScheduleText], zone: tzinfo = UTC) -> dict[str, Calendar]:
    """The schedules by token. InputError names the property that is wrong."""
    shared = Zone(zone)
    return {text.token: Calendar(text, shared) for text in texts}


def any_active(known: Mapping[str, Calendar], tokens: Iterable[str], wall_ns: int) -> bool:
    """Whether a list of schedules is active: one holds, and no exception does. One that does not exist never holds."""
    active = False
    for token in tokens:
        calendar = known.get(token)
        if calendar is not None:
            holds, excepted = calendar.ask(wall_ns)
            if excepted:
                return False
            active |= holds
    return active


def scheduled(
    configuration: DoorScheduleConfiguration, known: Mapping[str, Calendar], wall_ns: int
) -> dict[str, DoorAction]:
    """What a door's levels are asked for at this time: for each level the first state whose schedules are active.

    A door is told (``DoorMachine.on_schedule``) what is new in it: on a change, when it is set, and at start. A level
    that is missing here keeps what it has: there is no action at the end of a schedule.
    """
    found: dict[str, DoorAction] = {}
    for entry in configuration.schedules:
        for state in entry.states:
            if any_active(known, state.schedules, wall_ns):
                found[entry.level] = state.enter_action
                break
    return found


def next_change(known: Mapping[str, Calendar], tokens: Iterable[str], wall_ns: int) -> int:
    """When a list of schedules should be looked at again (wall time, ns; ``FAR``: never)."""
    return min((known[token].span(wall_ns)[1] for token in tokens if token in known), default=FAR)


def _interval(field: str, text: str, zone: Zone) -> Schedule:
    schedule = Schedule(text, zone)
    if not schedule.stateful:
        raise InputError(field, "needs a DTEND: access is allowed for a while, not at an instant")
    return schedule
