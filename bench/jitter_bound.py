"""How good a jitter buffer could be on a trace: an oracle that knows every arrival before the first packet comes.

It may do to the frames what ours does: play one in up to twice its length or in three quarters of it, conceal, leave
one out. The delay of every frame is chosen by dynamic programming over (frame, delay) for the greatest R. R is not a
sum over frames, so its slope by the gaps is found by iteration. A causal buffer stays below: it cannot stretch for
a stall before it begins.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

import jitter_traces as traces

STEP_MS = 1.0
MOST_MS = 300
LONGER = 20
SHORTER = 5
ROUNDS = 3
Costs = npt.NDArray[np.float64]


class Bound(NamedTuple):
    """R, mean delay (ms), gaps (percent)."""

    r: float
    delay_ms: float
    gaps: float


def _least(costs: Costs, lower: int, higher: int) -> tuple[Costs, npt.NDArray[np.int16]]:
    """For each place, the least of those from ``lower`` before to ``higher`` after it, and where."""
    padded = np.concatenate([np.full(lower, np.inf), costs, np.full(higher, np.inf)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, lower + higher + 1)
    at = windows.argmin(axis=1)
    places = np.arange(len(costs))
    return windows[places, at], (places + at - lower).astype(np.int16)


def schedule(delay: traces.Trace, per_ms: float, per_gap: float) -> tuple[float, float]:
    """Mean delay of what is played and percent of gaps of the cheapest schedule: ``per_ms`` for a played frame's delay,
    ``per_gap`` for a frame of gap."""
    grid = np.arange(MOST_MS + 1) * STEP_MS
    ms = grid * per_ms
    part = per_gap * STEP_MS / traces.FRAME_MS
    slope = part * np.arange(MOST_MS + 1)
    value = np.zeros(MOST_MS + 1)
    moves: list[tuple[npt.NDArray[np.int16], npt.NDArray[np.bool_]]] = []
    for late in delay:
        # From the frame before: stretched, what is more than that concealed; or this one left out, and up to 20 ms.
        near, source = _least(value, LONGER, SHORTER)
        ramp = near - slope
        best = np.minimum.accumulate(ramp)
        from_place = np.maximum.accumulate(np.where(ramp <= best, np.arange(len(ramp)), 0))
        come, source = best + slope, source[from_place]
        skipped, back = _least(value, 0, int(traces.FRAME_MS))
        here = np.where(grid >= late, come + ms, np.inf)  # Never for one that is lost.
        played = here <= skipped + per_gap
        value, source = np.where(played, here, skipped + per_gap), np.where(played, source, back)
        moves.append((source, played))
    place, waited, heard, gaps = int(np.argmin(value)), 0.0, 0, 0.0
    for source, played in reversed(moves):
        before = int(source[place])
        if played[place]:
            waited, heard = waited + grid[place], heard + 1
            gaps += max(0.0, (place - before) * STEP_MS - LONGER) / traces.FRAME_MS
        else:
            gaps += 1
        place = before
    return waited / max(1, heard), 100 * gaps / len(delay)


def bound(delay: traces.Trace) -> Bound:
    """The oracle's."""
    n = len(delay)
    gaps = 100 * float(np.isnan(delay).mean())
    best = Bound(-np.inf, 0.0, 0.0)
    for _ in range(ROUNDS):
        per_gap = 95 * 25.1 / (gaps + 25.1) ** 2 * 100 / n
        waited, gaps = schedule(delay, 0.024 / n, per_gap)
        best = max(best, Bound(traces.rating(waited, gaps), waited, gaps))
    return best


def causes(delay: traces.Trace, delay_ms: float, gaps: float) -> tuple[float, float, float]:
    """What R lost: by the delay, by what the network lost, by the buffer's own gaps."""
    lost = 100 * float(np.isnan(delay).mean())
    whole, own = traces.rating(0, 0), traces.rating(0, lost)
    return whole - traces.rating(delay_ms, 0), whole - own, own - traces.rating(0, gaps)
