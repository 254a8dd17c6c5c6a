"""IndicatorService and its actions: the newest claim shows, and what was before comes back."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.devices import MODELS
from axcore.errors import InputError
from axcore.model import events
from axcore.model.actions import Action, LedOnce, LedWhileActive, MakeCall, PlayClip
from axcore.model.events import NewEvent
from axcore.model.rules import Condition, RuleSpec
from axcore.services.events import AbsentPerformer, EventService
from axcore.services.indicators import IndicatorPerformer, IndicatorService, Shown
from axcore.testing import MemoryLedger

MODEL = MODELS["a8207-ve"]
CHANGE = Condition(topic=events.CALL_STATE_CHANGE)
HOT = Condition(topic=events.TEMPERATURE_ABOVE)


class Bench:
    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        self.leds = IndicatorService(MODEL)
        performers = (IndicatorPerformer(MODEL, self.leds), AbsentPerformer())
        self.events = EventService(MODEL, performers, self.ledger.bus, self.ledger.post)
        self.ledger.add_timer(self.leds)
        self.ledger.load(self.events.load)
        self.ledger.load(self.leds.announce, self.events.start)

    def add(self, condition: Condition, action: Action) -> None:
        self.ledger.do(lambda tx: self.events.add_rule(tx, RuleSpec(name="r", conditions=(condition,), action=action)))

    def happen(self, topic: str, **data: str) -> None:
        event = NewEvent(topic=topic, data=data, is_property=bool(data), correlation="c")
        self.ledger.do(lambda tx: tx.publish(event))

    def told(self) -> list[tuple[str, str, str]]:
        found = [e for e in self.ledger.events if e.topic == events.LED_STATE]
        return [(e.source["led"], e.data["color"], e.data["interval"]) for e in found]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_led_is_lit_for_a_time(bench: Bench) -> None:
    bench.add(CHANGE, LedOnce(led="stripe", color="green", duration=3.0, interval=0.5))
    bench.happen(events.CALL_STATE_CHANGE)
    assert bench.leds.shown()["stripe"] == Shown("green", 500)
    bench.ledger.advance(2.9)
    assert bench.leds.shown()["stripe"] == Shown("green", 500)
    bench.ledger.advance(0.2)
    assert bench.leds.shown()["stripe"] == Shown("off")
    assert bench.told()[-2:] == [("stripe", "green", "500"), ("stripe", "off", "0")]


def test_the_newest_claim_shows_and_the_one_before_comes_back(bench: Bench) -> None:
    bench.add(HOT, LedWhileActive(led="stripe", color="red"))
    bench.add(CHANGE, LedOnce(led="stripe", color="blue", duration=1.0))
    bench.happen(events.TEMPERATURE_ABOVE, sensor_level="1")
    bench.happen(events.CALL_STATE_CHANGE)
    assert bench.leds.shown()["stripe"] == Shown("blue")
    bench.ledger.advance(1.0)
    assert bench.leds.shown()["stripe"] == Shown("red")
    bench.happen(events.TEMPERATURE_ABOVE, sensor_level="0")
    assert bench.leds.shown()["stripe"] == Shown("off")


def test_a_failed_job_leaves_the_leds_as_they_were(bench: Bench) -> None:
    def job(tx: Any) -> None:
        bench.leds.light(tx, "stripe", "red", owner="x")
        raise InputError("x", "fails")

    with pytest.raises(InputError):
        bench.ledger.do(job)
    assert bench.leds.shown()["stripe"] == Shown("off")
    assert bench.leds.next_deadline() is None


@pytest.mark.parametrize(
    ("action", "field"),
    [
        (LedOnce(led="nose", color="red", duration=1.0), "action.led"),
        (LedOnce(led="statusDoor", color="red", duration=1.0), "action.color"),
        (LedOnce(led="stripe", color="red", duration=0.0), "action.duration"),
        (LedOnce(led="stripe", color="red", duration=1.0, interval=0.01), "action.interval"),
        (LedOnce(led="stripe", color="red", duration=1.0, interval=float("inf")), "action.interval"),
        (PlayClip(clip=" "), "action.clip"),
        (PlayClip(clip="a", volume=1001), "action.volume"),
        (PlayClip(clip="a", repeat=-2), "action.repeat"),
        (MakeCall(to=""), "action.to"),
    ],
)
def test_actions_that_cannot_be_are_refused(bench: Bench, action: Action, field: str) -> None:
    with pytest.raises(InputError) as caught:
        bench.add(CHANGE, action)
    assert caught.value.field == field


def test_what_the_device_cannot_perform_can_be_stored_and_fails(bench: Bench) -> None:
    bench.add(CHANGE, PlayClip(clip="doorbell"))
    bench.add(CHANGE, MakeCall(to="sip:guard@example.com"))
    bench.happen(events.CALL_STATE_CHANGE)
    failed = [e.data["reason"] for e in bench.ledger.events if e.topic == events.ACTION_FAILED]
    assert failed == ["this device has no sound output", "this device cannot make calls"]
    unavailable = {kind.type: kind.unavailable for kind in bench.events.actions()}
    assert unavailable["play_clip"]
    assert not unavailable["led_once"]
