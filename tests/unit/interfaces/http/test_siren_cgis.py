"""siren_and_light.cgi, lightcontrol.cgi and REST: every method, every error code, and nothing changed by a refusal."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stubs import Device, FakeRequest

from axcore.interfaces.http.rest import siren as rest
from axcore.interfaces.http.vapix import findmydevice, lightcontrol, siren_and_light
from axcore.model.accounts import Role
from axcore.services.siren import SirenService
from tests.unit.services.test_siren import FakeSignal


class SirenDevice(Device):
    """The stub device with a light and a siren, out of maintenance mode."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = self.ledger.clock
        self.siren = SirenService(self.ledger.post)
        self.signal = FakeSignal()
        self.signal.clock = self.clock
        self.siren.attach(self.signal)
        self.ledger.load(self.siren.load, self.siren.start_up)
        self.ledger.add_timer(self.siren)
        self.ledger.do(lambda tx: self.siren.set_maintenance(tx, False))

    def state(self) -> tuple[Any, ...]:
        """Everything a refused request must leave as it was."""
        siren = self.siren
        return siren.activities("light"), siren.activities("siren"), dict(siren.profiles.all), siren.maintenance


@pytest.fixture
def device() -> SirenDevice:
    return SirenDevice()


async def ask(device: SirenDevice, method: str, params: Any = None, role: Role = Role.OPERATOR) -> dict[str, Any]:
    body: dict[str, Any] = {"apiVersion": "1.0", "context": "c", "method": method}
    if params is not None:
        body["params"] = params
    request = FakeRequest(body=msgspec.json.encode(body), role=role)
    apis = (siren_and_light.API, lightcontrol.API, findmydevice.API)
    chosen = next((api for api in apis if method in api._methods), siren_and_light.API)
    response = await chosen.serve(request, device)  # type: ignore[arg-type]
    reply: dict[str, Any] = msgspec.json.decode(response.body)  # type: ignore[arg-type]
    return reply


async def data(device: SirenDevice, method: str, params: Any = None) -> Any:
    reply = await ask(device, method, params)
    assert "error" not in reply, reply
    return reply["data"]


LIGHT = {"pattern": "Steady", "colors": ["red"], "intensity": 1}
SIREN = {"pattern": "Siren: Evac", "intensity": 1}


async def test_capabilities_list_every_pattern(device: SirenDevice) -> None:
    found = (await data(device, "getCapabilities"))["capabilities"]
    assert len(found["light"]["supportedPatterns"]) == 23
    assert len(found["siren"]["supportedPatterns"]) == 29
    assert found["poeClass"] == 4
    alternate = next(p for p in found["light"]["supportedPatterns"] if p["name"] == "Alternate")
    assert alternate["speed"] == {"possible": [1, 2], "default": 1}
    assert (alternate["colors"]["minNbrColors"], alternate["colors"]["maxNbrColors"]) == (2, 4)
    assert alternate["intensity"]["poeClass"]["3"]["possible"] == [1, 2]
    assert alternate["priority"] == {"possible": list(range(1, 11)), "default": 3}


async def test_start_status_stop(device: SirenDevice) -> None:
    assert await data(device, "getStatus") == {}
    duration = {"unit": "seconds", "value": 30}
    ids = await data(device, "start", {"light": {**LIGHT, "duration": duration, "priority": 5}, "siren": SIREN})
    status = await data(device, "getStatus")
    assert status["light"] == [
        {"lightId": ids["lightId"], "pattern": "Steady", "speed": 1, "colors": ["red"], "intensity": 1,
         "durationLeft": 30, "priority": 5}
    ]  # fmt: skip
    assert status["siren"] == [{"sirenId": ids["sirenId"], "pattern": "Siren: Evac", "intensity": 1, "priority": 3}]
    device.ledger.advance(0.5)
    assert (await data(device, "getStatus"))["light"][0]["durationLeft"] == 30
    assert await data(device, "stop", {"sirenId": ids["sirenId"], "lightId": ids["lightId"]}) == {}
    assert await data(device, "getStatus") == {}


