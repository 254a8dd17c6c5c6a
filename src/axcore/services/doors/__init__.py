"""The doors of a controller, its readers, and the way from one to the other.

``service.py`` runs the doors, ``terminals.py`` says which lines are whose, ``outputs.py`` what relays are told,
``schedule.py`` when levels change; ``readers.py`` collects what is shown at readers, ``access.py`` takes a request to a
decision and on to a door; ``supervision.py``, ``alarms.py`` and ``power.py`` watch the controller itself;
``delivered.py`` is what there is at first.
"""

from axcore.services.doors.access import AccessController
from axcore.services.doors.alarms import AlarmService
from axcore.services.doors.delivered import deliver
from axcore.services.doors.power import PowerService
from axcore.services.doors.readers import ReaderPort, ReaderService, ReaderState, Signal
from axcore.services.doors.service import DoorService
from axcore.services.doors.supervision import SupervisionService

__all__ = [
    "AccessController", "AlarmService", "DoorService", "PowerService", "ReaderPort", "ReaderService", "ReaderState",
    "Signal", "SupervisionService", "deliver",
]  # fmt: skip
