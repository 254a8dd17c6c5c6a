"""The doors of a controller, its readers, and the way from one to the other.

``service.py`` runs the doors, ``outputs.py`` says what their relays are told, ``readers.py`` collects what is shown at
readers, ``access.py`` takes a request to a decision and on to a door, ``delivered.py`` is what there is at first.
"""

from axcore.services.doors.access import AccessController
from axcore.services.doors.delivered import deliver
from axcore.services.doors.readers import ReaderPort, ReaderService, ReaderState, Signal
from axcore.services.doors.service import DoorService

__all__ = ["AccessController", "DoorService", "ReaderPort", "ReaderService", "ReaderState", "Signal", "deliver"]
