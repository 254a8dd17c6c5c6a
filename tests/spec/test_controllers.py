"""What the manuals of the door controllers (002: A1710-B, 003: A1610) say of their connectors, alarms and power,
sentence by sentence. Sections are named in each test."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.devices import MODELS, DeviceModel
from axcore.devices.supervised import CONNECTIONS
from axcore.errors import ConflictError, NotFoundError
from axcore.model import events as topics
from axcore.testing.controller import CARD, ControllerBench

ONE, FOUR = MODELS["a1610"], MODELS["a1710-b"]


def roles(model: DeviceModel, role: str) -> list[str]:
    return [line.name for line in model.inputs if line.role == role]


# --- connectors -------------------------------------------------------------------------------------------------------


def test_a1610_takes_two_osdp_readers_or_one_wiegand_reader() -> None:
    """003 Reader connector: up to two OSDP readers (multi-drop) or one Wiegand reader."""
    assert [place.port for place in ONE.reader_places] == [1, 1]
    assert len({place.address for place in ONE.reader_places}) == 2
    assert [place.wiegand for place in ONE.reader_places] == [0, None]
    assert ONE.readers == 1


def test_the_wiegand_reader_has_two_leds_a_buzzer_and_a_tamper_input() -> None:
    """003 Reader connector, one Wiegand reader: LED 1 red, LED 2 green, TAMPER digital input, BUZZER open drain."""
    lines = ONE.reader_places[0].lines
    assert lines is not None
    kinds = {line.name: line.kind for line in ONE.outputs}
    assert [kinds[name] for name in lines[:3]] == ["open_drain"] * 3
    assert lines[3] in roles(ONE, "reader_tamper")


def test_a1710_takes_eight_readers_at_four_connectors() -> None:
    """002 Reader connector: four 4-pin terminal blocks, up to eight OSDP readers; Wiegand readers need a converter."""
    assert len(FOUR.reader_places) == 8
    assert {place.port for place in FOUR.reader_places} == {1, 2, 3, 4}
    for port in range(1, 5):
        assert len({place.address for place in FOUR.reader_places if place.port == port}) == 2
    assert FOUR.readers == 0


def test_doors_relays_and_inputs() -> None:
    """002/003 Product overview; Door, Door relay, AUX relay, Relay, Input, Output, Auxiliary, Tamper/Alarm."""
    assert (len(ONE.doors), len(FOUR.doors)) == (1, 4)
    relays = [line.name for line in FOUR.outputs if line.kind == "relay"]
    assert len([name for name in relays if name.startswith("relay")]) == 5  # four of doors, one of the main unit
    assert len([name for name in relays if name.startswith("auxrelay")]) == 4
    assert [line.name for line in ONE.outputs if line.kind == "relay"] == ["relay1"]
    assert len([p for p in FOUR.ports if p.name.startswith("Input")]) == 3
    assert len([p for p in FOUR.ports if p.name.startswith("Output")]) == 3
    for model in (ONE, FOUR):
        assert len([port for port in model.ports if port.configurable]) == 2
        assert (roles(model, "tamper"), roles(model, "alarm"), roles(model, "casing")) == (
            ["tamper"], ["alarm"], ["casing"],
        )  # fmt: skip


def test_expansion_elevator_readers_and_wireless_locks_of_the_a1710() -> None:
    """002 Elevator control, Readers, Wireless locks: up to 16 floors, 16 network readers, 16 wireless locks."""
    assert (FOUR.floors, FOUR.expansions, FOUR.network_readers, FOUR.wireless_locks) == (16, 16, 16, 16)


# --- supervised inputs ------------------------------------------------------------------------------------------------


SUPERVISED = {"value_when_open": "Supervised Open", "value_when_closed": "Supervised Ground"}


def circuit(bench: ControllerBench, line: str, state: Any) -> None:
    """What the board measures when the circuit is in a state."""
    volt = bench.supervision.millivolt(line, state)
    bench.do(lambda tx: bench.supervision.measured(tx, line, volt))


def test_an_interrupted_door_monitor_triggers_an_alarm() -> None:
    """002/003 Door connector: "If the connection is interrupted, an alarm is triggered"."""
    bench = ControllerBench()
    bench.configure(monitor=SUPERVISED)
    for state, told in (("open", "Open"), ("closed", "Closed")):
        circuit(bench, "door1", state)
        assert bench.doors.state("door1").door == told
    bench.events()
    circuit(bench, "door1", "cut")
    events = bench.told(topics.DOOR_TAMPER)
    assert [event.data for event in events] == [{"State": "TamperDetected", "Reason": "Cut"}]
    assert not bench.open


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_every_connection_of_a_supervised_port(connection: str) -> None:
    """002 I/Os and relays > Supervised: parallel first with 22 kOhm and 4.7 kOhm; serial first."""
    bench = ControllerBench()
    setting = {"enabled": True, "connection": connection}
    bench.do(lambda tx: bench.supervision.configure(tx, "port1", setting))
    for state in ("open", "closed", "short", "cut"):
        bench.events()
        circuit(bench, "port1", state)
        told = bench.told(topics.SUPERVISED_PORT)
        assert [(event.source, event.data["state"]) for event in told] == [
            ({"port": "0"}, "close" if state == "closed" else state)
        ]


def test_supervision_is_set_where_it_belongs() -> None:
    """A door monitor is supervised by its door; outputs are not supervised."""
    bench = ControllerBench()
    with pytest.raises(ConflictError):
        bench.do(lambda tx: bench.supervision.configure(tx, "door1", {"enabled": True}))
    with pytest.raises(NotFoundError):
        bench.do(lambda tx: bench.supervision.configure(tx, "relay1", {"enabled": True}))
    assert bench.do(lambda tx: bench.supervision.measured(tx, "port1", 0)) is None  # not turned on
    bench.do(lambda tx: bench.supervision.configure(tx, "alarm", {"enabled": True}))
    assert bench.restart().supervision.settings["alarm"].enabled


# --- alarms -----------------------------------------------------------------------------------------------------------


def test_device_motion_is_an_alarm_when_it_is_turned_on() -> None:
    """002 Alarms: "Device motion: Turn on to trigger an alarm ... when it detects a movement of the device"."""
    bench = ControllerBench("a1710-b")
    bench.do(bench.alarms.on_motion)
    assert bench.told(topics.DEVICE_MOTION) == []
    bench.do(lambda tx: bench.alarms.configure(tx, {"device_motion": True}))
    bench.events()
    bench.do(bench.alarms.on_motion)
    assert len(bench.told(topics.DEVICE_MOTION)) == 1
    assert bench.restart().alarms.settings.device_motion


def test_casing_open_can_be_turned_off_for_barebone_controllers() -> None:
    """002/003 Alarms: "Turn off this setting for barebone door controllers"."""
    bench = ControllerBench()
    assert bench.alarms.settings.casing_open
    bench.do(lambda tx: bench.alarms.configure(tx, {"casing_open": False}))
    assert not bench.alarms.settings.casing_open


def test_external_tamper_is_an_alarm_when_it_is_turned_on() -> None:
    """002/003 Alarms: "External tamper: Turn on to trigger an alarm ... when it detects an external tamper"."""
    bench = ControllerBench()
    bench.do(lambda tx: bench.alarms.on_input(tx, "tamper", True))
    assert [event.data["Active"] for event in bench.told(topics.EXTERNAL_TAMPER)] == ["0"]
    bench.do(lambda tx: bench.alarms.configure(tx, {"external_tamper": True}))
    assert bench.told(topics.EXTERNAL_TAMPER)[-1].data["Active"] == "1"
    bench.do(lambda tx: bench.alarms.on_input(tx, "tamper", False))
    assert bench.told(topics.EXTERNAL_TAMPER)[-1].data["Active"] == "0"


def test_a_supervised_tamper_input_tells_a_cut() -> None:
    """002 Alarms > External tamper > Supervised input; Tamper/Alarm connector: "Possible to supervise"."""
    bench = ControllerBench("a1710-b")
    bench.do(lambda tx: bench.alarms.configure(tx, {"external_tamper": True}))
    bench.do(lambda tx: bench.supervision.configure(tx, "tamper", {"enabled": True, "connection": "serial_2k2"}))
    circuit(bench, "tamper", "open")
    bench.events()
    circuit(bench, "tamper", "cut")
    assert [event.data for event in bench.told(topics.EXTERNAL_TAMPER)] == [{"Active": "1", "Reason": "Cut"}]


# --- relays and locks -------------------------------------------------------------------------------------------------


def test_the_relay_is_active_when_com_is_connected_to_no() -> None:
    """002/003 LED indicators: "Relay is active when COM is connected to NO"; Relay connector: fail-secure at NO."""
    bench = ControllerBench()
    assert bench.doors.wires().outputs["relay1"] == "open"
    bench.let_in()
    bench.swipe()
    assert bench.open


def test_a_fail_safe_lock_at_nc_keeps_the_relay_at_rest_while_locked() -> None:
    """002/003 Relay connector: "Connect a fail-safe lock between NC and DC ground"."""
    bench = ControllerBench()
    bench.configure(lock={"contact": "NC", "relay_when_locked": "Open"})
    assert bench.doors.machine("door1").setup.hardware.lock.fail == "safe"
    assert bench.doors.wires().outputs["relay1"] == "open"


def test_every_door_of_the_a1710_has_its_own_lock_and_readers() -> None:
    """002 Door connector, Door relay connector, Reader connector: one of each for every door."""
    bench = ControllerBench("a1710-b")
    for reader, door in ((1, 1), (2, 1), (3, 2), (8, 4)):
        name = f"reader{reader}"
        bench.let_in(CARD, name)
        bench.swipe(CARD, name)
        assert bench.mode(f"door{door}") == "Accessed"
        assert bench.lines.active(f"relay{door}")
        bench.wait(11)


# --- power ------------------------------------------------------------------------------------------------------------


def test_the_power_page_shows_what_comes_in_and_goes_out() -> None:
    """002 Power monitoring: power in (PoE, DC, DC Door 1-4), power out of all RS485 and all relays, temperature."""
    bench = ControllerBench("a1710-b")
    page = bench.power.page(31.5)
    assert {reading.nice_name for reading in page.power_in} == {"PoE", "DC", "DC Door 1-4"}
    assert {"Readers of doors 1-4", "Relays of doors 1-4"} <= {reading.nice_name for reading in page.power_out}
    assert page.temperature == 31.5
    bench.do(lambda tx: bench.power.measured(tx, "relays", ampere=1.5))
    assert bench.power.page().watt_out == 18.0


@pytest.mark.parametrize(("name", "limit", "led"), [("readers", 2.0, "OC READER"), ("relays", 3.8, "OC RELAY")])
def test_over_current_lights_its_led(name: str, limit: float, led: str) -> None:
    """002 LED DOOR 1-4: OC READER, OC RELAY red on over current or under voltage; limits of the connectors."""
    bench = ControllerBench("a1710-b")
    bench.events()
    assert bench.do(lambda tx: bench.power.measured(tx, name, ampere=limit)).fault == "None"
    reading = bench.do(lambda tx: bench.power.measured(tx, name, ampere=limit + 0.01))
    assert (reading.fault, reading.led) == ("OverCurrent", led)
    assert bench.do(lambda tx: bench.power.measured(tx, name, ampere=limit)).fault == "OverCurrent"  # hysteresis
    assert bench.do(lambda tx: bench.power.measured(tx, name, ampere=limit * 0.9)).led == ""
    assert bench.do(lambda tx: bench.power.measured(tx, name, volt=9.0)).fault == "UnderVoltage"
    told = [event.data["Fault"] for event in bench.told(topics.POWER_FAULT)]
    assert told == ["OverCurrent", "None", "UnderVoltage"]


def test_limits_of_the_a1610() -> None:
    """003 Reader connector: max 500 mA; Auxiliary connector: max load 50 mA; Relay power jumper: 1600 mA (DC)."""
    limits = {spec.name: spec.max_ampere for spec in ONE.power}
    assert (limits["reader1"], limits["aux"], limits["relay1"]) == (0.5, 0.05, 1.6)


def test_when_poe_is_lost_the_device_is_fed_by_dc_and_stays_with_it() -> None:
    """002 Power priority: DC IN takes over when PoE is lost; PoE that comes later does not change what feeds."""
    bench = ControllerBench("a1710-b")
    assert bench.power.page().source == "poe"
    bench.do(lambda tx: bench.power.measured(tx, "dc", volt=12.0))
    assert bench.power.page().source == "poe"
    bench.do(lambda tx: bench.power.measured(tx, "poe", volt=0.0))
    assert bench.power.page().source == "dc"
    bench.do(lambda tx: bench.power.measured(tx, "poe", volt=48.0))
    assert bench.power.page().source == "dc"
    bench.do(lambda tx: bench.power.measured(tx, "dc", volt=0.0))
    assert bench.power.page().source == "poe"
