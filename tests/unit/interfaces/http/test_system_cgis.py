"""apidiscovery, basicdeviceinfo, systemready and time over the real server; hostile JSON against all of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from axcore.model.accounts import Role
from axcore.testing.http import HttpDevice, Reply

ALL = {
    "Architecture",
    "Brand",
    "BuildDate",
    "HardwareID",
    "ProdFullName",
    "ProdNbr",
    "ProdShortName",
    "ProdType",
    "ProdVariant",
    "SerialNumber",
    "Soc",
    "SocSerialNumber",
    "Version",
    "WebURL",
}
INFO, READY, DISCOVERY, TIME = (
    f"/axis-cgi/{name}.cgi" for name in ("basicdeviceinfo", "systemready", "apidiscovery", "time")
)


@pytest_asyncio.fixture
async def device(tmp_path: Path) -> AsyncIterator[HttpDevice]:
    async with HttpDevice(tmp_path) as device:
        for name, role in (("root", Role.ADMIN), ("oper", Role.OPERATOR), ("view", Role.VIEWER)):
            device.add_account(name, "pass", role)
        yield device


async def call(device: HttpDevice, path: str, method: str, user: str | None = None, **more: Any) -> dict[str, Any]:
    body = {"apiVersion": "1.0", "context": "Axis library", "method": method, **more}
    reply = await device.request("POST", path, user=user, json=body)
    assert reply.status == 200, reply
    assert reply.headers["Content-Type"].startswith("application/json")
    found: dict[str, Any] = json.loads(reply.body)
    assert found["context"] == "Axis library"
    return found


async def test_discovery(device: HttpDevice) -> None:
    found = await call(device, DISCOVERY, "getApiList")
    assert (found["apiVersion"], found["method"]) == ("1.0", "getApiList")
    ids = {api["id"] for api in found["data"]["apiList"]}
    expected = {"api-discovery", "basic-device-info", "systemready", "time-service", "param-cgi", "user-management"}
    assert expected <= ids
    one = await call(device, DISCOVERY, "getApiList", params={"id": "time-service", "version": "1.0"})
    assert [api["id"] for api in one["data"]["apiList"]] == ["time-service"]
    none = await call(device, DISCOVERY, "getApiList", params={"id": "no-such"})
    assert none["data"] == {"apiList": []}
    versions = json.loads((await device.request("POST", DISCOVERY, json={"method": "getSupportedVersions"})).body)
    assert versions["data"] == {"apiVersions": ["1.0"]}


async def test_basic_device_info(device: HttpDevice) -> None:
    found = await call(device, INFO, "getAllProperties", "oper")
    assert "method" not in found
    properties = found["data"]["propertyList"]
    assert set(properties) == ALL
    assert all(isinstance(value, str) for value in properties.values())
    assert properties["SerialNumber"].startswith("B8A44F")
    assert properties["ProdNbr"] == "A8207-VE"
    free = await call(device, INFO, "getAllUnrestrictedProperties")
    assert set(free["data"]["propertyList"]) == ALL - {"Architecture", "Soc", "SocSerialNumber"}
    some = await call(device, INFO, "getProperties", "oper", params={"propertyList": ["Brand", "Soc"]})
    assert set(some["data"]["propertyList"]) == {"Brand", "Soc"}
    wrong = await call(device, INFO, "getProperties", "oper", params={"propertyList": ["Brand", "Nothing"]})
    assert wrong["error"]["code"] == 1000


async def test_roles_within_an_api(device: HttpDevice) -> None:
    body = {"apiVersion": "1.0", "method": "getAllProperties"}
    assert (await device.request("POST", INFO, json=body)).status == 401
    refused = await device.request("POST", INFO, json=body, user="view")
    assert refused.status == 403
    assert json.loads(refused.body)["error"]["code"] == 2001
    assert (await device.request("POST", INFO, json=body, user="oper", password="wrong")).status == 401


async def test_systemready(device: HttpDevice) -> None:
    device.clock.advance(120.9)
    data = (await call(device, READY, "systemready", params={"timeout": 20}))["data"]
    assert data == {"systemready": "yes", "needsetup": "no", "uptime": "120", "bootid": device.system.boot_id}
    device.system.ready = False
    assert (await call(device, READY, "systemready"))["data"]["systemready"] == "no"
    waiting = asyncio.create_task(call(device, READY, "systemready", params={"timeout": 60}))
    await asyncio.sleep(0.2)  # wall clock: time in which a wrong answer would come
    assert not waiting.done()
    device.system.ready = True
    assert (await waiting)["data"]["systemready"] == "yes"
    for timeout in (-1, 61, 1.5, "5", None, True):
        found = await call(device, READY, "systemready", params={"timeout": timeout})
        assert found["error"]["code"] == 2104


async def test_time(device: HttpDevice) -> None:
    assert (await device.request("POST", TIME, json={"apiVersion": "1.0", "method": "getAll"})).status == 401
    device.ledger.do(lambda tx: device.params.update(tx, {"Time.TimeZone": "Europe/Stockholm"}))
    device.clock.set_wall("2026-07-01T12:00:00Z")
    data = (await call(device, TIME, "getDateTimeInfo", "view"))["data"]
    assert data == {
        "dateTime": "2026-07-01T12:00:00Z",
        "localDateTime": "2026-07-01T14:00:00+02:00",
        "maxYearSupported": 2037,
        "timeZone": "Europe/Stockholm",
        "posixTimeZone": "CET-1CEST,M3.5.0,M10.5.0/3",
        "dstEnabled": True,
    }
    zones = (await call(device, TIME, "getAll", "view"))["data"]["timeZones"]
    assert "UTC" in zones
    assert (await call(device, TIME, "setDateTime", "root"))["error"]["code"] == 4000


async def test_get_on_a_json_cgi(device: HttpDevice) -> None:
    reply = await device.request("GET", DISCOVERY)
    assert json.loads(reply.body)["error"]["code"] == 2002
    assert (await device.request("GET", READY)).status == 405


ERRORS = [
    (b"", 4000),
    (b"{", 4000),
    (b"[]", 4000),
    (b"null", 4000),
    (b"1", 4000),
    (b'"x"', 4000),
    (b"{}", 4002),
    (b"\xff{}", 4000),
    (b'{"method":"getApiList"}', 4002),
    (b'{"apiVersion":"1.0"}', 4002),
    (b'{"apiVersion":"9.0","method":"getApiList"}', 2003),
    (b'{"apiVersion":"1.9","method":"getApiList"}', 2003),
    (b'{"apiVersion":1.0,"method":"getApiList"}', 1000),
    (b'{"apiVersion":"1.0","method":"fly"}', 2004),
    (b'{"apiVersion":"1.0","method":7}', 1000),
    (b'{"a":1,"a":2}', 4000),
    (b'{"apiVersion":"1.0","method":"getApiList","params":7}', 1000),
    (b'{"apiVersion":"1.0","method":"getApiList","params":[]}', 1000),
    (b'{"apiVersion":"1.0","method":"getApiList","params":{"id":7}}', 1000),
    (b'{"apiVersion":"1.0","method":"x","n":NaN}', 4000),
    (b'{"apiVersion":"1.0","method":"getApiList","context":7}', 1000),
    (b'{"n":Infinity}', 4000),
    (b'{"n":1e999}', 4000),
    (b'{"s":"\\ud800"}', 4000),
    (b'{"s":"\\udc00\\ud800"}', 4000),
    (b'{"s":"a\nb"}', 4000),
    (b"[" * 60000, 4000),
    (b'{"a":' * 10000, 4000),
    (b"[" * 30000 + b"]" * 30000, 4000),
    (b'{"n":' + b"9" * 5000 + b"}", 4000),
    (b'{"a":1}x', 4000),
    (b"{'a':1}", 4000),
    (b'{"a":1,}', 4000),
    (b"\xef\xbb\xbf{}", 4000),
    (b'{"apiVersion":"1.0","method":"getApiList","context":"' + b"c" * 2000 + b'"}', 1000),
    ('{"apiVersion":"\u0661.\u0660","method":"getApiList"}'.encode(), 2003),
    (b'{"apiVersion":"","method":"getApiList"}', 2003),
]


@pytest.mark.parametrize(("body", "code"), ERRORS)
async def test_bad_bodies_get_the_documented_error(device: HttpDevice, body: bytes, code: int) -> None:
    reply = await device.request("POST", DISCOVERY, data=body)
    assert reply.status == 200
    found = json.loads(reply.body)
    assert found["error"]["code"] == code, found
    assert "apiVersion" in found
    assert len(reply.body) < 3000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
METHODS = st.sampled_from(
    ["getApiList", "getAllProperties", "getProperties", "systemready", "getAll", "getSupportedVersions", "getPorts"]
)
CALLS = st.fixed_dictionaries(
    {},
    optional={
        "apiVersion": st.just("1.0") | JSON,
        "method": METHODS | JSON,
        "context": JSON,
        "params": JSON
        | st.fixed_dictionaries({}, optional={"propertyList": JSON, "id": JSON, "version": JSON, "ports": JSON})
        | st.fixed_dictionaries({"timeout": st.integers(max_value=0) | st.text() | st.none()}),
    },
)


def test_no_json_breaks_a_json_cgi(tmp_path: Path) -> None:
    """Whatever comes, the answer is an envelope with data or a known error; never 5xx, never an end of the server."""
    paths = [INFO, READY, DISCOVERY, TIME]

    async def send(device: HttpDevice, body: bytes) -> list[Reply]:
        return [await device.request("POST", path, user="root", data=body, secure=False) for path in paths]

    with asyncio.Runner() as runner:
        device = HttpDevice(tmp_path)
        runner.run(device.__aenter__())
        device.add_account("root", "pass")
        device.ledger.do(lambda tx: device.params.update(tx, {"Network.HTTP.AuthenticationPolicy": "Basic_Digest"}))

        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
        @given(CALLS.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200))
        def attempt(body: bytes) -> None:
            for reply in runner.run(send(device, body)):
                assert reply.status == 200
                found = json.loads(reply.body)
                assert ("data" in found) != ("error" in found)
                assert "error" not in found or found["error"]["code"] not in (8000, 1100)

        attempt()
        runner.run(device.__aexit__())
