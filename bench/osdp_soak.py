"""OSDP for a long time: ``--frames`` frames (10 million) through both engines in memory, half of them secure.

One frame in ``HARM`` is lost, damaged, cut or doubled. Memory must stay flat, every command must end, and the reader
must be there at the end. Time is virtual.

    python bench/osdp_soak.py [--frames N] [--json]
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from typing import NamedTuple

from axcore import osdp

KEY = bytes.fromhex("00112233445566778899aabbccddee0f")
LED = bytes(range(14))
HARM = 1000
STEP_NS = 1_000_000
WARM_UP = 0.1
"""Part of the run after which memory is at its level."""
MOST_GROWTH_KIB = 1024


class Soak(NamedTuple):
    """What a run saw."""

    frames: int
    harmed: int
    done: int
    failed: int
    """Commands that ended with an error: the line was harmed once too often."""
    unfinished: int
    offline: int
    growth_kib: int


def resident_kib() -> int:
    """Resident memory of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4


def harmed(data: bytes, dice: random.Random) -> bytes:
    """What arrives of a frame on a bad line."""
    at = dice.randrange(len(data))
    flipped = data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]
    return dice.choice((b"", flipped, data[:at], data + data))


def soak(frames: int, key: bytes | None, seed: int) -> Soak:
    """Commands without end until ``frames`` frames went over the line, both directions counted."""
    dice = random.Random(seed)
    panel, pd = osdp.ControlPanel(baud=0), osdp.PeripheralDevice(1, key=key)
    reader = panel.open(1, key=key)
    now = sent = done = failed = offline = seen = hurt = level = 0
    reply = b""
    ends = (osdp.EventKind.DONE, osdp.EventKind.FAILED)
    while seen < frames or sent > done + failed:
        now += STEP_NS
        if seen < frames and sent - done - failed < 8 and panel.link(reader) != osdp.LinkState.OFFLINE:
            panel.command(reader, 0x69, LED, 1)
            sent += 1
        out = panel.step(reply, now)
        seen += bool(out)
        if out and seen % HARM == 0:
            out, hurt = harmed(out, dice), hurt + 1
        reply = pd.step(out, now)
        seen += bool(reply)
        if reply and seen % HARM == 0:
            reply, hurt = harmed(reply, dice), hurt + 1
        pd.events()
        for event in panel.events():
            if event.token == 1 and event.kind in ends:
                done, failed = done + (event.kind == ends[0]), failed + (event.kind == ends[1])
            offline += event.kind == osdp.EventKind.LINK and event.a == osdp.LinkState.OFFLINE
        if not level and seen > frames * WARM_UP:
            level = resident_kib()
        if now > (frames + 100_000) * 100 * STEP_NS:
            break  # it stands still: what is unfinished tells
    return Soak(seen, hurt, done, failed, sent - done - failed, offline, resident_kib() - level)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--frames", type=int, default=10_000_000)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    bad = False
    for name, key in (("clear", None), ("secure", KEY)):
        began = time.perf_counter()
        told = soak(args.frames // 2, key, seed=1)
        bad |= told.growth_kib > MOST_GROWTH_KIB or bool(told.unfinished) or told.done == 0 or told.harmed == 0
        took = time.perf_counter() - began
        if args.json:
            print(json.dumps({"line": name, **told._asdict(), "s": round(took, 1)}))
        else:
            print(f"{name:7} {told.frames} frames in {took:.0f} s, {told.harmed} harmed, {told.done} commands done, "
                  f"{told.failed} failed, {told.unfinished} unfinished, {told.offline} times off line, "
                  f"memory {told.growth_kib:+} KiB")  # fmt: skip
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
