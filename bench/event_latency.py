"""From an input edge to a relay edge through a rule, measured from outside on a real device.

    python bench/event_latency.py [-n 200] [--json FILE] [--gate]

Runs ``axcore run a8207-ve-mk2 --simulate`` with 256 rules as a subprocess. One rule toggles the relay when digital
input 1 becomes active; the others look at all kinds of things. Both clocks are the same CLOCK_MONOTONIC: the board's
(the input line changed; its debounce is taken off) and the tap's (written by the I/O thread when the pin changes).

idle   nothing else happens; beside it a bare fdatasync of 4 KiB on the same file system

Goals are printed; ``--gate`` fails (exit 1) when one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from axcore.devices import MODELS
from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Instance
from axcore.interfaces.cli.output import table
from axcore.model import events
from bench.door_latency import percentile

MODEL = "a8207-ve-mk2"
DEBOUNCE_NS = next(line.debounce_ns for line in MODELS[MODEL].inputs if line.name == "port1")
RELAY = "relay1"
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
        self._sync = os.open(device.data_dir / "bare-fdatasync", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def run(self, n: int) -> list[float]:
        """Seconds from the debounced input edge to the relay edge, n times on and off."""
        took: list[float] = []
        for _ in range(n):
            for active in (True, False):
                accepted = self.board.call("input", port="1", active=active)["t_ns"] + DEBOUNCE_NS
                took.append((self.device.tap.expect(RELAY, active, 10.0).t_ns - accepted) / 1e9)
        return took

    def syncs(self, n: int) -> list[float]:
        """Seconds of n bare fdatasyncs."""
        from time import perf_counter

        took = []
        for _ in range(n):
            began = perf_counter()
            os.write(self._sync, b"\xa5" * 4096)
            os.fdatasync(self._sync)
            took.append(perf_counter() - began)
        return took


def measure(n: int) -> dict[str, Any]:
    """All series, in milliseconds, and the goals."""
    series: dict[str, list[float]] = {}
    with Instance() as device:
        bench = Bench(device)
        bench.run(5)
        series["idle"] = bench.run(n)
        series["bare fdatasync"] = bench.syncs(100)
    rows = {
        name: {"n": len(v), **{f"p{p}": percentile(v, p) * 1e3 for p in (50, 95, 99)}, "max": max(v) * 1e3}
        for name, v in series.items()
    }
    idle = rows["idle"]
    goals = [
        {"goal": "idle p50 <= 0.3 ms", "found": idle["p50"], "limit": 0.3},
        {"goal": "idle p99 <= 2 ms", "found": idle["p99"], "limit": 2.0},
    ]
    return {"unit": "ms", "series": rows, "goals": [{**goal, "ok": goal["found"] <= goal["limit"]} for goal in goals]}


def main(argv: list[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=200, help="switchings per series (default 200)")
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    parser.add_argument("--gate", action="store_true", help="exit 1 when a goal is missed")
    args = parser.parse_args(argv)
    result = measure(args.n)
    names = ("n", "p50", "p95", "p99", "max")
    rows = [[k, *(f"{v[c]:.3f}" if c != "n" else v[c] for c in names)] for k, v in result["series"].items()]
    print(table(["ms", *names], rows))
    for goal in result["goals"]:
        print(f"{'ok  ' if goal['ok'] else 'MISS'} {goal['goal']}: {goal['found']:.3f} (limit {goal['limit']:.3f})")
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 1 if args.gate and not all(goal["ok"] for goal in result["goals"]) else 0


if __name__ == "__main__":
    sys.exit(main())
