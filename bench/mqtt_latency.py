"""How long an MQTT message takes to move a relay, per transport and QoS, through a local mosquitto.

    python -m bench.mqtt_latency [-n 50] [--json FILE] [--gate]

A message is published (paho with TCP_NODELAY, over TCP) to the broker; ``axcore run`` has subscribed to it over the
transport of the row, a rule of its holds the relay while the payload is On; the tap's ``t_ns`` is when the I/O thread
changed the pin. The event is durable before. Both clocks are CLOCK_MONOTONIC.

nodelay   the broker has ``set_tcp_nodelay true``
default   the same with the broker's own default
bare      in turns with ``nodelay``, the sum of: the publisher hears its own message over TCP, same QoS and broker; the
          shortest program wakes in time, hands over to a thread and back, and syncs 4 KiB between
library   aiomqtt as it comes, same transport and QoS, broker's default: from publish until the same client has the
          message, without any relay (what the client would have been without TCP_NODELAY)

``--gate`` fails (exit 1) when a p50 of ``nodelay`` is above 2 ms and above twice ``bare``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import ssl
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any

import aiomqtt
import paho.mqtt.client as paho

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.client import Client
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.interfaces.cli.output import table
from axcore.model import events
from axcore.testing.mosquitto import TRANSPORTS, Mosquitto
from bench import goals
from bench.peers.handover import Handover

LIMIT_MS = 2.0
WARM = 5
TOPIC = "bench/door"
ECHO = "bench/echo"


class Publisher:
    """A peer without delays of its own."""

    def __init__(self, port: int) -> None:
        self._connected, self._heard = threading.Event(), threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda *_: self._connected.set()
        self._client.on_socket_open = lambda _client, _data, sock: sock.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )
        self._client.on_subscribe = self._client.on_message = lambda *_: self._heard.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._connected.wait(10)

    def publish(self, payload: str, qos: int) -> int:
        """Monotonic time (ns) before the message goes."""
        began = time.monotonic_ns()
        self._client.publish(TOPIC, payload, qos)
        return began

    def listen(self, qos: int) -> None:
        """Hear what is published to ECHO from now on."""
        self._heard.clear()
        self._client.subscribe(ECHO, qos)
        assert self._heard.wait(10)

    def echo(self, qos: int) -> float:
        """Milliseconds from publish to the own message."""
        self._heard.clear()
        began = time.monotonic_ns()
        self._client.publish(ECHO, "On", qos)
        assert self._heard.wait(10)
        return (time.monotonic_ns() - began) / 1e6

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def connect(client: Client, port: int, transport: str, qos: int) -> None:
    """Let the device subscribe over a transport."""
    filters = [{"topicFilter": TOPIC, "qos": qos, "isStateData": True}]
    client.ajr("mqtt/event", "configureMqttSubscription", {"mqttFilterList": filters})
    server = {"host": "127.0.0.1", "port": port, "protocol": transport}
    client.ajr("mqtt/client", "configureClient", {"server": server})
    client.ajr("mqtt/client", "activateClient", {})
    status = lambda: client.ajr("mqtt/client", "getClientStatus")["status"]["connectionStatus"]  # noqa: E731
    wait_for("a connection", lambda: status() == "connected", 20.0)


def edges(
    device: Instance, publisher: Publisher, qos: int, n: int, peer: Handover | None = None
) -> tuple[list[float], list[float]]:
    """Milliseconds from publish to the relay's edge, and what the bare peer takes in turns with it."""
    took: list[float] = []
    bare: list[float] = []
    publisher.listen(qos)
    for number in range(n + WARM):
        for payload, active in (("On", True), ("Off", False)):
            began = publisher.publish(payload, qos)
            edge = device.tap.expect("relay1", active, 10.0)
            if number >= WARM:
                took.append((edge.t_ns - began) / 1e6)
            time.sleep(0.002)  # not a synchronisation: messages that come alone
            if peer is not None:
                bare.append(publisher.echo(qos) + peer.written() * 1e3)
    return took, bare


