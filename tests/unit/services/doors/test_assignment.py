"""I/O that is assigned to doors and readers: who moves which relay, whose card it is, and what was taken away."""

from __future__ import annotations

import pytest

from axcore.devices import MODELS
from axcore.errors import InputError
from axcore.model import events as topics
from axcore.model.credentials import CardValue
from axcore.model.doors import Door, DoorConfiguration, DoorMonitor, LockConfiguration
from axcore.model.pacs import (
    AccessPoint,
    AccessPolicy,
    AccessProfile,
    Credential,
    CredentialAccessProfile,
    IdData,
    IdPoint,
    IdPointConfiguration,
    IdPointDevice,
    Setting,
)
from axcore.services.doors.id_points import id_points
from axcore.services.pacs import io
from axcore.services.pacs.io import IoAssignment, IoUser
from axcore.testing.controller import CARD, ControllerBench


def of_door(line: str, token: str, *usages: str) -> IoAssignment:
    users = tuple(IoUser(type="doorcontrol", token=token, usage=usage) for usage in usages)
    return IoAssignment(token=line, mode="relay" if "relay" in line else "in:pu/gnd", users=users)


def of_reader(line: str, usage: str, *tokens: str) -> IoAssignment:
    users = tuple(IoUser(type="idpoint", token=token, usage=usage) for token in tokens)
    return IoAssignment(token=line, mode=usage.replace("-", "").lower(), users=users)


def assign(bench: ControllerBench, *given: IoAssignment) -> None:
    """As ``SetIoAssignment`` does it."""
    pacs = bench.pacs
    names = {token: token for token in pacs.doors}
    users = io.users_of(pacs.door_configurations, pacs.table("pacs.id_point_configuration"), names)
    after = io.assigned(pacs.table("pacs.io_assignment"), given, bench.model, users)
    bench.do(lambda tx: pacs.set(tx, "pacs.io_assignment", list(after.values())))


def add_gate(bench: ControllerBench) -> None:
    """A door and a reader of the user's own, and Ann may pass there."""
    hardware = DoorConfiguration(
        token="gate", lock=LockConfiguration(type="Relay"), monitor=DoorMonitor(type="Standard")
    )
    reader = IdPointConfiguration(
        token="post", settings=(Setting("IdPoint.Reader.Type", "Wiegand" if bench.model.readers else "RS-485HD"),)
    )
    point = AccessPoint(
        token="in", entity="gate", id_points=(IdPointDevice("post"),), authentication_profiles=("CardOnly",)
    )
    ann = Credential(
        token="ann", id_data=(IdData("Card", CARD.value),), access_profiles=(CredentialAccessProfile("staff"),)
    )
    for kind, record in (
        ("pacs.door", Door(token="gate")), ("pacs.door_configuration", hardware),
        ("pacs.id_point", IdPoint(token="post")), ("pacs.id_point_configuration", reader), ("pacs.access_point", point),
        ("pacs.access_profile", AccessProfile(token="staff", policies=(AccessPolicy("in"),))), ("pacs.credential", ann),
    ):  # fmt: skip
        bench.do(lambda tx, kind=kind, record=record: bench.pacs.set(tx, kind, (record,)))  # type: ignore[misc]


def test_a_door_and_a_reader_of_ones_own_get_the_connectors() -> None:
    bench = ControllerBench()
    add_gate(bench)
    bench.swipe()
    assert not bench.open  # the reader is still the delivered one, and nobody may pass there
    assign(
        bench,
        of_door("relay1", "gate", "Lock_Relay"),
        of_door("door1", "gate", "DoorOpenMonitor", "DoorClosedMonitor"),
        of_reader("Wiegand0", "Wiegand", "post"),
    )
    bench.events()
    bench.swipe()
    assert bench.open
    told = bench.events()
    assert [event.source for event in told if event.topic == topics.ID_POINT_ID_DATA] == [{"IdPointToken": "post"}]
    bench.input("door1", True)
    assert bench.doors.state("gate").door == "Open"
    assert bench.doors.state("door1").door != "Open"
    bench.input("door1", False)
    bench.wait(20)
    bench.input("rex1", True)
    assert (bench.mode("gate"), bench.mode("door1")) == ("Accessed", "Locked")
    assert bench.doors.wires().rex["rex1"][0] == "relay1"
    assert bench.doors.owned() == {"relay1": "gate"}
    again = bench.restart()
    again.swipe()
    assert again.open
    assert again.readers.at("post") == "reader1"
    assert dict(again.readers.last("post"))["Card"] == CARD.value


