"""REST of the reader: settings group by group, state, install window, *Connect*; secrets never come back; a refused
request changes nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stubs import FakeRequest

from axcore.interfaces.http.rest import reader
from axcore.model.accounts import Role
from axcore.services.reader import ReaderService, ReaderSettings
from axcore.services.reader.settings import CHIP_TYPES, VapixReader
from axcore.services.reader.vapix import IdPoint
from axcore.services.recipients import DeliveryError
from axcore.testing.reader import Rig

BY_NAME = {route.name.removeprefix("reader."): route for route in reader.ROUTES}
KEY = "6b1f0c93d2a8475e90b3c6d4e1f72a58"
SECRETS = {"osdp": {"key": KEY}, "external": {"key": KEY[::-1]}, "vapix": {"password": "hunter2hunter2"}}


class Ledger:
    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    async def run(self, job: Any) -> Any:
        return self._rig.ledger.do(job)


class Controller:
    """The client of a controller that has one reader, or does not answer."""

    def __init__(self) -> None:
        self.reason = ""

    async def readers(self, vapix: VapixReader) -> list[IdPoint]:
        if self.reason:
            raise DeliveryError(self.reason)
        return [IdPoint(token="a", name=vapix.host)]

    async def access_controllers(self, _: VapixReader) -> list[IdPoint]:
        return [IdPoint(token="b")]


class Context:
    def __init__(self) -> None:
        self.rig = Rig()
        self.ledger = Ledger(self.rig)
        self.reader: ReaderService | None = self.rig.reader
        self.reader_client = Controller()


@pytest.fixture
def ctx() -> Context:
    return Context()


async def ask(ctx: Context, name: str, data: Any = None) -> tuple[int, Any]:
    body = b"" if data is None else msgspec.json.encode({"data": data})
    response = await BY_NAME[name].handler(FakeRequest(body=body), ctx)  # type: ignore[arg-type]
    raw: bytes = response.body  # type: ignore[attr-defined]
    for secret in (KEY, KEY[::-1], "hunter2"):
        assert secret.encode() not in raw
    reply = msgspec.json.decode(raw)
    return response.status, reply.get("data") if response.status < 300 else reply["error"]


def test_only_administrators_see_it() -> None:
    assert {route.role for route in reader.ROUTES} == {Role.ADMIN}


async def test_settings_without_their_secrets(ctx: Context) -> None:
    status, view = await ask(ctx, "configure", {**SECRETS, "protocol": "osdp"})
    assert (status, view["protocol"]) == (200, "osdp")
    assert (view["osdp"]["key_set"], view["external"]["key_set"], view["vapix"]["password_set"]) == (True, True, True)
    assert await ask(ctx, "settings") == (200, view)
    status, view = await ask(ctx, "configure", {"osdp": {"address": 9}, "vapix": {"username": "door"}})
    kept = ctx.rig.reader.settings
    assert (kept.osdp.key, kept.osdp.address, kept.vapix.password) == (KEY, 9, "hunter2hunter2")
    status, view = await ask(ctx, "configure", {"osdp": {"key": ""}})
    assert not view["osdp"]["key_set"]


async def test_what_is_read_can_be_written_back(ctx: Context) -> None:
    _, view = await ask(ctx, "settings")
    for part, name in (("osdp", "key_set"), ("external", "key_set"), ("vapix", "password_set")):
        del view[part][name]
    status, _ = await ask(ctx, "configure", view)
    assert status == 200
    assert ctx.rig.reader.settings == ReaderSettings()


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("configure", {"osdp": {"key": "hunter2"}}, "osdp.key"),
        ("configure", {"osdp": {"address": 200}}, "osdp.address"),
        ("configure", {"protocol": "vapix"}, "vapix.host"),
        ("configure", {"wiegand": {"led_inputs": 1}}, "wiegand.led1_input"),
        ("configure", {"chips": {"active": ["x"]}}, "chips.active[0]"),
        ("configure", {"key": 1}, "key"),
        ("configure", [], "data"),
        ("install", {"seconds": -1}, "seconds"),
        ("install", {"seconds": 601}, "seconds"),
        ("install", {"seconds": "60"}, "seconds"),
        ("install", {}, "seconds"),
    ],
)
async def test_bad_input_names_its_field_and_changes_nothing(ctx: Context, name: str, data: Any, field: str) -> None:
    await ask(ctx, "configure", {**SECRETS, "protocol": "osdp"})
    before = ctx.rig.reader.settings, ctx.rig.ledger.store.records(), list(ctx.rig.wires.wire.sent)
    status, error = await ask(ctx, name, data)
    assert (status, error["field"]) == (400, field)
    assert before == (ctx.rig.reader.settings, ctx.rig.ledger.store.records(), ctx.rig.wires.wire.sent)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"data":{"osdp":{"address":1,"address":2}}}', b"\xff"])
async def test_bodies_that_are_none(ctx: Context, body: bytes) -> None:
    response = await BY_NAME["configure"].handler(FakeRequest(body=body), ctx)  # type: ignore[arg-type]
    assert response.status == 400
    assert ctx.rig.reader.settings == ReaderSettings()


async def test_install_window(ctx: Context) -> None:
    status, error = await ask(ctx, "install", {"seconds": 60})
    assert (status, error["code"]) == (409, "conflict")
    await ask(ctx, "configure", {"protocol": "osdp"})
    assert await ask(ctx, "install", {"seconds": 60}) == (200, None)
    assert ctx.rig.wires.wire.sent == [("install", 60.0)]


async def test_state_and_chip_types(ctx: Context) -> None:
    status, state = await ask(ctx, "state")
    assert (status, state["connection"], state["external"], state["sent"]) == (200, "not_connected", "not_connected", 0)
    assert await ask(ctx, "chip-types") == (200, list(CHIP_TYPES))


async def test_connect(ctx: Context) -> None:
    await ask(ctx, "configure", {"vapix": {"host": "10.0.0.9"}})
    readers, controllers = [{"token": "a", "name": "10.0.0.9"}], [{"token": "b", "name": ""}]
    found = {"connected": True, "reason": "", "readers": readers, "access_controllers": controllers}
    assert await ask(ctx, "connect") == (200, found)
    ctx.reader_client.reason = "its certificate is not trusted"
    assert await ask(ctx, "connect") == (
        200,
        {**found, "connected": False, "reason": ctx.reader_client.reason, "readers": [], "access_controllers": []},
    )


async def test_a_device_without_a_reader(ctx: Context) -> None:
    ctx.reader = None
    for name, route in BY_NAME.items():
        status, _ = await ask(ctx, name, {} if route.method != "GET" else None)
        assert status == 404


PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=20)
FIELDS = st.sampled_from(
    [
        "address", "baud", "key", "host", "port", "scheme", "password", "active", "data", "data_sets", "format",
        "custom", "facility_code", "facility_code_override", "led_inputs", "led1_input", "beeper", "beeper_input",
        "idle_color", "keypress", "enabled", "bits", "card", "name", "chip_type", "offset", "length", "x",
    ]
)  # fmt: skip
DEEP = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(FIELDS, PLAIN, max_size=3)
ANYTHING = DEEP | st.dictionaries(FIELDS, DEEP | st.lists(DEEP, max_size=2), max_size=4)
GROUPS = st.sampled_from(["protocol", "vapix", "osdp", "wiegand", "external", "output", "chips", "key"])


@given(st.dictionaries(GROUPS, ANYTHING, max_size=3))
def test_whatever_comes_is_taken_whole_or_refused_with_a_field(patch: dict[str, Any]) -> None:
    ctx = Context()
    before = ctx.rig.reader.settings

    async def run() -> tuple[int, Any]:
        return await ask(ctx, "configure", patch)

    status, answer = asyncio.run(run())
    assert status in (200, 400)
    if status == 400:
        assert answer["field"]
        assert ctx.rig.reader.settings == before
        assert ctx.rig.ledger.store.records() == {}
