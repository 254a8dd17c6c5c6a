"""Readers and I/O assignment over JSON and SOAP."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from axcore.services.doors.reader_setup import Channel
from axcore.services.pacs import Request
from tests.unit.interfaces.pacs.rig import Controller

PATH = "/vapix/idpoint"
KEYS = "/vapix/axkey"
PIN = "/vapix/pin"


class Readers:
    """Readers that note what they are told."""

    def __init__(self, device: Controller) -> None:
        self._pacs = device.pacs
        self.shown: list[tuple[str, Mapping[str, str]]] = []
        self.messages: list[tuple[str, str]] = []

    def request_access(self, tx: Any, request: Request) -> Any:
        return self._pacs.decide(tx, request)

    def present(self, tx: Any, id_point: str, id_data: Mapping[str, str]) -> None:
        self.shown.append((id_point, dict(id_data)))

    def last(self, id_point: str) -> Mapping[str, str]:
        return {"Card": "02004fcb", "BitCount": "26"}

    def is_online(self, id_point: str) -> bool:
        return True

    def feedback(self, tx: Any, id_point: str, message: str) -> None:
        self.messages.append((id_point, message))


async def make_reader(device: Controller, *settings: tuple[str, str]) -> None:
    await device.json("axtid:SetIdPoint", {"IdPoint": [{"token": "reader", "Name": "In"}]}, PATH)
    values = [{"Name": name, "Value": value} for name, value in settings]
    body = {"IdPointConfiguration": [{"token": "reader", "IdDataConfiguration": [""], "Configuration": values}]}
    await device.json("axtid:SetIdPointConfiguration", body, PATH)


async def settings_of(device: Controller) -> dict[str, str]:
    got = await device.json("axtid:GetIdPointConfiguration", {"Token": ["reader"]}, PATH)
    (held,) = got["IdPointConfiguration"]
    return {entry["Name"]: entry["Value"] for entry in held["Configuration"]}


async def test_a_reader_is_set_and_got_with_all_its_fields(device: Controller) -> None:
    point = {
        "token": "idpoint1", "Name": "Name1", "Description": "Desc1", "MinPINSize": 4, "MaxPINSize": 6,
        "EndOfPIN": "#", "Timeout": "PT3S", "HeartbeatInterval": "PT600S", "Area": "Area1", "Location": "Loc1",
        "Action": "Action1",
    }  # fmt: skip
    await device.json("axtid:SetIdPoint", {"IdPoint": [{**point, "HeartbeatInterval": "PT10M"}]}, PATH)
    assert await device.json("axtid:GetIdPoint", {"Token": ["idpoint1"]}, PATH) == {"IdPoint": [point]}
    info = (await device.json("axtid:GetIdPointInfoList", {}, PATH))["IdPointInfo"][0]
    assert (info["Location"], info["Capabilities"]["SupportCard"]) == ("Loc1", False)
    fault = await device.fault("axtid:SetIdPoint", {"IdPoint": [point, {**point, "token": "", "MinPINSize": 7}]}, PATH)
    assert fault["FaultMsg"].startswith("IdPoint[1].MinPINSize")


async def test_only_what_is_given_is_replaced_and_the_rest_has_defaults(device: Controller) -> None:
    await make_reader(device, ("IdPoint.Reader.Type", "Wiegand"), ("IdPoint.LED.Type", "DualLED"))
    found = await settings_of(device)
    assert (found["IdPoint.LED.ActiveLevel"], found["IdPoint.Beeper.Type"]) == ("ActiveLow", "None")
    await make_reader(device, ("IdPoint.Beeper.Type", "ActiveHigh"))
    found = await settings_of(device)
    assert (found["IdPoint.Reader.Type"], found["IdPoint.Beeper.Type"]) == ("Wiegand", "ActiveHigh")
    info = await device.json("axtid:GetIdPointConfigurationInfo", {"Token": "reader"}, PATH)
    kinds = {entry["Name"]: entry["Enums"] for entry in info["ConfigurationInfo"]}
    assert kinds["IdPoint.LED.Type"] == ["None", "SingleLED", "DualLED"]


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("IdPoint.Reader.Typ", "Wiegand", "Configuration[0].Name"),
        ("IdPoint.Reader.Type", "Magnet", "Configuration[0].Value"),
        ("IdPoint.Hardware.Address", "zz", "Configuration[0].Value"),
        ("IdPoint.TCPIP.Address", "1.2.3", "Configuration[0].Value"),
        ("IdPoint.REX.SupervisedCut", "-1", "Configuration[0].Value"),
    ],
)
async def test_a_wrong_setting_is_named(device: Controller, name: str, value: str, named: str) -> None:
    body = {"IdPointConfiguration": [{"token": "r", "Configuration": [{"Name": name, "Value": value}]}]}
    fault = await device.fault("axtid:SetIdPointConfiguration", body, PATH)
    assert fault["FaultMsg"].startswith(f"IdPointConfiguration[0].{named}")


async def test_card_formats(device: Controller) -> None:
    fields = [
        {"Map": "1-26", "Name": "FullCard", "Encoding": "BinLE2hex"},
        {"Map": "b0110,10-25,xF7", "Name": "CardNr", "Encoding": "BinLE2Int"},
    ]
    held = {
        "token": "h10301", "Name": "H10301", "Description": "", "InputBitlength": 26, "IdDataFieldMap": fields,
    }  # fmt: skip
    await device.json("axtid:SetIdDataConfiguration", {"IdDataConfiguration": [held]}, PATH)
    assert await device.json("axtid:GetIdDataConfigurationList", {}, PATH) == {"IdDataConfiguration": [held]}
    for bad in ({"Map": "10-27"}, {"Map": "0"}, {"Map": "5-4"}, {"Map": "y1"}, {"Encoding": "Bin2Hex"}, {"Name": ""}):
        body = {"IdDataConfiguration": [{**held, "IdDataFieldMap": [{**fields[0], **bad}]}]}
        fault = await device.fault("axtid:SetIdDataConfiguration", body, PATH)
        assert fault["FaultMsg"].startswith(f"IdDataConfiguration[0].IdDataFieldMap[0].{next(iter(bad))}")


async def test_what_readers_tell_and_show(device: Controller) -> None:
    await make_reader(device)
    status = await device.json("axtid:GetSecureChannelStatus", {"Token": "reader"}, PATH)
    assert status == {"SecureChannelStatus": {"Active": False, "Reason": "NotSupported"}}
    assert await device.json("axtid:GetLastCredential", {"Token": "reader"}, PATH) == {"IdData": []}
    feedback = {"Token": "reader", "Message": "AccessGranted"}
    assert (await device.fault("axtid:FeedbackMessage", feedback, PATH))["FaultCode"] == "ter:ActionNotSupported"
    readers = device.parts.readers = Readers(device)
    for channel, reason in (
        (None, "NotSupported"), (Channel("clear", False), "NoKey"), (Channel("offline", True), "ConnectionLost"),
        (Channel("secure", True), "ConnectionEstablished"),
    ):  # fmt: skip
        device.parts.reader_setup = SimpleNamespace(channel={"reader": channel}.get)
        status = await device.json("axtid:GetSecureChannelStatus", {"Token": "reader"}, PATH)
        assert status["SecureChannelStatus"] == {"Active": reason == "ConnectionEstablished", "Reason": reason}
    last = await device.json("axtid:GetLastCredential", {"Token": "reader"}, PATH)
    assert last["IdData"][0] == {"Name": "Card", "Value": "02004fcb"}
    await device.json("axtid:FeedbackMessage", feedback, PATH)
    assert readers.messages == [("reader", "AccessGranted")]
    for method in ("GetSecureChannelStatus", "GetLastCredential"):
        assert (await device.fault(f"axtid:{method}", {"Token": "x"}, PATH))["FaultSubCode"] == "ter:NotFound"


async def test_remote_activities_are_told_twice_each_and_shown_together(device: Controller) -> None:
    await make_reader(device)
    readers = device.parts.readers = Readers(device)
    card = {"Type": "Card", "Params": [{"Name": "Card", "Value": "0a"}]}
    pin = {"Type": "PIN", "Params": [{"Name": "PIN", "Value": "1234"}]}
    body = {"Token": "reader", "Description": "gate", "Activities": [card, pin]}
    assert await device.json("axtid:IndicateRemoteActivities", body, PATH) == {}
    assert readers.shown == [("reader", {"Card": "0a", "PIN": "1234"})]
    told = [
        (e.topic.removeprefix("tns1:IdPoint/tnsaxis:"), e.data) for e in device.ledger.events if "IdPoint/" in e.topic
    ]
    assert told == [
        ("Activity", {"Reason": "CardPresented"}), ("Request/IdData", {"Card": "0a"}),
        ("Activity", {"Reason": "CodeEntered"}), ("Request/PIN", {}),
    ]  # fmt: skip
    assert all("1234" not in str(event) for event in device.ledger.events)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"Token": "x"}, "Token"),
        ({"Activities": []}, "Activities"),
        ({"Activities": [{"Type": "Iris"}]}, "Activities[0].Type"),
        ({"Activities": [{"Type": "Card"}]}, "Activities[0].Params"),
        ({"Activities": [{"Type": "PIN", "Params": [{"Name": "Card", "Value": "1"}]}]}, "Activities[0].Params"),
        ({"Activities": [{"Type": "REX", "Params": [{"Name": "REX", "Value": "1"}]}]}, "Activities[0].Params"),
    ],
)
async def test_a_wrong_activity_is_named_and_nothing_is_told(
    device: Controller, change: dict[str, Any], named: str
) -> None:
    await make_reader(device)
    before = len(device.ledger.events)
    good = {"Token": "reader", "Activities": [{"Type": "REX"}]}
    fault = await device.fault("axtid:IndicateRemoteActivities", {**good, **change}, PATH)
    assert fault["FaultMsg"].startswith(f"{named}: ")
    assert len(device.ledger.events) == before


# --- keys


async def test_keys_are_set_and_never_shown(device: Controller) -> None:
    secret = "00112233445566778899aabbccddee01"
    key = {"token": "gate", "Name": "Gate", "Description": "of the front gate", "Key": secret}
    assert await device.json("axkey:SetEncryptionKey", {"EncryptionKey": [key]}, KEYS) == {"Token": ["gate"]}
    (held,) = (await device.json("axkey:GetEncryptionKeyList", {}, KEYS))["EncryptionKey"]
    assert (held["Name"], held["Key"]) == ("Gate", "*****")
    assert held["ModificationTime"].endswith("Z")
    assert secret not in repr(device.pacs.table("pacs.encryption_key"))
    assert all(secret not in str(event) for event in device.ledger.events)
    renamed = {**held, "Name": "Back gate"}
    await device.json("axkey:SetEncryptionKey", {"EncryptionKey": [renamed]}, KEYS)  # what was shown can be sent back
    stored = device.pacs.table("pacs.encryption_key")["gate"]
    assert (stored.name, stored.key) == ("Back gate", secret)
    answer = await device.soap(
        "<axkey:SetEncryptionKey><axkey:EncryptionKey token='two'>"
        "<axkey:Key>0f1e2d3c4b5a69788796a5b4c3d2e1f1</axkey:Key><axkey:Name>Two</axkey:Name></axkey:EncryptionKey></axkey:SetEncryptionKey>"
    )
    assert [element.text for element in answer] == ["two"]
    await make_reader(device, ("IdPoint.SecureChannel.KeyType", "KeyBase"), ("IdPoint.SecureChannel.KeyToken", "gate"))
    fault = await device.fault("axkey:RemoveEncryptionKey", {"Token": ["two", "gate"]}, KEYS)
    assert "reader" in fault["FaultMsg"]
    assert set(device.pacs.table("pacs.encryption_key")) == {"gate", "two"}
    assert await device.json("axkey:RemoveEncryptionKey", {"Token": ["two"]}, KEYS) == {}


@pytest.mark.parametrize(
    "key",
    ["", "0", "xy" * 16, "00" * 16, "ff" * 16, "303132333435363738393a3b3c3d3e3f", "ab" * 600],
)
async def test_a_key_that_everybody_knows_is_none(device: Controller, key: str) -> None:
    good = {"token": "good", "Key": "00112233445566778899aabbccddee01"}
    body = {"EncryptionKey": [good, {"token": "bad", "Key": key}]}
    fault = await device.fault("axkey:SetEncryptionKey", body, KEYS)
    assert fault["FaultMsg"].startswith("EncryptionKey[1].Key: ")
    assert (await device.json("axkey:GetEncryptionKeyList", {}, KEYS))["EncryptionKey"] == []


# --- I/O assignment


async def test_io_is_assigned_stolen_and_given_back(device: Controller) -> None:
    door = await device.make_door("door")
    await make_reader(device, ("IdPoint.Reader.Type", "Wiegand"), ("IdPoint.REX.Type", "ActiveLow"))
    infos = {info["IoName"]: info["IoMode"] for info in (await device.json("axisio:GetIoInfoList", {}, PIN))["IoInfo"]}
    relay = next(name for name, modes in infos.items() if modes == ["relay"])
    needs = (await device.json("axisio:GetIoUserInfoList", {}, PIN))["IoUserInfo"]
    usages = {(need["IoUser"]["Type"], need["IoUser"]["Usage"]): need for need in needs}
    assert set(usages) == {
        ("doorcontrol", "Lock_Relay"), ("doorcontrol", "DoorOpenMonitor"), ("doorcontrol", "DoorClosedMonitor"),
        ("idpoint", "Wiegand"), ("idpoint", "REX"),
    }  # fmt: skip
    assert usages["doorcontrol", "Lock_Relay"]["Name"] == "Front"
    lock = {"Type": "doorcontrol", "token": door, "Usage": "Lock_Relay", "MultiIo": True}
    monitor = [
        {"Type": "doorcontrol", "token": door, "Usage": usage, "MultiIo": usage == "DoorOpenMonitor"}
        for usage in ("DoorOpenMonitor", "DoorClosedMonitor")
    ]
    rex = {"Type": "idpoint", "token": "reader", "Usage": "REX", "MultiIo": False}
    given = [
        {"IoName": relay, "IoMode": "relay", "IoUser": [lock]},
        {"IoName": "port1", "IoMode": "in:pu/gnd", "IoUser": monitor},
        {"IoName": "port2", "IoMode": "in:pu/gnd", "IoUser": [rex]},
    ]
    assert await device.json("axisio:SetIoAssignment", {"IoAssignment": given}, PIN) == {}

    async def held() -> dict[str, list[str]]:
        answer = await device.json("axisio:GetIoAssignmentList", {}, PIN)
        return {entry["IoName"]: [user["Usage"] for user in entry["IoUser"]] for entry in answer["IoAssignment"]}

    every = {relay: ["Lock_Relay"], "port1": ["DoorOpenMonitor", "DoorClosedMonitor"], "port2": ["REX"]}
    assert await held() == every
    moved = {"IoName": "port1", "IoMode": "in:pu/gnd", "IoUser": [rex]}
    await device.json("axisio:SetIoAssignment", {"IoAssignment": [moved]}, PIN)
    assert await held() == {relay: ["Lock_Relay"], "port1": ["REX"]}
    await device.json("axisio:SetIoAssignment", {"IoAssignment": [{**moved, "IoUser": []}]}, PIN)
    assert await held() == {relay: ["Lock_Relay"]}
    for bad, named in (
        ({**moved, "IoName": "port99"}, "IoName"),
        ({**moved, "IoMode": "12V"}, "IoMode"),
        ({**moved, "IoUser": [{**rex, "Usage": "Coffee"}]}, "IoUser[0]"),
        ({**moved, "IoMode": "supervised"}, "IoMode"),
    ):
        fault = await device.fault("axisio:SetIoAssignment", {"IoAssignment": [given[1], bad]}, PIN)
        assert fault["FaultMsg"].startswith(f"IoAssignment[1].{named}: ")
        assert await held() == {relay: ["Lock_Relay"]}


async def test_io_as_soap(device: Controller) -> None:
    await make_reader(device, ("IdPoint.REX.Type", "ActiveLow"))
    answer = await device.soap(
        "<axisio:SetIoAssignment><axisio:IoAssignment><axisio:IoMode>in:pu/gnd</axisio:IoMode>"
        "<axisio:IoName>port1</axisio:IoName><axisio:IoUser><axisio:MultiIo>false</axisio:MultiIo>"
        "<axisio:Type>idpoint</axisio:Type><axisio:Usage>REX</axisio:Usage><axisio:token>reader</axisio:token>"
        "</axisio:IoUser></axisio:IoAssignment></axisio:SetIoAssignment>"
    )
    assert len(answer) == 0
    listed = await device.soap("<axisio:GetIoAssignmentList/>")
    assert [child.tag.rpartition("}")[2] for child in listed[0]] == ["IoName", "IoMode", "IoUser"]
    user = listed[0][2]
    assert [(child.tag.rpartition("}")[2], child.text) for child in user] == [
        ("Type", "idpoint"), ("token", "reader"), ("Usage", "REX"), ("MultiIo", "false"),
    ]  # fmt: skip
