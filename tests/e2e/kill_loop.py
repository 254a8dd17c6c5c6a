"""Kills a device under load, again and again, and compares what it kept with what a witness saw.

    python tests/e2e/kill_loop.py --kills 100 --seed 1

The witness is built from outside only: pin edges from the tap (sent by the I/O thread when the pin changes, so they
outlive the process) and replies that were received. After each restart the device must agree with it:

* every opening of the door has exactly one grant in the event log (none lost, none doubled);
* a holder limited to n uses was granted at most n times, and uses + uses left = n; a grant without an opening is
  *burnt*, and there are at most as many of those as kills;
* no output moved between exec and the first swipe;
* every configuration write that was answered 2xx is there, every other one is wholly there or not at all;
* event ids rise strictly, over all restarts.

Kills come at a random time, on a pin edge, right after a request was sent, and right after an acknowledgement.
Exit code 1 on any breach.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.board import Board
from axcore.interfaces.cli.instance import Instance
from axcore.interfaces.cli.output import CliError
from axcore.model.events import ENTRY_DENIED, ENTRY_GRANTED

DOOR, DENIED_LAMP = "relay1", "relay2"
PULSE_S = 0.05
LAST = {"time": 1, "edge": 8, "request": 5, "ack": 80}
"""A kill comes at one of so many edges, requests, acknowledgements of a life."""
LIFE_S = 1.0
"""Longest life when the kill comes at a random time."""
MODES = ("time", "edge", "request", "ack", "time")
GONE = (OSError, http.client.HTTPException, CliError, ValueError)
"""What a worker meets when the device dies under its hands."""


def now() -> float:
    """Seconds, for deadlines of what a dead device never answers and for the report."""
    return time.monotonic()  # wall clock: see above


@dataclass
class Witness:
    """What was seen from outside."""

    acked: dict[str, Any] = field(default_factory=dict)
    """Configuration: the value of each key that was last acknowledged."""
    pending: dict[str, Any] = field(default_factory=dict)
    """Configuration: written, not answered."""
    opened: Counter[str] = field(default_factory=Counter)
    """Openings of the door by swipe."""
    granted: Counter[str] = field(default_factory=Counter)
    """Grants in the event log by swipe."""
    uses: Counter[str] = field(default_factory=Counter)
    """Grants in the event log by holder."""
    limits: dict[str, int | None] = field(default_factory=dict)
    """Holder id -> uses allowed; None = no limit."""
    last_id: int = 0
    swipes: int = 0
    writes: int = 0
    breaches: list[str] = field(default_factory=list)
    count: Counter[str] = field(default_factory=Counter)

    def breach(self, kind: str, text: str) -> None:
        """Note something that must never happen."""
        self.count[kind] += 1
        self.breaches.append(f"{kind}: {text}")
        print(f"BREACH {kind}: {text}", flush=True)


@dataclass
class Holder:
    """A credential holder as the loop knows it."""

    card: int
    limit: int | None
    id: str = ""


class Cycle:
    """One life of the device: load until it is killed."""

    def __init__(
        self, device: Instance, witness: Witness, holders: list[Holder], mode: str, rng: random.Random
    ) -> None:
        self.device, self.witness, self.holders, self.mode = device, witness, holders, mode
        self.rng = random.Random(rng.random())
        self.write_rng = random.Random(rng.random())
        self.over = threading.Event()
        self.countdown = rng.randint(1, LAST[mode])
        """Which of the hook's calls kills (edge, request, ack)."""
        self.lock = threading.Lock()
        self.delay = rng.choice((0.0, rng.uniform(0, 0.045), rng.uniform(0.030, 0.033)))
        """After the request: at once, anywhere on the card's way, or about when it is decided and committed."""

    def hook(self, mode: str) -> None:
        """A worker is at a point where this mode kills."""
        if mode != self.mode or self.over.is_set():
            return
        with self.lock:
            self.countdown -= 1
            due = self.countdown == 0
        if due:
            if mode == "request" and self.delay:
                time.sleep(self.delay)  # wall clock: the kill must hit the card on its way (line, gap, commit, relay)
            self.kill()

    def kill(self) -> None:
        """SIGKILL once."""
        with self.lock:
            if not self.over.is_set():
                self.over.set()
                self.device.kill()

    def run(self) -> None:
        """Load, kill, collect the last edges."""
        writer = threading.Thread(target=self._write, name="writer")
        swiper = threading.Thread(target=self._swipe, name="swiper")
        writer.start()
        swiper.start()
        self.over.wait(self.rng.uniform(0.02, LIFE_S) if self.mode == "time" else 3 * LIFE_S)
        self.kill()
        writer.join()
        swiper.join()
        assert self.device.process is not None
        self.device.process.wait()
        self._edges(f"s{self.witness.swipes}")

    def _edges(self, correlation: str) -> None:
        for edge in self.device.tap.drain():
            if edge.io == DOOR and edge.active:
                self.witness.opened[correlation] += 1

    def _swipe(self) -> None:
        try:
            with Board(self.device.data_dir, 60.0) as board:
                while not self.over.is_set():
                    self._one_swipe(board)
        except GONE as error:
            if not self.over.is_set():
                self.witness.breach("failed", f"swipe: {error}")

    def _one_swipe(self, board: Board) -> None:
        holder = self.rng.choice(self.holders)
        self.witness.swipes += 1
        correlation = f"s{self.witness.swipes}"
        self._edges("between swipes")
        board.send(
            "card", format="H10301", facility=7, card=holder.card, interval_us=200, pulse_us=40, correlation=correlation
        )
        self.hook("request")
        board.reply()
        deadline = now() + 30.0
        while not self.over.is_set() and now() < deadline:
            edge = self.device.tap.next(0.05)
            if edge is None:
                continue
            if edge.io == DOOR and edge.active:
                self.witness.opened[correlation] += 1
            if edge.active:
                self.hook("edge")
            else:
                return  # the door closed, or the lamp of a denial went out
        if not self.over.is_set():
            self.witness.breach("failed", f"swipe {correlation}: neither granted nor denied in 30 s")

    def _write(self) -> None:
        try:
            client = self.device.client(60.0)
            while not self.over.is_set():
                self._one_write(client)
        except GONE as error:
            if not self.over.is_set():
                self.witness.breach("failed", f"write: {error}")

    def _one_write(self, client: net.Client) -> None:
        witness, rng = self.witness, self.write_rng
        witness.writes += 1
        value: str | None = f"v{witness.writes}"
        kind = rng.choice(("port", "holder", "rule"))
        if kind == "port":
            key = f"port/{rng.randrange(4)}"
            call = json.dumps(
                {"apiVersion": "1.0", "method": "setPorts", "params": {"ports": [{"port": key[-1], "name": value}]}}
            )
            request = ("POST", "/axis-cgi/io/portmanagement.cgi", call.encode())
        elif kind == "holder":
            holder = rng.choice(self.holders)
            key = f"holder/{holder.id}"
            request = ("PATCH", f"{net.HOLDERS}/{holder.id}", json.dumps({"data": {"last_name": value}}).encode())
        else:
            rule = f"r{rng.randrange(8)}"
            key = f"rule/{rule}"
            request, value = self._rule_write(rule, f"v{witness.writes}")
        witness.pending[key] = value
        status, reply = client.request(*request, "application/json")
        if status >= 300 or b'"error"' in reply:
            witness.breach("failed", f"{key}: {status} {reply[:200]!r}")
            del witness.pending[key]
            return
        if kind == "rule" and value is not None:
            value = json.loads(reply)["data"]["id"]
        witness.acked[key] = value
        del witness.pending[key]
        self.hook("ack")

    def _rule_write(self, rule: str, value: str) -> tuple[tuple[str, str, bytes], str | None]:
        known = self.witness.acked.get(f"rule/{rule}")
        if known is not None:
            return ("DELETE", f"{net.RULES}/{known}", b""), None
        spec = {
            "name": rule,
            "conditions": [
                {"topic": "tns1:Device/tnsaxis:IO/VirtualInput", "source": {"port": "64"}, "data": {"active": "1"}}
            ],
            "action": {"type": "toggle_io_once", "port": "Relay 2", "state": True, "duration": 1.0},
        }
        return ("POST", net.RULES, json.dumps({"data": spec}).encode()), value


