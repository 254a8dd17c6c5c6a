"""What manual 002 (A1710-B) says of expansion modules, elevator control, readers on the network and wireless locks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from axcore._native.osdp_line import ControlPanel, PeripheralDevice
from axcore.devices.reader import ReaderStatus
from axcore.drivers.wireless_hub import SimulatedHub
from axcore.errors import AxError, ConflictError, InputError, LimitError, NotFoundError, StateError
from axcore.model import events as topics
from axcore.model.pacs import AccessPoint, AccessPolicy, AccessProfile, IdPointDevice
from axcore.osdp import LinkState
from axcore.services.doors.expansion import Floor, Module
from axcore.services.doors.network_readers import NetworkReader
from axcore.services.doors.wireless import Hub, WirelessLock
from axcore.testing.controller import CARD, OTHER, ControllerBench
from axcore.testing.osdp_bus import MemoryLine

KEY = "6b1f0c93d2a8475e90b3c6d4e1f72a58"
SECURE, LOST = ReaderStatus(link="secure"), ReaderStatus(why="silence")


class Wires:
    """Modules that remember what they were told."""

    def __init__(self) -> None:
        self.modules: Mapping[str, Module] = {}
        self.key = ""
        self.told: list[tuple[Any, ...]] = []

    def connect_modules(self, modules: Mapping[str, Module], key: str) -> None:
        self.modules, self.key = modules, key

    def module(self, token: str) -> One:
        return One(self, token)


class One:
    def __init__(self, wires: Wires, token: str) -> None:
        self._wires, self._token = wires, token

    identity = None

    def output(self, output: int, active: bool, seconds: float = 0.0, *, abort: bool = True) -> None:
        self._wires.told.append((self._token, output, active, round(seconds, 3)))

    def install(self, key: bytes | None, seconds: float = 60.0) -> None:
        self._wires.told.append((self._token, "install", key, seconds))


def with_modules(count: int = 1) -> tuple[ControllerBench, Wires]:
    bench, wires = ControllerBench("a1710-b"), Wires()
    bench.expansion.attach(wires)
    bench.do(lambda tx: bench.expansion.set_key(tx, KEY))
    for number in range(count):
        module = Module(port=number // 8 + 1, address=number % 8 + 2)
        bench.do(lambda tx, module=module: bench.expansion.add(tx, module))  # type: ignore[misc]
    return bench, wires


def elevator(bench: ControllerBench, *floors: str) -> None:
    """The reader in the cabin leads to these floors, and the card may go there."""
    for floor in floors:
        point = AccessPoint(
            token=f"{floor}access", entity=floor, id_points=(IdPointDevice("reader1"),),
            authentication_profiles=("CardOnly",),
        )  # fmt: skip
        bench.do(lambda tx, point=point: bench.pacs.set(tx, "pacs.access_point", (point,)))  # type: ignore[misc]


# --- Add AXIS A9910


def test_the_encryption_key_comes_before_the_first_module() -> None:
    """Click Add encryption key": entered, or generated and exported."""
    bench = ControllerBench("a1710-b")
    with pytest.raises(StateError):
        bench.do(lambda tx: bench.expansion.add(tx, Module(port=1, address=2)))
    generated = bench.do(bench.expansion.set_key)
    assert len(bytes.fromhex(generated)) == 16
    assert bench.do(lambda tx: bench.expansion.set_key(tx, KEY.upper())) == KEY
    assert bench.restart().expansion.key_set
    for weak in ("00" * 16, "abc", "303132333435363738393a3b3c3d3e3f"):
        with pytest.raises(InputError, match="key"):
            bench.do(lambda tx, weak=weak: bench.expansion.set_key(tx, weak))  # type: ignore[misc]
    raw = str([(event.topic, event.source, event.data) for event in bench.events()])
    assert KEY not in raw


