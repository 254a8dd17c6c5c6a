"""A device with a siren, and one without: who loads what, and what is wired to what."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from axcore.app import Device
from axcore.interfaces.cli.instance import wait_for
from axcore.model import events
from axcore.model.profiles import Light

LOADED = """
import sys
from pathlib import Path
from axcore.app import Device
Device(sys.argv[1], Path(sys.argv[2]))
parts = ("axcore.led", "axcore.siren", "axcore.services.siren", "axcore._native.led", "axcore.drivers.signal")
print(*(part for part in parts if part in sys.modules), "numpy" in sys.modules)
"""


@pytest.mark.parametrize(("model", "count"), [("a8207-ve-mk2", 0), ("d4100-ve-mk2", 5)])
def test_light_and_sound_are_loaded_for_sirens_only(tmp_path: Path, model: str, count: int) -> None:
    command = [sys.executable, "-c", LOADED, model, str(tmp_path)]
    words = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert (len(words) - 1, words[-1]) == (count, "False")


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    made = Device("d4100-ve-mk2", tmp_path)
    made.start()
    yield made
    made.stop()


def level(device: Device) -> int:
    """The brightest section."""
    assert device.strobe is not None
    assert device.strobe.outputs is not None
    return max(max(color) for color in device.strobe.outputs.state()["light"]["sections"])


def test_heat_dims_the_light_and_less_power_too(device: Device) -> None:
    assert device.strobe is not None
    service = device.strobe.service
    device.ledger.post(lambda tx: service.set_maintenance(tx, False))
    device.ledger.post(lambda tx: service.start(tx, light=Light(pattern="Steady", intensity=5)))
    wait_for("full light", lambda: level(device) == 65535, 30)
    device.ledger.post(lambda tx: device.sensors.tell(tx, "temperature", 75.0))
    wait_for("dimmed light", lambda: 0.3 < level(device) / 65535 < 0.5, 30)
    device.ledger.post(lambda tx: device.sensors.tell(tx, "temperature", 20.0))
    wait_for("full light again", lambda: level(device) == 65535, 30)
    device.ledger.post(lambda tx: device.sensors.tell(tx, "poe", 3))
    wait_for("intensity 2", lambda: 0.1 < level(device) / 65535 < 0.3, 30)
    assert service.poe_class == 3


def test_the_control_button_asks_for_a_reset(device: Device) -> None:
    asked: list[int] = []
    device.on_reset = lambda: asked.append(1)
    assert device.strobe is not None
    button = device.strobe.button
    device.ledger.post(lambda tx: button.on_input(tx, True, 1))
    device.ledger.post(lambda tx: button.on_input(tx, False, 20_000_000_001))
    wait_for("the reset", lambda: asked, 30)
    assert device.indicators.shown()["status"].color == "amber"


def test_the_control_button_is_no_call_button(device: Device) -> None:
    told: list[str] = []
    device.bus.in_transaction(events.CALL_BUTTON, lambda tx, event: told.append(event.topic))
    pressed: list[str] = []
    device.bus.in_transaction(events.CONTROL_BUTTON, lambda tx, event: pressed.append(event.topic))
    device.board.feed_input("control", True)
    wait_for("the press", lambda: device.board.input_active("control"), 30)
    device.board.feed_input("control", False)
    wait_for("the event", lambda: pressed, 30)
    assert told == []


def test_startup_ends_in_green(device: Device) -> None:
    assert device.indicators.shown()["status"].color == "amber"
    device.ledger.post(device.completed)
    wait_for("green", lambda: device.indicators.shown()["status"].color == "green", 30)
