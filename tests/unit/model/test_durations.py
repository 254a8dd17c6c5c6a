"""Durations of the wire, there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.errors import InputError
from axcore.model.durations import MAX_MS, duration, parse_duration


@given(st.integers(0, MAX_MS))
def test_there_and_back(ms: int) -> None:
    assert parse_duration("t", duration(ms)) == ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [("PT7S", 7_000), ("PT0S", 0), ("PT1M30S", 90_000), ("P1DT2H", 93_600_000), ("PT0.5S", 500), ("PT1.0009S", 1_000)],
)
def test_forms(text: str, ms: int) -> None:
    assert parse_duration("t", text) == ms


@given(st.text(max_size=12) | st.from_regex(r"P[0-9DTHMS.]{0,10}"))
def test_anything_else_is_refused_by_name(text: str) -> None:
    refused: InputError | None = None
    try:
        assert 0 <= parse_duration("door.access", text) <= MAX_MS
    except InputError as error:
        refused = error
    assert refused is None or refused.field == "door.access"


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "7", "-PT7S", "P1Y", "P8D", "PT7", "PT.5S", "PT7S\n", "PT\u0667S"]
)
def test_these_are_none(text: str) -> None:
    with pytest.raises(InputError, match="t:"):
        parse_duration("t", text)
