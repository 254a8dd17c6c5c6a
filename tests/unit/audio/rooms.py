"""Sounds and rooms for the tests of the canceller: seeded, small, numpy only. Signals are float32, full scale 1.0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float32]
RATE = 16000


def voice(seconds: float, seed: int, level: float = 0.1) -> Signal:
    """Like speech: noise that falls towards high frequencies, in syllables with pauses."""
    rng = np.random.default_rng(seed)
    n = int(seconds * RATE)
    white = rng.standard_normal(n + 64)
    coloured = np.convolve(white, 0.85 ** np.arange(64))[64 : 64 + n]
    beat = np.sin(2 * np.pi * 3.3 * np.arange(n) / RATE + seed)
    x = coloured * np.maximum(beat + 0.3, 0.0)
    return np.asarray(level * x / np.sqrt((x**2).mean()), np.float32)


def echo(x: Signal, delay: int = 40, seed: int = 0) -> Signal:
    """``x`` in a room that fades in 60 ms, ``delay`` samples late."""
    rng = np.random.default_rng(seed)
    taps = np.arange(900)
    h = np.where(taps == 0, 0.6, 0.15 * rng.uniform(-1, 1, 900)) * np.exp(-taps / 130.0)
    size = 1 << int(np.ceil(np.log2(x.size + 900)))
    y = np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(h, size), size)[: x.size]
    return np.asarray(np.concatenate([np.zeros(delay), y])[: x.size], np.float32)


def db(a: Signal, b: Signal) -> float:
    """Energy of a over that of b."""
    above, below = (float((x.astype(np.float64) ** 2).sum()) for x in (a, b))
    return float(10 * np.log10(above / max(below, 1e-12)))
