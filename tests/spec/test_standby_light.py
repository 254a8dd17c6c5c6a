"""Seed 001, Calls > Call button > Standby light: the built-in light around the call button, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from axcore.app.device import Device
from axcore.errors import InputError
from axcore.model import events
from axcore.model.intercom import CallButton
from axcore.services.indicators import Shown
from axcore.services.indicators.standby import LED

ON, OFF = Shown("white"), Shown("off")
DARK, BRIGHT = 5, 1000


class Front:
    """A door station, seen from outside."""

    def __init__(self, folder: Path) -> None:
        self.device = Device("a8207-ve", folder)
        assert self.device.intercom is not None
        self.intercom = self.device.intercom.service
        self.device.start()

    def do(self, job: Any) -> Any:
        return self.device.ledger.submit(job).result(10)

    def set(self, mode: str) -> None:
        self.do(lambda tx: self.intercom.contacts.set_button(tx, {"standby_light": mode}))

    def around(self, lux: float, correlation: str | None = None) -> None:
        """It is this light around the device."""
        self.do(lambda tx: self.device.sensors.tell(tx, "light", lux, correlation))

    def call(self) -> str:
        return str(self.do(lambda tx: self.intercom.call(tx, "VMS_CALL")).id)

    def hang_up(self, call: str) -> None:
        self.do(lambda tx: self.intercom.hang_up(tx, call))

    @property
    def light(self) -> Shown:
        return self.device.indicators.shown()[LED]


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    made = Front(tmp_path)
    yield made
    made.device.stop()


class TestAuto:
    """ "The device turns the built-in light on and off based on the surrounding light."."""

    def test_it_is_on_in_the_dark(self, front: Front) -> None:
        front.set("auto")
        for lux, shown in ((BRIGHT, OFF), (DARK, ON), (BRIGHT, OFF), (0, ON)):
            front.around(lux)
            assert front.light == shown

    def test_it_is_how_a_device_is_delivered(self, front: Front) -> None:
        assert front.intercom.contacts.button.standby_light == CallButton().standby_light == "auto"

    def test_dusk_does_not_make_it_flicker(self, front: Front) -> None:
        front.around(DARK)
        for lux in (11, 9, 29, 11):
            front.around(lux)
            assert front.light == ON
        front.around(31)
        for lux in (11, 29, 11):
            front.around(lux)
            assert front.light == OFF

    def test_it_is_on_while_no_sensor_has_told(self, front: Front) -> None:
        assert front.light == ON

    def test_who_changes_the_light_is_told_what_came_of_it(self, front: Front) -> None:
        front.around(BRIGHT, "dawn")
        states = front.do(lambda tx: front.device.bus.properties())
        (told,) = [event for event in states if event.topic == events.LED_STATE and event.source["led"] == LED]
        assert (told.data["color"], told.correlation) == ("off", "dawn")


def test_on_the_light_is_always_on_in_standby(front: Front) -> None:
    """ "On: The built-in light is always turned on when the device is in standby mode."."""
    front.set("on")
    for lux in (BRIGHT, DARK):
        front.around(lux)
        assert front.light == ON


def test_off_the_light_is_always_off_in_standby(front: Front) -> None:
    """ "Off: The built-in light is always turned off when the device is in standby mode."."""
    front.set("off")
    for lux in (BRIGHT, DARK):
        front.around(lux)
        assert front.light == OFF


@pytest.mark.parametrize("mode", ["auto", "on"])
def test_a_call_is_no_standby(front: Front, mode: str) -> None:
    front.set(mode)
    front.around(DARK)
    call = front.call()
    assert front.light == OFF
    front.around(0)
    front.set(mode)
    assert front.light == OFF
    front.hang_up(call)
    assert front.light == ON


def test_what_is_set_during_a_call_shows_after_it(front: Front) -> None:
    call = front.call()
    front.set("off")
    front.hang_up(call)
    assert front.light == OFF


@pytest.mark.parametrize("color", ["white", "off"])
def test_who_else_lights_the_button_covers_it(front: Front, color: str) -> None:
    lights = front.device.indicators
    front.do(lambda tx: lights.light(tx, LED, color, 500, owner="rule 1"))
    front.set("on")  # newer, but below
    front.around(DARK)
    assert front.light == Shown(color, 500)
    front.do(lambda tx: lights.release(tx, LED, "rule 1"))
    assert front.light == ON


def test_what_is_set_outlives_a_restart(tmp_path: Path) -> None:
    for was, becomes in (("auto", "off"), ("off", "on"), ("on", "auto")):
        front = Front(tmp_path)
        try:
            assert front.intercom.contacts.button.standby_light == was
            assert front.light == (OFF if was == "off" else ON)
            front.set(becomes)
        finally:
            front.device.stop()


def test_what_is_no_mode_is_refused_by_name_and_changes_nothing(front: Front) -> None:
    before = front.intercom.contacts.button
    for wrong in ("dim", "", 1, None, ["on"]):
        with pytest.raises(InputError) as caught:
            front.set(wrong)  # type: ignore[arg-type]
        assert caught.value.field == "standby_light"
    assert front.intercom.contacts.button == before
    assert front.light == ON
