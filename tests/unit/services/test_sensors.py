"""SensorService: limits, changes only, settings; and what the computer tells of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from axcore.devices import MODELS
from axcore.errors import InputError
from axcore.model import events
from axcore.services.sensors import SensorService, health
from axcore.testing import MemoryLedger

MODEL = MODELS["a8207-ve"]


class Bench:
    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        self.sensors = SensorService(MODEL)
        self.ledger.do(self.sensors.announce)
        self.seen = len(self.ledger.events)

    def tell(self, name: str, value: float | str) -> list[tuple[str, dict[str, str], dict[str, str]]]:
        """What is published for a value."""
        self.ledger.do(lambda tx: self.sensors.tell(tx, name, value, "why"))
        new = self.ledger.events[self.seen :]
        self.seen += len(new)
        assert all(event.correlation == "why" for event in new)
        return [(event.topic, event.source, event.data) for event in new]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_healthy_device_is_announced(bench: Bench) -> None:
    told = {(e.topic, *e.source.values()): [*e.data.values()] for e in bench.ledger.events}
    assert told[events.TEMPERATURE_INSIDE, "temperature"] == ["1"]
    assert told[events.TEMPERATURE_ABOVE, "temperature"] == ["0"]
    assert told[events.STORAGE_DISRUPTION, "storage"] == ["0"]
    assert told[events.SUPERVISED_PORT, "3"] == ["open"]
    assert told[events.AUDIO_LEVEL, "1"] == ["0"]
    assert bench.sensors.values == {}


def test_temperature_has_limits_with_hysteresis(bench: Bench) -> None:
    source = {"sensor": "temperature"}
    on, off = {"sensor_level": "1"}, {"sensor_level": "0"}
    assert bench.tell("temperature", 75.0) == []
    above, inside = events.TEMPERATURE_ABOVE, events.TEMPERATURE_INSIDE
    assert bench.tell("temperature", 75.5) == [(above, source, on), (inside, source, off)]
    assert bench.tell("temperature", 73.5) == []
    assert bench.tell("temperature", 72.9) == [(above, source, off), (inside, source, on)]
    assert bench.tell("temperature", -41.0) == [(events.TEMPERATURE_BELOW, source, on), (inside, source, off)]
    assert bench.sensors.values == {"temperature": -41.0}


def test_storage(bench: Bench) -> None:
    source = {"disk_id": "storage"}
    alert = (events.STORAGE_ALERT, source, {"alert": "1"})
    assert bench.tell("storage", "low") == [alert]
    assert bench.tell("storage", "disrupted") == [(events.STORAGE_DISRUPTION, source, {"disruption": "1"})]
    assert bench.tell("storage", "ok")[0] == (events.STORAGE_DISRUPTION, source, {"disruption": "0"})


def test_sound_is_compared_with_the_level_that_was_set(bench: Bench) -> None:
    assert bench.tell("microphone", 50.0) == []
    loud = (events.AUDIO_LEVEL, {"channel": "1"}, {"triggered": "1"})
    assert bench.tell("microphone", 51.0) == [loud]
    bench.ledger.do(lambda tx: tx.put("param", "AudioSource.A0.TriggerLevel", b"90"))
    assert bench.tell("microphone", 89.0) == [(events.AUDIO_LEVEL, {"channel": "1"}, {"triggered": "0"})]


def test_shocks_are_told_each_time_and_can_be_turned_off(bench: Bench) -> None:
    assert bench.tell("shock", "hit") == bench.tell("shock", "hit") == [(events.SHOCK, {}, {})]
    bench.ledger.do(lambda tx: tx.put("param", "ShockDetection.Enabled", b"no"))
    assert bench.tell("shock", "hit") == []


def test_supervised_connections(bench: Bench) -> None:
    assert bench.tell("port2", "cut") == [(events.SUPERVISED_PORT, {"port": "1"}, {"state": "cut"})]


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("nose", 1.0, "name"),
        ("temperature", float("nan"), "value"),
        ("temperature", "hot", "value"),
        ("temperature", 5000.0, "value"),
        ("microphone", 101.0, "value"),
        ("microphone", True, "value"),
        ("storage", "gone", "value"),
        ("shock", 1.0, "value"),
        ("port1", "ajar", "value"),
        ("light", -1.0, "value"),
        ("light", 200_001.0, "value"),
        ("light", "dim", "value"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(bench: Bench, name: str, value: float | str, field: str) -> None:
    with pytest.raises(InputError) as caught:
        bench.tell(name, value)
    assert caught.value.field == field
    assert bench.sensors.values == {}


def test_the_computer_is_read(tmp_path: Path) -> None:
    chip = tmp_path / "hwmon0"
    chip.mkdir()
    (chip / "temp1_input").write_text("41500\n")
    (chip / "temp2_input").write_text("rubbish\n")
    assert health.temperature(tmp_path) == 41.5
    assert health.temperature(tmp_path / "none") is None
    assert health.storage(tmp_path) in ("ok", "low")
    assert health.storage(tmp_path / "gone") == "disrupted"
    sensors = SensorService(MODEL)
    assert dict(health.reading(sensors, tmp_path, tmp_path))["temperature"] == 41.5


def test_the_light_sensor_of_the_system_is_read(tmp_path: Path) -> None:
    sensors, iio = SensorService(MODEL), tmp_path / "iio"

    def read() -> object:
        return dict(health.reading(sensors, tmp_path, tmp_path / "none", iio)).get("light")

    assert read() is None
    first, second = iio / "iio:device0", iio / "iio:device1"
    for device in (first, second):
        device.mkdir(parents=True)
    (first / "in_illuminance_raw").write_text("300\n")
    assert read() is None  # of an unknown unit
    (first / "in_illuminance_scale").write_text("0.25\n")
    assert read() == 75.0
    (second / "in_illuminance0_input").write_text("12.5\n")
    assert read() == 12.5
    for nonsense in ("nan\n", "-1\n", "1e9\n"):
        (second / "in_illuminance0_input").write_text(nonsense)
        assert read() is None
    (second / "in_illuminance0_input").write_text("rubbish\n")
    assert read() == 75.0


def test_a_siren_feels_its_power_supply() -> None:
    ledger, sensors = MemoryLedger(), SensorService(MODELS["d4100-ve-mk2"])
    felt: list[float | str] = []
    sensors.subscribe("power", lambda tx, value, correlation: felt.append(value))
    sensors.subscribe("temperature", lambda tx, value, correlation: felt.append(value))
    ledger.do(lambda tx: sensors.tell(tx, "poe", 3))
    ledger.do(lambda tx: sensors.tell(tx, "temperature", 61.5))
    assert felt == [3.0, 61.5]
    assert sensors.values == {"poe": 3.0, "temperature": 61.5}
    for wrong in (2, 3.5, "3", True):
        with pytest.raises(InputError, match="3 or 4"):
            ledger.do(lambda tx, wrong=wrong: sensors.tell(tx, "poe", wrong))
    assert felt == [3.0, 61.5]
