"""What the noise suppressor's frames and bands could do: the talker's own power in each band sets its gain.

The windows, bands and delay are those of ``cext/audio/ax_ns.c``; the gains are those of a Wiener filter that knows the
talker. What is lost against this is lost by not knowing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from bench.audio.noises import NoiseScene
from bench.audio.speech import Signal
from bench.audio.training_scenes import BANDS, EDGES, EMPHASIS, HALF, LAP, WINDOW, band_sums, spectra, window


def _between() -> tuple[NDArray[np.int64], Signal]:
    """For each bin: the band on its left, and how far it lies from that one's middle to the next one's."""
    middle = (EDGES[:-1] + EDGES[1:] - 1) / 2
    bins = np.arange(EDGES[-1])
    left = np.clip(np.searchsorted(middle, bins, "right") - 1, 0, BANDS - 2)
    return left, np.clip((bins - middle[left]) / (middle[left + 1] - middle[left]), 0, 1)


def synthesize(rows: NDArray[np.complex64], n: int) -> Signal:
    """Spectra of half frames back to ``n`` samples, without the delay."""
    rising = np.sin(np.pi / 2 * (np.arange(LAP) + 0.5) / LAP) ** 2
    last = window()[-HALF - LAP :]
    shape = np.concatenate([np.append(rising, np.ones(HALF - LAP)) / last[:HALF], last[HALF:]])
    parts = np.fft.irfft(rows, WINDOW, axis=1)[:, -HALF - LAP :] * shape
    out = np.zeros((len(rows) + 1) * HALF)
    for i, part in enumerate(parts):
        out[i * HALF : i * HALF + HALF + LAP] += part
    out = signal.lfilter([1], [1, -EMPHASIS], out)[LAP:]
    return np.concatenate([out, np.zeros(n)])[:n]


def ideal(scene: NoiseScene) -> Signal:
    """The scene's microphone through ideal gains, full scale 1.0."""
    mic = scene.mic / 32768.0
    heard = spectra(mic)
    both, talk = (band_sums(np.abs(x) ** 2) for x in (heard, spectra(scene.talk)))
    gain = np.minimum(talk / (both + 1e-12), 1)
    left, part = _between()
    return synthesize(heard * (gain[:, left] + part * (gain[:, left + 1] - gain[:, left])), mic.size)
