"""Scenes for the noise suppressor: a talker in a room, and what is heard around a door.

Signals are float64 at 16 kHz; a scene gives the talker alone at the microphone (reverberant) and the microphone.
Levels: the talker at -26 dBFS over the whole scene, the noise so many dB below. `NOISE_SETS` names what is tuned on,
what decisions of design are made on (sentences that the network did not learn from), and what is held out: other rooms,
sentences, seeds, and talkers (the French and the Spanish talkers are in the last set only).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from bench.audio.scenes import ROOMS, fir, pcm, responses
from bench.audio.speech import RATE, Signal, speech

TALK_DB = -26.0
SECONDS = 10.0


def level(x: Signal) -> Signal:
    """Root mean square 1."""
    return x / np.sqrt((x**2).mean())


def shaped(n: int, rng: np.random.Generator, gain: Callable[[Signal], Signal]) -> Signal:
    """Noise with that amplitude over frequency (Hz)."""
    f = np.fft.rfftfreq(n, 1 / RATE)
    return level(np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * gain(np.maximum(f, 1.0)), n))


def drift(n: int, rng: np.random.Generator, hertz: float) -> Signal:
    """A slow random curve, root mean square 1."""
    b, a = signal.butter(2, hertz, fs=RATE / 160)
    slow = signal.lfilter(b, a, rng.standard_normal(n // 160 + 401))[400:]
    return level(np.interp(np.arange(n) / 160, np.arange(slow.size), slow - slow.mean()))


def white(n: int, rng: np.random.Generator) -> Signal:
    return rng.standard_normal(n)


def street(n: int, rng: np.random.Generator) -> Signal:
    """Distant traffic, cars that pass, an engine that idles."""
    t = np.arange(n) / RATE
    x = shaped(n, rng, lambda f: 1 / (1 + (f / 180.0) ** 0.9) / (1 + 40 / f))
    for _ in range(rng.integers(2, 5)):
        at, wide = rng.uniform(0, n / RATE), rng.uniform(0.5, 1.3)
        tyres = shaped(n, rng, lambda f: (f / 900) / (1 + (f / 900) ** 2.0))
        x = x + tyres * rng.uniform(0.4, 1.1) / (1 + ((t - at) / wide) ** 2)
    base = rng.uniform(26, 38)
    turn = np.cumsum(base * (1 + 0.01 * drift(n, rng, 2.0))) / RATE
    engine = sum(np.sin(2 * np.pi * k * turn + rng.uniform(0, 6)) / k**1.1 for k in range(2, 14))
    return level(x + 0.5 * level(np.asarray(engine)))


def rain(n: int, rng: np.random.Generator) -> Signal:
    """A steady hiss, and drops on something that rings shortly."""
    x = shaped(n, rng, lambda f: (f / 1500) ** 0.5 / (1 + (f / 5000) ** 2))
    drops = np.zeros(n)
    size = RATE * 25 // 1000
    t = np.arange(size) / RATE
    for at in rng.integers(0, n - size, int(n / RATE * rng.uniform(40, 80))):
        ring = np.sin(2 * np.pi * rng.uniform(700, 4500) * t) * np.exp(-t / rng.uniform(0.001, 0.006))
        drops[at : at + size] += ring * rng.lognormal(0, 0.8)
    return level(level(x) + 0.8 * level(drops))


def wind(n: int, rng: np.random.Generator) -> Signal:
    """Gusts at the microphone: rumble that reaches higher the stronger it blows."""
    gust = np.clip(0.6 + 0.5 * drift(n, rng, rng.uniform(0.5, 1.0)) + 0.2 * drift(n, rng, 4.0), 0.05, 3.0)
    low = shaped(n, rng, lambda f: 1 / (1 + (f / 80.0) ** 2.5) / (1 + 20 / f))
    high = shaped(n, rng, lambda f: 1 / (1 + (f / 160.0) ** 2.5) / (1 + 30 / f))
    return level(low * gust + 0.2 * high * gust**2)


def hum(n: int, rng: np.random.Generator) -> Signal:
    """The mains and its harmonics, and a fan."""
    t = np.arange(n) / RATE
    mains = sum(rng.uniform(0.3, 1) / k**0.7 * np.sin(2 * np.pi * 50 * k * t + rng.uniform(0, 6)) for k in range(1, 25))
    return level(level(np.asarray(mains)) + 0.4 * shaped(n, rng, lambda f: 1 / (1 + f / 300)))


def babble(n: int, rng: np.random.Generator, held_out: bool = False) -> Signal:
    """Eight talkers at once, in a reverberant room."""
    voices = ("fr", "es", "en", "it") if held_out else ("en", "it", "ru")
    x = np.zeros(n)
    for i in range(8):
        one = speech(voices[i % len(voices)], n / RATE + 0.5, rng, held_out, clear=True)
        one = signal.resample_poly(one, int(rng.integers(92, 109)), 100)  # Other voices from the same people.
        one = np.resize(one, n)
        tail = rng.standard_normal(RATE * 2 // 5) * np.exp(-np.arange(RATE * 2 // 5) / (0.06 * RATE))
        tail[0] = 8
        x += level(fir(tail, one)) * 10 ** (rng.uniform(-4, 4) / 20)
    return level(x)


@dataclass(frozen=True)
class Talker:
    """Who talks, in which room."""

    voice: str
    room: str
    seed: int
    held_out: bool


NOISE_SETS = {
    "tuned": (
        Talker("en", "lobby", 21, False),
        Talker("it", "street", 22, False),
        Talker("ru", "lobby", 23, False),
    ),
    "design": (
        Talker("en", "lobby", 141, True),
        Talker("ru", "porch", 142, True),
        Talker("en", "yard", 143, True),
    ),
    "held-out": (
        Talker("fr", "hall", 31, True),
        Talker("it", "porch", 32, True),
        Talker("es", "yard", 33, True),
        Talker("fr", "porch", 34, True),
    ),
}

NOISES: dict[str, tuple[Callable[..., Signal] | None, float]] = {
    "street0": (street, 0.0),
    "street10": (street, 10.0),
    "babble5": (babble, 5.0),
    "wind0": (wind, 0.0),
    "rain5": (rain, 5.0),
    "hum5": (hum, 5.0),
    "white5": (white, 5.0),
    "clean": (None, 0.0),
}
"""Name of a scene: its noise, and dB from noise to talker."""


@dataclass
class NoiseScene:
    """What a suppressor is given; ``talk`` alone and ``noise`` alone, full scale 1.0, and both as int16."""

    name: str
    talk: Signal
    noise: Signal
    mic: NDArray[np.int16]


class Place:
    """A talker in a room: makes every scene from the same sentences."""

    def __init__(self, talker: Talker, seconds: float = SECONDS) -> None:
        rng = np.random.default_rng(talker.seed)
        self.talker, self.seconds = talker, seconds
        _, _, path = responses(ROOMS[talker.room], rng)
        self.talk = level(fir(path, speech(talker.voice, seconds, rng, talker.held_out, clear=True))) * 10 ** (
            TALK_DB / 20
        )

    def scene(self, name: str) -> NoiseScene:
        make, below = NOISES[name]
        noise = np.zeros_like(self.talk)
        if make is not None:
            rng = np.random.default_rng([self.talker.seed, list(NOISES).index(name)])
            made = make(noise.size, rng, self.talker.held_out) if make is babble else make(noise.size, rng)
            noise = made * 10 ** ((TALK_DB - below) / 20)
        return NoiseScene(name, self.talk, noise, pcm(self.talk + noise))
