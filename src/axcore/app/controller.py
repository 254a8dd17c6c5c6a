"""What a door controller has besides: access control, doors, readers. Composition only.

Imported for models that have doors: others load nothing of it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from axcore.devices import DeviceModel
from axcore.drivers.board import Board
from axcore.drivers.reader_lines import ReaderLines
from axcore.model.credentials import CredentialRead
from axcore.model.doors import LineState
from axcore.runtime.bus import Bus
from axcore.runtime.clock import Clock
from axcore.runtime.ledger import Job, Ledger, Transaction
from axcore.services.doors import (
    AccessController,
    AlarmService,
    DoorService,
    PowerService,
    ReaderService,
    SupervisionService,
    deliver,
)
from axcore.services.doors.power import PowerPage
from axcore.services.pacs.service import PacsService
from axcore.services.ports import PortService
from axcore.services.sensors import SensorService


class Controller:
    """The controller's part of a device."""

    def __init__(self, model: DeviceModel, ledger: Ledger, clock: Clock, bus: Bus) -> None:
        self._model = model
        self._sensors: SensorService | None = None
        self.pacs = PacsService(bus)
        self.doors = DoorService(model, self.pacs, clock, ledger.post)
        self.access = AccessController(self.pacs, self.doors)
        self.readers = ReaderService(model, self.pacs, self.access)
        self.supervision = SupervisionService(model, self.doors.supervised_by, self._on_state)
        self.alarms = AlarmService()
        self.power = PowerService(model)
        self._roles = {line.name: line.role for line in model.inputs}
        self.loaders: tuple[Job[None], ...] = (
            partial(_deliver, model),
            self.pacs.load,
            self.supervision.load,
            self.alarms.load,
            self.doors.load,
        )
        self.timers: tuple[Any, ...] = (self.doors, self.readers, self.pacs)

    def join(self, ports: PortService, sensors: SensorService) -> None:
        """Relays of locks belong to their doors; a movement is felt by a sensor."""
        self._sensors = sensors
        ports.reserve(self.doors.owned)
        sensors.subscribe("motion", lambda tx, value: self.alarms.on_motion(tx))

    def attach(self, board: Board) -> None:
        """Connect the relays and the readers' lights."""
        self.doors.attach(board, self.supervision.state)
        for spec in self._model.reader_places:
            if spec.lines is not None:
                self.readers.attach(spec.name, ReaderLines(board, spec))

    def announce(self, tx: Transaction) -> None:
        """Publish every state as it is now (start)."""
        self.pacs.announce(tx)
        self.doors.announce(tx)
        self.readers.announce(tx)
        self.alarms.announce(tx)
        self.power.announce(tx)

    def on_input(self, tx: Transaction, line: str, active: bool, t_ns: int, correlation: str | None) -> None:
        """An input changed; those that are no door's and no reader's are not for here."""
        place, role = self.readers.of_tamper(line), self._roles[line]
        if place is not None:
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
        if place is not None and read.card is not None:
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
