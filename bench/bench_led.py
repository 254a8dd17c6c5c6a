"""Light: frames of LEDs, ours and numpy in the same run.

*led-1024*: white with a tail turning over a steady color on 1024 LEDs, with gamma, dither and motion between LEDs,
against numpy as one would write it; *led-1024-tuned* against numpy that allocates nothing. *led-catalogue-144*: a frame
of each of the 23 patterns on the siren's 144 LEDs. Every call goes through the Python API. ``python
bench/bench_led.py`` prints the numbers alone, without pytest.
"""

import sys
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axcore._native.led import LEVELS
from axcore.led import PATTERNS, SCREEN, Layout, Pattern

sys.path.insert(0, str(Path(__file__).parent / "peers"))
from led_numpy import GAMMA, Catalogue, Naive, Preallocated

COUNT = 1024
RED = (65535, 0, 0)
PERIOD = 2_000_000_000
LINE = 255 * (1 / 256) ** (1 / GAMMA)
START, STEP = 1_700_000_000_000_000_000, 10_000_000
FRAMES = 100
NAME = "Rotate tail white + steady color"
STRIP = Pattern(NAME, Layout.strip(COUNT), colors=[RED], level=65535, speed=2)
OUT = np.zeros((COUNT, 3), np.uint8)
CATALOGUE = [
    Pattern(info.name, colors=["red", "blue"][: max(1, info.colors.min_colors)] if info.colors.max_colors else [])
    for info in PATTERNS.values()
]
OUT144 = np.zeros((144, 3), np.uint8)
NAIVE, TUNED = Naive(COUNT, RED, PERIOD), Preallocated(COUNT, RED, PERIOD)


def kind(name: str) -> str:
    """How the peer draws a pattern."""
    if name.startswith(("Direction", "Rotate", "Spin")):
        return "window"
    return "sections" if name.startswith(("Alternate", "Random")) or name == "Steady white + steady color" else "whole"


PEER = Catalogue(144, 12, [kind(name) for name in PATTERNS])


def ours_1024() -> None:
    frame8, out, curve, t = STRIP.frame8, OUT, SCREEN, START
    for number in range(FRAMES):
        frame8(t, number, out, curve)
        t += STEP


def naive_1024() -> None:
    t = START
    for number in range(FRAMES):
        NAIVE.codes(t, number)
        t += STEP


def tuned_1024() -> None:
    t = START
    for number in range(FRAMES):
        TUNED.codes(t, number)
        t += STEP


def ours_catalogue() -> None:
    out, curve, t = OUT144, SCREEN, START
    draw = [pattern.frame8 for pattern in CATALOGUE]
    for number in range(FRAMES):
        for frame8 in draw:
            frame8(t, number, out, curve)
        t += STEP


def numpy_catalogue() -> None:
    t = START
    for number in range(FRAMES):
        PEER.frames(t, number)
        t += STEP


def same_work() -> int:
    """How far codes of ours and of both peers are apart, at worst; in the darkest 256th of light, ours is a line."""
    worst = 0
    for number in range(20):
        t = START + number * 123_456_789
        mine = STRIP.frame8(t, number, bytearray(3 * COUNT), SCREEN)
        seen = np.frombuffer(mine, np.uint8).reshape(COUNT, 3).astype(int)
        for peer in (NAIVE, TUNED):
            expected = peer.codes(t, number).astype(int)
            worst = max(worst, int(np.abs(seen - expected)[expected > LINE].max()))
    return worst


def measured(benchmark: Any, work: Callable[[], None], units: int) -> None:
    assert same_work() <= 1
    benchmark.extra_info.update(units=units, unit="frames", variant=LEVELS[-1], gamma=GAMMA)
    benchmark(work)


@pytest.mark.benchmark(group="led-1024")
def test_axcore(benchmark: Any) -> None:
    measured(benchmark, ours_1024, FRAMES)


@pytest.mark.benchmark(group="led-1024")
def test_peer_numpy_naive(benchmark: Any) -> None:
    measured(benchmark, naive_1024, FRAMES)


@pytest.mark.benchmark(group="led-1024-tuned")
def test_axcore_again(benchmark: Any) -> None:
    measured(benchmark, ours_1024, FRAMES)


@pytest.mark.benchmark(group="led-1024-tuned")
def test_peer_numpy_preallocated(benchmark: Any) -> None:
    measured(benchmark, tuned_1024, FRAMES)


@pytest.mark.benchmark(group="led-catalogue-144")
def test_axcore_catalogue(benchmark: Any) -> None:
    measured(benchmark, ours_catalogue, FRAMES * len(CATALOGUE))


@pytest.mark.benchmark(group="led-catalogue-144")
def test_peer_numpy_catalogue(benchmark: Any) -> None:
    measured(benchmark, numpy_catalogue, FRAMES * len(CATALOGUE))


def main() -> None:
    """Shortest of thirty rounds each."""
    print(f"variant {LEVELS[-1]}, codes differ by {same_work()} at most")
    rows: list[tuple[str, Callable[[], None], Callable[[], None], int]] = [
        ("1024 LEDs, naive numpy", ours_1024, naive_1024, FRAMES),
        ("1024 LEDs, tuned numpy", ours_1024, tuned_1024, FRAMES),
        ("catalogue, 144 LEDs", ours_catalogue, numpy_catalogue, FRAMES * len(CATALOGUE)),
    ]
    for name, ours, peer, units in rows:
        a, b = (min(timeit.repeat(work, number=1, repeat=30)) / units for work in (ours, peer))
        print(f"{name:<26}{a * 1e6:8.3f} us  {1 / a:12,.0f} frames/s   peer {b * 1e6:8.2f} us   {b / a:6.1f}x")


if __name__ == "__main__":
    main()
