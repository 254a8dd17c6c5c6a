"""The doors of a controller, its readers, and the way from one to the other.

``service.py`` runs the doors, ``terminals.py`` says which lines are whose, ``outputs.py`` what relays are told,
``schedule.py`` when levels change; ``readers.py`` collects what is shown at readers, ``access.py`` takes a request to a
decision and on to a door; ``buses.py`` sets up the readers on RS-485 ports (``bus_settings.py``), ``reader_setup.py``
does so from the records of access control; ``expansion.py`` modules and floors, ``wireless.py`` locks at a hub,
``network_readers.py`` those on the network; ``remote.py`` finds relays that are not on the board; ``supervision.py``,
``alarms.py`` and ``power.py`` watch the controller itself; ``delivered.py`` is what there is at first.
"""

from axcore.services.doors.access import AccessController
from axcore.services.doors.alarms import AlarmService
from axcore.services.doors.buses import BusService
from axcore.services.doors.delivered import deliver
from axcore.services.doors.expansion import ExpansionService
from axcore.services.doors.network_readers import NetworkReaders
from axcore.services.doors.power import PowerService
from axcore.services.doors.reader_setup import ReaderSetup
from axcore.services.doors.readers import ReaderPort, ReaderService, ReaderState, Signal
from axcore.services.doors.remote import RoutedLines
from axcore.services.doors.service import DoorService
from axcore.services.doors.supervision import SupervisionService
from axcore.services.doors.wireless import WirelessService

__all__ = [
    "AccessController", "AlarmService", "BusService", "DoorService", "ExpansionService", "NetworkReaders",
    "PowerService", "ReaderPort", "ReaderService", "ReaderSetup", "ReaderState", "RoutedLines", "Signal",
    "SupervisionService", "WirelessService", "deliver",
]  # fmt: skip
