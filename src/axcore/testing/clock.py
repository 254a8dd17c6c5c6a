"""Virtual time."""

from __future__ import annotations

from datetime import UTC, datetime

from axcore.runtime.clock import NS, parse_rfc3339

START = "2026-03-01T12:00:00Z"


class VirtualClock:
    """Both clocks stand still until they are moved.

    ``advance`` moves both, ``step``/``set_wall`` only the wall clock.
    """

    def __init__(self, wall: str = START) -> None:
        self._mono_ns = 1000 * NS
        self._wall_ns = parse_rfc3339(wall)

    def mono_ns(self) -> int:
        return self._mono_ns

    def wall_ns(self) -> int:
        return self._wall_ns

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if seconds < 0:
            raise ValueError("time does not run backwards; use step for the wall clock")
        self._mono_ns += round(seconds * NS)
        self._wall_ns += round(seconds * NS)

    def step(self, seconds: float) -> None:
        """Step the wall clock, as NTP or a user does."""
        self._wall_ns += round(seconds * NS)

    def set_wall(self, text: str) -> None:
        """Set the wall clock to an RFC 3339 time."""
        self._wall_ns = parse_rfc3339(text)

    def wall(self) -> datetime:
        """The wall clock as a datetime."""
        return datetime.fromtimestamp(self._wall_ns / NS, UTC)
