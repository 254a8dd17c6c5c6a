"""The door station as a reader of a door controller: OSDP, Wiegand, VAPIX; what is sent, what is shown."""

from .service import CONTROLLER, EXTERNAL, ReaderService
from .settings import ReaderSettings, ReaderState

__all__ = ["CONTROLLER", "EXTERNAL", "ReaderService", "ReaderSettings", "ReaderState"]
