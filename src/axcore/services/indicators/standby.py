"""The light around the call button in standby: always on, always off, or on in the dark (manual: Standby light).

It is below all that others show there: rules and readers cover it, and it is there again when they let go. During a
call the device is not in standby. Jobs of the ledger thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from axcore.devices.standby import is_dark, is_lit

from .service import IndicatorService

if TYPE_CHECKING:
    from axcore.model.events import Event
    from axcore.model.intercom import StandbyMode
    from axcore.runtime.ledger import Transaction

LED, COLOR, OWNER = "callButton", "white", "standby"
BUTTON = ("intercom", "call_button")
"""What the event says of the button's settings that are changed (kind, key)."""


class StandbyLight:
    """See the module's text. ``mode``: what is set."""

    def __init__(self, indicators: IndicatorService, mode: Callable[[], StandbyMode]) -> None:
        self._indicators, self._mode = indicators, mode
        self._idle = False
        self._dark: bool | None = None
        """None: no sensor has told."""

    def on_call(self, tx: Transaction, event: Event) -> None:
        """The device's call is in another state (``CALL_STATE``)."""
        tx.assign(self, "_idle", event.data["CallState"] == "Idle")
        self._show(tx, event.correlation)

    def on_configuration(self, tx: Transaction, event: Event) -> None:
        """Settings were changed (``CONFIGURATION_CHANGED``)."""
        if (event.data.get("kind"), event.data.get("key")) == BUTTON:
            self._show(tx, event.correlation)

    def on_light(self, tx: Transaction, lux: float, correlation: str | None = None) -> None:
        """The light sensor has told."""
        dark = is_dark(lux, self._dark is True)
        if dark != self._dark:
            tx.assign(self, "_dark", dark)
            self._show(tx, correlation)

    def _show(self, tx: Transaction, correlation: str | None) -> None:
        if self._idle and is_lit(self._mode(), self._dark):
            self._indicators.light(tx, LED, COLOR, owner=OWNER, below=True, correlation=correlation)
        else:
            self._indicators.release(tx, LED, OWNER, correlation)
