from __future__ import annotations

import pytest

from axcore.runtime.clock import NS, SystemClock, clock_is_set, instant, parse_rfc3339, rfc3339
from axcore.testing import VirtualClock


def test_a_step_moves_only_the_wall_clock() -> None:
    clock = SystemClock()
    before = instant(clock)
    clock.step(3600)
    after = instant(clock)
    assert after.wall_ns - before.wall_ns >= 3600 * NS
    assert after.mono_ns - before.mono_ns < 3600 * NS


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31T12:00:00+01:00", "2026-01-31T11:00:00.000000Z"),
        ("2040-02-29T23:59:59.25z", "2040-02-29T23:59:59.250000Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"),
    ],
)
def test_times_go_to_text_and_back(text: str, same: str) -> None:
    assert rfc3339(parse_rfc3339(text)) == same


@pytest.mark.parametrize("text", ["", "2026-01-31", "2026-01-31T12:00:00", "2026-02-30T00:00:00Z", "12:00Z", "x" * 25])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_rfc3339(text)


def test_times_outside_the_calendar_are_clamped() -> None:
    assert rfc3339(-5) == "1970-01-01T00:00:00.000000Z"
    assert rfc3339(10**30).startswith("9999-12-31")


def test_a_clock_before_2024_is_not_set() -> None:
    assert not clock_is_set(0)
    assert not clock_is_set(parse_rfc3339("2023-12-31T23:59:59Z"))
    assert clock_is_set(parse_rfc3339("2024-01-01T00:00:00Z"))


def test_virtual_time_stands_still() -> None:
    clock = VirtualClock()
    first = instant(clock)
    assert instant(clock) == first
    clock.advance(1.5)
    assert instant(clock) == (first.mono_ns + 1_500_000_000, first.wall_ns + 1_500_000_000)
    clock.step(-10)
    assert clock.mono_ns() == first.mono_ns + 1_500_000_000
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)
