"""A door controller in a process of its own, set up by its network API alone: records over JSON and SOAP, a card as
edges at its reader, its relay seen from outside, the event log fetched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from axcore.interfaces.cli.client import Client, HttpError
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.interfaces.pacs.table import SERVICES
from tests.e2e.conftest import lasted
from tests.e2e.patience import PATIENCE

PULSES = {"format": "H10301", "facility": 0, "interval_us": 200, "pulse_us": 40}
ANN, BEN = {**PULSES, "card": 10213}, {**PULSES, "card": 10214}
"""Cards 02004fcb and 02004fcd."""
ACCESS_MS = 600
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"


class Api:
    """Calls as an integrator makes them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def serial(self) -> str:
        """Serial number of the device, in lower case."""
        found: str = self._client.ajr("basicdeviceinfo", "getAllProperties")["propertyList"]["SerialNumber"]
        return found.lower()

    def json(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        """The answer. HttpError with the fault as its body."""
        body = json.dumps({method: arguments}).encode()
        status, reply = self._client.request("POST", path, body, "application/json")
        if status != 200:
            raise HttpError(status, method, body=reply.decode())
        answer: dict[str, Any] = json.loads(reply)
        return answer

    def fault(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        """The fault of a call that is refused."""
        with pytest.raises(HttpError) as refused:
            self.json(method, path, **arguments)
        assert refused.value.status == 400
        fault: dict[str, Any] = json.loads(refused.value.body)
        return fault

    def soap(self, body: str) -> ElementTree.Element:
        """The element in the body of the answer."""
        spaces = " ".join(f'xmlns:{prefix}="{namespace}"' for prefix, (namespace, _) in SERVICES.items())
        envelope = f'<s:Envelope xmlns:s="{SOAP12}" {spaces}><s:Body>{body}</s:Body></s:Envelope>'
        status, reply = self._client.request("POST", "/vapix/services", envelope.encode(), "application/soap+xml")
        assert status == 200, reply
        found = ElementTree.fromstring(reply).find(f"{{{SOAP12}}}Body")
        assert found is not None
        return found[0]

    def events(self, *pairs: tuple[str, str]) -> list[dict[str, str]]:
        """Events of the event logger that have all these keys and values, newest first."""
        filters = [{"Key": key, "Value": value} for key, value in pairs]
        answer = self.json("axlog:FetchEvents", "/vapix/eventlogger", Filters=filters, Descending=True, Limit=20)
        return [{entry["Key"]: entry["Value"] for entry in event["KeyValues"]} for event in answer["Event"]]


@pytest.fixture(scope="module")
def device() -> Iterator[Instance]:
    """A controller as delivered, with an administrator."""
    with Instance(model="a1610") as instance:
        instance.start()
        instance.create_admin()
        yield instance


@pytest.fixture
def api(device: Instance) -> Api:
    return Api(device.client())


def test_a_system_is_set_up_over_json_and_soap_and_a_card_opens_its_door(device: Instance, api: Api) -> None:
    door = {"token": "door1", "Name": "Front", "AccessTime": f"PT{ACCESS_MS / 1000}S", "OpenTooLongTime": "PT30S"}
    assert api.json("axtdc:SetDoor", "/vapix/doorcontrol", Door=[door]) == {"Token": ["door1"]}
    settings = {"Lock.Type": "Relay", "Lock.RelayStateWhenLocked": "Open", "DoorMonitor.Type": "Standard"}
    configuration = {"token": "door1", "Configuration": [{"Name": n, "Value": v} for n, v in settings.items()]}
    api.json("axtdc:SetDoorConfiguration", "/vapix/doorcontrol", DoorConfiguration=[configuration])
    point = {
        "token": "front", "Name": "Front in", "Entity": "door1", "EntityType": "axtdc:Door", "Action": "AccessDoor",
        "Enabled": True, "IdPointDevice": [{"IdPoint": "reader1"}], "AuthenticationProfile": ["CardOnly"],
    }  # fmt: skip
    api.json("pacsaxis:RemoveAccessPoint", "/vapix/pacs", Token=["reader1access"])
    api.json("pacsaxis:SetAccessPoint", "/vapix/pacs", AccessPoint=[point])
    profile = {"token": "staff", "Name": "Staff", "Schedule": ["standard_always"], "Enabled": True,
               "AccessPolicy": [{"AccessPoint": "front", "Schedule": ["standard_always"]}]}  # fmt: skip
    api.json("pacsaxis:SetAccessProfile", "/vapix/pacs", AccessProfile=[profile])
    user = {"Name": "Ann Example", "Attribute": [{"type": "string", "Name": "FirstName", "Value": "Ann"}]}
    (ann,) = api.json("axudb:SetUser", "/vapix/pacs", User=[user])["Token"]
    credential = {
        "token": "ann-card", "UserToken": ann, "Enabled": True, "Status": "Enabled",
        "IdData": [{"Name": "Card", "Value": "02004fcb"}], "CredentialAccessProfile": [{"AccessProfile": "staff"}],
    }  # fmt: skip
    api.json("pacsaxis:SetCredential", "/vapix/pacs", Credential=[credential])
    told = api.soap(
        "<pacsaxis:SetCredential><pacsaxis:Credential token='ben-card'>"
        "<pacsaxis:UserToken>ben</pacsaxis:UserToken><pacsaxis:Description>by SOAP</pacsaxis:Description>"
        "<pacsaxis:Enabled>true</pacsaxis:Enabled><pacsaxis:Status>Enabled</pacsaxis:Status>"
        "<pacsaxis:IdData Name='Card' Value='02004fcd'/>"
        "<pacsaxis:CredentialAccessProfile><pacsaxis:AccessProfile>staff</pacsaxis:AccessProfile>"
        "</pacsaxis:CredentialAccessProfile></pacsaxis:Credential></pacsaxis:SetCredential>"
    )
    assert [element.text for element in told] == ["ben-card"]

    with device.board(PATIENCE) as board:
        for card, token, correlation in ((ANN, "ann-card", "first"), (BEN, "ben-card", "second")):
            board.call("card", **card, correlation=correlation)
            opened = device.tap.expect("relay1", True, PATIENCE)
            closed = device.tap.expect("relay1", False, PATIENCE)
            assert lasted(opened, closed, ACCESS_MS / 1000)
            (granted,) = api.events(("topic1", "AccessGranted"), ("CredentialToken", token))
            assert granted["AccessPointToken"] == "front"
        board.call("card", **{**PULSES, "card": 999})
        wait_for("the stranger to be told", lambda: api.events(("topic1", "Denied")), PATIENCE)
    assert ("relay1", True) not in [(edge.io, edge.active) for edge in device.tap.drain()]
    last = api.json("axtid:GetLastCredential", "/vapix/idpoint", Token="reader1")
    assert {"Name": "CardNr", "Value": "999"} in last["IdData"]


def test_doors_are_commanded_and_a_refusal_moves_nothing(device: Instance, api: Api) -> None:
    assert api.json("tdc:AccessDoor", "/vapix/pacs", Token="door1", AccessTime="PT0.3S") == {}
    device.tap.expect("relay1", True, PATIENCE)
    device.tap.expect("relay1", False, PATIENCE)
    api.json("tdc:LockDownDoor", "/vapix/doorcontrol", Token="door1")
    state = api.json("tdc:GetDoorState", "/vapix/doorcontrol", Token="door1")["DoorState"]
    assert (state["DoorMode"], state["Alarm"]) == ("LockedDown", "Normal")
    fault = api.fault("tdc:AccessDoor", "/vapix/doorcontrol", Token="door1")
    assert (fault["Fault"], fault["FaultCode"], fault["FaultSubCode"]) == ("env:Receiver", "ter:Action", "ter:Failure")
    api.soap("<tdc:LockDownReleaseDoor><tdc:Token>door1</tdc:Token></tdc:LockDownReleaseDoor>")
    wrong = {"token": "door1", "Name": "Front", "AccessTime": "ten"}
    fault = api.fault("axtdc:SetDoor", "/vapix/doorcontrol", Door=[{"Name": "Back"}, wrong])
    assert fault["FaultMsg"].startswith("Door[1].AccessTime:")
    assert [held["token"] for held in api.json("axtdc:GetDoorList", "/vapix/doorcontrol")["Door"]] == ["door1"]
    assert ("relay1", True) not in [(edge.io, edge.active) for edge in device.tap.drain()]


def test_a_reader_shows_what_it_is_told_to(device: Instance, api: Api) -> None:
    with device.board(PATIENCE) as board:  # what was granted before may still be shown
        wait_for("a dark reader", lambda: not board.call("state")["outputs"]["reader1led2"], PATIENCE)
    assert api.json("axtid:FeedbackMessage", "/vapix/idpoint", Token="reader1", Message="AccessDenied") == {}
    device.tap.expect("reader1buzzer", True, PATIENCE)
    with device.board(PATIENCE) as board:
        wait_for("what was granted last", lambda: not board.call("state")["outputs"]["reader1led2"], PATIENCE, 0.05)
    api.soap(
        "<axtid:FeedbackMessage><axtid:Token>reader1</axtid:Token><axtid:Message>AccessGranted</axtid:Message>"
        "</axtid:FeedbackMessage>"
    )
    device.tap.expect("reader1led2", True, PATIENCE)
    api.json("axtid:FeedbackMessage", "/vapix/idpoint", Token="reader1", Message="AccessDenied")
    device.tap.expect("reader1led2", False, PATIENCE)  # before the red one: never both
    device.tap.expect("reader1led1", True, PATIENCE)
    card = {"Type": "Card", "Params": [{"Name": "Card", "Value": "02004fcb"}]}
    api.json("axtid:IndicateRemoteActivities", "/vapix/idpoint", Token="reader1", Activities=[card])
    device.tap.expect("relay1", True, PATIENCE)  # as if it had been read there
    device.tap.expect("relay1", False, PATIENCE)


def test_a_door_and_a_reader_of_ones_own_are_wired_by_assigning_io(device: Instance, api: Api) -> None:
    api.json("axtdc:SetDoor", "/vapix/doorcontrol", Door={"token": "gate", "Name": "Gate", "AccessTime": "PT0.5S"})
    hardware = {"token": "gate", "Configuration": [{"Name": "Lock.Type", "Value": "Relay"}]}
    api.json("axtdc:SetDoorConfiguration", "/vapix/doorcontrol", DoorConfiguration=[hardware])
    api.json("axtid:SetIdPoint", "/vapix/idpoint", IdPoint=[{"token": "post", "Name": "Post"}])
    reader = {"token": "post", "Configuration": [{"Name": "IdPoint.Reader.Type", "Value": "Wiegand"}]}
    api.json("axtid:SetIdPointConfiguration", "/vapix/idpoint", IdPointConfiguration=[reader])
    point = {"token": "gate-in", "Entity": "gate", "IdPointDevice": [{"IdPoint": "post"}], "Enabled": True,
             "AuthenticationProfile": ["CardOnly"]}  # fmt: skip
    api.json("pacsaxis:SetAccessPoint", "/vapix/pacs", AccessPoint=[point])
    profile = {"token": "guests", "AccessPolicy": [{"AccessPoint": "gate-in", "Schedule": ["standard_always"]}]}
    api.json("pacsaxis:SetAccessProfile", "/vapix/pacs", AccessProfile=[profile])
    guest = {
        "token": "guest", "Enabled": True, "Status": "Enabled", "IdData": [{"Name": "Card", "Value": "02004fce"}],
        "CredentialAccessProfile": [{"AccessProfile": "guests"}],
    }  # fmt: skip
    api.json("pacsaxis:SetCredential", "/vapix/pacs", Credential=[guest])
    lock = {"Type": "doorcontrol", "token": "gate", "Usage": "Lock_Relay"}
    post = {"Type": "idpoint", "token": "post", "Usage": "Wiegand"}
    given = [
        {"IoName": "relay1", "IoMode": "relay", "IoUser": [lock]},
        {"IoName": "Wiegand0", "IoMode": "wiegand", "IoUser": [post]},
    ]
    assert api.json("axisio:SetIoAssignment", "/vapix/pin", IoAssignment=given) == {}
    held = {e["IoName"]: e["IoUser"] for e in api.json("axisio:GetIoAssignmentList", "/vapix/pin")["IoAssignment"]}
    assert [user["token"] for user in held["relay1"]] == ["gate"]
    with device.board(PATIENCE) as board:
        board.call("card", **{**PULSES, "card": 10215})
        device.tap.expect("relay1", True, PATIENCE)
        device.tap.expect("relay1", False, PATIENCE)
    asked = {"SourceToken": "post", "IdData": [{"Name": "Card", "Value": "02004fce"}]}
    assert api.json("pacsaxis:RequestAccess", "/vapix/pacs", **asked) == {"AccessGranted": True, "Reason": "Granted"}
    device.tap.expect("relay1", True, PATIENCE)
    device.tap.expect("relay1", False, PATIENCE)
    assert len(api.events(("topic1", "AccessGranted"), ("AccessPointToken", "gate-in"))) == 2
    for method, path in (("axtdc:RemoveDoor", "/vapix/doorcontrol"), ("axtid:RemoveIdPoint", "/vapix/idpoint")):
        api.json(method, path, Token=["gate" if "Door" in method else "post"])


def test_a_door_station_is_a_reader_of_the_controller(device: Instance, api: Api) -> None:
    address = urlsplit(device.running.https)
    controller = f"Axis-{api.serial} AccessController"
    api.json("axtid:SetIdPoint", "/vapix/idpoint", IdPoint=[{"token": "station", "Name": "Station"}])  # on no line
    point = {"token": "station-in", "Entity": "door1", "IdPointDevice": [{"IdPoint": "station"}], "Enabled": True,
             "AuthenticationProfile": ["CardOnly"]}  # fmt: skip
    api.json("pacsaxis:SetAccessPoint", "/vapix/pacs", AccessPoint=[point])
    (staff,) = api.json("pacsaxis:GetAccessProfile", "/vapix/pacs", Token=["staff"])["AccessProfile"]
    staff["AccessPolicy"].append({"AccessPoint": "station-in", "Schedule": ["standard_always"]})
    api.json("pacsaxis:SetAccessProfile", "/vapix/pacs", AccessProfile=[staff])
    with Instance() as station:
        station.start()
        station.create_admin()
        client = station.client()
        vapix = {
            "host": address.hostname, "port": address.port, "username": device.user, "password": device.password,
            "verify_certificate": False, "reader": "station",
        }  # fmt: skip
        client.rest("PATCH", "/config/rest/reader/v1/settings", {"protocol": "vapix", "vapix": vapix})
        for way in ("", controller):  # it only tells what was shown; it asks for access
            client.rest("PATCH", "/config/rest/reader/v1/settings", {"vapix": {"access_controller": way}})
            with station.board(PATIENCE) as board:
                board.call("card", **ANN)
            device.tap.expect("relay1", True, PATIENCE)
            device.tap.expect("relay1", False, PATIENCE)
    assert len(api.events(("topic1", "AccessGranted"), ("AccessPointToken", "station-in"))) == 2


def test_what_was_set_outlives_a_restart(device: Instance) -> None:
    device.stop()
    device.start()
    api = Api(device.client())
    (held,) = api.json("pacsaxis:GetCredential", "/vapix/pacs", Token=["ben-card"])["Credential"]
    assert (held["Description"], held["IdData"]) == ("by SOAP", [{"Name": "Card", "Value": "02004fcd"}])
    with device.board(PATIENCE) as board:
        board.call("card", **BEN)
        device.tap.expect("relay1", True, PATIENCE)
        device.tap.expect("relay1", False, PATIENCE)
    assert len(api.events(("topic1", "AccessGranted"), ("CredentialToken", "ben-card"))) == 2
    assert "Traceback" not in device.output()
