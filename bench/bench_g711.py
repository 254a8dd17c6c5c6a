"""G.711: a second of speech in packets of 20 ms, ours and numpy's tables in the same run."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axcore.audio import G711

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import audio_numpy

N, PACKET = 8000, 160
PCM = np.random.default_rng(1).integers(-32768, 32768, N).astype(np.int16)
CODES = audio_numpy.encode(PCM)


@pytest.mark.benchmark(group="g711-encode")
def test_axcore_encode(benchmark: Any) -> None:
    encode, out = G711("mu").encode, np.empty(PACKET, np.uint8)
    packets = [PCM[i : i + PACKET] for i in range(0, N, PACKET)]
    benchmark(lambda: [encode(packet, out) for packet in packets])
    benchmark.extra_info.update(units=N // PACKET, unit="packets")
    assert np.array_equal(G711("mu").encode(PCM), CODES)


@pytest.mark.benchmark(group="g711-encode")
def test_peer_numpy_encode(benchmark: Any) -> None:
    packets = [PCM[i : i + PACKET] for i in range(0, N, PACKET)]
    benchmark(lambda: [audio_numpy.encode(packet) for packet in packets])
    benchmark.extra_info.update(units=N // PACKET, unit="packets")


@pytest.mark.benchmark(group="g711-decode")
def test_axcore_decode(benchmark: Any) -> None:
    decode, out = G711("mu").decode, np.empty(PACKET, np.int16)
    packets = [CODES[i : i + PACKET] for i in range(0, N, PACKET)]
    benchmark(lambda: [decode(packet, out) for packet in packets])
    benchmark.extra_info.update(units=N // PACKET, unit="packets")
    assert np.array_equal(G711("mu").decode(CODES), audio_numpy.decode(CODES))


@pytest.mark.benchmark(group="g711-decode")
def test_peer_numpy_decode(benchmark: Any) -> None:
    packets = [CODES[i : i + PACKET] for i in range(0, N, PACKET)]
    benchmark(lambda: [audio_numpy.decode(packet) for packet in packets])
    benchmark.extra_info.update(units=N // PACKET, unit="packets")


@pytest.mark.benchmark(group="g711-encode-long")
def test_axcore_encode_long(benchmark: Any) -> None:
    encode, out, long = G711("mu").encode, np.empty(60 * N, np.uint8), np.tile(PCM, 60)
    benchmark(encode, long, out)
    benchmark.extra_info.update(units=60 * N, unit="samples")


@pytest.mark.benchmark(group="g711-encode-long")
def test_peer_numpy_encode_long(benchmark: Any) -> None:
    long = np.tile(PCM, 60)
    benchmark(audio_numpy.encode, long)
    benchmark.extra_info.update(units=60 * N, unit="samples")
