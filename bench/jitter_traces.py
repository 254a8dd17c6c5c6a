"""Traces of network delay, and how a jitter buffer is judged on them: the E-model's R.

Four ways of the network, made from seeds: packets of 20 ms; a number is when packet i arrives, in ms after it could
have arrived at the earliest (NaN: never). ``lan``: a quiet wire with rare outliers. ``wifi``: an exponential jitter,
and a link that is blocked now and then, more often while the channel is busy, so that packets bunch. ``lte``: losses
in bursts, and load that raises the delay for seconds, with rare stalls. ``step``: the way becomes 60 ms longer in the
middle.

R after ITU-T G.107 (2015) with its defaults: 93.2 - Id - Ie,eff. Id is 0.024 d + 0.11 max(0, d - 177.3) with d = 40
ms (packet and coder) + the mean delay of what was played over the fastest packet; Ie,eff is 95 p / (p + 25.1) for
G.711 with concealment, p the percentage of frames that were not played, or of concealed time where that is more.
Stretched frames are counted and shown beside it, and not held against anybody.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FRAME_MS = 20.0
SECONDS = 120
TUNED = tuple(range(1, 9))
HELD_OUT = tuple(range(101, 109))
FRESH = tuple(range(1001, 1033))
"""Seen once while the first delay was chosen; not otherwise."""
Trace = npt.NDArray[np.float64]


def in_order(delay: Trace, blocked: list[tuple[float, float]] | None = None) -> Trace:
    """Delays of a link that keeps the order: what is sent while it is blocked comes when it opens again."""
    sent = np.arange(len(delay)) * FRAME_MS
    arrival = sent + delay
    for start, length in blocked or []:
        first, last = np.searchsorted(arrival, [start, start + length])
        arrival[first:last] = start + length + 0.2 * np.arange(last - first)
    return np.maximum.accumulate(arrival) - sent


def burst_loss(rng: np.random.Generator, n: int, rate: float, mean_burst: float) -> npt.NDArray[np.bool_]:
    """Gilbert's two states: mean loss and mean length of a burst."""
    leave = 1 / mean_burst
    enter = rate * leave / (1 - rate)
    lost, bad, draws = np.zeros(n, bool), False, rng.random(n)
    for i in range(n):
        bad = draws[i] >= leave if bad else draws[i] < enter
        lost[i] = bad
    return lost


def lan(rng: np.random.Generator, n: int) -> Trace:
    """Mean 1.5 ms; one packet in 500 is held up for 10 to 60 ms."""
    delay = rng.exponential(1.5, n)
    return in_order(delay + np.where(rng.random(n) < 0.002, rng.uniform(10, 60, n), 0))


def wifi(rng: np.random.Generator, n: int) -> Trace:
    """Calm for 4 s and busy for 1.3 s in the mean; blocked 0.5 times a second when calm, 4 times when busy."""
    blocked, t, busy, until = [], 0.0, False, rng.exponential(4000)
    while t < n * FRAME_MS:
        t += rng.exponential(250 if busy else 2000)
        if t > until:
            t, busy = until, not busy
            until = t + rng.exponential(1300 if busy else 4000)
            continue
        blocked.append((t, rng.exponential(42)))
    delay = in_order(rng.exponential(3, n), blocked)
    return np.where(burst_loss(rng, n, 0.006, 1.5), np.nan, delay)


def lte(rng: np.random.Generator, n: int) -> Trace:
    """Load for 2 to 5 s every 12 s or so, with a delay up to 30 to 90 ms; a stall of 40 to 160 ms every 12 s or so."""
    sent = np.arange(n) * FRAME_MS
    slow, blocked, t = np.zeros(n), [], 0.0
    while (t := t + rng.exponential(9000) + 3000) < n * FRAME_MS:
        length, height = rng.uniform(2000, 5000), rng.uniform(30, 90)
        inside = (sent >= t) & (sent < t + length)
        slow[inside] += height * np.sin(np.pi * (sent[inside] - t) / length) ** 2
        blocked.append((t + rng.uniform(-3000, 6000), rng.uniform(40, 160)))
    delay = in_order(rng.exponential(4, n) + slow, [b for b in sorted(blocked) if b[0] > 0])
    return np.where(burst_loss(rng, n, 0.034, 1.6), np.nan, delay)


def step(rng: np.random.Generator, n: int) -> Trace:
    """Mean 4.3 ms, and 60 ms more in the second half."""
    return in_order(rng.exponential(4.3, n) + np.where(np.arange(n) < n // 2, 0, 60))


TRACES: dict[str, Callable[[np.random.Generator, int], Trace]] = {"lan": lan, "wifi": wifi, "lte": lte, "step": step}
GOALS = {"lan": 91.6, "wifi": 87.0, "lte": 79.5, "step": 90.5}


def make(name: str, seed: int, seconds: int = SECONDS) -> Trace:
    """The trace, its fastest packet at 0."""
    n = int(seconds * 1000 / FRAME_MS)
    delay = TRACES[name](np.random.default_rng([seed, *name.encode()]), n)
    result: Trace = delay - np.nanmin(delay)
    return result


def rating(delay_ms: float, gap_percent: float) -> float:
    """R of the E-model for a mean delay over the fastest packet and a share of frames that were not played."""
    d = 40 + delay_ms
    return 93.2 - 0.024 * d - 0.11 * max(0.0, d - 177.3) - 95 * gap_percent / (gap_percent + 25.1)


def fixed(delay: Trace, buffer_ms: float) -> tuple[float, float, float]:
    """R, mean delay and gaps of a buffer that never moves."""
    late = np.isnan(delay) | (np.nan_to_num(delay) > buffer_ms)
    gaps = 100 * float(late.mean())
    return rating(buffer_ms, gaps), buffer_ms, gaps


def best_fixed(delay: Trace) -> tuple[float, float, float]:
    """The best of the fixed buffers of 20, 40 .. 200 ms."""
    return max(fixed(delay, buffer_ms) for buffer_ms in range(20, 201, 20))


def describe(name: str, seeds: tuple[int, ...]) -> str:
    """Loss, the constant delay with 1 % late, and the best fixed buffer, as means over the seeds."""
    traces = [make(name, seed) for seed in seeds]
    lost = 100 * float(np.mean([np.isnan(t).mean() for t in traces]))
    oracle = float(np.mean([np.nanquantile(t, 0.99) for t in traces]))
    whole = np.concatenate(traces)
    value, buffer_ms, _ = best_fixed(whole)
    return f"{name}: lost {lost:.2f} %, 1 % later than {oracle:.0f} ms, best fixed {value:.1f} ({buffer_ms:.0f} ms)"


def arrivals(delay: Trace) -> list[tuple[int, int]]:
    """Arrival in ns and number of each packet that arrives, in the order of arrival."""
    at = (np.arange(len(delay)) * FRAME_MS + delay) * 1e6
    order = [int(i) for i in np.argsort(at, kind="stable") if not math.isnan(at[i])]
    return [(int(at[i]) + 1_000_000_000, i) for i in order]


if __name__ == "__main__":
    for kind in TRACES:
        for these in (TUNED, HELD_OUT):
            print(describe(kind, these))
