"""Gain, limiter, mixer, volume, level, voice, comfort noise and rates by their Python faces."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.audio import (
    ComfortNoise,
    GainControl,
    LevelDetector,
    LevelEvent,
    Limiter,
    Mixer,
    Resampler,
    VoiceActivity,
    VolumeControl,
)
from axcore.errors import FormatError, InputError, RangeError

RATES = (8000, 16000, 32000, 44100, 48000)
NAN = float("nan")


def talk(rate: int, seconds: float, db: float) -> Any:
    """Noise in syllables, `db` while it sounds, int16."""
    n = int(rate * seconds)
    t = np.arange(n) / rate
    x = np.random.default_rng(4).uniform(-1, 1, n) * np.sqrt(3) * 32768 * 10 ** (db / 20)
    return np.clip(np.where(t % 0.24 < 0.16, x, 0.002 * x), -32768, 32767).astype(np.int16)


def level(x: Any) -> float:
    power = (np.asarray(x, float)[: len(x) // 80 * 80].reshape(-1, 80) ** 2).mean(1)
    return float(10 * np.log10(power[power > power.max() / 1000].mean() / 32768**2))


def through(thing: Any, x: Any) -> Any:
    n = thing.frame
    return np.concatenate([thing.process(x[i : i + n]) for i in range(0, len(x) // n * n, n)])


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("db", [-45, -30, -20, -10])
def test_talk_settles_in_time_and_never_clips(rate: int, db: int) -> None:
    out = through(GainControl(rate), talk(rate, 3, db))
    settled = int(rate * (0.3 if db > -20 else 1.0))
    assert abs(level(out[settled : settled + rate]) + 20) <= 2
    assert abs(level(out[settled:]) + 20) <= 2
    assert np.abs(out.astype(int)).max() < 32700


STEPS = [(-45, -10), (-10, -45), (-30, -12), (-12, -30), (-30, -26), (-26, -30), (-20, -26), (-26, -20)]


@pytest.mark.parametrize(("first", "then"), STEPS)
@pytest.mark.parametrize("phase", [0.0, 0.06, 0.12, 0.18])
def test_a_step_in_the_middle_settles_in_time(first: int, then: int, phase: float) -> None:
    rate, gain = 16000, GainControl(16000)
    through(gain, talk(rate, 4 + phase, first))
    x = talk(rate, 4, then)
    wait = rate * 3 // 10 if then > first else rate
    out = through(gain, x[:wait])
    later = []
    for at in range(wait, len(x), 160):
        out = np.concatenate([out, gain.process(x[at : at + 160])])
        later.append(gain.gain_db)
    assert max(abs(db - (-20 - then)) for db in later) <= 2
    assert np.abs(out.astype(int)).max() < 32700


def test_syllables_do_not_pump() -> None:
    rng = np.random.default_rng(9)
    gain, seen = GainControl(16000), []
    for syllable in range(60):
        x = talk(16000, 0.24, -25 + rng.uniform(-3, 3))
        for at in range(0, len(x), 160):
            gain.process(x[at : at + 160])
            if syllable > 12:
                seen.append(gain.gain_db)
    assert max(seen) - min(seen) < 4


def chatter(seconds: float, seed: int) -> Any:
    """Syllables of 80 to 250 ms; the mean of a second varies by 1 dB, nearly as that of speech does; mean power 1."""
    rng = np.random.default_rng(seed)
    parts, n = [], 0
    while n < seconds * 16000:
        wide = int(rng.integers(8, 26)) * 160
        shape = np.sin(np.pi * (np.arange(wide) + 0.5) / wide) * 10 ** (min(rng.normal(0, 2.5), 4) / 20)
        parts.append(shape * rng.normal(size=wide))
        n += wide
    x = np.concatenate(parts)[: int(seconds * 16000)]
    return x / np.sqrt((x**2).mean())


def gains(x: Any) -> Any:
    gain, found = GainControl(16000), []
    for at in range(0, len(x), 160):
        gain.process(np.clip(x[at : at + 160] * 32768, -32768, 32767).astype(np.int16))
        found.append(gain.gain_db)
    return np.array(found)


EXCESS = 0.6
"""dB by which the frames that count as talk are louder than the mean of all of chatter."""


def test_speech_that_stays_as_loud_keeps_its_gain() -> None:
    found = np.stack([gains(chatter(15, seed) * 10 ** (-32 / 20))[300:] for seed in range(8)]) + EXCESS
    assert (np.abs(found - 12) > 2).mean() < 0.05


@pytest.mark.parametrize(("first", "then"), [(-42, -24), (-24, -42), (-34, -24), (-24, -34)])
def test_speech_that_steps_is_followed(first: int, then: int) -> None:
    settled = 0
    for seed in range(8):
        x = chatter(8, seed)
        x = np.concatenate([x[:64000] * 10 ** (first / 20), x[64000:] * 10 ** (then / 20)])
        settled += bool(np.abs(gains(x)[500:] + 20 + then + EXCESS).max() <= 2)
    assert settled >= 5


def noise(seconds: float, db: float) -> Any:
    return np.random.default_rng(6).normal(size=int(seconds * 16000)) * 10 ** (db / 20)


@pytest.mark.parametrize("db", [-60, -50, -40, -30])
def test_steady_noise_alone_is_not_raised(db: int) -> None:
    found = gains(noise(10, db))
    assert found.max() <= 14  # What a quarter of a second of it may do, before it is known as noise.
    assert np.abs(found[100:]).max() < 0.5


@pytest.mark.parametrize("db", [-55, -45, -40, -33])
def test_steady_noise_that_comes_while_nobody_talks_is_not_raised(db: int) -> None:
    """A car that stops before the door; the talker's gain is there again when he goes on."""
    words = chatter(5, 3) * 10 ** (-25 / 20)
    x = np.concatenate([words, np.zeros(8000), noise(6, db), np.zeros(4000)])
    found = gains(x + noise(len(x) / 16000, -75))
    assert found[501:].max() < found[500] + 1
    assert abs(found[-1] - found[500]) < 1


