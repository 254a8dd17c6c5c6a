"""The speaker test on a started door station: calibrated with its button, a loudspeaker that breaks, a restart."""

from __future__ import annotations

import json

import pytest

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.client import HttpError
from axcore.interfaces.cli.instance import Instance, wait_for
from tests.e2e.patience import PATIENCE

API = "/config/rest/speaker-test/v1"
RESULT = "tns1:Device/tnsaxis:SpeakerTest/TestResult"


def test_a_loudspeaker_that_breaks_is_reported() -> None:
    with Instance(model="a8207-ve-mk2") as device:
        device.start()
        device.create_admin()
        client, board = device.client(), device.board()

        def finished() -> str:
            wait_for("a result", lambda: client.rest("GET", API)["status"] != "Pending", PATIENCE)
            return str(client.rest("GET", API)["status"])

        with pytest.raises(HttpError) as refused:
            client.rest("POST", f"{API}/run")
        assert refused.value.status == 409
        assert client.rest("GET", API)["status"] == "Uncalibrated"
        board.call("input", port="control", active=True)
        wait_for("the button", lambda: board.call("state")["inputs"]["control"], PATIENCE)
        board.call("input", port="control", active=False)
        wait_for("a beginning", lambda: client.rest("GET", API)["status"] != "Uncalibrated", PATIENCE)
        assert finished() == "Calibrated"
        board.call("fault", part="speaker", broken=True)
        assert board.call("state")["faults"] == ["speaker"]
        log = net.EventLog(client)
        client.rest("POST", f"{API}/run")
        assert finished() == "Failed"
        told: list[dict[str, str]] = []

        def is_told() -> bool:
            """The result is seen before it is on record."""
            told.extend(event["data"] for event in log.all() if event["topic"] == RESULT)
            return bool(told)

        wait_for("the event", is_told, PATIENCE)
        assert told == [{"SpeakerTestStatus": "Failed", "Reason": "no_sound"}]
        report = client.rest("GET", API)
        assert report["reason"] == "no_sound"
        device.kill()
        device.start()
        client = device.client()
        assert client.rest("GET", API) == report
        status, body = client.request("POST", "/vapix/axast", b'{"axast:GetSpeakerTestReport": {}}', "application/json")
        assert status == 200
        assert json.loads(body)["SpeakerTestReport"]["SpeakerTestStatus"] == "Failed"
