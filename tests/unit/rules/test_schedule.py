"""Schedules: the iCalendar subset, against a day-by-day reading of the same words over years; daylight saving (D8)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axcore.errors import InputError
from axcore.rules.icalendar import WEEKDAYS
from axcore.rules.schedule import Edge, Schedule, Zone, upcoming

STOCKHOLM = Zone(ZoneInfo("Europe/Stockholm"))
DAY = 86_400


def at(text: str, zone: Zone = STOCKHOLM) -> int:
    """UTC seconds of a local time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone.info).timestamp())


def told(schedule: Schedule, start: str, count: int) -> list[tuple[str, bool | None]]:
    """The next changes, in local time."""
    edges = upcoming(schedule, at(start), count)
    return [(f"{datetime.fromtimestamp(edge.t, STOCKHOLM.info):%Y-%m-%dT%H:%M%z}", edge.active) for edge in edges]


def test_office_hours_are_nominal_over_both_changes_of_the_clock() -> None:
    hours = Schedule("DTSTART:20260105T060000 DTEND:20260105T180000 RRULE:FREQ=DAILY", STOCKHOLM)
    for day in ("2026-03-28", "2026-03-29", "2026-03-30", "2026-10-24", "2026-10-25", "2026-10-26"):
        assert told(hours, day, 2) == [
            (f"{day}T06:00+0{2 if '03-29' <= day[5:] <= '10-24' else 1}00", True),
            (f"{day}T18:00+0{2 if '03-29' <= day[5:] <= '10-24' else 1}00", False),
        ]


def test_a_night_over_the_change_is_an_hour_shorter_or_longer() -> None:
    night = Schedule("DTSTART:20260101T220000 DTEND:20260102T060000 RRULE:FREQ=DAILY", STOCKHOLM)
    lengths = {}
    for day in ("2026-03-27", "2026-03-28", "2026-10-24"):
        begin, end = upcoming(night, at(day + "T12:00:00"), 2)
        lengths[day] = (end.t - begin.t) / 3600
    assert lengths == {"2026-03-27": 8, "2026-03-28": 7, "2026-10-24": 9}


def test_a_time_that_does_not_exist_and_one_that_comes_twice() -> None:
    pulse = Schedule("DTSTART:20260101T023000 RRULE:FREQ=DAILY", STOCKHOLM)
    assert told(pulse, "2026-03-28T12:00", 2) == [("2026-03-29T03:30+0200", None), ("2026-03-30T02:30+0200", None)]
    assert told(pulse, "2026-10-24T12:00", 2) == [("2026-10-25T02:30+0200", None), ("2026-10-26T02:30+0100", None)]


def test_hourly_and_faster_are_exact_steps() -> None:
    hourly = Schedule("DTSTART:20260328T230000 RRULE:FREQ=HOURLY;INTERVAL=2", STOCKHOLM)
    edges = upcoming(hourly, at("2026-03-28T22:00"), 500)
    assert {later.t - edge.t for edge, later in pairwise(edges)} == {7200}
    minutes = Schedule("DTSTART:20200101T000000 DTEND:20200101T000010 RRULE:FREQ=MINUTELY;INTERVAL=5", STOCKHOLM)
    assert minutes.next_edge(at("2026-06-01T12:03:00")) == Edge(at("2026-06-01T12:05:00"), True)
    assert minutes.active(at("2026-06-01T12:05:09"))
    assert not minutes.active(at("2026-06-01T12:05:10"))
    seconds = Schedule("DTSTART:20200101T000000 RRULE:FREQ=SECONDLY;INTERVAL=7")
    assert seconds.next_edge(1_800_000_000) == Edge(
        1_800_000_000 + 7 - (1_800_000_000 - at("2020-01-01", Zone(UTC))) % 7, None
    )


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        ("DTSTART:20250101T060000 RRULE:FREQ=MONTHLY;BYDAY=-1SU", "2026-02-01", ["02-22", "03-29", "04-26"]),
        ("DTSTART:20250101T060000 RRULE:FREQ=MONTHLY;BYDAY=5MO", "2026-02-01", ["03-30", "06-29", "08-31"]),
        ("DTSTART:20240131T060000 RRULE:FREQ=MONTHLY", "2026-02-01", ["03-31", "05-31", "07-31"]),
        ("DTSTART:20260101T060000 RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", "2026-01-01", ["01-02", "01-12", "01-16"]),
        ("DTSTART:20260601T060000 RRULE:FREQ=YEARLY;BYMONTH=6,7;BYDAY=1MO", "2026-05-01", ["06-01", "07-06", "06-07"]),
        (
            "DTSTART:20260101T060000 RRULE:FREQ=DAILY;INTERVAL=3 EXDATE:20260104T060000",
            "2026-01-01",
            ["01-01", "01-07", "01-10"],
        ),
    ],
)
def test_recurrences(text: str, start: str, expected: list[str]) -> None:
    assert [when[5:10] for when, _ in told(Schedule(text, STOCKHOLM), start, 3)] == expected


