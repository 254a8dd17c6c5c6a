"""The data stream over real websockets, with a ledger in memory and virtual time."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio

from axcore.interfaces.http.vapix.datastream import MAX_MESSAGE, MAX_TAKEN
from axcore.interfaces.streams.follow import MAX_FILTERS
from axcore.model.accounts import Role
from axcore.model.events import ENTRY_GRANTED, IO_PORT, NewEvent
from axcore.testing.http import HttpDevice

PATH = "/vapix/ws-data-stream?sources=events"
EVERYTHING = [{"topicFilter": "//."}]
Socket = aiohttp.ClientWebSocketResponse


class Device(HttpDevice):
    """With two accounts."""

    def port(self, number: int, state: str = "1") -> None:
        event = NewEvent(topic=IO_PORT, source={"port": str(number)}, data={"state": state}, is_property=True)
        self.ledger.do(lambda tx: tx.publish(event))


@pytest_asyncio.fixture
async def device(tmp_path: Path) -> AsyncIterator[Device]:
    async with Device(tmp_path) as device:
        device.add_account("root", "pass")
        device.add_account("view", "pass", Role.VIEWER)
        yield device


@asynccontextmanager
async def opened(
    device: Device, path: str = PATH, user: str = "root", *, login: bool = True, **options: Any
) -> AsyncIterator[Socket]:
    """A websocket over TLS, with a basic login."""
    headers = {"Authorization": aiohttp.encode_basic_auth(user, "pass")} if login else {}
    options = {"ssl": False, **options, "headers": {**headers, **options.get("headers", {})}}
    async with aiohttp.ClientSession() as session, session.ws_connect(device.https + path, **options) as socket:
        yield socket


async def call(socket: Socket, filters: Any = EVERYTHING, **more: Any) -> Any:
    """Configure; gives the reply."""
    params = {} if filters is None else {"eventFilterList": filters}
    await socket.send_json({"apiVersion": "1.0", "method": "events:configure", "params": params, **more})
    return await socket.receive_json()


async def notified(socket: Socket) -> Any:
    message = await socket.receive_json()
    assert (message["apiVersion"], message["method"]) == ("1.0", "events:notify")
    return message["params"]["notification"]


async def settled(probe: Any) -> None:
    """Let the loop turn until ``probe`` is true."""
    while not probe():  # noqa: ASYNC110
        await asyncio.sleep(0)


async def test_the_reply_comes_first_then_states_then_changes(device: Device) -> None:
    device.port(0)
    async with opened(device) as socket:
        assert await call(socket, context="mine") == {
            "apiVersion": "1.0",
            "context": "mine",
            "method": "events:configure",
            "data": {},
        }
        first = await notified(socket)
        assert first == {
            "topic": IO_PORT,
            "timestamp": first["timestamp"],
            "message": {"source": {"port": "0"}, "key": {}, "data": {"state": "1"}},
        }
        assert first["timestamp"] == device.clock.wall_ns() // 1_000_000
        device.port(0, "0")
        assert (await notified(socket))["message"]["data"] == {"state": "0"}
        assert device.ctx.hub.sent == 2


async def test_nothing_comes_before_filters(device: Device) -> None:
    device.port(0)
    async with opened(device) as socket:
        device.port(1)
        assert (await call(socket, []))["data"] == {}
        device.port(2)
        await socket.send_json({"method": "getSupportedVersions"})
        assert (await socket.receive_json())["data"] == {"apiVersions": ["1.0"]}


async def test_the_latest_filter_applies_and_two_filters_send_twice(device: Device) -> None:
    device.port(0)
    device.port(1)
    one = {"topicFilter": "axis:IO//.|onvif:Device/axis:IO//."}
    zero = {"contentFilter": 'boolean(//SimpleItem[@Name="port" and @Value="0"])'}
    async with opened(device) as socket:
        await call(socket, [one, zero])
        ports = [(await notified(socket))["message"]["source"]["port"] for _ in range(3)]
        assert ports == ["0", "0", "1"]
        await call(socket, [zero])
        assert (await notified(socket))["message"]["source"]["port"] == "0"
        device.port(1, "0")
        device.port(0, "0")
        assert (await notified(socket))["message"] == {"source": {"port": "0"}, "key": {}, "data": {"state": "0"}}


def configuring(filters: str) -> str:
    return f'{{"apiVersion": "1.0", "method": "events:configure", "params": {{"eventFilterList": {filters}}}}}'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 2101),
        ("{", 2101),
        ("[]", 2101),
        ('{"apiVersion": "1.0", "method": "events:configure", "method": "x"}', 2101),
        ('{"a":' * 100 + "1" + "}" * 100, 2101),
        ('{"apiVersion": "9.0", "method": "events:configure"}', 2100),
        ('{"apiVersion": "1.0", "method": "events:other"}', 2102),
        ('{"apiVersion": "1.0"}', 2103),
        ('{"method": "events:configure"}', 2103),
        ('{"apiVersion": "1.0", "method": "events:configure"}', 2103),
        (configuring('{}'), 2104),
        (configuring('[1]'), 2104),
        (configuring('[{"topicFilter": 1}]'), 2104),
        (configuring('[{"topicFilter": "a b"}]'), 2104),
        (configuring('[{"contentFilter": "x"}]'), 2104),
        (configuring("[" + ",".join(["{}"] * (MAX_FILTERS + 1)) + "]"), 2104),
        (" " * (MAX_MESSAGE + 1), 2107),
    ],
)  # fmt: skip
async def test_errors_leave_the_filters_as_they_are(device: Device, text: str, code: int) -> None:
    async with opened(device) as socket:
        assert (await call(socket))["data"] == {}
        await socket.send_str(text)
        reply = await socket.receive_json()
        assert reply["error"]["code"] == code, reply
        device.port(0)
        assert (await notified(socket))["topic"] == IO_PORT


async def test_errors_name_the_field(device: Device) -> None:
    async with opened(device) as socket:
        reply = await call(socket, [{}, {"topicFilter": "tns1:a b"}])
        assert reply["error"]["message"].startswith(
            "Invalid parameter value: params.eventFilterList[1].topicFilter: at 6"
        )
        reply = await call(socket, None)
        assert reply["error"]["message"].endswith("params.eventFilterList")


async def test_a_token_lets_in_once(device: Device) -> None:
    reply = await device.request("GET", "/axis-cgi/wssession.cgi", user="view", digest=True, secure=False)
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("text/plain")
    path = f"/vapix/ws-data-stream?wssession={reply.text}&sources=events"
    async with opened(device, path, login=False) as socket:
        assert (await call(socket))["data"] == {}
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        async with opened(device, path, login=False):
            pass
    assert raised.value.status == 401


async def test_a_token_is_too_old_after_fifteen_seconds(device: Device) -> None:
    reply = await device.request("GET", "/axis-cgi/wssession.cgi", user="view")
    device.clock.advance(15.001)
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        async with opened(device, PATH + "&wssession=" + reply.text, login=False):
            pass
    assert raised.value.status == 401
    assert (await device.request("GET", "/axis-cgi/wssession.cgi")).status == 401


async def test_a_digest_login_lets_in(device: Device) -> None:
    middlewares = (aiohttp.DigestAuthMiddleware("root", "pass"),)
    async with (
        aiohttp.ClientSession(middlewares=middlewares) as session,
        session.ws_connect(device.http + PATH) as socket,
    ):
        assert (await call(socket))["data"] == {}


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"login": False}, 401),
        ({"headers": {"Authorization": aiohttp.encode_basic_auth("root", "wrong")}}, 401),
        ({"path": "/vapix/ws-data-stream"}, 400),
        ({"path": "/vapix/ws-data-stream?sources=video"}, 400),
        ({"path": "/vapix/ws-data-stream?sources=events,video"}, 400),
        ({"headers": {"Origin": "https://evil.example"}}, 403),
        ({"headers": {"Sec-Fetch-Site": "cross-site"}}, 403),
    ],
)
async def test_who_is_not_let_in(device: Device, options: dict[str, Any], status: int) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        async with opened(device, **options):
            pass
    assert raised.value.status == status
    assert device.ctx.hub.clients == 0


async def test_what_is_no_websocket(device: Device) -> None:
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
    for method, headers, status in (
        ("GET", {}, 426),
        ("HEAD", {}, 400),
        ("HEAD", {**upgrade, **key}, 400),
        ("POST", {}, 405),
        ("GET", upgrade, 426),
        ("GET", {**upgrade, **key, "Sec-WebSocket-Key": "short"}, 426),
        ("GET", {**upgrade, **key, "Sec-WebSocket-Version": "99"}, 426),
        ("GET", {**key, "Connection": "Upgrade"}, 426),
    ):
        reply = await device.request(method, PATH, user="root", headers=headers)
        assert reply.status == status, (method, headers)
    assert (await device.request("GET", "/axis-cgi/usergroup.cgi", user="root")).status == 200


async def handshake(device: Device, headers: str = "", rest: bytes = b"") -> tuple[bytes, asyncio.StreamReader, Any]:
    """A handshake octet by octet as given, with a token; gives the head of the answer and the connection."""
    token = (await device.request("GET", "/axis-cgi/wssession.cgi", user="root")).text
    host = urlsplit(device.http).netloc
    reader, writer = await asyncio.open_connection(*host.split(":"))
    head = f"GET {PATH}&wssession={token} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    head += f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
    writer.write(head.encode() + rest)
    return await reader.readuntil(b"\r\n\r\n"), reader, writer


@pytest.mark.parametrize(
    ("headers", "rest"),
    [
        ("Content-Length: 5\r\n", b"hello"),
        ("Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"),
    ],
)
async def test_an_upgrade_with_a_body_is_refused(device: Device, headers: str, rest: bytes) -> None:
    answer, reader, writer = await handshake(device, headers, rest)
    assert answer.startswith(b"HTTP/1.1 400 ")
    await reader.read()
    writer.close()


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x89\xfe\xff\xff\x00\x00\x00\x00",
        b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",
        b"\xff" * 100,
        b"\x00" * 100_000,
    ],
)
async def test_frames_that_are_none_end_the_stream(device: Device, noise: bytes) -> None:
    answer, reader, writer = await handshake(device, rest=noise)
    assert answer.startswith(b"HTTP/1.1 101 ")
    with suppress(ConnectionError):
        assert (await reader.read())[:1] == b"\x88"  # a close frame, then the end
    writer.close()
    await settled(lambda: device.ctx.hub.clients == 0)


async def test_messages_are_compressed_where_the_client_can(device: Device) -> None:
    async with opened(device, compress=15) as socket:
        assert socket.compress == 15
        await call(socket)
        device.port(0)
        assert (await notified(socket))["topic"] == IO_PORT
    async with opened(device) as socket:
        assert not socket.compress


@pytest.mark.parametrize("compress", [0, 15])
async def test_a_message_beyond_all_measure_ends_the_stream(device: Device, compress: int) -> None:
    async with opened(device, compress=compress) as socket:
        await socket.send_str(" " * (MAX_TAKEN + 1))
        message = await socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.MESSAGE_TOO_BIG)
    await settled(lambda: device.ctx.hub.clients == 0)
    assert device.ctx.hub.ended["protocol"] == 1


async def test_a_binary_message_ends_the_stream(device: Device) -> None:
    async with opened(device) as socket:
        await socket.send_bytes(b"{}")
        message = await socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.UNSUPPORTED_DATA)


async def test_a_viewer_is_not_told_of_people(device: Device) -> None:
    async with opened(device, user="view") as viewer, opened(device) as admin:
        for socket in (viewer, admin):
            await call(socket)
        device.ledger.do(lambda tx: tx.publish(NewEvent(topic=ENTRY_GRANTED, data={"name": "Ada"})))
        device.port(0)
        assert (await notified(viewer))["topic"] == IO_PORT
        assert (await notified(admin))["topic"] == ENTRY_GRANTED


async def test_a_removed_account_ends_its_stream(device: Device) -> None:
    async with opened(device, user="view") as socket:
        await call(socket)
        device.ledger.do(lambda tx: device.accounts.remove(tx, "view"))
        device.port(0)
        message = await socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.POLICY_VIOLATION)
        assert message.extra == "account"


async def test_the_number_of_clients_is_limited(device: Device) -> None:
    device.ctx.hub.limit = 1
    async with opened(device):
        with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
            async with opened(device):
                pass
        assert raised.value.status == 503
    await settled(lambda: device.ctx.hub.clients == 0)
    async with opened(device):
        assert device.ctx.hub.ended == {"refused": 1, "client": 1}


async def test_a_client_that_vanishes_leaves_nothing_behind(device: Device) -> None:
    async with opened(device) as socket:
        await call(socket)
        connection = socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()
        await settled(lambda: device.ctx.hub.clients == 0)
    assert not device.ctx.streams
    device.port(0)


async def test_a_client_that_does_not_read_is_dropped_and_delays_nobody(
    device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    hub = device.ctx.hub
    hub.send_timeout = 0.2  # wall clock: how long a message may lie unread is the subject
    async with opened(device) as deaf, opened(device) as other:
        await call(deaf)
        await call(other)
        assert deaf._response.connection is not None
        assert deaf._response.connection.transport is not None
        deaf._response.connection.transport.pause_reading()  # type: ignore[attr-defined]
        sent, fill = 0, "x" * 20_000
        while not hub.ended["slow"]:
            device.port(0, f"{sent} {fill}")
            assert (await notified(other))["message"]["data"]["state"].startswith(f"{sent} ")
            sent += 1
            assert len(device.ctx.streams) <= 2
            assert all(len(stream._events) <= 1000 for stream in device.ctx.streams)
        await settled(lambda: hub.clients == 1)
        device.port(0, "end")
        assert (await notified(other))["message"]["data"] == {"state": "end"}
        deaf._response.connection.transport.abort()
    assert "event stream of root at 127.0.0.1 ended: slow" in caplog.text


async def test_a_silent_client_is_pinged_and_then_ended(device: Device) -> None:
    device.ctx.hub.heartbeat = 0.05  # wall clock: keep-alive is the subject
    async with opened(device, autoping=False) as socket:
        assert (await socket.receive()).type is aiohttp.WSMsgType.PING
        await settled(lambda: device.ctx.hub.ended["silent"] == 1)
    device.ctx.hub.heartbeat = 3.0  # wall clock: half of it is what an answer may take, also on a busy machine
    async with opened(device, autoping=False) as socket:
        await call(socket)
        for _ in range(2):  # who answers the first one lives to see the second
            ping = await socket.receive()
            assert ping.type is aiohttp.WSMsgType.PING
            await socket.pong(ping.data)
        device.port(0)
        assert json.loads((await socket.receive()).data)["method"] == "events:notify"


async def test_the_end_of_the_server_ends_streams(device: Device) -> None:
    async with opened(device) as socket:
        await call(socket)
        stopping = asyncio.create_task(device.server.stop())
        message = await socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)
        await stopping


async def test_it_is_found_in_api_discovery(device: Device) -> None:
    body = {"apiVersion": "1.0", "method": "getApiList", "params": {"id": "event-streaming-over-websocket"}}
    reply = await device.request("POST", "/axis-cgi/apidiscovery.cgi", json=body)
    (api,) = json.loads(reply.body)["data"]["apiList"]
    assert (api["version"], api["status"]) == ("1.0", "official")
