"""Event streams of a started device: Home Assistant's client library over RTSP, websockets as its newer releases use
them, and clients that mean harm."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import axis.rtsp
import httpx
import pytest
from axis.device import AxisDevice
from axis.models.configuration import Configuration
from axis.models.event import Event, EventOperation, EventTopic
from axis.rtsp import Signal, State

from axcore.interfaces.cli.instance import Instance
from axcore.model.events import IO_PORT, IO_VIRTUAL_INPUT, RELAY
from axcore.testing.rtsp import RtspClient, items

TIMEOUT = 120.0
DOOR = "4"
STREAM = "/vapix/ws-data-stream?sources=events"


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    with Instance() as device:
        device.start()
        device.create_admin()
        client = device.client()
        viewer = {"action": "add", "user": "watcher", "pwd": "watching 1", "grp": "users", "sgrp": "viewer"}
        client.text("POST", "/axis-cgi/pwdgrp.cgi", viewer)
        yield device


class Home:
    """What a Home Assistant sees through the library."""

    def __init__(self, device: AxisDevice) -> None:
        self.device = device
        self.signals: list[Signal] = []
        self.events: list[Event] = []
        self.documents: list[dict[str, Any]] = []
        device.stream.connection_status_callback.append(self.signals.append)
        device.event.subscribe(self.events.append)
        handler = device.event.handler
        device.event.handler = lambda data: (self.documents.append(items(data)), handler(data))[1]
        device.enable_events()

    async def until(self, what: Callable[[], Any]) -> Any:
        async with asyncio.timeout(TIMEOUT):
            while not (found := what()):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return found

    def seen(self, topic: EventTopic, port: str, state: str, operation: EventOperation) -> bool:
        return any((e.topic_base, e.id, e.state, e.operation) == (topic, port, state, operation) for e in self.events)

    def told(self, topic: str, source: dict[str, str], data: dict[str, str], operation: str) -> bool:
        wanted = {"topic": topic, "source": source, "data": data, "operation": operation}
        return any(wanted.items() <= document.items() for document in self.documents)


@asynccontextmanager
async def home(instance: Instance, monkeypatch: pytest.MonkeyPatch, user: str = "") -> AsyncIterator[Home]:
    """The library, started as Home Assistant does it. Its RTSP port is fixed: a redirect stands in its place."""
    monkeypatch.setattr(axis.rtsp, "RTSP_PORT", urlsplit(instance.running.rtsp).port)
    url = httpx.URL(instance.running.http)
    name, password = (user, "watching 1") if user else (instance.user, instance.password)
    async with httpx.AsyncClient(verify=False) as session:
        device = AxisDevice(Configuration(session, url.host, port=url.port or 80, username=name, password=password))
        await device.vapix.initialize()
        found = Home(device)
        device.stream.start()
        try:
            await found.until(lambda: Signal.PLAYING in found.signals)
            yield found
        finally:
            device.stream.stop()


@pytest.mark.parametrize("user", ["", "watcher"])
async def test_home_assistant_gets_initial_states_and_changes(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    async with home(instance, monkeypatch, user) as seen:
        first, change = EventOperation.INITIALIZED, EventOperation.CHANGED
        for number in ("0", "1", "2", "3"):
            await seen.until(lambda number=number: seen.seen(EventTopic.PORT_INPUT, number, "0", first))
        await seen.until(lambda: seen.seen(EventTopic.RELAY, DOOR, "inactive", first))
        for number in range(1, 65):
            source = {"port": str(number)}
            await seen.until(lambda s=source: seen.told(IO_VIRTUAL_INPUT, s, {"active": "0"}, "Initialized"))
        assert len([d for d in seen.documents if d["operation"] == "Initialized"]) == len(
            {(d["topic"], tuple(d["source"].items())) for d in seen.documents}
        )
        with instance.board() as board:
            await asyncio.to_thread(board.call, "input", port=1, active=True)
            await seen.until(lambda: seen.seen(EventTopic.PORT_INPUT, "0", "1", change))
            await asyncio.to_thread(board.call, "input", port=1, active=False)
            await seen.until(lambda: seen.seen(EventTopic.PORT_INPUT, "0", "0", change))
        client = instance.client()
        for state, word in (("closed", "active"), ("open", "inactive")):
            ports = {"ports": [{"port": DOOR, "state": state}]}
            await asyncio.to_thread(client.ajr, "io/portmanagement", "setPorts", ports)
            await seen.until(lambda w=word: seen.seen(EventTopic.RELAY, DOOR, w, change))
        for verb, value in (("activate", "1"), ("deactivate", "0")):
            path = f"/axis-cgi/virtualinput/{verb}.cgi"
            await asyncio.to_thread(client.text, "GET", path, {"schemaversion": "1", "port": "7"})
            await seen.until(lambda v=value: seen.told(IO_VIRTUAL_INPUT, {"port": "7"}, {"active": v}, "Changed"))


async def test_the_keep_alive_of_home_assistant_is_answered(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with home(instance, monkeypatch) as seen:
        client = seen.device.stream.stream
        assert client is not None
        assert client.session.session_timeout == 60
        playing = len(seen.signals)
        client.keep_alive()
        await seen.until(lambda: len(seen.signals) > playing)
        assert client.session.status_code == 200
        assert client.session.state is State.PLAYING
        assert client.session.stale is False
        assert Signal.FAILED not in seen.signals


# --- websockets


def as_library(notification: dict[str, Any]) -> tuple[str, str, str]:
    """Topic, id and state, as the library's releases with websockets take them out of a notification."""
    message = notification["message"]
    data = message["data"]
    state = data["active"] if "active" in data else next(iter(data.values()), "")
    return notification["topic"], str(next(iter(message["source"].values()), "")), state


