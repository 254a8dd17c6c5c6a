"""The device as a whole: who it is, whether it is ready, restart and factory default."""

from .button import ControlButton
from .service import BasicInfo, Lifecycle, ProductInfo, ResetMode, SystemService

__all__ = ["BasicInfo", "ControlButton", "Lifecycle", "ProductInfo", "ResetMode", "SystemService"]
