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
from axcore.model.ports import Circuit
from axcore.runtime.clock import Clock
from axcore.runtime.ledger import Job, Ledger, Transaction
from axcore.services.doors import AccessController, DoorService, ReaderService, deliver
from axcore.services.pacs.service import PacsService
from axcore.services.ports import PortService


class Controller:
    """The controller's part of a device."""

    def __init__(self, model: DeviceModel, ledger: Ledger, clock: Clock, ports: PortService) -> None:
        self._model = model
        self.pacs = PacsService()
        self.doors = DoorService(model, self.pacs, clock, ledger.post)
        self.access = AccessController(self.pacs, self.doors)
        self.readers = ReaderService(model, self.pacs, self.access)
        self.loaders: tuple[Job[None], ...] = (partial(_deliver, model), self.pacs.load, self.doors.load)
        self.timers: tuple[Any, ...] = (self.doors, self.readers)
        ports.reserve(self.doors.owned)

    def normals(self) -> tuple[dict[str, Circuit], dict[str, Circuit]]:
        """For the board: normal states of the inputs and outputs of doors."""
        return self.doors.normals()

    def rex(self) -> dict[str, tuple[str, float]]:
        """For the board: what requests to exit open natively."""
        return self.doors.rex_targets()

    def attach(self, board: Board) -> None:
        """Connect the relays and the readers' lights."""
        self.doors.attach(board)
        for spec in self._model.reader_places:
            if spec.lines is not None:
                self.readers.attach(spec.name, ReaderLines(board, spec))

    def announce(self, tx: Transaction) -> None:
        """Publish every state as it is now (start)."""
        self.doors.announce(tx)
        self.readers.announce(tx)

    def on_input(self, tx: Transaction, line: str, active: bool, t_ns: int, correlation: str | None) -> None:
        """An input changed; those that are no door's and no reader's are not for here."""
        place = self.readers.of_tamper(line)
        if place is not None:
            self.readers.on_tamper(tx, place, active, t_ns, correlation)
        else:
            self.doors.on_input(tx, line, active, t_ns, correlation)

    def on_read(self, tx: Transaction, read: CredentialRead) -> None:
        """A frame came in on a pair of Wiegand lines."""
        place = self.readers.of_wiegand(read.reader)
        if place is not None and read.card is not None:
            self.readers.on_card(tx, place, read.card, read.t_ns, read.correlation)

    def on_key(self, tx: Transaction, key: str, t_ns: int, correlation: str | None, reader: int) -> None:
        """A key was pressed at a reader (simulated board)."""
        if key != "C":
            self.readers.on_key(tx, self.readers.name(reader), key, t_ns, correlation)

    def reconcile(self, tx: Transaction) -> None:
        """Events of the board were lost: take in what the inputs show."""
        for token in self.doors.tokens:
            self.doors.refresh(tx, token)


def _deliver(model: DeviceModel, tx: Transaction) -> None:
    deliver(tx, model)
