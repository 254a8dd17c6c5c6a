"""The speaker test over REST and ``/vapix/axast``: the documented answers and faults, and what a refusal leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stubs import Device, FakeRequest

from axcore.interfaces.http.rest import speaker_test as rest
from axcore.interfaces.http.vapix import axast
from axcore.services.params import speaker_test
from axcore.services.speaker_test import SpeakerTestService
from tests.unit.services.test_speaker_test import GOOD, SILENT, FakeRecorder


class TestedDevice(Device):
    """The stub device with a speaker test."""

    __test__ = False

    def __init__(self) -> None:
        super().__init__()
        self.speaker_test = SpeakerTestService(self.ledger.post, "door")
        self.recorder = FakeRecorder()
        self.speaker_test.attach(self.recorder)
        self.ledger.load(self.speaker_test.load)


@pytest.fixture
def device() -> TestedDevice:
    return TestedDevice()


async def ask(device: TestedDevice, body: Any) -> tuple[int, Any]:
    made: Any = FakeRequest(body=body if isinstance(body, bytes) else json.dumps(body).encode())
    response: Any = await axast.post(made, device)  # type: ignore[arg-type]
    return response.status, json.loads(response.body)


async def simple(device: TestedDevice, action: str) -> tuple[int, str]:
    response: Any = await axast.get(FakeRequest(f"format=simple&action={action}"), device)  # type: ignore[arg-type]
    return response.status, response.text


async def test_json_as_documented(device: TestedDevice) -> None:
    report = {"SpeakerTestStatus": "Uncalibrated", "TestTimestamp": "", "CalibrationTimestamp": ""}
    get = {"axast:GetSpeakerTestReport": {}}
    assert await ask(device, get) == (200, {"SpeakerTestReport": report})
    status, fault = await ask(device, {"axast:PerformSpeakerTest": {}})
    assert (status, fault["Fault"], fault["FaultCode"]) == (400, "env:Receiver", "ter:Action")
    assert fault["FaultSubCode"] == "axast:DeviceNotCalibrated"
    assert fault["FaultMsg"] is None
    assert await ask(device, {"axast:CalibrateSpeakerTest": {}}) == (200, {})
    assert await ask(device, get) == (200, {"SpeakerTestReport": {**report, "SpeakerTestStatus": "Pending"}})
    status, fault = await ask(device, {"axast:CalibrateSpeakerTest": {}})
    assert (status, fault["FaultSubCode"]) == (400, "ter:Failure")
    device.recorder.asked.pop()(GOOD, "")
    _, told = await ask(device, get)
    assert told["SpeakerTestReport"]["SpeakerTestStatus"] == "Calibrated"
    assert told["SpeakerTestReport"]["CalibrationTimestamp"].endswith("Z")
    assert await ask(device, {"axast:PerformSpeakerTest": {}}) == (200, {})
    device.recorder.asked.pop()(SILENT, "")
    assert (await ask(device, get))[1]["SpeakerTestReport"]["SpeakerTestStatus"] == "Failed"


async def test_simple_requests_as_documented(device: TestedDevice) -> None:
    status, text = await simple(device, "axast:GetSpeakerTestReport")
    assert (status, text.splitlines()) == (
        200,
        [
            "SpeakerTestReport_SpeakerTestStatus=Uncalibrated",
            "SpeakerTestReport_TestTimestamp=",
            "SpeakerTestReport_CalibrationTimestamp=",
        ],
    )
    status, text = await simple(device, "axast:PerformSpeakerTest")
    assert status == 400
    assert 'FaultSubCode="axast:DeviceNotCalibrated"\n' in text
    assert text.endswith("FaultMsg=null\n")
    made: Any = FakeRequest(body=b"format=simple&action=axast:CalibrateSpeakerTest", content_type=axast.FORM)
    response: Any = await axast.post(made, device)  # type: ignore[arg-type]
    assert (response.status, response.text) == (200, "")
    assert len(device.recorder.asked) == 1


async def test_rest(device: TestedDevice) -> None:
    def request(body: bytes = b"") -> Any:
        return FakeRequest(body=body)

    context: Any = device
    answer: Any = await rest.ROUTES[2].handler(request(), context)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (409, "conflict")
    answer = await rest.ROUTES[1].handler(request(b"{}"), context)
    assert answer.status == 400
    assert device.recorder.asked == []
    answer = await rest.ROUTES[1].handler(request(), context)
    assert (answer.status, json.loads(answer.body)["data"]["status"]) == (202, "Pending")
    device.recorder.asked.pop()(GOOD, "")
    answer = await rest.ROUTES[2].handler(request(), context)
    assert answer.status == 202
    device.recorder.asked.pop()(SILENT, "")
    answer = await rest.ROUTES[0].handler(request(), context)
    report = json.loads(answer.body)["data"]
    assert (report["status"], report["reason"]) == ("Failed", "no_sound")
    assert report["differences_db"] == [-63.0] * 7


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b'{"axast:PerformSpeakerTest": {"x": 1}}', b'{"axast:Perform": {}}', b"\xff",
        b'{"PerformSpeakerTest": {}}', b'{"axast:PerformSpeakerTest": {}, "axast:GetSpeakerTestReport": {}}',
    ],
)  # fmt: skip
async def test_refusals(device: TestedDevice, body: bytes) -> None:
    status, fault = await ask(device, body)
    assert (status, fault["Fault"]) == (400, "env:Sender")
    assert device.recorder.asked == []


@settings(max_examples=200)
@given(st.binary(max_size=80), st.text(max_size=40))
def test_whatever_comes_is_answered(body: bytes, query: str) -> None:
    import asyncio

    device = TestedDevice()

    async def run() -> None:
        for kind in ("application/json", axast.FORM):
            made: Any = FakeRequest(query, body=body, content_type=kind)
            assert (await axast.post(made, device)).status in (200, 400)  # type: ignore[arg-type]
        assert (await axast.get(FakeRequest(query), device)).status in (200, 400)  # type: ignore[arg-type]

    asyncio.run(run())


def test_the_parameters_tell_of_it() -> None:
    names = [parameter.name for parameter in speaker_test(True)()]
    assert names == ["Properties.API.SpeakerTest.AutomaticTest", "Properties.API.SpeakerTest.Version"]
    assert list(speaker_test(False)()) == []