async def read_until(socket: aiohttp.ClientWebSocketResponse, wanted: set[tuple[str, str, str]]) -> None:
    async with asyncio.timeout(TIMEOUT):
        while wanted:
            message = json.loads((await socket.receive()).data)
            assert message["method"] == "events:notify"
            wanted.discard(as_library(message["params"]["notification"]))


async def configured(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Subscribe to everything; the reply is the next message."""
    filters = {"eventFilterList": [{"topicFilter": "//."}]}
    call = {"apiVersion": "1.0", "context": "axis-py", "method": "events:configure", "params": filters}
    await socket.send_json(call)
    assert "error" not in json.loads((await socket.receive()).data)


@pytest.mark.parametrize("way", ["token", "digest", "basic"])
async def test_websocket_clients_get_initial_states_and_changes(instance: Instance, way: str) -> None:
    base = instance.running.https if way == "basic" else instance.running.http
    digest = aiohttp.DigestAuthMiddleware(instance.user, instance.password)
    path, headers = STREAM, {}
    async with aiohttp.ClientSession() as plain, aiohttp.ClientSession(middlewares=(digest,)) as session:
        async with plain.post(base + "/axis-cgi/apidiscovery.cgi", ssl=False, json={
            "apiVersion": "1.0", "context": "Axis library", "method": "getApiList",
        }) as reply:  # fmt: skip
            ids = [api["id"] for api in (await reply.json())["data"]["apiList"]]
        assert "event-streaming-over-websocket" in ids
        if way == "token":
            async with session.get(base + "/axis-cgi/wssession.cgi") as reply:
                path += "&wssession=" + (await reply.text()).strip()
        elif way == "basic":
            headers["Authorization"] = aiohttp.encode_basic_auth(instance.user, instance.password)
        opener = session if way == "digest" else plain
        async with opener.ws_connect(base + path, heartbeat=15, ssl=False, headers=headers) as socket:
            await configured(socket)
            states = {(IO_PORT, str(n), "0") for n in range(4)} | {
                (IO_VIRTUAL_INPUT, str(n), "0") for n in range(1, 65)
            }
            await read_until(socket, states | {(RELAY, "4", "inactive"), (RELAY, "5", "inactive")})
            with instance.board() as board:
                for active in (True, False):
                    await asyncio.to_thread(board.call, "input", port=2, active=active)
                    await read_until(socket, {(IO_PORT, "1", str(int(active)))})


# --- life


async def test_a_killed_rtsp_service_comes_back_on_its_port(instance: Instance) -> None:
    async with RtspClient(instance.running.rtsp, instance.user, instance.password) as client:
        await client.play()
        with instance.board() as board:
            await asyncio.to_thread(board.call, "drop", service="rtsp")
        while True:
            channel, data = await client.raw()
            if channel == 1 and data[-7] == 203:
                break
        assert await client.reader.read() == b""
    async with asyncio.timeout(TIMEOUT):
        while True:
            try:
                async with RtspClient(instance.running.rtsp, instance.user, instance.password) as client:
                    await client.play()
                    assert items(await client.packet())["operation"] == "Initialized"
                    break
            except OSError:
                await asyncio.sleep(0.02)


def test_rtsp_can_be_off_and_status_tells(device: Instance) -> None:
    device.arguments = ("--rtsp-port", "off")
    device.start()
    assert device.running.rtsp == ""
    device.stop()
    device.arguments = ()
    device.start()
    command = [sys.executable, "-m", "axcore", "status", "--data-dir", str(device.data_dir)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout
    assert device.running.rtsp in told
    assert device.running.rtsp in device.output()


# --- harm


def resident(instance: Instance) -> int:
    """Resident memory in octets."""
    text = Path(f"/proc/{instance.pid}/status").read_text()
    return 1024 * int(text.partition("VmRSS:")[2].split()[0])


def attack(address: tuple[str, int], data: bytes, *, read: bool = True) -> bytes:
    """Send octets, perhaps more than are taken; gives the beginning of the answer."""
    with socket.create_connection(address, timeout=TIMEOUT) as sock, suppress(ConnectionError):
        sock.sendall(data)
        return sock.recv(4096) if read else b""
    return b""


def test_hostile_clients_cost_little_and_delay_nobody(instance: Instance) -> None:
    parts = urlsplit(instance.running.rtsp)
    address = (parts.hostname or "", parts.port or 0)
    head = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n"
    before = resident(instance)
    held = []
    for _ in range(300):  # more than there are places for; each holds half a request
        sock = socket.create_connection(address, timeout=TIMEOUT)
        sock.sendall(head)
        held.append(sock)
    for _ in range(20):
        assert b" 400 " in attack(address, head + b"X: 1\r\n" * 10_000 + b"\r\n") + b" 400 "
        assert b" 413 " in attack(address, head + b"Content-Length: 99999999\r\n\r\n")
        assert b" 400 " in attack(address, b"$\x00\xff\xff" + b"x" * 70_000) + b" 400 "
        attack(address, (head + b"\r\n") * 5000, read=False)
        attack(address, b"\x00" * 300_000)
        attack(address, b"DESCRIBE rtsp://h/axis-media/media.amp?event=on RTSP/1.0\r\nCSeq: 1\r\n\r\n", read=False)
    answer = attack(address, b"SETUP rtsp://h/axis-media/media.amp?event=on RTSP/1.0\r\nCSeq: 1\r\nSession: 1\r\n\r\n")
    assert b" 401 " in answer
    assert b" 200 " in attack(address, head + b"\r\n")
    with instance.board() as board:
        board.call("rex", active=True)
        instance.tap.expect("relay1", True, TIMEOUT)
        board.call("rex", active=False)
    for sock in held:
        sock.close()
    assert resident(instance) - before < 32 << 20


def test_a_stream_that_nobody_reads_does_not_grow(instance: Instance) -> None:
    async def flood() -> int:
        headers = {"Authorization": aiohttp.encode_basic_auth(instance.user, instance.password)}
        async with (
            aiohttp.ClientSession() as session,
            RtspClient(instance.running.rtsp, instance.user, instance.password) as player,
        ):
            await player.play()
            socket = await session.ws_connect(instance.running.https + STREAM, ssl=False, headers=headers)
            await configured(socket)
            reader = await session.ws_connect(instance.running.https + STREAM, ssl=False, headers=headers)
            await configured(reader)
            await read_until(reader, {(IO_VIRTUAL_INPUT, "64", "0")})
            assert socket._response.connection is not None
            assert socket._response.connection.transport is not None
            socket._response.connection.transport.pause_reading()  # type: ignore[attr-defined]
            player.writer.transport.pause_reading()  # type: ignore[attr-defined]
            before = resident(instance)
            client = instance.client()
            for number in range(700):
                for verb, value in (("activate", "1"), ("deactivate", "0")):
                    path, fields = f"/axis-cgi/virtualinput/{verb}.cgi", {"schemaversion": "1", "port": "9"}
                    await asyncio.to_thread(client.text, "GET", path, fields)
                    if number % 20 == 0:
                        await read_until(reader, {(IO_VIRTUAL_INPUT, "9", value)})
            grown = resident(instance) - before
            socket._response.connection.transport.abort()
            player.writer.transport.abort()
            await reader.close()
            return grown

    assert asyncio.run(flood()) < 16 << 20
