"""When to connect again: exponential with jitter, bounded on both sides. Sans-I/O.

At least 0.34 s between two attempts (no more than three connects a second, whatever the broker does) and at most 10 s,
so that a broker that is back is found within 15 s. A connection has to last for ``STABLE_S`` to count as good: a
broker that accepts and dies at once does not reset the wait.
"""

from __future__ import annotations

FIRST_S = 0.5
MOST_S = 8.0
LEAST_S = 0.34
STABLE_S = 5.0
JITTER = 0.25
"""A wait is 75..125 % of its nominal length, so that devices do not come back in step."""


class Backoff:
    """``random()`` gives 0..1."""

    def __init__(self) -> None:
        self.failures = 0

    def next(self, random: float, lasted_s: float = 0.0) -> float:
        """Seconds until the next attempt, after a connection that lasted (0 = it did not come about)."""
        if lasted_s >= STABLE_S:
            self.failures = 0
        nominal = min(FIRST_S * 2.0 ** min(self.failures, 16), MOST_S)
        self.failures += 1
        return max(LEAST_S, nominal * (1 - JITTER + 2 * JITTER * random))
