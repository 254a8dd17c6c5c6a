"""Time as a dependency: a monotonic and a wall clock in nanoseconds.

Monotonic time is CLOCK_MONOTONIC, the clock of every ``t_ns`` in axcore; durations and deadlines use nothing else. Wall
time is UTC since 1970 and may jump. ``axcore.testing.VirtualClock`` is the other implementation. Thread-safe.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

NS = 1_000_000_000
"""Nanoseconds in a second."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK_SET_NS = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * NS
"""Wall time before which a clock cannot have been set."""
_LAST_NS = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()) * NS


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


def rfc3339(wall_ns: int) -> str:
    """``2026-01-31T12:00:00.000000Z``; times outside the years 1970..9999 are clamped."""
    moment = _EPOCH + timedelta(microseconds=min(max(wall_ns, 0), _LAST_NS) // 1000)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_rfc3339(text: str) -> int:
    """Wall time in nanoseconds of an RFC 3339 date-time with a time zone.

    Raises ValueError (also for a date alone or a missing zone).
    """
    if len(text) < 20 or text[10] not in "Tt ":
        raise ValueError("must be a date and time like 2026-01-31T12:00:00Z")
    moment = datetime.fromisoformat(text.upper())
    if moment.tzinfo is None:
        raise ValueError("must end with Z or an offset like +01:00")
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