def test_what_touches_is_one() -> None:
    always = Schedule("DTSTART:20240101T000000 DTEND:20240102T000000 RRULE:FREQ=DAILY", STOCKHOLM)
    assert always.next_edge(at("2023-12-01")) == Edge(at("2024-01-01"), True)
    assert always.next_edge(at("2026-06-01")) is None
    assert always.active(at("2026-06-01"))
    week = Schedule("DTSTART:20260105T000000 DTEND:20260106T000000 RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE", STOCKHOLM)
    assert told(week, "2026-01-01", 2) == [("2026-01-05T00:00+0100", True), ("2026-01-08T00:00+0100", False)]
    busy = Schedule("DTSTART:20240101T000000 DTEND:20240101T000001 RRULE:FREQ=SECONDLY")
    assert busy.next_edge(1_800_000_000) is None
    assert busy.active(1_800_000_000)


def test_once_and_never_again() -> None:
    once = Schedule("BEGIN:VEVENT\r\nDTSTART:20260110T100000\r\nDTEND:20260112T100000\r\nEND:VEVENT", STOCKHOLM)
    assert once.stateful
    assert [edge.active for edge in once.edges(0)] == [True, False]
    assert once.active(at("2026-01-11"))
    assert once.next_edge(at("2026-01-12T10:00")) is None
    assert list(once.edges(0, at("2026-01-11"))) == [Edge(at("2026-01-10T10:00"), True)]
    never = Schedule("DTSTART:20260101T060000 RRULE:FREQ=MONTHLY;INTERVAL=2;BYMONTH=2", STOCKHOLM)
    assert never.next_edge(0) is None
    pulse = Schedule("DTSTART:20260110", STOCKHOLM)
    assert not pulse.stateful
    assert not pulse.active(at("2026-01-10"))
    leap = Schedule("DTSTART:20240229T120000 RRULE:FREQ=YEARLY", STOCKHOLM)
    assert [when[:4] for when, _ in told(leap, "2026-01-01", 2)] == ["2028", "2032"]


def test_hours_left_out_of_exact_steps() -> None:
    hourly = Schedule("DTSTART:20260101T000000 RRULE:FREQ=HOURLY EXDATE:20260101T010000,20260101T020000", STOCKHOLM)
    assert [when[11:13] for when, _ in told(hourly, "2025-12-31", 3)] == ["00", "03", "04"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "DTSTART"),
        ("DTEND:20260101T000000", "DTSTART"),
        ("DTSTART:20260101T000000Z", "DTSTART"),
        ("DTSTART:20261301T000000", "DTSTART"),
        ("DTSTART:19691231T000000", "DTSTART"),
        ("DTSTART:20260101 DTSTART:20260101", "DTSTART"),
        ("DTSTART:20260101 DTEND:20260101", "DTEND"),
        ("DTSTART:20260101 SUMMARY:x", "schedule"),
        ("DTSTART:20260101 " + "x" * 5000, "schedule"),
        ("DTSTART:20260101 RRULE:", "RRULE"),
        ("DTSTART:20260101 RRULE:FREQ=NEVER", "RRULE"),
        ("DTSTART:20260101 RRULE:FREQ=DAILY;INTERVAL=0", "RRULE"),
        ("DTSTART:20260101 RRULE:FREQ=DAILY;INTERVAL=x", "RRULE"),
        ("DTSTART:20260101 RRULE:FREQ=DAILY;COUNT=3", "RRULE"),
        ("DTSTART:20260101 RRULE:FREQ=DAILY;FREQ=DAILY", "RRULE"),
        ("DTSTART:20260101 RRULE:FREQ=DAILY;BYDAY=MO", "RRULE"),
        ("DTSTART:20260101 RRULE:FREQ=DAILY;BYMONTH=1", "RRULE"),
        ("DTSTART:20260101 RRULE:FREQ=WEEKLY;BYDAY=1MO", "RRULE"),
        ("DTSTART:20260101 RRULE:FREQ=MONTHLY;BYDAY=6MO", "RRULE"),
        ("DTSTART:20260101 RRULE:FREQ=YEARLY;BYMONTH=13", "RRULE"),
        ("DTSTART:20260101 RRULE:FREQ=WEEKLY;WKST=SU", "RRULE"),
        ("DTSTART:20260101 EXDATE:tomorrow", "EXDATE"),
    ],
)
def test_errors_name_the_property(text: str, field: str) -> None:
    with pytest.raises(InputError) as raised:
        Schedule(text)
    assert raised.value.field == field


