"""Schedules: the iCalendar subset (RFC 5545) of devices, as pure functions of the wall clock.

``DTSTART``, ``DTEND``, ``RRULE`` and ``EXDATE``, all in the device's local time. With ``DTEND`` a schedule is an
*interval* (a state), without it a *pulse* (it happens). Frequencies: ``YEARLY`` and ``MONTHLY`` (``BYMONTH``, ``BYDAY``
with ordinals), ``WEEKLY`` (``BYDAY``), ``DAILY``, ``HOURLY``, ``MINUTELY``, ``SECONDLY``, all with ``INTERVAL``.

Daylight saving (decision D8): ``DAILY`` and slower start and end at their nominal local times; a local time that does
not exist is taken with the offset before the change, one that comes twice is the first (RFC 5545, 3.3.5). ``HOURLY``
and faster are exact elapsed steps from ``DTSTART``. Instants are whole seconds of UTC since 1970. Nothing is remembered
between questions, so that a step of the clock (D7) is just another question: no pulse is made up for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, tzinfo
from itertools import islice, pairwise
from typing import NamedTuple

from .icalendar import STEPS, Recurrence, parse

DAY = 86_400
EPOCH = date(1970, 1, 1).toordinal()
HORIZON = 50 * 366
"""Days without an occurrence after which there is none any more."""
ENDLESS = 20_000
"""Occurrences that run into each other without a gap, or as many of them as fill ``HORIZON``: there is no end."""
_BLOCK = 16
"""Days for which the offset of a zone is looked up together."""


class Edge(NamedTuple):
    """A change of a schedule."""

    t: int
    """UTC seconds."""
    active: bool | None
    """An interval begins or ends; None: a pulse."""


class Zone:
    """Local seconds to UTC seconds, fast where the offset does not change."""

    def __init__(self, info: tzinfo) -> None:
        self.info = info
        self._offsets: dict[int, int | None] = {}

    def utc(self, local: int) -> int:
        """``local`` counts as if the zone were UTC."""
        block = local // (DAY * _BLOCK)
        try:
            offset = self._offsets[block]
        except KeyError:
            first, last = self._exact((block * _BLOCK - 1) * DAY), self._exact(((block + 1) * _BLOCK + 1) * DAY)
            offset = self._offsets[block] = first if first == last else None
        return local - (self._exact(local) if offset is None else offset)

    def local(self, t: int) -> int:
        """The local seconds of an instant."""
        return t + int(_offset(datetime.fromtimestamp(t, self.info)))

    def _exact(self, local: int) -> int:
        return int(_offset(datetime.fromtimestamp(local, UTC).replace(tzinfo=self.info)))


def _offset(moment: datetime) -> float:
    offset = moment.utcoffset()
    return offset.total_seconds() if offset is not None else 0.0


class Schedule:
    """A schedule in a time zone: ``Schedule(text, zone)``. Immutable. InputError names the property that is wrong."""

    def __init__(self, text: str, zone: tzinfo | Zone = UTC) -> None:
        self.text = text
        self._zone = zone if isinstance(zone, Zone) else Zone(zone)
        start, end, self._rule, excluded = parse(text)
        self._start = _seconds(start)
        self._length = None if end is None else _seconds(end) - self._start
        self._excluded = frozenset(_seconds(moment) for moment in excluded)
        self._closed = _leaves_no_gap(self._rule, self._length or 0)
        self._last_excluded = max(self._excluded, default=-DAY) + DAY  # in any zone

    @property
    def stateful(self) -> bool:
        """An interval, not a pulse."""
        return self._length is not None

    def active(self, t: int) -> bool:
        """Whether an interval holds at ``t``: its begin is inside, its end is not. A pulse never holds."""
        if self._length is None:
            return False
        for begin, end in self._occurrences(t):
            if begin > t:
                return False
            if t < end:
                return True
        return False

    def next_edge(self, t: int) -> Edge | None:
        """The first change after ``t``; None: never again."""
        return next(self.edges(t), None)

    def edges(self, t: int, until: int | None = None) -> Iterator[Edge]:
        """The changes after ``t``, and not after ``until``. Occurrences that touch or overlap are one."""
        for begin, end in self._joined(t):
            if begin > t:
                if until is not None and begin > until:
                    return
                yield Edge(begin, None if self._length is None else True)
            if self._length is not None and end is not None and end > t:
                if until is not None and end > until:
                    return
                yield Edge(end, False)

    # --- inside

    def _joined(self, t: int) -> Iterator[tuple[int, int | None]]:
        """Occurrences that touch, as one; an end that is None never comes."""
        occurrences = self._occurrences(t)
        if self._length is None:
            yield from occurrences
            return
        held = next(occurrences, None)
        while held is not None:
            begin, end = held
            held = None
            if self._closed and begin > self._last_excluded + DAY:
                yield begin, None
                return
            for count, (start, stop) in enumerate(occurrences):
                if start > end:
                    held = start, stop
                    break
                end = max(end, stop)
                if count > ENDLESS or end - begin > HORIZON * DAY:
                    yield begin, None
                    return
            yield begin, end

    def _occurrences(self, t: int) -> Iterator[tuple[int, int]]:
        """Begin and end (UTC) of each, by their begins, from one that is over by ``t`` or the first one on."""
        rule, length = self._rule, self._length or 0
        if rule is not None and rule.frequency in STEPS:
            yield from self._stepped(rule, t)
            return
        utc, excluded, start = self._zone.utc, self._excluded, self._start
        reach = t - length - 2 * DAY
        for local in self._starts(rule, reach):
            if local < start or local in excluded:
                continue
            begin, end = utc(local), utc(local + length) if length else 0
            if length and end <= begin:  # the clock jumped over it
                continue
            yield begin, end

    def _stepped(self, rule: Recurrence, t: int) -> Iterator[tuple[int, int]]:
        """HOURLY and faster: exact steps."""
        step, length = rule.interval * STEPS[rule.frequency], self._length or 0
        first = self._zone.utc(self._start)
        begin = first + max(0, (t - length - first) // step) * step
        skipped = 0
        while skipped <= len(self._excluded) + 1:
            if self._excluded and self._zone.local(begin) in self._excluded:
                skipped += 1
            else:
                skipped = 0
                yield begin, begin + length
            begin += step

    def _starts(self, rule: Recurrence | None, reach: int) -> Iterator[int]:
        """Local begins of DAILY and slower, about from ``reach`` on; some may be before DTSTART."""
        if rule is None:
            yield self._start
            return
        first, clock = divmod(self._start, DAY)
        low = max(reach // DAY, first)
        if rule.frequency == "DAILY":
            days = _daily(first, low, rule.interval)
        elif rule.frequency == "WEEKLY":
            days = _weekly(first, low, rule)
        else:
            days = _monthly(first, low, rule)
        last = low
        for day in days:
            if day < 0 and -day - last > HORIZON:
                return
            if day >= 0:
                last = day
                yield day * DAY + clock


def _leaves_no_gap(rule: Recurrence | None, length: int) -> bool:
    """Whether each occurrence reaches the next one, as far as that is plain to see."""
    if rule is None:
        return False
    if rule.frequency in STEPS:
        return rule.interval * STEPS[rule.frequency] <= length
    if rule.frequency == "DAILY":
        return rule.interval * DAY <= length
    if rule.frequency != "WEEKLY":
        return False
    days = sorted({day for _, day in rule.days}) or [0]
    gaps = [later - day for day, later in pairwise([*days, days[0] + 7 * rule.interval])]
    return max(gaps) * DAY <= length


def _seconds(moment: datetime) -> int:
    return (moment.toordinal() - EPOCH) * DAY + moment.hour * 3600 + moment.minute * 60 + moment.second


# Days count from 1970. The generators give candidates in order; a negative number says how far they have looked without
# finding one.


def _daily(first: int, low: int, interval: int) -> Iterator[int]:
    day = first + (low - first) // interval * interval
    while True:
        yield day
        day += interval


def _weekly(first: int, low: int, rule: Recurrence) -> Iterator[int]:
    weekdays = sorted({day for _, day in rule.days}) or [(first + 3) % 7]  # 1970-01-01 was a Thursday
    monday = first - (first + 3) % 7
    step = 7 * rule.interval
    monday += (low - monday) // step * step
    while True:
        for weekday in weekdays:
            yield monday + weekday
        monday += step


def _monthly(first: int, low: int, rule: Recurrence) -> Iterator[int]:
    """MONTHLY and YEARLY: months that count, and in each of them the day of DTSTART or those of BYDAY."""
    start = date.fromordinal(first + EPOCH)
    origin = start.year * 12 + start.month - 1
    yearly = rule.frequency == "YEARLY"
    months = set(rule.months) or ({start.month} if yearly else set(range(1, 13)))
    at = date.fromordinal(low + EPOCH)
    month = (
        max(origin - start.month + 1, at.year * 12 + at.month - 2)
        if yearly
        else max(origin, at.year * 12 + at.month - 2)
    )
    while month < 9999 * 12:
        year, number = divmod(month, 12)
        off = year - start.year if yearly else month - origin
        if off % rule.interval == 0 and number + 1 in months:
            found = _days_of(year, number + 1, rule, start.day)
            yield from found
            if not found:
                yield -(date(year, number + 1, 1).toordinal() - EPOCH)
        elif number == 0:
            yield -(date(year, 1, 1).toordinal() - EPOCH)
        month += 1


def _days_of(year: int, month: int, rule: Recurrence, day: int) -> list[int]:
    first = date(year, month, 1).toordinal() - EPOCH
    length = (date(year + month // 12, month % 12 + 1, 1).toordinal() - EPOCH) - first
    if not rule.days:
        return [first + day - 1] if day <= length else []
    found: set[int] = set()
    for ordinal, weekday in rule.days:
        every = range(first + (weekday - first - 3) % 7, first + length, 7)
        if ordinal == 0:
            found.update(every)
        elif -len(every) <= ordinal <= len(every):
            found.add(every[ordinal - 1 if ordinal > 0 else ordinal])
    return sorted(found)


def upcoming(schedule: Schedule, t: int, count: int) -> list[Edge]:
    """The next ``count`` changes, for people to look at."""
    return list(islice(schedule.edges(t), count))
