"""Supervised inputs: borders, hysteresis, noise."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.devices.supervised import CONNECTIONS, HYSTERESIS_MV, TABLE, classify, resistance, targets, voltage

STATES = ("short", "closed", "open", "cut")


@given(st.integers(-1000, 40_000), st.sampled_from(CONNECTIONS))
def test_the_nearest_target_wins(millivolt: int, connection: str) -> None:
    table = targets(connection)
    found = classify(millivolt, table)
    distances = {state: abs(getattr(table, state) - millivolt) for state in STATES}
    assert distances[found] <= min(distances.values()) + 1


@given(st.sampled_from(CONNECTIONS), st.integers(0, 2), st.integers(-HYSTERESIS_MV + 1, HYSTERESIS_MV - 1))
def test_near_a_border_nothing_flickers(connection: str, border: int, off: int) -> None:
    table = targets(connection)
    millivolt = table.borders()[border] + off
    for before in STATES[border : border + 2]:
        assert classify(millivolt, table, before) == before  # type: ignore[arg-type]


def test_a_jump_over_a_border_counts_at_once() -> None:
    table = targets("parallel")
    for before, after in itertools.permutations(STATES, 2):
        assert classify(getattr(table, after), table, before) == after  # type: ignore[arg-type]


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_one_percent_resistors_and_five_percent_of_supply_are_told_apart(connection: str) -> None:
    for state, resistor in itertools.product(STATES, (0.95, 1.05)):
        ohm = resistance(connection, state) * resistor  # type: ignore[arg-type]
        assert classify(voltage(ohm), TABLE[connection]) == state  # type: ignore[index]