# --- against the words, day by day

YEARS = 3


def is_day(day: date, start: date, rule: tuple[str, int, list[tuple[int, int]], list[int]]) -> bool:
    """Whether a schedule that began on ``start`` has an occurrence on ``day``."""
    frequency, interval, days, months = rule
    if frequency == "DAILY":
        return (day - start).days % interval == 0
    weekday = day.weekday()
    if frequency == "WEEKLY":
        weeks = ((day - timedelta(weekday)) - (start - timedelta(start.weekday()))).days // 7
        return weeks % interval == 0 and weekday in ([number for _, number in days] or [start.weekday()])
    if frequency == "MONTHLY":
        off = (day.year - start.year) * 12 + day.month - start.month
        right = off % interval == 0 and (not months or day.month in months)
    else:
        right = (day.year - start.year) % interval == 0 and day.month in (months or [start.month])
    if not right or not days:
        return right and day.day == start.day
    last = (date(day.year + day.month // 12, day.month % 12 + 1, 1) - timedelta(1)).day
    ordinals = {0, (day.day - 1) // 7 + 1, -((last - day.day) // 7 + 1)}
    return any(number == weekday and ordinal in ordinals for ordinal, number in days)


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, datetime, int, tuple[str, int, list[tuple[int, int]], list[int]]]:
    start = draw(st.datetimes(datetime(2025, 1, 1), datetime(2026, 1, 1))).replace(microsecond=0, fold=0)
    length = draw(st.sampled_from([0, 1, 3600, 12 * 3600, DAY, DAY + 3600, 40 * 3600]))
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    interval = draw(st.integers(1, 4))
    ordinals = st.just(0) if frequency == "WEEKLY" else st.integers(-5, 5)
    days = draw(st.lists(st.tuples(ordinals, st.integers(0, 6)), max_size=3)) if frequency != "DAILY" else []
    months = draw(st.lists(st.integers(1, 12), max_size=3)) if frequency in {"MONTHLY", "YEARLY"} else []
    rule = f"FREQ={frequency};INTERVAL={interval}"
    if days:
        rule += ";BYDAY=" + ",".join(f"{ordinal or ''}{WEEKDAYS[number]}" for ordinal, number in days)
    if months:
        rule += ";BYMONTH=" + ",".join(map(str, months))
    text = f"DTSTART:{start:%Y%m%dT%H%M%S} RRULE:{rule}"
    if length:
        text += f" DTEND:{start + timedelta(seconds=length):%Y%m%dT%H%M%S}"
    return text, start, length, (frequency, interval, days, months)


@given(texts(), st.integers(0, 400))
@settings(max_examples=80, deadline=None)
def test_years_of_schedules_are_what_the_words_say(
    made: tuple[str, datetime, int, tuple[str, int, list[tuple[int, int]], list[int]]], offset: int
) -> None:
    text, start, length, rule = made
    spans: list[list[int]] = []
    for number in range(YEARS * 366):
        day = start.date() + timedelta(number)
        if not is_day(day, start.date(), rule):
            continue
        local = datetime.combine(day, start.time())
        begin, end = (
            int(moment.replace(tzinfo=STOCKHOLM.info).timestamp())
            for moment in (local, local + timedelta(seconds=length))
        )
        if not length or end > begin:
            if length and spans and begin <= spans[-1][1]:
                spans[-1][1] = max(end, spans[-1][1])
            else:
                spans.append([begin, end])
    schedule = Schedule(text, STOCKHOLM)
    now = int(start.timestamp()) + offset * DAY
    until = int(start.timestamp()) + (YEARS * 366 - 40) * DAY
    edges = [Edge(begin, True if length else None) for begin, _ in spans]
    edges += [Edge(end, False) for _, end in spans if length]
    edges = [edge for edge in sorted(edges) if now < edge.t <= until]
    found = list(schedule.edges(now, until))
    assert found == edges
    for edge in islice(found, 5):
        assert schedule.next_edge(edge.t - 1) == edge
        assert edge.active is None or schedule.active(edge.t) is edge.active
