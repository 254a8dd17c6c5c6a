"""Automatic gain: ten seconds of talk at -30 dBFS in frames of 10 ms, ours and speexdsp's in the same run.

Ours must come within 2 dB of its target and never clip; where the peer ends is printed beside.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axcore.audio import GainControl

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import audio_speexdsp

FRAMES = 1000


def talk(rate: int, db: float) -> Any:
    """Noise in syllables."""
    noise = np.random.default_rng(3).normal(size=FRAMES * rate // 100)
    t = np.arange(len(noise)) / rate
    shape = np.where(np.sin(2 * np.pi * 2.2 * t) > -0.4, 0.6 + 0.4 * np.sin(2 * np.pi * 7 * t), 0.003)
    x = noise * shape
    x *= 32768 * 10 ** (db / 20) / np.sqrt((x[shape > 0.1] ** 2).mean())
    return np.clip(x, -32768, 32767).astype(np.int16)


def ours(benchmark: Any, rate: int) -> None:
    samples, n = talk(rate, -30), rate // 100
    parts = [samples[i * n : (i + 1) * n] for i in range(FRAMES)]
    gain, out = GainControl(rate), np.empty(n, np.int16)
    benchmark(lambda: [gain.process(part, out) for part in parts])
    gain.reset()
    whole = np.concatenate([gain.process(part) for part in parts])
    found = audio_speexdsp.level(whole[rate:])
    benchmark.extra_info.update(units=FRAMES, unit="frames", level=f"{found:.1f} dBFS")
    assert abs(found + 20) < 2
    assert np.abs(whole.astype(int)).max() < 32700


def speex(benchmark: Any, rate: int) -> None:
    samples, n = talk(rate, -30), rate // 100
    parts = [samples[i * n : (i + 1) * n].copy() for i in range(FRAMES)]
    process = audio_speexdsp.Agc(rate).process
    benchmark(lambda: [process(part) for part in parts])
    fresh = [samples[i * n : (i + 1) * n].copy() for i in range(FRAMES)]
    once = audio_speexdsp.Agc(rate)
    for part in fresh:
        once.process(part)
    found = audio_speexdsp.level(np.concatenate(fresh)[rate:])
    benchmark.extra_info.update(units=FRAMES, unit="frames", level=f"{found:.1f} dBFS")


@pytest.mark.benchmark(group="agc-16")
def test_axcore_16(benchmark: Any) -> None:
    ours(benchmark, 16000)


@pytest.mark.benchmark(group="agc-16")
@pytest.mark.skipif(audio_speexdsp.lib is None, reason="libspeexdsp1 is not installed")
def test_peer_speexdsp_16(benchmark: Any) -> None:
    speex(benchmark, 16000)


@pytest.mark.benchmark(group="agc-48")
def test_axcore_48(benchmark: Any) -> None:
    ours(benchmark, 48000)


@pytest.mark.benchmark(group="agc-48")
@pytest.mark.skipif(audio_speexdsp.lib is None, reason="libspeexdsp1 is not installed")
def test_peer_speexdsp_48(benchmark: Any) -> None:
    speex(benchmark, 48000)
