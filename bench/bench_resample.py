"""The resampler: 48 kHz to 16 kHz and 44.1 kHz to 48 kHz in frames of 10 ms, ours and speexdsp's in the same run.

Both have a stop band of 90 dB or more: speexdsp at quality 8 (its own table: 160 taps).
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axcore.audio import Resampler

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import audio_speexdsp

FRAMES = 100
PAIRS = {"resample-48-16": (48000, 16000), "resample-441-48": (44100, 48000)}
NOISE = np.random.default_rng(2).integers(-9000, 9000, 48000).astype(np.int16)


def frames(rate: int) -> list[Any]:
    """A second."""
    n = rate // 100
    return [NOISE[i * n : (i + 1) * n].copy() for i in range(FRAMES)]


def ours(benchmark: Any, source: int, target: int) -> None:
    process, out, parts = Resampler(source, target).process, np.empty(target // 100, np.int16), frames(source)
    benchmark(lambda: [process(part, out) for part in parts])
    benchmark.extra_info.update(units=FRAMES, unit="frames")


def speex(benchmark: Any, source: int, target: int) -> None:
    process, out = audio_speexdsp.Resampler(source, target, 8).process, np.empty(target // 100 + 8, np.int16)
    parts = frames(source)
    benchmark(lambda: [process(part, out) for part in parts])
    benchmark.extra_info.update(units=FRAMES, unit="frames")


@pytest.mark.benchmark(group="resample-48-16")
def test_axcore_48_16(benchmark: Any) -> None:
    ours(benchmark, *PAIRS["resample-48-16"])


@pytest.mark.benchmark(group="resample-48-16")
@pytest.mark.skipif(audio_speexdsp.lib is None, reason="libspeexdsp1 is not installed")
def test_peer_speexdsp_48_16(benchmark: Any) -> None:
    speex(benchmark, *PAIRS["resample-48-16"])


@pytest.mark.benchmark(group="resample-441-48")
def test_axcore_441_48(benchmark: Any) -> None:
    ours(benchmark, *PAIRS["resample-441-48"])


@pytest.mark.benchmark(group="resample-441-48")
@pytest.mark.skipif(audio_speexdsp.lib is None, reason="libspeexdsp1 is not installed")
def test_peer_speexdsp_441_48(benchmark: Any) -> None:
    speex(benchmark, *PAIRS["resample-441-48"])
