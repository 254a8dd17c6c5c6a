"""PortService: settings, names, commands as effects, holds of several owners, sequences, events."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.devices import MODELS
from axcore.errors import ConflictError, InputError, LimitError, NotFoundError, QueueFullError
from axcore.model import events
from axcore.services.ports import PortService
from axcore.testing import MemoryLedger
from tests.unit.services.fake_lines import FakeLines

MODEL = MODELS["a8207-ve-mk2"]


class Bench:
    def __init__(self, ledger: MemoryLedger | None = None) -> None:
        self.ledger = ledger or MemoryLedger()
        self.lines = FakeLines()
        self.ports = PortService(MODEL, self.ledger.post)
        self.ledger.do(self.ports.load)
        self.ports.attach(self.lines)
        self.ledger.add_timer(self.ports)

    def do(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self.ledger.do(lambda tx: getattr(self.ports, method)(tx, *args, **kwargs))


def topics(bench: Bench) -> list[tuple[str, dict[str, str], dict[str, str]]]:
    """What was published, without the changes of settings."""
    return [(e.topic, e.source, e.data) for e in bench.ledger.events if e.topic != events.CONFIGURATION_CHANGED]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_ports_as_delivered(bench: Bench) -> None:
    seen = [(p.id, p.config.name, p.config.direction, p.state, p.configurable) for p in bench.ports.ports()]
    assert seen == [
        (0, "Port 1", "input", "open", True),
        (1, "Port 2", "input", "open", True),
        (2, "Port 3", "input", "open", True),
        (3, "Port 4", "input", "open", True),
        (4, "Door", "output", "open", False),
        (5, "Relay 2", "output", "open", False),
    ]


@pytest.mark.parametrize(
    ("name", "port"), [("4", 4), ("Door", 4), ("door", 4), ("Relay 1", 4), ("relay2", 5), ("I/O 1", 0)]
)
def test_names(bench: Bench, name: str, port: int) -> None:
    assert bench.ports.resolve(name) == port


def test_unknown_and_ambiguous_names(bench: Bench) -> None:
    with pytest.raises(NotFoundError, match="Garage"):
        bench.ports.resolve("Garage")
    bench.do("configure", 0, {"name": "Door"})
    with pytest.raises(ConflictError):
        bench.ports.resolve("Door")
    with pytest.raises(InputError, match="is an input"):
        bench.ports.resolve_output("0")


def test_settings_are_kept_and_take_the_output_to_normal(bench: Bench) -> None:
    bench.do("set_active", 4, True, "c")
    assert bench.lines.take() == [("set", "relay1", True, "c")]
    assert bench.ports.port(4).state == "closed"
    port = bench.do("configure", 4, {"name": "Gate", "normal_state": "closed"})
    assert (port.config.name, port.config.normal_state) == ("Gate", "closed")
    assert bench.lines.take() == [("configure_output", "relay1", "closed")]
    assert bench.ports.port(4).state == "closed"
    assert not bench.ports.port(4).active
    again = Bench(MemoryLedger(store=bench.ledger.store))
    assert again.ports.port(4).config == port.config


def test_changing_nothing_does_nothing(bench: Bench) -> None:
    bench.do("configure", 4, {"name": "Door"})
    assert bench.lines.take() == []
    assert bench.ledger.events == []


def test_direction(bench: Bench) -> None:
    bench.do("configure", 1, {"direction": "output"})
    assert bench.lines.take() == [
        ("configure_output", "port2", "open"),
        ("configure_input", "port2", "open", None),
        ("set_direction", "port2", True),
    ]
    bench.do("set_state", 1, "closed")
    assert bench.lines.take() == [("set", "port2", True, None)]
    bench.do("on_input", "port2", True)
    assert not [event for event in bench.ledger.events if event.topic == events.IO_PORT]


@pytest.mark.parametrize(
    ("port", "patch", "field"),
    [
        (4, {"direction": "input"}, "direction"),
        (0, {"direction": "sideways"}, "direction"),
        (0, {"normal_state": 1}, "normal_state"),
        (0, {"colour": "red"}, "colour"),
        (0, {"name": "x" * 65}, "name"),
        (0, {"usage": "a\nb"}, "usage"),
        (9, {"name": "x"}, "port"),
    ],
)
def test_bad_settings_change_nothing(bench: Bench, port: int, patch: dict[str, Any], field: str) -> None:
    before = bench.ports.ports()
    with pytest.raises(InputError) as raised:
        bench.do("configure", port, patch)
    assert raised.value.field == field
    assert bench.ports.ports() == before
    assert bench.lines.take() == []
    assert not bench.ledger.store.records()


def test_nothing_reaches_the_board_when_the_job_fails(bench: Bench) -> None:
    def job(tx: Any) -> None:
        bench.ports.configure(tx, 0, {"name": "Left"})
        bench.ports.pulse(tx, 4, True, 1.0)
        bench.ports.hold(tx, 5, True, owner="1")
        bench.ports.set_virtual_input(tx, 1, True, 5)
        raise InputError("x", "y")

    with pytest.raises(InputError):
        bench.ledger.do(job)
    assert bench.lines.take() == []
    assert bench.ports.port(0).config.name == "Port 1"
    assert not any(bench.ports.virtual_inputs())
    assert bench.ports.next_deadline() is None
    bench.do("hold", 5, False, owner="1")
    assert bench.lines.take() == []


def test_pulse(bench: Bench) -> None:
    bench.do("pulse", 4, True, 7.0, "c")
    bench.do("pulse", 4, False, 0)
    assert bench.lines.take() == [("pulse", "relay1", True, 7.0, "c"), ("set", "relay1", False, None)]
    for seconds in (-1.0, float("nan"), float("inf"), 86_401.0):
        with pytest.raises(InputError) as raised:
            bench.do("pulse", 4, True, seconds)
        assert raised.value.field == "duration"
    with pytest.raises(InputError):
        bench.do("pulse", 0, True, 1.0)


def test_newest_hold_decides_and_the_older_comes_back(bench: Bench) -> None:
    bench.do("hold", 4, True, True, "c", owner="1")
    bench.do("hold", 4, True, False, owner="2")
    bench.do("hold", 4, False, owner="2")
    bench.do("hold", 4, False, owner="2")
    bench.do("hold", 4, False, owner="1")
    assert bench.lines.take() == [
        ("hold", "relay1", True, True, "c"),
        ("hold", "relay1", True, False, None),
        ("hold", "relay1", True, True, None),
        ("hold", "relay1", False, True, None),
    ]


def test_sequence(bench: Bench) -> None:
    bench.do("sequence", 4, [("closed", 300), ("open", 500)])
    assert bench.lines.take() == [("sequence", "relay1", [(True, 0.3), (False, 0.5)], None)]
    with pytest.raises(ConflictError):
        bench.do("sequence", 4, [("closed", 300)])
    bench.do("on_sequence_end", "reader1buzzer")  # that of a reader, which is no port
    with pytest.raises(ConflictError):
        bench.do("sequence", 4, [("closed", 300)])
    bench.do("on_sequence_end", "relay1")
    bench.do("sequence", 4, [("closed", 300)])
    with pytest.raises(LimitError):
        bench.do("sequence", 5, [("closed", 1)] * 65)
    with pytest.raises(InputError) as raised:
        bench.do("sequence", 5, [("closed", 1), ("open", -1)])
    assert raised.value.field == "sequence[1].time"
    with pytest.raises(InputError):
        bench.do("sequence", 5, [])


def test_a_full_queue_is_told(bench: Bench) -> None:
    bench.lines.error = QueueFullError("ring full")
    bench.do("sequence", 4, [("closed", 300)])
    bench.ledger.advance(0)
    assert topics(bench) == [(events.SYSTEM_FAULT, {}, {"component": "io", "reason": "ring full"})]
    bench.lines.error = None
    bench.do("sequence", 4, [("closed", 300)])
    told: list[str] = []
    bench.lines.error = QueueFullError("ring full")
    bench.do("pulse", 5, True, 1.0, failed=told.append)
    assert told == ["ring full"]


def test_rex(bench: Bench) -> None:
    assert bench.ports.rex_target() == ("relay1", 5.0)
    bench.do("set_rex", {"hold_time": 3, "port": 5})
    assert bench.lines.take() == [("configure_input", "rex", "open", ("relay2", 3.0))]
    bench.do("set_rex", {"port": None})
    assert bench.lines.take() == [("configure_input", "rex", "open", None)]
    for patch, field in (({"hold_time": 0}, "hold_time"), ({"port": 0}, "port"), ({"x": 1}, "x")):
        with pytest.raises(InputError) as raised:
            bench.do("set_rex", patch)
        assert raised.value.field == field
    again = Bench(MemoryLedger(store=bench.ledger.store))
    assert again.ports.rex.port is None
    assert again.ports.rex.hold_time == 3


def test_rex_follows_the_direction_of_its_port(bench: Bench) -> None:
    bench.do("configure", 1, {"direction": "output"})
    bench.do("set_rex", {"port": 1})
    bench.lines.take()
    bench.do("configure", 1, {"direction": "input"})
    assert ("configure_input", "rex", "open", None) in bench.lines.take()


def test_events_of_lines(bench: Bench) -> None:
    bench.do("on_input", "port1", True, 7, "c")
    bench.do("on_input", "rex", True)
    bench.do("on_input", "casing", True)
    bench.do("on_input", "callbutton", True)
    bench.do("on_output", "relay1", True)
    bench.do("on_output", "port1", True)
    assert topics(bench) == [
        (events.IO_PORT, {"port": "0"}, {"state": "1"}),
        (events.REX, {"port": "rex"}, {"active": "1"}),
        (events.CASING_OPEN, {"Name": "Casing"}, {"Open": "1"}),
        (events.CALL_BUTTON, {}, {"active": "1"}),
        (events.IO_OUTPUT_PORT, {"port": "4"}, {"state": "1"}),
        (events.RELAY, {"RelayToken": "4"}, {"LogicalState": "active"}),
    ]
    assert all(event.is_property for event in bench.ledger.events)
    assert (bench.ledger.events[0].t_ns, bench.ledger.events[0].correlation) == (7, "c")


def test_announce_tells_every_line(bench: Bench) -> None:
    bench.lines.inputs["casing"] = True
    bench.do("announce")
    seen = topics(bench)
    assert (events.CASING_OPEN, {"Name": "Casing"}, {"Open": "1"}) in seen
    assert len([topic for topic, _, _ in seen if topic == events.IO_PORT]) == 4
    assert len([topic for topic, _, _ in seen if topic == events.RELAY]) == 2


def test_virtual_inputs(bench: Bench) -> None:
    assert bench.do("set_virtual_input", 3, True) is True
    assert bench.do("set_virtual_input", 3, True) is False
    assert bench.ports.virtual_inputs()[2]
    assert bench.do("set_virtual_input", 3, False) is True
    assert topics(bench) == [
        (events.IO_VIRTUAL_INPUT, {"port": "3"}, {"active": "1"}),
        (events.IO_VIRTUAL_INPUT, {"port": "3"}, {"active": "0"}),
    ]
    for port in (0, 65, -1):
        with pytest.raises(NotFoundError):
            bench.do("set_virtual_input", port, True)
    for duration in (-1.0, float("nan"), 1e12):
        with pytest.raises(InputError) as raised:
            bench.do("set_virtual_input", 1, True, duration)
        assert raised.value.field == "duration"


def test_virtual_input_duration_is_replaced(bench: Bench) -> None:
    bench.do("set_virtual_input", 1, True, 10)
    bench.ledger.advance(6)
    assert bench.do("set_virtual_input", 1, True, 10) is False
    bench.ledger.advance(9.9)
    assert bench.ports.virtual_inputs()[0]
    bench.ledger.advance(0.1)
    assert not bench.ports.virtual_inputs()[0]
    bench.do("set_virtual_input", 1, True, 10)
    bench.do("set_virtual_input", 1, True)
    bench.ledger.advance(1000)
    assert bench.ports.virtual_inputs()[0]


def test_virtual_input_pulse(bench: Bench) -> None:
    assert bench.do("set_virtual_input", 1, True, 0) is True
    assert [event.data["active"] for event in bench.ledger.events] == ["1", "0"]
    assert not bench.ports.virtual_inputs()[0]


def test_after_a_failed_commit_the_board_holds_what_is_to_be_held_and_no_more(bench: Bench) -> None:
    bench.do("hold", 4, True, owner="rule 1")
    bench.lines.take()
    bench.lines.inputs["port1"] = True  # seen, and taken back with the commit
    bench.do("renew")
    assert bench.lines.take() == [("hold", "relay1", True, True, None), ("hold", "relay2", False, True, None)]
    assert (events.IO_PORT, {"port": "0"}, {"state": "1"}) in topics(bench)