def test_a_pause_and_its_noise_leave_the_gain() -> None:
    words = chatter(4, 5) * 10 ** (-35 / 20)
    x = np.concatenate([words, np.zeros(10 * 16000), words])
    found = gains(x + noise(len(x) / 16000, -58))
    assert np.abs(found[401:1400] - found[400]).max() < 0.5
    assert np.abs(found[1400:] - 15).max() < 2.5


def test_who_shouts_after_a_quiet_talker_does_not_clip() -> None:
    x = np.concatenate([chatter(4, 7) * 10 ** (-45 / 20), chatter(3, 8) * 10 ** (-9 / 20)])
    out = through(GainControl(16000), np.clip(x * 32768, -32768, 32767).astype(np.int16))
    assert np.abs(out.astype(int)).max() < 32700


def test_float_and_int_agree() -> None:
    x = talk(16000, 1, -30)
    a, b = through(GainControl(16000), x), through(GainControl(16000), (x / 32768).astype(np.float32))
    assert b.dtype == np.float32
    assert np.abs(a - b * 32768).max() <= 1


@given(st.lists(st.floats(-4096, 4096, width=32), min_size=80, max_size=80), st.floats(0.125, 1, width=32))
def test_nothing_passes_the_limiter(samples: list[float], ceiling: float) -> None:
    limiter = Limiter(8000, ceiling)
    for _ in range(3):
        assert max(abs(x) for x in limiter.process(array("f", samples))) <= ceiling


@given(st.lists(st.lists(st.integers(-32768, 32767), min_size=80, max_size=80), max_size=6))
def test_a_mix_is_the_sum_or_limited(frames: list[list[int]]) -> None:
    mixer = Mixer(8000, 1.0)
    parts = [array("h", frame) for frame in frames]
    first = mixer.process(parts)
    second = mixer.process([array("h", bytes(160))])
    out = list(first)[mixer.latency :] + list(second)[: mixer.latency]
    sums = [sum(column) for column in zip(*frames, strict=True)] if frames else [0] * 80
    if max(map(abs, sums)) < 32767:
        assert max(abs(a - b) for a, b in zip(out, sums, strict=True)) <= 1
    assert all(a * b >= 0 for a, b in zip(out, sums, strict=True))


@pytest.mark.parametrize("make", [GainControl, Limiter, VolumeControl], ids=lambda make: make.__name__)
def test_bad_frames_change_nothing(make: Any) -> None:
    x = talk(16000, 1, -35)
    want = through(make(16000), x)
    thing = make(16000)
    for wrong in (x[:159], x[:161], x[:160].astype(np.int32), x[:320:2], b"12", 5, np.zeros((2, 80), np.int16)):
        with pytest.raises(FormatError):
            thing.process(wrong)
    with pytest.raises(FormatError, match="out"):
        thing.process(x[:160], np.zeros(160, np.float32))
    if make is not VolumeControl:
        bad = np.zeros(160, np.float32)
        for number in (np.nan, np.inf, 1e6):
            bad[3] = number
            with pytest.raises(RangeError):
                thing.process(bad)
    assert np.array_equal(through(thing, x), want)


def test_the_volume_follows_the_noise() -> None:
    volume = VolumeControl(16000)
    silence, noise = array("h", bytes(320)), talk(16000, 0.01, -35)
    assert volume.noise_db == -100
    for _ in range(800):
        volume.ambient(noise)
        volume.process(silence)
    assert abs(volume.noise_db + 35) < 2
    assert abs(volume.gain_db - 12) < 0.5
    quiet = volume.process(array("h", [1000] * 160))
    assert 3000 < quiet[-1] < 4500
    volume.reset()
    assert volume.gain_db == 0


