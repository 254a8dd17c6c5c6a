"""What the noise suppressor's network learns from: talkers in random rooms, and noises drawn from random families.

Nothing here is made like a scene of the bench (bench/audio/noises.py): spectra, rhythms and rooms are drawn at
random, so that no noise of the bench is among them. Talkers: the tuned-on half of three voices (en, it, ru); the
French and the Spanish one, and the other half of all prompts, are never heard in training.

A pair is what the network's front end sees, computed as ``cext/audio/ax_ns_core.c`` does: power of each band for each
half frame, of talk and noise and of talk alone, and how tonal each band is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from bench.audio.speech import RATE, Signal, decode, is_clear, prompts, trim

HALF, WINDOW, LAP, EMPHASIS = 80, 320, 64, 0.85
EDGES = np.array(
    [*range(0, 25, 2), 27, 30, 33, 36, 39, 42, 46, 50, 54, 58, 64, 72, 80, 90, 102, 114, 126, 138, 150, 161]
)
BANDS = len(EDGES) - 1
VOICES = ("en", "it", "ru")

Floats = NDArray[np.float32]
Voices = list[list[Floats]]


def window() -> Floats:
    """The analysis window of ax_lap.h."""
    i, rise = np.arange(WINDOW), WINDOW - LAP
    up, down = np.sin(np.pi / 2 * (i + 0.5) / rise), np.cos(np.pi / 2 * (i - rise + 0.5) / LAP)
    return np.where(i < rise, up, down).astype(np.float32)


def spectra(x: Signal) -> NDArray[np.complex64]:
    """One row for each half frame."""
    y = x.astype(np.float32)
    y[1:] -= EMPHASIS * x[:-1].astype(np.float32)
    y = np.concatenate([np.zeros(WINDOW - HALF, np.float32), y])
    rows = np.lib.stride_tricks.sliding_window_view(y, WINDOW)[::HALF] * window()
    return np.fft.rfft(rows, axis=1).astype(np.complex64)


def band_sums(x: Floats) -> Floats:
    return np.add.reduceat(x, EDGES[:-1], axis=1).astype(np.float32)


def tonality(x: NDArray[np.complex64]) -> Floats:
    """For each frame and band: how well the turn of the phases from frame to frame repeats itself, -1 .. 1."""
    turn = np.zeros_like(x[1::2])
    turn[1:] = x[3::2] * x[1:-2:2].conj()
    power = band_sums(np.abs(turn) ** 2)
    last = np.concatenate([turn[:1] * 0, turn[:-1]])
    same = band_sums((turn * last.conj()).real)
    before = np.concatenate([power[:1] * 0, power[:-1]])
    return (same / np.sqrt(power * before + 1e-24)).astype(np.float32)


def unit(x: Signal) -> Signal:
    """Root mean square 1."""
    return x / (np.sqrt((x**2).mean()) + 1e-9)


def wander(n: int, rng: np.random.Generator, hertz: float) -> Signal:
    """A slow random curve, standard deviation 1."""
    m = n // 160 + 2
    f = np.fft.rfftfreq(4 * m, 0.01)
    s = np.fft.irfft(np.fft.rfft(rng.standard_normal(4 * m)) / (1 + (f / hertz) ** 2), 4 * m)[:m]
    return np.interp(np.arange(n) / 160, np.arange(m), s / s.std())


def coloured(n: int, rng: np.random.Generator) -> Signal:
    """Noise with a random spectrum: a tilt, and bumps on it."""
    points = 12
    db = np.cumsum(rng.uniform(-14, 4) * 8.6 / points + rng.normal(0, 4, points))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20) / 20)
    gain = 10 ** (np.interp(octaves, np.linspace(0, np.log2(400), points), db) / 20)
    return unit(np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * gain, n))


def swell(n: int, rng: np.random.Generator) -> Signal:
    return np.asarray(10 ** (rng.uniform(0, 8) * wander(n, rng, rng.choice([0.3, 1, 4])) / 20))


def two(n: int, rng: np.random.Generator, voices: Voices) -> Signal:
    return coloured(n, rng) * swell(n, rng) + rng.uniform(0, 1) * coloured(n, rng) * swell(n, rng)


def steps(n: int, rng: np.random.Generator, voices: Voices) -> Signal:
    x = coloured(n, rng)
    x[rng.integers(n // 5, n * 4 // 5) :] *= 10 ** (rng.uniform(-15, 15) / 20)
    return x


def tones(n: int, rng: np.random.Generator, voices: Voices) -> Signal:
    base = np.exp(rng.uniform(np.log(25), np.log(500))) * (1 + 0.01 * rng.uniform(0, 2) * wander(n, rng, 1.0))
    turn, slope = 2 * np.pi * np.cumsum(base) / RATE, rng.uniform(0, 1.5)
    most = max(2, int(min(rng.integers(3, 40), 7000 / base.max())))
    x = sum(rng.uniform(0.2, 1) / k**slope * np.sin(k * turn + rng.uniform(0, 6)) for k in range(1, most))
    return unit(np.asarray(x)) * swell(n, rng) + rng.uniform(0.1, 1) * coloured(n, rng)


def clicks(n: int, rng: np.random.Generator, voices: Voices) -> Signal:
    x, size = np.zeros(n), 800
    t = np.arange(size) / RATE
    for at in rng.integers(0, n - size, int(n / RATE * np.exp(rng.uniform(1, 5)))):
        ring = rng.standard_normal(size)
        if rng.random() < 0.6:
            ring = np.sin(2 * np.pi * np.exp(rng.uniform(5, 8.8)) * t + rng.uniform(0, 6))
        x[at : at + size] += ring * np.exp(-t / np.exp(rng.uniform(-7.5, -4))) * rng.lognormal(0, 1)
    return unit(x) + rng.uniform(0, 1.5) * coloured(n, rng)


def crowd(n: int, rng: np.random.Generator, voices: Voices) -> Signal:
    x = np.zeros(n)
    for _ in range(rng.integers(4, 12)):
        tail = np.exp(-np.arange(6400) / (rng.uniform(0.02, 0.1) * RATE)) * rng.standard_normal(6400)
        tail[0] = rng.uniform(0, 20)
        one = signal.oaconvolve(running(n, rng, voices), tail)[:n]
        x += unit(one) * 10 ** (rng.uniform(-5, 5) / 20)
    return x


def rumble(n: int, rng: np.random.Generator, voices: Voices) -> Signal:
    cut, order = np.exp(rng.uniform(np.log(40), np.log(400))), rng.uniform(1, 3.5)
    f = np.fft.rfftfreq(n, 1 / RATE)

    def below(hertz: float) -> Signal:
        return unit(np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) / (1 + (f / hertz) ** order), n))

    gust = np.clip(0.6 + 0.5 * wander(n, rng, rng.uniform(0.3, 3)), 0.03, 3)
    return below(cut) * gust + rng.uniform(0.05, 0.5) * below(cut * rng.uniform(1.5, 4)) * gust**2


def bursts(n: int, rng: np.random.Generator, voices: Voices) -> Signal:
    on = np.zeros(n)
    for _ in range(rng.integers(1, 8)):
        at, wide = rng.integers(0, n), rng.integers(400, 12000)
        on[at : at + wide] = rng.uniform(0.3, 1.5)
    return coloured(n, rng) * np.convolve(on, np.ones(80) / 80, "same") + 0.05 * coloured(n, rng)


@dataclass(frozen=True)
class Mix:
    """How often which noise is drawn, and dB from noise to talker in most scenes."""

    families: dict[Callable[..., Signal], float]
    below: tuple[float, float]


EASY = Mix({two: 0.36, steps: 0.08, tones: 0.12, clicks: 0.14, crowd: 0.16, rumble: 0.09, bursts: 0.05}, (-6, 30))
HARD = Mix({two: 0.30, steps: 0.06, tones: 0.10, clicks: 0.18, crowd: 0.18, rumble: 0.14, bursts: 0.04}, (-6, 24))
HARDER = Mix({two: 0.24, steps: 0.05, tones: 0.08, clicks: 0.25, crowd: 0.24, rumble: 0.11, bursts: 0.03}, (-4, 20))
MIXES = {"easy": EASY, "hard": HARD, "harder": HARDER}


def noise(n: int, rng: np.random.Generator, voices: Voices, mix: Mix) -> Signal:
    """One to three noises of random families."""
    x, families = np.zeros(n), list(mix.families)
    for _ in range(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1])):
        make = families[rng.choice(len(families), p=list(mix.families.values()))]
        x += unit(make(n, rng, voices)) * 10 ** (rng.uniform(-8, 0) / 20)
    return unit(x)


def running(n: int, rng: np.random.Generator, voices: Voices) -> Signal:
    """Prompts of one voice one after the other, with pauses, faster or slower (and so higher or lower)."""
    voice = voices[rng.integers(len(voices))]
    speed = int(rng.integers(86, 117))
    need, have = n * max(speed, 100) // 100 + RATE, 0
    parts: list[Floats] = []
    while have < need:
        parts.append(voice[rng.integers(len(voice))])
        if rng.random() < 0.3:
            parts.append(np.zeros(int(RATE * rng.uniform(0, 0.7)), np.float32))
        have = sum(map(len, parts))
    x = np.concatenate(parts)
    at = rng.integers(0, len(x) - need + 1)
    return np.asarray(np.resize(signal.resample_poly(x[at : at + need].astype(np.float64), 100, speed), n))


def in_a_room(x: Signal, rng: np.random.Generator) -> Signal:
    """A random spectrum of the voice, and mostly a random room."""
    n = x.size
    f = np.fft.rfftfreq(n, 1 / RATE)
    db = rng.normal(0, 3, 7) + rng.uniform(-1.5, 1.5) * np.arange(7)
    gain = 10 ** (np.interp(np.log2(np.maximum(f, 50) / 50), np.linspace(0, 7.4, 7), db) / 20)
    if rng.random() < 0.3:
        gain /= np.sqrt(1 + (rng.uniform(80, 300) / np.maximum(f, 1)) ** 4)
    x = np.fft.irfft(np.fft.rfft(x) * gain, n)
    if rng.random() < 0.85:
        t, seconds = np.arange(8000), rng.uniform(0.1, 0.7)
        room = rng.standard_normal(8000) * 10 ** (-3 * t / RATE / seconds)
        room[: int(rng.uniform(10, 80))] = 0
        room *= 10 ** (rng.uniform(-16, -1) / 20) / np.sqrt((room**2).sum())
        room[0] = 1
        x = signal.oaconvolve(x, room)[:n]
    return unit(x)


def load() -> Voices:
    return [
        [unit(trim(decode(p), 0.15)).astype(np.float32) for p in prompts(voice, False) if is_clear(p)]
        for voice in VOICES
    ]


@dataclass
class Pair:
    both: Floats  # Power: half frames x bands.
    talk: Floats
    tones: Floats  # Frames x bands.


def pair(seed: int, seconds: float, voices: Voices, mix: Mix) -> Pair:
    rng = np.random.default_rng([seed, 777])
    n = int(seconds * RATE) // 160 * 160
    talk = in_a_room(running(n, rng, voices), rng)
    snr = rng.uniform(*mix.below) if rng.random() < 0.85 else rng.uniform(mix.below[1], 70)
    around = noise(n, rng, voices, mix) * 10 ** (-snr / 20)
    if rng.random() < 0.04:
        talk *= 1e-4
    loud = 10 ** (rng.uniform(-42, -14) / 20)
    hiss = rng.standard_normal(n) * 10 ** (rng.uniform(-98, -70) / 20)
    heard = spectra(talk * loud + around * loud + hiss)
    return Pair(band_sums(np.abs(heard) ** 2), band_sums(np.abs(spectra(talk * loud)) ** 2), tonality(heard))
