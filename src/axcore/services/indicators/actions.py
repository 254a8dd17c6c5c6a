"""Actions on LEDs: flash or light an indicator for a time, or while the rule is active."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from axcore.devices import DeviceModel
from axcore.errors import InputError
from axcore.model.actions import MAX_DURATION, MIN_DURATION, Action, LedOnce, LedWhileActive
from axcore.services.events import ActionType, Run, check_duration

from .service import OFF, IndicatorService

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction


class IndicatorPerformer:
    """Lights indicators."""

    kinds = (LedOnce, LedWhileActive)

    def __init__(self, model: DeviceModel, indicators: IndicatorService) -> None:
        self._leds = model.leds
        self._indicators = indicators

    def describe(self) -> Iterable[ActionType]:
        if not self._leds:
            return ()
        led: dict[str, Any] = {
            "type": "string",
            "title": "LED",
            "enum": [spec.name for spec in self._leds],
            "names": [spec.nice_name for spec in self._leds],
        }
        colors = sorted({color for spec in self._leds for color in spec.colors} | {OFF})
        fields: dict[str, dict[str, Any]] = {
            "led": led,
            "color": {"type": "string", "title": "Colour", "enum": colors},
            "interval": {"type": "number", "title": "Blink interval", "unit": "s", "default": 0, "zero": "steady"},
        }
        duration = {
            "type": "number", "title": "Duration", "unit": "s", "minimum": MIN_DURATION, "maximum": MAX_DURATION,
        }  # fmt: skip
        while_active = "Light an indicator while the rule is active"
        return (
            ActionType(
                type="led_once", group="LEDs", name="Light an indicator", fields={**fields, "duration": duration}
            ),
            ActionType(type="led_while_active", group="LEDs", name=while_active, fields=fields),
        )

    def check(self, action: Any) -> Action:
        if not math.isfinite(action.interval):
            raise InputError("interval", "must be a number of seconds")
        self._indicators.check(action.led, action.color, _ms(action))
        if isinstance(action, LedOnce):
            check_duration(action.duration)
        checked: Action = action
        return checked

    def start(self, tx: Transaction, action: Any, run: Run) -> None:
        seconds = action.duration if isinstance(action, LedOnce) else None
        self._indicators.light(
            tx, action.led, action.color, _ms(action), owner=_owner(run), seconds=seconds, correlation=run.correlation
        )

    def stop(self, tx: Transaction, action: Any, run: Run) -> None:
        self._indicators.release(tx, action.led, _owner(run), run.correlation)


def _ms(action: LedOnce | LedWhileActive) -> int:
    return round(action.interval * 1000)


def _owner(run: Run) -> str:
    return f"rule {run.rule}"
