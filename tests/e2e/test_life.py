"""Restart, factory default, and a network face that is killed: what is kept, what is gone, what goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from axcore.interfaces.cli.client import Client
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.interfaces.cli.output import CliError
from axcore.model.events import ENTRY_GRANTED
from tests.e2e.conftest import CARD, let_in
from tests.e2e.patience import PATIENCE

READY = ("POST", "/axis-cgi/systemready.cgi")
PARAM = "/axis-cgi/param.cgi"


def ready(device: Instance) -> dict[str, Any]:
    """What systemready says, without a login."""
    client = Client.of(device.running)
    try:
        body = b'{"apiVersion":"1.0","method":"systemready","params":{"timeout":20}}'
        status, reply = client.request(*READY, body, "application/json")
    finally:
        client.close()
    assert status == 200
    data: dict[str, Any] = json.loads(reply)["data"]
    return data


def serial(device: Instance) -> str:
    client = device.client()
    try:
        fields = {"action": "list", "group": "Properties.System.SerialNumber"}
        return client.text("POST", PARAM, fields).strip()
    finally:
        client.close()


def ask(device: Instance, path: str) -> None:
    """A maintenance request, then wait for the new start."""
    device.states.clear()
    client = device.client()
    try:
        client.text("POST", path)
    finally:
        client.close()
    device.wait_state("READY=1", PATIENCE)


def test_restart_keeps_everything(started: Instance) -> None:
    let_in(started, 0.1)
    before, number, pid = ready(started), serial(started), started.pid
    ask(started, "/axis-cgi/restart.cgi")
    after = ready(started)
    assert started.pid == pid
    assert after["bootid"] != before["bootid"]
    assert after["needsetup"] == "no"
    assert serial(started) == number
    with started.board() as board:
        board.call("card", **CARD, correlation="again")
    started.tap.expect("relay1", True, PATIENCE)
    assert "STOPPING=1" in started.states


@pytest.mark.parametrize(
    ("path", "policy"), [("factorydefault", "Basic_Digest"), ("hardfactorydefault", "Recommended")]
)
def test_factory_default(started: Instance, path: str, policy: str) -> None:
    let_in(started, 0.1)
    number = serial(started)
    key = (started.data_dir / "https.pem").read_bytes()
    client = started.client()
    fields = {"action": "update", "Network.HTTP.AuthenticationPolicy": "Basic_Digest"}
    assert client.text("POST", PARAM, fields).strip() == "OK"
    client.close()
    ask(started, f"/axis-cgi/{path}.cgi")
    assert ready(started)["needsetup"] == "yes"
    assert (started.data_dir / "https.pem").read_bytes() != key
    started.create_admin()
    assert serial(started) == number
    client = started.client()
    assert client.rest("GET", "/config/rest/entry-list/v1/holders") == []
    assert client.rest("GET", "/config/rest/rules/v1/rules") == []
    kept = client.text("POST", PARAM, {"action": "list", "group": "Network.HTTP.AuthenticationPolicy"}).strip()
    client.close()
    assert kept == f"root.Network.HTTP.AuthenticationPolicy={policy}"


def test_the_door_works_while_http_is_down_and_http_comes_back(started: Instance) -> None:
    log = let_in(started, 0.05)
    with started.board() as board:
        for number in range(2):
            board.call("drop", service="http")
            board.call("card", **CARD, correlation=f"drop-{number}")
            started.tap.expect("relay1", True, PATIENCE)
            started.tap.expect("relay1", False, PATIENCE)
        with pytest.raises(CliError, match="no service"):
            board.call("drop", service="sip")
    wait_for("HTTP", lambda: ready_or_none(started), PATIENCE)
    assert log.wait(ENTRY_GRANTED, "drop-1", PATIENCE)
    assert started.running.https  # on the same port


def ready_or_none(device: Instance) -> dict[str, Any] | None:
    try:
        return ready(device)
    except (OSError, CliError):
        return None