def set_up(device: Instance, witness: Witness, holders: list[Holder]) -> None:
    """The first configuration."""
    device.create_admin()
    client = device.client()
    client.rest("PATCH", net.ENTRY_SETTINGS, {"use_entry_list": True})
    for name, topic, port in (("Open door", ENTRY_GRANTED, "Door"), ("Lamp", ENTRY_DENIED, "Relay 2")):
        action = {"type": "toggle_io_once", "port": port, "state": True, "duration": PULSE_S}
        client.rest("POST", net.RULES, {"name": name, "conditions": [{"topic": topic}], "action": action})
    for holder in holders:
        add_holder(client, witness, holder)
    for item in client.ajr("io/portmanagement", "getPorts")["items"]:
        witness.acked[f"port/{item['port']}"] = item["name"]
    client.close()


def add_holder(client: net.Client, witness: Witness, holder: Holder) -> None:
    """Add a holder with a fresh number of uses."""
    validity = {"type": "always"} if holder.limit is None else {"type": "number_of_times", "count": holder.limit}
    spec = {"first_name": f"card {holder.card}", "card": card_value(7, holder.card), "validity": validity}
    holder.id = client.rest("POST", net.HOLDERS, spec)["id"]
    witness.limits[holder.id] = holder.limit
    witness.acked[f"holder/{holder.id}"] = ""


