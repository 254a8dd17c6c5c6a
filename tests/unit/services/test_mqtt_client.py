"""The MQTT client against a broker in the same loop: delivery, order, loss, changes while it runs, the socket."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from stubs import Device

from axcore.model import events
from axcore.model.events import NewEvent
from axcore.model.mqtt import (
    ClientRequest,
    EventFilter,
    Message,
    Publication,
    Server,
    StatusMessage,
    Subscription,
    Subscriptions,
    Tls,
)
from axcore.services.mqtt import client as module
from axcore.services.mqtt import link as links
from axcore.services.mqtt.client import MqttClient
from axcore.testing.mosquitto import Authority
from axcore.testing.mqtt_broker import FaultBroker, publish

SILENT = StatusMessage(use_default=False)
IO = "axis/B8A44F00A0B1/event/onvif:Device/axis:IO/Port"


async def until(probe: Callable[[], Any]) -> None:
    """Let the loop turn until something is true; the test's own timeout ends it."""
    while not probe():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0)


@asynccontextmanager
async def running(device: Device, broker: FaultBroker, **config: Any) -> AsyncIterator[MqttClient]:
    given = {"connect_message": SILENT, "connect_timeout": 5, "last_will_testament": SILENT, **config}
    server = given.pop("server", Server(host="127.0.0.1", port=broker.port))
    device.ledger.do(lambda tx: device.mqtt.configure(tx, ClientRequest(server=server, **given)))
    device.ledger.do(device.mqtt.activate)
    client = MqttClient(device.mqtt, device.bus, device.ledger)
    task = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Device:
    monkeypatch.setattr("axcore.services.mqtt.backoff.FIRST_S", 0.01)
    monkeypatch.setattr("axcore.services.mqtt.backoff.LEAST_S", 0.01)
    return Device()


def set_publication(device: Device, **config: Any) -> None:
    device.ledger.do(lambda tx: device.mqtt.set_publication(tx, Publication(**config)))


def port_event(device: Device, number: int, *, is_property: bool = True) -> None:
    event = NewEvent(topic=events.IO_PORT, source={"port": "0"}, data={"state": str(number)}, is_property=is_property)
    device.ledger.do(lambda tx: tx.publish(event))


def states(broker: FaultBroker) -> list[int]:
    return [int(json.loads(p)["message"]["data"]["state"]) for topic, p, _ in broker.received if topic == IO]


def connected(device: Device) -> Callable[[], bool]:
    return lambda: device.mqtt.connection == "connected"


async def test_no_delay_is_set_on_the_live_socket(device: Device) -> None:
    async with FaultBroker() as broker, running(device, broker) as client:
        await until(connected(device))
        assert client.link is not None
        assert client.link.socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


@pytest.mark.parametrize("through_proxy", [False, True])
@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("secure", [False, True])
async def test_no_delay_is_set_under_tls_frames_and_a_proxy(
    monkeypatch: pytest.MonkeyPatch, secure: bool, frames: bool, through_proxy: bool
) -> None:
    """asyncio sets it on its own; here it is taken away first, so that only we can have set it."""
    ours = links.no_delay

    def take_away_first(transport: Any) -> None:
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        ours(transport)

    monkeypatch.setattr(links, "no_delay", take_away_first)
    async with Web(secure) as web, Proxy(web.port) as proxy:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        tls.set_alpn_protocols(["x-amzn-mqtt-ca"])
        target = links.Target(
            "127.0.0.1", web.port, tls if secure else None, frames, "mqtt",
            f"http://u:p@127.0.0.1:{proxy.port}" if through_proxy else "",
        )  # fmt: skip
        link = await links.open_link(target)
        assert link.socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert link.alpn() == ("x-amzn-mqtt-ca" if secure else None)
        assert proxy.asked == (["CONNECT"] if through_proxy else [])
        link.abort()


class Peer:
    """A server whose connections end with it."""

    def __init__(self) -> None:
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def context(self) -> ssl.SSLContext | None:
        return None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> Any:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _ in range(5):
            await asyncio.sleep(0)  # transports tell that they are closed

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            await self.serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()


class Web(Peer):
    """Answers every web socket request, over TLS or not."""

    def __init__(self, secure: bool) -> None:
        super().__init__()
        self._secure = secure

    def context(self) -> ssl.SSLContext | None:
        if not self._secure:
            return None
        authority = Authority()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(authority.server + authority.server_key)
            file.flush()
            context.load_cert_chain(file.name)
        context.set_alpn_protocols(["x-amzn-mqtt-ca"])
        return context

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = head.partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0]
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        accept = base64.b64encode(digest).decode()
        writer.write(
            f"HTTP/1.1 101 ok\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n"
            "Sec-WebSocket-Protocol: mqtt\r\n\r\n".encode()
        )
        await reader.read(-1)


