"""The bolt of a lock: where it was sent, whether it is still on its way, and where a monitor sees it.

Sans-I/O and immutable, times are nanoseconds of a monotonic clock. A bolt without a monitor is where it was sent
when its time is over. One with a monitor is where the monitor says; if it has not arrived by then, it is jammed.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from axcore.model.doors import LockConfiguration, LockPhysicalState

MS = 1_000_000

Seen = Literal["locked", "unlocked", "fault"]
"""What a lock monitor sees; ``fault``: its line is cut or shorted."""


class Bolt(msgspec.Struct, frozen=True):
    """The bolt of one lock."""

    locked: bool
    """Where it was sent."""
    moving_until: int | None = None
    seen: Seen | None = None
    """None: the monitor has not reported, or there is none."""
    jammed: bool = False

    def sent(self, locked: bool, now: int, lock: LockConfiguration) -> Bolt:
        """After the lock was told where to go."""
        if locked == self.locked:
            return self
        ms = lock.bolt_in_ms if locked else lock.bolt_out_ms
        return Bolt(locked, now + ms * MS, self.seen)._settled(lock)

    def reported(self, seen: Seen | None, lock: LockConfiguration) -> Bolt:
        """After the monitor has spoken (None: it cannot any more)."""
        if not lock.monitored:
            return self
        return msgspec.structs.replace(self, seen=seen)._settled(lock)

    def advanced(self, now: int, lock: LockConfiguration) -> Bolt:
        """After its time was over."""
        if self.moving_until is None or self.moving_until > now:
            return self
        jammed = lock.monitored and self.seen in ("locked", "unlocked") and not self._arrived
        return Bolt(self.locked, None, self.seen, jammed)

    def physical(self, lock: LockConfiguration) -> LockPhysicalState:
        """The state that is told."""
        if lock.monitored:
            if self.jammed or self.seen == "fault":
                return "Fault"
            return "Unknown" if self.seen is None else "Locked" if self.seen == "locked" else "Unlocked"
        if self.moving_until is not None:
            return "Unknown"
        return "Locked" if self.locked else "Unlocked"

    @property
    def _arrived(self) -> bool:
        return self.seen == ("locked" if self.locked else "unlocked")

    def _settled(self, lock: LockConfiguration) -> Bolt:
        """Without the wait that the monitor has shortened."""
        if lock.monitored and self._arrived:
            return Bolt(self.locked, None, self.seen)
        return self