def test_a_relay_that_is_taken_away_rests() -> None:
    bench = ControllerBench("a1710-b")
    add_gate(bench)
    bench.command("UnlockDoor", "door1")
    assert bench.open
    assign(bench, of_door("relay1", "gate", "Lock_Relay"))
    assert not bench.open  # the gate is locked
    assert bench.mode("door1") == "Unlocked"
    bench.command("LockDoor", "door1")
    bench.command("UnlockDoor", "gate")
    assert bench.open
    assign(bench, of_door("auxrelay4", "gate", "Lock_Relay"))
    assert not bench.open
    assert bench.lines.active("auxrelay4")
    bench.command("UnlockDoor", "door1")
    assert not bench.open  # taken away is not given back
    assign(bench, of_door("relay1", "door1", "Lock_Relay"))
    assert bench.open


def test_what_was_the_doors_is_free_when_it_is_gone() -> None:
    bench = ControllerBench("a1710-b")
    add_gate(bench)
    assign(bench, of_door("relay1", "gate", "Lock_Relay"), of_door("door2", "gate", "DoorOpenMonitor"))
    bench.command("UnlockDoor", "gate")
    assert bench.open
    bench.do(lambda tx: bench.pacs.remove(tx, "pacs.door", ("gate",)))
    assert not bench.open
    assert bench.pacs.table("pacs.io_assignment") == {}
    bench.command("UnlockDoor", "door1")
    assert bench.open


@pytest.mark.parametrize(
    ("line", "usage"),
    [("rex1", "DoorOpenMonitor"), ("reader1led1", "Lock_Relay"), ("tamper", "DoorClosedMonitor")],
)
def test_a_line_that_cannot_be_that_is_named(line: str, usage: str) -> None:
    bench = ControllerBench()
    add_gate(bench)
    entry = of_door(line, "gate", usage)
    with pytest.raises(InputError) as raised:
        assign(bench, of_door("relay1", "gate", "Lock_Relay"), entry)
    assert raised.value.field.startswith("IoAssignment[1].")
    assert bench.pacs.table("pacs.io_assignment") == {}
    assert bench.doors.owned() == {"relay1": "door1"}


def test_two_readers_share_a_line_by_their_addresses() -> None:
    places = MODELS["a1610"].reader_places

    def hardware(token: str, address: str) -> IdPointConfiguration:
        return IdPointConfiguration(token=token, settings=(Setting("IdPoint.Hardware.Address", address),))

    line = {"Ser0hd": of_reader("Ser0hd", "RS-485HD", "a", "b")}
    assert id_points(places, {}, {}) == {"reader1": "reader1", "reader2": "reader2"}
    assert id_points(places, line, {}) == {"reader1": "a", "reader2": "b"}
    known = {"a": hardware("a", "1"), "b": hardware("b", "0")}
    assert id_points(places, line, known) == {"reader1": "b", "reader2": "a"}
    assert id_points(places, line, {"b": hardware("b", "0")}) == {"reader1": "b", "reader2": "a"}
    assert id_points(places, {"Ser0hd": of_reader("Ser0hd", "RS-485HD")}, {}) == {}


def test_a_card_at_a_connector_that_nobody_has_opens_nothing() -> None:
    bench = ControllerBench()
    bench.let_in()
    bench.swipe()
    assert bench.open
    bench = ControllerBench()
    bench.let_in()
    bench.do(lambda tx: bench.pacs.set(tx, "pacs.io_assignment", (of_reader("Wiegand0", "Wiegand"),)))
    bench.swipe()
    bench.swipe(CardValue(bits=26, value="02004fc8"))
    assert not bench.open
