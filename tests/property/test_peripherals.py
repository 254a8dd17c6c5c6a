"""What is asked of modules, floors, network readers and wireless locks is done whole or refused; what is stored is what
is shown, and survives a restart; no relay moves for it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from axcore.devices.reader import ReaderStatus
from axcore.drivers.wireless_hub import SimulatedHub
from axcore.errors import AxError
from axcore.model.convert import convert
from axcore.services.doors.expansion import Floor, Module
from axcore.services.doors.network_readers import NetworkReader
from axcore.services.doors.wireless import Hub, WirelessLock
from axcore.testing.controller import ControllerBench

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 130)
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["module1", "floor1", "192.0.2.1", "intercom", "barcode", "6b1f0c93d2a8475e90b3c6d4e1f72a58"])
)
FIELDS = {
    Module: ("name", "port", "address", "x"),
    Floor: ("name", "module", "relay", "access_ms"),
    NetworkReader: ("name", "kind", "host", "username", "password", "verify_certificate"),
    Hub: ("connected", "name"),
    WirelessLock: ("name", "access_ms", "x"),
}
BODIES = st.sampled_from(list(FIELDS)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.dictionaries(st.sampled_from(FIELDS[kind]), VALUES, max_size=4))
)
LIKELY = st.sampled_from(
    [
        (Module, {"port": 1, "address": 4}),
        (Module, {"port": 2, "address": 4}),
        (Floor, {"module": "module1", "relay": 1}),
        (Floor, {"module": "module1", "relay": 2}),
        (NetworkReader, {"host": "192.0.2.1"}),
        (Hub, {"connected": True}),
        (Hub, {"connected": False}),
        (WirelessLock, {}),
    ]
)
FIRST = (
    (Module, {"port": 3, "address": 4}),
    (Floor, {"module": "module1", "relay": 3}),
    (NetworkReader, {"host": "192.0.2.1"}),
    (Hub, {"connected": True}),
    (WirelessLock, {}),
)
"""What there is before."""
GONE = st.sampled_from(["module1", "floor1", "netreader1", "lock1"])
LINK = st.sampled_from([ReaderStatus(link="secure"), ReaderStatus(why="silence")])


class Still:
    """Modules whose relays must not move."""

    identity = None

    def __init__(self) -> None:
        self.wrong: list[Any] = []
        """An effect of a commit cannot fail: what is wrong is told here."""

    def connect_modules(self, modules: Any, key: str) -> None:
        places = {(module.port, module.address) for module in modules.values()}
        if len(places) != len(modules) or not all(1 <= port <= 4 and 0 <= at <= 126 for port, at in places):
            self.wrong.append(modules)

    def module(self, token: str) -> Still:
        return self

    def output(self, output: int, active: bool, seconds: float = 0.0, *, abort: bool = True) -> None:
        if active:
            self.wrong.append(("output", output, seconds))

    def install(self, key: bytes | None, seconds: float = 60.0) -> None:
        self.wrong.append(("install", seconds))


def kept(bench: ControllerBench) -> tuple[Any, ...]:
    """Everything that is set."""
    return (
        dict(bench.expansion.modules), dict(bench.expansion.floors), dict(bench.network_readers.readers),
        bench.wireless.hub, dict(bench.wireless.locks), set(bench.doors.tokens), set(bench.pacs.index.id_points),
    )  # fmt: skip


def ask(bench: ControllerBench, tx: Any, what: Any) -> None:
    """Do one of the things above."""
    if isinstance(what, ReaderStatus):
        bench.expansion.on_status(tx, "module1", what)
    elif what == "module1":
        bench.expansion.remove(tx, what)
    elif what == "floor1":
        bench.expansion.remove_floor(tx, what)
    elif what == "netreader1":
        bench.network_readers.remove(tx, what)
    elif what == "lock1":
        bench.wireless.remove(tx, what)
    else:
        kind, body = what
        record: Any = convert(body, kind)
        add: dict[Any, Any] = {
            Module: bench.expansion.add, Floor: bench.expansion.add_floor, NetworkReader: bench.network_readers.add,
            Hub: bench.wireless.configure, WirelessLock: bench.wireless.add,
        }  # fmt: skip
        add[kind](tx, record)


@given(st.lists(LIKELY | BODIES | GONE | LINK, max_size=12))
def test_asked_for_anything_it_is_done_whole_or_not_at_all(asked: list[Any]) -> None:
    bench, hub, still = ControllerBench("a1710-b"), SimulatedHub(), Still()
    bench.expansion.attach(still)
    bench.wireless.attach(hub)
    bench.do(bench.expansion.set_key)
    for first in FIRST:
        bench.do(lambda tx, first=first: ask(bench, tx, first))  # type: ignore[misc]
    for what in asked:
        before = kept(bench)
        try:
            bench.do(lambda tx, what=what: ask(bench, tx, what))  # type: ignore[misc]
        except AxError:
            assert kept(bench) == before
        assert not any(hub.active(lock) for lock in bench.wireless.locks)
        assert still.wrong == []
        assert {bench.mode(token) for token in bench.doors.tokens} == {"Locked"}
    assert kept(bench.restart()) == kept(bench)
