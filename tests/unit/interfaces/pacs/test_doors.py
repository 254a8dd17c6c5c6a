"""Doors over JSON and SOAP: records, hardware settings, commands, states, priorities."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.unit.interfaces.pacs.rig import Controller

PATH = "/vapix/doorcontrol"
AXTDC = "{http://www.axis.com/vapix/ws/DoorControl}"


async def mode(device: Controller, token: str) -> str:
    found: str = (await device.json("tdc:GetDoorState", {"Token": token}, PATH))["DoorState"]["DoorMode"]
    return found


async def test_a_door_is_set_and_got_with_all_its_fields(device: Controller) -> None:
    door = {
        "token": "", "Name": "Front Door", "Description": "to the street", "AccessTime": "PT7S",
        "OpenTooLongTime": "PT20S", "PreAlarmTime": "PT5S", "ExtendedAccessTime": "PT30S",
        "ExtendedOpenTooLongTime": "PT1M30S", "HeartbeatInterval": "PT0S", "PriorityConfiguration": "Standard",
        "DefaultPriority": "",
    }  # fmt: skip
    token = (await device.json("axtdc:SetDoor", {"Door": [door]}, PATH))["Token"][0]
    assert token.startswith(f"Axis-{device.http.system.serial.lower()}:")
    shown = {**door, "token": token, "ExtendedOpenTooLongTime": "PT90S"}
    assert await device.json("axtdc:GetDoor", {"Token": [token]}, PATH) == {"Door": [shown]}
    assert await device.json("tdc:GetDoorList", {}, PATH) == {"Door": [shown]}
    assert await device.json("axtdc:SetDoor", {"Door": [{"token": token, "Name": "Back"}]}, PATH) == {"Token": [token]}
    again = (await device.json("axtdc:GetDoor", {"Token": token}, PATH))["Door"][0]
    assert (again["Name"], again["AccessTime"]) == ("Back", "PT10S")
    assert await device.json("axtdc:RemoveDoor", {"Token": [token]}, PATH) == {}
    assert await device.json("axtdc:GetDoor", {"Token": [token]}, PATH) == {"Door": []}


async def test_options_that_are_left_out_have_their_defaults_and_get_returns_them_too(device: Controller) -> None:
    token = await device.make_door()
    got = await device.json("axtdc:GetDoorConfiguration", {"Token": [token]}, PATH)
    (found,) = got["DoorConfiguration"]
    values = {entry["Name"]: entry["Value"] for entry in found["Configuration"]}
    assert values["Lock.Type"] == "Relay"
    assert values["Lock.BoltOutTime"] == "700"
    assert values["Lock.LockWhenDoorOpens"] == "false"
    assert values["DoorMonitor.Type"] == "Standard"
    assert values["DoubleLock.Type"] == "None"
    assert found["DeviceUUID"].endswith(device.http.system.serial.lower())
    info = await device.json("axtdc:GetDoorConfigurationInfo", {"Token": token}, PATH)
    lock = next(entry for entry in info["ConfigurationInfo"] if entry["Name"] == "Lock.Type")
    assert lock["Enums"] == ["None", "Standard", "Relay", "RS485HD", "RemoteIO", "TCPIP"]


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"Name": "Lock.Typ", "Value": "Relay"}, "DoorConfiguration[0].Configuration[0].Name"),
        ({"Name": "Lock.Type", "Value": "Magic"}, "DoorConfiguration[0].Configuration[0].Value"),
        ({"Name": "Lock.BoltOutTime", "Value": "1e3"}, "DoorConfiguration[0].Configuration[0].Value"),
        ({"Name": "Lock.BoltOutTime", "Value": "70000"}, "DoorConfiguration[0].Lock.BoltOutTime"),
        ({"Name": "Lock.LockWhenDoorOpens", "Value": "maybe"}, "DoorConfiguration[0].Configuration[0].Value"),
        ({"Name": "Lock.LockMonitor.ValueWhenLocked", "Value": "Input Open"}, "Lock.LockMonitor.ValueWhenLocked"),
    ],
)
async def test_a_wrong_setting_is_named(device: Controller, setting: dict[str, str], named: str) -> None:
    body = {"DoorConfiguration": [{"token": "d", "Configuration": [setting]}]}
    fault = await device.fault("axtdc:SetDoorConfiguration", body, PATH)
    assert (fault["Fault"], fault["FaultCode"]) == ("env:Sender", "ter:InvalidArgVal")
    assert named in fault["FaultMsg"]
    assert await device.json("axtdc:GetDoorConfigurationList", {}, PATH) == {"DoorConfiguration": []}


async def test_commands_change_the_mode_and_answer_nothing(device: Controller) -> None:
    token = await device.make_door()
    assert await mode(device, token) == "Locked"
    for command, after in (
        ("tdc:UnlockDoor", "Unlocked"), ("tdc:LockDoor", "Locked"), ("tdc:BlockDoor", "Blocked"),
        ("tdc:LockDoor", "Locked"), ("tdc:DoubleLockDoor", "Locked"), ("tdc:AccessDoor", "Accessed"),
        ("axtdc:AccessDoorWithoutUnlock", "Accessed"), ("tdc:LockDownDoor", "LockedDown"),
        ("tdc:LockDownReleaseDoor", "Locked"), ("tdc:LockOpenDoor", "LockedOpen"),
        ("tdc:LockOpenReleaseDoor", "Locked"), ("axtdc:ReleaseDoor", "Locked"),
    ):  # fmt: skip
        assert await device.json(command, {"Token": token}, PATH) == {}
        assert await mode(device, token) == after, command


async def test_what_cannot_be_done_now_is_a_failure_and_an_unknown_door_is_not_found(device: Controller) -> None:
    token = await device.make_door()
    await device.json("tdc:LockDownDoor", {"Token": token}, PATH)
    for command in ("tdc:AccessDoor", "tdc:UnlockDoor", "tdc:LockOpenDoor", "tdc:LockOpenReleaseDoor"):
        fault = await device.fault(command, {"Token": token}, PATH)
        assert (fault["Fault"], fault["FaultCode"], fault["FaultSubCode"]) == (
            "env:Receiver",
            "ter:Action",
            "ter:Failure",
        )
    fault = await device.fault("tdc:AccessDoor", {"Token": "nowhere"}, PATH)
    assert (fault["Fault"], fault["FaultCode"], fault["FaultSubCode"]) == (
        "env:Sender", "ter:InvalidArgVal", "ter:NotFound",
    )  # fmt: skip
    fault = await device.fault("tdc:AccessDoor", {}, PATH)
    assert (fault["FaultCode"], fault["FaultMsg"]) == ("ter:InvalidArgs", "Token: is required")


async def test_times_of_an_access_are_read(device: Controller) -> None:
    token = await device.make_door()
    times = {"AccessTime": "PT3S", "OpenTooLongTime": "PT9S", "PreAlarmTime": "PT2S", "UseExtendedTime": False}
    await device.json("tdc:AccessDoor", {"Token": token, **times}, PATH)
    machine = device.doors.machine(token)
    assert machine.access_until == device.ledger.virtual_clock.mono_ns() + 3 * 10**9
    assert machine.timing.open_too_long == 9_000
    fault = await device.fault("tdc:AccessDoor", {"Token": token, "AccessTime": "3 s"}, PATH)
    assert fault["FaultMsg"].startswith("AccessTime:")


async def test_priorities_override_each_other(device: Controller) -> None:
    levels = {
        "token": "levels", "Name": "Two", "DefaultPriority": "Normal",
        "DoorPriorityAction": [
            {"DoorAction": "Release", "PriorityLevel": "High"}, {"DoorAction": "Lock", "PriorityLevel": "Normal"},
        ],
    }  # fmt: skip
    await device.json("axtdc:SetPriorityConfiguration", {"PriorityConfiguration": [levels]}, PATH)
    await device.json("axtdc:SetDoor", {"Door": [{"token": "d", "PriorityConfiguration": "levels"}]}, PATH)
    await device.json("tdc:UnlockDoor", {"Token": "d", "PriorityLevel": "High"}, PATH)
    await device.json("tdc:LockDoor", {"Token": "d"}, PATH)
    assert await mode(device, "d") == "Unlocked"
    state = await device.json("axtdc:GetDoorPriorityState", {"Token": "d"}, PATH)
    assert state["DoorPriorityAction"] == [
        {"PriorityLevel": "High", "Reason": "API", "DoorAction": "Unlock"},
        {"PriorityLevel": "Normal", "Reason": "API", "DoorAction": "Lock"},
    ]
    await device.json("axtdc:ReleaseDoor", {"Token": "d", "PriorityLevel": "High"}, PATH)
    assert await mode(device, "d") == "Locked"
    fault = await device.fault("tdc:LockDoor", {"Token": "d", "PriorityLevel": "None"}, PATH)
    assert fault["FaultSubCode"] == "ter:NotFound"
    info = (await device.json("tdc:GetDoorInfoList", {}, PATH))["DoorInfo"][0]
    assert info["Capabilities"]["PriorityLevels"] == 2
    assert info["Capabilities"]["DoorMonitor"] is False


async def test_the_same_calls_as_soap(device: Controller) -> None:
    body = await device.soap(
        '<axtdc:SetDoor><axtdc:Door token="front"><axtdc:Name>Front &amp; Back</axtdc:Name>'
        "<axtdc:AccessTime>PT7S</axtdc:AccessTime><axtdc:Description/></axtdc:Door></axtdc:SetDoor>"
    )
    assert body.tag == f"{AXTDC}SetDoorResponse"
    assert [token.text for token in body] == ["front"]
    door = (await device.soap("<axtdc:GetDoor><Token>front</Token></axtdc:GetDoor>"))[0]
    assert (door.tag, door.get("token")) == (f"{AXTDC}Door", "front")
    assert [child.text for child in door][:3] == ["Front & Back", None, "PT7S"]
    unlocked = await device.soap("<tdc:UnlockDoor><tdc:Token>front</tdc:Token></tdc:UnlockDoor>")
    assert (unlocked.tag, len(unlocked)) == ("{http://www.onvif.org/ver10/doorcontrol/wsdl}UnlockDoorResponse", 0)
    assert await mode(device, "front") == "Unlocked"
    fault = await device.soap("<tdc:UnlockDoor><tdc:Token>x</tdc:Token></tdc:UnlockDoor>", 400)
    assert "ter:NotFound" in ElementTree.tostring(fault, "unicode")
    fault = await device.soap("<tdc:UnlockDoor><tdc:Tokem>x</tdc:Tokem></tdc:UnlockDoor>", 400)
    assert "Tokem: is not a known field" in ElementTree.tostring(fault, "unicode")
    fault = await device.soap("<tdc:LockOpenReleaseDoor><tdc:Token>front</tdc:Token></tdc:LockOpenReleaseDoor>", 400)
    assert "ter:Failure" in ElementTree.tostring(fault, "unicode")
