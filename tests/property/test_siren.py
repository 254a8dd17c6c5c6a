"""Tones against a plain reference, and what holds for every sound: blocks, amplitude, no clicks."""

from __future__ import annotations

import itertools
from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axcore._native.siren import LEVELS
from axcore.errors import InputError
from axcore.siren import RATES, SOUNDS, STANDARD_SIGNALS, Segment, Sound, Tone
from axcore.siren.program import GRID_US
from axcore.testing.reference_siren import reference, steepest

EVERY = {**SOUNDS, **STANDARD_SIGNALS}
HOURS_72 = 72 * 3600
NUMBERS = st.sampled_from(
    [0.0, -1.0, 0.0001, 0.001, 0.005, 0.01, 0.1, 1.0, 20.0, 440.0, 23519.9, 1e9, float("nan"), float("inf")]
)
WAVES = st.sampled_from(["sine", "square", "saw", "triangle", (1.0, 0.3, 0.0, -0.2)])


def samples(tone: Tone, pos: int, count: int, kind: str = "h") -> list[float]:
    out = array(kind, bytes(count * (2 if kind == "h" else 4)))
    tone.render(pos, out)
    return list(out)


@st.composite
def segments(draw: st.DrawFn, peak: float) -> list[Segment]:
    """A run from silence to silence (or round and round), its pieces without a break, and a rest."""
    hz = st.floats(30, 3900)
    pieces = draw(st.integers(1, 3))
    wave = draw(WAVES)
    loop = draw(st.booleans())
    run = []
    for i in range(pieces):
        run.append(
            Segment(
                draw(st.integers(20_000, 300_000)) / 1e6,
                draw(hz),
                draw(st.none() | hz),
                draw(st.sampled_from(["linear", "exponential"])),
                0.0 if loop or i else draw(st.integers(1000, 9000)) / 1e6,
                0.0 if loop or i < pieces - 1 else draw(st.integers(1000, 11_000)) / 1e6,
                peak,
                wave,
                draw(st.booleans()),
            )
        )
    us = sum(round(s.seconds * 1e6) for s in run)
    if loop:
        last = run[-1]
        longer = (round(last.seconds * 1e6) + -us % GRID_US) / 1e6
        return [*run[:-1], Segment(longer, last.hz, last.to_hz, last.law, 0.0, 0.0, peak, wave)]
    return [*run, Segment((GRID_US + -us % GRID_US) / 1e6)]


@st.composite
def sounds(draw: st.DrawFn) -> Sound:
    first = draw(segments(0.6))
    voices = [tuple(first)]
    if draw(st.booleans()):
        seconds = sum(round(s.seconds * 1e6) for s in first) / 1e6
        voices.append((Segment(seconds, draw(st.floats(30, 3900)), attack=0.0, release=0.0, peak=0.4),))
    return Sound(name="any", voices=tuple(voices))


@settings(max_examples=60, deadline=None)
@given(sounds(), st.sampled_from(RATES), st.integers(0, 2**40), st.integers(1, 5), st.none() | st.integers(1, 400))
def test_it_is_the_reference(sound: Sound, rate: int, pos: int, intensity: int, left: int | None) -> None:
    tone = Tone(sound, rate=rate, intensity=intensity)
    tone.end = None if left is None else pos + left
    expected = reference(sound, rate, pos, 300, intensity=intensity, end=tone.end)
    for level in range(len(LEVELS)):
        tone._generator.set_level(level)
        fine = samples(tone, pos, 300, "f")
        assert max(abs(a - b) for a, b in zip(fine, expected, strict=True)) < 2e-5
        coarse = samples(tone, pos, 300)
        assert max(abs(a - b * 32767) for a, b in zip(coarse, expected, strict=True)) < 1.2


@settings(max_examples=60, deadline=None)
@given(
    sounds(), st.sampled_from(RATES), st.integers(0, 2**40), st.lists(st.integers(0, 700), max_size=8), st.booleans()
)
def test_any_split_into_blocks_gives_the_same_samples(
    sound: Sound, rate: int, pos: int, cuts: list[int], dither: bool
) -> None:
    tone = Tone(sound, rate=rate, dither=dither)
    for kind in "hf":
        parts: list[float] = []
        for count in cuts:
            parts += samples(tone, pos + len(parts), count, kind)
        assert parts == samples(tone, pos, len(parts), kind)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.none() | NUMBERS, WAVES, NUMBERS, NUMBERS, NUMBERS), max_size=4))
def test_what_is_not_refused_by_name_can_be_played(rows: list[Any]) -> None:
    try:
        voice = tuple(
            Segment(seconds, hz, to_hz, "linear", attack, release, peak, wave)
            for seconds, hz, to_hz, wave, attack, release, peak in rows
        )
        sound = Sound(name="any", voices=(voice,))
    except InputError:
        return
    assert max(map(abs, samples(Tone(sound), 0, 4800))) <= 32767


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_no_sound_clicks_or_is_too_loud(name: str, rate: int) -> None:
    tone = Tone(name, rate=rate, repetitions=1 if EVERY[name].seconds > 10 else 3)
    assert tone.end is not None
    found = [0, *samples(tone, 0, tone.end), 0]
    step = max(abs(b - a) for a, b in itertools.pairwise(found))
    assert step <= steepest(EVERY[name], rate) * 32767 + 2
    assert 8000 < max(map(abs, found)) <= 32767


@pytest.mark.parametrize("name", EVERY)
def test_after_72_hours_it_is_what_exact_arithmetic_says(name: str) -> None:
    tone = Tone(name)
    for pos in (HOURS_72 * 48000 - 100, HOURS_72 * 48000 + tone.cycle // 3):
        expected = reference(EVERY[name], 48000, pos, 200)
        assert max(abs(a - b * 32767) for a, b in zip(samples(tone, pos, 200), expected, strict=True)) < 0.8


def test_the_check_for_clicks_sees_one() -> None:
    """A cut in the middle of a wave is steeper than the sound."""
    sound = EVERY["BS 5839 evacuate"]
    found = samples(Tone(sound), 4800 + 12, 100)
    assert abs(found[0]) > steepest(sound, 48000) * 32767 + 2
    with pytest.raises(InputError, match="clicks"):
        Sound(name="cut", voices=((Segment(0.1, 970, release=0.0), Segment(0.1)),))
