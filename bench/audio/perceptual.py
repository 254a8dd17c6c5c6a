"""How unlike the talker what is left sounds: a disturbance in loudness after ITU-T P.862, on powers of bands.

What P.862 has and this does not: alignment in time, the filter of a telephone, and the compensation of gain and of
the spectrum of the whole; its sixth power over 0.3 s is a fourth here. Levels: the talker at 79 dB SPL, as there.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from bench.audio.training_scenes import EDGES, EMPHASIS

HERTZ = (EDGES[:-1] + EDGES[1:] - 1) / 2 * 50.0
BARK = 6 * np.arcsinh(EDGES * 50.0 / 600)
WIDTH = np.diff(BARK)
_KHZ = np.maximum(HERTZ, 40) / 1000
THRESHOLD = 10 ** (0.1 * (3.64 * _KHZ**-0.8 - 6.5 * np.exp(-0.6 * (_KHZ - 3.3) ** 2) + 1e-3 * _KHZ**4))
"""Of hearing, in power of a band, 0 dB SPL = 1 (Terhardt, 1979)."""
FLAT = 1 / np.abs(1 - EMPHASIS * np.exp(-2j * np.pi * np.maximum(HERTZ, 25) / 16000)) ** 2
"""Takes the emphasis off again."""
LEVEL = 10**7.9
ZWICKER, LOUDNESS = 0.23, 0.1866
SPAN = 32  # Frames over which the loudest moments count more.
SYMMETRIC, ASYMMETRIC = 0.1, 0.0309


def _loudness(power: Any) -> Any:
    return LOUDNESS * (THRESHOLD / 0.5) ** ZWICKER * jnp.maximum((0.5 + 0.5 * power / THRESHOLD) ** ZWICKER - 1, 0)


def _smooth(power: Any) -> Any:
    """Two frames at a time: about the 32 ms of P.862."""
    mean = power.mean(-1)
    return 0.5 * (mean[1:] + mean[:-1])


def disturbance(heard: Any, talk: Any) -> Any:
    """Powers, time x sequences x bands x 2 -> what is lost of the mean opinion score, per sequence, about."""
    a, b = _smooth(heard) * FLAT, _smooth(talk) * FLAT
    every = b.sum(-1)
    loud = every * (every > 0.05 * every.mean(0))
    scale = LEVEL * (every > 0.05 * every.mean(0)).sum(0) / (loud.sum(0) + 1e-9)
    a, b = a * scale[None, :, None], b * scale[None, :, None]
    la, lb = _loudness(a), _loudness(b)
    apart = la - lb
    deaf = 0.25 * jnp.minimum(la, lb)
    apart = jnp.sign(apart) * jnp.maximum(jnp.abs(apart) - deaf, 0)
    ratio = ((a + 50 * WIDTH) / (b + 50 * WIDTH)) ** 1.2
    ratio = jnp.where(ratio < 3, 0.0, jnp.minimum(ratio, 12))
    total = WIDTH.sum()
    even = jnp.sqrt((apart**2 * WIDTH).sum(-1) / total + 1e-6) * np.sqrt(total)
    uneven = (jnp.abs(apart) * ratio * WIDTH).sum(-1)
    weight = ((b.sum(-1) + 1e5) / 1e7) ** 0.04
    n = a.shape[0] // SPAN

    def over_time(d: Any) -> Any:
        d = (jnp.minimum(d / weight, 45.0)[: n * SPAN] + 1e-3).reshape(n, SPAN, -1)
        return jnp.sqrt(((d**4).mean(1) ** 0.5).mean(0))

    return SYMMETRIC * over_time(even) + ASYMMETRIC * over_time(uneven)
