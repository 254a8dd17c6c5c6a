"""From an input edge to a relay edge through a rule, measured from outside on a real device.

    python -m bench.event_latency [-n 200] [--json FILE] [--gate]

Runs ``axcore run a8207-ve-mk2 --simulate`` with 256 rules as a subprocess. One rule toggles the relay when digital
input 1 becomes active; the others look at all kinds of things. Both clocks are the same CLOCK_MONOTONIC: the board's
(the input line changed; its debounce is taken off) and the tap's (written by the I/O thread when the pin changes).

idle   nothing else happens
flood  the same, while 16 publishers send 20,000 MQTT messages a second in all through a local mosquitto to topics that
       the device has subscribed to as stateful conditions: half of them change a state
bare   the shortest program that wakes in time and hands over to a thread and back, in turns with the device, in both

Goals are printed; ``--gate`` fails (exit 1) when one is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from axcore.devices import MODELS
from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.interfaces.cli.output import table
from axcore.model import events
from axcore.testing.mosquitto import Mosquitto
from bench.goals import goal, rows, show
from bench.mqtt_flood import PUBLISHERS, flooding
from bench.peers.handover import Handover

MODEL = "a8207-ve-mk2"
DEBOUNCE_NS = next(line.debounce_ns for line in MODELS[MODEL].inputs if line.name == "port1")
RELAY = "relay1"
RATE = 20_000
"""Messages a second."""
TOPIC = "flood"
SETTLE_S = 2.0
RULES = 256


def rules() -> list[dict[str, Any]]:
    """The one that is measured, and as many others as fit: levels and edges, up to 16 conditions."""
    toggle = {"type": "toggle_io_while_active", "port": "Door"}
    found: list[dict[str, Any]] = [
        {"name": "measured", "conditions": [{"topic": events.IO_PORT, "source": {"port": "0"}}], "action": toggle}
    ]
    for number in range(1, RULES):
        conditions = [
            {"topic": events.IO_VIRTUAL_INPUT, "source": {"port": str(1 + (number + n) % 64)}, "invert": n % 3 == 2}
            for n in range(1 + number % 15)
        ]
        conditions.append({"topic": events.IO_PORT, "source": {"port": str(1 + number % 3)}})
        action = {"type": "toggle_io_while_active", "port": "Relay 2"}
        found.append({"name": f"other {number}", "conditions": conditions, "action": action})
    return found


class Bench:
    """One device, set up for measuring."""

    def __init__(self, device: Instance) -> None:
        self.device = device
        device.start()
        device.create_admin()
        self.board = device.board(30.0)
        client = device.client(30.0)
        for rule in rules():
            client.rest("POST", net.RULES, rule)

    def subscribe(self, port: int) -> None:
        """Have the device hear what the publishers send."""
        client = self.device.client(30.0)
        filters = [{"topicFilter": f"{TOPIC}/{n}", "qos": 0, "isStateData": True} for n in range(PUBLISHERS)]
        client.ajr("mqtt/event", "configureMqttSubscription", {"mqttFilterList": filters})
        server = {"host": "127.0.0.1", "port": port, "protocol": "tcp"}
        client.ajr("mqtt/client", "configureClient", {"server": server})
        client.ajr("mqtt/client", "activateClient", {})

        def connected() -> bool:
            status = client.ajr("mqtt/client", "getClientStatus")["status"]
            return bool(status["connectionStatus"] == "connected")

        wait_for("a connection to the broker", connected, 20.0)

    def resident_kib(self) -> int:
        """Memory of the device."""
        lines = Path(f"/proc/{self.device.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    def run(self, n: int, peer: Handover) -> tuple[list[float], list[float]]:
        """Seconds from the debounced input edge to the relay edge, n times on and off; the bare peer's, in turns."""
        took: list[float] = []
        bare: list[float] = []
        for _ in range(n):
            for active in (True, False):
                accepted = self.board.call("input", port="1", active=active)["t_ns"] + DEBOUNCE_NS
                took.append((self.device.tap.expect(RELAY, active, 10.0).t_ns - accepted) / 1e9)
                bare.append(peer.edge())
        return took, bare


def measure(n: int) -> dict[str, Any]:
    """All series, in milliseconds, and the goals."""
    series: dict[str, list[float]] = {}
    with Mosquitto() as broker, Instance() as device:
        bench = Bench(device)
        bench.subscribe(broker.ports["tcp"])
        with Handover(device.data_dir) as peer:
            bench.run(5, peer)
            series["idle"], series["bare idle"] = bench.run(n, peer)
            with flooding(broker.ports["tcp"], RATE, TOPIC) as reached:
                time.sleep(SETTLE_S)
                before = bench.resident_kib()
                series["flood"], series["bare flood"] = bench.run(n, peer)
                grown = bench.resident_kib() - before
    found = rows(series)
    idle, bare = found["idle"], found["bare idle"]
    goals = [
        goal("idle p50 <= 0.3 ms", idle["p50"], 0.3, bare["p50"]),
        goal("idle p99 <= 2 ms", idle["p99"], 2.0, bare["p99"]),
        goal("flood p99 <= 2 x idle p99", found["flood"]["p99"], 2 * idle["p99"], found["bare flood"]["p99"]),
        goal("resident growth in the flood <= 16 MiB", grown / 1024, 16.0),
    ]
    return {"unit": "ms", "flood_per_s": reached[0], "series": found, "values": series, "goals": goals}


def main(argv: list[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=200, help="switchings per series (default 200)")
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    parser.add_argument("--gate", action="store_true", help="exit 1 when a goal is missed")
    args = parser.parse_args(argv)
    result = measure(args.n)
    names = ("n", "p50", "p95", "p99", "max")
    lines = [[k, *(f"{v[c]:.3f}" if c != "n" else v[c] for c in names)] for k, v in result["series"].items()]
    print(table(["ms", *names], lines))
    print(f"\nflood: {result['flood_per_s']:.0f} messages/s from {PUBLISHERS} publishers\n")
    show(result["goals"])
    if args.json:
        kept = {name: value for name, value in result.items() if name != "values"}
        args.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return 1 if args.gate and not all(goal["ok"] for goal in result["goals"]) else 0


if __name__ == "__main__":
    sys.exit(main())
