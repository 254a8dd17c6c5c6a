"""Schedules: a year of 256 of them on the virtual clock, beside peers in the same run.

*Year*: through the service, as on a device: the next deadline is asked for, time goes there, and what is due is
published in a transaction, in the order of its instants; only the commit is left out. The peer expands the same
recurrences in the same time zone; it gives no order and no events. *Edges*: the library alone, every begin and end of
the year, beside dateutil, which knows no zone here. What is found is counted. ``python bench/bench_schedule.py`` prints
the seconds.
"""

import timeit
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from axcore.model.schedules import MAX_SCHEDULES, ScheduleSpec
from axcore.rules.schedule import Schedule, Zone
from axcore.runtime.clock import instant
from axcore.runtime.transaction import Batch, Transaction
from axcore.services.schedules import ScheduleService
from axcore.testing import MemoryLedger, VirtualClock

ZONE = b"Europe/Stockholm"
BEGIN, END = "20250101T06{:02}00", "20250101T18{:02}00"
YEAR = 365 * 86_400
DELIVERED = 3
OWN = MAX_SCHEDULES - DELIVERED
DAILY, WORKDAYS = "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
FEW = 4
"""Schedules for a peer that is slow."""


def texts(count: int = OWN) -> list[tuple[str, str]]:
    """Begins and ends of schedules: at most five change at one instant."""
    return [(BEGIN.format(number % 60), END.format(number % 59)) for number in range(count)]


class Year:
    """A device with as many schedules as there can be; ``run`` lets a year pass."""

    def __init__(self, rule: str = DAILY) -> None:
        self.ledger = MemoryLedger(VirtualClock("2026-01-01T00:00:00Z"))
        self.clock = self.ledger.virtual_clock
        self.service = ScheduleService(self.clock, self.ledger.bus)
        self.ledger.do(lambda tx: tx.put("param", "Time.TimeZone", ZONE))
        self.ledger.load(self.service.load, self.service.announce)
        for number, (begin, end) in enumerate(texts()):
            text = f"DTSTART:{begin} DTEND:{end} RRULE:{rule}"
            spec = ScheduleSpec(name=f"s{number}", icalendar=text)
            self.ledger.do(lambda tx, spec=spec: self.service.add(tx, spec))  # type: ignore[misc]
        assert len(self.service.schedules()) == MAX_SCHEDULES

    def run(self) -> int:
        """Changes of a year, each of them an event; those of the delivered schedules are not counted."""
        service, clock, bus = self.service, self.clock, self.ledger.bus
        end, found = clock.mono_ns() + YEAR * 1_000_000_000, 0
        while (due := service.next_deadline()) is not None and due <= end:
            clock.advance((due - clock.mono_ns()) / 1e9)
            batch = Batch({}, bus, 1)
            tx = Transaction(batch, instant(clock))
            service.advance(tx, tx.now)
            found += sum([event.source["id"][0] != "s" for event in batch.events])
        clock.advance((end - clock.mono_ns()) / 1e9)
        return found


def edges() -> int:
    """Every begin and end of a year, from the library alone."""
    zone = Zone(ZoneInfo(ZONE.decode()))
    start = int(datetime(2026, 1, 1, tzinfo=zone.info).timestamp())
    found = 0
    for begin, end in texts():
        schedule = Schedule(f"DTSTART:{begin} DTEND:{end} RRULE:{DAILY}", zone)
        found += sum(1 for _ in schedule.edges(start, start + YEAR))
    return found


def dateutil() -> int:
    """The same, as begins and ends of dateutil's recurrences, in local time."""
    rrulestr = pytest.importorskip("dateutil.rrule").rrulestr
    first, last, found = datetime(2026, 1, 1), datetime(2026, 12, 31, 23, 59, 59), 0
    for stamps in texts():
        for stamp in stamps:
            start = datetime.strptime(stamp, "%Y%m%dT%H%M%S")
            found += len(rrulestr(DAILY, dtstart=start).between(first, last, inc=True))
    return found


def recurring(count: int = FEW) -> int:
    """Begins and ends of a year of some schedules, as events of recurring-ical-events."""
    icalendar, expand = pytest.importorskip("icalendar"), pytest.importorskip("recurring_ical_events").of
    zone, found = ZONE.decode(), 0
    for begin, end in texts(count):
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:bench", "BEGIN:VEVENT", "UID:1"]
        lines += [f"DTSTART;TZID={zone}:{begin}", f"DTEND;TZID={zone}:{end}", f"RRULE:{DAILY}"]
        calendar = icalendar.Calendar.from_ical("\n".join([*lines, "END:VEVENT", "END:VCALENDAR"]))
        found += 2 * len(expand(calendar).between(datetime(2026, 1, 1), datetime(2027, 1, 1)))
    return found


def timed(benchmark: Any, function: Callable[[], int], schedules: int = OWN) -> None:
    benchmark.extra_info["units"] = schedules
    benchmark.extra_info["unit"] = "years of a schedule"
    assert benchmark.pedantic(function, rounds=5, warmup_rounds=1) == schedules * 2 * 365


@pytest.mark.benchmark(group="schedules-year")
def test_axcore_year(benchmark: Any) -> None:
    """All 256 begin and end every day."""
    timed(benchmark, Year().run)


@pytest.mark.benchmark(group="schedules-year")
def test_peer_recurring_ical_events(benchmark: Any) -> None:
    timed(benchmark, recurring, FEW)


@pytest.mark.benchmark(group="schedules-edges")
def test_axcore_edges(benchmark: Any) -> None:
    timed(benchmark, edges)


@pytest.mark.benchmark(group="schedules-edges")
def test_peer_dateutil_edges(benchmark: Any) -> None:
    timed(benchmark, dateutil)


def main() -> None:
    def best(function: Callable[[], int], repeat: int = 5) -> float:
        return min(timeit.repeat(function, number=1, repeat=repeat))

    slow = best(recurring) * OWN / FEW
    for name, rule in (("daily", DAILY), ("workdays", WORKDAYS)):
        print(f"a year of 256 schedules through the service, {name:9} {best(Year(rule).run):6.3f} s")
    print(f"the same, daily, recurring-ical-events         {slow:6.3f} s, extrapolated from {FEW}")
    print(f"edges alone {best(edges):6.3f} s, dateutil {best(dateutil, 3):6.3f} s")


if __name__ == "__main__":
    main()