def card_value(facility: int, card: int) -> dict[str, Any]:
    """What the reader reports for an H10301 card: even parity, 8 bits, 16 bits, odd parity."""
    body = facility << 16 | card
    even = (body >> 12).bit_count() & 1
    odd = ~(body & 0xFFF).bit_count() & 1
    return {"bits": 26, "value": f"{even << 25 | body << 1 | odd:08x}"}


def check(device: Instance, witness: Witness, holders: list[Holder], rng: random.Random) -> None:
    """Compare the restarted device with the witness; replace holders that are used up."""
    client = device.client()
    read_log(client, witness)
    listed = {h["id"]: h for h in client.rest("GET", net.HOLDERS)}
    actual: dict[str, Any] = {f"holder/{key}": value.get("last_name", "") for key, value in listed.items()}
    actual |= {f"port/{item['port']}": item["name"] for item in client.ajr("io/portmanagement", "getPorts")["items"]}
    rules = {f"rule/{r['name']}": r["id"] for r in client.rest("GET", net.RULES)}
    actual |= {f"rule/r{n}": rules.get(f"rule/r{n}") for n in range(8)}
    compare(witness, actual)
    for key, limit in list(witness.limits.items()):
        if limit is None or key not in listed:
            continue
        left = listed[key]["remaining"]
        if witness.uses[key] > limit:
            witness.breach("over-granted", f"{key}: {witness.uses[key]} grants of {limit}")
        if left + witness.uses[key] != limit:
            witness.breach("over-granted", f"{key}: {witness.uses[key]} grants, {left} left of {limit}")
        holder = next(h for h in holders if h.id == key)
        if left == 0 and rng.random() < 0.5:
            client.rest("DELETE", f"{net.HOLDERS}/{key}")
            witness.acked.pop(f"holder/{key}")
            add_holder(client, witness, holder)
    client.close()


def compare(witness: Witness, actual: dict[str, Any]) -> None:
    """Every acknowledged write is there; an unanswered one may be."""
    for key, value in witness.acked.items():
        seen = actual.get(key)
        allowed = [value] + ([witness.pending[key]] if key in witness.pending else [])
        # a rule that was added without an answer: the device chose its id
        invented = key.startswith("rule/") and value is None and seen is not None and key in witness.pending
        if seen not in allowed and not invented:
            witness.breach(
                "write lost", f"{key}: {seen!r}, acknowledged {value!r}, unanswered {witness.pending.get(key)!r}"
            )
    for key in set(witness.pending) | set(witness.acked):
        witness.acked[key] = actual.get(key)
    witness.pending.clear()


