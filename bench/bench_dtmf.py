"""DTMF: a minute at 8 kHz with keys in it, ours and numpy in the same run.

The peer does what detectors in Python do: power at eight frequencies in blocks of 205 samples by one product of matrices, a
threshold, and a comparison; it has neither our timing nor our talk-off.
"""

from typing import Any

import numpy as np
import pytest

from axcore.audio import DtmfDetector, DtmfGenerator

SECONDS, RATE, BLOCK = 60, 8000, 205
KEYS = "123A456B789C*0#D"
SOUND = np.tile(np.asarray(DtmfGenerator(KEYS, on_ms=125, off_ms=125).samples()), 15)
BANK = np.exp(-2j * np.pi * np.outer(np.arange(BLOCK), [697, 770, 852, 941, 1209, 1336, 1477, 1633]) / RATE)


def by_numpy(samples: Any) -> str:
    """Keys, one for each run of equal blocks."""
    blocks = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK).astype(np.float64)
    power = np.abs(blocks @ BANK) ** 2
    loud = power[:, :4].max(1) + power[:, 4:].max(1) > 0.5 * BLOCK / 2 * (blocks**2).sum(1)
    keys = np.where(loud & (blocks.std(1) > 300), power[:, :4].argmax(1) * 4 + power[:, 4:].argmax(1), -1)
    return "".join(KEYS[key] for key, before in zip(keys[1:], keys[:-1], strict=True) if key >= 0 and key != before)


@pytest.mark.benchmark(group="dtmf-minute")
def test_axcore(benchmark: Any) -> None:
    detector = DtmfDetector(RATE)
    events = detector.feed(SOUND)
    assert "".join(event.key for event in events if event.down) == KEYS * 15
    benchmark(detector.feed, SOUND)
    benchmark.extra_info.update(units=SECONDS, unit="seconds of sound")


@pytest.mark.benchmark(group="dtmf-minute")
def test_peer_numpy(benchmark: Any) -> None:
    assert len(by_numpy(SOUND)) > 200
    benchmark(by_numpy, SOUND)
    benchmark.extra_info.update(units=SECONDS, unit="seconds of sound")
