"""REST of the entry list: holders, settings, Get latest; PINs never come back; a refused request changes nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stubs import Device, FakeRequest

from axcore.interfaces.http.rest import entry_list
from axcore.model.accounts import Role
from axcore.model.credentials import MAX_HOLDERS, CardValue, CredentialRead

BY_NAME = {route.name.removeprefix("entry-list."): route for route in entry_list.ROUTES}
CARD = {"bits": 26, "value": "02004fcb"}
ADA = {
    "first_name": "Ada", "last_name": "Lovelace", "card": CARD, "pin": "1234",
    "validity": {"type": "number_of_times", "count": 10},
}  # fmt: skip


@pytest.fixture
def device() -> Device:
    return Device()


async def ask(device: Device, name: str, data: Any = None, **path: str) -> tuple[int, Any]:
    body = b"" if data is None else msgspec.json.encode({"data": data})
    response = await BY_NAME[name].handler(FakeRequest(body=body, **path), device)  # type: ignore[arg-type]
    raw: bytes = response.body  # type: ignore[attr-defined]
    if device.access.holders():
        assert b"1234" not in raw
    reply = msgspec.json.decode(raw)
    return response.status, reply.get("data") if response.status < 300 else reply["error"]


def test_viewers_see_no_credentials() -> None:
    assert all(route.role >= Role.OPERATOR for route in entry_list.ROUTES)


async def test_holder_life(device: Device) -> None:
    status, ada = await ask(device, "add", ADA)
    assert status == 201
    assert ada == {
        "id": ada["id"], "first_name": "Ada", "last_name": "Lovelace", "card": CARD, "pin_set": True, "qr": None,
        "event_condition": "Access granted", "validity": {"type": "number_of_times", "count": 10}, "enabled": True,
        "remaining": 10,
    }  # fmt: skip
    key = ada["id"]
    assert await ask(device, "holders") == (200, [ada])
    assert await ask(device, "get", id=key) == (200, ada)
    status, changed = await ask(device, "update", {"pin": None, "validity": {"type": "always"}}, id=key)
    assert (status, changed["pin_set"], changed["remaining"], changed["card"]) == (200, False, None, CARD)
    assert await ask(device, "remove", id=key) == (200, None)
    assert await ask(device, "holders") == (200, [])
    for name in ("get", "remove"):
        assert (await ask(device, name, id=key))[0] == 404
    assert (await ask(device, "update", {}, id=key))[0] == 404


async def test_first_names_are_unique_and_there_are_fifty(device: Device) -> None:
    for number in range(MAX_HOLDERS):
        assert (await ask(device, "add", {"first_name": f"N{number}", "pin": f"{5000 + number}"}))[0] == 201
    before = device.snapshot()
    status, error = await ask(device, "add", {"first_name": "Ada", "pin": "9999"})
    assert (status, error["code"]) == (409, "limit")
    assert str(MAX_HOLDERS) in error["message"]
    assert device.snapshot() == before
    await ask(device, "remove", id=device.access.holders()[0].id)
    status, error = await ask(device, "add", {"first_name": "N1", "pin": "9999"})
    assert (status, error["code"]) == (409, "conflict")
    assert error["field"].endswith("first_name")


@pytest.mark.parametrize(
    "change",
    [{"first_name": ""}, {"first_name": None}, {"colour": 1}, {"card": {"bits": 26}},
     {"card": {"bits": 26, "value": "x"}},
     {"card": {"bits": 0, "value": ""}}, {"pin": "12a4"}, {"pin": "1" * 33}, {"pin": 1234}, {"id": "7"},
     {"validity": {"type": "sometimes"}}, {"validity": {"type": "number_of_times", "count": 0}},
     {"validity": {"type": "number_of_times", "count": 1.5}}, {"validity": {"type": "from_to", "start": "soon"}},
     {"card": None, "pin": None}, {"enabled": "yes"}],
)  # fmt: skip
async def test_refused_holders(device: Device, change: dict[str, Any]) -> None:
    before = device.snapshot()
    status, error = await ask(device, "add", ADA | change)
    assert (status, error["code"]) == (400, "invalid")
    assert error["field"]
    assert error["message"]
    assert device.snapshot() == before


async def test_settings(device: Device) -> None:
    delivered = {"use_entry_list": False, "use_connected_controller": False, "pin_length": 4, "pin_timeout": 10.0}
    assert await ask(device, "settings") == (200, delivered)
    status, settings = await ask(device, "configure", {"use_entry_list": True, "pin_length": 6})
    assert (status, settings["use_entry_list"], settings["pin_length"]) == (200, True, 6)
    for patch in ({"pin_length": 33}, {"pin_length": -1}, {"pin_timeout": 2.9}, {"pin_timeout": 51}, {"x": 1}):
        before = device.snapshot()
        status, error = await ask(device, "configure", patch)
        assert (status, error["field"]) == (400, next(iter(patch)))
        assert device.snapshot() == before


async def test_latest(device: Device) -> None:
    assert await ask(device, "latest") == (200, None)
    read = CredentialRead(kind="card", card=CardValue(26, "02004fcb"), correlation="enrol")
    device.ledger.do(lambda tx: device.access.on_read(tx, read))
    latest = {"kind": "card", "card": CARD, "qr": None, "reader": 0, "correlation": "enrol"}
    assert await ask(device, "latest") == (200, latest)
    assert (await ask(device, "add", {"first_name": "Ada", "card": CARD}))[0] == 201


def test_a_pin_is_in_no_view() -> None:
    read = CredentialRead(kind="pin", pin="1234")
    assert b"1234" not in msgspec.json.encode(entry_list.latest_view(read))


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=40),
    st.fixed_dictionaries({}, optional={
        "type": st.sampled_from(["always", "from_to", "number_of_times", "schedule", "x"]),
        "count": st.integers(-3, 2**70), "start": st.text(max_size=12), "end": st.text(max_size=12),
        "bits": st.integers(-1, 300), "value": st.text("0123456789abcdefG", max_size=12),
        "schedule": st.text(max_size=5),
    }),
)  # fmt: skip
fields = st.sampled_from(
    ["first_name", "last_name", "card", "pin", "qr", "event_condition", "validity", "enabled", "id", "remaining",
     "use_entry_list", "pin_length", "pin_timeout"],
)  # fmt: skip


@given(st.sampled_from(["add", "update", "configure"]), st.dictionaries(fields, values, max_size=4), st.booleans())
def test_any_data(name: str, data: dict[str, Any], base: bool) -> None:
    async def play() -> None:
        device = Device()
        _, ada = await ask(device, "add", ADA)
        before = device.snapshot()
        body = {"first_name": "Bob", "pin": "9876", **data} if base and name == "add" else data
        status, _ = await ask(device, name, body, id=ada["id"])
        assert status in (200, 201, 400, 409)
        if status >= 400:
            assert device.snapshot() == before

    asyncio.run(play())
