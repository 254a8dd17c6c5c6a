"""The beeper: tones in turn with silence, steady ones, and an end."""

from __future__ import annotations

import array
import threading
from typing import Any

import pytest

from axcore.drivers.beeper import Beeper, tone

RATE = 48_000


class Speaker:
    """Remembers what it is told, by whom, and may take its time."""

    def __init__(self) -> None:
        self.played: list[Any] = []
        self.threads: set[str] = set()
        self.free = threading.Event()
        self.free.set()

    def play(self, generator: Any, intensity: int = 5) -> None:
        self.free.wait(20)
        self.threads.add(threading.current_thread().name)
        self.played.append(generator)


def loud(on_ms: int, off_ms: int, at_ms: int) -> bool:
    samples = array.array("h", bytes(2 * RATE // 100))
    tone(on_ms, off_ms).render(at_ms * RATE // 1000, samples)
    return max(samples) > 1000


@pytest.mark.parametrize(
    ("on_ms", "off_ms", "at_ms", "sounds"),
    [(100, 200, 40, True), (100, 200, 150, False), (100, 200, 340, True), (1000, 0, 0, True), (1000, 0, 2995, True)],
)
def test_when_it_sounds(on_ms: int, off_ms: int, at_ms: int, sounds: bool) -> None:
    assert loud(on_ms, off_ms, at_ms) is sounds


def test_a_sound_card_that_takes_its_time_holds_nobody_up() -> None:
    speaker = Speaker()
    speaker.free.clear()
    beeper = Beeper(speaker)  # type: ignore[arg-type]
    beeper.silence()  # nothing sounds: nothing starts
    beeper.sound(100, 100)
    beeper.silence()
    assert speaker.played == []
    speaker.free.set()
    beeper.stop()
    assert speaker.played == [tone(100, 100), None]
    assert speaker.threads == {"beeper"}
    beeper.stop()
