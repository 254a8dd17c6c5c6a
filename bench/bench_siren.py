"""Siren: 10 s of the slow whoop (500 to 1200 Hz in 3.5 s, 0.5 s pause) at 48 kHz, ours and others in the same run.

All tests of the group give the same sound in 16 bits; ours is ``test_axcore...``, a peer is ``test_peer_...``. Each
tells its signal to noise ratio against float64. ``python bench/bench_siren.py`` prints the ratios alone.
"""

import shutil
import subprocess
import sys
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axcore.siren import Tone

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import siren_numpy

SECONDS, RATE = 10, 48000
COUNT = SECONDS * RATE
BLOCK = 960
WHOOP = "NEN 2575 slow whoop"
SOX = shutil.which("sox")
SOX_SYNTH = ["synth", "3.5", "sine", "500:1200", "fade", "h", "0.005", "3.5", "0.005", "pad", "0", "0.5", "repeat", "2"]


def measured(benchmark: Any, samples: Any) -> None:
    """What is counted, and how clean it is."""
    found = np.frombuffer(samples, np.int16)
    assert len(found) >= COUNT - 1
    benchmark.extra_info.update(units=COUNT, unit="samples", snr=f"{siren_numpy.snr(found, SECONDS, RATE):.1f} dB")


@pytest.mark.benchmark(group="siren-sweep")
def test_axcore_at_once(benchmark: Any) -> None:
    out = array("h", bytes(2 * COUNT))
    benchmark(Tone(WHOOP, rate=RATE).render, 0, out)
    measured(benchmark, out)
    assert siren_numpy.snr(np.frombuffer(out, np.int16), SECONDS, RATE) >= 98


@pytest.mark.benchmark(group="siren-sweep")
def test_axcore_blocks_of_20_ms(benchmark: Any) -> None:
    out = array("h", bytes(2 * COUNT))
    blocks = [(pos, memoryview(out)[pos : pos + BLOCK]) for pos in range(0, COUNT, BLOCK)]
    render = Tone(WHOOP, rate=RATE).render

    def run() -> None:
        for pos, block in blocks:
            render(pos, block)

    benchmark(run)
    measured(benchmark, out)


@pytest.mark.benchmark(group="siren-sweep")
def test_peer_numpy(benchmark: Any) -> None:
    found = benchmark(siren_numpy.slow_whoop, SECONDS, RATE)
    measured(benchmark, found)
    ours = array("h", bytes(2 * COUNT))
    Tone(WHOOP, rate=RATE).render(0, ours)
    assert np.max(np.abs(np.frombuffer(ours, np.int16).astype(int) - found)) <= 1


@pytest.mark.benchmark(group="siren-sweep")
@pytest.mark.skipif(SOX is None, reason="sox is not installed")
def test_peer_sox(benchmark: Any) -> None:
    """The whole process, as its users run it: start, synthesis, samples through a pipe; no dither."""
    command = [SOX or "sox", "-D", "-n", "-r", str(RATE), "-b", "16", "-e", "signed", "-c", "1", "-t", "raw", "-"]
    command += [*SOX_SYNTH, "trim", "0", str(SECONDS)]
    found = benchmark(lambda: subprocess.run(command, check=True, capture_output=True).stdout)
    measured(benchmark, found)


def main() -> None:
    """Without pytest-benchmark: ns a sample of ours and numpy's."""
    import timeit

    tone, out = Tone(WHOOP, rate=RATE), array("h", bytes(2 * COUNT))
    ours = min(timeit.repeat(lambda: tone.render(0, out), number=5, repeat=7)) / 5 / COUNT * 1e9
    peer = min(timeit.repeat(lambda: siren_numpy.slow_whoop(SECONDS, RATE), number=1, repeat=5)) / COUNT * 1e9
    print(f"axcore {ours:.2f} ns/sample, SNR {siren_numpy.snr(np.frombuffer(out, np.int16), SECONDS, RATE):.1f} dB")
    print(f"numpy  {peer:.2f} ns/sample, {peer / ours:.0f}x")


if __name__ == "__main__":
    main()
