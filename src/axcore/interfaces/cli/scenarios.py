"""Loads for ``axcore profile SCENARIO``: what one user does, as fast as the device answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Instance
from axcore.model.events import ENTRY_GRANTED, RFID

DOOR = "relay1"
CARD: dict[str, Any] = {"format": "H10301", "facility": 7, "card": 4711, "interval_us": 200, "pulse_us": 40}
PULSE_S = 0.05


def prepare(device: Instance) -> None:
    """Start; one holder whose card opens the door for 50 ms."""
    device.start()
    device.create_admin()
    client = device.client()
    client.rest("PATCH", net.ENTRY_SETTINGS, {"use_entry_list": True})
    with device.board() as board:
        board.call("card", **CARD, correlation="learn")
        net.EventLog(client).wait(RFID, "learn")
    client.rest("POST", net.HOLDERS, {"first_name": "Ada", "card": client.rest("GET", net.LATEST)["card"]})
    action = {"type": "toggle_io_once", "port": "Door", "state": True, "duration": PULSE_S}
    client.rest("POST", net.RULES, {"name": "Open door", "conditions": [{"topic": ENTRY_GRANTED}], "action": action})
    client.close()


def card(device: Instance, seconds: float) -> dict[str, Any]:
    """Swipe, wait for the door to open and to close."""
    count, end = 0, time.monotonic() + seconds
    with device.board() as board:
        while time.monotonic() < end:
            board.call("card", **CARD)
            device.tap.expect(DOOR, True, 2.0)
            device.tap.expect(DOOR, False, 2.0)
            count += 1
    return {"swipes": count}


def http(device: Instance, seconds: float) -> dict[str, Any]:
    """Poll the ports."""
    client = device.client()
    took = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        client.ajr("io/portmanagement", "getPorts")
        took.append((time.perf_counter() - began) * 1e3)
    took.sort()
    return {"requests": len(took), "p50_ms": took[len(took) // 2], "p99_ms": took[len(took) * 99 // 100]}


def idle(device: Instance, seconds: float) -> dict[str, Any]:
    """Do nothing."""
    time.sleep(seconds)
    return {"seconds": seconds}


LOADS: dict[str, Callable[[Instance, float], dict[str, Any]]] = {"card": card, "http": http, "idle": idle}