@pytest.mark.parametrize("rate", RATES)
def test_levels_rise_fall_and_are_on_the_scale(rate: int) -> None:
    detector = LevelDetector(rate, 60)
    n = detector.frame
    t = np.arange(n) / rate
    sine = np.sin(2 * np.pi * 1000 * t)
    events = []
    for k in range(200):
        db = -20 if 50 <= k < 100 else -60
        event = detector.feed((32767 * 10 ** (db / 20) * sine).astype(np.int16))
        if event:
            events.append((k, event))
        if k == 60:
            assert abs(detector.level - 75) < 0.5
            assert detector.above
    assert [event for _, event in events] == [LevelEvent.RISE, LevelEvent.FALL]
    assert events[0][0] == 50
    detector.threshold = 0
    assert detector.feed((300 * sine).astype(np.int16)) is LevelEvent.RISE
    with pytest.raises(InputError):
        detector.threshold = NAN
    assert detector.threshold == 0


def test_voice_is_told_from_noise() -> None:
    rate = 16000
    noise = np.random.default_rng(1).normal(0, 60, 8 * rate)
    noise[4 * rate : 6 * rate] += talk(rate, 2, -30)
    vad = VoiceActivity(rate)
    x = noise.astype(np.int16)
    found = [vad.feed(x[i : i + 160]) for i in range(0, len(x), 160)]
    assert not any(found[200:398])
    assert all(found[405:595])
    assert not any(found[640:])
    assert vad.talks is False
    vad.reset()


def test_comfort_noise_goes_over_the_line() -> None:
    rng = np.random.default_rng(2)
    here, there = ComfortNoise(), ComfortNoise(99)
    noise = np.convolve(rng.normal(0, 300, 16200), np.ones(4), "valid").astype(np.int16)
    for i in range(0, 16000, 160):
        here.learn(noise[i : i + 160])
    assert len(here.payload()) == 9
    there.take(here.payload())
    made = np.asarray(there.render(array("h", bytes(32000)))).astype(float)
    assert abs(level(made) - level(noise)) < 1.5
    assert np.corrcoef(made[1:], made[:-1])[0, 1] == pytest.approx(0.75, abs=0.1)
    with pytest.raises(FormatError):
        there.take(b"")
    with pytest.raises(RangeError):
        here.learn(noise[:79])


@given(st.sampled_from(RATES), st.sampled_from(RATES), st.lists(st.integers(0, 700), max_size=12))
def test_rates_in_any_pieces(source: int, target: int, pieces: list[int]) -> None:
    x = (9000 * np.sin(np.arange(sum(pieces) + 1) * 0.03)).astype(np.float32)
    one, many = Resampler(source, target), Resampler(source, target)
    whole = one.process(x[: sum(pieces)])
    parts, at = [np.zeros(0, np.float32)], 0
    for n in pieces:
        want = many.count(n)
        parts.append(many.process(x[at : at + n]))
        assert len(parts[-1]) == want
        at += n
    assert np.array_equal(whole, np.concatenate(parts))
    assert len(whole) == -(-sum(pieces) * target // source)


def test_a_tone_comes_through_at_its_delay() -> None:
    for source in RATES:
        for target in RATES:
            converter = Resampler(source, target)
            t = np.arange(source // 2) / source
            y = converter.process((0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32))
            assert len(y) == target // 2
            taps = -(-96 * source // min(source, target))
            delay = -(-taps // 16) * 8 / source if source != target else 0
            assert converter.latency == pytest.approx(delay * target, abs=0.51)
            u = np.arange(len(y)) / target - delay
            assert np.abs(y - 0.5 * np.sin(2 * np.pi * 1000 * u))[len(y) // 4 :].max() < 3e-5


def test_bad_samples_leave_the_converter_as_it_was() -> None:
    x = np.linspace(-1, 1, 480).astype(np.float32)
    want = Resampler(48000, 16000).process(x)
    converter = Resampler(48000, 16000)
    bad = x.copy()
    bad[9] = np.nan
    with pytest.raises(RangeError):
        converter.process(bad)
    with pytest.raises(FormatError):
        converter.process(x, np.zeros(159, np.float32))
    with pytest.raises(FormatError):
        converter.process(x.astype(np.float64))
    assert np.array_equal(converter.process(x), want)


def test_arguments_are_named() -> None:
    for make, field in (
        (lambda: GainControl(11025), "rate"),
        (lambda: GainControl(8000, target_db=NAN), "target_db"),
        (lambda: GainControl(8000, max_gain_db=41), "max_gain_db"),
        (lambda: GainControl(8000, min_gain_db=1), "min_gain_db"),
        (lambda: Limiter(8000, 0), "ceiling"),
        (lambda: Mixer(8000, NAN), "ceiling"),
        (lambda: VolumeControl(8000, slope=2), "slope"),
        (lambda: LevelDetector(8000, 101), "threshold"),
        (lambda: VoiceActivity(1), "rate"),
        (lambda: ComfortNoise(0), "seed"),
        (lambda: Resampler(8000, 22050), "target"),
        (lambda: Resampler(1, 8000), "source"),
        (lambda: Resampler(8000, 16000, 100), "taps"),
    ):
        with pytest.raises(InputError) as caught:
            make()
        assert caught.value.field == field
    with pytest.raises(RangeError):
        Mixer(8000).process([array("h", bytes(160))], [NAN])
    with pytest.raises(RangeError):
        Mixer(8000).process([array("h", bytes(160))], [])
