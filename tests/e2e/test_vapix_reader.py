"""A started door station as the VAPIX reader of a door controller on the network, and one that is not there."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from recipient_peers import Peers

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.model.events import ENTRY_GRANTED, LED_STATE
from axcore.testing.mosquitto import Authority
from conftest import CARD, let_in
from tests.e2e.patience import PATIENCE

API = "/config/rest/reader/v1"
TOKEN = "Axis-00408c184bdb:1351591416.427811000"
OTHER_CARD = {**CARD, "card": 99}


class Controller:
    """Answers as a door controller does: digest login, id points, RequestAccess, IndicateRemoteActivities."""

    def __init__(self, peers: Peers, context: ssl.SSLContext | None = None, answer: Any = None) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.granted = True
        self.answer = answer
        self.port = peers.web(self._handle, context)

    async def _handle(self, request: web.Request) -> web.Response:
        login = request.headers.get("Authorization", "")
        if not login.startswith("Digest ") or 'username="reader"' not in login:
            challenge = 'Digest realm="AXIS_B8A44F000001", nonce="n", qop="auth", algorithm=MD5'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        document = json.loads(await request.text())
        self.asked.append((request.path, document))
        if self.answer is not None:
            return web.Response(text=self.answer)
        if "axtid:GetIdPointInfoList" in document:
            return web.json_response({"IdPointInfo": [{"token": TOKEN, "Name": "Reader entrance"}]})
        if "pacsaxis:RequestAccess" in document:
            return web.json_response({"AccessGranted": self.granted, "Reason": "Granted" if self.granted else "Denied"})
        return web.json_response({})

    def wait(self, method: str) -> dict[str, Any]:
        """What was asked by a method, the first time."""

        def look() -> Any:
            return next((each[method] for _, each in self.asked if method in each), None)

        found: dict[str, Any] = wait_for(method, look, PATIENCE)
        return found


@pytest.fixture
def peers() -> Iterator[Peers]:
    peers = Peers()
    yield peers
    peers.close()


def set_up(device: Instance, port: int, **vapix: Any) -> net.Client:
    client = device.client()
    fields = {"scheme": "http", "host": "127.0.0.1", "port": port, "username": "reader", "password": "s3cret"}
    client.rest("PATCH", f"{API}/settings", {"protocol": "vapix", "vapix": {**fields, **vapix}})
    return client


def state(client: net.Client) -> Any:
    return client.rest("GET", f"{API}/state")


def stripe(log: net.EventLog) -> list[str]:
    seen = [event for event in log.all() if event["topic"] == LED_STATE and event["source"] == {"led": "stripe"}]
    return [event["data"]["color"] for event in seen]


def test_cards_pins_and_rex_are_told_to_the_id_point(started: Instance, peers: Peers) -> None:
    controller = Controller(peers)
    client = set_up(started, controller.port, reader=TOKEN)
    wait_for("the controller", lambda: state(client)["connection"] == "connected", PATIENCE)
    found = client.rest("POST", f"{API}/connect")
    assert (found["connected"], found["readers"]) == (True, [{"token": TOKEN, "name": "Reader entrance"}])
    with started.board() as board:
        bits = board.call("card", **CARD)["hex"]
        told = controller.wait("axtid:IndicateRemoteActivities")
        parameters = [{"Name": "Card", "Value": bits}, {"Name": "BitCount", "Value": "26"}]
        assert (told["Token"], told["Activities"]) == (TOKEN, [{"Type": "Card", "Params": parameters}])
        controller.asked.clear()
        board.call("keys", keys="1234#")
        told = controller.wait("axtid:IndicateRemoteActivities")
        assert told["Activities"] == [{"Type": "PIN", "Params": [{"Name": "PIN", "Value": "1234"}]}]
        controller.asked.clear()
        board.call("rex", active=True)
        assert controller.wait("axtid:IndicateRemoteActivities")["Activities"] == [{"Type": "REX", "Params": []}]
    assert {path for path, _ in controller.asked} == {"/vapix/idpoint"}
    view = client.rest("GET", f"{API}/settings")
    assert view["vapix"]["password_set"]
    assert "s3cret" not in json.dumps(view)


def test_access_is_requested_and_the_answer_is_shown(started: Instance, peers: Peers) -> None:
    controller = Controller(peers)
    client = set_up(started, controller.port, reader=TOKEN, access_controller="Axis-1 AccessController")
    log = net.EventLog(client)
    with started.board() as board:
        board.call("card", **CARD)
        asked = controller.wait("pacsaxis:RequestAccess")
        assert (asked["Token"], asked["SourceToken"]) == ("Axis-1 AccessController", TOKEN)
        wait_for("a green stripe", lambda: "green" in stripe(log), PATIENCE)
        controller.granted = False
        board.call("card", **CARD)
        wait_for("a red stripe", lambda: "red" in stripe(log), PATIENCE)


def test_the_certificate_of_the_controller_is_checked(started: Instance, peers: Peers, tmp_path: Path) -> None:
    authority = Authority()
    (tmp_path / "cert").write_text(authority.server)
    (tmp_path / "key").write_text(authority.server_key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    controller = Controller(peers, context)
    client = set_up(started, controller.port, scheme="https")
    refused = client.rest("POST", f"{API}/connect")
    assert not refused["connected"]
    assert "certificate" in refused["reason"]
    client.rest("PATCH", f"{API}/settings", {"vapix": {"ca_certificate": "building"}})
    assert "no installed certificate" in client.rest("POST", f"{API}/connect")["reason"]
    ca = {"alias": "building", "certificate": authority.certificate}
    client.rest("POST", "/config/rest/certificates/v1/certificates", ca)
    assert client.rest("POST", f"{API}/connect")["connected"]
    client.rest("PATCH", f"{API}/settings", {"vapix": {"host": "localhost.localdomain", "ca_certificate": ""}})
    assert not client.rest("POST", f"{API}/connect")["connected"]
    client.rest("PATCH", f"{API}/settings", {"vapix": {"host": "127.0.0.1", "verify_certificate": False}})
    assert client.rest("POST", f"{API}/connect")["connected"]


def test_an_answer_that_makes_no_sense_lets_nobody_in(started: Instance, peers: Peers) -> None:
    controller = Controller(peers, answer="x" * 2_000_000)
    client = set_up(started, controller.port, access_controller="Axis-1 AccessController")
    log = net.EventLog(client)
    with started.board() as board:
        board.call("card", **CARD)
        wait_for("a red stripe", lambda: "red" in stripe(log), PATIENCE)
    assert "green" not in stripe(log)
    assert state(client)["connection"] == "connecting"


def test_a_dead_controller_delays_neither_the_entry_list_nor_rex(started: Instance) -> None:
    """The controller takes the connection and never answers; cards that it should know pile up before it."""
    log = let_in(started, 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = set_up(started, silent.getsockname()[1])
        client.rest("PATCH", net.ENTRY_SETTINGS, {"use_connected_controller": True})
        with started.board() as board:
            for _ in range(10):
                board.call("card", **OTHER_CARD)
            started.tap.drain()
            shown = board.call("card", **CARD)["t_ns"]
            took = (started.tap.expect("relay1", True, PATIENCE).t_ns - shown) / 1e9
            started.tap.expect("relay1", False, PATIENCE)
            board.call("rex", duration=0.1)
            started.tap.expect("relay1", True, PATIENCE)
        assert took < 4.0  # wall clock: less than one of the controller's time limits
        assert len([event for event in log.all() if event["topic"] == ENTRY_GRANTED]) == 1
        assert state(client)["connection"] == "connecting"


def test_a_card_at_the_station_opens_the_door_of_a_real_controller(started: Instance) -> None:
    """Over HTTPS, with its certificate installed in the station: told to its reader, then asked for access."""
    with Instance(model="a1610") as controller:
        address = controller.start()
        controller.create_admin()
        api = controller.client()
        pacs = {
            "pacsaxis:SetAccessProfile": {"AccessProfile": [{
                "token": "staff", "Schedule": ["standard_always"], "Enabled": True,
                "AccessPolicy": [{"AccessPoint": "reader1access", "Schedule": ["standard_always"]}],
            }]},
            "pacsaxis:SetCredential": {"Credential": [{
                "token": "ann", "UserToken": "ann", "Enabled": True, "Status": "Enabled",
                "IdData": [{"Name": "Card", "Value": "000e24cf"}],
                "CredentialAccessProfile": [{"AccessProfile": "staff"}],
            }]},
        }  # fmt: skip
        for method, arguments in pacs.items():
            body = json.dumps({method: arguments}).encode()
            assert api.request("POST", "/vapix/pacs", body, "application/json")[0] == 200
        port = int(address.https.rpartition(":")[2])
        client = started.client()
        certificate = ssl.get_server_certificate(("127.0.0.1", port))
        ca = {"alias": "controller", "certificate": certificate}
        client.rest("POST", "/config/rest/certificates/v1/certificates", ca)
        login = {"username": controller.user, "password": controller.password, "ca_certificate": "controller"}
        set_up(started, port, scheme="https", **login)
        found = client.rest("POST", f"{API}/connect")
        assert found["connected"], found["reason"]
        assert "reader1" in [reader["token"] for reader in found["readers"]]
        client.rest("PATCH", f"{API}/settings", {"vapix": {"reader": "reader1"}})
        (asked,) = [entry["token"] for entry in found["access_controllers"]]
        for access_controller in ("", asked):
            client.rest("PATCH", f"{API}/settings", {"vapix": {"access_controller": access_controller}})
            with started.board() as board:
                assert board.call("card", **CARD)["hex"] == "000e24cf"
            controller.tap.expect("relay1", True, PATIENCE)
            controller.tap.expect("relay1", False, PATIENCE)
        assert "green" in stripe(net.EventLog(client))
