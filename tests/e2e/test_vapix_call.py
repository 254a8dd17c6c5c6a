"""The Call service of a started device: JSON, simple form and SOAP, calls to software, pictures, events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus, urlencode
from xml.etree import ElementTree

import httpx
import pytest

from axcore.interfaces.call.soap import NAMESPACES
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.interfaces.soap.names import EVENT1
from tests.e2e.patience import PATIENCE
from tests.unit.model.test_images import jpeg, png

CALLS = "/config/rest/calls/v1"
LIST = "/config/rest/contact-list/v1"


class Client:
    """An administrator over plain HTTP."""

    def __init__(self, instance: Instance) -> None:
        auth = httpx.DigestAuth(instance.user, instance.password)
        self.http = httpx.Client(base_url=instance.running.http, auth=auth, timeout=PATIENCE)

    def json(self, method: str, args: Any) -> Any:
        return self.http.post("/vapix/call", json={f"axcall:{method}": args}).json()

    def simple(self, method: str, **args: str) -> tuple[int, dict[str, str]]:
        query = urlencode({"format": "simple", "action": f"axcall:{method}", **args})
        answer = self.http.get(f"/vapix/call?{query}")
        return answer.status_code, dict(line.split("=", 1) for line in answer.text.splitlines())

    def soap(self, body: str, space: str = NAMESPACES[0]) -> tuple[int, ElementTree.Element]:
        text = (
            f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:x="{space}"><s:Body>{body}</s:Body>'
            "</s:Envelope>"
        )
        headers = {"Content-Type": "application/soap+xml"}
        answer = self.http.post("/vapix/services", content=text, headers=headers)
        found = ElementTree.fromstring(answer.content).find("{*}Body")
        assert found is not None
        return answer.status_code, found[0]

    def rest(self, method: str, path: str, data: Any = None, status: int = 200) -> Any:
        answer = self.http.request(method, path, json=None if data is None else {"data": data})
        assert answer.status_code == status, answer.text
        return answer.json().get("data", answer.json().get("error"))


@pytest.fixture(scope="module")
def client(instance: Instance) -> Iterator[Client]:
    made = Client(instance)
    yield made
    made.http.close()


@pytest.fixture(autouse=True)
def no_call_is_left(client: Client) -> Iterator[None]:
    """A test that ends amid a call leaves none to the next."""
    yield
    for call in client.json("GetCallStatuses", {})["CallStatus"]:
        if call["CallState"] != "Terminated":
            client.json("TerminateCall", {"CallId": call["CallId"]})
            wait_for("the end", lambda key=call["CallId"]: state(client, key) == "Terminated", PATIENCE)


def press(instance: Instance) -> None:
    with instance.board(PATIENCE) as board:
        board.call("button")


def state(client: Client, key: str) -> str:
    return str(client.json("GetCallStatus", {"CallId": key})["CallStatus"]["CallState"])


def test_the_button_offers_a_call_and_software_takes_it(instance: Instance, client: Client) -> None:
    press(instance)

    def offered() -> Any:
        calls = client.json("GetCallStatuses", {})["CallStatus"]
        return [one for one in calls if one["CallState"] == "Calling"]

    (call,) = wait_for("a call", offered, PATIENCE)
    assert (call["CallType"], call["RemoteURI"], call["Direction"]) == ("VMS", "VMS_CALL", "Outgoing")
    key = call["CallId"]
    assert client.rest("POST", f"{CALLS}/calls/{key}/answer")["state"] == "Active"
    assert client.simple("GetCallStatus", CallId=key)[1]["CallStatus_CallState"] == '"Active"'
    status, _ = client.soap(f"<x:TerminateCall><x:CallId>{key}</x:CallId></x:TerminateCall>")
    assert status == 200
    wait_for("the end", lambda: state(client, key) == "Terminated", PATIENCE)


def test_one_call_in_three_forms(client: Client) -> None:
    status, made = client.simple("Call", To="VMS_CALL")
    assert status == 200
    key = made["CallId"].strip('"')
    _, found = client.soap(f"<x:GetCallStatus><x:CallId>{key}</x:CallId></x:GetCallStatus>")
    assert found.findtext("{*}CallStatus/{*}CallState") == "Calling"
    status, fault = client.soap("<x:Call><x:To>VMS_CALL</x:To></x:Call>")
    assert (status, fault.tag.split("}")[1]) == (400, "Fault")
    assert "already" in (fault.findtext("{*}Reason/{*}Text") or "")
    told = client.json("Call", {"To": "VMS_CALL"})
    simple = client.simple("Call", To="VMS_CALL")
    assert simple[0] == 400
    assert {name: unquote_plus(value.strip('"')) for name, value in simple[1].items()} == {
        name: "null" if value is None else value for name, value in told.items()
    }
    assert client.json("TerminateCall", {"CallId": key}) == {}


def test_an_account_in_three_forms(client: Client) -> None:
    account = {"Id": "pbx", "Name": "Front door", "UserId": "6001", "Registrar": "pbx.example", "Password": "secret"}
    assert client.json("SetSIPAccount", {"SIPAccount": account}) == {"SIPAccountId": "pbx"}
    status, found = client.simple("GetSIPAccounts", SIPAccountId_0_="pbx", SIPAccountId_1_="nobody")
    assert (status, found["SIPAccount_0_UserId"], found["SIPAccount_0_Name"]) == (200, '"6001"', '"Front+door"')
    assert (found["SIPAccount_0_Password"], "SIPAccount_1_Id" in found) == ('""', False)
    _, told = client.soap("<x:GetSIPAccountStatuses><x:SIPAccountId>pbx</x:SIPAccountId></x:GetSIPAccountStatuses>")
    status_of = told.find("{*}SIPAccountStatus")
    assert status_of is not None
    assert status_of.findtext("{*}StatusText") == "SIP disabled"
    assert status_of.findtext("{*}SIPURI") == "sip:6001@pbx.example"
    assert client.json("RemoveSIPAccount", {"SIPAccountId": "pbx"}) == {}
    assert client.json("RemoveSIPAccount", {"SIPAccountId": "pbx"}) == {}


def test_event_instances_carry_the_events_of_calls(client: Client) -> None:
    _, found = client.soap("<x:GetEventInstances/>", EVENT1)
    call = next(element for element in found.iter() if element.tag.endswith("}Call"))
    topics = {element.tag.rpartition("}")[2] for element in call}
    assert {"State", "StateChange", "DTMF"} <= topics
    item = next(one for one in call.iter() if one.get("Name") == "CallState")
    values = {value.text for value in item if value.tag.endswith("}Value")}
    assert values == {"Idle", "Calling", "Active", "Terminating", "Terminated"}
    for topic in ("State", "StateChange"):
        instance = next(one for one in call if one.tag.rpartition("}")[2] == topic)
        source = next(one for one in instance.iter() if one.get("Name") == "Source")
        assert [value.text for value in source if value.tag.endswith("}Value")] == ["DoorStation"]


def test_event_instances_name_the_dtmf_events(client: Client) -> None:
    key = client.json("SetDTMFEvent", {"DTMFEvent": {"Name": "Unlock door"}})["DTMFEventId"]
    _, found = client.soap("<x:GetEventInstances/>", EVENT1)
    item = next(one for one in found.iter() if one.get("Name") == "DTMFEventId")
    told = {value.text: [*value.attrib.values()] for value in item if value.tag.endswith("}Value")}
    assert told == {key: ["Unlock door"]}
    assert client.json("RemoveDTMFEvent", {"DTMFEventId": key}) == {}


def test_pictures_of_contacts(client: Client) -> None:
    key = client.rest("POST", f"{LIST}/contacts", {"first_name": "Ada", "sip_address": "sip:ada@192.0.2.1"}, 201)["id"]
    path = f"{LIST}/contacts/{key}/image"
    assert client.rest("GET", path, status=404)["code"] == "not_found"
    answer = client.http.put(path, content=png(32, 16), headers={"Content-Type": "image/png"})
    assert answer.json()["data"] == {"type": "image/png", "width": 32, "height": 16, "size": len(png(32, 16))}
    got = client.http.get(path)
    assert (got.headers["Content-Type"], got.content) == ("image/png", png(32, 16))
    for content, kind, status in (
        (png(), "image/gif", 415),
        (jpeg(), "image/png", 400),
        (b"nonsense", "image/jpeg", 400),
        (bytes(200_000), "image/png", 413),
    ):
        assert client.http.put(path, content=content, headers={"Content-Type": kind}).status_code == status
    assert client.http.put(path, files={"file": ("a.jpg", jpeg(), "image/jpeg")}).status_code == 200
    file = client.rest("GET", f"{LIST}/list")
    assert list(file["images"]) == [key]
    client.rest("DELETE", f"{LIST}/contacts/{key}")
    client.rest("GET", path, status=404)
    assert client.rest("PUT", f"{LIST}/list", file)["images"] == file["images"]
    assert client.http.get(path).content == jpeg()
    client.rest("DELETE", path)
    client.rest("DELETE", path, status=404)


def test_settings_of_sounds_and_vms_calls(client: Client) -> None:
    new = client.rest("PATCH", f"{CALLS}/sounds", {"ringtone": {"clip": "Door chime", "gain": 3.0}})
    assert new["ringtone"] == {"clip": "/etc/audioclips/MediaClip.M2.au", "gain": 3.0, "enabled": True}
    assert client.rest("GET", f"{CALLS}/sounds") == new
    assert client.rest("PATCH", f"{CALLS}/sounds", {"busy": {"gain": 99}}, 400)["field"] == "busy.gain"
    assert client.rest("DELETE", "/config/rest/audio/v1/clips/2", status=409)["code"] == "conflict"
    streams = {
        "audio_to_network_streams": 0,
        "audio_from_network_streams": 1,
        "video_to_network_streams": 0,
    }
    assert client.rest("PATCH", f"{CALLS}/vms", {"timeout": 33}) == {"enabled": True, "timeout": 33, **streams}
    assert client.json("GetVMSCallConfiguration", {})["VMSCallConfiguration"]["Timeout"] == 33
    assert client.rest("PATCH", f"{CALLS}/vms", {"timeout": 0}, 400)["field"] == "timeout"
    assert client.rest("POST", f"{CALLS}/test", {"to": "sip:ada@192.0.2.1"}, 409)["message"] == "SIP is off"


def test_who_is_nobody_gets_nothing(instance: Instance) -> None:
    for method, path in (
        ("GET", "/vapix/call?format=simple&action=axcall:GetCallStatuses"),
        ("POST", "/vapix/call"),
        ("GET", f"{CALLS}/sounds"),
        ("PUT", f"{LIST}/contacts/contact1/image"),
        ("POST", f"{CALLS}/test"),
    ):
        assert httpx.request(method, instance.running.http + path, timeout=PATIENCE).status_code == 401