async def test_profiles_from_add_to_remove(device: SirenDevice) -> None:
    await data(device, "addProfile", {"name": "Alarm", "description": "d", "light": LIGHT, "siren": SIREN})
    (profile,) = (await data(device, "getProfiles"))["profiles"]
    assert profile["light"]["priority"] == 3
    assert set(await data(device, "start", {"profile": "Alarm"})) == {"sirenId", "lightId"}
    assert (await data(device, "getStatus"))["siren"][0]["profile"] == "Alarm"
    await data(device, "stop", {"profile": "Alarm"})
    assert await data(device, "getStatus") == {}
    await data(device, "start", {"profile": "Alarm"})
    await data(device, "stop", {"all": ["siren", "light"]})
    assert await data(device, "getStatus") == {}
    await data(device, "removeProfile", {"name": "Alarm"})
    assert await data(device, "getProfiles") == {"profiles": []}


def _with(function: str, **changes: Any) -> dict[str, Any]:
    base = LIGHT if function == "light" else SIREN
    return {function: {**base, **changes}}


BAD = [
    ("start", {"profile": "nobody"}, 1202),
    ("start", {}, 2103),
    ("start", {"profile": "a", "light": LIGHT}, 2104),
    ("start", _with("siren", pattern="Nothing"), 2200),
    ("start", _with("light", pattern="Nothing"), 2201),
    ("start", _with("siren", intensity=99), 2202),
    ("start", _with("siren", intensity="loud"), 2202),
    ("start", _with("light", intensity=0), 2203),
    ("start", _with("siren", priority=11), 2204),
    ("start", _with("light", priority=0), 2205),
    ("start", _with("siren", duration={"unit": "hours", "value": 1}), 2206),
    ("start", _with("light", duration={"unit": "hours", "value": 1}), 2207),
    ("start", _with("siren", duration={"unit": "seconds", "value": 259_201}), 2208),
    ("start", _with("light", duration={"unit": "repetitions", "value": 21}), 2209),
    ("start", _with("light", colors=[]), 2211),
    ("start", _with("light", colors=["red", "red"]), 2211),
    ("start", _with("light", colors=["octarine"]), 2212),
    ("start", _with("light", speed=17), 2215),
    ("start", _with("light", bogus=1), 2104),
    ("start", {"light": {"speed": 1}}, 2103),
    ("start", [], 2104),
    ("stop", {"all": ["horn"]}, 2210),
    ("stop", {"all": []}, 2210),
    ("stop", {"sirenId": 4711}, 1203),
    ("stop", {"lightId": 4711}, 1203),
    ("stop", {"profile": "nobody"}, 1202),
    ("stop", {}, 2103),
    ("stop", {"profile": "a", "sirenId": 1}, 2103),
    ("addProfile", {"name": "x" * 51, "light": LIGHT}, 2213),
    ("addProfile", {"name": "x", "description": "y" * 251, "light": LIGHT}, 2214),
    ("addProfile", {"light": LIGHT}, 2103),
    ("addProfile", {"name": "x", "light": {**LIGHT, "speed": 17}}, 2215),
    ("removeProfile", {"name": "nobody"}, 1202),
    ("removeProfile", {}, 2103),
    ("getLastHealthCheck", None, 1204),
    ("setMaintenanceMode", {}, 2103),
    ("setMaintenanceMode", {"maintenanceMode": "yes"}, 2104),
    ("setMaintenanceMode", {"maintenanceMode": True, "duration": -1}, 2104),
    ("startProfile", {"profile": "a"}, 2102),
]