def test_a_module_has_a_name_a_port_and_an_address() -> None:
    """Enter the name and select the RS485 port and address to use"."""
    bench, wires = with_modules()
    assert wires.modules == {"module1": Module(token="module1", name="A9910 1", port=1, address=2)}
    assert wires.key == KEY
    assert bench.restart().expansion.modules == wires.modules
    bench.do(lambda tx: bench.buses.configure(tx, "reader1", {"enabled": True}))
    for port, address in ((1, 2), (1, 0)):  # another module, a reader
        with pytest.raises(ConflictError, match="address"):
            bench.do(lambda tx, p=port, a=address: bench.expansion.add(tx, Module(port=p, address=a)))  # type: ignore[misc]
    with pytest.raises(ConflictError, match="module1"):
        bench.do(lambda tx: bench.buses.configure(tx, "reader2", {"enabled": True, "address": 2}))
    with pytest.raises(NotFoundError):
        bench.do(lambda tx: bench.expansion.add(tx, Module(port=5, address=9)))
    with pytest.raises(InputError):
        bench.do(lambda tx: bench.expansion.add(tx, Module(port=1, address=127)))
    with pytest.raises(ConflictError, match="remove them first"):
        bench.do(lambda tx: bench.expansion.set_key(tx, "00112233445566778899aabbccddee0f"))
    bench.do(lambda tx: bench.expansion.remove(tx, "module1"))
    assert wires.modules == {}


def test_up_to_16_modules_and_none_at_a_controller_that_takes_none() -> None:
    bench, wires = with_modules(16)
    assert len(wires.modules) == 16
    with pytest.raises(LimitError, match="16"):
        bench.do(lambda tx: bench.expansion.add(tx, Module(port=4, address=9)))
    small = ControllerBench("a1610")
    with pytest.raises(NotFoundError):
        small.do(lambda tx: small.expansion.set_key(tx, KEY))


def test_a_module_tells_its_inputs_and_moves_its_relays() -> None:
    bench, wires = with_modules()
    with pytest.raises(StateError, match="off line"):
        bench.do(lambda tx: bench.expansion.output(tx, "module1", 1, True))
    bench.do(lambda tx: bench.expansion.install(tx, "module1", 60))
    assert wires.told == [("module1", "install", bytes.fromhex(KEY), 60)]
    bench.do(lambda tx: bench.expansion.on_status(tx, "module1", SECURE))
    bench.events()
    bench.do(lambda tx: bench.expansion.on_inputs(tx, "module1", (False, True, False, False)))
    told = [(event.source["input"], event.data["active"]) for event in bench.told(topics.EXPANSION_INPUT)]
    assert told == [("1", "0"), ("2", "1"), ("3", "0"), ("4", "0")]
    bench.do(lambda tx: bench.expansion.output(tx, "module1", 4, True, 1.5))
    bench.do(lambda tx: bench.expansion.output(tx, "module1", 2, True))
    assert wires.told[1:] == [("module1", 3, True, 1.5), ("module1", 1, True, 0.0)]
    for relay in (0, 5):
        with pytest.raises(InputError, match="relay"):
            bench.do(lambda tx, relay=relay: bench.expansion.output(tx, "module1", relay, True))  # type: ignore[misc]
    bench.events()
    bench.do(lambda tx: bench.expansion.on_status(tx, "module1", LOST))
    assert [event.data["state"] for event in bench.told(topics.EXPANSION_STATUS)] == ["not_connected"]


def test_a_new_module_gets_the_key_of_all_in_an_install_window_and_never_in_clear() -> None:
    panel, module, key = ControlPanel(baud=0), PeripheralDevice(2), bytes.fromhex(KEY)
    panel.open(2, key=key, secure=True)
    line = MemoryLine(panel, [module])
    line.run(5)
    assert panel.link(0) == LinkState.OFFLINE
    module.install(line.t_ns, 60_000_000_000)
    panel.install(0, line.t_ns, 60_000_000_000, key)
    assert line.run(5, lambda: panel.link(0) == LinkState.SECURE)


# --- Elevator control


