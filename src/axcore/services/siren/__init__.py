"""Light and siren: profiles, what runs at which priority, maintenance mode, health check."""

from .actions import ProfilePerformer
from .health import Fault, Result
from .profiles import ImportMode, Profiles
from .service import SirenService, Started
from .signal import NoSignal, Signal, Sound

__all__ = [
    "Fault",
    "ImportMode",
    "NoSignal",
    "ProfilePerformer",
    "Profiles",
    "Result",
    "Signal",
    "SirenService",
    "Sound",
    "Started",
]
