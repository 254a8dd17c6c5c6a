"""Event streams, sentence by sentence: VAPIX *Event data streaming* (RTSP), VAPIX *Event streaming over WebSocket*, and
what clients in the field rely on."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
import pytest
import pytest_asyncio
from axis.models.event import Event
from axis.rtsp import RTSPMethods, RTSPSession, State

from axcore.interfaces.rtsp.server import RtspOptions, RtspServer
from axcore.model.accounts import Role
from axcore.model.events import IO_OUTPUT_PORT, IO_PORT, RELAY, NewEvent
from axcore.testing.http import HttpDevice
from axcore.testing.rtsp import RtspClient, items

STREAM = "/vapix/ws-data-stream"


class Device(HttpDevice):
    rtsp: RtspServer

    def tell(self, topic: str, source: dict[str, str], data: dict[str, str], *, is_property: bool = True) -> None:
        event = NewEvent(topic=topic, source=source, data=data, is_property=is_property)
        self.ledger.do(lambda tx: tx.publish(event))


@pytest_asyncio.fixture
async def device(tmp_path: Path) -> AsyncIterator[Device]:
    async with Device(tmp_path) as device:
        device.add_account("root", "pass")
        device.add_account("view", "pass", Role.VIEWER)
        device.rtsp = RtspServer(device.ctx, RtspOptions(ports=(0,)))
        await device.rtsp.start()
        device.tell(IO_PORT, {"port": "0"}, {"state": "0"})
        device.tell(IO_PORT, {"port": "1"}, {"state": "1"})
        device.tell(RELAY, {"RelayToken": "4"}, {"LogicalState": "inactive"})
        yield device
        await device.rtsp.stop()


# --- Event data streaming: RTSP


async def documents(device: Device, query: str, count: int) -> list[dict[str, Any]]:
    async with RtspClient(device.rtsp.url, "view", "pass", udp=True) as client:
        await client.play(query)
        return [items(await client.packet()) for _ in range(count)]


async def test_on_play_every_stateful_event_is_sent_once_as_initialized(device: Device) -> None:
    """Event data streaming, "Initial state"."""
    found = await documents(device, "video=0&audio=0&event=on", 3)
    assert [(d["topic"], d["operation"]) for d in found] == [
        (IO_PORT, "Initialized"), (IO_PORT, "Initialized"), (RELAY, "Initialized"),
    ]  # fmt: skip


async def test_changes_are_sent_as_changed_and_pulses_without_operation(device: Device) -> None:
    """Event data streaming, "PropertyOperation"."""
    async with RtspClient(device.rtsp.url, "view", "pass", udp=True) as client:
        await client.play()
        for _ in range(3):
            await client.packet()
        device.tell(IO_PORT, {"port": "0"}, {"state": "1"})
        device.tell("tns1:Device/tnsaxis:X", {}, {}, is_property=False)
        assert [items(await client.packet())["operation"] for _ in range(2)] == ["Changed", ""]


@pytest.mark.parametrize(
    ("query", "ports"),
    [
        ("event=on&eventtopic=onvif:Device/axis:IO//.", ["0", "1"]),
        ("event=on&eventtopic=onvif:Device/Trigger/Relay|onvif:Device/axis:IO/Port", ["0", "1", "4"]),
        ("event=on&eventtopic=onvif%3ADevice%2Faxis%3AIO%2FPort", ["0", "1"]),
        ('event=on&eventcontent=boolean(//SimpleItem[@Name=%22port%22%20and%20@Value=%221%22])', ["1"]),
    ],
)  # fmt: skip
async def test_topic_and_content_filters(device: Device, query: str, ports: list[str]) -> None:
    """Event data streaming, "eventtopic" and "eventcontent": path, trailing //., alternatives, boolean()."""
    async with RtspClient(device.rtsp.url, "view", "pass", udp=True) as client:
        await client.play(query)
        found = [items(await client.packet()) for _ in ports]
        assert [next(iter(d["source"].values())) for d in found] == ports
        device.tell(IO_OUTPUT_PORT, {"port": "9"}, {"state": "1"})
        device.tell(IO_PORT, {"port": "1"}, {"state": "0"})
        last = items(await client.packet())
        assert last["source"]["port"] == ("9" if query.endswith("IO//.") else "1")


async def test_a_datagram_is_a_header_of_12_octets_and_one_whole_document(device: Device) -> None:
    """RFC 3550, 5.1: no extension, no contributing sources; clients cut 12 octets off and parse the rest."""
    async with RtspClient(device.rtsp.url, "view", "pass", udp=True) as client:
        await client.play()
        numbers = []
        for _ in range(3):
            _, packet = await client.raw()
            assert packet[:2] == b"\x80\xe2"  # version 2, marker, payload type 98
            assert ET.fromstring(packet[12:]).tag == "{http://www.onvif.org/ver10/schema}MetadataStream"
            assert Event.decode(packet[12:]).operation == "Initialized"
            numbers.append(int.from_bytes(packet[2:4], "big"))
        assert [(n - numbers[0]) & 0xFFFF for n in numbers] == [0, 1, 2]


