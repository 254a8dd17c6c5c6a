"""Schedules: when something holds (an interval) or happens (a pulse). Manual: System > Events > Schedules.

The text is the iCalendar subset of ``axcore.rules.schedule``, in the device's local time.
"""

from __future__ import annotations

from typing import Literal

import msgspec

MAX_SCHEDULES = 256
"""All of them, the delivered ones included."""
MAX_NAME = 64
STANDARD_ALWAYS = "standard_always"
STANDARD_OFFICE_HOURS = "standard_office_hours"
STANDARD_WEEKENDS = "standard_weekends"

ScheduleKind = Literal["interval", "pulse"]


class ScheduleSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a user enters for a schedule."""

    name: str
    """1..64 printable characters, unique without regard to case."""
    icalendar: str
    """``DTSTART:... [DTEND:...] [RRULE:...] [EXDATE:...]``; with ``DTEND`` an interval, without it a pulse."""
    exception: str = ""
    """An interval in the same form during which the schedule does not hold, and no pulse happens: it always wins."""


class Schedule(ScheduleSpec, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A schedule as it is kept."""

    id: str
    kind: ScheduleKind
    """Follows from ``icalendar``."""
