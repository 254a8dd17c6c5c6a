"""What a latency is held to: an absolute goal, or, where the machine cannot give that at this hour, a bare peer.

The peer does what no device can do without (``peers/handover.py``) and takes its turns with the device in the same run.
On a machine that keeps the peer well below the goal the goal alone counts; on one that does not (a guest of a busy
host, a slow disk) ours may take ``TIMES`` as long as the peer, and no longer.
"""

from __future__ import annotations

from statistics import fmean
from typing import Any

TIMES = 2.0
"""Ours may take so many times what the bare peer takes, where that is more than the absolute goal."""


def percentile(values: list[float], p: float) -> float:
    """Nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(p / 100 * len(ordered) + 0.5) - 1))]


def rows(series: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Series of seconds as numbers in milliseconds: ``n``, ``p50``, ``p95``, ``p99``, ``max``, ``mean``."""
    return {
        name: {"n": len(v), **{f"p{p}": percentile(v, p) * 1e3 for p in (50, 95, 99)}, "max": max(v) * 1e3,
               "mean": fmean(v) * 1e3}
        for name, v in series.items()
    }  # fmt: skip


def goal(text: str, found: float, limit: float, bare: float | None = None) -> dict[str, Any]:
    """A goal and whether it is met; ``bare`` is what the peer took, in the unit of ``found`` and ``limit``.

    ``absolute`` says whether it is met without regard to the peer.
    """
    held = limit if bare is None else max(limit, TIMES * bare)
    return {
        "goal": text, "found": found, "limit": limit, "bare": bare, "held": held, "ok": found <= held,
        "absolute": found <= limit,
    }  # fmt: skip


def show(goals: list[dict[str, Any]]) -> None:
    """A line each: ``ok``, ``slow`` (missed, and the bare peer was slow as well), or ``MISS``."""
    for one in goals:
        word = "ok  " if one["absolute"] else "slow" if one["ok"] else "MISS"
        bare = "" if one["bare"] is None else f", bare peer {one['bare']:.4f}"
        print(f"{word} {one['goal']}: {one['found']:.4f} (limit {one['limit']:.4f}{bare})")
