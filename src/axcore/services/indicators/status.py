"""The status LED (manual: LED indicators): amber during startup and reset, green for 10 s when startup is complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .service import IndicatorService

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

LED = "status"
GREEN, AMBER = "green", "amber"
COMPLETED_S = 10.0
FLASH_MS = 500
FLASHES = 3
STARTUP, RESET, BUTTON = "startup", "reset", "control button"


class StatusLed:
    """What the device itself tells with its status LED. All methods are jobs of the ledger thread."""

    def __init__(self, indicators: IndicatorService) -> None:
        self._light, self._release = indicators.light, indicators.release

    def starting(self, tx: Transaction) -> None:
        """Steady amber."""
        self._light(tx, LED, AMBER, owner=STARTUP)

    def completed(self, tx: Transaction) -> None:
        """Steady green for 10 s, then off."""
        self._light(tx, LED, GREEN, owner=STARTUP, seconds=COMPLETED_S)

    def resetting(self, tx: Transaction) -> None:
        """Steady amber until the device is gone."""
        self._light(tx, LED, AMBER, owner=RESET)

    def acknowledge(self, tx: Transaction) -> None:
        """Three green flashes."""
        self._light(tx, LED, GREEN, FLASH_MS, owner=BUTTON, seconds=FLASHES * FLASH_MS / 1000)

    def ready_to_reset(self, tx: Transaction, on: bool) -> None:
        """Flash amber: who lets the control button go now resets the device."""
        if on:
            self._light(tx, LED, AMBER, FLASH_MS, owner=BUTTON)
        else:
            self._release(tx, LED, BUTTON)
