"""``axcore demo`` (``make demo``): the manual's own example, played from outside on a real device.

Starts ``axcore run a8207-ve-mk2 --simulate`` with a temporary data directory and then uses public interfaces only:
HTTPS, ``board.sock`` and the tap. Prints a timeline with latencies. Exit code 0 only if all of it happened.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.board import Board
from axcore.interfaces.cli.instance import Instance
from axcore.interfaces.cli.output import CliError, add_json, colour, print_json
from axcore.model.events import ENTRY_DENIED, ENTRY_GRANTED, REX, RFID

DOOR = "relay1"
HOLD_S = 1.0
TIMES = 10
CARD = {"format": "H10301", "facility": 1, "card": 10213}


P = TypeVar("P")


class StepError(Exception):
    """Something that must happen did not."""


@dataclass
class Timeline:
    """What happened, with the time since the demo began and the latency of the step."""

    quiet: bool
    began: float = field(default_factory=time.monotonic)
    rows: list[dict[str, Any]] = field(default_factory=list)
    step: str = "start"
    """That is being played."""
    told: int = 1
    """Exit code of the demo, when it is over."""

    def add(self, step: str, outcome: str, latency_ms: float | None = None) -> None:
        """One line, printed at once."""
        at = time.monotonic() - self.began
        self.rows.append({"t_s": round(at, 3), "step": step, "outcome": outcome, "latency_ms": latency_ms})
        if not self.quiet:
            took = "" if latency_ms is None else f"{latency_ms:9.3f} ms"
            print(f"{at:7.3f} s  {step:<34} {took:>13}  {colour(outcome, '32')}", flush=True)

    def play(self, steps: Iterable[tuple[str, Callable[[P], None]]], play: P) -> None:
        """One step after the other."""
        for self.step, act in steps:
            act(play)

    def __enter__(self) -> Timeline:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        """Say how it ended, which ``told`` is the exit code of; a step that failed is no error of the caller."""
        if error is not None and not isinstance(error, StepError | TimeoutError | CliError | OSError):
            return False
        failed = "" if error is None else f"{self.step}: {error}"
        if self.quiet:
            print_json({"ok": not failed, "failed": failed or None, "timeline": self.rows})
        elif failed:
            print(colour(f"FAILED at step {failed}", "31"))
        else:
            print(f"all of it happened, in {time.monotonic() - self.began:.1f} s")
        self.told = 1 if failed else 0
        return True


def configure(parser: argparse.ArgumentParser) -> None:
    """No arguments of its own."""
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Play it; 0 only if everything happened."""
    with Timeline(args.json) as timeline, Instance() as device:
        timeline.play(STEPS, Play(device, timeline))
    return timeline.told


def need(truth: object, message: str) -> None:
    """Fail the step unless ``truth``."""
    if not truth:
        raise StepError(message)