@pytest.mark.parametrize(("method", "params", "code"), BAD)
async def test_each_fault_has_its_code_and_changes_nothing(
    device: SirenDevice, method: str, params: Any, code: int
) -> None:
    await data(device, "start", {"light": LIGHT})
    before = device.state()
    reply = await ask(device, method, params)
    assert reply["error"]["code"] == code, reply
    assert device.state() == before


async def test_the_31st_profile_is_1201(device: SirenDevice) -> None:
    for number in range(30):
        await data(device, "addProfile", {"name": str(number), "light": LIGHT})
    assert (await ask(device, "addProfile", {"name": "30", "light": LIGHT}))["error"]["code"] == 1201


async def test_viewers_are_refused(device: SirenDevice) -> None:
    for method in siren_and_light.API._methods:
        assert (await ask(device, method, role=Role.VIEWER))["error"]["code"] == 2105


async def test_health_check_and_maintenance(device: SirenDevice) -> None:
    await data(device, "runHealthCheck")
    assert (await data(device, "getStatus"))["light"][0]["pattern"] == "Health check"
    device.ledger.advance(60.0)
    result = await data(device, "getLastHealthCheck")
    assert result["errors"] == []
    assert result["timestamp"].endswith("Z")
    await data(device, "setMaintenanceMode", {"maintenanceMode": True, "duration": 60})
    (entry,) = (await data(device, "getStatus"))["light"]
    assert (entry["pattern"], entry["priority"], entry["durationLeft"]) == ("Maintenance", 11, 60)
    await data(device, "setMaintenanceMode", {"maintenanceMode": False})
    assert await data(device, "getStatus") == {}


def multipart(call: dict[str, Any], file: bytes) -> tuple[bytes, str]:
    parts = [
        b'--B\r\nContent-Disposition: form-data; name="request"\r\n\r\n' + msgspec.json.encode(call),
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="p.json"\r\n'
        b"Content-Type: application/json\r\n\r\n" + file,
    ]
    return b"\r\n".join(parts) + b"\r\n--B--\r\n", "multipart/form-data"


async def upload(device: SirenDevice, file: bytes, mode: str = "add") -> dict[str, Any]:
    call = {"apiVersion": "1.0", "method": "uploadProfiles", "params": {"uploadMode": mode}}
    body, kind = multipart(call, file)
    request = FakeRequest(body=body, content_type=kind, role=Role.OPERATOR)
    request.headers = {"Content-Type": "multipart/form-data; boundary=B"}  # type: ignore[attr-defined]
    response = await siren_and_light.serve(request, device)  # type: ignore[arg-type]
    reply: dict[str, Any] = msgspec.json.decode(response.body)  # type: ignore[attr-defined]
    return reply


async def test_upload_is_all_or_nothing(device: SirenDevice) -> None:
    good, bad = {"name": "a", "light": LIGHT}, {"name": "b", "light": {**LIGHT, "colors": ["octarine"]}}
    assert (await upload(device, msgspec.json.encode([good])))["data"] == {}
    before = device.state()
    for mode in ("add", "overwrite", "erase_and_add"):
        reply = await upload(device, msgspec.json.encode([{**good, "name": "c"}, bad]), mode)
        assert reply["error"]["code"] == 2212
        assert "profiles[1]" in reply["error"]["message"]
    assert (await upload(device, b"[{]"))["error"]["code"] == 2101
    assert (await upload(device, b"[]", "replace"))["error"]["code"] == 2104
    assert (await upload(device, b'[{"light":{}}]'))["error"]["code"] == 2103
    assert device.state() == before


@given(st.binary(max_size=300))
def test_any_bytes_are_survived_as_multipart(body: bytes) -> None:
    assert isinstance(siren_and_light.parts_of("multipart/form-data; boundary=B", b"--B\r\n" + body), dict)


