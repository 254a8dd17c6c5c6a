"""Which activity shows: one for each level of priority, the highest wins (manual: Overview; Profiles > Priority).

A start replaces what is on its level. What is hidden goes on counting down, and shows again when everything above it is
over. Sans-I/O and immutable: every change gives a new arbiter. Times are nanoseconds of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

LEVELS = range(1, 14)
"""1..10 for users; 11 maintenance, 12 identify, 13 health check."""


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """Something that one of the two functions, light or siren, does."""

    id: int
    """Unique as long as the device runs, 1 and up."""
    priority: int
    what: Any
    """What is shown; only compared by identity."""
    start_ns: int
    end_ns: int | None = None
    """None = until it is stopped."""
    epoch_ns: int | None = None
    """When what is shown is at its first instant; None = at the start."""
    profile: str | None = None
    """The profile that it is of."""
    owner: str | None = None
    """The rule that keeps it up."""

    def left_ns(self, now_ns: int) -> int | None:
        """Time that is left; None = no end."""
        return None if self.end_ns is None else max(0, self.end_ns - now_ns)


class Arbiter(msgspec.Struct, frozen=True):
    """The activities of one function, highest priority first."""

    activities: tuple[Activity, ...] = ()

    @property
    def shown(self) -> Activity | None:
        """The one that shows."""
        return self.activities[0] if self.activities else None

    def start(self, activity: Activity) -> Arbiter:
        """With one more, in the place of what was on its level."""
        if activity.priority not in LEVELS:
            raise ValueError(f"there is no level {activity.priority}")
        others = [held for held in self.activities if held.priority != activity.priority]
        return Arbiter(tuple(sorted((*others, activity), key=lambda held: -held.priority)))

    def stop(self, ids: Iterable[int]) -> Arbiter:
        """Without these."""
        gone = set(ids)
        return Arbiter(tuple(held for held in self.activities if held.id not in gone))

    def advance(self, now_ns: int) -> Arbiter:
        """Without what is over at ``now_ns``."""
        return self.stop([held.id for held in self.activities if held.end_ns is not None and held.end_ns <= now_ns])

    def next_ns(self) -> int | None:
        """When the next one is over."""
        return min((held.end_ns for held in self.activities if held.end_ns is not None), default=None)
