"""The device as a whole: who it is, whether it is ready, restart and factory default."""

from .service import BasicInfo, Lifecycle, ProductInfo, ResetMode, SystemService

__all__ = ["BasicInfo", "Lifecycle", "ProductInfo", "ResetMode", "SystemService"]
