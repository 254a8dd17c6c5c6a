"""Virtual inputs: 64 switches that clients turn on and off, with an optional duration in monotonic time.

Activating one again replaces what was left of its duration. A duration of 0 is a pulse: on and off at one instant.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from axcore.errors import InputError, NotFoundError
from axcore.model import events
from axcore.model.events import NewEvent

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

SECOND = 1_000_000_000
MAX_DURATION = 86_400 * 365
"""Seconds."""


class VirtualInputs:
    """The state of the virtual inputs ``1..count``. Owned by the ledger thread; ``states`` may be read anywhere."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._active: tuple[bool, ...] = (False,) * count
        self._due: dict[int, int] = {}

    def states(self) -> tuple[bool, ...]:
        """State of input 1, 2, ..."""
        return self._active

    def set(
        self, tx: Transaction, port: int, active: bool, duration: float | None = None, correlation: str | None = None
    ) -> bool:
        """Bring input ``port`` to ``active``; after ``duration`` seconds it goes off. Returns whether it changed."""
        self._check(port)
        if duration is not None and not (math.isfinite(duration) and 0 <= duration <= MAX_DURATION):
            raise InputError("duration", f"{duration} s is not in 0..{MAX_DURATION} s")
        changed = self._active[port - 1] != active
        due = dict(self._due)
        due.pop(port, None)
        if active and duration:
            due[port] = tx.now.mono_ns + round(duration * SECOND)
        self._remember(tx)
        self._due = due
        self._change(tx, port, active, correlation)
        if active and duration == 0:
            self._change(tx, port, False, correlation)
        return changed

    def announce(self, tx: Transaction) -> None:
        """Publish the state of every input."""
        for port, active in enumerate(self._active, start=1):
            tx.publish(_event(port, active, None), logged=active)

    def next_deadline(self) -> int | None:
        """Monotonic time at which ``advance`` has something to do."""
        return min(self._due.values(), default=None)

    def advance(self, tx: Transaction, now: int) -> None:
        """Turn off what is over at ``now`` (monotonic ns), earliest first."""
        over = sorted((due, port) for port, due in self._due.items() if due <= now)
        if not over:
            return
        self._remember(tx)
        self._due = {port: due for port, due in self._due.items() if due > now}
        for _, port in over:
            self._change(tx, port, False, None)

    def _check(self, port: int) -> None:
        if not 1 <= port <= self.count:
            raise NotFoundError("port", f"there is no virtual input {port} (1..{self.count})")

    def _change(self, tx: Transaction, port: int, active: bool, correlation: str | None) -> None:
        if self._active[port - 1] == active:
            return
        self._active = (*self._active[: port - 1], active, *self._active[port:])
        tx.publish(_event(port, active, correlation))

    def _remember(self, tx: Transaction) -> None:
        before = self._active, self._due

        def undo() -> None:
            self._active, self._due = before

        tx.on_rollback(undo)


def _event(port: int, active: bool, correlation: str | None) -> NewEvent:
    return NewEvent(
        topic=events.IO_VIRTUAL_INPUT,
        source={"port": str(port)},
        data={"active": "1" if active else "0"},
        is_property=True,
        correlation=correlation,
    )
