"""The main job, in one process: edges on D0/D1 -> frame -> access -> commit -> rule -> relay pulse -> tap.

A real I/O thread, a real ledger on disk, the services as the device composes them; no loop, no interface.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from axcore.app import Device
from axcore.drivers.board_ops import parse
from axcore.drivers.simulator import SimulatedBoard
from axcore.interfaces.cli.instance import wait_for
from axcore.model import events
from axcore.model.credentials import CardValue, HolderSpec, Times
from axcore.model.events import Event
from axcore.model.rules import Condition, RuleSpec, ToggleIoOnce
from tests.e2e.patience import PATIENCE

CARD = "10000000010100111111001011"
OTHER = "10000000010100111111001000"


class Hurt:
    def stall(self, action: Callable[[], None]) -> None:
        raise NotImplementedError

    step = drop = feel = stall  # type: ignore[assignment]


class Site:
    """A device, its tap, and the operations of its board."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tap = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.tap.bind(str(folder / "tap"))
        self.tap.settimeout(PATIENCE)
        self.last_id = 0
        self.device = self.begin()

    def begin(self) -> Device:
        self.device = Device("a8207-ve-mk2", self.folder / "data", tap=str(self.folder / "tap"))
        self.device.start()
        self.board = SimulatedBoard(self.device.board, Hurt(), self)
        return self.device

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """What is pressed is let go as soon as it was seen."""
        wait_for("the press", lambda: self.device.board.input_active("rex"), PATIENCE)
        action()

    def do(self, job: Callable[[Any], Any]) -> Any:
        return self.device.ledger.submit(job).result(PATIENCE)

    def perform(self, op: str, **fields: Any) -> dict[str, Any]:
        return self.board.run(parse({"op": op, **fields}))

    def edge(self) -> tuple[str, bool]:
        record = json.loads(self.tap.recv(4096))
        return record["io"], record["active"]

    def wait(self, topic: str, **data: str) -> Event:
        """The next event of a topic (and with these data items) that was not seen yet."""

        def look() -> Event | None:
            for event in self.device.ledger.events_after(self.last_id):
                self.last_id = event.id
                if event.topic == topic and data.items() <= event.data.items():
                    return event
            return None

        event: Event = wait_for(f"{topic} {data}", look, PATIENCE)
        return event

    def swipe(self, correlation: str, bits: str = CARD) -> None:
        self.perform("card", bits=bits, interval_us=500, correlation=correlation)

    def end(self) -> None:
        self.device.stop()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.end()
    site.tap.close()


def set_up(site: Site, *, times: int, pulse: float) -> None:
    card = CardValue(bits=26, value=f"{int(CARD, 2):08x}")
    access, rules = site.device.access, site.device.events

    def job(tx: Any) -> None:
        access.set_settings(tx, {"use_entry_list": True})
        access.add_holder(tx, HolderSpec(first_name="Ann", card=card, validity=Times(count=times)))
        condition = Condition(topic=events.ENTRY_GRANTED)
        action = ToggleIoOnce(port="Door", state=True, duration=pulse)
        rules.add_rule(tx, RuleSpec(name="Open door", conditions=(condition,), action=action))

    site.do(job)


def test_ten_swipes_open_the_eleventh_is_denied(site: Site) -> None:
    set_up(site, times=10, pulse=0.05)
    for number in range(10):
        site.swipe(f"swipe-{number}")
        assert site.edge() == ("relay1", True)
        assert site.edge() == ("relay1", False)
        granted = site.wait(events.ENTRY_GRANTED)
        assert granted.correlation == f"swipe-{number}"
        assert granted.data["remaining"] == str(9 - number)
        opened = site.wait(events.RELAY, LogicalState="active")
        assert opened.correlation == f"swipe-{number}"
        assert granted.id < opened.id
    site.swipe("swipe-10")
    denied = site.wait(events.ENTRY_DENIED)
    assert denied.correlation == "swipe-10"
    assert not any(event.topic == events.ENTRY_GRANTED for event in site.device.ledger.events_after(denied.id - 5))
    site.perform("rex", correlation="rex")
    assert site.edge() == ("relay1", True)
    pressed = site.wait(events.REX, active="1")
    assert pressed.correlation == "rex"
    assert site.wait(events.RELAY, LogicalState="active").correlation == "rex"