def test_a_card_in_the_cabin_releases_the_floors_that_it_may_go_to() -> None:
    """With a reader inside the elevator cabin, you can control the floor access"."""
    bench, wires = with_modules()
    bench.do(lambda tx: bench.expansion.on_status(tx, "module1", SECURE))
    for relay in (1, 2, 3):
        floor = Floor(module="module1", relay=relay, access_ms=5000)
        bench.do(lambda tx, floor=floor: bench.expansion.add_floor(tx, floor))  # type: ignore[misc]
    elevator(bench, "floor1", "floor2", "floor3")
    bench.let_in()
    policies = tuple(AccessPolicy(f"floor{number}access") for number in (1, 3))
    profile = AccessProfile(token="reader1profile", policies=policies)
    bench.do(lambda tx: bench.pacs.set(tx, "pacs.access_profile", (profile,)))
    wires.told.clear()
    bench.swipe()
    assert sorted(wires.told) == [("module1", 0, True, 5.0), ("module1", 2, True, 5.0)]
    assert [bench.mode(f"floor{number}") for number in (1, 2, 3)] == ["Accessed", "Locked", "Accessed"]
    assert not bench.open, "the first door is another"
    bench.swipe(OTHER)
    assert len(wires.told) == 2
    with pytest.raises(ConflictError, match="floor1"):
        bench.do(lambda tx: bench.expansion.output(tx, "module1", 1, True))
    with pytest.raises(ConflictError, match="floor1"):
        bench.do(lambda tx: bench.expansion.add_floor(tx, Floor(module="module1", relay=1)))
    with pytest.raises(ConflictError):
        bench.do(lambda tx: bench.expansion.remove(tx, "module1"))
    bench.do(lambda tx: bench.expansion.remove_floor(tx, "floor2"))
    assert "floor2" not in bench.doors.tokens


def test_losing_or_regaining_a_module_releases_no_floor() -> None:
    bench, wires = with_modules()
    bench.do(lambda tx: bench.expansion.add_floor(tx, Floor(module="module1", relay=1)))
    elevator(bench, "floor1")
    bench.let_in()
    bench.do(
        lambda tx: bench.pacs.set(
            tx, "pacs.access_profile",
            (AccessProfile(token="reader1profile", policies=(AccessPolicy("floor1access"),)),),
        )
    )  # fmt: skip
    bench.swipe()  # nobody is there to hear it
    wires.told.clear()
    for status in (SECURE, LOST, SECURE, ReaderStatus(link="install"), LOST, SECURE):
        bench.do(lambda tx, status=status: bench.expansion.on_status(tx, "module1", status))  # type: ignore[misc]
        bench.wait(1)
    assert [entry for entry in wires.told if entry[2]] == []
    bench.swipe()
    assert wires.told[-1] == ("module1", 0, True, 10.0)
    bench.do(lambda tx: bench.expansion.on_status(tx, "module1", LOST))
    bench.wait(1)
    wires.told.clear()
    bench.do(lambda tx: bench.expansion.on_status(tx, "module1", SECURE))
    assert ("module1", 0, False, 0.0) in wires.told
    assert [entry for entry in wires.told if entry[2]] == [], "an access does not outlive the line"


def test_up_to_16_floors() -> None:
    """You can connect up to 16 floors linked to a single door controller and AXIS A9910 expansion modules"."""
    bench, _ = with_modules(5)
    for number in range(16):
        floor = Floor(module=f"module{number // 4 + 1}", relay=number % 4 + 1)
        bench.do(lambda tx, floor=floor: bench.expansion.add_floor(tx, floor))  # type: ignore[misc]
    with pytest.raises(LimitError, match="16"):
        bench.do(lambda tx: bench.expansion.add_floor(tx, Floor(module="module5", relay=1)))
    again = bench.restart()
    assert len(again.expansion.floors) == 16
    assert set(again.expansion.floors) <= set(again.doors.tokens)


# --- Peripherals > Readers


def test_up_to_16_readers_on_the_network() -> None:
    """You can add up to 16 Bluetooth readers"; name, IP address, user name, password, certificate verification."""
    bench = ControllerBench("a1710-b")
    for number in range(16):
        reader = NetworkReader(kind="bluetooth", host=f"192.0.2.{number}", username="root", password="pass")
        bench.do(lambda tx, reader=reader: bench.network_readers.add(tx, reader))  # type: ignore[misc]
    with pytest.raises(LimitError, match="16"):
        bench.do(lambda tx: bench.network_readers.add(tx, NetworkReader(kind="barcode")))
    assert "netreader16" in bench.pacs.index.id_points
    changed = bench.do(lambda tx: bench.network_readers.configure(tx, "netreader1", {"verify_certificate": False}))
    assert (changed.password, changed.verify_certificate) == ("pass", False)
    assert bench.restart().network_readers.reader("netreader1") == changed
    bench.do(lambda tx: bench.network_readers.remove(tx, "netreader1"))
    assert "netreader1" not in bench.pacs.index.id_points


