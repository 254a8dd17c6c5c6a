"""Access control over JSON and SOAP: who may pass, requests, switches, anti-passback; the sequences of real clients."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from tests.unit.interfaces.pacs.rig import Controller

PACSAXIS = "{http://www.axis.com/vapix/ws/pacs}"


async def furnish(device: Controller, **credential: Any) -> str:
    """A door that ada's card opens; gives the door's token."""
    door = await device.make_door("door")
    point = {
        "token": "point", "Name": "Front in", "EntityType": "tdc:Door", "Entity": door, "Enabled": True,
        "IdPointDevice": [{"IdPoint": "reader", "DeviceUUID": ""}], "AuthenticationProfile": ["CardOnly"],
        "Attribute": [{"type": "", "Name": "Direction", "Value": "in"}], "ActionArgument": [], "Action": "Access",
    }  # fmt: skip
    await device.json("pacsaxis:SetAccessPoint", {"AccessPoint": [point]})
    profile = {
        "token": "all", "Name": "Everybody", "Description": "", "Enabled": True, "ValidFrom": "", "ValidTo": "",
        "Schedule": ["standard_always"], "AuthenticationProfile": [], "Attribute": [],
        "AccessPolicy": [{"AccessPoint": "point", "Schedule": ["standard_always"]}],
    }  # fmt: skip
    await device.json("pacsaxis:SetAccessProfile", {"AccessProfile": [profile]})
    held = {
        "token": "ada", "UserToken": "u1", "Description": "", "Enabled": True, "Status": "Enabled",
        "IdData": [{"Name": "Card", "Value": "02004fcb"}, {"Name": "PIN", "Value": "1234"}],
        "CredentialAccessProfile": [{"AccessProfile": "all", "ValidFrom": "", "ValidTo": ""}], **credential,
    }  # fmt: skip
    await device.json("pacsaxis:SetCredential", {"Credential": [held]})
    return door


def ask(**given: Any) -> dict[str, Any]:
    shown = given.pop("shown", {"Card": "02004fcb"})
    data = [{"Name": name, "Value": value} for name, value in shown.items()]
    return {"Action": "Access", "SourceToken": "reader", "IdData": data, **given}


async def test_a_request_opens_the_door_and_a_verification_does_not(device: Controller) -> None:
    door = await furnish(device)
    token = f"Axis-{device.http.system.serial.lower()} AccessController"
    answer = await device.json("pacsaxis:VerifyRequest", ask(Token=token, TargetToken=door))
    assert answer == {"AccessGranted": True, "Reason": "Granted"}
    assert (await device.json("tdc:GetDoorState", {"Token": door}))["DoorState"]["DoorMode"] == "Locked"
    assert not [event for event in device.ledger.events if "AccessControl" in event.topic]
    assert await device.json("pacsaxis:RequestAccess", ask(Token=token, TargetToken=door)) == answer
    assert (await device.json("tdc:GetDoorState", {"Token": door}))["DoorState"]["DoorMode"] == "Accessed"
    refused = await device.json("pacsaxis:RequestAccess", ask(shown={"Card": "ffff"}))
    assert refused == {"AccessGranted": False, "Reason": "InvalidCredential"}
    topics = [event.topic for event in device.ledger.events if "AccessControl" in event.topic]
    assert topics == [
        "tns1:AccessControl/AccessGranted/Credential", "tns1:AccessControl/Denied/CredentialNotFound/Card",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code", "subcode", "named"),
    [
        ({"Token": "other"}, "ter:InvalidArgVal", "ter:NotFound", "Token"),
        ({"SourceToken": "nowhere"}, "ter:InvalidArgVal", "ter:NotFound", "SourceToken"),
        ({"TargetToken": "nowhere"}, "ter:InvalidArgVal", "ter:NotFound", "TargetToken"),
        ({"SourceToken": None}, "ter:InvalidArgs", None, "SourceToken"),
        ({"IdData": []}, "ter:InvalidArgs", None, "IdData"),
        ({"IdData": [{"Name": "Card"}]}, "ter:InvalidArgs", None, "IdData[0].Value"),
        ({"IdData": [{"Name": "Card", "Value": 7}]}, "ter:InvalidArgs", None, "IdData[0].Value"),
        ({"IdDate": []}, "ter:InvalidArgs", None, "IdDate"),
    ],
)
async def test_a_wrong_request_names_its_field(
    device: Controller, change: dict[str, Any], code: str, subcode: str | None, named: str
) -> None:
    await furnish(device)
    fault = await device.fault("pacsaxis:RequestAccess", {**ask(), **change})
    assert (fault["Fault"], fault["FaultCode"], fault["FaultSubCode"]) == ("env:Sender", code, subcode)
    assert fault["FaultMsg"].startswith(f"{named}: ")
    assert set(fault) == {"Fault", "FaultCode", "FaultSubCode", "FaultReason", "FaultMsg"}


async def test_a_door_that_cannot_be_opened_now_is_a_failure_and_told_as_not_taken(device: Controller) -> None:
    door = await furnish(device)
    await device.json("tdc:LockDownDoor", {"Token": door})
    fault = await device.fault("pacsaxis:RequestAccess", ask())
    assert (fault["FaultCode"], fault["FaultSubCode"]) == ("ter:Action", "ter:Failure")
    topics = [event.topic for event in device.ledger.events if "AccessControl" in event.topic]
    assert topics == ["tns1:AccessControl/AccessGranted/Credential", "tns1:AccessControl/AccessNotTaken/Credential"]


async def test_every_kind_of_record_comes_back_as_it_was_given(device: Controller) -> None:
    await furnish(device)
    point = (await device.json("pacsaxis:GetAccessPoint", {"Token": ["point"]}))["AccessPoint"][0]
    assert point["IdPointDevice"] == [
        {"IdPoint": "reader", "DeviceUUID": f"5581ad80-95b0-11e0-b883-{device.http.system.serial.lower()}"}
    ]
    assert point["Attribute"] == [{"Name": "Direction", "Value": "in", "type": ""}]
    assert point["EntityType"] == "tdc:Door"
    profile = (await device.json("pacsaxis:GetAccessProfileList"))["AccessProfile"][0]
    assert profile["AccessPolicy"] == [{"AccessPoint": "point", "Schedule": ["standard_always"]}]
    held = (await device.json("pacsaxis:GetCredentialList"))["Credential"][0]
    assert held["IdData"] == [{"Name": "Card", "Value": "02004fcb"}, {"Name": "PIN", "Value": "1234"}]
    assert held["CredentialAccessProfile"] == [{"AccessProfile": "all", "ValidFrom": "", "ValidTo": ""}]
    profiles = (await device.json("pacsaxis:GetAuthenticationProfileList"))["AuthenticationProfile"]
    by_token = {profile["token"]: profile for profile in profiles}
    assert set(by_token) == {"CardOnly", "PINOnly", "CardPlusPin", "REXOnly"}
    assert by_token["REXOnly"]["IdFactor"] == [
        {"IdDataName": "REX", "IdMatchOperatorName": "OperatorValueEqual", "OperatorValue": "Active"}
    ]
    controller = await device.json("pacsaxis:GetAccessControllerList")
    name = f"Axis-{device.http.system.serial.lower()} AccessController"
    assert controller == {"AccessController": [{"token": name, "Name": name, "Description": "", "AccessPoint": []}]}
    info = (await device.json("tac:GetAccessPointInfoList"))["AccessPointInfo"][0]
    assert info["Capabilities"]["DisableAccessPoint"] is True
    area = {"token": "in", "Name": "Inside", "Description": "", "Attribute": []}
    await device.json("pacsaxis:SetArea", {"Area": [area]})
    assert (await device.json("pacsaxis:GetArea", {"Token": ["in", "x"]})) == {"Area": [area]}


async def test_one_bad_record_of_a_list_leaves_nothing_behind(device: Controller) -> None:
    good = {"token": "a", "IdData": [{"Name": "CardNr", "Value": "1"}]}
    pin, taken = [{"Name": "PIN", "Value": "12x4"}], [{"Name": "CardNr", "Value": "1"}]
    for bad, code, named in (
        ({"token": "b", "IdData": pin}, "ter:InvalidArgVal", "Credential[1].IdData[0].Value"),
        ({"token": "b", "Enabled": "yes"}, "ter:InvalidArgs", "Credential[1].Enabled"),
        ({"token": "b", "ValidTo": "tomorrow"}, "ter:InvalidArgVal", "Credential[1].ValidTo"),
        ({"token": "a"}, "ter:InvalidArgVal", "Credential[1].token"),
        ({"Tokens": "a"}, "ter:InvalidArgs", "Credential[1].Tokens"),
        ("text", "ter:InvalidArgs", "Credential[1]"),
        ({"token": "b", "IdData": taken}, "ter:InvalidArgVal", "Credential[0].IdData[0].Value"),
    ):  # fmt: skip
        fault = await device.fault("pacsaxis:SetCredential", {"Credential": [good, bad]})
        assert fault["FaultCode"] == code, fault
        assert fault["FaultMsg"].startswith(f"{named}: "), fault
        assert (await device.json("pacsaxis:GetCredentialList")) == {"Credential": []}
    fault = await device.fault("pacsaxis:SetCredential", {"Credential": []})
    assert fault["FaultMsg"] == "Credential: is required"
    fault = await device.fault("pacsaxis:RemoveCredential", {"Token": ["x"]})
    assert (fault["FaultCode"], fault["FaultSubCode"]) == ("ter:InvalidArgVal", "ter:NotFound")


async def test_pages_follow_by_reference(device: Controller) -> None:
    users = [{"token": f"u{n:02}", "Name": f"User {n}"} for n in range(7)]
    await device.json("axudb:SetUser", {"User": users})
    found, reference = [], ""
    for _ in range(4):
        page = await device.json("axudb:GetUserList", {"Limit": 3, "StartReference": reference})
        found += [user["token"] for user in page["User"]]
        reference = page.get("NextStartReference", "")
        if not reference:
            break
    assert found == [user["token"] for user in users]
    assert len((await device.json("axudb:GetUserList", {"Limit": 0}))["User"]) == 7
    fault = await device.fault("axudb:GetUserList", {"StartReference": "7"})
    assert fault["FaultSubCode"] == "ter:InvalidStartReference"
    fault = await device.fault("axudb:GetUser", {"Token": [str(n) for n in range(5_001)]})
    assert (fault["FaultCode"], fault["FaultSubCode"]) == ("ter:InvalidArgs", "ter:TooManyItems")


async def test_switches_and_statistics(device: Controller) -> None:
    await furnish(device)
    assert await device.json("pacsaxis:DisableCredential", {"Token": "ada", "Status": "lost"}) == {}
    held = (await device.json("pacsaxis:GetCredential", {"Token": "ada"}))["Credential"][0]
    assert (held["Enabled"], held["Status"]) == (False, "lost")
    assert (await device.json("pacsaxis:VerifyRequest", ask()))["Reason"] == "CredentialNotEnabled"
    statistics = await device.json("pacsaxis:GetCredentialStatistics")
    assert statistics == {"CredentialStatistics": {"NumberOfCredentials": 1, "NumberOfDisabledCredentials": 1}}
    await device.json("pacsaxis:EnableCredential", {"Token": "ada"})
    await device.json("tac:DisableAccessPoint", {"Token": "point"})
    assert (await device.json("tac:GetAccessPointState", {"Token": "point"})) == {
        "AccessPointState": {"Enabled": False}
    }
    assert (await device.json("pacsaxis:VerifyRequest", ask()))["Reason"] == "Unauthorized"
    await device.json("pacsaxis:EnableAccessPoint", {"Token": "point"})
    assert (await device.json("pacsaxis:VerifyRequest", ask()))["AccessGranted"] is True
    fault = await device.fault("pacsaxis:EnableCredential", {"Token": "x"})
    assert fault["FaultSubCode"] == "ter:NotFound"


async def test_anti_passback_data_is_set_listed_and_reset(device: Controller) -> None:
    await furnish(device)
    await device.json("pacsaxis:SetArea", {"Area": [{"token": "in"}]})
    data = {
        "CredentialToken": "ada", "CurrentArea": "in", "ByTime": False, "PassOkThreshold": 0, "Violation": "",
    }  # fmt: skip
    await device.json("pacsaxis:SetAntipassbackData", {"AntipassbackData": [data]})
    assert (await device.json("pacsaxis:GetAntipassbackDataList")) == {"AntipassbackData": [data]}
    await device.json("pacsaxis:ResetAntipassbackViolation", {"CredentialToken": "ada"})
    assert (await device.json("pacsaxis:GetAntipassbackDataList")) == {"AntipassbackData": []}
    await device.json("pacsaxis:SetAntipassbackData", {"AntipassbackData": [data]})
    await device.json("pacsaxis:ResetAllAntipassbackViolations")
    assert (await device.json("pacsaxis:GetAntipassbackDataList")) == {"AntipassbackData": []}
    bad = [data, {**data, "CredentialToken": "eve"}]
    fault = await device.fault("pacsaxis:SetAntipassbackData", {"AntipassbackData": bad})
    assert fault["FaultMsg"].startswith("AntipassbackData[1].CredentialToken")
    assert (await device.json("pacsaxis:GetAntipassbackDataList")) == {"AntipassbackData": []}


async def test_users_and_who_holds_a_credential(device: Controller) -> None:
    await furnish(device)
    user = {
        "token": "u1", "Name": "Freeman, Gordon", "Description": "",
        "Attribute": [{"Name": "FirstName", "Value": "Gordon", "type": "string"}],
    }  # fmt: skip
    assert await device.json("axudb:SetUser", {"User": [user]}) == {"Token": ["u1"]}
    assert await device.json("axudb:GetUser", {"Token": ["u1"]}) == {"User": [user]}
    info = await device.json("axudb:GetUserInfoByCredentialToken", {"Token": "ada"})
    assert info == {"UserInfo": [{"token": "u1", "Name": "Freeman, Gordon", "Description": ""}]}


async def test_schedules_are_set_asked_and_kept_while_they_are_used(device: Controller) -> None:
    await furnish(device)
    text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:19700101T080000\r\nDTEND:19700101T170000\r\n"
    text += "RRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    schedule = {
        "token": "hours", "Name": "Hours", "Description": "", "ScheduleDefinition": text,
        "ExceptionScheduleDefinition": "", "Attribute": [],
    }  # fmt: skip
    path = "/vapix/schedule"
    await device.json("axsch:SetSchedule", {"Schedule": [schedule]}, path)
    assert await device.json("axsch:GetSchedule", {"Token": ["hours"]}, path) == {"Schedule": [schedule]}
    active = await device.json("axsch:ScheduleActive", {"Token": ["hours"], "UtcTime": "2026-03-02T09:00:00Z"}, path)
    assert active == {"Active": True, "Exception": False}
    night = {"Token": ["hours"], "LocalTime": "2026-03-02T20:00:00", "UtcTime": None}
    assert (await device.json("axsch:ScheduleActive", night, path))["Active"] is False
    report = (await device.json("axsch:ScheduleStatusReport", {}, path))["Status"]
    assert {"Token": "standard_always", "Active": True, "Exception": False} in report
    fault = await device.fault("axsch:RemoveSchedule", {"Token": ["standard_always"]}, path)
    assert "is used by access profile Everybody" in fault["FaultMsg"]
    fault = await device.fault("axsch:SetSchedule", {"Schedule": [{**schedule, "ScheduleDefinition": "x"}]}, path)
    assert fault["FaultCode"] == "ter:InvalidArgVal"
    fault = await device.fault("axsch:ScheduleActive", {"Token": ["x"]}, path)
    assert fault["FaultSubCode"] == "ter:NotFound"
    fault = await device.fault("axsch:ScheduleActive", {"Token": ["hours"], "UtcTime": "now"}, path)
    assert fault["FaultMsg"].startswith("UtcTime")


async def test_any_prefix_works_on_any_path(device: Controller) -> None:
    door = await furnish(device)
    for path in ("/vapix/pacs", "/vapix/doorcontrol", "/vapix/idpoint", "/vapix/eventlogger", "/vapix/pin"):
        assert await device.json("axtdc:UnlockDoor", {"Token": door}, path) == {}
        assert await device.json("GetUserList", {}, path) == {"User": []}
    for method, code in (("tdc:OpenSesame", "ter:ActionNotSupported"), ("foo:GetDoor", "ter:ActionNotSupported")):
        fault = await device.fault(method)
        assert (fault["Fault"], fault["FaultCode"]) == ("env:Receiver", code)
    assert (await device.fault("GetServiceCapabilities"))["FaultCode"] == "ter:InvalidArgs"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"a":{},"b":{}}', b'{"tdc:GetDoor":[]}', b"{", b'{"tdc:GetDoor":NaN}']
)
async def test_a_body_that_is_no_call_is_a_fault(device: Controller, body: bytes) -> None:
    reply = await device.post("/vapix/pacs", body)
    assert reply.status == 400
    assert msgspec.json.decode(reply.body)["Fault"] == "env:Sender"


async def test_every_action_needs_an_administrator(device: Controller) -> None:
    from axcore.model.accounts import Role

    device.http.add_account("oper", "pass", Role.OPERATOR)
    body = msgspec.json.encode({"tdc:GetDoorList": {}})
    assert (await device.post("/vapix/doorcontrol", body, user="oper")).status == 403
    assert (await device.post("/vapix/doorcontrol", body, user=None)).status == 401
    envelope = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><d:GetDoorList '
    envelope += 'xmlns:d="http://www.onvif.org/ver10/doorcontrol/wsdl"/></s:Body></s:Envelope>'
    reply = await device.post("/vapix/services", envelope.encode(), user="oper", kind="application/soap+xml")
    assert reply.status == 403


async def test_soap_reads_attributes_and_elements_in_any_order(device: Controller) -> None:
    await furnish(device)
    body = await device.soap(
        '<pacsaxis:SetCredential><Credential token="">'
        "<CredentialAccessProfile><AccessProfile>all</AccessProfile><ValidFrom/><ValidTo/></CredentialAccessProfile>"
        "<Enabled>true</Enabled><Attribute Name='ExtendedAccessTime'/><AuthenticationProfile/>"
        '<IdData Name="Card" Value="0b"/><IdData><Name>PIN</Name><Value>4321</Value></IdData>'
        "<Status>Enabled</Status><UserToken>u2</UserToken></Credential></pacsaxis:SetCredential>"
    )
    token = body[0].text
    got = await device.json("pacsaxis:GetCredential", {"Token": token})
    (held,) = got["Credential"]
    assert held["IdData"] == [{"Name": "Card", "Value": "0b"}, {"Name": "PIN", "Value": "4321"}]
    assert held["Attribute"] == [{"Name": "ExtendedAccessTime", "Value": "", "type": ""}]
    assert held["AuthenticationProfile"] == []
    shown = (await device.soap(f"<pacsaxis:GetCredential><Token>{token}</Token></pacsaxis:GetCredential>"))[0]
    order = [child.tag.removeprefix(PACSAXIS) for child in shown]
    assert order == [
        "UserToken", "Description", "Enabled", "Status", "ValidFrom", "ValidTo", "IdData", "IdData", "Attribute",
        "CredentialAccessProfile",
    ]  # fmt: skip
    granted = await device.soap(
        "<pacsaxis:RequestAccess><Action>Access</Action><IdData Name='Card' Value='0b'/>"
        "<SourceToken>reader</SourceToken></pacsaxis:RequestAccess>"
    )
    assert [child.text for child in granted] == ["true", "Granted"]
    fault = await device.soap("<axudb:SetUser><User token='x'><Name/><Name/></User></axudb:SetUser>", 400)
    assert "User[0].Name: is there 2 times" in ElementTree.tostring(fault, "unicode")
