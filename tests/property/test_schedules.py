"""The schedule service over years of virtual time, with steps of the clock and changes of the zone, against a plain
reference: spans of time read day by day from the words of each schedule."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from axcore.model import events
from axcore.model.schedules import ScheduleSpec
from axcore.services.schedules import ScheduleService
from axcore.testing import MemoryLedger, VirtualClock
from tests.unit.rules.test_schedule import is_day, texts

ZONES = ["UTC", "Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu"]
START = "2026-01-01T00:00:00Z"
LAST = date(2030, 1, 1)
DAY = 86_400
Told = tuple[int, str, bool | None]
"""UTC seconds, id, state (None: a pulse)."""


class Plain(NamedTuple):
    """A schedule as words, for the reference."""

    text: str
    start: datetime
    length: int
    rule: tuple[str, int, list[tuple[int, int]], list[int]]


class Case(NamedTuple):
    main: Plain
    exception: Plain | None


@st.composite
def stepped(draw: st.DrawFn) -> Plain:
    """HOURLY and MINUTELY: exact steps."""
    start = draw(st.datetimes(datetime(2025, 1, 1), datetime(2026, 1, 1))).replace(microsecond=0, fold=0)
    frequency, interval = draw(st.sampled_from([("HOURLY", 7), ("HOURLY", 26), ("MINUTELY", 333)]))
    length = draw(st.sampled_from([0, 60, 3600, 5 * 3600]))
    text = f"DTSTART:{start:%Y%m%dT%H%M%S} RRULE:FREQ={frequency};INTERVAL={interval}"
    if length:
        text += f" DTEND:{start + timedelta(seconds=length):%Y%m%dT%H%M%S}"
    return Plain(text, start, length, (frequency, interval, [], []))


PLAIN = texts().map(lambda made: Plain(*made))
CASE = st.builds(Case, PLAIN | PLAIN | stepped(), st.none() | PLAIN.filter(lambda one: one.length > 0))
OPS = st.lists(
    st.tuples(st.just("advance"), st.integers(1, 200 * DAY) | st.integers(1, DAY))
    | st.tuples(st.just("step"), st.integers(-100 * DAY, 100 * DAY).filter(bool))
    | st.tuples(st.just("zone"), st.sampled_from(ZONES)),
    min_size=1,
    max_size=8,
)


class Reference:
    """The spans of one schedule in a zone."""

    def __init__(self, case: Case, zone: str) -> None:
        self.pulse = case.main.length == 0
        self.spans = list(_spans(case.main, ZoneInfo(zone)))
        self.out = list(_spans(case.exception, ZoneInfo(zone))) if case.exception else []

    def active(self, t: int) -> bool:
        return _inside(self.spans, t) and not _inside(self.out, t)

    def told(self, after: int, until: int) -> list[tuple[int, bool | None]]:
        if self.pulse:
            return [(t, None) for t, _ in self.spans if after < t <= until and not _inside(self.out, t)]
        state, found = self.active(after), []
        for t in sorted({t for span in (*self.spans, *self.out) for t in span if after < t <= until}):
            if self.active(t) is not state:
                state = not state
                found.append((t, state))
        return found


def _inside(spans: list[tuple[int, int]], t: int) -> bool:
    return any(begin <= t < end for begin, end in spans if begin <= t)


def _spans(plain: Plain, zone: ZoneInfo) -> Any:
    def utc(local: datetime) -> int:
        return int(local.replace(tzinfo=zone).timestamp())

    frequency, interval, _, _ = plain.rule
    if frequency in {"HOURLY", "MINUTELY"}:
        begin, step = utc(plain.start), interval * (3600 if frequency == "HOURLY" else 60)
        for t in range(begin, int(datetime(LAST.year, 1, 1, tzinfo=UTC).timestamp()), step):
            yield t, t + plain.length
        return
    day = plain.start.date()
    while day < LAST:
        if is_day(day, plain.start.date(), plain.rule):
            local = datetime.combine(day, plain.start.time())
            begin, end = utc(local), utc(local + timedelta(seconds=plain.length))
            if not plain.length or end > begin:
                yield begin, end
        day += timedelta(1)


class Device:
    def __init__(self, cases: list[Case]) -> None:
        self.ledger = MemoryLedger(VirtualClock(START))
        self.clock = self.ledger.virtual_clock
        self.service = ScheduleService(self.clock, self.ledger.bus)
        self.ledger.add_timer(self.service)
        self.ledger.load(self.service.load, self.service.announce)
        self.ids = []
        for number, case in enumerate(cases):
            exception = case.exception.text if case.exception else ""
            spec = ScheduleSpec(name=f"s{number}", icalendar=case.main.text, exception=exception)
            self.ids.append(self.ledger.do(lambda tx, spec=spec: self.service.add(tx, spec)).id)  # type: ignore[misc]
        self.seen = len(self.ledger.events)

    @property
    def now(self) -> int:
        return self.clock.wall_ns() // 1_000_000_000

    def zone(self, name: str) -> None:
        def job(tx: Any) -> None:
            tx.put("param", "Time.TimeZone", name.encode())
            data = {"kind": "param", "key": "Time.TimeZone"}
            tx.publish(events.NewEvent(topic=events.CONFIGURATION_CHANGED, data=data))

        self.ledger.do(job)

    def told(self) -> list[Told]:
        new = self.ledger.events[self.seen :]
        self.seen = len(self.ledger.events)
        mine = [event for event in new if event.source.get("id") in self.ids]
        return [
            (
                int(datetime.fromisoformat(event.time).timestamp()),
                event.source["id"],
                event.data["active"] == "1" if event.is_property else None,
            )
            for event in mine
        ]


@given(st.lists(CASE, min_size=1, max_size=3), OPS)
@settings(max_examples=25, deadline=None)
def test_what_is_told_is_what_the_words_say(cases: list[Case], ops: list[tuple[str, Any]]) -> None:
    device = Device(cases)
    references = [Reference(case, "UTC") for case in cases]
    states = [reference.active(device.now) for reference in references]
    for op, argument in ops:
        before = device.now
        expected: list[tuple[int, bool, int, bool | None]] = []
        if op == "advance":
            device.ledger.advance(argument)
            for number, reference in enumerate(references):
                expected += [(t, reference.pulse, number, on) for t, on in reference.told(before, device.now)]
        elif op == "step":
            device.clock.step(argument)
            device.ledger.advance(0)
        else:
            device.zone(argument)
            references = [Reference(case, argument) for case in cases]
        after = [reference.active(device.now) for reference in references]
        if op != "advance":
            expected = [(device.now, False, n, on) for n, on in enumerate(after) if on is not states[n]]
        states = after
        assert device.told() == [(t, device.ids[number], on) for t, _, number, on in sorted(expected, key=_order)]
        wall = device.clock.wall_ns()
        assert [device.service.active(key, wall) for key in device.ids] == states
        for number, reference in enumerate(references):
            edge = device.service.next_edge(device.ids[number], wall)
            following = reference.told(device.now, device.now + 300 * DAY)
            assert (edge if edge is None or edge.t <= device.now + 300 * DAY else None) == (following or [None])[0]


def _order(entry: tuple[int, bool, int, bool | None]) -> tuple[int, bool, int]:
    return entry[:3]
