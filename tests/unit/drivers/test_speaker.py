"""The loudspeaker: it starts with its first sound, clips mix with tones, the newest clip counts, failures are told."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterator
from math import pi, sin
from pathlib import Path

import pytest

from axcore._native.io import monotonic_ns
from axcore.drivers.capture import SOUND_RING, Capture
from axcore.drivers.speaker import RATE, Loudspeaker
from axcore.interfaces.cli.instance import Tap, wait_for
from axcore.model.config import SoundConfig
from axcore.siren import Tone


def clip(seconds: float, level: int = 8000) -> array[int]:
    return array("h", [round(level * sin(2 * pi * 1000 * n / RATE)) for n in range(round(seconds * RATE))])


@pytest.fixture
def tap(tmp_path: Path) -> Iterator[Tap]:
    tap = Tap(tmp_path / "tap")
    yield tap
    tap.close()


@pytest.fixture
def speaker(tmp_path: Path, tap: Tap) -> Iterator[Loudspeaker]:
    speaker = Loudspeaker(SoundConfig(), simulated=True, tap=str(tap.path))
    speaker.start(tmp_path)
    yield speaker
    speaker.stop()


def unexpected(reason: str) -> None:
    raise AssertionError(reason)


def test_nothing_is_there_before_the_first_sound(speaker: Loudspeaker, tmp_path: Path, tap: Tap) -> None:
    speaker.stop_clip()
    speaker.play(None)
    assert speaker.heard() == 0.0
    assert not (tmp_path / SOUND_RING).is_symlink()
    speaker.play_clip(lambda: clip(0.2), 1.0, 1, unexpected)
    tap.expect("speaker", True, 30)
    tap.expect("speaker", False, 30)
    with Capture(tmp_path / SOUND_RING) as heard:
        samples = array("h", b"".join(record.data for record in heard.since()))
    assert samples[: round(0.2 * RATE)] == clip(0.2)
    assert not any(samples[round(0.2 * RATE) :])
    speaker.stop()
    assert not (tmp_path / SOUND_RING).is_symlink()
    speaker.play_clip(lambda: clip(0.2), 1.0, 1, unexpected)  # too late: no effect
    speaker.stop_clip()


def test_a_clip_mixes_with_a_tone_and_leaves_it_alone(speaker: Loudspeaker) -> None:
    speaker.play(Tone("Siren: Alternate").generator, 1, monotonic_ns())
    wait_for("the tone", lambda: 0.01 < speaker.heard() < 0.1, 30)
    speaker.play_clip(lambda: clip(0.5, 20000), 1.0, 0, unexpected)
    wait_for("both", lambda: speaker.heard() > 0.3, 30)
    speaker.stop_clip()
    wait_for("the tone alone", lambda: 0.01 < speaker.heard() < 0.1, 30)
    speaker.play(None)
    wait_for("silence", lambda: speaker.heard() == 0.0, 30)


def test_it_shows_that_its_thread_lives_while_it_sounds(speaker: Loudspeaker) -> None:
    assert speaker.progress is None
    speaker.play(Tone("Siren: Alternate").generator, 1, monotonic_ns())
    before = speaker.progress
    assert before is not None
    wait_for("blocks", lambda: (speaker.progress or 0) > before, 30)
    speaker.play(None)
    wait_for("rest", lambda: speaker.progress is None, 30)


def test_the_newest_clip_counts_however_long_an_older_one_takes(speaker: Loudspeaker) -> None:
    slow, read = threading.Event(), threading.Event()

    def load() -> array[int]:
        read.set()
        assert slow.wait(30)
        return clip(0.5, 30000)

    speaker.play_clip(load, 1.0, 0, unexpected)
    assert read.wait(30)
    speaker.play_clip(lambda: clip(0.5, 3000), 1.0, 0, unexpected)
    wait_for("the newer", lambda: speaker.heard() > 0.01, 30)
    slow.set()
    for thread in [thread for thread in threading.enumerate() if thread.name == "clip"]:
        thread.join(30)
    seen = speaker._thread.blocks if speaker._thread else 0
    wait_for("more of it", lambda: speaker._thread is not None and speaker._thread.blocks > seen + 50, 30)
    assert speaker.heard() < 0.1


def test_what_cannot_be_read_is_told(speaker: Loudspeaker, tmp_path: Path) -> None:
    reasons: list[str] = []
    speaker.play_clip(lambda: array("h", (tmp_path / "none").read_bytes()), 1.0, 1, reasons.append)
    wait_for("the reason", lambda: reasons == ["No such file or directory"], 30)
    speaker.play_clip(lambda: clip(0.1), 17.0, 1, reasons.append)
    wait_for("the gain", lambda: len(reasons) == 2, 30)
    speaker.play_clip(lambda: array("h"), 1.0, 1, reasons.append)
    wait_for("nothing in it", lambda: len(reasons) == 3, 30)
    assert speaker.heard() == 0.0
