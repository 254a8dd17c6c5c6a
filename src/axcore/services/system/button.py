"""The control button (manual: Control button; Reset to factory default settings).

Pressed and let go at once it connects to the cloud service (O3C), told as an event, and the status LED flashes green
three times. Kept pressed the status LED flashes amber from 15 s on; let go between 15 and 30 s the
device forgets everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from axcore.model import events
from axcore.model.events import NewEvent

if TYPE_CHECKING:
    from axcore.runtime.clock import Instant
    from axcore.runtime.ledger import Transaction
    from axcore.services.indicators import StatusLed

SECOND_NS = 1_000_000_000
SHORT_NS = 3 * SECOND_NS
"""Let go before this it was a press."""
RESET_NS, TOO_LONG_NS = 15 * SECOND_NS, 30 * SECOND_NS
"""Let go between these it is a reset."""


class ControlButton:
    """Decides what a press means. ``reset`` is an effect: it begins a factory default."""

    def __init__(self, led: StatusLed, reset: Callable[[], None]) -> None:
        self._led = led
        self._reset = reset
        self._pressed_ns: int | None = None
        self.next_ns: int | None = None

    def on_input(self, tx: Transaction, active: bool, t_ns: int, correlation: str | None = None) -> None:
        """The button was pressed or let go at ``t_ns`` (monotonic)."""
        pressed = self._pressed_ns
        if active:
            if pressed is None:
                tx.assign(self, "_pressed_ns", t_ns)
                tx.assign(self, "next_ns", t_ns + RESET_NS)
            return
        if pressed is None:
            return
        tx.assign(self, "_pressed_ns", None)
        tx.assign(self, "next_ns", None)
        self._led.ready_to_reset(tx, False)
        held = t_ns - pressed
        if held < SHORT_NS:
            data = {"function": "O3C"}
            tx.publish(NewEvent(topic=events.CONTROL_BUTTON, data=data, t_ns=t_ns, correlation=correlation))
            self._led.acknowledge(tx)
        elif RESET_NS <= held <= TOO_LONG_NS:
            self._led.resetting(tx)
            tx.after_commit(self._reset)

    # --- time (a timer of the ledger)

    def next_deadline(self) -> int | None:
        return self.next_ns

    def advance(self, tx: Transaction, now: Instant) -> None:
        if self.next_ns is None or self._pressed_ns is None or now.mono_ns < self.next_ns:
            return
        over = now.mono_ns >= self._pressed_ns + TOO_LONG_NS
        self._led.ready_to_reset(tx, not over)
        tx.assign(self, "next_ns", None if over else self._pressed_ns + TOO_LONG_NS)
