"""A door station as the OSDP reader of a door controller: two processes, and a line between their ptys.

Without a cable the station opens the controller's pty as its serial line. With one, somebody in the middle carries the
bytes between two ptys, and can be pulled.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import tty
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from axcore._native.osdp_line import PeripheralDevice
from axcore.app import Device
from axcore.drivers.serial import Line, SerialLine
from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.model import events as topics
from axcore.model.doors import Door
from axcore.model.pacs import (
    AccessPoint,
    AccessPolicy,
    AccessProfile,
    Credential,
    CredentialAccessProfile,
    IdData,
    IdPointDevice,
)
from axcore.osdp import EventKind, messages

CONTROLLER, STATION = "a1610", "a8207-ve"
READER, PORT, DOOR, RELAY = "reader1", 1, "door1", "relay1"
DOORS = "/config/rest/doors/v1"
READERS = "/config/rest/reader/v1"
KEY = "6b1f0c93d2a8475e90b3c6d4e1f72a58"
BAUD = 115_200
CARD = {"format": "H10301", "facility": 0, "card": 10213, "interval_us": 200, "pulse_us": 40}
"""Card 02004fcb."""
CARD_DATA = "02004fcb"


class Cable:
    """Carries bytes between the far ends of two simulated lines until it is pulled."""

    def __init__(self, one: Path, other: Path) -> None:
        self._paths = one, other
        self._thread: threading.Thread | None = None
        self.plug()

    def plug(self) -> None:
        """Connect both ends."""
        fds = tuple(os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK) for path in self._paths)
        for fd in fds:
            tty.setraw(fd)
            with contextlib.suppress(BlockingIOError):
                while os.read(fd, 4096):  # what was said to nobody
                    pass
        self._stop, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._run, args=fds, daemon=True)
        self._thread.start()

    def pull(self) -> None:
        """Close both ends; nothing arrives any more."""
        if self._thread is None:
            return
        os.write(self._wake, b"x")
        self._thread.join()
        self._thread = None
        os.close(self._stop)
        os.close(self._wake)

    def _run(self, *fds: int) -> None:
        with contextlib.suppress(OSError):  # an end is gone
            while self._stop not in (ready := select.select([*fds, self._stop], [], [])[0]):
                for fd in ready:
                    with contextlib.suppress(BlockingIOError):  # a pty may announce what is not there yet
                        os.write(fds[1] if fd == fds[0] else fds[0], os.read(fd, 4096))
        for fd in fds:
            os.close(fd)


class MultiDrop:
    """Several readers on one line (or its path), which all hear everything: a thread that answers for them."""

    def __init__(self, line: str | Line, keys: Mapping[int, str]) -> None:
        self.devices = {address: PeripheralDevice(address, key=bytes.fromhex(key)) for address, key in keys.items()}
        self.commands: list[tuple[int, messages.Message | tuple[messages.Message, ...]]] = []
        """What the controller wanted, by address."""
        self._lock = threading.Lock()
        self._line = SerialLine(path=line, baud=BAUD) if isinstance(line, str) else line
        self._fd = self._line.open()
        self._stop, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def card(self, address: int, value: int, bits: int = 26) -> None:
        """Show a card at a reader."""
        data = (value << (-bits % 8)).to_bytes((bits + 7) // 8, "big")
        code, payload = messages.pack(messages.Raw(0, 1, bits, data))
        with self._lock:
            self.devices[address].post(code, payload)

    def close(self) -> None:
        """The readers are gone."""
        os.write(self._wake, b"x")
        self._thread.join()
        for fd in (self._stop, self._wake):
            os.close(fd)
        self._line.close()

    def _run(self) -> None:
        while self._stop not in select.select([self._fd, self._stop], [], [])[0]:
            try:
                data, now = os.read(self._fd, 4096), time.monotonic_ns()
            except BlockingIOError:
                continue
            with self._lock:
                out = [device.step(data, now) for device in self.devices.values()]
                for address, device in self.devices.items():
                    self.commands += [
                        (address, messages.unpack(False, event.code, event.data))
                        for event in device.events()
                        if event.kind == EventKind.COMMAND
                    ]
            os.write(self._fd, b"".join(out))


def let_in(
    data_dir: Path,
    model: str = CONTROLLER,
    readers: Sequence[str] = (READER,),
    access_points: Mapping[str, str] | None = None,
    **door: Any,
) -> None:
    """Write what lets the card in at these readers, before the controller is started.

    With ``access_points`` (token to door, all of the first reader) only there.
    """
    points = access_points or {}
    policies = tuple(AccessPolicy(token) for token in (points or [f"{reader}access" for reader in readers]))
    records: tuple[tuple[str, Any], ...] = (
        ("pacs.door", Door(token=DOOR, **door)),
        ("pacs.access_profile", AccessProfile(token="staff", policies=policies)),
        *(
            (
                "pacs.access_point",
                AccessPoint(
                    token=token,
                    entity=entity,
                    id_points=(IdPointDevice(readers[0]),),
                    authentication_profiles=("CardOnly",),
                ),
            )
            for token, entity in points.items()
        ),
        (
            "pacs.credential",
            Credential(
                token="ann", id_data=(IdData("Card", CARD_DATA),), access_profiles=(CredentialAccessProfile("staff"),)
            ),
        ),
    )
    device = Device(model, data_dir)

    def job(tx: Any) -> None:
        for kind, record in records:
            tx.put(kind, record.token, msgspec.json.encode(record))

    device.start()
    try:
        device.ledger.submit(job).result(60)
    finally:
        device.stop()


class OsdpDoor:
    """Controller and station; ``start`` starts and connects them."""

    def __init__(self, *, cable: bool = False, station_key: str = KEY, **door: Any) -> None:
        self.controller, self.station = Instance(model=CONTROLLER), Instance(model=STATION)
        self.cable: Cable | None = None
        self._with_cable, self._station_key, self._door = cable, station_key, door
        self.client: net.Client
        self.log: net.EventLog

    def __enter__(self) -> OsdpDoor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.cable is not None:
            self.cable.pull()
        self.station.close()
        self.controller.close()

    def start(self) -> None:
        """Both are ready; nothing is set up yet."""
        let_in(self.controller.data_dir, **self._door)
        self.controller.start()
        self.controller.create_admin()
        self.client = self.controller.client()
        self.log = net.EventLog(self.client)
        self.start_station()
        self.station.create_admin()
        if self._with_cable:
            self.cable = Cable(self.controller.data_dir / f"rs485-{PORT}", self.station.data_dir / "rs485")

    def start_station(self) -> None:
        """Start the station on its end of the line."""
        if not self._with_cable:
            self.station.data_dir.mkdir(parents=True, exist_ok=True)
            file = self.station.data_dir.parent / "axcore.toml"
            file.write_text(f'[serial]\nrs485 = "{self.controller.data_dir}/rs485-{PORT}"\n')
            self.station.arguments = ("--config", str(file))
        self.station.start()

    def set_up(self, key: str = KEY, **reader: Any) -> None:
        """Over REST, as a user: the station is an OSDP reader, the controller polls it."""
        settings = {"protocol": "osdp", "osdp": {"address": 0, "baud": BAUD, "key": self._station_key}}
        self.station.client().rest("PATCH", f"{READERS}/settings", settings)
        self.client.rest("PATCH", f"{DOORS}/reader-ports/{PORT}", {"protocol": "osdp", "baud": BAUD})
        self.client.rest("PATCH", f"{DOORS}/readers/{READER}/settings", {"enabled": True, "key": key, **reader})

    def reader(self) -> dict[str, Any]:
        """The reader as the controller sees it."""
        found: dict[str, Any] = next(
            entry for entry in self.client.rest("GET", f"{DOORS}/readers") if entry["name"] == READER
        )
        return found

    def wait_link(self, link: str, timeout: float = 120.0) -> float:
        """Wait until the controller's line stands so; seconds that it took."""
        began = time.monotonic()
        wait_for(f"the reader to be {link}", lambda: self.reader()["link"] == link, timeout, 0.02)
        return time.monotonic() - began

    def wait_event(self, topic: str, timeout: float = 120.0, *, after: int = 0, **data: str) -> dict[str, Any]:
        """The first event of the controller with this topic and these data, past an id."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = [
                event
                for event in self.log.all()
                if event["id"] > after and event["topic"] == topic and data.items() <= event["data"].items()
            ]
            return bool(found)

        wait_for(topic, look, timeout, 0.02)
        return found[0]

    def door(self) -> dict[str, Any]:
        """The state of the door."""
        state: dict[str, Any] = self.client.rest("GET", f"{DOORS}/doors/{DOOR}")["state"]
        return state

    def opened(self) -> bool:
        """Whether the relay has moved since the last look."""
        return any(edge.io == RELAY and edge.active for edge in self.controller.tap.drain())


GRANTED = f"{topics.ACCESS_GRANTED}Credential"
