"""EventService: rules are checked, kept, run in the transaction of the event, and told when their action fails."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.devices import MODELS
from axcore.errors import InputError, LimitError, NotFoundError, QueueFullError
from axcore.model import events
from axcore.model.actions import StopClip, VirtualInputOnce, VirtualInputWhileActive
from axcore.model.events import NewEvent
from axcore.model.rules import Condition, Rule, RuleSpec, ToggleIoOnce, ToggleIoWhileActive
from axcore.services.events import EventService, PortPerformer, VirtualInputPerformer
from axcore.services.ports import PortService
from axcore.services.schedules import ScheduleService, rules_using
from axcore.testing import MemoryLedger
from tests.unit.services.fake_lines import FakeLines

MODEL = MODELS["a8207-ve-mk2"]
GRANTED = Condition(topic=events.ENTRY_GRANTED)
VIRTUAL = Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": "1"})
DOOR = ToggleIoOnce(port="Door", duration=7.0)
WHILE = ToggleIoWhileActive(port="Door")


class Bench:
    def __init__(self, ledger: MemoryLedger | None = None) -> None:
        self.ledger = ledger or MemoryLedger()
        self.lines = FakeLines()
        self.ports = PortService(MODEL, self.ledger.post)
        self.schedules = ScheduleService(self.ledger.virtual_clock, self.ledger.bus)
        performers = (PortPerformer(self.ports), VirtualInputPerformer(self.ports))
        conditions = (self.schedules.conditions,)
        self.events = EventService(MODEL, performers, self.ledger.bus, self.ledger.post, conditions=conditions)
        self.schedules.users.add(lambda schedule: rules_using(self.events.rules(), schedule))
        loaders = (self.schedules.load, self.ports.load, self.events.load)
        self.ledger.load(*loaders)
        for loader in loaders:
            self.ledger.on_reload(loader)
        self.ports.attach(self.lines)
        for timer in (self.schedules, self.events, self.ports):
            self.ledger.add_timer(timer)
        announcements = (self.ports.announce, self.ports.virtual.announce, self.ports.manual.announce)
        self.ledger.load(*announcements, self.schedules.announce, self.events.start)

    def add(self, condition: Condition, action: ToggleIoOnce | ToggleIoWhileActive = DOOR, **fields: Any) -> Rule:
        spec = RuleSpec(name=fields.pop("name", "r"), conditions=(condition,), action=action, **fields)
        return self.ledger.do(lambda tx: self.events.add_rule(tx, spec))

    def update(self, rule: Rule, **patch: Any) -> Rule:
        return self.ledger.do(lambda tx: self.events.update_rule(tx, rule.id, patch))

    def grant(self, condition: str = "Access granted", correlation: str | None = None) -> None:
        event = NewEvent(topic=events.ENTRY_GRANTED, data={"condition": condition}, correlation=correlation)
        self.ledger.do(lambda tx: tx.publish(event))

    def virtual(self, active: bool, port: int = 1) -> None:
        self.ledger.do(lambda tx: self.ports.set_virtual_input(tx, port, active))

    def failures(self) -> list[dict[str, str]]:
        return [event.data for event in self.ledger.events if event.topic == events.ACTION_FAILED]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_grant_fires_the_rule_with_its_correlation(bench: Bench) -> None:
    bench.add(GRANTED)
    bench.grant(correlation="c")
    assert bench.lines.take() == [("pulse", "relay1", True, 7.0, "c")]


def test_nothing_moves_when_the_grant_is_not_durable(bench: Bench) -> None:
    bench.add(GRANTED, wait=60)
    bench.ledger.store.broken = "disk full"
    with pytest.raises(Exception, match="disk full"):
        bench.grant()
    assert bench.lines.take() == []
    bench.ledger.store.broken = None
    bench.grant()  # and the wait of the lost activation does not count
    assert bench.lines.take() == [("pulse", "relay1", True, 7.0, None)]


def test_nothing_moves_when_the_job_fails_later(bench: Bench) -> None:
    bench.add(GRANTED, wait=60)

    def job(tx: Any) -> None:
        tx.publish(NewEvent(topic=events.ENTRY_GRANTED, data={"condition": "Access granted"}))
        raise InputError("x", "y")

    with pytest.raises(InputError):
        bench.ledger.do(job)
    assert bench.lines.take() == []
    bench.grant()
    assert len(bench.lines.take()) == 1


def test_another_event_condition_does_not_open_the_door(bench: Bench) -> None:
    bench.add(GRANTED)
    bench.add(Condition(topic=events.ENTRY_GRANTED, data={"condition": "Cleaners"}), ToggleIoOnce(port="5"))
    bench.grant("Cleaners")
    assert bench.lines.take() == [("set", "relay2", True, None)]


def test_a_rule_keeps_its_port_when_that_is_renamed(bench: Bench) -> None:
    rule = bench.add(GRANTED)
    assert rule.action.port == "4"
    bench.ledger.do(lambda tx: bench.ports.configure(tx, 4, {"name": "Gate"}))
    bench.lines.take()
    bench.grant()
    assert bench.lines.take() == [("pulse", "relay1", True, 7.0, None)]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"wait": -1.0}, "wait"),
        ({"wait": float("nan")}, "wait"),
        ({"wait": 360_000.0}, "wait"),
        ({"conditions": ()}, "conditions"),
        ({"conditions": (VIRTUAL,) * 17}, "conditions"),
        ({"conditions": (VIRTUAL, GRANTED)}, "conditions[1].topic"),
        ({"conditions": (VIRTUAL, Condition(topic=events.REX, trigger=True))}, "conditions[1].trigger"),
        ({"conditions": (VIRTUAL, Condition(topic=events.REX, data={"x": "1"}))}, "conditions[1].data.x"),
        ({"conditions": (Condition(topic="tns1:Nothing"),)}, "conditions[0].topic"),
        ({"conditions": (Condition(topic=events.ENTRY_GRANTED, invert=True),)}, "conditions[0].invert"),
        ({"conditions": (Condition(topic=events.RELAY, source={"port": "4"}),)}, "conditions[0].source.port"),
        ({"conditions": (Condition(topic=events.IO_PORT, source={"port": "4"}),)}, "conditions[0].source.port"),
        ({"conditions": (Condition(topic=events.IO_PORT, data={"state": "2"}),)}, "conditions[0].data.state"),
        ({"action": WHILE}, "action.type"),
        ({"conditions": (Condition(topic=events.REX, trigger=True),), "action": WHILE}, "action.type"),
        ({"action": ToggleIoOnce(port="Door", duration=0.04)}, "action.duration"),
        ({"action": ToggleIoOnce(port="Door", duration=86_401.0)}, "action.duration"),
        ({"action": ToggleIoOnce(port="Door", duration=float("inf"))}, "action.duration"),
        ({"action": ToggleIoOnce(port="Garage")}, "action.port"),
        ({"action": ToggleIoOnce(port="Port 1")}, "action.port"),
    ],
)
def test_bad_rules_change_nothing(bench: Bench, change: dict[str, Any], field: str) -> None:
    fields: dict[str, Any] = {"name": "r", "conditions": (GRANTED,), "action": DOOR, **change}
    rule = bench.add(GRANTED)
    before = bench.ledger.store.records()
    with pytest.raises(InputError) as raised:
        bench.ledger.do(lambda tx: bench.events.add_rule(tx, RuleSpec(**fields)))
    assert raised.value.field == field
    assert bench.ledger.store.records() == before
    assert bench.events.rules() == (rule,)


def test_patches_are_checked(bench: Bench) -> None:
    rule = bench.add(GRANTED)
    wrong = {"colour": 1, "wait": "x", "id": "9", "name": " "}
    for field, value in wrong.items():
        with pytest.raises(InputError) as raised:
            bench.update(rule, **{field: value})
        assert raised.value.field == field
    with pytest.raises(NotFoundError):
        bench.ledger.do(lambda tx: bench.events.update_rule(tx, "77", {}))
    with pytest.raises(NotFoundError):
        bench.ledger.do(lambda tx: bench.events.remove_rule(tx, "77"))


def test_256_rules(bench: Bench) -> None:
    for number in range(256):
        bench.add(GRANTED, ToggleIoOnce(port="5"), name=f"r{number}", enabled=False)
    with pytest.raises(LimitError):
        bench.add(GRANTED)
    bench.ledger.do(lambda tx: bench.events.remove_rule(tx, bench.events.rules()[0].id))
    assert bench.add(GRANTED).id == "257"


def test_ids_are_never_used_again(bench: Bench) -> None:
    first = bench.add(GRANTED)
    bench.ledger.do(lambda tx: bench.events.remove_rule(tx, first.id))
    assert bench.add(GRANTED).id == "2"
    again = Bench(MemoryLedger(store=bench.ledger.store))
    assert again.add(GRANTED).id == "3"


def test_while_active_follows_the_state_and_a_restart(bench: Bench) -> None:
    rule = bench.add(VIRTUAL, WHILE)
    bench.virtual(True)
    assert bench.lines.take() == [("hold", "relay1", True, True, None)]
    assert bench.events.active(rule.id)
    bench.virtual(False)
    assert bench.lines.take() == [("hold", "relay1", False, True, None)]
    inverted = Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": "1"}, invert=True)
    bench.add(inverted, ToggleIoWhileActive(port="5"))
    assert bench.lines.take() == [("hold", "relay2", True, True, None)]
    again = Bench(MemoryLedger(store=bench.ledger.store))
    assert again.lines.take() == [("hold", "relay2", True, True, None)]


def test_two_rules_hold_one_output(bench: Bench) -> None:
    first = bench.add(VIRTUAL, WHILE)
    bench.add(Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": "2"}), WHILE)
    bench.virtual(True, 1)
    bench.virtual(True, 2)
    bench.lines.take()
    bench.virtual(False, 2)
    assert bench.lines.take() == [("hold", "relay1", True, True, None)]
    bench.ledger.do(lambda tx: bench.events.remove_rule(tx, first.id))
    assert bench.lines.take() == [("hold", "relay1", False, True, None)]


def test_edits_take_effect_after_off_and_on(bench: Bench) -> None:
    rule = bench.add(GRANTED)
    bench.update(rule, action={"type": "toggle_io_once", "port": "Relay 2", "duration": 1})
    bench.grant()
    assert bench.lines.take() == [("pulse", "relay1", True, 7.0, None)]
    bench.update(rule, enabled=False)
    bench.grant()
    assert bench.lines.take() == []
    bench.update(rule, enabled=True)
    bench.grant()
    assert bench.lines.take() == [("pulse", "relay2", True, 1.0, None)]


def test_turning_off_lets_go(bench: Bench) -> None:
    rule = bench.add(VIRTUAL, WHILE)
    bench.virtual(True)
    bench.lines.take()
    bench.update(rule, enabled=False)
    assert bench.lines.take() == [("hold", "relay1", False, True, None)]
    bench.update(rule, enabled=True)
    assert bench.lines.take() == [("hold", "relay1", True, True, None)]


def test_a_port_that_became_an_input_is_told(bench: Bench) -> None:
    bench.ledger.do(lambda tx: bench.ports.configure(tx, 0, {"direction": "output"}))
    rule = bench.add(GRANTED, ToggleIoOnce(port="0"))
    bench.ledger.do(lambda tx: bench.ports.configure(tx, 0, {"direction": "input"}))
    bench.lines.take()
    bench.grant(correlation="c")
    assert bench.lines.take() == []
    assert bench.failures() == [{"rule": rule.id, "name": "r", "reason": "port 0 (Port 1) is an input"}]
    assert bench.ledger.events[-1].correlation == "c"


def test_a_full_queue_is_told(bench: Bench) -> None:
    rule = bench.add(GRANTED)
    bench.lines.error = QueueFullError("no room")
    bench.grant()
    bench.ledger.advance(0)
    assert bench.failures() == [{"rule": rule.id, "name": "r", "reason": "no room"}]


def test_announcements_are_no_trigger_but_satisfy(bench: Bench) -> None:
    ledger = bench.ledger
    bench.add(Condition(topic=events.CASING_OPEN, trigger=True), ToggleIoOnce(port="4"))
    bench.add(Condition(topic=events.CASING_OPEN), ToggleIoOnce(port="5"))
    again = Bench.__new__(Bench)
    lines = FakeLines()
    lines.inputs["casing"] = True
    again.ledger, again.lines = MemoryLedger(store=ledger.store), lines
    again.ports = PortService(MODEL, again.ledger.post)
    again.events = EventService(
        MODEL, (PortPerformer(again.ports), VirtualInputPerformer(again.ports)), again.ledger.bus, again.ledger.post
    )
    again.ledger.load(again.ports.load, again.events.load)
    again.ports.attach(lines)
    again.ledger.load(again.ports.announce, again.events.start)
    assert lines.take() == [("set", "relay2", True, None)]
    again.ledger.do(lambda tx: again.ports.on_input(tx, "casing", False))
    again.ledger.do(lambda tx: again.ports.on_input(tx, "casing", True))
    assert lines.take() == [("set", "relay1", True, None), ("set", "relay2", True, None)]


def test_wait_of_a_level_rule_ends_later(bench: Bench) -> None:
    bench.add(VIRTUAL, WHILE, wait=10)
    bench.virtual(True)
    bench.virtual(False)
    bench.lines.take()
    bench.ledger.advance(4)
    bench.virtual(True)
    assert bench.lines.take() == []
    bench.ledger.advance(5.9)
    assert bench.lines.take() == []
    bench.ledger.advance(0.2)
    assert bench.lines.take() == [("hold", "relay1", True, True, None)]


def test_catalogues(bench: Bench) -> None:
    names = [(kind.group, kind.name) for kind in bench.events.conditions()]
    assert names[0] == ("Entry list", "Access granted")
    assert ("I/O", "Virtual input") in names
    assert len({kind.topic for kind in bench.events.conditions()}) == len(names)
    once = bench.events.actions()[0]
    assert (once.group, once.name) == ("I/O", "Toggle I/O once")
    assert once.fields["port"]["names"] == ["Door", "Relay 2"]
    for kind in bench.events.conditions():
        assert bool(kind.match) >= kind.stateful
        assert set(kind.match) <= {item.name for item in kind.data}


PORT_1 = 'boolean(//SimpleItem[@Name="port" and @Value="1"]) and boolean(//SimpleItem[@Name="active" and @Value="1"])'


def test_a_filter_can_be_a_condition(bench: Bench) -> None:
    filters = Condition(topic="onvif:Device/axis:IO/VirtualInput", content=PORT_1)
    bench.add(filters, WHILE)
    bench.virtual(True, port=2)
    assert not bench.lines.commands
    bench.virtual(True)
    bench.virtual(False)
    assert [call[:3] for call in bench.lines.commands] == [("hold", "relay1", True), ("hold", "relay1", False)]


def test_a_filter_may_cover_many_events_when_it_starts_the_rule(bench: Bench) -> None:
    wanted = 'boolean(//SimpleItem[@Name="active" and @Value="1"]) or boolean(//SimpleItem[@Name="condition"])'
    bench.add(Condition(topic="onvif:Device/axis:IO//.|onvif:AccessControl//.", content=wanted, trigger=True))
    bench.grant()
    bench.virtual(True, port=9)
    assert [call[0] for call in bench.lines.commands] == ["pulse", "pulse"]


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        (Condition(topic="onvif:Device/axis:IO//.", content="boolean("), "conditions[1].content"),
        (Condition(topic="onvif:Device/axis:IO//."), "conditions[1].content"),
        (Condition(topic="onvif:Device//.", content=PORT_1), "conditions[1].topic"),
        (Condition(topic="onvif:Nothing//."), "conditions[1].topic"),
        (Condition(topic="onvif:Device//.|"), "conditions[1].topic"),
        (Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": "1"}, content=PORT_1), "conditions[1].source"),
        (Condition(topic="onvif:AccessControl//."), "conditions[1].topic"),
    ],
)
def test_a_further_filter_is_about_one_property(bench: Bench, condition: Condition, field: str) -> None:
    spec = RuleSpec(name="r", conditions=(GRANTED, condition), action=DOOR)
    with pytest.raises(InputError) as caught:
        bench.ledger.do(lambda tx: bench.events.add_rule(tx, spec))
    assert caught.value.field == field
    assert bench.events.rules() == ()


def test_topics_in_another_spelling_are_kept_as_declared(bench: Bench) -> None:
    rule = bench.add(Condition(topic="onvif:Device/axis:IO/VirtualInput", source={"port": "1"}))
    assert rule.conditions[0].topic == events.IO_VIRTUAL_INPUT


def test_virtual_inputs_can_be_set_by_rules(bench: Bench) -> None:
    once = VirtualInputOnce(input=5, duration=2.0)
    bench.add(GRANTED, once)
    bench.add(Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": "5"}), VirtualInputWhileActive(input=6))
    bench.grant()
    assert [number for number, on in enumerate(bench.ports.virtual_inputs(), 1) if on] == [5, 6]
    bench.ledger.clock.advance(2.0)
    bench.ledger.turn()
    assert not any(bench.ports.virtual_inputs())


@pytest.mark.parametrize(
    ("action", "field"),
    [
        (VirtualInputOnce(input=0), "action.input"),
        (VirtualInputOnce(input=65), "action.input"),
        (VirtualInputOnce(input=1, duration=-1.0), "action.duration"),
        (VirtualInputOnce(input=1, state=False, duration=1.0), "action.duration"),
        (StopClip(), "action.type"),
    ],
)
def test_actions_that_cannot_be_are_refused(bench: Bench, action: Any, field: str) -> None:
    with pytest.raises(InputError) as caught:
        bench.add(GRANTED, action)
    assert caught.value.field == field
