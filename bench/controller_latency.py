"""How long a person waits at the door of a controller: card edge to relay, request to exit to lock, and what of it is
the decision.

    python -m bench.controller_latency [-n 200] [--credentials 100000] [--json FILE] [--gate]

card     complete frame -> relay edge of ``axcore run a1610 --simulate``, as in ``door_latency.py``; beside it a bare
         fdatasync of 4 KiB on the same file system, in turns
rex      press -> lock edge, less the debounce
request  in this process, with this many credentials: a card at a reader through decision, events, door and record, up
         to the commit, one at a time
decision the decision in the service with its event, one after the other

Goals are printed; ``--gate`` fails (exit 1) when one is missed.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from axcore.app import Device
from axcore.interfaces.cli.instance import Instance
from axcore.interfaces.cli.output import table
from axcore.model.credentials import CardValue
from axcore.model.doors import Door
from axcore.model.pacs import AccessPolicy, AccessProfile, Credential, CredentialAccessProfile, IdData
from axcore.services.pacs.decision import Request
from axcore.testing.controller import ControllerBench
from axcore.wiegand import FORMATS
from bench.door_latency import DEBOUNCE_NS, DOOR, FAST, FRAME_GAP_NS
from bench.goals import goal, rows, show
from bench.peers.handover import PAGE

CARD = 4711
ACCESS_MS = 100


def card_value(number: int) -> CardValue:
    """The frame of a card of facility 7."""
    bits = FORMATS["H10301"].encode(facility=7, card=number)
    return CardValue(bits=26, value=f"{bits.value:08x}")


def credentials(count: int) -> list[Any]:
    """So many people, all with one profile; the last one has CARD."""
    profiles = (CredentialAccessProfile("staff"),)
    others = (
        Credential(token=f"c{n}", id_data=(IdData("Card", f"{n:010x}"),), access_profiles=profiles)
        for n in range(count - 1)
    )
    return [
        *others,
        Credential(token="ann", id_data=(IdData("Card", card_value(CARD).value),), access_profiles=profiles),
    ]


def store(tx: Any, count: int) -> None:
    """A site with so many credentials."""
    tx.put("pacs.door", "door1", msgspec.json.encode(Door(token="door1", access_ms=ACCESS_MS)))
    profile = AccessProfile(token="staff", policies=(AccessPolicy("reader1access"),))
    tx.put("pacs.access_profile", "staff", msgspec.json.encode(profile))
    for credential in credentials(count):
        tx.put("pacs.credential", credential.token, msgspec.json.encode(credential))


def in_process(n: int, count: int) -> dict[str, list[float]]:
    """Seconds of a request and of a decision."""
    bench = ControllerBench(before=lambda _, tx: store(tx, count))
    gc.collect()
    gc.freeze()  # as the device does when it is ready
    card, request = card_value(CARD), Request("reader1", {"Card": card_value(CARD).value})
    out: dict[str, list[float]] = {"request": [], "decision": []}

    def timed(name: str, work: Any) -> Any:
        def job(tx: Any) -> None:
            began = time.perf_counter()
            work(tx)
            out[name].append(time.perf_counter() - began)

        return job

    for _ in range(n):
        bench.do(timed("request", lambda tx: bench.readers.on_card(tx, "reader1", card)))
        bench.wait(1.0)

    def decisions(tx: Any) -> None:
        for _ in range(10 * n):
            timed("decision", lambda tx: bench.pacs.decide(tx, request))(tx)

    bench.do(decisions)
    return out


def at_the_door(n: int, count: int) -> dict[str, list[float]]:
    """Seconds at a device in a process of its own."""
    out: dict[str, list[float]] = {"card": [], "bare fdatasync": [], "rex": []}
    with Instance(model="a1610") as device:
        first = Device("a1610", device.data_dir)
        first.start()
        first.ledger.submit(lambda tx: store(tx, count)).result(60)
        first.stop()
        device.start(120.0)
        sync = os.open(device.data_dir / "bare-fdatasync", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with device.board(30.0) as board:
            for turn in range(n + 5):
                complete = int(board.call("card", **FAST, card=CARD)["t_ns"]) + FRAME_GAP_NS
                took = (device.tap.expect(DOOR, True, 30.0).t_ns - complete) / 1e9
                device.tap.expect(DOOR, False, 5.0)
                began = time.perf_counter()
                os.write(sync, PAGE)
                os.fdatasync(sync)
                if turn >= 5:
                    out["card"].append(took)
                    out["bare fdatasync"].append(time.perf_counter() - began)
            for _ in range(max(20, n // 4)):
                accepted = board.call("rex", duration=0.02)["t_ns"] + DEBOUNCE_NS
                out["rex"].append((device.tap.expect(DOOR, True, 2.0).t_ns - accepted) / 1e9)
                device.tap.expect(DOOR, False, 10.0)
        os.close(sync)
    return out


def main(argv: list[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=200, help="swipes (default 200)")
    parser.add_argument("--credentials", type=int, default=100_000)
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    parser.add_argument("--gate", action="store_true", help="exit 1 when a goal is missed")
    args = parser.parse_args(argv)
    values = {**in_process(args.n, args.credentials), **at_the_door(args.n, args.credentials)}
    found = rows(values)
    lines = [[k, *(f"{v[c]:.4f}" for c in ("p50", "p95", "p99"))] for k, v in found.items()]
    print(table(["ms", "p50", "p95", "p99"], lines))
    goals = [
        goal("decision p50 <= 50 us", found["decision"]["p50"], 0.05),
        goal("card p50 <= one fdatasync + 0.3 ms", found["card"]["p50"], found["bare fdatasync"]["p50"] + 0.3),
        goal("card p99 <= 5 ms", found["card"]["p99"], 5.0),
        goal("rex p99 <= 2 ms", found["rex"]["p99"], 2.0),
    ]
    print()
    show(goals)
    if args.json:
        args.json.write_text(json.dumps({"unit": "ms", "series": found}, indent=1) + "\n", encoding="utf-8")
    return 1 if args.gate and not all(one["ok"] for one in goals) else 0


if __name__ == "__main__":
    sys.exit(main())
