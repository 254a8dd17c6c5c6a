"""The speaker test on virtual rooms: a verdict and its reason for what can go wrong, at every rate."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from axcore.audio import Room
from axcore.audio.speaker_test import REASONS, TONES_HZ, Response, SpeakerTest, compare, fault_of
from axcore.errors import FormatError, InputError

PLACE = {"rt60_ms": 200, "delay_ms": 20, "echo_db": -12}


def heard(rate: int = 16000, **parts: Any) -> Response:
    """What the microphone hears of the tones in a room."""
    test = SpeakerTest(rate)
    room = Room(rate, **{**PLACE, "noise_db": -65, **parts})
    frames = [np.zeros(rate // 100, np.int16), *np.asarray(test.samples).reshape(-1, rate // 100)]
    return test.measure(np.concatenate([room.step(frame) for frame in frames])[: test.count])


@pytest.mark.parametrize("rate", [8000, 16000, 32000, 48000])
def test_the_same_room_passes_at_every_rate(rate: int) -> None:
    reference = heard(rate)
    assert fault_of(reference) is None
    verdict = compare(reference, heard(rate))
    assert verdict.passed
    assert verdict.text == REASONS["ok"]
    assert len(verdict.differences_db) == len(TONES_HZ)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"noise_db": -40}, "ok"),
        ({"delay_ms": 120}, "ok"),
        ({"echo_db": -15}, "ok"),
        ({"speaker": 0}, "no_sound"),
        ({"speaker": 0, "noise_db": -50}, "no_sound"),
        ({"cover_db": 40}, "microphone_covered"),
        ({"cover_db": 12}, "microphone_covered"),
        ({"echo_db": -24}, "quieter"),
        ({"noise_db": 0}, "too_noisy"),
        ({"noise_db": 0, "speaker": 0}, "too_noisy"),
    ],
)
def test_what_is_wrong_is_told(seed: int, parts: dict[str, float], reason: str) -> None:
    verdict = compare(heard(seed=seed), heard(seed=seed, **parts))
    assert verdict.reason == reason
    assert verdict.passed == (reason == "ok")


def test_a_loudspeaker_that_loses_its_lows_has_changed() -> None:
    response = np.zeros(64, np.float32)
    response[10:12] = 0.3, -0.3  # Differences only: what is low is gone.
    reference = heard(response=np.eye(1, 64, 10, dtype=np.float32)[0] * np.float32(0.3))
    verdict = compare(reference, heard(response=response, echo_db=0))
    assert verdict.reason == "changed"


def test_tones_that_are_not_there_are_no_reference() -> None:
    assert fault_of(heard(speaker=0)) == "no_sound"
    assert fault_of(heard(cover_db=80)) == "no_sound"
    assert fault_of(heard(noise_db=0)) == "too_noisy"


def test_the_signal_is_short_and_does_not_clip() -> None:
    test = SpeakerTest(16000)
    samples = np.asarray(test.samples)
    assert len(samples) == test.count == 16000 * 242 // 100
    assert np.abs(samples).max() < 10_000
    assert not samples[: test.start_of(0)].any()
    assert np.abs(np.diff(samples.astype(int))).max() < 12_000  # No clicks.


def test_refusals() -> None:
    with pytest.raises(InputError, match="rate"):
        SpeakerTest(44100)
    test = SpeakerTest(8000)
    for bad in (test.samples[:-1], np.zeros(test.count), np.zeros((test.count, 1), np.int16), b""):
        with pytest.raises(FormatError, match="recorded"):
            test.measure(bad)


@cache
def reference() -> Response:
    """Of the quiet room, once for all examples."""
    return heard(8000)


@settings(max_examples=50)
@given(st.integers(0, 1 << 32), st.integers(1, 32767))
@example(2825, 10872)
def test_noise_alone_never_calibrates_and_never_passes(seed: int, loudness: int) -> None:
    test = SpeakerTest(8000)
    noise = np.random.default_rng(seed).integers(-loudness, loudness + 1, test.count).astype(np.int16)
    response = test.measure(noise)
    assert fault_of(response) is not None
    assert not compare(reference(), response).passed