async def test_light_control(device: SirenDevice) -> None:
    which = {"lightID": "led0"}
    (item,) = (await data(device, "getLightInformation"))["items"]
    assert item["lightState"] is False
    await data(device, "activateLight", which)
    assert (await data(device, "getLightStatus", which))["status"] is True
    assert (await data(device, "getValidIntensity", which))["ranges"] == [{"low": 1, "high": 5}]
    await data(device, "setManualIntensity", {**which, "intensity": 4})
    assert (await data(device, "getCurrentIntensity", which))["intensity"] == 4
    await data(device, "disableLight", which)
    assert (await data(device, "getLightStatus", which))["status"] is False
    assert (await ask(device, "activateLight", which))["error"]["code"] == 1000
    await data(device, "enableLight", which)
    for method, params in (
        ("activateLight", {"lightID": "led7"}),
        ("setManualIntensity", {**which, "intensity": 6}),
        ("getLightStatus", {"lightID": 5}),
    ):
        assert (await ask(device, method, params))["error"]["code"] == 1000
    assert (await ask(device, "activateLight", {}))["error"]["code"] == 4002


async def test_find_my_device(device: SirenDevice) -> None:
    assert await data(device, "find", {"duration": 5}) == {}
    assert (await data(device, "getStatus"))["light"][0]["pattern"] == "Identify"
    assert (await ask(device, "find"))["error"]["code"] == 2201
    request = FakeRequest(body=b'{"apiVersion":"1.0","method":"stop"}', role=Role.OPERATOR)
    await findmydevice.API.serve(request, device)  # type: ignore[arg-type]
    assert await data(device, "getStatus") == {}
    assert (await ask(device, "find", {"duration": 0}))["error"]["code"] == 2104


async def test_rest(device: SirenDevice) -> None:
    async def call(handler: Any, body: Any = None, query: str = "", **path: str) -> tuple[int, Any]:
        raw = b"" if body is None else msgspec.json.encode({"data": body})
        response = await handler(FakeRequest(query, body=raw, **path), device)
        reply = msgspec.json.decode(response.body)
        return response.status, reply.get("data", reply.get("error"))

    handlers = {route.name: route.handler for route in rest.ROUTES}
    fast = {"pattern": "Blink 4x", "speed": 3, "colors": ["red"]}
    status, saved = await call(handlers["siren.add"], {"name": "Alarm", "light": fast})
    assert status == 201
    assert saved["safe"] is False
    assert "flashes" in saved["flashes"]
    assert (await call(handlers["siren.add"], {"name": "Alarm", "light": LIGHT}))[0] == 409
    status, started = await call(handlers["siren.start"], id="Alarm")
    assert status == 200
    assert started["light"]
    assert device.signal.pattern is not None
    assert device.signal.pattern.speed < 3, "the safe mode is on as delivered"
    assert (await call(handlers["siren.status"]))[1]["light"][0]["profile"] == "Alarm"
    assert (await call(handlers["siren.update"], {"description": "loud"}, id="Alarm"))[1]["description"] == "loud"
    assert (await call(handlers["siren.update"], {"light": {"pattern": "?"}}, id="Alarm"))[1][
        "field"
    ] == "light.pattern"
    exported = (await call(handlers["siren.profiles"], query="names=Alarm"))[1]
    await call(handlers["siren.remove"], id="Alarm")
    imported = await call(handlers["siren.import"], {"profiles": exported, "mode": "add"})
    assert imported == (200, exported)
    assert (await call(handlers["siren.preview"], {"name": "x", "siren": SIREN}))[0] == 200
    assert device.signal.sound is not None
    await call(handlers["siren.preview-stop"])
    assert device.signal.sound is None
    assert (await call(handlers["siren.maintenance"], {"on": True, "seconds": 60}))[0] == 200
    assert device.siren.maintenance
    assert (await call(handlers["siren.maintenance"], {"on": True, "seconds": -1}))[1]["field"] == "seconds"
    assert (await call(handlers["siren.health"]))[0] == 404
    assert (await call(handlers["siren.health-run"]))[0] == 200
    assert (await call(handlers["siren.health-run"]))[0] == 409
