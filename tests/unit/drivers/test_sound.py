"""The audio thread through its face: a card in a room, a made-up ALSA, no card. Waits end when the thing happened."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import select
import shutil
import subprocess
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from axcore.audio import Echo, Leg, Pipeline, PipelineEvent, Room, Tone, What
from axcore.drivers.capture import SOUND, Capture
from axcore.drivers.sound import Sound, open_alsa, open_room
from axcore.errors import FormatError, QueueFullError, RangeError, StateError
from axcore.interfaces.cli.instance import wait_for
from axcore.runtime.stuck import LOOKS, StuckThreads
from tests.repo import tree

SILENCE = array("h", bytes(320))


@pytest.fixture(scope="session")
def fake_asound(tmp_path_factory: pytest.TempPathFactory) -> str:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    library = tmp_path_factory.mktemp("asound") / "fake_asound.so"
    source = tree.CEXT / "test" / "fake_asound.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    return str(library)


@pytest.fixture
def sound() -> Iterator[Sound]:
    pipeline = Pipeline(16000, echo=Echo.OFF, gain_control=False)
    sound = Sound(pipeline, open_room(Room(16000, delay_ms=10, noise_db=-90, rt60_ms=0, echo_db=0), records=4096))
    yield sound
    sound.stop()


def bell(fd: int) -> int:
    ready, _, _ = select.select([fd], [], [], 60)
    assert ready
    return int.from_bytes(os.read(fd, 8), "little")


def test_a_clip_is_played_heard_and_told_of_in_a_room(sound: Sound) -> None:
    leg = Leg("PCM", 16000)
    sound.pipeline.seat(0, leg)
    clip = array("h", [3000, -3000] * 800)
    serial = sound.pipeline.play(0, clip)
    sound.start()
    assert bell(sound.events_fd) >= 1
    assert bell(sound.packets_fd) >= 1
    told: list[PipelineEvent] = []
    wait_for("the end", lambda: told.extend(sound.events()) or any(e.what is What.ENDED for e in told), 30)
    assert [(e.index, e.serial) for e in told if e.what is What.ENDED] == [(0, serial)]
    ticks = sound.thread_stats.ticks
    wait_for("the last samples, which are on their way", lambda: sound.thread_stats.ticks > ticks + 2, 30)
    sound.stop()
    capture = Capture(sound.card.fd)
    assert (capture.kind, capture.rate, capture.detail) == (SOUND, 16000.0, 160)
    played = np.concatenate([np.frombuffer(record.data, "<i2") for record in capture.since()])
    at = int(np.flatnonzero(played)[0])
    assert np.array_equal(played[at : at + 1600], np.asarray(clip))
    heard = np.concatenate([np.frombuffer(packet[1], "<i2") for packet in iter(leg.take, None)])
    assert (
        np.sqrt(np.mean(np.square(heard.astype(float)))) > 500
    )  # The microphone heard it, and the leg the microphone.
    stats = sound.thread_stats
    assert stats.ticks == sound.stats.steps == capture.written
    assert stats.card_errors == 0
    assert 0 < stats.worst_ns <= stats.busy_ns
    assert stats.last_ns > 0


def test_a_talker_in_the_room_is_heard(sound: Sound) -> None:
    loud = array("h", [8000, -8000] * 80)
    for _ in range(64):
        sound.talk(loud)
    with pytest.raises(QueueFullError):
        sound.talk(loud)
    with pytest.raises(FormatError):
        sound.talk(loud[:-1])
    sound.start()

    def heard() -> bool:
        with contextlib.suppress(QueueFullError):  # he goes on, however late it is looked
            sound.talk(loud)
        return sound.stats.mic_db > -20

    wait_for("the talker", heard, 30)


def test_a_pipeline_has_one_that_steps_it(sound: Sound) -> None:
    sound.start()
    with pytest.raises(StateError):
        sound.start()
    with pytest.raises(StateError):
        sound.pipeline.step(0, SILENCE)
    other = Sound(sound.pipeline, open_room(Room(16000)))
    with pytest.raises(StateError):
        other.start()
    with pytest.raises(StateError):
        Sound(sound.pipeline, sound.card)
    sound.stop()
    sound.stop()
    sound.pipeline.step(0, SILENCE)
    before = sound.thread_stats.ticks
    other.start()
    wait_for("ticks", lambda: other.thread_stats.ticks > 2, 30)
    other.stop()
    sound.start()
    wait_for("ticks", lambda: sound.thread_stats.ticks > before, 30)


def test_a_running_thread_that_is_let_go_ends() -> None:
    pipeline = Pipeline(16000, echo=Echo.OFF)
    sound = Sound(pipeline, open_room(Room(16000)))
    pipeline.seat(0, Leg("PCMU", 16000))
    pipeline.play(0, Tone.named("ringback", 16000), repeat=0)
    sound.start()
    bell(sound.packets_fd)
    del sound
    gc.collect()
    steps = pipeline.stats.steps
    pipeline.step(0, SILENCE)
    assert pipeline.stats.steps == steps + 1


def test_rates_must_agree() -> None:
    with pytest.raises(RangeError):
        Sound(Pipeline(8000), open_room(Room(16000)))
    with pytest.raises(RangeError):
        open_room(Room(16000), records=100)


def test_alsa_plays_and_records(fake_asound: str) -> None:
    pipeline = Pipeline(48000, echo=Echo.OFF, gain_control=False)
    sound = Sound(pipeline, open_alsa(48000, "full", "full", library=fake_asound))
    assert sound.card.fd == -1
    with pytest.raises(StateError):
        sound.talk(array("h", bytes(960)))
    sound.start()
    wait_for("a level", lambda: sound.stats.mic_db > -90, 30)  # What it records counts up.
    sound.stop()
    assert (sound.thread_stats.card_errors, sound.thread_stats.xruns) == (0, 0)


@pytest.mark.parametrize(("speaker", "microphone", "what"), [("good", "dry", "xruns"), ("dead", "good", "card_errors")])
def test_a_card_that_fails_is_counted_and_calls_go_on(
    fake_asound: str, speaker: str, microphone: str, what: str
) -> None:
    pipeline = Pipeline(48000, echo=Echo.OFF)
    sound = Sound(pipeline, open_alsa(48000, speaker, microphone, library=fake_asound))
    sound.start()
    wait_for(what, lambda: getattr(sound.thread_stats, what) > 0, 30)
    before = sound.thread_stats.ticks
    wait_for("ticks", lambda: sound.thread_stats.ticks > before, 30)
    sound.stop()


def test_a_thread_that_hangs_in_the_driver_is_told_of(fake_asound: str) -> None:
    hang = ctypes.c_int.in_dll(ctypes.CDLL(fake_asound), "fake_asound_stuck")
    sound = Sound(Pipeline(48000, echo=Echo.OFF), open_alsa(48000, "good", "good", library=fake_asound))
    told: list[str] = []
    threads = StuckThreads(lambda: {"audio": sound.thread_stats.ticks}, lambda name, reason: told.append(name))
    sound.start()
    try:
        for _ in range(2 * LOOKS):
            before = sound.thread_stats.ticks
            wait_for("ticks", lambda before=before: sound.thread_stats.ticks > before, 30)
            threads.look()
        assert told == []
        hang.value = 1
        wait_for("the fault", lambda: threads.look() or told, 30)
        assert told == ["audio"]
        before = sound.thread_stats.ticks
        hang.value = 0
        wait_for("ticks", lambda: sound.thread_stats.ticks > before, 30)
        threads.look()
        assert told == ["audio"]
    finally:
        hang.value = 0
        sound.stop()


def test_without_alsa_calls_work_in_silence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    library = str(tmp_path / "libasound.so.2")
    with pytest.raises(OSError, match="library") as caught:
        open_alsa(16000, "default", "default", library=library)
    assert caught.value.errno == 79  # ELIBACC
    with caplog.at_level(logging.ERROR):
        sound = Sound.open(Pipeline(16000), "default", "default", library=library)
    assert "cannot be opened" in caplog.text
    sound.start()
    wait_for("ticks", lambda: sound.thread_stats.ticks > 2, 30)
    sound.stop()
    assert sound.stats.mic_db < -80