async def test_the_library_of_home_assistant_gets_through_its_own_steps(device: Device) -> None:
    """Its session class reads each reply as it comes in; its requests are sent as it words them."""
    host = f"127.0.0.1:{device.rtsp.url.rpartition(':')[2]}"
    url = "rtsp://127.0.0.1/axis-media/media.amp?video=0&audio=0&event=on"
    session = RTSPSession(url, host, "view", "pass")
    session.rtp_port, session.rtcp_port = 50000, 50001  # type: ignore[assignment]
    methods = RTSPMethods(session)
    seen = []
    async with RtspClient(device.rtsp.url) as client:
        while session.state is State.STARTING:
            await client.send(methods.message.encode())
            text = await client.reader.read(65536)  # one reply in one piece
            assert text.count(b"RTSP/1.0 ") == 1
            method = session.method
            session.update(text.decode())
            seen.append((method, session.status_code))
            assert len(seen) < 9
        await client.send(methods.KEEP_ALIVE().encode())
        assert (await client.reply()).status == 200
    assert seen == [("OPTIONS", 200), ("DESCRIBE", 401), ("DESCRIBE", 200), ("SETUP", 200), ("PLAY", 200)]
    assert session.session_timeout == 60
    assert session.stale is False
    assert session.control_url == "rtsp://127.0.0.1/axis-media/media.amp/stream=events?video=0&audio=0&event=on"
    assert session.transport_ack is not None
    assert session.transport_ack.startswith("RTP/AVP;unicast;client_port=50000-50001;server_port=")


async def test_the_session_line_ends_after_the_timeout(device: Device) -> None:
    """RFC 2326, 12.37; clients cut at the equals sign."""
    async with RtspClient(device.rtsp.url, "view", "pass") as client:
        reply = await client.play()
        assert re.fullmatch(r"[0-9a-f]{16};timeout=60", reply.headers["session"])


async def test_a_viewer_may_stream_and_nobody_else(device: Device) -> None:
    """Network settings, "Authentication": RTSP asks for digest."""
    async with RtspClient(device.rtsp.url) as client:
        for method in ("DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER"):
            reply = await client.request(method, client.target(), Transport=client.transport)
            assert reply.status == 401
            assert reply.headers["www-authenticate"].startswith("Digest ")


# --- Event streaming over WebSocket


@asynccontextmanager
async def connected(device: Device, query: str, user: str = "") -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    middlewares = (aiohttp.DigestAuthMiddleware(user, "pass"),) if user else ()
    async with (
        aiohttp.ClientSession(middlewares=middlewares) as session,
        session.ws_connect(f"{device.http}{STREAM}?{query}") as socket,
    ):
        yield socket


async def configure(socket: aiohttp.ClientWebSocketResponse, *filters: dict[str, str], **more: str) -> Any:
    call = {"apiVersion": "1.0", "method": "events:configure", "params": {"eventFilterList": filters}, **more}
    await socket.send_json(call)
    return await socket.receive_json()


async def test_a_connection_is_opened_with_digest(device: Device) -> None:
    """ "Establish WebSocket connection"."""
    async with connected(device, "sources=events", "view") as socket:
        assert await configure(socket, {"topicFilter": "tns1:Device/tnsaxis:IO/Port"}, context="c") == {
            "apiVersion": "1.0", "context": "c", "method": "events:configure", "data": {},
        }  # fmt: skip


async def test_a_session_token_is_plain_text_for_one_connection_within_15_seconds(device: Device) -> None:
    """ "Session token"."""
    reply = await device.request("GET", "/axis-cgi/wssession.cgi", user="view", digest=True, secure=False)
    assert reply.headers["Content-Type"].partition(";")[0] == "text/plain"
    device.clock.advance(15)
    async with connected(device, f"sources=events&wssession={reply.text}") as socket:
        assert "data" in await configure(socket)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with connected(device, f"sources=events&wssession={reply.text}"):
            pass


async def test_notifications_have_string_values_and_begin_with_the_states(device: Device) -> None:
    """ "events:notify"."""
    async with connected(device, "sources=events", "view") as socket:
        await configure(socket, {"topicFilter": "onvif:Device/axis:IO/Port"})
        message = await socket.receive_json()
        notification = message["params"]["notification"]
        assert (message["method"], set(message)) == ("events:notify", {"apiVersion", "method", "params"})
        assert isinstance(notification["timestamp"], int)
        assert notification["topic"] == IO_PORT
        assert notification["message"] == {"source": {"port": "0"}, "key": {}, "data": {"state": "0"}}


async def test_only_the_latest_filter_applies(device: Device) -> None:
    """ "events:configure"."""
    async with connected(device, "sources=events", "view") as socket:
        await configure(socket, {"topicFilter": "axis:Nothing"})
        await configure(socket, {"topicFilter": "onvif:Device/Trigger/Relay"})
        device.tell(IO_PORT, {"port": "0"}, {"state": "1"})
        device.tell(RELAY, {"RelayToken": "4"}, {"LogicalState": "active"})
        for state in ("inactive", "active"):
            message = (await socket.receive_json())["params"]["notification"]["message"]
            assert message["data"] == {"LogicalState": state}


async def test_an_event_that_matches_two_filters_is_sent_twice(device: Device) -> None:
    """ "events:configure"."""
    async with connected(device, "sources=events", "view") as socket:
        content = 'boolean(//SimpleItem[@Name="port" and @Value="1"])'
        await configure(socket, {"topicFilter": "tns1:Device/tnsaxis:IO/Port"}, {"contentFilter": content})
        ports = [(await socket.receive_json())["params"]["notification"]["message"]["source"]["port"] for _ in range(3)]
        assert ports == ["0", "1", "1"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"apiVersion":"2.0","method":"events:configure","params":{"eventFilterList":[]}}', 2100),
        ("not json", 2101),
        ('{"apiVersion":"1.0","method":"events:nothing"}', 2102),
        ('{"apiVersion":"1.0","method":"events:configure","params":{}}', 2103),
        ('{"apiVersion":"1.0","method":"events:configure","params":{"eventFilterList":[{"topicFilter":"["}]}}', 2104),
    ],
)
async def test_error_codes(device: Device, text: str, code: int) -> None:
    """ "General error codes"."""
    async with connected(device, "sources=events", "view") as socket:
        await socket.send_str(text)
        assert (await socket.receive_json())["error"]["code"] == code
