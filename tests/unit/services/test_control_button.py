"""ControlButton and StatusLed (manual: LED indicators; Control button; Reset to factory default settings)."""

from __future__ import annotations

import pytest

from axcore.devices import MODELS
from axcore.model import events
from axcore.services.indicators import IndicatorService, Shown, StatusLed
from axcore.services.system import ControlButton
from axcore.testing import MemoryLedger

MODEL = MODELS["d4100-ve-mk2"]
OFF, GREEN, AMBER = Shown("off"), Shown("green"), Shown("amber")


class Bench:
    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        self.leds = IndicatorService(MODEL)
        self.status = StatusLed(self.leds)
        self.resets = 0
        self.button = ControlButton(self.status, self._reset)
        self.ledger.add_timer(self.leds)
        self.ledger.add_timer(self.button)

    def _reset(self) -> None:
        self.resets += 1

    def press(self, seconds: float) -> None:
        self.ledger.do(lambda tx: self.button.on_input(tx, True, tx.now.mono_ns))
        self.ledger.advance(seconds)
        self.ledger.do(lambda tx: self.button.on_input(tx, False, tx.now.mono_ns, "why"))

    @property
    def shown(self) -> Shown:
        return self.leds.shown()["status"]

    @property
    def presses(self) -> list[dict[str, str]]:
        return [e.data for e in self.ledger.events if e.topic == events.CONTROL_BUTTON and e.correlation == "why"]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_amber_during_startup_then_green_for_ten_seconds(bench: Bench) -> None:
    bench.ledger.do(bench.status.starting)
    assert bench.shown == AMBER
    bench.ledger.advance(100)
    assert bench.shown == AMBER
    bench.ledger.do(bench.status.completed)
    bench.ledger.advance(9.9)
    assert bench.shown == GREEN
    bench.ledger.advance(0.2)
    assert bench.shown == OFF


def test_a_short_press_connects_to_o3c_and_flashes_green_three_times(bench: Bench) -> None:
    bench.press(0.5)
    assert bench.presses == [{"function": "O3C"}]
    assert bench.shown == Shown("green", 500)
    bench.ledger.advance(1.4)
    assert bench.shown == Shown("green", 500)
    bench.ledger.advance(0.2)  # 3 x 0.5 s
    assert bench.shown == OFF
    assert bench.resets == 0


@pytest.mark.parametrize("seconds", [15.0, 20.0, 30.0])
def test_let_go_between_15_and_30_s_it_resets(bench: Bench, seconds: float) -> None:
    bench.press(seconds)
    assert bench.resets == 1
    assert bench.presses == []
    assert bench.shown == AMBER


@pytest.mark.parametrize("seconds", [3.0, 14.9, 30.1, 100.0])
def test_any_other_time_does_nothing(bench: Bench, seconds: float) -> None:
    bench.press(seconds)
    assert (bench.resets, bench.presses, bench.shown) == (0, [], OFF)


def test_it_flashes_amber_while_letting_go_would_reset(bench: Bench) -> None:
    bench.ledger.do(lambda tx: bench.button.on_input(tx, True, tx.now.mono_ns))
    bench.ledger.advance(14.9)
    assert bench.shown == OFF
    bench.ledger.advance(0.2)
    assert bench.shown == Shown("amber", 500)
    bench.ledger.advance(14.8)
    assert bench.shown == Shown("amber", 500)
    bench.ledger.advance(0.2)
    assert bench.shown == OFF
    assert bench.button.next_deadline() is None


def test_a_release_without_a_press_and_a_second_press_change_nothing(bench: Bench) -> None:
    bench.ledger.do(lambda tx: bench.button.on_input(tx, False, tx.now.mono_ns))
    assert bench.presses == []
    bench.ledger.do(lambda tx: bench.button.on_input(tx, True, tx.now.mono_ns))
    bench.ledger.advance(16)
    bench.ledger.do(lambda tx: bench.button.on_input(tx, True, tx.now.mono_ns))  # seen again after a loss
    bench.ledger.do(lambda tx: bench.button.on_input(tx, False, tx.now.mono_ns))
    assert bench.resets == 1


def test_a_commit_that_fails_resets_nothing(bench: Bench) -> None:
    bench.ledger.do(lambda tx: bench.button.on_input(tx, True, tx.now.mono_ns))
    bench.ledger.advance(20)
    bench.ledger.store.broken = "disk full"
    with pytest.raises(Exception, match="disk full"):
        bench.ledger.do(lambda tx: bench.button.on_input(tx, False, tx.now.mono_ns))
    assert bench.resets == 0
