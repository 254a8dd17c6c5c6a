"""A broker that misbehaves: memory and descriptors stay bounded, the door works, no relay moves by itself, and the
client is back within 15 s of the broker, with at most three connects a second on the way.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.client import Client
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.model import events
from axcore.testing.mqtt_broker import FAULTS, FaultBroker, publish

GROWTH_KIB = 16 * 1024
RECOVERY_S = 30.0
CLIENT, EVENT = "mqtt/client", "mqtt/event"


@pytest.fixture(scope="module")
def device() -> Iterator[Instance]:
    with Instance() as instance:
        instance.start()
        instance.create_admin()
        client = instance.client()
        condition = {"topic": events.MQTT_STATELESS, "source": {"topicFilter": "Door"}, "data": {"payload": "Open"}}
        action = {"type": "toggle_io_once", "port": "Door", "duration": 0.05}
        client.rest("POST", net.RULES, {"name": "MQTT opens", "conditions": [condition], "action": action})
        client.rest("PATCH", f"{net.IO}/rex", {"hold_time": 0.1})
        filters = [{"topicFilter": "Door", "qos": 2}]
        client.ajr(EVENT, "configureMqttSubscription", {"mqttFilterList": filters})
        yield instance


def resident_kib(device: Instance) -> int:
    text = Path(f"/proc/{device.pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS"))


def descriptors(device: Instance) -> int:
    return len(os.listdir(f"/proc/{device.pid}/fd"))


def state(client: Client) -> str:
    found: str = client.ajr(CLIENT, "getClientStatus")["status"]["connectionStatus"]
    return found


def connect(client: Client, port: int) -> None:
    server = {"host": "127.0.0.1", "port": port}
    config: dict[str, Any] = {"server": server, "connectTimeout": 2, "keepAliveInterval": 2}
    client.ajr(CLIENT, "configureClient", config)
    client.ajr(CLIENT, "activateClient", {})


def wait_connected(client: Client) -> None:
    wait_for("a connection", lambda: state(client) == "connected", RECOVERY_S)  # wall clock: recovery is the subject


def rex_opens(device: Instance) -> None:
    """The button moves the lock, and nothing else did before."""
    assert [edge.io for edge in device.tap.drain()] == []
    with device.board() as board:
        board.call("rex", duration=0.02)
    device.tap.expect("relay1", True, 120.0)
    device.tap.expect("relay1", False, 120.0)


@pytest.mark.parametrize("fault", FAULTS)
async def test_fault(device: Instance, fault: str) -> None:
    client = await asyncio.to_thread(device.client)
    async with FaultBroker() as broker:
        await asyncio.to_thread(connect, client, broker.port)
        await asyncio.to_thread(wait_connected, client)
        resident, open_files = resident_kib(device), descriptors(device)
        broker.fault, enough = fault, broker.connects + 2
        broker.drop_all()
        await asyncio.to_thread(
            wait_for, "the fault, twice", lambda: broker.connects >= enough or broker.finished, 60.0
        )
        await asyncio.to_thread(rex_opens, device)
        assert resident_kib(device) - resident <= GROWTH_KIB
        good = broker.good
        broker.fault = "none"
        broker.drop_all()
        await asyncio.to_thread(wait_for, "recovery", lambda: broker.good > good, RECOVERY_S)  # wall clock: the subject
        await asyncio.to_thread(wait_connected, client)
        await asyncio.to_thread(wait_for, "descriptors", lambda: descriptors(device) <= open_files + 2, 120.0)
        assert resident_kib(device) - resident <= GROWTH_KIB
        times = broker.connect_times[1:]
        assert all(later - first > 0.99 for first, later in zip(times, times[3:], strict=False))
        assert await asyncio.to_thread(device.tap.drain) == []
        await broker.send(publish(b"Door", b"Open"))
        await asyncio.to_thread(device.tap.expect, "relay1", True, 120.0)
        await asyncio.to_thread(device.tap.expect, "relay1", False, 120.0)


async def test_restart_storm(device: Instance) -> None:
    """The broker is there for a moment, again and again."""
    client = await asyncio.to_thread(device.client)
    async with FaultBroker() as broker:
        await asyncio.to_thread(connect, client, broker.port)
        await asyncio.to_thread(wait_connected, client)
        resident = resident_kib(device)
        for _ in range(5):
            await broker.stop()
            await broker.start()
            await asyncio.sleep(0.3)  # wall clock: the storm itself
        await asyncio.to_thread(rex_opens, device)
        await asyncio.to_thread(wait_connected, client)
        assert resident_kib(device) - resident <= GROWTH_KIB


async def test_flood_does_not_keep_the_door(device: Instance) -> None:
    """20,000 messages a second and more: the button works, memory is bounded, the loss is told."""
    client = await asyncio.to_thread(device.client)
    async with FaultBroker() as broker:
        await asyncio.to_thread(connect, client, broker.port)
        await asyncio.to_thread(wait_connected, client)
        resident = resident_kib(device)
        flood = asyncio.create_task(_flood(broker))
        try:
            for _ in range(5):
                await asyncio.to_thread(rex_opens, device)
        finally:
            sent = await flood
        assert sent >= 40_000
        assert resident_kib(device) - resident <= GROWTH_KIB
        log = net.EventLog(client)
        await asyncio.to_thread(
            wait_for,
            "the loss is told",
            lambda: any(e["data"].get("component") == "mqtt subscription" for e in log_events(log)),
            30.0,
            0.5,
        )


def log_events(log: net.EventLog) -> list[dict[str, Any]]:
    return [event for event in log.read() if event["topic"] == events.EVENTS_DROPPED]


async def _flood(broker: FaultBroker) -> int:
    sent = 0
    for number in range(400):
        await broker.send(b"".join(publish(b"Door", b"%d" % (number * 100 + k)) for k in range(100)))
        sent += 100
    return sent
