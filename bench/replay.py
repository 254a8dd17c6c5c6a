"""Latencies that were measured on a whole device, as benches: pytest-benchmark gets the series, goals are gates.

Goals that are missed are measured again, up to ATTEMPTS times in all, and each is judged by its best attempt: a busy
machine does not fail the gate, a slow device does every time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

ATTEMPTS = 5


class Replay:
    """A timer that lets a bench 'take' what was measured outside. ``timer=`` of the mark, then ``show`` in the test."""

    def __init__(self) -> None:
        self.now = 0.0
        self.values: Iterator[float] = iter(())

    def __call__(self) -> float:
        return self.now

    def step(self) -> None:
        """One round."""
        self.now += next(self.values)

    def show(self, benchmark: Any, seconds: list[float]) -> None:
        """Hand a series to pytest-benchmark."""
        self.values = iter(seconds)
        benchmark.pedantic(self.step, rounds=len(seconds), iterations=1)


def best_of(measure: Callable[[], dict[str, Any]], attempts: int = ATTEMPTS) -> dict[str, Any]:
    """The last measurement; ``missed`` are the goals that no attempt has met."""
    missed: set[str] | None = None
    result: dict[str, Any] = {}
    for _ in range(attempts):
        result = measure()
        now = {goal["goal"] for goal in result["goals"] if not goal["ok"]}
        missed = now if missed is None else missed & now
        if not missed:
            break
    return {**result, "missed": missed}
