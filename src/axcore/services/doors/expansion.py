"""Expansion modules (A9910) on the RS-485 ports of a controller, and the floors of an elevator on their relays (manual:
Add AXIS A9910; Elevator control).

All modules share one encryption key, without which none is added: a module is spoken to in a secure channel or not at
all. A floor is a door without terminals: its lock is a relay of a module, which ends an access by itself when the line
is lost meanwhile. Who may go there is said by access points for the reader in the cabin.

Records: ``expansion.key/0``, ``expansion/<token>``, ``floor/<token of the door>``. Methods with ``tx`` are jobs of the
ledger thread. How many inputs and relays a module has is not in the manuals; four of each is what the product is sold
with.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from axcore.devices import DeviceModel
from axcore.devices.reader import ReaderIdentity, ReaderStatus
from axcore.errors import AxError, ConflictError, InputError, LimitError, NotFoundError, StateError
from axcore.model import events as topics
from axcore.model.doors import Door, DoorConfiguration, DoorMonitor, LockConfiguration
from axcore.model.events import NewEvent
from axcore.osdp.keys import normal_key
from axcore.services.doors.bus_settings import MAX_ADDRESS

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

log = logging.getLogger(__name__)

KEY, MODULE, FLOOR = "expansion.key", "expansion", "floor"
RELAYS, INPUTS = 4, 4
MAX_INSTALL = 600.0
MAX_NAME = 64
MAX_SECONDS = 6553.5


class Module(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An expansion module."""

    token: str = ""
    """Given by the controller."""
    name: str = ""
    """Empty: given as well."""
    port: int
    """Number (1..) of the reader connector."""
    address: int


