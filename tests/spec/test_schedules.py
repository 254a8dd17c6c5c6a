"""Manual: System > Events > Schedules and Manual triggers; decisions D2, D7, D8 and D9 for them."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError, StoreError
from axcore.model import events
from axcore.model.rules import Condition, Rule, RuleSpec, ToggleIoOnce, ToggleIoWhileActive
from axcore.model.schedules import Schedule
from axcore.testing import MemoryLedger, VirtualClock
from tests.unit.services.test_events import Bench

WHILE, ONCE = ToggleIoWhileActive(port="Door"), ToggleIoOnce(port="Door", duration=1.0)
ON, OFF = ("hold", "relay1", True, True, None), ("hold", "relay1", False, True, None)
FIRED = ("pulse", "relay1", True, 1.0, None)
MORNING = "DTSTART:20260101T080000 DTEND:20260101T120000 RRULE:FREQ=DAILY"
HOURLY = "DTSTART:20260101T000000 RRULE:FREQ=HOURLY"
ZONE = "Time.TimeZone"


class Clockwork(Bench):
    """A device with rules and schedules on a Sunday noon (2026-03-01T12:00Z, zone UTC)."""

    def __init__(self, wall: str = "2026-03-01T12:00:00Z", ledger: MemoryLedger | None = None) -> None:
        super().__init__(ledger or MemoryLedger(VirtualClock(wall)))
        self.clock = self.ledger.virtual_clock

    def restart(self) -> Clockwork:
        return Clockwork(ledger=MemoryLedger(self.clock, store=self.ledger.store))

    def schedule(self, icalendar: str, name: str = "s", exception: str = "") -> Schedule:
        spec = {"name": name, "icalendar": icalendar, "exception": exception}
        return self.ledger.do(lambda tx: self.schedules.add(tx, spec))

    def change(self, schedule: Schedule | str, **patch: Any) -> Schedule:
        key = schedule if isinstance(schedule, str) else schedule.id
        return self.ledger.do(lambda tx: self.schedules.update(tx, key, patch))

    def rule(self, *conditions: Condition, action: Any = WHILE, wait: float = 0) -> Rule:
        spec = RuleSpec(name="r", conditions=conditions, action=action, wait=wait)
        return self.ledger.do(lambda tx: self.events.add_rule(tx, spec))

    def set_wall(self, text: str) -> None:
        """Step the clock, and let a second pass: a turn happens at least that often."""
        self.clock.set_wall(text)
        self.ledger.advance(0.5)

    def zone(self, name: str) -> None:
        """What the parameter service does."""

        def job(tx: Any) -> None:
            tx.put("param", ZONE, name.encode())
            data = {"kind": "param", "key": ZONE, "action": "update", "user": ""}
            tx.publish(events.NewEvent(topic=events.CONFIGURATION_CHANGED, data=data))

        self.ledger.do(job)

    def told(self, topic: str = events.SCHEDULE_INTERVAL) -> list[tuple[str, str, str]]:
        """Time, id and state of every event about schedules."""
        found = [event for event in self.ledger.events if event.topic == topic]
        return [(event.time[5:19], event.source["id"], event.data.get("active", "")) for event in found]


def interval(schedule: Schedule | str, **flags: bool) -> Condition:
    key = schedule if isinstance(schedule, str) else schedule.id
    return Condition(topic=events.SCHEDULE_INTERVAL, source={"id": key}, **flags)


def pulse(schedule: Schedule) -> Condition:
    return Condition(topic=events.SCHEDULE_PULSE, source={"id": schedule.id})


@pytest.fixture
def device() -> Clockwork:
    return Clockwork()


# --- the list


def test_the_list_shows_all_schedules_and_pulses_with_their_configuration(device: Clockwork) -> None:
    """ "The list shows all the schedules and pulses currently configured", with what is configured."""
    device.schedule(MORNING, "Mornings", exception="DTSTART:20260704 DTEND:20260705")
    device.schedule(HOURLY, "Bell")
    found = {one.id: (one.name, one.kind) for one in device.schedules.schedules()}
    assert found == {
        "standard_always": ("Always", "interval"),
        "standard_office_hours": ("Office hours", "interval"),
        "standard_weekends": ("Weekends", "interval"),
        "1": ("Mornings", "interval"),
        "2": ("Bell", "pulse"),
    }
    assert device.schedules.schedule("1").icalendar == MORNING
    assert device.restart().schedules.schedules() == device.schedules.schedules()


def test_add_schedule_creates_a_schedule_or_a_pulse(device: Clockwork) -> None:
    """ "Click to create a schedule or pulse": with an end it is an interval."""
    assert device.schedule(MORNING, "a").kind == "interval"
    assert device.schedule("DTSTART:20260101T080000", "b").kind == "pulse"


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"name": "", "icalendar": MORNING}, "name"),
        ({"name": "x" * 65, "icalendar": MORNING}, "name"),
        ({"name": "a\x00", "icalendar": MORNING}, "name"),
        ({"name": "OFFICE hours", "icalendar": MORNING}, "name"),
        ({"name": "a"}, "icalendar"),
        ({"name": "a", "icalendar": ""}, "icalendar"),
        ({"name": "a", "icalendar": "DTSTART:20260101 RRULE:FREQ=NEVER"}, "icalendar"),
        ({"name": "a", "icalendar": MORNING, "exception": "tomorrow"}, "exception"),
        ({"name": "a", "icalendar": MORNING, "exception": "DTSTART:20260101"}, "exception"),
        ({"name": "a", "icalendar": MORNING, "colour": "red"}, "colour"),
        ({"name": 1, "icalendar": MORNING}, "name"),
    ],
)
def test_a_bad_schedule_is_refused_and_nothing_is_kept(device: Clockwork, spec: dict[str, Any], field: str) -> None:
    before = device.ledger.store.records(), device.schedules.schedules()
    with pytest.raises(InputError) as raised:
        device.ledger.do(lambda tx: device.schedules.add(tx, spec))
    assert raised.value.field == field
    assert (device.ledger.store.records(), device.schedules.schedules()) == before


def test_two_hundred_and_fifty_six_schedules_and_no_more(device: Clockwork) -> None:
    for number in range(253):
        device.schedule(MORNING, f"s{number}")
    with pytest.raises(LimitError):
        device.schedule(MORNING, "one too many")
    device.ledger.do(lambda tx: device.schedules.remove(tx, "7"))
    assert device.schedule(MORNING, "in its place").id == "254"


def test_the_delivered_schedules(device: Clockwork) -> None:
    """Always, office hours (Monday to Friday, 08 to 17) and weekends are there as delivered."""
    assert device.told() == [("03-01T12:00:00", "standard_always", "1"), ("03-01T12:00:00", "standard_weekends", "1")]
    device.ledger.advance(8 * 86_400)
    assert device.told()[2:] == [
        ("03-02T00:00:00", "standard_weekends", "0"),
        *[
            (f"03-{day:02}T{hour}:00:00", "standard_office_hours", active)
            for day in range(2, 7)
            for hour, active in (("08", "1"), ("17", "0"))
        ],
        ("03-07T00:00:00", "standard_weekends", "1"),
        ("03-09T00:00:00", "standard_weekends", "0"),
        ("03-09T08:00:00", "standard_office_hours", "1"),
    ]


def test_the_delivered_schedules_can_be_changed_but_not_removed(device: Clockwork) -> None:
    """*Always* is always: it cannot be changed either."""
    hours = device.change("standard_office_hours", icalendar=MORNING, name="Opening hours")
    assert hours.name == "Opening hours"
    assert device.restart().schedules.schedule("standard_office_hours").icalendar == MORNING
    for key in ("standard_always", "standard_office_hours", "standard_weekends"):
        with pytest.raises(ConflictError):
            device.ledger.do(lambda tx, key=key: device.schedules.remove(tx, key))
    with pytest.raises(ConflictError):
        device.change("standard_always", name="Never")


# --- conditions


def test_schedules_can_be_used_as_conditions(device: Clockwork) -> None:
    """ "Schedules and pulses can be used as conditions in rules": an interval is a state."""
    device.rule(interval(device.schedule(MORNING)))
    assert device.lines.take() == []
    device.ledger.advance(20 * 3600)
    assert device.lines.take() == [ON]
    device.ledger.advance(4 * 3600 - 1)
    assert device.lines.take() == []
    device.ledger.advance(1)
    assert device.lines.take() == [OFF]


def test_a_schedule_can_be_inverted_and_a_pulse_cannot(device: Clockwork) -> None:
    """Events > Rules, Invert this condition: only states have an opposite."""
    device.rule(interval(device.schedule(MORNING), invert=True))
    assert device.lines.take() == [ON]
    device.ledger.advance(20 * 3600)
    assert device.lines.take() == [OFF]
    bell = device.schedule(HOURLY, "bell")
    with pytest.raises(InputError) as raised:
        device.rule(Condition(topic=events.SCHEDULE_PULSE, source={"id": bell.id}, invert=True), action=ONCE)
    assert raised.value.field == "conditions[0].invert"


def test_pulses_can_be_used_as_conditions(device: Clockwork) -> None:
    """ "Schedules and pulses can be used as conditions in rules": a pulse happens, other conditions must hold."""
    device.rule(pulse(device.schedule(HOURLY)), interval(device.schedule(MORNING, "m")), action=ONCE)
    device.ledger.advance(20 * 3600 - 1)
    assert device.lines.take() == []
    device.ledger.advance(4 * 3600)
    assert device.lines.take() == [FIRED] * 4


@pytest.mark.parametrize("source", [{"id": "7"}, {"id": "1"}, {"id": ""}, {"port": "1"}])
def test_only_what_is_there_can_be_a_condition(device: Clockwork, source: dict[str, str]) -> None:
    device.schedule(MORNING)
    with pytest.raises(InputError) as raised:
        device.rule(Condition(topic=events.SCHEDULE_PULSE, source=source), action=ONCE)
    assert raised.value.field.startswith("conditions[0].source")


def test_the_catalogue_names_them(device: Clockwork) -> None:
    device.schedule(HOURLY, "Bell")
    kinds = {kind.topic: kind for kind in device.events.conditions()}
    shown, pulses = kinds[events.SCHEDULE_INTERVAL], kinds[events.SCHEDULE_PULSE]
    assert shown.stateful
    assert shown.source[0].nice_values == ("Always", "Office hours", "Weekends")
    assert (pulses.stateful, pulses.source[0].values, pulses.source[0].nice_values) == (False, ("1",), ("Bell",))


def test_a_schedule_in_use_is_neither_removed_nor_made_a_pulse(device: Clockwork) -> None:
    morning = device.schedule(MORNING, "Mornings")
    rule = device.rule(interval(morning))
    content = f'boolean(//SimpleItem[@Name="id" and @Value="{morning.id}"])'
    other = device.rule(Condition(topic="tns1:UserAlarm/tnsaxis:Recurring/Interval", content=content))
    with pytest.raises(ConflictError, match=r"Mornings is used by rule 1 \(r\), rule 2"):
        device.ledger.do(lambda tx: device.schedules.remove(tx, morning.id))
    with pytest.raises(ConflictError, match="used by rule 1"):
        device.change(morning, icalendar=HOURLY)
    for one in (rule, other):
        device.ledger.do(lambda tx, one=one: device.events.remove_rule(tx, one.id))
    device.change(morning, icalendar=HOURLY)
    device.ledger.do(lambda tx: device.schedules.remove(tx, morning.id))
    with pytest.raises(NotFoundError):
        device.schedules.schedule(morning.id)


def test_a_changed_schedule_is_seen_at_once(device: Clockwork) -> None:
    night = device.schedule(MORNING)
    device.rule(interval(night))
    device.change(night, icalendar="DTSTART:20260101T110000 DTEND:20260101T130000 RRULE:FREQ=DAILY")
    assert device.lines.take() == [ON]
    device.ledger.advance(3600)
    assert device.lines.take() == [OFF]
    device.ledger.advance(86_400)
    assert [when for when, key, _ in device.told() if key == night.id] == [
        "03-01T12:00:00", "03-01T12:00:00", "03-01T13:00:00", "03-02T11:00:00", "03-02T13:00:00",
    ]  # fmt: skip


# --- exceptions


def test_the_exception_always_wins(device: Clockwork) -> None:
    """Schedule definition and exception definition: while the exception holds, the schedule does not."""
    holiday = "DTSTART:20260302T000000 DTEND:20260303T000000"
    morning = device.schedule(MORNING, "m", holiday)
    bell = device.schedule("DTSTART:20260101T090000 RRULE:FREQ=DAILY", "b", holiday)
    device.rule(interval(morning))
    device.rule(pulse(bell), action=ToggleIoOnce(port="5", duration=1.0))
    assert not device.schedules.excepted(morning.id, device.clock.wall_ns())
    device.ledger.advance(20 * 3600)
    assert device.schedules.excepted(morning.id, device.clock.wall_ns())
    device.ledger.advance(16 * 3600)
    assert device.lines.take() == []
    device.ledger.advance(86_400)
    assert device.lines.take() == [ON, ("pulse", "relay2", True, 1.0, None), OFF]
    lunch = "DTSTART:20260101T090000 DTEND:20260101T100000 RRULE:FREQ=DAILY"
    device.change(morning, exception=lunch)
    device.ledger.advance(86_400)
    assert [state for state in device.lines.take() if state in (ON, OFF)] == [ON, OFF, ON, OFF]
    assert not device.schedules.active(morning.id, device.clock.wall_ns())


# --- start, D2


def test_what_is_active_at_the_start_is_no_trigger(device: Clockwork) -> None:
    """D2: announcing a state starts nothing, but it satisfies a rule that looks at it."""
    device.rule(interval("standard_weekends", trigger=True), action=ONCE)
    device.rule(interval("standard_weekends"))
    device.lines.take()
    again = device.restart()
    assert again.lines.take() == [ON]
    bell = again.schedule("DTSTART:20260301T110000 DTEND:20260301T130000")
    again.rule(interval(bell, trigger=True), action=ONCE)
    assert again.lines.take() == []


# --- the clock, D7


def test_a_step_of_the_clock_is_seen_at_once(device: Clockwork) -> None:
    """D7: schedules use wall time and are worked out anew at once."""
    device.rule(interval(device.schedule(MORNING)))
    device.set_wall("2026-03-01T09:00:00Z")
    assert device.lines.take() == [ON]
    device.set_wall("2026-03-05T19:00:00Z")
    assert device.lines.take() == [OFF]
    device.set_wall("2026-03-05T11:59:59Z")
    assert device.lines.take() == [ON]
    device.ledger.advance(0.5)
    assert device.lines.take() == [OFF]


def test_a_step_is_seen_although_time_passes_while_the_clocks_are_read() -> None:
    """D7, on clocks that do not stand still between two readings."""

    class Ticking(VirtualClock):
        def mono_ns(self) -> int:
            self.advance(1e-6)
            return super().mono_ns()

    device = Clockwork(ledger=MemoryLedger(Ticking("2026-03-01T12:00:00Z")))
    device.rule(interval(device.schedule(MORNING)))
    device.clock.set_wall("2026-03-01T09:00:00Z")
    device.ledger.turn()
    assert device.lines.take() == [ON]
    device.clock.advance(3 * 3600 - 1)
    device.ledger.turn()
    assert device.lines.take() == []
    device.clock.advance(1)
    device.ledger.turn()
    assert device.lines.take() == [OFF]


def test_skipped_pulses_are_not_made_up_for(device: Clockwork) -> None:
    """D7: what a step jumps over does not happen; what a step back meets again does."""
    device.rule(pulse(device.schedule(HOURLY)), action=ONCE)
    device.set_wall("2026-03-02T11:59:59Z")
    assert device.lines.take() == []
    device.ledger.advance(0.5)
    assert device.lines.take() == [FIRED]
    device.set_wall("2026-03-02T11:59:59Z")
    device.ledger.advance(1)
    assert device.lines.take() == [FIRED]


def test_what_was_due_before_a_step_is_not_skipped(device: Clockwork) -> None:
    device.rule(pulse(device.schedule(HOURLY)), action=ONCE)
    device.clock.advance(3600.4)  # the machine was busy: the pulse is late
    device.clock.step(1800)
    device.ledger.advance(0)
    assert device.lines.take() == [FIRED]


def test_what_came_due_while_the_program_stood_still_is_not_told_one_by_one(device: Clockwork) -> None:
    device.schedule("DTSTART:20260101T000000 RRULE:FREQ=SECONDLY", "tick")
    device.rule(interval(device.schedule(MORNING)))
    device.clock.advance(21 * 3600)
    device.ledger.advance(0)
    assert device.lines.take() == [ON]
    assert device.told(events.SCHEDULE_PULSE) == []
    device.ledger.advance(5)
    assert len(device.told(events.SCHEDULE_PULSE)) == 5


def test_a_clock_that_slews_is_followed(device: Clockwork) -> None:
    """The wall clock runs 5 % fast: the instants are those of the wall."""
    device.schedule(HOURLY)
    for _ in range(7200):
        device.clock.step(0.05)
        device.ledger.advance(0.95)
    assert [when for when, _, _ in device.told(events.SCHEDULE_PULSE)] == ["03-01T13:00:00", "03-01T14:00:00"]


def test_while_the_clock_is_not_set_only_always_holds() -> None:
    """A board without a battery starts in 1970: nothing opens for that."""
    device = Clockwork("1970-01-01T07:59:00Z")
    device.rule(interval(device.schedule(MORNING.replace("2026", "1970"))))
    device.rule(pulse(device.schedule(HOURLY.replace("2026", "1970"), "h")), action=ONCE)
    device.ledger.advance(7200)
    assert device.lines.take() == []
    assert [(key, active) for _, key, active in device.told() if active == "1"] == [("standard_always", "1")]
    device.set_wall("2026-03-01T10:00:00Z")
    assert device.lines.take() == [ON]


# --- time zones and daylight saving, D8


def test_the_time_zone_of_the_device_counts(device: Clockwork) -> None:
    device.rule(interval(device.schedule(MORNING)))
    device.zone("America/New_York")  # 07:00
    assert device.lines.take() == []
    device.zone("America/Halifax")  # 08:00
    assert device.lines.take() == [ON]
    again = device.restart()
    assert again.lines.take() == [ON]
    again.zone("UTC")
    assert again.lines.take() == [OFF]
    device.zone("Nowhere/Atall")  # a zone that this release does not know any more: UTC
    assert not device.schedules.active("1", device.clock.wall_ns())


def test_daylight_saving_keeps_nominal_times(device: Clockwork) -> None:
    """D8: 08:00 is 08:00 by the clock on the wall; hourly pulses are exact steps."""
    device.zone("Europe/Stockholm")
    device.schedule(MORNING)
    device.set_wall("2026-03-28T00:00:00Z")
    device.ledger.advance(2 * 86_400)
    changes = [when for when, key, _ in device.told() if key == "1" and when > "03-28"]
    assert changes == ["03-28T07:00:00", "03-28T11:00:00", "03-29T06:00:00", "03-29T10:00:00"]


# --- one instant, D9


def test_schedules_come_first_then_pulses_then_waits(device: Clockwork) -> None:
    """D9: at one instant an interval changes, then a pulse happens, then a wait is over, then others come."""
    morning = device.schedule(MORNING)
    first = pulse(device.schedule("DTSTART:20260302T080000", "p"))
    device.rule(first, interval(morning), action=ONCE)
    device.ledger.advance(20 * 3600)
    assert device.lines.take() == [FIRED]
    # A wait that ends as the schedule does: the rule is not satisfied any more.
    device.clock.set_wall("2026-03-02T11:59:30Z")
    device.ledger.advance(0)
    virtual = Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": "1"})
    device.rule(virtual, interval(morning), wait=30)
    device.virtual(True)
    device.virtual(False)
    device.virtual(True)
    assert device.lines.take() == [ON, OFF]
    device.ledger.advance(30)
    assert device.lines.take() == []


def test_a_pulse_and_the_wait_that_ends_with_the_next_one(device: Clockwork) -> None:
    """D4: the instant at which the wait ends is allowed, however late the turn that tells it."""
    device.rule(pulse(device.schedule("DTSTART:20260101T000000 RRULE:FREQ=MINUTELY")), action=ONCE, wait=60)
    device.clock.advance(60.5)
    device.ledger.advance(0)
    device.ledger.advance(60)
    assert device.lines.take() == [FIRED] * 2


# --- failures


def test_nothing_is_lost_when_the_store_fails(device: Clockwork) -> None:
    device.rule(pulse(device.schedule(HOURLY)), action=ONCE)
    device.rule(interval(device.schedule(MORNING, "m")), action=ToggleIoWhileActive(port="5"))
    device.ledger.advance(20 * 3600 - 1)
    device.lines.take()
    device.ledger.store.broken = "disk full"
    with pytest.raises(StoreError):
        device.schedule(HOURLY, "not kept")
    device.ledger.advance(3)
    assert device.lines.take() == []
    device.ledger.store.broken = None
    device.ledger.advance(3)
    assert device.lines.take() == [("hold", "relay2", True, True, None), FIRED]
    assert [one.name for one in device.schedules.schedules()][3:] == ["s", "m"]


# --- manual triggers


def test_the_manual_trigger_triggers_a_rule(device: Clockwork) -> None:
    """ "You can use the manual trigger to manually trigger a rule"."""
    device.rule(Condition(topic=events.IO_VIRTUAL_PORT))
    trigger = device.ports.manual
    assert device.ledger.do(lambda tx: trigger.set(tx, True))
    assert device.lines.take() == [ON]
    assert not device.ledger.do(lambda tx: trigger.set(tx, True, 2.0))
    device.ledger.advance(1.9)
    assert device.lines.take() == []
    device.ledger.advance(0.1)
    assert device.lines.take() == [OFF]
    for seconds in (0.0, -1.0, float("nan"), 86_401.0):
        with pytest.raises(InputError):
            device.ledger.do(lambda tx, seconds=seconds: trigger.set(tx, True, seconds))
    assert not trigger.active