async def library(broker: Mosquitto, transport: str, qos: int, n: int) -> list[float]:
    """Milliseconds from publish to own receipt of aiomqtt as it comes."""
    context = None
    if transport in ("ssl", "wss"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    kind: Any = "websockets" if transport.startswith("ws") else "tcp"
    took: list[float] = []
    async with aiomqtt.Client(
        "127.0.0.1", broker.ports[transport], transport=kind, tls_context=context, websocket_path="/mqtt"
    ) as client:
        await client.subscribe("bench/library", qos)
        messages = client.messages.__aiter__()
        for number in range(n + WARM):
            began = time.monotonic_ns()
            sending = asyncio.create_task(client.publish("bench/library", "On", qos))
            await messages.__anext__()
            if number >= WARM:
                took.append((time.monotonic_ns() - began) / 1e6)
            await sending
    return took


def measure(n: int, *, compare: bool = True) -> list[dict[str, Any]]:
    """A row for each transport and QoS; without ``compare`` only ``nodelay`` and ``bare``."""
    rows: list[dict[str, Any]] = []
    with Mosquitto() as quick, Mosquitto(no_delay=False) as plain, Instance() as device:
        device.start()
        device.create_admin()
        client = device.client(30.0)
        condition = {"topic": events.MQTT_STATEFUL, "source": {"topicFilter": TOPIC}, "data": {"payload": "On"}}
        action = {"type": "toggle_io_while_active", "port": "Door"}
        client.rest("POST", net.RULES, {"name": "MQTT", "conditions": [condition], "action": action})
        publishers = {broker: Publisher(broker.ports["tcp"]) for broker in (quick, plain)}
        with Handover(device.data_dir) as peer:
            for transport in TRANSPORTS:
                for qos in (0, 1, 2):
                    row: dict[str, Any] = {"transport": transport, "qos": qos}
                    connect(client, quick.ports[transport], transport, qos)
                    row["nodelay"], row["bare"] = edges(device, publishers[quick], qos, n, peer)
                    if compare:
                        connect(client, plain.ports[transport], transport, qos)
                        row["default"], _ = edges(device, publishers[plain], qos, n // 2)
                        row["library"] = asyncio.run(library(plain, transport, qos, max(5, n // 4)))
                    rows.append(row)
        for publisher in publishers.values():
            publisher.close()
    return rows


def judged(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The goal of each row, and all that was measured, in seconds."""
    found = [
        goals.goal(f"{row['transport']} QoS {row['qos']} p50 <= {LIMIT_MS} ms", statistics.median(row["nodelay"]),
                   LIMIT_MS, statistics.median(row["bare"]))
        for row in rows
    ]  # fmt: skip
    return {"goals": found, "seconds": [ms / 1000 for row in rows for ms in row["nodelay"]]}


def p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def main(argv: list[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=50, help="activations per row (default 50)")
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    parser.add_argument("--gate", action="store_true", help="exit 1 when a goal is missed")
    args = parser.parse_args(argv)
    rows = measure(args.n)
    names = ("nodelay", "bare", "default", "library")
    head = ["ms", "QoS", *(f"{name} p50" for name in names), *(f"{name} p95" for name in names)]
    body = [
        [row["transport"], row["qos"], *(f"{statistics.median(row[name]):.3f}" for name in names),
         *(f"{p95(row[name]):.3f}" for name in names)]
        for row in rows
    ]  # fmt: skip
    print(table(head, body))
    found = judged(rows)["goals"]
    print()
    goals.show(found)
    if args.json:
        args.json.write_text(json.dumps(rows) + "\n", encoding="utf-8")
    return 1 if args.gate and not all(goal["ok"] for goal in found) else 0


if __name__ == "__main__":
    sys.exit(main())
