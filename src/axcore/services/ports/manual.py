"""The manual trigger: a switch that people set to see whether a rule works.

Manual: System > Events > Manual triggers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from axcore.errors import InputError
from axcore.model import events
from axcore.model.events import NewEvent
from axcore.model.ports import MANUAL_TRIGGER

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

SECOND = 1_000_000_000
MAX_DURATION = 86_400.0
"""Seconds."""
SOURCE = {"port": str(MANUAL_TRIGGER - 1)}


class ManualTrigger:
    """One switch. Methods with ``tx`` are ledger jobs; ``active`` may be read anywhere."""

    def __init__(self) -> None:
        self.active = False
        self._due: int | None = None

    def set(self, tx: Transaction, active: bool, duration: float | None = None) -> bool:
        """Switch it, on for ``duration`` seconds if given. Returns whether it changed; InputError."""
        if duration is not None and not (active and math.isfinite(duration) and 0 < duration <= MAX_DURATION):
            raise InputError("duration", f"is that of an activation, at most {MAX_DURATION:.0f} s")
        changed = active != self.active
        tx.assign(self, "_due", None if duration is None else tx.now.mono_ns + round(duration * SECOND))
        if changed:
            tx.assign(self, "active", active)
            self.announce(tx)
        return changed

    def announce(self, tx: Transaction) -> None:
        """Publish the state."""
        data = {"state": "1" if self.active else "0"}
        event = NewEvent(topic=events.IO_VIRTUAL_PORT, source=SOURCE, data=data, is_property=True)
        tx.publish(event)

    def next_deadline(self) -> int | None:
        """Monotonic time at which it goes off."""
        return self._due

    def advance(self, tx: Transaction, now: int) -> None:
        """Switch it off if its time is over at ``now`` (monotonic ns)."""
        if self._due is not None and self._due <= now:
            self.set(tx, False)
