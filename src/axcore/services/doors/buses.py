"""The readers of a controller on its RS-485 ports: how they are set up, and what is seen on the lines.

Cards, keys, tamper and links go on to ``ReaderService``; attacks, keys, install windows and the state of each
connection are events. Nothing here opens anything: a card counts only while its reader is on line, and not while a
published key is in use. A new key is stored before it is sent, and takes its place when the reader says that it has it:
whatever happens in between, one of the two opens the channel again.

Records: ``reader.port/<number>``, ``reader.bus/<name>``. Methods with ``tx`` are jobs of the ledger thread; what has
none may be read from any thread.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from axcore.devices import DeviceModel, ReaderSpec
from axcore.devices.reader import ReaderFeedback, ReaderIdentity, ReaderStatus
from axcore.errors import AxError, ConflictError, InputError, NotFoundError, StateError
from axcore.model import events as topics
from axcore.model.convert import convert, patched
from axcore.model.credentials import CredentialRead
from axcore.model.events import NewEvent
from axcore.osdp.keys import normal_key
from axcore.services.doors.bus_settings import (
    BusReader,
    KeptReader,
    PortSettings,
    check_addresses,
    check_port,
    check_reader,
    delivered_port,
    patched_reader,
)
from axcore.services.doors.readers import ReaderPort, ReaderService

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

log = logging.getLogger(__name__)

PORT, READER = "reader.port", "reader.bus"
MAX_INSTALL = 600.0
MAX_INPUTS = 16
"""Inputs of a reader that are told."""
WRONG_KEY = "cryptogram"
"""The attack that a reader with another key looks like."""


class BusPort(ReaderPort, Protocol):
    """A reader on a bus. Any thread; AxError when a command finds no room or does not fit the state."""

    @property
    def identity(self) -> ReaderIdentity | None: ...
    def set_feedback(self, feedback: ReaderFeedback) -> None: ...
    def set_key(self, key: bytes) -> None: ...
    def know_key(self, key: bytes) -> None: ...
    def install(self, key: bytes | None, seconds: float = 60.0) -> None: ...
    def move(self, address: int, baud: int) -> None: ...


class BusWires(Protocol):
    """The lines."""

    def connect(self, ports: Mapping[int, PortSettings], readers: Mapping[str, BusReader]) -> None:
        """Make those connections anew whose settings changed. Ledger thread, after the commit."""

    def kept(self, name: str, settings: BusReader, port: PortSettings) -> None:
        """These settings of a reader and of its port are in use already."""

    def reader(self, name: str) -> BusPort | None:
        """A reader that is polled."""


class BusService:
    """Construct it, ``Ledger.load(load)``; then ``attach`` and, after the start, ``connect``."""

    def __init__(self, model: DeviceModel, readers: ReaderService) -> None:
        self._specs: Mapping[str, ReaderSpec] = {spec.name: spec for spec in model.reader_places}
        self._order = tuple(self._specs)
        self._readers = readers
        self._wires: BusWires | None = None
        self.modules_at: Callable[[int], Mapping[str, int]] = lambda port: {}
        """Addresses of what else is on a port (``ExpansionService``)."""
        self._ports: Mapping[int, PortSettings] = {}
        self._kept: Mapping[str, KeptReader] = {}
        self._status: Mapping[str, ReaderStatus] = {}
        self._windows: frozenset[str] = frozenset()
        self._trying: frozenset[str] = frozenset()
        """Readers that are spoken to with the key that was on its way."""
        self._inputs: Mapping[str, tuple[bool, ...]] = {}

    def load(self, tx: Transaction) -> None:
        """Read what is stored; also after a failed commit."""
        places = tuple(self._specs.values())
        ports = {int(key): msgspec.json.decode(raw, type=PortSettings) for key, raw in tx.items(PORT)}
        kept = {key: msgspec.json.decode(raw, type=KeptReader) for key, raw in tx.items(READER)}
        numbers = sorted({spec.port for spec in places})
        self._ports = {number: ports.get(number) or delivered_port(places, number) for number in numbers}
        self._kept = {
            spec.name: kept.get(spec.name) or KeptReader(settings=BusReader(address=spec.address)) for spec in places
        }
        if self._wires is None:
            self._trying = frozenset(
                name for name, held in self._kept.items() if held.next_key and not held.settings.key
            )
            for spec in places:
                self._readers.presume(spec.name, online=self.uses_wiegand(spec.name))

    def attach(self, wires: BusWires) -> None:
        """The lines; connections are made by ``connect``."""
        self._wires = wires

    def connect(self) -> None:
        """Make the connections that the settings ask for."""
        if self._wires is None:
            return
        readers = {name: kept.settings for name, kept in self._kept.items()}
        for name in self._trying:
            readers[name] = msgspec.structs.replace(readers[name], key=self._kept[name].next_key)
        self._wires.connect(self._ports, readers)

    def announce(self, tx: Transaction) -> None:
        """Publish how the connections stand (start)."""
        for name in self._order:
            if self._kept[name].settings.enabled:
                tx.publish(self._connection(name, self.status(name)))

    # --- what is set

    @property
    def ports(self) -> Mapping[int, PortSettings]:
        """By number (1..)."""
        return self._ports

    def port(self, number: int) -> PortSettings:
        """A reader connector. NotFoundError."""
        try:
            return self._ports[number]
        except KeyError:
            known = ", ".join(map(str, self._ports)) or "none"
            raise NotFoundError("port", f"there is no reader port {number} (ports: {known})") from None

    def reader(self, name: str) -> BusReader:
        """A reader. NotFoundError."""
        self._spec(name)
        return self._kept[name].settings

    def status(self, name: str) -> ReaderStatus:
        """How the line to a reader stands."""
        self._spec(name)
        return self._status.get(name, ReaderStatus())

    def addresses(self, port: int) -> dict[str, int]:
        """Addresses of the readers that are polled on a port. NotFoundError."""
        self.port(port)
        return {
            name: kept.settings.address
            for name, kept in self._kept.items()
            if kept.settings.enabled and self._spec(name).port == port
        }

    def identity(self, name: str) -> ReaderIdentity | None:
        """What a reader says of itself; None: it is not polled, or has not answered yet."""
        port = None if self._wires is None else self._wires.reader(self._spec(name).name)
        return None if port is None else port.identity

    def is_polled(self, name: str) -> bool:
        """Whether a bus speaks to this place."""
        return self.reader(name).enabled and self._ports[self._spec(name).port].protocol == "osdp"

    def install_window(self, name: str) -> bool:
        """Whether the published key may be used."""
        return name in self._windows

    def uses_wiegand(self, name: str) -> bool:
        """Whether the reader is on Wiegand lines now."""
        spec = self._spec(name)
        return spec.wiegand is not None and self._ports[spec.port].protocol == "wiegand"

    def configure_port(self, tx: Transaction, number: int, patch: Mapping[str, Any]) -> PortSettings:
        """Change a connector. NotFoundError, InputError."""
        before = self.port(number)
        places = [spec for spec in self._specs.values() if spec.port == number]
        has_wiegand = any(spec.wiegand is not None for spec in places)
        new = check_port(patched(before, patch, PortSettings), has_wiegand=has_wiegand)
        if new == before:
            return new
        self._put(tx, PORT, str(number), msgspec.json.encode(new))
        tx.assign(self, "_ports", {**self._ports, number: new})
        for spec in places:
            self._gone(tx, spec.name)
            self._readers.on_online(tx, spec.name, self.uses_wiegand(spec.name))
        tx.after_commit(self.connect)
        return new

    def configure(self, tx: Transaction, name: str, patch: Mapping[str, Any]) -> BusReader:
        """Change a reader; a key that is left out stays. NotFoundError, InputError, ConflictError (address)."""
        before = self._kept.get(self._spec(name).name) or KeptReader(settings=BusReader())
        new = check_reader(convert(patched_reader(before.settings, patch), BusReader))
        if new.enabled:
            check_addresses(name, new.address, self._neighbours(name))
        if new != before.settings:
            next_key = before.next_key if new.key == before.settings.key else ""
            self._keep(tx, name, KeptReader(settings=new, next_key=next_key))
            if msgspec.structs.replace(new, feedback=before.settings.feedback) != before.settings:
                self._gone(tx, name)
            tx.after_commit(self.connect)
        return new

    # --- keys, addresses

    def set_key(self, tx: Transaction, name: str, key: str) -> None:
        """Give the reader a new base key over its secure channel. InputError; StateError: there is no such channel."""
        text = normal_key("key", key)
        if not text:
            raise InputError("key", "is required")
        if self.status(name).link != "secure":
            raise StateError(f"{name} is not connected by a secure channel")
        self._keep(tx, name, msgspec.structs.replace(self._kept[name], next_key=text), told=False)
        tx.after_commit(lambda: self._do(name, lambda port: port.set_key(bytes.fromhex(text))))

    def install(self, tx: Transaction, name: str, seconds: float, key: str = "") -> None:
        """For so long speak with the published key, and set a key of its own: ``key``, or one that nobody has seen.

        0 ends it. InputError; StateError: the reader is not polled; ConflictError: it has a key.
        """
        if not 0 <= seconds <= MAX_INSTALL:
            raise InputError("seconds", f"must be 0 to {MAX_INSTALL:.0f}")
        if not self.is_polled(name):
            raise StateError(f"{name} is not connected by OSDP")
        if seconds == 0:
            tx.after_commit(lambda: self._do(name, lambda port: port.install(None)))
            return
        if self.reader(name).key:
            raise ConflictError("key", f"{name} has a key: a published one would let others in (clear the key first)")
        text = normal_key("key", key) or secrets.token_hex(16)
        self._keep(tx, name, msgspec.structs.replace(self._kept[name], next_key=text), told=False)
        tx.after_commit(lambda: self._do(name, lambda port: port.install(bytes.fromhex(text), seconds)))

    def move(self, tx: Transaction, name: str, address: int, baud: int) -> None:
        """Give the reader another address and speed (COMSET). InputError, ConflictError, StateError."""
        check_reader(msgspec.structs.replace(self.reader(name), address=address))
        number = self._spec(name).port
        check_port(msgspec.structs.replace(self._ports[number], baud=baud), has_wiegand=True)
        neighbours = self._neighbours(name)
        check_addresses(name, address, neighbours)
        if baud != self._ports[number].baud and neighbours:
            raise ConflictError("baud", f"{', '.join(neighbours)} on the same port would be lost")
        if not self.status(name).online:
            raise StateError(f"{name} is off line")
        tx.after_commit(lambda: self._do(name, lambda port: port.move(address, baud)))

    # --- what is seen on the lines

    def on_read(self, tx: Transaction, name: str, read: CredentialRead) -> None:
        """A card. Under a published key anybody could have sent it: it is refused."""
        if not self._counts(name):
            log.warning("%s: a card was shown in the install window and is not used", name)
        elif read.card is not None:
            self._readers.on_card(tx, name, read.card, read.t_ns, read.correlation)

    def on_keys(self, tx: Transaction, name: str, keys: str, t_ns: int) -> None:
        """Keys, in order."""
        if not self._counts(name):
            return
        for key in keys:
            if key in "0123456789*#":
                self._readers.on_key(tx, name, key, t_ns)

    def on_status(self, tx: Transaction, name: str, status: ReaderStatus) -> None:
        """The line to a reader stands in another way."""
        before = self.status(name)
        if status == before:
            return
        tx.assign(self, "_status", {**self._status, name: status})
        self._readers.on_online(tx, name, status.online)
        if status.online:
            self._readers.on_tamper(tx, name, status.tamper)
        if (status.link, status.why) != (before.link, before.why):
            tx.publish(self._connection(name, status))
        if status.link == "secure" and name in self._trying:
            self.on_key_set(tx, name, bytes.fromhex(self._kept[name].next_key))

    def on_inputs(self, tx: Transaction, name: str, inputs: tuple[bool, ...]) -> None:
        """Inputs of the reader; those that changed are told."""
        before = self._inputs.get(name, ())
        for number, active in enumerate(inputs[:MAX_INPUTS]):
            if number >= len(before) or before[number] != active:
                source = {**self._source(name), "input": str(number)}
                event = NewEvent(
                    topic=topics.READER_INPUT, source=source, data={"active": str(int(active))}, is_property=True
                )
                tx.publish(event)
        tx.assign(self, "_inputs", {**self._inputs, name: inputs[:MAX_INPUTS]})

    def on_attack(self, tx: Transaction, name: str, kind: str, code: int) -> None:
        """Something that must not be was refused. A key that was on its way may be the reader's by now."""
        data = {"kind": kind, "code": f"{code:#04x}"}
        tx.publish(NewEvent(topic=topics.READER_ATTACK, source=self._source(name), data=data), lazy=True)
        kept, trying = self._kept[name], name in self._trying
        if kind != WRONG_KEY or not kept.next_key:
            return
        if kept.settings.key:
            tx.assign(self, "_trying", self._trying - {name} if trying else self._trying | {name})
            key = bytes.fromhex(kept.settings.key if trying else kept.next_key)
            tx.after_commit(lambda: self._do(name, lambda port: port.know_key(key)))
        elif trying:  # it was not set before the device went down
            self._forget_next(tx, name)
            tx.after_commit(self.connect)

    def on_key_set(self, tx: Transaction, name: str, key: bytes) -> None:
        """The reader has taken a new base key, which is in use."""
        settings = msgspec.structs.replace(self._kept[name].settings, key=key.hex())
        self._keep(tx, name, KeptReader(settings=settings))
        tx.assign(self, "_trying", self._trying - {name})
        tx.publish(NewEvent(topic=topics.READER_KEY, source=self._source(name)))
        if self._wires is not None:
            tx.after_commit(partial(self._wires.kept, name, settings, self._ports[self._spec(name).port]))

    def on_install(self, tx: Transaction, name: str, is_open: bool, installed: bool) -> None:
        """The install window opened or closed."""
        tx.assign(self, "_windows", self._windows | {name} if is_open else self._windows - {name})
        data = {"open": str(int(is_open)), "installed": str(int(installed))}
        source = self._source(name)
        tx.publish(NewEvent(topic=topics.READER_INSTALL, source=source, data=data, is_property=True))
        if not is_open and not installed and not self._kept[name].settings.key:
            self._forget_next(tx, name)

    def on_moved(self, tx: Transaction, name: str, address: int, baud: int) -> None:
        """The reader has taken a new address, the line its speed."""
        kept, number = self._kept[name], self._spec(name).port
        settings = msgspec.structs.replace(kept.settings, address=address)
        self._keep(tx, name, msgspec.structs.replace(kept, settings=settings))
        port = msgspec.structs.replace(self._ports[number], baud=baud)
        if port != self._ports[number]:
            self._put(tx, PORT, str(number), msgspec.json.encode(port))
            tx.assign(self, "_ports", {**self._ports, number: port})
        if self._wires is not None:
            tx.after_commit(partial(self._wires.kept, name, settings, port))

    # --- inside

    def _spec(self, name: str) -> ReaderSpec:
        try:
            return self._specs[name]
        except KeyError:
            raise NotFoundError("reader", f"there is no {name[:64]!r} (readers: {', '.join(self._order)})") from None

    def _neighbours(self, name: str) -> dict[str, int]:
        """Addresses of the others on the same port."""
        port = self._spec(name).port
        others = {**self.addresses(port), **self.modules_at(port)}
        return {other: address for other, address in others.items() if other != name}

    def _counts(self, name: str) -> bool:
        """Whether what the reader says is believed."""
        return self.status(name).link in ("clear", "secure")

    def _gone(self, tx: Transaction, name: str) -> None:
        """It is not polled any more."""
        self.on_status(tx, name, ReaderStatus())
        tx.assign(self, "_inputs", {place: held for place, held in self._inputs.items() if place != name})
        tx.assign(self, "_trying", self._trying - {name})
        if name in self._windows:
            self.on_install(tx, name, False, False)

    def _forget_next(self, tx: Transaction, name: str) -> None:
        """The key that was on its way has not arrived and never will."""
        if self._kept[name].next_key:
            self._keep(tx, name, msgspec.structs.replace(self._kept[name], next_key=""), told=False)
        tx.assign(self, "_trying", self._trying - {name})

    def _keep(self, tx: Transaction, name: str, kept: KeptReader, *, told: bool = True) -> None:
        self._put(tx, READER, name, msgspec.json.encode(kept), told=told)
        tx.assign(self, "_kept", {**self._kept, name: kept})

    def _put(self, tx: Transaction, kind: str, key: str, raw: bytes, *, told: bool = True) -> None:
        tx.put(kind, key, raw)
        if told:
            data = {"kind": kind, "key": key, "action": "update"}
            tx.publish(NewEvent(topic=topics.CONFIGURATION_CHANGED, data=data))

    def _do(self, name: str, work: Callable[[BusPort], None]) -> None:
        port = None if self._wires is None else self._wires.reader(name)
        if port is None:
            log.warning("%s is not connected", name)
            return
        try:
            work(port)
        except AxError as error:
            log.warning("%s: %s", name, error)

    def _source(self, name: str) -> dict[str, str]:
        """Of events: the id point at the line, or the place, where there is none."""
        return {"IdPointToken": self._readers.id_point(name) or name}

    def _connection(self, name: str, status: ReaderStatus) -> NewEvent:
        state = "connected" if status.online else "not_connected"
        data = {"state": state, "secure": str(int(status.link == "secure"))}
        if status.why:
            data["reason"] = status.why
        return NewEvent(topic=topics.READER_CONNECTION, source=self._source(name), data=data, is_property=True)
