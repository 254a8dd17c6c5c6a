"""io/portmanagement.cgi: both forms of setPorts, partial faults, sequences; a refused request changes nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stubs import Device, FakeRequest

from axcore.interfaces.http.vapix.portmanagement import API
from axcore.model.accounts import Role


@pytest.fixture
def device() -> Device:
    return Device()


async def call(device: Device, method: str, params: Any = None, role: Role = Role.ADMIN, **more: Any) -> dict[str, Any]:
    body = {"apiVersion": "1.0", "context": "Axis library", "method": method, **more}
    if params is not None:
        body["params"] = params
    request = FakeRequest(body=msgspec.json.encode(body), role=role)
    response = await API.serve(request, device)  # type: ignore[arg-type]
    reply: dict[str, Any] = msgspec.json.decode(response.body)  # type: ignore[arg-type]
    assert reply["method"] == method
    assert reply["context"] == "Axis library"
    return reply


async def test_get_ports_has_every_key_a_client_needs(device: Device) -> None:
    data = (await call(device, "getPorts", role=Role.VIEWER))["data"]
    assert data["numberOfPorts"] == 6
    assert [item["port"] for item in data["items"]] == ["0", "1", "2", "3", "4", "5"]
    assert data["items"][4] == {
        "port": "4", "state": "open", "configurable": False, "usage": "", "direction": "output", "name": "Door",
        "normalState": "open",
    }  # fmt: skip


@pytest.mark.parametrize("bare", [False, True])
async def test_set_ports_in_both_forms(device: Device, bare: bool) -> None:
    ports = [{"port": "4", "state": "closed"}, {"port": "5"}]
    reply = await call(device, "setPorts", ports if bare else {"ports": ports}, role=Role.VIEWER)
    assert reply["data"] == {"ports": ["4"]}
    assert device.ports.port(4).active


async def test_configuration_needs_an_operator(device: Device) -> None:
    before = device.snapshot()
    ports = [{"port": "4", "state": "closed"}, {"port": "5", "name": "Gate"}]
    reply = await call(device, "setPorts", {"ports": ports}, role=Role.VIEWER)
    assert reply["error"]["code"] == 2105
    assert device.snapshot() == before
    assert "data" in await call(device, "setPorts", {"ports": ports}, role=Role.OPERATOR)
    assert device.ports.port(5).config.name == "Gate"


async def test_what_get_ports_says_can_be_sent_back(device: Device) -> None:
    items = (await call(device, "getPorts"))["data"]["items"]
    assert (await call(device, "setPorts", {"ports": items}))["data"] == {"ports": ["0", "1", "2", "3", "4", "5"]}


async def test_a_fault_in_an_optional_property_leaves_only_that_one(device: Device) -> None:
    ports = [
        {"port": "4", "direction": "input", "name": "Gate"},
        {"port": "0", "normalState": "ajar", "usage": "Button", "colour": 1},
    ]
    error = (await call(device, "setPorts", {"ports": ports}))["error"]
    assert error["code"] == 2104
    assert error["details"] == {"port": "4", "propertyName": "direction"}
    assert [entry["details"] for entry in error["errors"]] == [
        {"port": "0", "propertyName": "colour"},
        {"port": "0", "propertyName": "normalState"},
    ]
    assert device.ports.port(4).config.name == "Gate"
    assert device.ports.port(0).config.usage == "Button"


@pytest.mark.parametrize(
    ("params", "code"),
    [({}, 2103), ([{"state": "open"}], 2103), ([{"port": "4", "state": "closed"}, {"port": "9"}], 2104),
     ({"ports": {}}, 2104), ([1], 2104), ({"ports": [{"port": 4}]}, 2104), ("x", 2104), ([{"port": "4"}] * 257, 2104)],
)  # fmt: skip
async def test_a_generic_fault_changes_nothing(device: Device, params: Any, code: int) -> None:
    before = device.snapshot()
    assert (await call(device, "setPorts", params))["error"]["code"] == code
    assert device.snapshot() == before


async def test_an_input_cannot_be_set(device: Device) -> None:
    error = (await call(device, "setPorts", [{"port": "0", "state": "closed"}]))["error"]
    assert error["details"] == {"port": "0", "propertyName": "state"}


async def test_sequence(device: Device) -> None:
    steps = [{"state": "closed", "time": 1000}, {"state": "open", "time": 0}]
    reply = await call(device, "setStateSequence", {"port": "4", "sequence": steps}, role=Role.VIEWER)
    assert reply["data"] == {"port": "4"}
    assert device.lines.told[-1] == ("sequence", "relay1", ((True, 1.0), (False, 0.0)))
    reply = await call(device, "setStateSequence", {"port": "4", "sequence": steps})
    assert reply["error"]["code"] == 2200
    await device.ledger.run(lambda tx: device.ports.on_sequence_end(tx, "relay1"))
    assert "data" in await call(device, "setStateSequence", {"port": "4", "sequence": steps})


@pytest.mark.parametrize(
    ("params", "code"),
    [({}, 2103), ({"port": "4"}, 2103), ({"port": "4", "sequence": []}, 2104), ({"port": "0", "sequence": [{}]}, 2104),
     ({"port": "4", "sequence": [{"state": "open"}]}, 2103),
     ({"port": "4", "sequence": [{"state": "x", "time": 1}]}, 2104),
     ({"port": "4", "sequence": [{"state": "open", "time": 65536}]}, 2104),
     ({"port": "4", "sequence": [{"state": "open", "time": True}]}, 2104),
     ({"port": "4", "sequence": [{"state": "open", "time": 1}] * 65}, 2104)],
)  # fmt: skip
async def test_refused_sequences(device: Device, params: Any, code: int) -> None:
    assert (await call(device, "setStateSequence", params))["error"]["code"] == code
    assert device.lines.told == []


async def test_versions(device: Device) -> None:
    assert (await call(device, "getSupportedVersions"))["data"] == {"apiVersions": ["1.1"]}


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-10, 70000), st.floats(allow_nan=False), st.text(max_size=8),
              st.sampled_from(["open", "closed", "4", "0", "input", "output"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.sampled_from(["port", "ports", "state", "name", "direction", "normalState", "sequence",
                                       "time"]),
                      st.text(max_size=6)),
            inner, max_size=5,
        ),
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.sampled_from(["setPorts", "setStateSequence", "getPorts"]), json_values)
def test_any_params(method: str, params: Any) -> None:
    async def play() -> None:
        device = Device()
        before = device.snapshot()
        reply = await call(device, method, params)
        assert ("data" in reply) != ("error" in reply)
        assert reply.get("error", {}).get("code") != 1100
        if "error" in reply and "propertyName" not in reply["error"].get("details", {}):
            assert device.snapshot() == before

    asyncio.run(play())


@given(st.binary(max_size=200))
def test_any_body(body: bytes) -> None:
    response = asyncio.run(API.serve(FakeRequest(body=body), Device()))  # type: ignore[arg-type]
    assert response.status == 200
    assert "error" in msgspec.json.decode(response.body)  # type: ignore[arg-type]