class Floor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A floor, and the relay that makes its button in the cabin work."""

    token: str = ""
    """Of its door, which is made for it."""
    name: str = ""
    module: str
    relay: int
    """1.. of the module."""
    access_ms: int = 10_000


class ModulePort(Protocol):
    """A module on a bus. Any thread."""

    @property
    def identity(self) -> ReaderIdentity | None: ...
    def output(self, output: int, active: bool, seconds: float = 0.0, *, abort: bool = True) -> None: ...
    def install(self, key: bytes | None, seconds: float = 60.0) -> None: ...


class ModuleWires(Protocol):
    """The lines."""

    def connect_modules(self, modules: Mapping[str, Module], key: str) -> None:
        """Poll these, and no others. Ledger thread, after the commit."""

    def module(self, token: str) -> ModulePort | None:
        """A module that is polled."""


class Neighbours(Protocol):
    """What else is on the ports (``BusService``)."""

    def addresses(self, port: int) -> dict[str, int]:
        """Those that are polled there. NotFoundError."""


class Doors(Protocol):
    """What is needed of ``DoorService``."""

    def on_link(self, tx: Transaction, token: str, up: bool, correlation: str | None = None) -> None: ...


class Configuration(Protocol):
    """What is needed of ``PacsService``."""

    def set(self, tx: Transaction, kind: str, records: Any) -> tuple[str, ...]: ...
    def remove(self, tx: Transaction, kind: str, tokens: Any) -> None: ...
    def table(self, kind: str) -> Mapping[str, Any]: ...


class ExpansionService:
    """Also the ``Relays`` of the lines ``<module>.relay<n>``."""

    def __init__(self, model: DeviceModel, pacs: Configuration, neighbours: Neighbours, doors: Doors) -> None:
        self._model = model
        self._pacs = pacs
        self._neighbours = neighbours
        self._doors = doors
        self._wires: ModuleWires | None = None
        self._key = ""
        self._modules: Mapping[str, Module] = {}
        self._floors: Mapping[str, Floor] = {}
        self._status: Mapping[str, ReaderStatus] = {}
        self._inputs: Mapping[str, tuple[bool, ...]] = {}
        self._base: dict[str, bool] = {}
        """What each relay is told for good."""

    def load(self, tx: Transaction) -> None:
        """Read what is stored; also after a failed commit."""
        self._key = (tx.get(KEY, "0") or b"").decode()
        self._modules = {key: msgspec.json.decode(raw, type=Module) for key, raw in tx.items(MODULE)}
        self._floors = {key: msgspec.json.decode(raw, type=Floor) for key, raw in tx.items(FLOOR)}

    def attach(self, wires: ModuleWires) -> None:
        """The lines; connections are made by ``connect``."""
        self._wires = wires

    def connect(self) -> None:
        """Poll the modules."""
        if self._wires is not None:
            self._wires.connect_modules(self._modules, self._key)

    def announce(self, tx: Transaction) -> None:
        """Publish how the modules stand; nobody can tell of the floors before they are there (start)."""
        for token in self._modules:
            tx.publish(_status_event(token, self.status(token)))
        for token in self._floors:
            if token in self._pacs.table("pacs.door"):
                self._doors.on_link(tx, token, False)

    # --- what is set

    @property
    def key_set(self) -> bool:
        return bool(self._key)

    @property
    def modules(self) -> Mapping[str, Module]:
        """By token."""
        return self._modules

    @property
    def floors(self) -> Mapping[str, Floor]:
        """By the token of the door."""
        return self._floors

    def module(self, token: str) -> Module:
        """A module. NotFoundError."""
        try:
            return self._modules[token]
        except KeyError:
            known = ", ".join(self._modules) or "none"
            raise NotFoundError("module", f"there is no {token[:64]!r} (modules: {known})") from None

    def status(self, token: str) -> ReaderStatus:
        """How the line to a module stands."""
        return self._status.get(token, ReaderStatus())

    def identity(self, token: str) -> ReaderIdentity | None:
        """What a module says of itself (*Device software version*); None: it has not answered yet."""
        port = None if self._wires is None else self._wires.module(token)
        return None if port is None else port.identity

    def inputs(self, token: str) -> tuple[bool, ...]:
        """What the inputs of a module showed last."""
        return self._inputs.get(token, ())

    def addresses(self, port: int) -> dict[str, int]:
        """Addresses of the modules on a port."""
        return {token: held.address for token, held in self._modules.items() if held.port == port}

    def set_key(self, tx: Transaction, key: str = "") -> str:
        """*Add encryption key*: ``key``, or a generated one; gives it, to be saved. InputError; ConflictError: modules
        use the present one."""
        self._need_modules()
        text = normal_key("key", key) or secrets.token_hex(16)
        if self._modules and text != self._key:
            raise ConflictError("key", f"{len(self._modules)} modules have the present one: remove them first")
        tx.put(KEY, "0", text.encode())
        tx.assign(self, "_key", text)
        changed(tx, KEY, "0", "update")
        return text

    def add(self, tx: Transaction, module: Module) -> Module:
        """*Add AXIS A9910*. InputError, NotFoundError (port), ConflictError (address), LimitError, StateError."""
        self._need_modules()
        if not self._key:
            raise StateError("add the encryption key first")
        if len(self._modules) >= self._model.expansions:
            raise LimitError("module", f"at most {self._model.expansions} expansion modules")
        if not 0 <= module.address <= MAX_ADDRESS:
            raise InputError("address", f"must be 0 to {MAX_ADDRESS}")
        check_name(module.name)
        for other, taken in {**self._neighbours.addresses(module.port), **self.addresses(module.port)}.items():
            if taken == module.address:
                raise ConflictError("address", f"{taken} is that of {other} on the same port")
        token = free("module", self._modules)
        new = msgspec.structs.replace(module, token=token, name=module.name or f"A9910 {token.removeprefix('module')}")
        tx.put(MODULE, token, msgspec.json.encode(new))
        tx.assign(self, "_modules", {**self._modules, token: new})
        changed(tx, MODULE, token, "add")
        tx.after_commit(self.connect)
        return new

    def remove(self, tx: Transaction, token: str) -> None:
        """NotFoundError; ConflictError: floors need it."""
        self.module(token)
        if used := [floor.token for floor in self._floors.values() if floor.module == token]:
            raise ConflictError("module", f"{token} is used by {', '.join(used)}")
        tx.delete(MODULE, token)
        tx.assign(self, "_modules", {name: held for name, held in self._modules.items() if name != token})
        tx.assign(self, "_status", {name: held for name, held in self._status.items() if name != token})
        tx.assign(self, "_inputs", {name: held for name, held in self._inputs.items() if name != token})
        changed(tx, MODULE, token, "remove")
        tx.after_commit(self.connect)

    def install(self, tx: Transaction, token: str, seconds: float) -> None:
        """For so long, give a new module the encryption key under the published one; 0 ends it. InputError."""
        self.module(token)
        if not 0 <= seconds <= MAX_INSTALL:
            raise InputError("seconds", f"must be 0 to {MAX_INSTALL:.0f}")
        if self.status(token).link == "secure":
            raise StateError(f"{token} has the key already")
        key = bytes.fromhex(self._key) if seconds else None
        tx.after_commit(lambda: self._do(token, lambda port: port.install(key, seconds)))

    def output(self, tx: Transaction, token: str, relay: int, active: bool, seconds: float = 0.0) -> None:
        """Set a relay (1..), with ``seconds`` for so long. InputError, NotFoundError, StateError.

        ConflictError: it belongs to a floor.
        """
        self.module(token)
        _check_relay(relay)
        if not 0 <= seconds <= MAX_SECONDS:
            raise InputError("seconds", f"must be 0 to {MAX_SECONDS}")
        for floor in self._floors.values():
            if (floor.module, floor.relay) == (token, relay):
                raise ConflictError("relay", f"belongs to {floor.token}")
        if not self.status(token).online:
            raise StateError(f"{token} is off line")
        line = _line(token, relay)
        tx.after_commit(partial(self.pulse, line, active, seconds) if seconds else partial(self.set, line, active))

    def add_floor(self, tx: Transaction, floor: Floor) -> Floor:
        """A floor with its door. InputError, NotFoundError (module), ConflictError (relay), LimitError."""
        self._need_modules()
        self.module(floor.module)
        _check_relay(floor.relay)
        check_name(floor.name)
        if len(self._floors) >= self._model.floors:
            raise LimitError("floor", f"at most {self._model.floors} floors")
        for other in self._floors.values():
            if (other.module, other.relay) == (floor.module, floor.relay):
                raise ConflictError("relay", f"belongs to {other.token}")
        token = free("floor", {**self._floors, **self._pacs.table("pacs.door")})
        new = msgspec.structs.replace(floor, token=token, name=floor.name or f"Floor {token.removeprefix('floor')}")
        tx.put(FLOOR, token, msgspec.json.encode(new))
        tx.assign(self, "_floors", {**self._floors, token: new})
        hardware = DoorConfiguration(
            token=token, lock=LockConfiguration(type="RemoteIO"), monitor=DoorMonitor(type="None")
        )
        self._pacs.set(tx, "pacs.door_configuration", (hardware,))
        self._pacs.set(
            tx, "pacs.door", (Door(token=token, name=new.name, access_ms=new.access_ms, open_too_long_ms=0),)
        )
        self._doors.on_link(tx, token, self.status(floor.module).online)
        changed(tx, FLOOR, token, "add")
        return new

    def remove_floor(self, tx: Transaction, token: str) -> None:
        """A floor and its door. NotFoundError."""
        if token not in self._floors:
            raise NotFoundError("floor", f"there is no {token[:64]!r}")
        for kind in ("pacs.door", "pacs.door_configuration"):
            if token in self._pacs.table(kind):
                self._pacs.remove(tx, kind, (token,))
        tx.delete(FLOOR, token)
        tx.assign(self, "_floors", {name: held for name, held in self._floors.items() if name != token})
        changed(tx, FLOOR, token, "remove")

    # --- what is seen on the lines

    def on_status(self, tx: Transaction, token: str, status: ReaderStatus) -> None:
        """The line to a module is lost, or there again: its floors stay as they are, and none opens for it."""
        before = self.status(token)
        if status == before or token not in self._modules:
            return
        tx.assign(self, "_status", {**self._status, token: status})
        tx.publish(_status_event(token, status))
        if status.online != before.online:
            for floor in self._floors.values():
                if floor.module == token and floor.token in self._pacs.table("pacs.door"):
                    self._doors.on_link(tx, floor.token, status.online)

    def on_inputs(self, tx: Transaction, token: str, inputs: tuple[bool, ...]) -> None:
        """Inputs of a module; those that changed are told."""
        before = self._inputs.get(token, ())
        for number, active in enumerate(inputs[:INPUTS]):
            if number >= len(before) or before[number] != active:
                source, data = {"module": token, "input": str(number + 1)}, {"active": str(int(active))}
                tx.publish(NewEvent(topic=topics.EXPANSION_INPUT, source=source, data=data, is_property=True))
        tx.assign(self, "_inputs", {**self._inputs, token: inputs[:INPUTS]})

    def on_attack(self, tx: Transaction, token: str, kind: str, code: int) -> None:
        """Something that must not be was refused."""
        data = {"kind": kind, "code": f"{code:#04x}"}
        tx.publish(NewEvent(topic=topics.READER_ATTACK, source={"module": token}, data=data), lazy=True)

    def on_install(self, tx: Transaction, token: str, is_open: bool, installed: bool) -> None:
        """The install window opened or closed."""
        data = {"open": str(int(is_open)), "installed": str(int(installed))}
        tx.publish(NewEvent(topic=topics.READER_INSTALL, source={"module": token}, data=data, is_property=True))

    # --- services.doors.outputs.Relays

    def line(self, door: str) -> str | None:
        """The relay of a floor's door."""
        floor = self._floors.get(door)
        return None if floor is None else _line(floor.module, floor.relay)

    def set(self, line: str, active: bool, correlation: str | None = None) -> None:
        self._base[line] = active
        self._move(line, active, abort=False)

    def pulse(self, line: str, active: bool, seconds: float, correlation: str | None = None) -> None:
        self._move(line, active, seconds)

    def end(self, line: str, correlation: str | None = None) -> None:
        self._move(line, self._base.get(line, False))

    def _move(self, line: str, active: bool, seconds: float = 0.0, *, abort: bool = True) -> None:
        token, _, relay = line.partition(".relay")
        self._do(token, lambda port: port.output(int(relay) - 1, active, seconds, abort=abort))

    # --- inside

    def _need_modules(self) -> None:
        if not self._model.expansions:
            raise NotFoundError("module", "this device takes no expansion modules")

    def _do(self, token: str, work: Any) -> None:
        port = None if self._wires is None else self._wires.module(token)
        if port is None:
            return  # told again when it is there
        try:
            work(port)
        except AxError as error:
            log.warning("%s: %s", token, error)


def _line(module: str, relay: int) -> str:
    return f"{module}.relay{relay}"


def _check_relay(relay: int) -> None:
    if not 1 <= relay <= RELAYS:
        raise InputError("relay", f"must be 1 to {RELAYS}")


def check_name(name: str) -> None:
    """InputError, if nothing can have this name."""
    if len(name) > MAX_NAME or not name.isprintable():
        raise InputError("name", f"must be at most {MAX_NAME} printable characters")


def free(stem: str, taken: Mapping[str, Any]) -> str:
    """A token that is not taken: ``stem`` and the lowest number."""
    return next(f"{stem}{number}" for number in range(1, len(taken) + 2) if f"{stem}{number}" not in taken)


def changed(tx: Transaction, kind: str, key: str, action: str) -> None:
    """Publish that something is set in another way."""
    tx.publish(NewEvent(topic=topics.CONFIGURATION_CHANGED, data={"kind": kind, "key": key, "action": action}))


def _status_event(token: str, status: ReaderStatus) -> NewEvent:
    data = {"state": "connected" if status.online else "not_connected", "secure": str(int(status.link == "secure"))}
    return NewEvent(topic=topics.EXPANSION_STATUS, source={"module": token}, data=data, is_property=True)
