"""What the operations of a simulated board do at a door controller beyond its lines: jobs of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axcore._native.io import monotonic_ns
from axcore.drivers.board import Board, card_hex
from axcore.errors import ConflictError, NotFoundError
from axcore.model.credentials import CardValue
from axcore.model.doors import LineState
from axcore.runtime.ledger import Ledger
from axcore.wiegand import Bits

if TYPE_CHECKING:
    from .controller import Controller


class SimulatedController:
    """``drivers.simulator.ControllerParts`` on the services. Any thread."""

    def __init__(self, controller: Controller, board: Board, ledger: Ledger) -> None:
        self._controller = controller
        self._board = board
        self._ledger = ledger

    def pair(self, reader: int) -> int | None:
        """The Wiegand lines of a reader; None: it is on a bus. InputError if there is no such reader."""
        readers = self._controller.readers
        name = readers.name(reader)
        return readers.pair(name) if self._controller.buses.uses_wiegand(name) else None

    def card(self, reader: int, bits: Bits, correlation: str | None) -> None:
        """A reader that nobody has connected has read a card; it is online for that. ConflictError: a bus has it."""
        readers, t_ns = self._controller.readers, monotonic_ns()
        name, card = self._loose(reader), CardValue(bits=bits.nbits, value=card_hex(bits.value, bits.nbits))

        def job(tx: Any) -> None:
            readers.on_online(tx, name, True, correlation)
            readers.on_card(tx, name, card, t_ns, correlation)

        self._ledger.post(job)

    def reader(self, reader: int, *, online: bool | None, tampered: bool | None, correlation: str | None) -> None:
        """A reader is there or not, open or closed."""
        readers = self._controller.readers
        name = self._loose(reader)
        if online is not None:
            state = online
            self._ledger.post(lambda tx: readers.on_online(tx, name, state, correlation))
            return
        line = readers.tamper_line(name)
        if line is not None and self._controller.buses.uses_wiegand(name):
            self._board.feed_input(line, bool(tampered), correlation)
        else:
            self._ledger.post(lambda tx: readers.on_tamper(tx, name, bool(tampered), 0, correlation))

    def _loose(self, reader: int) -> str:
        """The name of a reader that is on no bus."""
        name = self._controller.readers.name(reader)
        if self._controller.buses.is_polled(name):
            raise ConflictError("reader", f"{name} is on its bus: do it at the reader itself")
        return name

    def circuit(self, line: str, state: LineState | None, millivolt: int | None, correlation: str | None) -> int:
        """Put a voltage at an input: the level of the line follows it, and so does what supervises it."""
        supervision = self._controller.supervision
        volt = supervision.millivolt(line, state) if state is not None else millivolt
        assert volt is not None
        supervision.check(line)

        def job(tx: Any) -> None:
            seen = supervision.measured(tx, line, volt, correlation)
            closed = seen == "closed" if seen is not None else volt < 1000
            self._board.feed_level(line, not closed, correlation)

        self._ledger.submit(job).result(5)
        return volt

    def link(self, door: int, up: bool, correlation: str | None) -> None:
        """The line to a door's hardware is there or not."""
        doors = self._controller.doors
        token = doors.at(door)
        if token is None:
            raise NotFoundError("door", f"there is no door at the terminals {door}")
        self._ledger.post(lambda tx: doors.on_link(tx, token, up, correlation))

    def wireless(self, up: bool | None, lock: str, bits: Bits | None, correlation: str | None) -> None:
        """The hub of wireless locks is there or not, or a card is shown at a lock."""
        wireless = self._controller.wireless
        if up is not None:
            there = up
            self._ledger.submit(lambda tx: wireless.on_hub(tx, there)).result(5)
            return
        wireless.lock(lock)
        assert bits is not None
        card = CardValue(bits=bits.nbits, value=card_hex(bits.value, bits.nbits))
        self._ledger.post(lambda tx: wireless.on_card(tx, lock, card, correlation))

    def power(self, name: str, volt: float | None, ampere: float | None, correlation: str | None) -> None:
        """Feed or load a connector."""
        power = self._controller.power
        power.check(name)
        self._ledger.post(lambda tx: power.measured(tx, name, volt, ampere, correlation))

    def state(self) -> dict[str, Any]:
        """Doors and readers."""
        doors = self._controller.doors
        return {
            "doors": {
                token: {"mode": state.mode, "door": state.door, "lock": state.lock, "alarm": state.alarm}
                for token, state in doors.states().items()
            },
            **(
                {}
                if self._controller.hub is None
                else {"wireless": {lock: self._controller.hub.active(lock) for lock in self._controller.wireless.locks}}
            ),
            "readers": {state.name: state.online for state in self._controller.readers.states()},
        }
