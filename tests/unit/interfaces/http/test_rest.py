"""REST: envelope, errors, rules, ports, event log, board and the documents made from the route table."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stubs import Device, FakeRequest

from axcore.drivers.board_ops import parse
from axcore.errors import QueueFullError
from axcore.interfaces.http.errors import BadRequestError
from axcore.interfaces.http.rest import board, envelope, event_log, openapi, ports, rules
from axcore.interfaces.http.rest.envelope import RestRoute
from axcore.interfaces.http.routes import RouteTable
from axcore.model.events import NewEvent

ROUTES: tuple[RestRoute, ...] = (
    *rules.ROUTES, *ports.ROUTES, *event_log.ROUTES, *board.ROUTES, *openapi.ROUTES,
)  # fmt: skip
BY_NAME = {route.name: route for route in ROUTES}
RULE = {
    "name": "Open door",
    "conditions": [{"topic": "tns1:AccessControl/tnsaxis:EntryList/AccessGranted"}],
    "action": {"type": "toggle_io_once", "port": "Door", "state": True, "duration": 7},
}


@pytest.fixture
def device() -> Device:
    device = Device()
    device.routes = RouteTable(ROUTES)
    return device


async def send(device: Device, name: str, raw: bytes = b"", query: str = "", **path: str) -> tuple[int, Any]:
    handler = BY_NAME[name].handler
    response = await handler(FakeRequest(query, body=raw, **path), device)  # type: ignore[arg-type]
    return response.status, msgspec.json.decode(response.body)  # type: ignore[attr-defined]


async def ask(device: Device, name: str, data: Any = None, query: str = "", **path: str) -> tuple[int, Any]:
    raw = b"" if data is None else msgspec.json.encode({"data": data})
    status, reply = await send(device, name, raw, query, **path)
    assert reply["status"] == ("success" if status < 300 else "error")
    return status, reply.get("data") if status < 300 else reply["error"]


# --- envelope


@pytest.mark.parametrize(
    ("raw", "field"),
    [(b"", "body"), (b"{", "body"), (b"[]", "body"), (b"1", "body"), (b"{}", "data"), (b'{"data":{},"x":1}', "x"),
     (b'{"data":{},"data":{}}', "body"), (b'{"data":1}', "data"), (b'{"data":{"name":"\\ud800"}}', "body"),
     (b'{"data":' + b"[" * 1000 + b"]" * 1000 + b"}", "body"), (b'{"data":{"a":NaN}}', "body"), (b"\xff", "body")],
)  # fmt: skip
async def test_bad_bodies(device: Device, raw: bytes, field: str) -> None:
    before = device.snapshot()
    status, reply = await send(device, "rules.add", raw)
    assert (status, reply["error"]["code"], reply["error"]["field"]) == (400, "invalid", field)
    assert device.snapshot() == before


async def test_media_type(device: Device) -> None:
    request = FakeRequest(body=b'{"data":{}}', content_type="text/plain")
    response = await BY_NAME["rules.add"].handler(request, device)  # type: ignore[arg-type]
    assert response.status == 415


async def test_store_and_queue_trouble_are_503(device: Device) -> None:
    device.store.broken = "disk full"
    assert (await ask(device, "rules.add", RULE))[0] == 503
    assert device.events.rules() == ()
    error = envelope.as_rest_error(QueueFullError("full"))
    assert error is not None
    assert (error.status, error.code) == (503, "busy")


# --- rules


async def test_rule_life(device: Device) -> None:
    status, rule = await ask(device, "rules.add", RULE)
    assert status == 201
    assert rule["action"] == {"type": "toggle_io_once", "port": "4", "state": True, "duration": 7.0}
    key = rule["id"]
    assert (await ask(device, "rules.list"))[1] == [rule]
    assert (await ask(device, "rules.get", id=key))[1] == rule
    status, changed = await ask(device, "rules.update", {"enabled": False}, id=key)
    assert (status, changed["enabled"], changed["name"]) == (200, False, "Open door")
    assert await ask(device, "rules.remove", id=key) == (200, None)
    assert (await ask(device, "rules.get", id=key))[0] == 404
    assert (await ask(device, "rules.update", {}, id=key))[0] == 404
    assert (await ask(device, "rules.remove", id=key))[0] == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [({"name": ""}, "name"), ({"colour": 1}, "colour"), ({"action": {"type": "dance"}}, "action"),
     ({"action": {"type": "toggle_io_once", "port": "Cellar"}}, "action.port"), ({"conditions": []}, "conditions"),
     ({"wait": "x"}, "wait"), ({"action": {"type": "toggle_io_once", "port": "0"}}, "action.port")],
)  # fmt: skip
async def test_refused_rules(device: Device, change: dict[str, Any], field: str) -> None:
    before = device.snapshot()
    status, error = await ask(device, "rules.add", RULE | change)
    assert status in (400, 404)
    assert error["field"].startswith(field)
    assert device.snapshot() == before


async def test_catalogues(device: Device) -> None:
    _, conditions = await ask(device, "rules.conditions")
    assert {"group": "Entry list", "name": "Access granted"}.items() <= conditions[0].items()
    _, actions = await ask(device, "rules.actions")
    assert {
        "toggle_io_once",
        "toggle_io_while_active",
        "virtual_input_once",
        "virtual_input_while_active",
    } <= {action["type"] for action in actions}


# --- ports


async def test_ports(device: Device) -> None:
    _, found = await ask(device, "io.ports")
    assert [port["name"] for port in found] == ["Port 1", "Port 2", "Port 3", "Port 4", "Door", "Relay 2"]
    status, port = await ask(device, "io.port.update", {"name": "Gate", "active": True}, id="4")
    assert (status, port["name"], port["active"], port["state"]) == (200, "Gate", True, "closed")
    assert (await ask(device, "io.port", id="4"))[1] == port
    assert (await ask(device, "io.port", id="9"))[0] == 404
    _, inputs = await ask(device, "io.virtual-inputs")
    assert (len(inputs), inputs[0]) == (64, {"port": 1, "active": False})


@pytest.mark.parametrize(
    ("patch", "field"),
    [({"name": "Bell", "active": True}, "active"), ({"direction": "sideways"}, "direction"), ({"active": 1}, "active"),
     ({"normal_state": None}, "normal_state"), ({"state": "open"}, "state"), ({"name": "x" * 65}, "name")],
)  # fmt: skip
async def test_a_refused_change_of_a_port_changes_nothing(device: Device, patch: dict[str, Any], field: str) -> None:
    before = device.snapshot()
    status, error = await ask(device, "io.port.update", patch, id="0")
    assert (status, error["field"]) == (400, field)
    assert device.snapshot() == before


# --- event log


def publish(device: Device, topic: str, correlation: str | None = None) -> None:
    device.ledger.do(lambda tx: tx.publish(NewEvent(topic=topic, correlation=correlation)))


async def test_events_page_and_filter(device: Device) -> None:
    start = device.store.events[-1].id
    for number in range(5):
        publish(device, f"tns1:A/B{number % 2}", f"c{number}")
    publish(device, "tns1:Ab/C")
    status, events = await ask(device, "event-log.events", query=f"after={start}&limit=2")
    assert status == 200
    assert [event["topic"] for event in events] == ["tns1:A/B0", "tns1:A/B1"]
    _, rest = await ask(device, "event-log.events", query=f"after={events[-1]['id']}")
    ids = [event["id"] for event in events + rest]
    assert ids == sorted(set(ids))
    assert len(ids) == 6
    assert len((await ask(device, "event-log.events", query="topic=tns1:A/B0"))[1]) == 3
    assert len((await ask(device, "event-log.events", query="topic=tns1:A//."))[1]) == 5
    assert [e["topic"] for e in (await ask(device, "event-log.events", query="correlation=c3"))[1]] == ["tns1:A/B1"]


async def test_a_long_scan_finds_the_last(device: Device) -> None:
    device.ledger.do(lambda tx: [tx.publish(NewEvent(topic="tns1:A")) for _ in range(1100)])
    publish(device, "tns1:B")
    assert len((await ask(device, "event-log.events", query="topic=tns1:B"))[1]) == 1


async def test_long_poll(device: Device) -> None:
    waiting = asyncio.create_task(ask(device, "event-log.events", query="wait=30&topic=tns1:B"))
    while not device.bus._subscriptions:  # noqa: ASYNC110 (nothing tells)
        await asyncio.sleep(0)
    publish(device, "tns1:A")
    publish(device, "tns1:B")
    assert [event["topic"] for event in (await waiting)[1]] == ["tns1:B"]
    assert device.bus._subscriptions == ()


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "limit=0", "limit=1001", "wait=31", "topic=", "since=1", "after=1&after=2",
              "after=99999999999999999999"],
)  # fmt: skip
async def test_refused_event_queries(device: Device, query: str) -> None:
    status, error = await ask(device, "event-log.events", query=query)
    assert (status, error["field"]) == (400, query.partition("=")[0])


# --- board


class FakeBoard:
    def perform(self, op: dict[str, Any]) -> dict[str, Any]:
        return {"did": type(parse(op)).__name__}


async def test_board(device: Device) -> None:
    assert (await ask(device, "board.perform", {}, op="rex"))[0] == 404
    assert (await ask(device, "board.state"))[0] == 404
    device.board = FakeBoard()
    assert await ask(device, "board.perform", {"duration": 0.2}, op="rex") == (200, {"did": "RexOp"})
    assert await ask(device, "board.state") == (200, {"did": "StateOp"})
    assert await ask(device, "board.perform-state", {}) == (200, {"did": "StateOp"})
    assert (await ask(device, "board.perform", {}, op="fly"))[1]["code"] == "unknown_operation"
    status, error = await ask(device, "board.perform", {"keys": 7}, op="keys")
    assert (status, error["code"], error["field"]) == (400, "wrong_type", "keys")
    assert (await ask(device, "board.perform", {"op": "keys"}, op="rex"))[1]["field"] == "op"


# --- documents


async def test_discovery(device: Device) -> None:
    _, apis = await send(device, "discover.apis")
    assert apis["rules"]["v1"]["rest_api"] == "/config/rest/rules/v1"
    assert list(apis) == sorted(apis)
    status, document = await send(device, "discover.openapi", api="rules", version="v1")
    assert status == 200
    assert set(document["paths"]) == {
        "/config/rest/rules/v1/rules", "/config/rest/rules/v1/rules/{id}", "/config/rest/rules/v1/conditions",
        "/config/rest/rules/v1/actions",
    }  # fmt: skip
    assert (await send(device, "discover.openapi", api="cellar", version="v1"))[0] == 404


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if "$ref" in node else set()
        return own.union(*(references(value) for value in node.values()))
    return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()


async def test_openapi_describes_every_route(device: Device) -> None:
    _, document = await send(device, "openapi")
    described = {(path, method.upper()) for path, item in document["paths"].items() for method in item}
    assert described == {(route.path, route.method) for route in ROUTES}
    for reference in references(document):
        assert reference.rpartition("/")[2] in document["components"]["schemas"], reference
    add = document["paths"]["/config/rest/rules/v1/rules"]["post"]
    assert add["x-axcore-role"] == "operator"
    assert add["requestBody"]["content"]["application/json"]["schema"]["required"] == ["data"]
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(set(names)) == len(names)


# --- anything

json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["name", "conditions", "action", "type", "port", "active", "direction", "topic", "wait",
                             "duration", "state", "enabled", "id", "x"]),
            inner, max_size=5,
        ),
    ),
    max_leaves=10,
)  # fmt: skip


@given(st.sampled_from(["rules.add", "rules.update", "io.port.update"]), json_values, st.text(max_size=4))
def test_any_data(name: str, data: Any, key: str) -> None:
    async def play() -> None:
        device = Device()
        await ask(device, "rules.add", RULE)
        before = device.snapshot()
        status, _ = await ask(device, name, data, id=key if len(key) % 2 else "1")
        assert status in (200, 201, 400, 404, 409)
        if status >= 400:
            assert device.snapshot() == before

    asyncio.run(play())


@given(st.sampled_from(["event-log.events", "rules.list", "io.ports"]), st.text(max_size=40))
def test_any_query(name: str, query: str) -> None:
    try:
        status, _ = asyncio.run(ask(Device(), name, query=query))
    except BadRequestError:
        return
    assert status in (200, 400)