class Proxy(Peer):
    """An HTTP proxy that knows CONNECT and wants a login."""

    def __init__(self, to: int) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._to = to

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert "Proxy-Authorization: Basic dTpw\r\n" in head
        self.asked.append(head.split()[0])
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        writer.write(b"HTTP/1.1 200 ok\r\n\r\n")

        async def pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            try:
                while data := await source.read(65536):
                    sink.write(data)
            finally:
                sink.transport.abort()

        await asyncio.gather(pipe(reader, far_writer), pipe(far_reader, writer))


async def test_events_go_out_and_states_first(device: Device) -> None:
    port_event(device, 1)
    set_publication(device, event_filter_list=(EventFilter(topic_filter="onvif:Device/axis:IO/Port", qos=1),))
    async with FaultBroker() as broker, running(device, broker):
        await until(lambda: states(broker) == [1])
        for number in range(2, 50):
            port_event(device, number)
        await until(lambda: len(states(broker)) == 49)
        assert states(broker) == list(range(1, 50))


@pytest.mark.parametrize("qos", [1, 2])
async def test_below_the_limit_nothing_of_qos_1_is_lost(device: Device, qos: Any) -> None:
    """The broker dies again and again while events happen; each arrives, the last one last."""
    set_publication(device, event_filter_list=(EventFilter(topic_filter="onvif:Device/axis:IO/Port", qos=qos),))
    async with FaultBroker() as broker, running(device, broker):
        await until(connected(device))
        for number in range(1, 201):
            port_event(device, number, is_property=False)
            if number % 40 == 0:
                broker.drop_all()
            if number % 10 == 0:
                await asyncio.sleep(0)
        await until(lambda: set(states(broker)) == set(range(1, 201)))
        assert device.mqtt.outgoing.lost == 0


