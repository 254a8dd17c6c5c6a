"""DTMF: a minute at 8 kHz with keys in it, ours and numpy in the same run.

The peer does the same analysis, windows of 25 ms every 5 ms at eight frequencies, as one product of matrices over the
whole minute; then a threshold and a comparison. It has neither our timing nor our talk-off, and cannot listen piece
by piece.
"""

from typing import Any

import numpy as np
import pytest

from axcore.audio import DtmfDetector, DtmfGenerator

SECONDS, RATE, BLOCK, HOP = 60, 8000, 200, 40
KEYS = "123A456B789C*0#D"
SOUND = np.tile(np.asarray(DtmfGenerator(KEYS, on_ms=125, off_ms=125).samples()), 15)
HERTZ = [697, 770, 852, 941, 1209, 1336, 1477, 1633]
BANK = np.hanning(BLOCK)[:, None] * np.exp(-2j * np.pi * np.outer(np.arange(BLOCK), HERTZ) / RATE)


def by_numpy(samples: Any) -> str:
    """Keys, one for each run of equal blocks."""
    blocks = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), BLOCK)[::HOP]
    power = np.abs(blocks @ BANK) ** 2
    loud = power[:, :4].max(1) + power[:, 4:].max(1) > 0.1 * BLOCK * (blocks**2).sum(1)
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
