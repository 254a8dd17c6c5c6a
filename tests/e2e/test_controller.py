"""A door controller in a process of its own: cards as edges at its Wiegand reader, its relay seen from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from axcore.app import Device
from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.model import events as topics
from axcore.model.doors import Door
from axcore.model.pacs import AccessPolicy, AccessProfile, Credential, CredentialAccessProfile, IdData
from tests.e2e.conftest import lasted
from tests.e2e.patience import PATIENCE

CARD = {"format": "H10301", "facility": 0, "card": 10213, "interval_us": 200, "pulse_us": 40}
"""Card 02004fcb."""
ACCESS_MS = 700
LONG_MS = 300_000
"""Over in no test."""


def prepare(data_dir: Path, model: str = "a1610", **door: Any) -> None:
    """Let the card in at reader 1, with a door whose times suit a test."""
    records: tuple[tuple[str, Any], ...] = (
        ("pacs.door", Door(**{"token": "door1", "access_ms": ACCESS_MS, **door})),
        ("pacs.access_profile", AccessProfile(token="staff", policies=(AccessPolicy("reader1access"),))),
        (
            "pacs.credential",
            Credential(
                token="ann", id_data=(IdData("Card", "02004fcb"),), access_profiles=(CredentialAccessProfile("staff"),)
            ),
        ),
    )
    device = Device(model, data_dir)

    def job(tx: Any) -> None:
        for kind, record in records:
            tx.put(kind, record.token, msgspec.json.encode(record))

    device.start()
    device.ledger.submit(job).result(PATIENCE)
    device.stop()


Start = Callable[..., Instance]


@pytest.fixture
def begin() -> Iterator[Start]:
    """Start a controller with these settings of its door."""
    running: list[Instance] = []

    def start(**door: Any) -> Instance:
        instance = Instance(model="a1610")
        running.append(instance)
        prepare(instance.data_dir, **door)
        instance.start()
        instance.create_admin()
        return instance

    yield start
    for instance in running:
        instance.close()


def test_a_card_at_the_wiegand_reader_opens_the_relay_for_the_access_time(begin: Start) -> None:
    device = begin()
    log = net.EventLog(device.client())
    with device.board(PATIENCE) as board:
        board.call("card", **CARD, correlation="swipe")
        opened = device.tap.expect("relay1", True, PATIENCE)
        closed = device.tap.expect("relay1", False, PATIENCE)
        assert lasted(opened, closed, ACCESS_MS / 1000)
        granted = log.wait(topics.ACCESS_GRANTED + "Credential", "swipe", PATIENCE)
        assert granted["data"]["CredentialToken"] == "ann"
        assert log.wait(topics.ACCESS_NOT_TAKEN + "Credential", "swipe", PATIENCE)  # nobody went through
        board.call("card", **CARD | {"card": 10214}, correlation="stranger")
        assert log.wait(topics.ACCESS_DENIED_NOT_FOUND + "Card", "stranger", PATIENCE)
    assert ("relay1", True) not in [(edge.io, edge.active) for edge in device.tap.drain()]


def test_a_door_that_is_opened_by_force_and_one_that_is_held_open(begin: Start) -> None:
    device = begin(open_too_long_ms=1000, pre_alarm_ms=500, access_ms=LONG_MS)
    client = device.client()
    log = net.EventLog(client)
    with device.board(PATIENCE) as board:
        board.call("door", open=True, correlation="crowbar")
        alarm = log.wait(topics.DOOR_ALARM, "crowbar", PATIENCE)
        assert alarm["data"]["State"] == "DoorForcedOpen"
        board.call("door", open=False, correlation="restored")
        restored = log.wait(topics.DOOR_ALARM, "restored", PATIENCE)
        assert restored["data"]["State"] == "Normal"
        board.call("card", **CARD, correlation="swipe")
        device.tap.expect("relay1", True, PATIENCE)
        board.call("door", open=True, correlation="wedge")
        assert log.wait(topics.ACCESS_TAKEN + "Credential", "swipe", PATIENCE)

        def told() -> list[str]:
            after = [event for event in log.all() if event["id"] > restored["id"]]
            return [e["data"]["State"] for e in after if e["topic"] in (topics.DOOR_ALARM, topics.DOOR_WARNING)]

        wait_for("the alarm", lambda: "DoorOpenTooLong" in told(), PATIENCE)
        assert told() == ["DoorOpenTooLongWarn", "DoorOpenTooLong"]
        state = board.call("state")
    assert state["doors"]["door1"]["alarm"] == "DoorOpenTooLong"


def test_rex_opens_while_the_loop_is_blocked(begin: Start) -> None:
    device = begin()
    with device.board(PATIENCE) as board:
        began = board.call("stall", seconds=8)["t_ns"]
        board.call("rex", duration=0.05)
        opened = device.tap.expect("relay1", True, PATIENCE)
        closed = device.tap.expect("relay1", False, PATIENCE)
    assert opened.t_ns - began < 8_000_000_000  # before the loop came back
    assert lasted(opened, closed, ACCESS_MS / 1000)


def test_the_door_locks_as_soon_as_it_has_closed(begin: Start) -> None:
    device = begin(open_too_long_ms=0, access_ms=LONG_MS)
    with device.board(PATIENCE) as board:
        board.call("card", **CARD)
        device.tap.expect("relay1", True, PATIENCE)
        board.call("door", open=True)
        wait_for("the door to open", lambda: board.call("state")["doors"]["door1"]["door"] == "Open", PATIENCE)
        board.call("door", open=False)
        device.tap.expect("relay1", False, PATIENCE)  # long before the access time is over


def test_a_kill_while_the_door_is_open_leaves_it_locked_and_told(begin: Start) -> None:
    device = begin()
    with device.board(PATIENCE) as board:
        board.call("card", **CARD, correlation="swipe")
        device.tap.expect("relay1", True, PATIENCE)
    device.kill()
    device.tap.drain()
    device.start()
    with device.board(PATIENCE) as board:
        state = board.call("state")
    assert state["outputs"]["relay1"] is False
    assert state["doors"]["door1"]["mode"] == "Locked"
    assert ("relay1", True) not in [(edge.io, edge.active) for edge in device.tap.drain()]
    log = net.EventLog(device.client())
    assert log.wait(topics.ACCESS_NOT_TAKEN + "Credential", "swipe", PATIENCE)


def test_rest_shows_and_commands_doors(begin: Start) -> None:
    device = begin()
    client, base = device.client(), "/config/rest/doors/v1"
    (door,) = client.rest("GET", f"{base}/doors")
    assert (door["token"], door["place"], door["state"]["mode"]) == ("door1", 1, "Locked")
    opened = client.rest("POST", f"{base}/doors/door1/access", {"access_ms": 300})
    assert opened["state"]["mode"] == "Accessed"
    device.tap.expect("relay1", True, PATIENCE)
    device.tap.expect("relay1", False, PATIENCE)
    client.rest("POST", f"{base}/doors/door1/commands", {"command": "LockDownDoor"})
    with pytest.raises(net.HttpError):
        client.rest("POST", f"{base}/doors/door1/access", {})
    client.rest("POST", f"{base}/doors/door1/commands", {"command": "LockDownReleaseDoor"})
    with device.board(PATIENCE) as board:
        client.rest("PATCH", f"{base}/supervision/tamper", {"enabled": True, "connection": "serial_1k"})
        assert board.call("circuit", line="tamper", state="cut")["millivolt"] == 2755
        found = {entry["line"]: entry for entry in client.rest("GET", f"{base}/supervision")}
        assert found["tamper"]["state"] == "cut"
        board.call("power", name="aux", ampere=0.2)

        def fault() -> bool:
            page = client.rest("GET", f"{base}/power")
            return any(out["name"] == "aux" and out["fault"] == "OverCurrent" for out in page["power_out"])

        wait_for("the fault", fault, PATIENCE)
        board.call("reader", reader=0, tampered=True)
        tampered = "tampered"
        wait_for("the tamper", lambda: client.rest("GET", f"{base}/readers")[0][tampered], PATIENCE)
    alarms = client.rest("PATCH", f"{base}/alarms", {"device_motion": True})
    assert alarms == {"device_motion": True, "casing_open": True, "external_tamper": False}
    with pytest.raises(net.HttpError, match="door1") as refused:  # the relay of a lock belongs to its door
        client.rest("PATCH", "/config/rest/io/v1/ports/2", {"active": True})
    assert refused.value.status == 409