async def test_above_the_limit_the_loss_is_told(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOSS_EVERY_S", 0.01)
    set_publication(device, event_filter_list=(EventFilter(topic_filter="onvif:Device/axis:IO/Port", qos=1),))
    async with FaultBroker("refused") as broker, running(device, broker):
        await until(lambda: broker.connects)
        for number in range(1500):
            port_event(device, number, is_property=False)
            if number % 100 == 0:
                await asyncio.sleep(0)
        await until(lambda: any(event.topic == events.EVENTS_DROPPED for event in device.ledger.events))
        found = [event.data for event in device.ledger.events if event.topic == events.EVENTS_DROPPED]
        assert found[0]["component"] == "mqtt publication"
        await until(lambda: sum(_lost(device)) == 500)
        broker.fault = "none"
        await until(lambda: len(states(broker)) == 1000)
        assert states(broker) == list(range(1000))


def _lost(device: Device) -> list[int]:
    return [int(event.data["count"]) for event in device.ledger.events if event.topic == events.EVENTS_DROPPED]


async def test_after_an_outage_the_last_state_is_the_present_one(device: Device) -> None:
    filters = (EventFilter(topic_filter="onvif:Device/axis:IO/Port", qos=1, retain="property"),)
    set_publication(device, event_filter_list=filters)
    async with FaultBroker("refused") as broker, running(device, broker):
        await until(lambda: broker.connects)
        for number in (1, 0, 1):
            port_event(device, number)
        broker.fault = "none"
        await until(lambda: len(states(broker)) >= 4)
        assert states(broker) == [1, 0, 1, 1]


async def test_messages_become_events(device: Device) -> None:
    subscriptions = Subscriptions(
        mqtt_filter_list=(Subscription(topic_filter="a/+"), Subscription(topic_filter="s", is_state_data=True))
    )
    device.ledger.do(lambda tx: device.mqtt.set_subscriptions(tx, subscriptions))
    async with FaultBroker() as broker, running(device, broker):
        await until(connected(device))
        for qos in (0, 1):
            await broker.send(publish(b"a/1", b"ring %d" % qos, qos))
        await broker.send(publish(b"a/1", b"old", retain=True) + publish(b"s", b"On", retain=True))
        await until(lambda: any(event.topic == events.MQTT_STATEFUL for event in device.ledger.events))
    found = [event for event in device.ledger.events if event.topic.startswith("tnsaxis:MQTT/Message")]
    assert sorted(event.data["payload"] for event in found) == ["On", "ring 0", "ring 1"]
    status = [event.data["connected"] for event in device.ledger.events if event.topic == events.MQTT_CLIENT_STATUS]
    assert status == ["1", "0"]


async def test_changes_need_no_new_connection(device: Device) -> None:
    async with FaultBroker() as broker, running(device, broker):
        await until(connected(device))
        port_event(device, 7)
        subscriptions = Subscriptions(mqtt_filter_list=(Subscription(topic_filter="new"),))
        device.ledger.do(lambda tx: device.mqtt.set_subscriptions(tx, subscriptions))
        set_publication(device, event_filter_list=(EventFilter(topic_filter="onvif:Device/axis:IO/Port"),))
        await until(lambda: states(broker) == [7])
        await broker.send(publish(b"new", b"x"))
        await until(lambda: any(event.topic == events.MQTT_STATELESS for event in device.ledger.events))
        assert broker.connects == 1


async def test_a_client_that_connects_in_vain_can_be_turned_off_at_once(device: Device) -> None:
    async with FaultBroker("black_hole") as broker, running(device, broker, connect_timeout=120):
        await until(lambda: broker.connects == 1)
        device.ledger.do(device.mqtt.deactivate)
        await until(lambda: not broker.sessions)
        assert device.mqtt.connection == "not connected"


async def test_a_broker_that_owes_an_answer_keeps_nobody(device: Device) -> None:
    async with FaultBroker("no_suback") as broker, running(device, broker):
        await until(connected(device))
        for name in ("a", "b"):
            subscriptions = Subscriptions(mqtt_filter_list=(Subscription(topic_filter=name),))
            device.ledger.do(lambda tx, found=subscriptions: device.mqtt.set_subscriptions(tx, found))  # type: ignore[misc]
        assert device.mqtt.send(Message("t", b"p", 1))
        await until(lambda: ("t", b"p", 1) in broker.received)
        device.ledger.do(device.mqtt.deactivate)
        await until(lambda: not broker.sessions)


async def test_without_auto_reconnect_there_is_one_attempt(device: Device) -> None:
    async with FaultBroker("refused") as broker, running(device, broker, auto_reconnect=False):
        await until(lambda: broker.connects == 1)
        for _ in range(200):
            await asyncio.sleep(0)
        assert broker.connects == 1
        broker.fault = "none"
        device.ledger.do(device.mqtt.activate)
        await until(connected(device))


async def test_a_new_configuration_connects_anew(device: Device) -> None:
    async with FaultBroker() as broker, FaultBroker() as other, running(device, broker):
        await until(connected(device))
        server = Server(host="127.0.0.1", port=other.port)
        device.ledger.do(lambda tx: device.mqtt.configure(tx, ClientRequest(server=server)))
        assert device.mqtt.connection == "disconnected"
        await until(connected(device))
        assert (broker.connects, other.connects) == (1, 1)
        await until(lambda: other.received)
        assert other.received[0] == (
            "axis/B8A44F00A0B1/event/connection", b'{"connected":true,"Description":"Connected"}', 0,
        )  # fmt: skip


async def test_the_end_says_goodbye(device: Device) -> None:
    bye = StatusMessage(use_default=False, topic="bye", message="bye", qos=1)
    async with FaultBroker() as broker:
        async with running(device, broker, disconnect_message=bye):
            await until(connected(device))
        assert broker.received == [("bye", b"bye", 1)]
        await until(lambda: broker.goodbyes == 1)


async def test_a_message_that_waits_is_sent(device: Device) -> None:
    async with FaultBroker() as broker, running(device, broker):
        assert device.mqtt.send(Message("t", b"p", 2))
        await until(lambda: broker.received == [("t", b"p", 2)])


async def test_a_missing_certificate_is_no_crash(device: Device) -> None:
    server = Server(host="127.0.0.1", port=1, protocol="ssl")
    authority = Authority().certificate
    device.ledger.do(lambda tx: device.certificates.add(tx, "ca", authority))
    tls = Tls(validate_server_cert=True, ca_cert_id="ca")
    async with FaultBroker() as broker, running(device, broker, server=server, ssl=tls):
        device.ledger.do(lambda tx: device.certificates.remove(tx, "ca"))
        for _ in range(20):
            await asyncio.sleep(0)
        assert device.mqtt.connection == "disconnected"


def test_nothing_of_the_library_is_loaded_with_the_application() -> None:
    code = (
        "import axcore.app.runner, axcore.services.mqtt.client, sys;"
        "print(*[m for m in sys.modules if m.startswith(('paho', 'aiomqtt'))])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""
