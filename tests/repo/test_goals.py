"""What a latency is held to (bench/goals.py): a slow device fails on any machine; a slow machine does not fail it."""

from __future__ import annotations

import pytest

from bench.goals import TIMES, goal, percentile


@pytest.mark.parametrize(
    ("found", "bare", "ok", "absolute"),
    [
        (0.9, 0.1, True, True),
        (1.1, 0.1, False, False),  # the machine can: the goal counts
        (1.1, None, False, False),
        (2.9, 1.5, True, False),  # the bare peer misses it as well
        (3.1, 1.5, False, False),  # but ours is slower still
        (0.9, 1.5, True, True),
    ],
)
def test_a_goal_counts_where_the_machine_can(found: float, bare: float | None, ok: bool, absolute: bool) -> None:
    assert TIMES == 2
    judged = goal("p50 <= 1 ms", found, 1.0, bare)
    assert (judged["ok"], judged["absolute"]) == (ok, absolute)


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(n) for n in range(200, 0, -1)]
    assert [percentile(values, p) for p in (50, 95, 99)] == [100.0, 190.0, 198.0]
    assert percentile([1.0], 99) == 1.0
