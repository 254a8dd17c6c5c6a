"""REST and maintenance of a real device, seen from outside: over HTTPS, on the pins, after kills and after resets."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from axcore.interfaces.cli.board import Board
from axcore.interfaces.cli.client import Client, EventLog, HttpError, pinned
from axcore.interfaces.cli.instance import Instance
from axcore.model.events import ENTRY_DENIED, ENTRY_GRANTED, IO_VIRTUAL_INPUT

HOLDERS = "/config/rest/entry-list/v1/holders"
SETTINGS = "/config/rest/entry-list/v1/settings"
LATEST = "/config/rest/entry-list/v1/latest"
RULES = "/config/rest/rules/v1/rules"
EVENTS = "/config/rest/event-log/v1/events"
PORTS = "/config/rest/io/v1/ports"
BOARD = "/config/rest/board/v1"
CARD = {"format": "H10301", "facility": 1, "card": 10213}
RULE = {
    "name": "Open door",
    "conditions": [{"topic": ENTRY_GRANTED}],
    "action": {"type": "toggle_io_once", "port": "Door", "state": True, "duration": 0.2},
}
TIMEOUT = 120.0


class Device(Instance):
    """A device that closes its clients when it ends."""

    def __init__(self) -> None:
        super().__init__()
        self._clients = ExitStack()

    def client(self, timeout: float = 10.0) -> Client:
        return self._clients.enter_context(closing(super().client(timeout)))

    def user_client(self, user: str = "", password: str = "") -> Client:
        return self._clients.enter_context(closing(Client.of(self.running, user, password)))

    def board(self, timeout: float = 10.0) -> Board:
        return self._clients.enter_context(super().board(timeout))

    def close(self) -> None:
        self._clients.close()
        super().close()


@pytest.fixture
def fresh() -> Iterator[Device]:
    """A device of its own for tests that hurt it."""
    with Device() as device:
        device.start()
        device.create_admin()
        yield device


@pytest.fixture(scope="module")
def instance() -> Iterator[Device]:
    with Device() as device:
        device.start()
        device.create_admin()
        yield device


@pytest.fixture
def client(instance: Device) -> Client:
    return instance.client()


def refused(client: Client, method: str, path: str, data: Any = None) -> tuple[int, Any]:
    """Status and error of a call that must be refused."""
    with pytest.raises(HttpError) as caught:
        client.rest(method, path, data)
    return caught.value.status, json.loads(caught.value.body)["error"]


def test_the_main_job(instance: Device, client: Client) -> None:
    client.rest("PATCH", SETTINGS, {"use_entry_list": True})
    log = EventLog(client)
    log.read()
    client.rest("POST", f"{BOARD}/card", {**CARD, "correlation": "enrol"})
    log.wait(ENTRY_DENIED, "enrol", TIMEOUT)
    latest = client.rest("GET", LATEST)
    assert latest["card"] == {"bits": 26, "value": "02024fcb"} or latest["card"]["bits"] == 26
    holder = {"first_name": "Ada", "card": latest["card"], "validity": {"type": "number_of_times", "count": 2}}
    ada = client.rest("POST", HOLDERS, holder)
    rule = client.rest("POST", RULES, RULE)
    for number in range(2):
        client.rest("POST", f"{BOARD}/card", {**CARD, "correlation": f"swipe-{number}"})
        instance.tap.expect("relay1", True, TIMEOUT)
        instance.tap.expect("relay1", False, TIMEOUT)
        assert log.wait(ENTRY_GRANTED, f"swipe-{number}", TIMEOUT)["data"]["remaining"] == str(1 - number)
    client.rest("POST", f"{BOARD}/card", {**CARD, "correlation": "swipe-3"})
    log.wait(ENTRY_DENIED, "swipe-3", TIMEOUT)
    assert instance.tap.drain() == []
    assert client.rest("GET", f"{HOLDERS}/{ada['id']}")["remaining"] == 0
    ids = [event["id"] for event in log.all()]
    assert ids == sorted(set(ids))
    client.rest("DELETE", f"{RULES}/{rule['id']}")
    client.rest("DELETE", f"{HOLDERS}/{ada['id']}")
    assert refused(client, "GET", f"{HOLDERS}/{ada['id']}")[0] == 404


def test_long_poll_ends_with_the_event(instance: Device, client: Client) -> None:
    log = EventLog(client)
    log.read()
    board = instance.board()
    board.call("input", port=1, active=True, correlation="poll")
    found = client.rest("GET", f"{EVENTS}?after={log.last}&correlation=poll&wait=30")
    assert [event["data"] for event in found] == [{"state": "1"}]
    board.call("input", port=1, active=False)


def test_virtual_input_triggers_a_rule(instance: Device, client: Client) -> None:
    condition = {"topic": IO_VIRTUAL_INPUT, "source": {"port": "7"}, "data": {"active": "1"}}
    action = {"type": "toggle_io_while_active", "port": "Relay 2", "state": True}
    rule = client.rest("POST", RULES, {"name": "Strobe", "conditions": [condition], "action": action})
    query = {"schemaversion": "1", "port": "7"}
    assert "<StateChanged>true<" in client.text("GET", "/axis-cgi/virtualinput/activate.cgi", query)
    instance.tap.expect("relay2", True, TIMEOUT)
    assert "<StateChanged>true<" in client.text("GET", "/axis-cgi/virtualinput/deactivate.cgi", query)
    instance.tap.expect("relay2", False, TIMEOUT)
    client.rest("DELETE", f"{RULES}/{rule['id']}")


def test_a_sequence_ends_by_itself_or_by_configuration(instance: Device, client: Client) -> None:
    def sequence(*steps: tuple[str, int]) -> dict[str, Any]:
        params = {"port": "5", "sequence": [{"state": state, "time": time} for state, time in steps]}
        return client.ajr("io/portmanagement", "setStateSequence", params)

    assert sequence(("closed", 60_000), ("open", 0)) == {"port": "5"}
    instance.tap.expect("relay2", True, TIMEOUT)
    with pytest.raises(HttpError, match="2200"):
        sequence(("closed", 1), ("open", 0))
    client.ajr("io/portmanagement", "setPorts", {"ports": [{"port": "5", "normalState": "closed"}]})
    client.ajr("io/portmanagement", "setPorts", {"ports": [{"port": "5", "normalState": "open"}]})
    instance.tap.drain()
    for _ in range(2):
        sequence(("closed", 20), ("open", 20), ("closed", 20), ("open", 0))
        for active in (True, False, True, False):
            instance.tap.expect("relay2", active, TIMEOUT)
        assert len(EventLog(client).read())


def test_port_cgi_pulses_the_door(instance: Device, client: Client) -> None:
    path = "/axis-cgi/io/port.cgi?action=" + quote("5:/300\\500/300\\", safe="")
    assert client.text("GET", path) == ""
    edges = [instance.tap.expect("relay1", active, TIMEOUT) for active in (True, False, True, False)]
    waits = [(after.t_ns - before.t_ns) / 1e6 for before, after in pairwise(edges)]
    assert [round(wait / 100) * 100 for wait in waits] == [300, 500, 300]
    with pytest.raises(HttpError) as caught:
        client.text("GET", "/axis-cgi/io/port.cgi?action=1%3A%2F")
    assert (caught.value.status, caught.value.body) == (400, "Error: action: port 1 is an input\r\n")


def test_monitor(instance: Device) -> None:
    url = urlsplit(instance.running.https)
    context: ssl.SSLContext = pinned(instance.running.certificate)
    connection = http.client.HTTPSConnection(url.hostname or "", url.port, timeout=TIMEOUT, context=context)
    client = instance.client()
    connection.request("GET", "/axis-cgi/io/port.cgi?monitor=2", headers=client._headers)
    response = connection.getresponse()
    assert response.getheader("Content-Type") == "multipart/x-mixed-replace; boundary=ioboundary"
    assert response.getheader("Server") == "axcore"

    def part() -> str:
        lines = [response.readline().decode() for _ in range(4)]
        assert (lines[0], lines[1], lines[3]) == ("Content-Type: text/plain\r\n", "\r\n", "--ioboundary\r\n")
        return lines[2].strip()

    assert response.readline() == b"--ioboundary\r\n"
    assert part() == "2I:L"
    board = instance.board()
    board.call("input", port=2, active=True)
    assert part() == "2I:/"
    board.call("input", port=2, active=False)
    assert part() == "2I:\\"
    response.close()
    connection.close()
    assert len(client.rest("GET", PORTS)) == 6


def test_roles(instance: Device, client: Client) -> None:
    fields = {"action": "add", "user": "watcher", "pwd": "watching 1", "grp": "users", "sgrp": "viewer"}
    client.text("POST", "/axis-cgi/pwdgrp.cgi", fields)
    viewer, nobody = instance.user_client("watcher", "watching 1"), instance.user_client()
    assert len(viewer.rest("GET", PORTS)) == 6
    for path in (HOLDERS, RULES, EVENTS, SETTINGS, LATEST, f"{BOARD}/state"):
        assert refused(viewer, "GET", path)[0] == 403
        assert refused(nobody, "GET", path)[0] == 401
    assert refused(viewer, "PATCH", f"{PORTS}/4", {"active": True})[0] == 403
    assert refused(viewer, "POST", f"{BOARD}/rex", {})[0] == 403
    for cgi in ("restart", "factorydefault", "hardfactorydefault"):
        for method in ("GET", "POST"):
            assert viewer.request(method, f"/axis-cgi/{cgi}.cgi")[0] == 403
            assert nobody.request(method, f"/axis-cgi/{cgi}.cgi")[0] == 401
    assert instance.tap.drain() == []


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (("POST", RULES, b'{"data":"' + b"x" * 70_000 + b'"}', "application/json"), 413),
        (("POST", RULES, b'{"data":{}}', "text/plain"), 415),
        (("POST", RULES, b'{"data":{}', "application/json"), 400),
        (("POST", RULES, b'{"data":{}}', "application/json"), 400),
        (("PUT", RULES, b'{"data":{}}', "application/json"), 405),
        (("POST", f"{BOARD}/fly", b'{"data":{}}', "application/json"), 404),
        (("GET", "/config/rest/nothing/v1", None, ""), 404),
    ],
)
def test_refusals_have_the_envelope(client: Client, call: tuple[str, str, bytes | None, str], status: int) -> None:
    answered, reply = client.request(*call)
    assert answered == status
    error = json.loads(reply)["error"]
    assert isinstance(error["code"], str)
    assert error["message"]


NASTY = [
    b"", b"{", b"[]", b"null", b'{"data":null}', b'{"data":[]}', b'{"data":{"\\u0000":1}}', b"\xff\xfe", b"[" * 3000,
    b'{"data":{"name":1,"first_name":1,"pin_length":"x","active":2}}', b'{"apiVersion":"1.0","method":7}',
    b'{"apiVersion":"1.0","method":"setPorts","params":[[]]}', b"action=update&%zz=1",
    b"action=list&group=" + b"A" * 5000,
]  # fmt: skip
QUERIES = [
    "", "?", "?%", "?a=%ff",
    "?port=1&port=2", "?schemaversion=1&port=-1", "?action=update&x", "?check=1,,2", "?after=a",
]  # fmt: skip


def test_nothing_makes_a_route_fail_or_changes_anything(instance: Device, client: Client) -> None:
    """Every route of the device, with bodies and queries that no client should send."""
    _, reply = client.request("GET", "/openapi.json")
    routes = [(method.upper(), path) for path, item in json.loads(reply)["paths"].items() for method in item]
    routes = [route for route in routes if "restart" not in route[1] and "factorydefault" not in route[1]]
    routes.remove(("GET", "/axis-cgi/audio/receive.cgi"))  # has no end: test_audio_cgi.py
    assert len(routes) > 30
    state = [client.rest("GET", path) for path in (HOLDERS, RULES, PORTS, SETTINGS)]
    for method, path in routes:
        target = path.replace("{id}", "..%2f").replace("{op}", "fly").replace("{api}", "x").replace("{version}", "v9")
        for query in QUERIES:
            status, _ = client.request(method, target + query)
            assert status < 500, (method, path, query)
        for body in NASTY if method in ("POST", "PATCH") else []:
            for kind in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
                status, _ = client.request(method, target, body, kind)
                assert status < 500, (method, path, body, kind)
    assert [client.rest("GET", path) for path in (HOLDERS, RULES, PORTS, SETTINGS)] == state
    assert instance.tap.drain() == []


def test_discovery_and_openapi(client: Client) -> None:
    _, reply = client.request("GET", "/config/discover/apis")
    apis = json.loads(reply)
    assert set(apis) == {
        "audio", "board", "calls", "certificates", "contact-list", "entry-list", "event-log", "io", "reader",
        "recipients", "rules", "schedules", "sip", "speaker-test",
    }  # fmt: skip
    _, reply = client.request("GET", "/openapi.json")
    paths = json.loads(reply)["paths"]
    assert {HOLDERS, RULES, EVENTS, "/axis-cgi/io/port.cgi"} <= set(paths)
    for api in apis.values():
        assert client.request("GET", api["v1"]["openapi"])[0] == 200


def test_answered_writes_survive_a_kill(fresh: Device) -> None:
    client = fresh.client()
    client.rest("PATCH", f"{PORTS}/0", {"name": "Gate"})
    client.rest("POST", HOLDERS, {"first_name": "Ada", "pin": "4711"})
    rule = client.rest("POST", RULES, RULE)
    fresh.kill()
    last = max(event["id"] for event in _offline(fresh))
    client = fresh.client()
    assert client.rest("GET", RULES) == [rule]
    assert client.rest("GET", HOLDERS)[0]["pin_set"] is True
    assert client.rest("GET", f"{PORTS}/0")["name"] == "Gate"
    assert fresh.tap.drain() == []
    assert client.rest("GET", f"{EVENTS}?after={last}&wait=5")


def _offline(instance: Device) -> list[dict[str, Any]]:
    """The log right after the restart that follows a kill."""
    instance.start()
    log = EventLog(instance.client())
    return log.all()[:-1]


def test_restart_cgi(fresh: Device) -> None:
    client = fresh.client()
    assert client.text("GET", "/axis-cgi/restart.cgi")
    fresh.wait_state("STOPPING=1", 90)
    fresh.wait_state("READY=1", 90)
    client = fresh.client()
    assert client.ajr("systemready", "systemready", {"timeout": 5})["systemready"] == "yes"
    assert fresh.tap.drain() == []


@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_factory_default(fresh: Device, mode: str) -> None:
    client = fresh.client()
    canaries = ["Zanzibar", "80877", "Quetzalcoatl"]
    client.rest("POST", HOLDERS, {"first_name": canaries[0], "pin": canaries[1], "qr": canaries[2]})
    certificate = Path(fresh.running.certificate).read_bytes()
    parameter = "Network.HTTP.AuthenticationPolicy"
    assert client.text("POST", "/axis-cgi/param.cgi", {"action": "update", parameter: "Digest"}).strip() == "OK"
    cgi = "factorydefault" if mode == "soft" else "hardfactorydefault"
    digest = _digest_get(fresh, f"/axis-cgi/{cgi}.cgi")
    assert digest == 200
    fresh.wait_state("STOPPING=1", 90)
    fresh.wait_state("READY=1", 90)
    ready = fresh.user_client().ajr("systemready", "systemready", {"timeout": 5})
    assert ready["needsetup"] == "yes"
    for path in fresh.data_dir.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found = [text for text in (*canaries, fresh.user) if text.encode() in content]
            assert not found, f"{found} in {path.name}"
    if mode == "hard":
        assert Path(fresh.running.certificate).read_bytes() != certificate
    fresh.create_admin()
    if mode == "hard":
        assert fresh.client().rest("GET", HOLDERS) == []
    else:
        assert _digest_get(fresh, HOLDERS) == 200
        with pytest.raises(HttpError):
            fresh.client().rest("GET", HOLDERS)


def _digest_get(instance: Device, path: str) -> int:
    """A GET with digest login, which every policy but Basic allows."""
    import httpx

    auth = httpx.DigestAuth(instance.user, instance.password)
    return httpx.get(instance.running.http + path, auth=auth, timeout=TIMEOUT).status_code
