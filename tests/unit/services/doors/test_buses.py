"""Readers on RS-485 ports: what is set is kept, keys are never lost, and no link opens a door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.devices.reader import ReaderFeedback, ReaderStatus
from axcore.errors import AxError, ConflictError, InputError, NotFoundError, StateError, StoreError
from axcore.model import events as topics
from axcore.model.credentials import CredentialRead
from axcore.services.doors.bus_settings import BusReader, PortSettings
from axcore.services.doors.reader_setup import Channel
from axcore.testing.controller import CARD, ControllerBench

KEY, OTHER, THIRD = "6b1f0c93d2a8475e90b3c6d4e1f72a58", "00112233445566778899aabbccddee0f", "0f" + "a7" * 14 + "01"
SECURE, CLEAR = ReaderStatus(link="secure"), ReaderStatus(link="clear")
LOST = ReaderStatus(why="silence")


class Wires:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.ports: Mapping[int, PortSettings] = {}
        self.readers: Mapping[str, BusReader] = {}
        self.done: list[tuple[Any, ...]] = []
        self.refuses: AxError | None = None

    def connect(self, ports: Mapping[int, PortSettings], readers: Mapping[str, BusReader]) -> None:
        self.ports, self.readers = ports, readers
        self.done.append(("connect",))

    def kept(self, name: str, settings: BusReader, port: PortSettings) -> None:
        self.done.append(("kept", name, settings.key, settings.address, port.baud))

    def reader(self, name: str) -> Wires:
        return self

    def _do(self, *what: Any) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.done.append(what)

    identity = None

    def show(self, signal: str) -> None:
        self._do("show", signal)

    def set_feedback(self, feedback: ReaderFeedback) -> None:
        self._do("feedback", feedback)

    def set_key(self, key: bytes) -> None:
        self._do("set_key", key.hex())

    def know_key(self, key: bytes) -> None:
        self._do("know_key", key.hex())

    def install(self, key: bytes | None, seconds: float = 60.0) -> None:
        self._do("install", None if key is None else key.hex(), seconds)

    def move(self, address: int, baud: int) -> None:
        self._do("move", address, baud)


def polled(model: str = "a1610", **reader: Any) -> tuple[ControllerBench, Wires]:
    """A controller with an OSDP reader at its first place."""
    bench, wires = ControllerBench(model), Wires()
    bench.buses.attach(wires)
    bench.do(lambda tx: bench.buses.configure_port(tx, 1, {"protocol": "osdp"}))
    bench.do(lambda tx: bench.buses.configure(tx, "reader1", {"enabled": True, "key": KEY, **reader}))
    bench.let_in()
    bench.events()
    return bench, wires


def status(bench: ControllerBench, value: ReaderStatus) -> None:
    bench.do(lambda tx: bench.buses.on_status(tx, "reader1", value))


def swipe(bench: ControllerBench) -> None:
    bench.do(lambda tx: bench.buses.on_read(tx, "reader1", CredentialRead(kind="card", card=CARD)))


def test_as_delivered_nothing_is_polled() -> None:
    bench = ControllerBench()
    assert bench.buses.port(1) == PortSettings(protocol="wiegand")
    assert bench.buses.uses_wiegand("reader1")
    assert not bench.buses.is_polled("reader1")
    assert [bench.readers.is_online(name) for name in ("reader1", "reader2")] == [True, False]
    four = ControllerBench("a1710-b")
    assert {port.protocol for port in four.buses.ports.values()} == {"osdp"}
    assert [four.buses.reader(f"reader{n}").address for n in (1, 2, 8)] == [0, 1, 1]


def test_what_is_set_is_kept_and_connected_after_the_commit() -> None:
    bench, wires = polled()
    assert wires.readers["reader1"] == BusReader(enabled=True, key=KEY)
    assert not bench.readers.is_online("reader1"), "OSDP readers answer before they are there"
    bench.do(lambda tx: bench.buses.configure(tx, "reader1", {"feedback": {"idle": "red"}, "key": KEY.upper()}))
    again = bench.restart()
    assert again.buses.reader("reader1") == BusReader(enabled=True, key=KEY, feedback=ReaderFeedback(idle="red"))
    assert again.buses.port(1).protocol == "osdp"
    assert again.buses.is_polled("reader1")
    assert not again.readers.is_online("reader1")


def test_a_card_counts_on_a_line_that_stands() -> None:
    bench, _ = polled()
    swipe(bench)
    assert not bench.open, "nobody is there"
    status(bench, ReaderStatus(link="install"))
    swipe(bench)
    bench.do(lambda tx: bench.buses.on_keys(tx, "reader1", "1234#", 0))
    assert not bench.open, "anybody may have the published key"
    status(bench, SECURE)
    swipe(bench)
    assert bench.open


@given(st.lists(st.sampled_from([SECURE, CLEAR, LOST, ReaderStatus(link="install"), ReaderStatus()]), max_size=30))
def test_no_link_opens_a_door(links: list[ReaderStatus]) -> None:
    bench, _ = polled()
    for value in links:
        status(bench, value)
        bench.do(lambda tx: bench.buses.on_inputs(tx, "reader1", (True, False)))
        assert not bench.open
        assert bench.mode() == "Locked"
    assert bench.readers.is_online("reader1") == (bool(links) and links[-1].online)


def test_links_tamper_inputs_and_attacks_are_events() -> None:
    bench, _ = polled()
    assert [bench.reader_setup.channel(name) for name in ("reader1", "reader2")] == [Channel("offline", True), None]
    status(bench, SECURE)
    assert bench.reader_setup.channel("reader1") == Channel("secure", True)
    told = {event.topic: event for event in bench.events()}
    assert told[topics.ID_POINT_STATUS].data == {"State": "Online"}
    assert told[topics.READER_CONNECTION].data == {"state": "connected", "secure": "1"}
    status(bench, ReaderStatus(link="secure", tamper=True))
    assert [event.data for event in bench.told(topics.ID_POINT_TAMPERING)] == [{"Active": "1"}]
    bench.do(lambda tx: bench.buses.on_inputs(tx, "reader1", (False, True)))
    assert [(e.source["input"], e.data["active"]) for e in bench.told(topics.READER_INPUT)] == [("0", "0"), ("1", "1")]
    bench.do(lambda tx: bench.buses.on_inputs(tx, "reader1", (False, True)))
    bench.do(lambda tx: bench.buses.on_attack(tx, "reader1", "replay", 0x50))
    (attack,) = bench.told("tns1:Device/")
    assert (attack.topic, attack.data) == (topics.READER_ATTACK, {"kind": "replay", "code": "0x50"})
    status(bench, LOST)
    told = {event.topic: event for event in bench.events()}
    assert told[topics.READER_CONNECTION].data == {"state": "not_connected", "secure": "0", "reason": "silence"}
    assert told[topics.ID_POINT_STATUS].data == {"State": "Offline"}


def test_a_key_on_its_way_survives_a_crash_at_either_end() -> None:
    bench, wires = polled()
    with pytest.raises(StateError):
        bench.do(lambda tx: bench.buses.set_key(tx, "reader1", OTHER))
    status(bench, SECURE)
    bench.do(lambda tx: bench.buses.set_key(tx, "reader1", OTHER))
    assert wires.done[-1] == ("set_key", OTHER)
    assert bench.buses.reader("reader1").key == KEY, "the reader has not said that it has it"
    again, wires = bench.restart(), Wires()
    again.buses.attach(wires)
    again.buses.connect()
    assert wires.readers["reader1"].key == KEY
    for expected in (OTHER, KEY, OTHER):  # whichever it has, it is found
        again.do(lambda tx: again.buses.on_attack(tx, "reader1", "cryptogram", 0x76))
        assert wires.done[-1] == ("know_key", expected)
    again.events()
    status(again, SECURE)
    assert again.buses.reader("reader1").key == OTHER
    assert [event.source for event in again.told(topics.READER_KEY)] == [{"IdPointToken": "reader1"}]
    again.do(lambda tx: again.buses.on_attack(tx, "reader1", "cryptogram", 0x76))
    assert wires.done[-1][0] == "kept", "there is no other key any more"


def test_a_key_that_the_reader_took_is_stored() -> None:
    bench, wires = polled()
    status(bench, SECURE)
    bench.do(lambda tx: bench.buses.set_key(tx, "reader1", OTHER))
    bench.do(lambda tx: bench.buses.on_key_set(tx, "reader1", bytes.fromhex(OTHER)))
    assert wires.done[-1] == ("kept", "reader1", OTHER, 0, 9600)
    assert bench.restart().buses.reader("reader1").key == OTHER
    raw = str([(event.topic, event.source, event.data) for event in bench.events()])
    assert OTHER not in raw
    assert KEY not in raw


def test_the_install_window_makes_a_key_that_is_stored_first() -> None:
    bench, wires = polled(key="")
    bench.do(lambda tx: bench.buses.install(tx, "reader1", 60))
    verb, key, seconds = wires.done[-1]
    assert (verb, seconds) == ("install", 60)
    bench.do(lambda tx: bench.buses.on_install(tx, "reader1", True, False))
    assert bench.buses.install_window("reader1")
    crashed, again = bench.restart(), Wires()
    crashed.buses.attach(again)
    crashed.buses.connect()
    assert again.readers["reader1"].key == key, "the reader may have it"
    crashed.do(lambda tx: crashed.buses.on_attack(tx, "reader1", "cryptogram", 0x76))
    assert again.readers["reader1"].key == "", "it has not"
    bench, wires = polled(key="")
    bench.do(lambda tx: bench.buses.install(tx, "reader1", 60, THIRD))
    bench.do(lambda tx: bench.buses.on_key_set(tx, "reader1", bytes.fromhex(THIRD)))
    bench.do(lambda tx: bench.buses.on_install(tx, "reader1", False, True))
    assert bench.buses.reader("reader1").key == THIRD
    with pytest.raises(ConflictError):
        bench.do(lambda tx: bench.buses.install(tx, "reader1", 60))


def test_a_window_that_closes_without_a_key_leaves_none() -> None:
    bench, wires = polled(key="")
    bench.do(lambda tx: bench.buses.install(tx, "reader1", 60))
    bench.do(lambda tx: bench.buses.install(tx, "reader1", 0))
    assert wires.done[-1] == ("install", None, 60.0)
    bench.do(lambda tx: bench.buses.on_install(tx, "reader1", False, False))
    again, wires = bench.restart(), Wires()
    again.buses.attach(wires)
    again.buses.connect()
    assert wires.readers["reader1"].key == ""


def test_a_reader_that_moved_is_found_where_it_went() -> None:
    bench, wires = polled()
    status(bench, SECURE)
    bench.do(lambda tx: bench.buses.move(tx, "reader1", 5, 115200))
    assert wires.done[-1] == ("move", 5, 115200)
    bench.do(lambda tx: bench.buses.on_moved(tx, "reader1", 5, 115200))
    assert wires.done[-1] == ("kept", "reader1", KEY, 5, 115200)
    again = bench.restart()
    assert (again.buses.reader("reader1").address, again.buses.port(1).baud) == (5, 115200)
    bench.do(lambda tx: bench.buses.configure(tx, "reader2", {"enabled": True}))
    with pytest.raises(ConflictError, match="reader2"):
        bench.do(lambda tx: bench.buses.move(tx, "reader1", 1, 115200))
    with pytest.raises(ConflictError, match="would be lost"):
        bench.do(lambda tx: bench.buses.move(tx, "reader1", 6, 9600))


def test_a_port_that_changes_takes_its_readers_off_line() -> None:
    bench, _ = polled()
    status(bench, SECURE)
    bench.do(lambda tx: bench.buses.configure_port(tx, 1, {"protocol": "wiegand"}))
    assert bench.buses.status("reader1") == ReaderStatus()
    assert bench.readers.is_online("reader1"), "nobody can tell with Wiegand lines"
    swipe(bench)
    assert not bench.open, "what the bus still says does not count"
    bench.do(lambda tx: bench.buses.configure(tx, "reader1", {"enabled": False}))
    assert not bench.buses.is_polled("reader1")


def test_two_readers_of_a_port_have_two_addresses() -> None:
    bench, _ = polled("a1710-b")
    bench.do(lambda tx: bench.buses.configure(tx, "reader3", {"enabled": True, "address": 0}))  # another port
    with pytest.raises(ConflictError, match="reader1"):
        bench.do(lambda tx: bench.buses.configure(tx, "reader2", {"enabled": True, "address": 0}))
    with pytest.raises(InputError, match="no Wiegand lines"):
        bench.do(lambda tx: bench.buses.configure_port(tx, 1, {"protocol": "wiegand"}))
    with pytest.raises(NotFoundError):
        bench.buses.port(5)
    with pytest.raises(NotFoundError):
        bench.buses.reader("reader9")


def test_nothing_changes_when_the_store_refuses() -> None:
    bench, wires = polled()
    wires.done.clear()
    bench.ledger.store.broken = "disk full"
    with pytest.raises(StoreError):
        bench.do(lambda tx: bench.buses.configure(tx, "reader1", {"address": 9}))
    assert bench.buses.reader("reader1").address == 0
    assert wires.done == []


def test_a_line_that_does_not_take_a_command_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    bench, wires = polled()
    status(bench, SECURE)
    wires.refuses = StateError("no room")
    bench.do(lambda tx: bench.buses.set_key(tx, "reader1", OTHER))
    assert "no room" in caplog.text
    assert OTHER not in caplog.text
    assert bench.buses.reader("reader1").key == KEY


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-300, 70_000) | st.floats() | st.text(max_size=4) | st.just(KEY),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["led", "beep", "color", "seconds", "count", "granted", "idle"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(["enabled", "address", "key", "secure_only", "feedback", "x"]), JSON, max_size=4)
)
def test_any_patch_is_taken_whole_or_refused_by_name(patch: dict[str, Any]) -> None:
    bench, _ = polled()
    before = bench.buses.reader("reader1")
    try:
        bench.do(lambda tx: bench.buses.configure(tx, "reader1", patch))
    except (InputError, ConflictError):
        assert bench.buses.reader("reader1") == before
    assert bench.restart().buses.reader("reader1") == bench.buses.reader("reader1")


@given(st.dictionaries(st.sampled_from(["protocol", "baud", "poll_ms", "x"]), JSON | st.just("osdp"), max_size=3))
def test_any_patch_of_a_port_is_taken_whole_or_refused(patch: dict[str, Any]) -> None:
    bench, _ = polled()
    before = bench.buses.port(1)
    try:
        bench.do(lambda tx: bench.buses.configure_port(tx, 1, patch))
    except InputError:
        assert bench.buses.port(1) == before
    assert bench.restart().buses.port(1) == bench.buses.port(1)
