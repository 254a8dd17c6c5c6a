"""Who gives the loudspeaker to calls, clips and beeps: the test steps the pipeline, and is the thread of calls."""

from __future__ import annotations

import queue
import threading
from array import array
from collections.abc import Callable
from typing import Any

import pytest

from axcore.audio import Leg, Pipeline
from axcore.drivers.desk import CLIP_RATE, NS, Desk, at_rate, rest_of
from axcore.errors import QueueFullError
from axcore.interfaces.cli.instance import wait_for

RATE, FRAME = 16_000, 160


def loud(seconds: float, level: int = 8000) -> array[int]:
    """A square wave of 500 Hz at the rate of clips."""
    return array("h", [level if n // 48 % 2 else -level for n in range(round(seconds * CLIP_RATE))])


class FakeSpeaker:
    """The loudspeaker of the time without calls."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def play_clip(self, load: Any, gain: float, times: int, failed: Any) -> None:
        load()
        self.told.append("play")

    def stop_clip(self) -> None:
        self.told.append("stop")

    def release(self) -> None:
        self.told.append("release")


class FakeSound:
    """A pipeline that nobody steps but the test."""

    def __init__(self) -> None:
        self.pipeline = Pipeline(RATE, echo=0, max_attenuation_db=0, gain_control=False)


class Bench:
    """A desk, and who has the card."""

    def __init__(self) -> None:
        self.jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.sound: Any = None
        self.opened = 0
        self.speaker = FakeSpeaker()
        self.now = 0
        self.desk = Desk(self, lambda: self.now)
        self.desk.over(self.speaker)  # type: ignore[arg-type]

    def do(self, job: Callable[[], None]) -> None:
        self.jobs.put(job)

    def awake(self) -> Any:
        if self.sound is None:
            self.opened += 1
            self.desk.opening()
            self.sound = FakeSound()
            self.desk.opened()
        return self.sound

    def rest(self) -> None:
        if self.sound is not None and not self.desk.busy:
            self.sound = None
            self.desk.closed()

    def work(self, jobs: int = 1) -> None:
        """Do this many jobs, which may have to be waited for."""
        for _ in range(jobs):
            self.jobs.get(timeout=30)()

    def hear(self, frames: int) -> array[int]:
        """What the loudspeaker gets in so many frames of 10 ms, as long as the card is open."""
        heard = array("h")
        silence = array("h", bytes(2 * FRAME))
        for _ in range(frames):
            if self.sound is None:
                break
            self.now += 10_000_000
            heard += self.sound.pipeline.step(self.now, silence)
            for event in self.sound.pipeline.events():
                self.desk.on_event(event)
                if self.sound is None:
                    break
        return heard


@pytest.fixture
def bench() -> Bench:
    return Bench()


def unexpected(reason: str) -> None:
    raise AssertionError(reason)


def test_a_sound_of_a_call_opens_the_card_and_closes_it_when_it_is_over(bench: Bench) -> None:
    bench.desk.ring(lambda: loud(0.1), 1.0, 2)
    bench.work()
    assert bench.speaker.told == ["release"]
    heard = bench.hear(100)
    assert max(heard) > 6000
    assert 0.2 * RATE <= len(heard) < 0.3 * RATE  # and then it was closed
    assert bench.sound is None


def test_a_sound_without_end_ends_when_it_is_told_to(bench: Bench) -> None:
    bench.desk.ring(lambda: loud(0.05), 1.0, 0)
    bench.work()
    assert max(bench.hear(50)[-FRAME:]) > 6000
    bench.desk.hush()
    bench.work()
    assert bench.sound is None


def test_a_sound_that_was_taken_back_while_it_was_loaded_never_begins(bench: Bench) -> None:
    bench.desk.ring(lambda: loud(0.05), 1.0, 0)
    bench.desk.hush()
    bench.work(2)
    assert (bench.sound, bench.opened) == (None, 0)


def test_without_a_call_clips_play_on_the_loudspeaker(bench: Bench) -> None:
    bench.desk.play_clip(lambda: loud(0.1), 1.0, 1, unexpected)
    bench.desk.stop_clip()
    assert bench.speaker.told == ["play", "stop"]
    assert bench.jobs.empty()


def test_in_a_call_they_mix_into_it_and_whoever_is_talked_to_hears_them_if_so_asked(bench: Bench) -> None:
    leg = Leg("PCM", RATE)
    bench.desk.sit(leg, 2)
    for to_call in (False, True):
        bench.desk.play_clip(lambda: loud(0.2), 1.0, 1, unexpected, to_call=to_call)
        bench.work()
        assert max(bench.hear(15)) > 6000
        said = b""
        while (packet := leg.take()) is not None:
            said += packet[1]
        assert (max(array("h", said)) > 3000) is to_call
        bench.hear(30)
    assert "play" not in bench.speaker.told
    bench.desk.leave(leg)
    assert bench.sound is None


def test_a_clip_that_sounds_when_a_call_begins_goes_on_in_it(bench: Bench) -> None:
    bench.desk.play_clip(lambda: loud(0.3), 1.0, 0, unexpected)
    bench.awake()
    bench.work()
    assert bench.speaker.told == ["play", "release"]
    assert max(bench.hear(100)[-FRAME:]) > 6000
    bench.desk.stop_clip()
    bench.work()
    assert bench.sound is None


def test_one_that_is_over_is_not_played_again(bench: Bench) -> None:
    bench.desk.play_clip(lambda: loud(0.1), 1.0, 1, unexpected)
    bench.now += 100_000_000
    bench.awake()
    assert not bench.desk.busy
    assert bench.jobs.empty()


def test_one_that_has_a_moment_left_goes_on_for_that(bench: Bench) -> None:
    bench.desk.play_clip(lambda: loud(0.1), 1.0, 1, unexpected)
    bench.now += 60_000_000
    bench.awake()
    bench.work()
    assert 0.04 * RATE <= len(bench.hear(100)) <= 0.06 * RATE
    assert bench.sound is None


def test_beeps_sound_where_the_card_is(bench: Bench) -> None:
    assert bench.desk.beep(100, 0) is False
    bench.awake()
    assert bench.desk.beep(100, 0)
    bench.work()
    assert max(bench.hear(40)[-FRAME:]) > 2000
    bench.desk.beep(0, 0)
    bench.work()
    bench.hear(5)
    assert max(bench.hear(5)) < 100


def test_what_cannot_be_loaded_is_told(bench: Bench) -> None:
    reasons: queue.SimpleQueue[str] = queue.SimpleQueue()

    def broken() -> array[int]:
        raise OSError(5, "Input/output error")

    bench.awake()
    bench.desk.play_clip(broken, 1.0, 1, reasons.put)
    assert reasons.get(timeout=30) == "Input/output error"
    bench.desk.play_clip(lambda: array("h"), 1.0, 1, reasons.put)
    assert reasons.get(timeout=30) == "has no samples"


def test_levels_count_now_and_for_every_call_after(bench: Bench) -> None:
    bench.desk.set_levels(speaker=0.25, microphone=1.0, mute=False)
    bench.desk.ring(lambda: loud(0.5, 8000), 1.0, 0)
    bench.work()
    assert 1500 < max(bench.hear(30)) < 2500
    bench.desk.set_levels(speaker=0.0, microphone=1.0, mute=True)
    bench.work()
    bench.hear(5)
    assert max(bench.hear(10)) == 0


def test_a_clip_has_its_length_at_another_rate() -> None:
    found = at_rate(loud(0.25), RATE)
    assert len(found) == 0.25 * RATE
    assert max(found[:40]) > 6000


@pytest.mark.parametrize(
    ("times", "gone", "parts"),
    [
        (1, 0, [(10, 1)]),
        (3, 0, [(10, 3)]),
        (0, 0, [(10, 0)]),
        (1, 4, [(6, 1)]),
        (3, 14, [(6, 1), (10, 1)]),
        (0, 1004, [(6, 1), (10, 0)]),
        (3, 20, [(10, 1)]),
        (3, 30, []),
        (3, 99, []),
    ],
)
def test_what_is_left_of_a_clip(times: int, gone: int, parts: list[tuple[int, int]]) -> None:
    found = rest_of(array("h", range(10)), times, gone)
    assert [(len(samples), rounds) for samples, rounds in found] == parts
    assert all(samples[-1] == 9 for samples, _ in found)


def test_a_clip_that_cannot_be_loaded_lets_the_card_go_even_if_nobody_can_be_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(str(args.exc_value)))
    bench.awake()

    def load() -> array[int]:
        raise OSError(2, "No such file")

    def failed(reason: str) -> None:
        told.append(reason)
        raise QueueFullError("4096 jobs wait")

    bench.desk.play_clip(load, 1.0, 1, failed)
    bench.work()
    assert not bench.desk.busy
    assert bench.sound is None
    wait_for("both", lambda: told == ["No such file", "4096 jobs wait"], 30.0, 0.01)


def test_a_sound_whose_second_part_cannot_be_played_lets_the_card_go(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.desk.play_clip(lambda: loud(1.0), 1.0, 3, unexpected)
    bench.now += NS // 2
    bench.awake()  # in its middle: the rest of this round, then the others
    bench.work()
    real, sound = bench.sound.pipeline, bench.sound

    class Full:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def play(self, *args: Any, **more: Any) -> int:
            raise QueueFullError("no room")

    sound.pipeline = Full()
    with pytest.raises(QueueFullError):
        bench.hear(100)
    assert not bench.desk.busy
    assert bench.sound is None
