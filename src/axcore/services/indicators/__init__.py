"""Indicators: icons, reader stripe, button light; who may light them, and what they show."""

from .actions import IndicatorPerformer
from .door import DoorIcon
from .service import IndicatorService, Shown
from .standby import StandbyLight
from .status import StatusLed

__all__ = ["DoorIcon", "IndicatorPerformer", "IndicatorService", "Shown", "StandbyLight", "StatusLed"]
