"""Noise suppression: ten seconds of talk in noise in frames of 10 ms; ours and the peers' in the same run.

What it sounds like is measured by bench/noise_quality.py. RNNoise works at 48 kHz; its cost is printed there too.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axcore.audio import EchoCanceller, NoiseSuppressor

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import audio_noise

FRAMES = 1000


def heard(rate: int) -> Any:
    """Noise in syllables, over noise."""
    rng = np.random.default_rng(3)
    t = np.arange(FRAMES * rate // 100) / rate
    talk = np.where(np.sin(2 * np.pi * 2.2 * t) > -0.4, 0.6 + 0.4 * np.sin(2 * np.pi * 7 * t), 0.0)
    return (1500 * rng.normal(size=t.size) * talk + 200 * rng.normal(size=t.size)).astype(np.int16)


def ours(benchmark: Any, rate: int) -> None:
    parts = list(heard(rate).reshape(FRAMES, -1))
    noise, out = NoiseSuppressor(rate), np.empty(rate // 100, np.int16)
    benchmark(lambda: [noise.process(part, out) for part in parts])
    benchmark.extra_info.update(units=FRAMES, unit="frames", delay=f"{noise.latency / rate * 1e3:.1f} ms")


@pytest.mark.benchmark(group="ns-16")
def test_axcore_16(benchmark: Any) -> None:
    ours(benchmark, 16000)


@pytest.mark.benchmark(group="ns-16")
@pytest.mark.skipif(audio_noise.Speex.lib is None, reason="libspeexdsp1 is not installed")
def test_peer_speexdsp_16(benchmark: Any) -> None:
    parts = [part.copy() for part in heard(16000).reshape(FRAMES, -1)]
    process = audio_noise.Speex(16000).process
    benchmark(lambda: [process(part) for part in parts])
    benchmark.extra_info.update(units=FRAMES, unit="frames", delay="10.0 ms")


@pytest.mark.benchmark(group="ns-16")
@pytest.mark.skipif(audio_noise.WebRtc.lib is None, reason="libwebrtc-audio-processing1 is not installed")
def test_peer_webrtc_16(benchmark: Any) -> None:
    samples, peer = heard(16000), audio_noise.WebRtc(16000)
    benchmark(peer.run, samples)
    benchmark.extra_info.update(units=FRAMES, unit="frames", delay="6.0 ms")


@pytest.mark.benchmark(group="ns-48")
def test_axcore_48(benchmark: Any) -> None:
    ours(benchmark, 48000)


@pytest.mark.benchmark(group="ns-48")
@pytest.mark.skipif(audio_noise.RnNoise.lib is None, reason="pyrnnoise is not installed")
def test_peer_rnnoise_48(benchmark: Any) -> None:
    samples, peer = heard(48000), audio_noise.RnNoise(48000)
    benchmark(peer.run, samples)
    benchmark.extra_info.update(units=FRAMES, unit="frames", delay="20.0 ms")


@pytest.mark.benchmark(group="ns-chained")
@pytest.mark.parametrize("chained", [False, True], ids=["alone", "chained"])
def test_axcore_behind_a_canceller(benchmark: Any, chained: bool) -> None:
    parts = list(heard(16000).reshape(FRAMES, -1))
    canceller, noise, out = EchoCanceller(16000), NoiseSuppressor(16000), np.empty(160, np.int16)
    if chained:
        canceller.chain(noise)
    benchmark(lambda: [canceller.process(part, part, out) for part in parts])
    benchmark.extra_info.update(units=FRAMES, unit="frames")
