"""The door's latencies as benches: the series of ``door_latency.py``, and its goals as gates."""

from typing import Any

import pytest

from bench import door_latency
from bench.replay import Replay, best_of

SWIPES = 100
SERIES = ("card idle", "card flood", "rex idle", "rex http flood", "rex stalled 4 s")
REPLAY = Replay()


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    """All series; one measurement serves all tests of a run."""
    return best_of(lambda: door_latency.measure(SWIPES))


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.benchmark(group="door", timer=REPLAY)
def test_axcore(benchmark: Any, measured: dict[str, Any], series: str) -> None:
    REPLAY.show(benchmark, measured["values"][series])
    benchmark.extra_info["unit"] = "openings"
    assert not [goal for goal in measured["missed"] if goal.startswith(series)]


@pytest.mark.benchmark(group="door", timer=REPLAY)
def test_bare_fdatasync(benchmark: Any, measured: dict[str, Any]) -> None:
    REPLAY.show(benchmark, measured["values"]["bare fdatasync"])
    benchmark.extra_info["unit"] = "syncs"