def test_unknown_cards_and_broken_frames_do_not_open(site: Site) -> None:
    set_up(site, times=10, pulse=0.05)
    site.swipe("unknown", OTHER)
    assert site.wait(events.ENTRY_DENIED).correlation == "unknown"
    site.perform("edges", edges=[[0, 0, 0], [10_000, 1, 0], [50_000, 0, 1], [60_000, 1, 1]], correlation="both")
    fault = site.wait(events.READER_FAULT)
    assert (fault.correlation, fault.data["error"]) == ("both", "overlap")
    assert not site.device.board.output_active("relay1")


def test_counts_are_right_after_a_restart(site: Site) -> None:
    set_up(site, times=3, pulse=0.05)
    for number in range(2):
        site.swipe(f"before-{number}")
        assert site.edge() == ("relay1", True)
        assert site.edge() == ("relay1", False)
    last = site.wait(events.ENTRY_GRANTED, remaining="1")
    site.end()
    site.begin()
    assert [holder.remaining for holder in site.device.access.holders()] == [1]
    site.swipe("after")
    assert site.edge() == ("relay1", True)
    granted = site.wait(events.ENTRY_GRANTED)
    assert granted.id > last.id
    assert granted.data["remaining"] == "0"
    assert site.edge() == ("relay1", False)
    site.swipe("too-many")
    assert site.wait(events.ENTRY_DENIED).correlation == "too-many"


def test_settings_and_rules_survive_a_restart(site: Site) -> None:
    set_up(site, times=3, pulse=0.05)
    site.do(lambda tx: site.device.ports.configure(tx, 4, {"name": "Gate"}))
    site.do(lambda tx: site.device.ports.configure(tx, 0, {"direction": "output"}))
    rules = site.device.events.rules()
    site.end()
    site.begin()
    assert site.device.events.rules() == rules
    assert site.device.ports.resolve("Gate") == 4
    site.swipe("gate")
    assert site.edge() == ("relay1", True)
    site.do(lambda tx: site.device.ports.set_state(tx, 0, "closed"))
    edges = {site.edge(), site.edge()}
    assert edges == {("relay1", False), ("port1", True)}


def test_a_held_key_sequence_becomes_a_pin(site: Site) -> None:
    set_up(site, times=3, pulse=0.05)
    site.do(lambda tx: site.device.access.add_holder(tx, HolderSpec(first_name="Bo", pin="2468")))
    site.perform("keys", keys="2468#", correlation="pin")
    assert site.edge() == ("relay1", True)
    assert site.wait(events.ENTRY_GRANTED).correlation == "pin"


def test_qr(site: Site) -> None:
    set_up(site, times=3, pulse=0.05)
    site.do(lambda tx: site.device.access.add_holder(tx, HolderSpec(first_name="Cy", qr="visitor-17")))
    site.perform("qr", text="visitor-17", correlation="qr")
    assert site.edge() == ("relay1", True)
    assert site.wait(events.ENTRY_GRANTED).correlation == "qr"


def test_a_chip(site: Site) -> None:
    set_up(site, times=3, pulse=0.05)
    card = {"bits": 16, "value": "cafe"}
    site.do(lambda tx: site.device.access.add_holder(tx, {"first_name": "Di", "card": card}))
    data_set = {"name": "badge", "chip_type": "NFC", "required": True}
    patch = {"chips": {"data": {"data_sets": [data_set]}}}
    assert site.device.station is not None
    service = site.device.station.service
    site.do(lambda tx: service.set_settings(tx, patch))
    site.perform("chip", type="NFC", csn="04a1b2c3", correlation="without")  # silently ignored
    site.perform("chip", type="NFC", csn="04a1b2c3", secure={"badge": "cafe"}, correlation="chip")
    assert site.edge() == ("relay1", True)
    assert site.wait(events.ENTRY_GRANTED).correlation == "chip"


def test_rehearsals_while_a_card_comes_in_open_nothing(site: Site) -> None:
    """The decision is rehearsed with a holder's card while another card comes in; only that one counts."""
    set_up(site, times=2, pulse=0.05)
    ledger, rehearsed = site.device.ledger, []
    store = ledger._store
    real = store.rehearse
    store.rehearse = lambda *args: (rehearsed.append(1), real(*args))[1]  # type: ignore[method-assign]
    end, n = time.monotonic() + PATIENCE, 0
    while n < 3 or not rehearsed:  # a busy machine may see a card when it is over
        assert time.monotonic() < end
        site.swipe(f"unknown {n}", OTHER)
        assert site.wait(events.ENTRY_DENIED).correlation == f"unknown {n}"
        n += 1
    (holder,) = site.device.access.holders()
    assert holder.remaining == 2
    site.swipe("known")
    assert site.edge() == ("relay1", True), "nothing has moved before"
    assert site.wait(events.ENTRY_GRANTED).data["remaining"] == "1"
