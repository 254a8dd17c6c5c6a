"""The door's latencies as benches: the series of ``door_latency.py``, and its goals as gates.

One measurement serves all tests of a run. Goals that are missed are measured again, up to ATTEMPTS times in all, and
each is judged by its best attempt: a busy machine does not fail the gate, a slow door does every time.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from bench import door_latency

SWIPES = 100
ATTEMPTS = 5
SERIES = ("card idle", "card flood", "rex idle", "rex http flood", "rex stalled 4 s")


class Replay:
    """A timer that lets a bench 'take' what was measured outside."""

    def __init__(self) -> None:
        self.now = 0.0
        self.values: Iterator[float] = iter(())

    def __call__(self) -> float:
        return self.now

    def step(self) -> None:
        """One round."""
        self.now += next(self.values)


REPLAY = Replay()


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    """All series of the last measurement; ``missed`` are the goals that no attempt has met."""
    missed: set[str] | None = None
    result: dict[str, Any] = {}
    for _ in range(ATTEMPTS):
        result = door_latency.measure(SWIPES)
        now = {goal["goal"] for goal in result["goals"] if not goal["ok"]}
        missed = now if missed is None else missed & now
        if not missed:
            break
    return {**result, "missed": missed}


def replay(benchmark: Any, values: list[float]) -> None:
    """Hand a series to pytest-benchmark."""
    REPLAY.values = iter(values)
    benchmark.pedantic(REPLAY.step, rounds=len(values), iterations=1)


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.benchmark(group="door", timer=REPLAY)
def test_axcore(benchmark: Any, measured: dict[str, Any], series: str) -> None:
    replay(benchmark, measured["values"][series])
    benchmark.extra_info["unit"] = "openings"
    assert not [goal for goal in measured["missed"] if goal.startswith(series)]


@pytest.mark.benchmark(group="door", timer=REPLAY)
def test_bare_fdatasync(benchmark: Any, measured: dict[str, Any]) -> None:
    replay(benchmark, measured["values"]["bare fdatasync"])
    benchmark.extra_info["unit"] = "syncs"
