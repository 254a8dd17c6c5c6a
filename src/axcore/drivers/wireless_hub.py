"""A communication hub for wireless locks that is only simulated: it remembers what its locks were told.

Locks end what was timed by themselves, as those with a battery do. Any thread.
"""

from __future__ import annotations

import threading

from axcore._native.io import monotonic_ns


class SimulatedHub:
    """Locks go by token; active is unlocked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._base: dict[str, bool] = {}
        self._until: dict[str, int] = {}

    def set(self, lock: str, active: bool) -> None:
        """For good."""
        with self._lock:
            self._base[lock] = active

    def pulse(self, lock: str, active: bool, seconds: float) -> None:
        """Unlocked for so long."""
        with self._lock:
            self._until[lock] = monotonic_ns() + round(seconds * 1e9) if active else 0

    def end(self, lock: str) -> None:
        """End what was timed."""
        with self._lock:
            self._until.pop(lock, None)

    def active(self, lock: str) -> bool:
        """Whether a lock is unlocked now."""
        with self._lock:
            return self._base.get(lock, False) or self._until.get(lock, 0) > monotonic_ns()
