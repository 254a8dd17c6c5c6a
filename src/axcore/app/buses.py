"""The RS-485 ports of a door controller: one OSDP bus for each, with the readers and the expansion modules that are set
up on it. Composition.

Simulated ports are ptys, linked as ``rs485-1`` ... in the data directory; real ones are ``ports`` in ``[serial]``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from axcore.devices import DeviceModel
from axcore.devices.reader import ReaderFeedback, ReaderSinks
from axcore.drivers.board import Board
from axcore.drivers.osdp_bus import OsdpBus, OsdpReader
from axcore.drivers.reader_lines import ReaderLines
from axcore.errors import AxError
from axcore.model.config import SerialConfig
from axcore.model.credentials import CredentialRead
from axcore.runtime.ledger import Job, Transaction
from axcore.services.doors.bus_settings import BusReader, PortSettings
from axcore.services.doors.buses import BusService
from axcore.services.doors.expansion import ExpansionService, Module
from axcore.services.doors.readers import ReaderService

from .serial_ports import SerialPorts, lost

log = logging.getLogger(__name__)


def link_name(port: int) -> str:
    """Link in the data directory to the far end of a simulated port (1..)."""
    return f"rs485-{port}"


class Member(NamedTuple):
    """Something on a bus."""

    port: int
    address: int
    key: str
    secure_only: bool
    feedback: ReaderFeedback | None = None
    """Of a reader."""


class Buses:
    """``services.doors.buses.BusWires`` and ``services.doors.expansion.ModuleWires`` on native lines."""

    def __init__(
        self,
        model: DeviceModel,
        service: BusService,
        expansion: ExpansionService,
        readers: ReaderService,
        serial: SerialConfig,
    ) -> None:
        self._places = {spec.name: spec for spec in model.reader_places}
        self._service = service
        self._expansion = expansion
        self._readers = readers
        self._ports = sorted({spec.port for spec in model.reader_places})
        paths = dict(zip(self._ports, serial.ports, strict=False))
        if len(serial.ports) > len(self._ports):
            log.error("the device has %d reader ports: the others in [serial] are not used", len(self._ports))
        self.ports = SerialPorts(
            {link_name(port): paths.get(port, "") for port in self._ports}, kernel_rs485=serial.kernel_rs485
        )
        self._board: Board | None = None
        self._indexes = {name: number for number, name in enumerate(self._places)}
        """Numbers on the lines: readers first, then modules as they come."""
        self._names = list(self._places)
        self._sinks = self._make_sinks()
        self._buses: dict[int, OsdpBus] = {}
        self._held: dict[str, OsdpReader] = {}
        self._used_ports: dict[int, PortSettings] = {}
        self._used: dict[str, Member] = {}
        self._wanted: dict[str, Member] = {}
        """Readers."""
        self._modules: dict[str, Member] = {}

    def attach(self, board: Board, *, simulated: bool, data_dir: Path) -> None:
        """Lines are there; nothing is polled yet."""
        self._board = board
        self.ports.attach(board, simulated=simulated, data_dir=data_dir)
        self._service.attach(self)
        self._expansion.attach(self)

    def start(self) -> None:
        """After the board: poll from here on."""
        self.ports.start()
        self._service.connect()
        self._expansion.connect()

    def stop(self) -> None:
        """Before the board."""
        self.ports.stop()

    def jobs(self) -> list[Job[Any]]:
        """What the lines saw (ledger thread)."""
        return self.ports.jobs()

    @property
    def far_ends(self) -> str:
        """The other ends of simulated ports in order, with spaces between; empty on real ones."""
        ends = self.ports.far_ends
        return " ".join(ends[link_name(port)] for port in self._ports if link_name(port) in ends)

    # --- services.doors.buses.BusWires

    def connect(self, ports: Mapping[int, PortSettings], readers: Mapping[str, BusReader]) -> None:
        """Make those connections anew whose settings changed: the neighbours of a changed reader stay on line."""
        for port, settings in ports.items():
            if self._used_ports.get(port) != settings:
                self._connect_port(port, settings)
        self._wanted = {name: self._member(name, reader) for name, reader in readers.items() if reader.enabled}
        self._apply()

    def kept(self, name: str, settings: BusReader, port: PortSettings) -> None:
        if name in self._used:
            self._wanted[name] = self._used[name] = self._member(name, settings)
            self._used_ports[self._places[name].port] = port

    def reader(self, name: str) -> OsdpReader | None:
        return self._held.get(name)

    # --- services.doors.expansion.ModuleWires

    def connect_modules(self, modules: Mapping[str, Module], key: str) -> None:
        self._modules = {token: Member(held.port, held.address, key, True) for token, held in modules.items()}
        for token in modules:
            if token not in self._indexes:
                self._indexes[token] = len(self._names)
                self._names.append(token)
        self._apply()

    def module(self, token: str) -> OsdpReader | None:
        return self._held.get(token)

    # --- inside

    def _member(self, name: str, settings: BusReader) -> Member:
        port = self._places[name].port
        return Member(port, settings.address, settings.key, settings.secure_only, settings.feedback)

    def _apply(self) -> None:
        """Bring the lines to what is wanted."""
        members = {**self._wanted, **self._modules}
        wanted = {name: held for name, held in members.items() if self._used_ports[held.port].protocol == "osdp"}
        for name, before in list(self._used.items()):  # first: an address that is let go may be another's now
            if name not in wanted or before._replace(feedback=None) != wanted[name]._replace(feedback=None):
                self._remove(name)
        for name, held in wanted.items():
            if name not in self._used:
                self._add(name, held)
            elif self._used[name] != held:
                if held.feedback is not None:
                    self._held[name].set_feedback(held.feedback)
                self._used[name] = held

    def _connect_port(self, port: int, settings: PortSettings) -> None:
        for name in [name for name, held in self._used.items() if held.port == port]:
            self._remove(name)
        self._used_ports[port] = settings
        assert self._board is not None
        for spec in self._places.values():
            if spec.port == port and spec.lines is not None:
                wiegand = settings.protocol == "wiegand"
                self._readers.attach(spec.name, ReaderLines(self._board, spec) if wiegand else None)

    def _bus(self, port: int) -> OsdpBus | None:
        """The bus of a port; made for the first reader on it, and gone with the last."""
        if port not in self._buses:
            settings = self._used_ports[port]
            line = self.ports.line(link_name(port), settings.baud)
            if line is None:
                log.warning("reader port %d has no serial line: set ports in [serial] of axcore.toml", port)
                return None
            self._buses[port] = OsdpBus(line, self._sinks, baud=settings.baud)
        return self._buses[port]

    def _add(self, name: str, held: Member) -> None:
        bus = self._bus(held.port)
        if bus is None:
            return
        key = bytes.fromhex(held.key) if held.key else None
        poll_ms = self._used_ports[held.port].poll_ms
        try:
            reader = bus.add(
                self._indexes[name], held.address, key=key, require_secure=held.secure_only, poll_ms=poll_ms
            )
        except AxError as error:  # what is set was checked: a record of another release
            log.error("%s cannot be connected: %s", name, error)
            return
        self._held[name], self._used[name] = reader, held
        if held.feedback is not None:
            reader.set_feedback(held.feedback)
            self._readers.attach(name, reader)
        if len(bus.readers) == 1:
            self.ports.lines.add(bus)

    def _remove(self, name: str) -> None:
        port, reader = self._used.pop(name).port, self._held.pop(name)
        bus = self._buses[port]
        if name in self._places:
            self._readers.attach(name, None)
        bus.remove(reader)
        if not bus.readers:
            self.ports.lines.remove(bus)
            del self._buses[port]

    def _make_sinks(self) -> ReaderSinks:
        service, names = self._service, self._names

        def of(index: int) -> BusService | ExpansionService:
            return self._service if names[index] in self._places else self._expansion

        def read(tx: Transaction, card: CredentialRead) -> None:
            if names[card.reader] in self._places:  # a module has no reader
                service.on_read(tx, names[card.reader], card)

        def keys(tx: Transaction, index: int, pressed: str, t_ns: int) -> None:
            if names[index] in self._places:
                service.on_keys(tx, names[index], pressed, t_ns)

        def key_set(tx: Transaction, index: int, key: bytes) -> None:
            if names[index] in self._places:  # that of modules is the one that all have
                service.on_key_set(tx, names[index], key)

        def moved(tx: Transaction, index: int, address: int, baud: int) -> None:
            if names[index] in self._places:
                service.on_moved(tx, names[index], address, baud)

        return ReaderSinks(
            on_read=read,
            on_keys=keys,
            on_status=lambda tx, index, status: of(index).on_status(tx, names[index], status),
            on_inputs=lambda tx, index, inputs: of(index).on_inputs(tx, names[index], inputs),
            on_attack=lambda tx, index, kind, code: of(index).on_attack(tx, names[index], kind, code),
            on_key_set=key_set,
            on_install=lambda tx, index, is_open, done: of(index).on_install(tx, names[index], is_open, done),
            on_moved=moved,
            on_lost=lost,
        )
