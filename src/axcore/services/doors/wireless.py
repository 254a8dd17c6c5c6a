"""Wireless locks at a communication hub (manual: Wireless locks: up to 16, the hub on the secure side).

A lock is a door without terminals, an id point (its reader) and an access point between them. The hub is a driver; the
only one is simulated (``drivers.wireless_hub``), so that on a real board the hub can be configured but is never there.
Records: ``wireless.hub/0``, ``wireless/<token>``. Methods with ``tx`` are jobs of the ledger thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from axcore.devices import DeviceModel
from axcore.errors import ConflictError, LimitError, NotFoundError, StateError
from axcore.model import events as topics
from axcore.model.credentials import CardValue
from axcore.model.doors import Door, DoorConfiguration, DoorMonitor, LockConfiguration
from axcore.model.events import NewEvent
from axcore.model.pacs import AccessPoint, IdPoint, IdPointDevice
from axcore.services.doors.access import AccessController
from axcore.services.doors.expansion import Configuration, Doors, changed, check_name, free
from axcore.services.doors.id_data import id_data
from axcore.services.pacs.decision import Decision, Request

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

HUB, LOCK = "wireless.hub", "wireless"
_KINDS = ("pacs.access_point", "pacs.id_point", "pacs.door", "pacs.door_configuration")


class Hub(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """*Connect communication hub*."""

    connected: bool = False
    """It is to be used."""
    name: str = ""


class WirelessLock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lock at the hub."""

    token: str = ""
    """Of its door, its id point and its access point, which are made for it."""
    name: str = ""
    access_ms: int = 5_000


class HubDriver(Protocol):
    """A hub. Any thread; active is unlocked."""

    def set(self, lock: str, active: bool) -> None: ...
    def pulse(self, lock: str, active: bool, seconds: float) -> None: ...
    def end(self, lock: str) -> None: ...