def read_log(client: net.Client, witness: Witness) -> None:
    """New events since the last life; each opening must have its grant."""
    log = net.EventLog(client, witness.last_id)
    for event in log.read():
        if event["id"] <= witness.last_id:
            witness.breach("ids", f"{event['id']} after {witness.last_id}")
        witness.last_id = event["id"]
        if event["topic"] == ENTRY_GRANTED:
            correlation = event.get("correlation", "?")
            witness.granted[correlation] += 1
            witness.uses[event["data"]["holder"]] += 1
            if witness.granted[correlation] > 1:
                witness.breach("doubled", f"swipe {correlation}: {witness.granted[correlation]} grants")
    for correlation, openings in witness.opened.items():
        if witness.granted[correlation] < openings:
            witness.breach("lost", f"swipe {correlation}: {openings} openings, {witness.granted[correlation]} grants")


def restart(device: Instance, witness: Witness, ready: list[float]) -> None:
    """Start; no output may move by itself."""
    device.tap.drain()
    device.start()
    ready.append(device.ready_s)
    for edge in device.tap.drain():
        witness.breach("edge at start", str(edge))


def report(witness: Witness, kills: int, clean: int, ready: list[float], seconds: float) -> str:
    """The closing line."""
    grants = sum(witness.granted.values())
    burnt = grants - sum(witness.opened.values())
    if burnt > kills:
        witness.breach("burnt", f"{burnt} uses without an opening, {kills} kills")
    ready.sort()
    return (
        f"kills={kills} clean={clean} swipes={witness.swipes} grants={grants} lost={witness.count['lost']} "
        f"doubled={witness.count['doubled']} over-granted={witness.count['over-granted']} burnt={burnt} "
        f"start-edges={witness.count['edge at start']} writes={witness.writes} "
        f"writes-lost={witness.count['write lost']} "
        f"ids-not-rising={witness.count['ids']} failed={witness.count['failed']} "
        f"ready-p50={ready[len(ready) // 2]:.3f}s ready-max={ready[-1]:.3f}s time={seconds:.0f}s"
    )


def main(argv: list[str] | None = None) -> int:
    """Run the loop."""
    parser = argparse.ArgumentParser(description="kill a device under load and check what it kept")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--data-dir", type=Path, default=None, help="where the state goes (default: temporary)")
    args = parser.parse_args(argv)
    seed = random.SystemRandom().randrange(1 << 32) if args.seed is None else args.seed
    rng = random.Random(seed)
    print(f"seed {seed}", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="axcore-kill-") as folder,
        Instance(args.data_dir or Path(folder) / "d") as device,
    ):
        return loop(device, args.kills, rng)


def loop(device: Instance, kills: int, rng: random.Random) -> int:
    """``kills`` lives, then a last check."""
    witness, ready, clean = Witness(), list[float](), 0
    holders = [Holder(1000 + n, limit) for n, limit in enumerate((None, 3, 5, 8, 13))]
    began = now()
    restart(device, witness, ready)
    set_up(device, witness, holders)
    for number in range(1, kills + 1):
        Cycle(device, witness, holders, rng.choice(MODES), rng).run()
        restart(device, witness, ready)
        check(device, witness, holders, rng)
        if number % 10 == 0:
            print(
                f"{number} kills, {sum(witness.granted.values())} grants, {len(witness.breaches)} breaches", flush=True
            )
            if device.stop() != 0:
                witness.breach("failed", f"clean stop: {device.output()}")
            clean += 1
            restart(device, witness, ready)
        if len(witness.breaches) > 20:
            break
    print(report(witness, kills, clean, ready, now() - began), flush=True)
    return 1 if witness.breaches else 0


if __name__ == "__main__":
    sys.exit(main())