@pytest.mark.parametrize(
    ("field", "fields"),
    [("host", {}), ("host", {"host": "a b"}), ("name", {"host": "a", "name": "x" * 65}),
     ("password", {"host": "a", "password": "\x00"}), ("username", {"host": "a", "username": "x" * 256})],
)  # fmt: skip
def test_a_reader_that_cannot_be_reached_is_refused(field: str, fields: dict[str, Any]) -> None:
    bench = ControllerBench("a1710-b")
    with pytest.raises(InputError, match=field):
        bench.do(lambda tx: bench.network_readers.add(tx, NetworkReader(**fields)))
    assert bench.network_readers.readers == {}


# --- Wireless locks


def with_hub() -> tuple[ControllerBench, SimulatedHub]:
    bench, hub = ControllerBench("a1710-b"), SimulatedHub()
    bench.wireless.attach(hub)
    bench.do(lambda tx: bench.wireless.configure(tx, Hub(connected=True)))
    return bench, hub


def test_a_card_at_a_wireless_lock_unlocks_it_through_the_hub() -> None:
    """Connect communication hub: Click to connect the wireless locks"."""
    bench, hub = with_hub()
    bench.do(lambda tx: bench.wireless.add(tx, WirelessLock()))
    bench.let_in()
    profile = AccessProfile(token="reader1profile", policies=(AccessPolicy("lock1"),))
    bench.do(lambda tx: bench.pacs.set(tx, "pacs.access_profile", (profile,)))
    bench.do(lambda tx: bench.wireless.on_card(tx, "lock1", OTHER))
    assert not hub.active("lock1")
    bench.do(lambda tx: bench.wireless.on_card(tx, "lock1", CARD))
    assert hub.active("lock1")
    assert bench.mode("lock1") == "Accessed"


def test_a_hub_that_goes_and_comes_opens_nothing() -> None:
    bench, hub = with_hub()
    bench.do(lambda tx: bench.wireless.add(tx, WirelessLock()))
    bench.events()
    for up in (False, True, False, True):
        bench.do(lambda tx, up=up: bench.wireless.on_hub(tx, up))  # type: ignore[misc]
        if not up:
            assert bench.do(lambda tx: bench.wireless.on_card(tx, "lock1", CARD)) is None
        assert not hub.active("lock1")
    states = [event.data["state"] for event in bench.told(topics.WIRELESS_HUB)]
    assert states == ["not_connected", "connected"] * 2
    assert bench.mode("lock1") == "Locked"


def test_up_to_16_wireless_locks() -> None:
    """You can connect up to 16 ASSA ABLOY Aperio wireless locks using the AH30 Communication Hub"."""
    bench, _ = with_hub()
    for _ in range(16):
        bench.do(lambda tx: bench.wireless.add(tx, WirelessLock()))
    with pytest.raises(LimitError, match="16"):
        bench.do(lambda tx: bench.wireless.add(tx, WirelessLock()))
    bench.do(lambda tx: bench.wireless.remove(tx, "lock7"))
    assert "lock7" not in bench.doors.tokens
    assert "lock7" not in bench.pacs.index.id_points
    assert len(bench.restart().wireless.locks) == 15


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda bench, tx: bench.wireless.add(tx, WirelessLock()), StateError),
        (lambda bench, tx: bench.wireless.on_hub(tx, True), ConflictError),
        (lambda bench, tx: bench.wireless.remove(tx, "lock1"), NotFoundError),
        (lambda bench, tx: bench.wireless.on_card(tx, "lock1", CARD), NotFoundError),
        (lambda bench, tx: bench.wireless.configure(tx, Hub(name="x" * 65)), InputError),
    ],
)
def test_without_a_hub_there_are_no_locks(act: Callable[..., object], error: type[AxError]) -> None:
    bench = ControllerBench("a1710-b")
    with pytest.raises(error):
        bench.do(lambda tx: act(bench, tx))