class WirelessService:
    """Also the ``RemoteRelays`` of its locks."""

    def __init__(self, model: DeviceModel, pacs: Configuration, doors: Doors, controller: AccessController) -> None:
        self._most = model.wireless_locks
        self._pacs = pacs
        self._doors = doors
        self._controller = controller
        self._driver: HubDriver | None = None
        self._hub = Hub()
        self._locks: Mapping[str, WirelessLock] = {}
        self._up = False

    def load(self, tx: Transaction) -> None:
        """Read what is stored; also after a failed commit."""
        raw = tx.get(HUB, "0")
        self._hub = Hub() if raw is None else msgspec.json.decode(raw, type=Hub)
        self._locks = {key: msgspec.json.decode(raw, type=WirelessLock) for key, raw in tx.items(LOCK)}

    def attach(self, driver: HubDriver | None) -> None:
        """The hub; None: there is none on this board."""
        self._driver = driver

    def announce(self, tx: Transaction) -> None:
        """A hub that is to be used is there as soon as its driver is (start)."""
        for token in self._locks:
            self._link(tx, token, False)
        if self._hub.connected:
            self.on_hub(tx, self._driver is not None, at_start=True)

    # --- what is set

    @property
    def hub(self) -> Hub:
        return self._hub

    @property
    def up(self) -> bool:
        """Whether the hub answers."""
        return self._up

    @property
    def locks(self) -> Mapping[str, WirelessLock]:
        """By token."""
        return self._locks

    def configure(self, tx: Transaction, hub: Hub) -> Hub:
        """Connect the hub, or not. InputError."""
        self._need_locks()
        check_name(hub.name)
        tx.put(HUB, "0", msgspec.json.encode(hub))
        tx.assign(self, "_hub", hub)
        changed(tx, HUB, "0", "update")
        self.on_hub(tx, hub.connected and self._driver is not None)
        return hub

    def add(self, tx: Transaction, lock: WirelessLock) -> WirelessLock:
        """A lock with its door and its reader. InputError, LimitError; StateError: no hub is connected."""
        self._need_locks()
        if not self._hub.connected:
            raise StateError("connect the communication hub first")
        if len(self._locks) >= self._most:
            raise LimitError("lock", f"at most {self._most} wireless locks")
        check_name(lock.name)
        taken = {**self._locks, **{name: None for kind in _KINDS for name in self._pacs.table(kind)}}
        token = free("lock", taken)
        new = msgspec.structs.replace(lock, token=token, name=lock.name or f"Wireless lock {token[4:]}")
        tx.put(LOCK, token, msgspec.json.encode(new))
        tx.assign(self, "_locks", {**self._locks, token: new})
        hardware = DoorConfiguration(
            token=token, lock=LockConfiguration(type="RS485HD"), monitor=DoorMonitor(type="None")
        )
        point = AccessPoint(
            token=token, name=new.name, entity=token, id_points=(IdPointDevice(token),),
            authentication_profiles=("CardOnly",),
        )  # fmt: skip
        self._pacs.set(tx, "pacs.door_configuration", (hardware,))
        door = Door(token=token, name=new.name, access_ms=new.access_ms, open_too_long_ms=0)
        self._pacs.set(tx, "pacs.door", (door,))
        self._pacs.set(tx, "pacs.id_point", (IdPoint(token=token, name=new.name),))
        self._pacs.set(tx, "pacs.access_point", (point,))
        self._link(tx, token, self._up)
        changed(tx, LOCK, token, "add")
        return new

    def remove(self, tx: Transaction, token: str) -> None:
        """A lock, its door and its reader. NotFoundError."""
        self.lock(token)
        for kind in _KINDS:
            if token in self._pacs.table(kind):
                self._pacs.remove(tx, kind, (token,))
        tx.delete(LOCK, token)
        tx.assign(self, "_locks", {name: held for name, held in self._locks.items() if name != token})
        changed(tx, LOCK, token, "remove")

    def lock(self, token: str) -> WirelessLock:
        """A lock. NotFoundError."""
        try:
            return self._locks[token]
        except KeyError:
            raise NotFoundError("lock", f"there is no {token[:64]!r} ({', '.join(self._locks) or 'none'})") from None

    # --- what the hub tells

    def on_hub(self, tx: Transaction, up: bool, *, at_start: bool = False) -> None:
        """The hub is there, or not: its locks stay as they are, and none opens for it."""
        if up and (not self._hub.connected or self._driver is None):
            raise ConflictError("hub", "no communication hub is connected")
        if up == self._up and not at_start:
            return
        tx.assign(self, "_up", up)
        data = {"state": "connected" if up else "not_connected"}
        tx.publish(NewEvent(topic=topics.WIRELESS_HUB, data=data, is_property=True))
        for token in self._locks:
            self._link(tx, token, up)

    def on_card(self, tx: Transaction, token: str, card: CardValue, correlation: str | None = None) -> Decision | None:
        """A card at a lock; None: the hub is not there, and nobody hears of it."""
        self.lock(token)
        if not self._up:
            return None
        data = id_data(card, [])
        event = NewEvent(
            topic=topics.ID_POINT_ID_DATA, source={"IdPointToken": token}, data=data, correlation=correlation
        )
        tx.publish(event)
        return self._controller.request(tx, Request(token, data), tx.now.mono_ns, correlation)[0]

    # --- services.doors.remote.RemoteRelays

    def line(self, door: str) -> str | None:
        return f"hub.{door}" if door in self._locks else None

    def set(self, line: str, active: bool, correlation: str | None = None) -> None:
        if (driver := self._reached()) is not None:
            driver.set(line.removeprefix("hub."), active)

    def pulse(self, line: str, active: bool, seconds: float, correlation: str | None = None) -> None:
        if (driver := self._reached()) is not None:
            driver.pulse(line.removeprefix("hub."), active, seconds)

    def end(self, line: str, correlation: str | None = None) -> None:
        if (driver := self._reached()) is not None:
            driver.end(line.removeprefix("hub."))

    # --- inside

    def _reached(self) -> HubDriver | None:
        return self._driver if self._up else None

    def _need_locks(self) -> None:
        if not self._most:
            raise NotFoundError("lock", "this device takes no wireless locks")

    def _link(self, tx: Transaction, token: str, up: bool) -> None:
        if token in self._pacs.table("pacs.door"):
            self._doors.on_link(tx, token, up)
