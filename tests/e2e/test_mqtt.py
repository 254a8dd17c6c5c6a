"""The MQTT client of a real device with a real broker: every transport, version and QoS; from a message to the pin."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import paho.mqtt.client as paho
import pytest
from axis.device import AxisDevice
from axis.models.configuration import Configuration

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.client import Client
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.model import events
from axcore.testing.mosquitto import PASSWORD, TRANSPORTS, USER, Mosquitto

CLIENT, EVENT = "mqtt/client", "mqtt/event"
CERTIFICATES = "/config/rest/certificates/v1/certificates"
TIMEOUT = 120.0


class Peer:
    """Another client of the broker; ``got`` is what came to it."""

    def __init__(self, broker: Mosquitto, topic: str = "#") -> None:
        self.got: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self._subscribed = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda _client, _data, message: self.got.put(message)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_connect = lambda *_: self._client.subscribe(topic, 2)
        self._client.connect("127.0.0.1", broker.ports["tcp"])
        self._client.loop_start()
        assert self._subscribed.wait(TIMEOUT)

    def publish(self, topic: str, payload: str, qos: int = 1, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos, retain).wait_for_publish(TIMEOUT)

    def expect(self, topic: str, payload: bytes | None = None) -> paho.MQTTMessage:
        while True:
            message = self.got.get(timeout=TIMEOUT)
            if message.topic == topic and payload in (None, message.payload):
                return message

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def peer(broker: Mosquitto, topic: str = "#") -> Iterator[Peer]:
    other = Peer(broker, topic)
    try:
        yield other
    finally:
        other.close()


@pytest.fixture(scope="module")
def broker() -> Iterator[Mosquitto]:
    with Mosquitto() as found:
        yield found


@pytest.fixture(scope="module")
def device(broker: Mosquitto) -> Iterator[Instance]:
    with Instance() as instance:
        instance.start()
        instance.create_admin()
        client = instance.client()
        authority = broker.authority
        client.rest("POST", CERTIFICATES, {"alias": "broker", "certificate": authority.certificate})
        own = {"alias": "own", "certificate": authority.client, "key": authority.client_key}
        client.rest("POST", CERTIFICATES, own)
        condition = {"topic": events.MQTT_STATEFUL, "source": {"topicFilter": "Motion"}, "data": {"payload": "On"}}
        action = {"type": "toggle_io_while_active", "port": "Door"}
        client.rest("POST", net.RULES, {"name": "Motion detected", "conditions": [condition], "action": action})
        yield instance


def connect(client: Client, broker: Mosquitto, transport: str = "tcp", **more: Any) -> None:
    server = {"host": "127.0.0.1", "port": broker.ports[transport], "protocol": transport, **more.pop("server", {})}
    client.ajr(CLIENT, "configureClient", {"server": server, **more})
    client.ajr(CLIENT, "activateClient", {})
    wait_for("a connection", lambda: state(client) == "connected", TIMEOUT)


def state(client: Client) -> str:
    found: str = client.ajr(CLIENT, "getClientStatus")["status"]["connectionStatus"]
    return found


def subscribe(client: Client, *filters: dict[str, Any]) -> None:
    client.ajr(EVENT, "configureMqttSubscription", {"mqttFilterList": list(filters)})


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_message_moves_the_relay_on_every_transport(
    device: Instance, broker: Mosquitto, transport: str, version: str
) -> None:
    client = device.client()
    tls = {"validateServerCert": True, "CACertID": "broker", "clientCertID": "own"}
    connect(client, broker, transport, protocolVersion=version, ssl=tls)
    with peer(broker) as other:
        for qos in (0, 1, 2):
            subscribe(client, {"topicFilter": "Motion", "qos": qos, "isStateData": True})
            filters = [{"topicFilter": "onvif:Device/axis:IO/OutputPort", "qos": qos}]
            client.ajr(EVENT, "configureEventPublication", {"eventFilterList": filters})
            for payload, active in (("On", True), ("Off", False)):
                device.tap.drain()
                wait_for_subscription(other, qos, payload)
                device.tap.expect("relay1", active, TIMEOUT)
            topic = f"axis/{serial(client)}/event/onvif:Device/axis:IO/OutputPort"
            for active in ("1", "0"):
                while True:
                    message = other.expect(topic)
                    found = json.loads(message.payload)["message"]
                    if found == {"source": {"port": "4"}, "key": {}, "data": {"state": active}}:
                        assert message.qos == qos
                        break


def wait_for_subscription(other: Peer, qos: int, payload: str) -> None:
    """The device subscribes after its answer; a retained message waits for it at the broker."""
    other.publish("Motion", payload, qos, retain=True)


def serial(client: Client) -> str:
    prefix: str = client.ajr(CLIENT, "getClientStatus")["config"]["deviceTopicPrefix"]
    return prefix.rpartition("/")[2]


def test_an_untrusted_broker_is_refused(device: Instance, broker: Mosquitto) -> None:
    client = device.client()
    server = {"host": "127.0.0.1", "port": broker.ports["ssl"], "protocol": "ssl"}
    client.ajr(CLIENT, "configureClient", {"server": server, "ssl": {"validateServerCert": True}})
    client.ajr(CLIENT, "activateClient", {})
    wait_for("the reason in the log", lambda: "CERTIFICATE_VERIFY_FAILED" in device.output().upper(), TIMEOUT)
    assert state(client) == "disconnected"


def test_connect_message_last_will_and_retained_states(device: Instance, broker: Mosquitto) -> None:
    client = device.client()
    will = {"useDefault": False, "topic": "lwt/door", "message": "gone", "qos": 1, "retain": False}
    hello = {"useDefault": False, "topic": "hello/door", "message": "here", "qos": 2, "retain": True}
    bye = {"useDefault": False, "topic": "bye/door", "message": "bye", "qos": 1}
    filters = [{"topicFilter": "onvif:Device/axis:IO//.", "retain": "property"}]
    client.ajr(EVENT, "configureEventPublication", {"eventFilterList": filters})
    with peer(broker) as other:
        connect(client, broker, lastWillTestament=will, connectMessage=hello, disconnectMessage=bye)
        other.expect("hello/door", b"here")
        client.ajr(CLIENT, "deactivateClient", {})
        other.expect("bye/door", b"bye")
        assert state(client) == "not connected"
    with peer(broker, "hello/#") as other:
        assert other.expect("hello/door", b"here").retain
    with peer(broker, f"axis/{serial(client)}/event/#") as other:
        assert other.expect(f"axis/{serial(client)}/event/onvif:Device/axis:IO/Port").retain
    with peer(broker, "lwt/#") as other:
        client.ajr(CLIENT, "activateClient", {})
        wait_for("a connection", lambda: state(client) == "connected", TIMEOUT)
        device.kill()
        other.expect("lwt/door", b"gone")
    device.start()
    client = device.client()
    wait_for("a connection after the start", lambda: state(client) == "connected", TIMEOUT)
    assert client.ajr(EVENT, "getEventPublicationConfig")["eventPublicationConfig"]["eventFilterList"]


def test_what_waited_for_the_broker_arrives(device: Instance, broker: Mosquitto) -> None:
    client = device.client()
    filters = [{"topicFilter": "onvif:Device/axis:IO/VirtualInput", "qos": 1}]
    client.ajr(EVENT, "configureEventPublication", {"eventFilterList": filters})
    connect(client, broker)
    broker.stop()
    wait_for("the loss", lambda: state(client) == "disconnected", TIMEOUT)
    for number in range(1, 5):
        client.text("GET", f"/axis-cgi/virtualinput/activate.cgi?schemaversion=1&port={number}&duration=1")
    broker.start()
    with peer(broker) as other:
        found: dict[str, list[str]] = {}
        topic = f"axis/{serial(client)}/event/onvif:Device/axis:IO/VirtualInput"
        while len([port for port, states in found.items() if "1" in states]) < 4:
            message = json.loads(other.expect(topic).payload)["message"]
            found.setdefault(message["source"]["port"], []).append(message["data"]["active"])
    assert {"1", "2", "3", "4"} <= set(found)


def test_login(device: Instance) -> None:
    client = device.client()
    with Mosquitto(login=True) as broker:
        connect(client, broker, username=USER, password=PASSWORD)
        assert PASSWORD not in json.dumps(client.ajr(CLIENT, "getClientStatus"))
        server = {"host": "127.0.0.1", "port": broker.ports["tcp"]}
        client.ajr(CLIENT, "configureClient", {"server": server, "username": USER, "password": "wrong"})
        wait_for("the refusal", lambda: "Not authorized" in device.output(), TIMEOUT)
        assert state(client) == "disconnected"


async def test_home_assistant_reads_the_status(device: Instance, broker: Mosquitto) -> None:
    connect(device.client(), broker)
    url = httpx.URL(device.running.http)
    async with httpx.AsyncClient(verify=False) as session:
        configuration = Configuration(
            session, url.host, port=url.port or 80, username=device.user, password=device.password
        )
        vapix = AxisDevice(configuration).vapix
        await vapix.initialize()
        assert {"mqtt-client", "event-mqtt-bridge"} <= set(vapix.api_discovery.keys())
        found = await vapix.mqtt.get_client_status()
        assert found.status.state.value == "active"
        assert found.status.connection_status.value == "connected"
        assert found.config.device_topic_prefix == f"axis/{vapix.serial_number}"
        assert found.config.server.host == "127.0.0.1"