class Play:
    """The example, step by step."""

    def __init__(self, device: Instance, timeline: Timeline) -> None:
        self.device = device
        self.timeline = timeline
        self.card: dict[str, Any] = {}
        self.client: net.Client
        self.events: net.EventLog
        self.board: Board

    def start(self) -> None:
        running = self.device.start()
        need(not self.device.tap.drain(), "an output moved at start")
        self.timeline.add("device ready", running.https, self.device.ready_s * 1e3)

    def admin(self) -> None:
        began = time.monotonic()
        said = self.device.create_admin()
        need("Created account" in said, f"the device said: {said}")
        self.client = self.device.client()
        self.events = net.EventLog(self.client)
        self.board = self.device.board()
        self.timeline.add("first admin created", said.splitlines()[0], (time.monotonic() - began) * 1e3)

    def latest(self) -> None:
        self.client.rest("PATCH", net.ENTRY_SETTINGS, {"use_entry_list": True})
        self.board.call("card", **CARD, correlation="enrol")
        event = self.events.wait(RFID, "enrol")
        latest = self.client.rest("GET", net.LATEST)
        need(latest and latest.get("card"), f"Get latest gave {latest}")
        self.card = latest["card"]
        need(not self.device.tap.drain(), "the door opened for an unknown card")
        self.timeline.add(
            "card swiped, Get latest", f"{latest['card']['bits']} bits {latest['card']['value']} (event {event['id']})"
        )

    def holder(self) -> None:
        began = time.monotonic()
        holder = {
            "first_name": "Ada", "last_name": "Lovelace", "card": self.card,
            "validity": {"type": "number_of_times", "count": TIMES},
        }  # fmt: skip
        created = self.client.rest("POST", net.HOLDERS, holder)
        self.timeline.add(
            "credential holder added", f"{created['first_name']}, {TIMES} times", (time.monotonic() - began) * 1e3
        )

    def rule(self) -> None:
        began = time.monotonic()
        rule = {
            "name": "Open door", "conditions": [{"topic": ENTRY_GRANTED}],
            "action": {"type": "toggle_io_once", "port": "Door", "state": True, "duration": HOLD_S},
        }  # fmt: skip
        created = self.client.rest("POST", net.RULES, rule)
        self.timeline.add(
            "rule added", f"{created['name']}: Door active {HOLD_S:g} s", (time.monotonic() - began) * 1e3
        )

    def swipes(self) -> None:
        for number in range(1, TIMES + 1):
            name = f"swipe-{number}"
            self.board.call("card", **CARD, correlation=name)
            opened = self.device.tap.expect(DOOR, True, 2.0)
            granted = self.events.wait(ENTRY_GRANTED, name)
            frame = self.events.wait(RFID, name)
            closed = self.device.tap.expect(DOOR, False, HOLD_S + 1.0)
            held = (closed.t_ns - opened.t_ns) / 1e9
            need(abs(held - HOLD_S) < 0.05, f"swipe {number}: the door was held {held:.3f} s")
            need(granted["data"].get("remaining") == str(TIMES - number), f"swipe {number}: {granted['data']}")
            late = (opened.t_ns - frame["t_ns"]) / 1e6
            self.timeline.add(
                f"swipe {number:2}: card -> door open", f"held {held:.4f} s, {TIMES - number} left", round(late, 3)
            )

    def eleventh(self) -> None:
        self.board.call("card", **CARD, correlation="swipe-11")
        denied = self.events.wait(ENTRY_DENIED, "swipe-11")
        need(not self.device.tap.drain(), "the door opened an eleventh time")
        self.timeline.add("swipe 11: denied", str(denied["data"].get("reason", "")))

    def rex(self) -> None:
        reply = self.board.call("rex", duration=0.2, correlation="rex")
        opened = self.device.tap.expect(DOOR, True, 1.0)
        logged = self.events.wait(REX, "rex")  # the door opens first, the record follows
        pressed = reply.get("t_ns") or logged["t_ns"]
        self.timeline.add("REX -> door open (5 ms debounce)", "free egress", round((opened.t_ns - pressed) / 1e6, 3))

    def log(self) -> None:
        self.events.wait(REX, "rex")
        events = self.events.all()
        ids = [event["id"] for event in events]
        need(ids == sorted(set(ids)), "event ids do not rise strictly")
        for number in range(1, TIMES + 1):
            found = [e for e in events if e["topic"] == ENTRY_GRANTED and e.get("correlation") == f"swipe-{number}"]
            need(len(found) == 1, f"{len(found)} grants of swipe {number} in the log")
        need(sum(e["topic"] == ENTRY_GRANTED for e in events) == TIMES, "another number of grants in the log")
        self.timeline.add("events in the log", f"{len(events)} events, {TIMES} grants, ids {ids[0]}..{ids[-1]}")

    def stop(self) -> None:
        began = time.monotonic()
        code = self.device.stop()
        need(code == 0, f"the device ended with {code}\n{self.device.output()}")
        self.timeline.add("stopped cleanly", "exit 0", (time.monotonic() - began) * 1e3)


STEPS = (
    ("start the device", Play.start),
    ("create the first admin", Play.admin),
    ("swipe once and Get latest", Play.latest),
    ("add the credential holder", Play.holder),
    ("add the rule", Play.rule),
    ("swipe ten times", Play.swipes),
    ("the eleventh swipe is denied", Play.eleventh),
    ("REX opens the door", Play.rex),
    ("events are in the log", Play.log),
    ("stop", Play.stop),
)


if __name__ == "__main__":
    from axcore.interfaces.cli.main import main

    sys.exit(main(["demo"]))
