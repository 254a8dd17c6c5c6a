"""Time as a dependency: a monotonic and a wall clock in nanoseconds.

Monotonic time is CLOCK_MONOTONIC, the clock of every ``t_ns`` in axcore; durations and deadlines use nothing else. Wall
time is UTC since 1970 and may jump. ``axcore.testing.VirtualClock`` is the other implementation. Thread-safe.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from axcore.model.times import NS, parse_rfc3339, rfc3339

__all__ = [
    "CLOCK_SET_NS",
    "NS",
    "Clock",
    "Instant",
    "SystemClock",
    "clock_is_set",
    "instant",
    "parse_rfc3339",
    "rfc3339",
]

CLOCK_SET_NS = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * NS
"""Before this the wall clock is plainly wrong."""


class Instant(NamedTuple):
    """One moment on both clocks."""

    mono_ns: int
    wall_ns: int


class Clock(Protocol):
    """Where time comes from."""

    def mono_ns(self) -> int:
        """CLOCK_MONOTONIC in nanoseconds."""

    def wall_ns(self) -> int:
        """UTC since 1970 in nanoseconds."""


class SystemClock:
    """The clocks of the machine.

    ``step`` moves the wall clock of this process only (``clock`` of the simulated board).
    """

    def __init__(self) -> None:
        self._offset_ns = 0

    def mono_ns(self) -> int:
        return time.monotonic_ns()

    def wall_ns(self) -> int:
        return time.time_ns() + self._offset_ns

    def step(self, seconds: float) -> None:
        """Move wall time by ``seconds`` (may be negative)."""
        self._offset_ns += round(seconds * NS)


def instant(clock: Clock) -> Instant:
    """Read both clocks."""
    return Instant(clock.mono_ns(), clock.wall_ns())


def clock_is_set(wall_ns: int) -> bool:
    """False while the wall clock is plainly wrong (before 2024): a board without a battery starts in 1970."""
    return wall_ns >= CLOCK_SET_NS
