"""What a door controller has besides: access control, doors, readers. Composition only.

Imported for models that have doors: others load nothing of it.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from axcore.devices import DeviceModel
from axcore.drivers.board import Board
from axcore.drivers.wireless_hub import SimulatedHub
from axcore.model.config import SerialConfig
from axcore.model.credentials import CredentialRead
from axcore.model.doors import LineState
from axcore.runtime.bus import Bus
from axcore.runtime.clock import Clock
from axcore.runtime.ledger import Job, Ledger, Transaction
from axcore.services.doors import (
    AccessController,
    AlarmService,
    BusService,
    DoorService,
    ExpansionService,
    NetworkReaders,
    PowerService,
    ReaderService,
    ReaderSetup,
    RoutedLines,
    SupervisionService,
    WirelessService,
    deliver,
)
from axcore.services.doors.power import PowerPage
from axcore.services.pacs.service import PacsService
from axcore.services.ports import PortService
from axcore.services.sensors import SensorService

from .buses import Buses


class Controller:
    """The controller's part of a device."""

    def __init__(
        self, model: DeviceModel, ledger: Ledger, clock: Clock, bus: Bus, serial: SerialConfig | None = None
    ) -> None:
        self._model = model
        self._sensors: SensorService | None = None
        self.pacs = PacsService(bus)
        self.doors = DoorService(model, self.pacs, clock, ledger.post)
        self.access = AccessController(self.pacs, self.doors)
        self.readers = ReaderService(model, self.pacs, self.access)
        self.buses = BusService(model, self.readers)
        self.reader_setup = ReaderSetup(self.pacs, self.readers, self.buses)
        self.expansion = ExpansionService(model, self.pacs, self.buses, self.doors)
        self.wireless = WirelessService(model, self.pacs, self.doors, self.access)
        self.network_readers = NetworkReaders(model, self.pacs)
        self.hub: SimulatedHub | None = None
        """For wireless locks; simulated boards have one."""
        self.buses.modules_at = self.expansion.addresses
        self.lines = Buses(model, self.buses, self.expansion, self.readers, serial or SerialConfig())
        self.supervision = SupervisionService(model, self.doors.supervised_by, self._on_state)
        self.alarms = AlarmService()
        self.power = PowerService(model)
        self._roles = {line.name: line.role for line in model.inputs}
        self.loaders: tuple[Job[None], ...] = (
            partial(_deliver, model),
            self.pacs.load,
            self.supervision.load,
            self.alarms.load,
            self.buses.load,
            self.expansion.load,
            self.wireless.load,
            self.network_readers.load,
            self.doors.load,
        )
        self.timers: tuple[Any, ...] = (self.doors, self.readers, self.pacs, self.lines.ports)

    def join(self, ports: PortService, sensors: SensorService) -> None:
        """Relays of locks belong to their doors; a movement is felt by a sensor."""
        self._sensors = sensors
        ports.reserve(self.doors.owned)
        sensors.subscribe("motion", lambda tx, value, _: self.alarms.on_motion(tx))

    def attach(self, board: Board, *, simulated: bool, data_dir: Path) -> None:
        """Connect the relays, the lights of readers on Wiegand lines, and the buses."""
        if simulated and self._model.wireless_locks:
            self.hub = SimulatedHub()
            self.wireless.attach(self.hub)
        routed = RoutedLines(board, (self.expansion, self.wireless))
        self.doors.attach(routed, self.supervision.state, routed.of_door)
        self.lines.attach(board, simulated=simulated, data_dir=data_dir)

    def announce(self, tx: Transaction) -> None:
        """Publish every state as it is now (start)."""
        self.pacs.announce(tx)
        self.doors.announce(tx)
        self.readers.announce(tx)
        self.buses.announce(tx)
        self.expansion.announce(tx)
        self.wireless.announce(tx)
        self.alarms.announce(tx)
        self.power.announce(tx)

    def on_input(self, tx: Transaction, line: str, active: bool, t_ns: int, correlation: str | None) -> None:
        """An input changed; those that are no door's and no reader's are not for here."""
        place, role = self.readers.of_tamper(line), self._roles[line]
        if place is not None:
            if self.buses.uses_wiegand(place):
                self.readers.on_tamper(tx, place, active, t_ns, correlation)
        elif role in ("tamper", "alarm"):
            if self.supervision.state(line) is None:
                self.alarms.on_input(tx, role, active, t_ns, correlation)
        else:
            self.doors.on_input(tx, line, active, t_ns, correlation)

    def mutes(self, line: str) -> bool:
        """Whether nothing is told of this input."""
        return self._roles[line] == "casing" and not self.alarms.settings.casing_open

    def _on_state(self, tx: Transaction, line: str, state: LineState, correlation: str | None) -> None:
        """A supervised input is in another state."""
        role = self._roles[line]
        if role == "monitor":
            self.doors.on_supervised(tx, line, state, 0, correlation)
        elif role in ("tamper", "alarm"):
            self.alarms.on_supervised(tx, role, state, correlation)

    def on_read(self, tx: Transaction, read: CredentialRead) -> None:
        """A frame came in on a pair of Wiegand lines."""
        place = self.readers.of_wiegand(read.reader)
        if place is not None and read.card is not None and self.buses.uses_wiegand(place):
            self.readers.on_card(tx, place, read.card, read.t_ns, read.correlation)

    def on_key(self, tx: Transaction, key: str, t_ns: int, correlation: str | None, reader: int) -> None:
        """A key was pressed at a reader (simulated board)."""
        if key != "C":
            self.readers.on_key(tx, self.readers.name(reader), key, t_ns, correlation)

    def power_page(self) -> PowerPage:
        """What is measured, with the temperature of the core. Any thread."""
        degrees = None if self._sensors is None else self._sensors.values.get("temperature")
        return self.power.page(None if degrees is None else float(degrees))

    def reconcile(self, tx: Transaction) -> None:
        """Events of the board were lost: take in what the inputs show."""
        for token in self.doors.tokens:
            self.doors.refresh(tx, token)


def _deliver(model: DeviceModel, tx: Transaction) -> None:
    deliver(tx, model)
