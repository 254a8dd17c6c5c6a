"""System > MQTT, sentence by sentence (door station and strobe siren manuals), and the siren manual's example *Activate
strobe siren over MQTT when camera detects motion*, with a door's relay in place of the siren.

What needs a real broker, TLS, web sockets or ALPN is in ``tests/e2e/test_mqtt.py`` and
``tests/unit/services/test_mqtt_client.py``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from stubs import Device, FakeRequest

from axcore.interfaces.http.vapix import mqtt_client, mqtt_event
from axcore.model import events
from axcore.model.actions import MqttPublish
from axcore.model.events import NewEvent
from axcore.model.mqtt import Message
from axcore.model.rules import Condition, RuleSpec, ToggleIoWhileActive
from axcore.services.mqtt.client import MqttClient
from axcore.testing.mqtt_broker import FaultBroker, publish

PREFIX = "axis/B8A44F00A0B1"


@pytest.fixture
def device() -> Device:
    return Device()


async def call(device: Device, method: str, params: dict[str, Any] | None = None) -> Any:
    api = mqtt_client if "Client" in method else mqtt_event
    body = {"apiVersion": "1.0", "method": method, "params": params or {}}
    response = await api.API.serve(FakeRequest(body=msgspec.json.encode(body)), device)  # type: ignore[arg-type]
    reply = msgspec.json.decode(response.body)  # type: ignore[arg-type]
    assert "error" not in reply, reply
    return reply["data"]


@asynccontextmanager
async def connected(device: Device, **config: Any) -> AsyncIterator[FaultBroker]:
    """The client is configured, turned on and connected."""
    async with FaultBroker() as broker:
        server = {"host": "127.0.0.1", "port": broker.port}
        await call(device, "configureClient", {"server": server, **config})
        await call(device, "activateClient")
        task = asyncio.create_task(MqttClient(device.mqtt, device.bus, device.ledger).run())
        try:
            await until(lambda: device.mqtt.connection == "connected")
            yield broker
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(probe: Any) -> None:
    while not probe():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0)


def port(device: Device, state: str) -> None:
    event = NewEvent(topic=events.IO_PORT, source={"port": "0"}, data={"state": state}, is_property=True)
    device.ledger.do(lambda tx: tx.publish(event))


def pulse(device: Device) -> None:
    device.ledger.do(lambda tx: tx.publish(NewEvent(topic=events.QR, source={"reader": "0"})))


# --- MQTT client


async def test_connect_turns_the_client_on_and_off_and_status_shows_it(device: Device) -> None:
    async with connected(device) as broker:
        assert (await call(device, "getClientStatus"))["status"]["connectionStatus"] == "connected"
        await call(device, "deactivateClient")
        await until(lambda: not broker.sessions)
        status = {"state": "inactive", "connectionStatus": "not connected"}
        assert (await call(device, "getClientStatus"))["status"] == status


@pytest.mark.parametrize(("protocol", "number"), [("tcp", 1883), ("ssl", 8883), ("ws", 80), ("wss", 443)])
async def test_port_default_of_each_protocol(device: Device, protocol: str, number: int) -> None:
    await call(device, "configureClient", {"server": {"host": "h", "protocol": protocol}})
    assert (await call(device, "getClientStatus"))["config"]["server"]["port"] == number


async def test_client_id_user_and_clean_session_are_sent(device: Device) -> None:
    async with connected(device, clientId="Siren 1", username="u", password="p", cleanSession=False) as broker:
        flags, rest = broker.hello[7], broker.hello[10:]
        assert flags & 0xC0 == 0xC0
        assert not flags & 0x02
        assert rest.startswith(b"\x00\x07Siren 1")
        assert rest.endswith(b"\x00\x01u\x00\x01p")


async def test_keep_alive_and_connect_timeout_and_their_defaults(device: Device) -> None:
    async with connected(device, keepAliveInterval=17) as broker:
        assert broker.hello[8:10] == (17).to_bytes(2, "big")
    config = (await call(device, "getClientStatus"))["config"]
    assert config["connectTimeout"] == 60
    assert config["cleanSession"]
    assert config["autoReconnect"]


@pytest.mark.parametrize(("url", "fits"), [("http://p:1/" + "", True), ("http://" + "p" * 249, False)])
async def test_proxies_have_at_most_255_bytes_or_are_empty(device: Device, url: str, fits: bool) -> None:
    for field in ("httpProxy", "httpsProxy"):
        params = {"server": {"host": "h"}, field: url}
        if fits:
            await call(device, "configureClient", params)
        else:
            with pytest.raises(AssertionError, match="255"):
                await call(device, "configureClient", params)
        await call(device, "configureClient", {"server": {"host": "h"}, field: ""})


async def test_device_topic_prefix_is_used_in_connect_message_will_and_publication(device: Device) -> None:
    port(device, "1")
    await call(device, "configureEventPublication", {"eventFilterList": [{"topicFilter": "onvif:Device/axis:IO/Port"}]})
    async with connected(device, deviceTopicPrefix="hall/door") as broker:
        await until(lambda: len(broker.received) == 2)
        assert [topic for topic, _, _ in broker.received] == [
            "hall/door/event/connection", "hall/door/event/onvif:Device/axis:IO/Port",
        ]  # fmt: skip
        assert b"hall/door/event/connection" in broker.hello


async def test_reconnect_automatically(device: Device) -> None:
    async with connected(device) as broker:
        broker.drop_all()
        await until(lambda: broker.connects == 2 and device.mqtt.connection == "connected")


# --- connect message, last will and testament


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_connect_message_of_our_own(device: Device, qos: int) -> None:
    message = {"useDefault": False, "topic": "t", "message": "m", "retain": True, "qos": qos}
    async with connected(device, connectMessage=message) as broker:
        await until(lambda: broker.received)
        assert broker.received == [("t", b"m", qos)]
        assert broker.retained == ["t"]


async def test_send_message_off(device: Device) -> None:
    off = {"useDefault": False, "topic": ""}
    async with connected(device, connectMessage=off, lastWillTestament=off) as broker:
        assert not broker.hello[7] & 0x04
        assert device.mqtt.send(Message("x", b""))
        await until(lambda: broker.received)
        assert [topic for topic, _, _ in broker.received] == ["x"]


async def test_default_messages(device: Device) -> None:
    async with connected(device) as broker:
        await until(lambda: broker.received)
        assert broker.received[0][:2] == (f"{PREFIX}/event/connection", b'{"connected":true,"Description":"Connected"}')
        assert b'{"connected":false,"Description":"Connection Lost"}' in broker.hello


async def test_the_will_goes_with_the_credentials_when_connecting(device: Device) -> None:
    will = {"useDefault": False, "topic": "lwt", "message": "gone", "retain": True, "qos": 2}
    async with connected(device, lastWillTestament=will) as broker:
        assert broker.hello[7] & 0x3C == 0x04 | 2 << 3 | 0x20
        assert b"\x00\x03lwt\x00\x04gone" in broker.hello


# --- MQTT publication


@pytest.mark.parametrize(
    ("config", "topic"),
    [
        ({}, f"{PREFIX}/event/onvif:Device/axis:IO/Port"),
        ({"topicPrefix": "custom", "customTopicPrefix": "my"}, "my/event/onvif:Device/axis:IO/Port"),
        ({"includeTopicNamespaces": False}, f"{PREFIX}/event/Device/IO/Port"),
        ({"appendEventTopic": False}, f"{PREFIX}/event"),
    ],
    ids=["default prefix", "custom prefix", "without namespaces", "without condition"],
)
async def test_topics(device: Device, config: dict[str, Any], topic: str) -> None:
    port(device, "1")
    filters = [{"topicFilter": "onvif:Device/axis:IO/Port"}]
    await call(device, "configureEventPublication", {"eventFilterList": filters, **config})
    async with connected(device) as broker:
        await until(lambda: len(broker.received) == 2)
        assert broker.received[1][0] == topic


@pytest.mark.parametrize("include", [True, False])
async def test_include_serial_number(device: Device, include: bool) -> None:
    port(device, "1")
    config = {
        "eventFilterList": [{"topicFilter": "onvif:Device/axis:IO/Port"}],
        "includeSerialNumberInPayload": include,
    }
    await call(device, "configureEventPublication", config)
    async with connected(device) as broker:
        await until(lambda: len(broker.received) == 2)
        assert json.loads(broker.received[1][1]).get("serial") == ("B8A44F00A0B1" if include else None)


@pytest.mark.parametrize(("retain", "expected"), [("none", []), ("property", ["Port"]), ("all", ["Port", "QR"])])
async def test_retain(device: Device, retain: str, expected: list[str]) -> None:
    filters = [{"topicFilter": "onvif:Device/axis:IO/Port|onvif:Device/axis:Intercom/QR", "retain": retain, "qos": 1}]
    await call(device, "configureEventPublication", {"eventFilterList": filters})
    off = {"useDefault": False}
    async with connected(device, connectMessage=off) as broker:
        port(device, "1")
        pulse(device)
        await until(lambda: len([t for t, _, _ in broker.received if t.endswith(("Port", "QR"))]) == 2)
        assert [topic.rpartition("/")[2].rpartition(":")[2] for topic in broker.retained] == expected
        assert {qos for topic, _, qos in broker.received} == {1}


# --- MQTT subscriptions


async def test_use_device_topic_prefix(device: Device) -> None:
    filters = [{"topicFilter": "in/#", "useDeviceTopicPrefix": True}, {"topicFilter": "out"}]
    await call(device, "configureMqttSubscription", {"mqttFilterList": filters})
    async with connected(device) as broker:
        assert broker.filters == {f"{PREFIX}/in/#": 0, "out": 0}


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_qos_of_a_subscription(device: Device, qos: int) -> None:
    await call(device, "configureMqttSubscription", {"mqttFilterList": [{"topicFilter": "a", "qos": qos}]})
    async with connected(device) as broker:
        assert broker.filters == {"a": qos}


@pytest.mark.parametrize(("stateful", "topic"), [(False, events.MQTT_STATELESS), (True, events.MQTT_STATEFUL)])
async def test_stateless_and_stateful(device: Device, stateful: bool, topic: str) -> None:
    filters = [{"topicFilter": "a/+", "isStateData": stateful}]
    await call(device, "configureMqttSubscription", {"mqttFilterList": filters})
    async with connected(device) as broker:
        await broker.send(publish(b"a/b", b"On"))
        await until(lambda: any(event.topic == topic for event in device.ledger.events))
    (event,) = [event for event in device.ledger.events if event.topic == topic]
    assert event.source == {"topicFilter": "a/+"}
    assert event.data == {"topic": "a/b", "payload": "On"}
    assert event.is_property is stateful


# --- Activate strobe siren over MQTT when camera detects motion


async def test_the_example_of_the_siren_manual(device: Device) -> None:
    filters = [{"topicFilter": "Motion", "isStateData": True, "qos": 1}]
    await call(device, "configureMqttSubscription", {"mqttFilterList": filters})
    condition = Condition(topic=events.MQTT_STATEFUL, source={"topicFilter": "Motion"}, data={"payload": "On"})
    spec = RuleSpec(name="Motion detected", conditions=(condition,), action=ToggleIoWhileActive(port="Door"))
    device.ledger.do(lambda tx: device.events.add_rule(tx, spec))
    async with connected(device, clientId="Siren 1") as broker:
        await broker.send(publish(b"Motion", b"On", 1))
        await until(lambda: device.lines.told == [("hold", "relay1", True, True)])
        await broker.send(publish(b"Motion", b"Off", 1))
        await until(lambda: device.lines.told[1:] == [("hold", "relay1", False, True)])


async def test_the_cameras_half_of_the_example(device: Device) -> None:
    """Two rules, one inverted, publish On and Off to Motion; a digital input stands for the motion."""
    source = {"port": "1"}
    for name, invert, payload in (("Motion detected", False, "On"), ("No motion", True, "Off")):
        condition = Condition(topic=events.IO_VIRTUAL_INPUT, source=source, data={"active": "1"}, invert=invert)
        action = MqttPublish(topic="Motion", payload=payload, qos=1)
        spec = RuleSpec(name=name, conditions=(condition,), action=action)
        device.ledger.do(lambda tx, spec=spec: device.events.add_rule(tx, spec))  # type: ignore[misc]
    async with connected(device, connectMessage={"useDefault": False}) as broker:
        for active in (True, False, True):
            device.ledger.do(lambda tx, on=active: device.ports.set_virtual_input(tx, 1, on))  # type: ignore[misc]
        await until(lambda: len(broker.received) == 3)
        assert broker.received == [("Motion", b"On", 1), ("Motion", b"Off", 1), ("Motion", b"On", 1)]
