"""The slow whoop as one would write it with numpy: the closed form of the phase in float64, a sine, rounded to 16 bits.

It has no intensity, no mixing and no blocks: the whole sound at once, with its soft edges.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
LOW, HIGH, SWEEP_S, PAUSE_S, EDGE_S = 500.0, 1200.0, 3.5, 0.5, 0.005


def phase(seconds: float, rate: int) -> tuple[Array, Array]:
    """Cycles since the start of each whoop, and whether there is one (float64, bool)."""
    t = np.arange(round(seconds * rate)) % round((SWEEP_S + PAUSE_S) * rate) / rate
    return LOW * t + (HIGH - LOW) / SWEEP_S * t * t / 2, t < SWEEP_S


def envelope(seconds: float, rate: int) -> Array:
    """0 to 1, smooth edges of 5 ms."""
    n, edge = round(SWEEP_S * rate), round(EDGE_S * rate)
    at = np.arange(round(seconds * rate)) % round((SWEEP_S + PAUSE_S) * rate)
    x = np.clip(np.minimum(at + 0.5, n - at - 0.5) / edge, 0, 1)
    return x * x * (3 - 2 * x)


def slow_whoop(seconds: float, rate: int, peak: float = 32767.0) -> Array:
    """int16."""
    cycles, on = phase(seconds, rate)
    sound = np.where(on, np.sin(2 * np.pi * (cycles % 1.0)), 0.0) * envelope(seconds, rate)
    return np.rint(sound * peak).astype(np.int16)


def snr(samples: Array, seconds: float, rate: int) -> float:
    """dB over the sounding part without its edges; amplitude and a constant phase are fitted: peers start anywhere."""
    cycles, _ = phase(seconds, rate)
    steady = envelope(seconds, rate) == 1
    turn = 2 * np.pi * (cycles[steady] % 1.0)
    basis = np.stack([np.sin(turn), np.cos(turn)], axis=1)
    found = samples[: len(cycles)][steady].astype(float)
    fit = basis @ np.linalg.lstsq(basis, found, rcond=None)[0]
    return float(10 * np.log10(np.mean(fit**2) / np.mean((found - fit) ** 2)))
