"""How long until the siren lights up and sounds, and how regular its frames are: measured on a real device.

    python -m bench.signal_latency [-n 200] [--json FILE] [--gate]

start over HTTP    POST siren_and_light.cgi `start` -> first light frame, first sample; the device is another process
                   (left out where it has no such CGI)
start              the same from the ledger job to the tap, of a device in this process: what HTTP has no part in
jitter             how late a frame is given out after it was due, 100 frames a second: idle, and with the loop stalled

All times are of one clock (CLOCK_MONOTONIC); tap and captures are written by the native threads. Goals are printed;
``--gate`` fails (exit 1) when one is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from axcore.app import Device
from axcore.interfaces.cli.instance import Instance, Tap
from axcore.interfaces.cli.output import CliError, table
from axcore.model.profiles import Light, Siren
from axcore.testing.signal import Frame, SignalReader, gaps, jitter
from bench.goals import goal, rows, show

MODEL = "d4100-ve-mk2"
CGI = "siren_and_light"
LIGHT = {"pattern": "Steady", "intensity": 5, "colors": ["red"]}
SIREN = {"pattern": "Siren: Alternate", "intensity": 5}
STALL_S = 4.0
FRAME_NS = 10_000_000
PATIENCE = 10.0


def both(tap: Tap, active: bool) -> dict[str, int]:
    """When light and siren began (or ended): ns."""
    found: dict[str, int] = {}
    while len(found) < 2:
        edge = tap.next(PATIENCE)
        if edge is None:
            raise CliError(f"of light and siren only {', '.join(found) or 'none'} came")
        if edge.active == active and edge.io in ("light", "siren"):
            found[edge.io] = edge.t_ns
    return found


def starts(n: int, tap: Tap, start: Callable[[], int], stop: Callable[[], None]) -> tuple[list[float], list[float]]:
    """Seconds from ``start`` (which tells when it asked, ns) to the first frame, and to the first sample."""
    light: list[float] = []
    sound: list[float] = []
    for number in range(n + 5):
        asked = start()
        began = both(tap, True)
        stop()
        both(tap, False)
        if number >= 5:  # warm
            light.append((began["light"] - asked) / 1e9)
            sound.append((began["siren"] - asked) / 1e9)
        time.sleep(0.003)  # not in step with the frame clock
    return light, sound


def over_http(device: Instance, n: int) -> dict[str, list[float]]:
    """Starts over HTTP; nothing where the device cannot."""
    client = device.client(30.0)
    try:
        client.ajr(CGI, "setMaintenanceMode", {"maintenanceMode": False})
    except CliError:
        return {}
    device.tap.expect("light", False, PATIENCE)

    def start() -> int:
        asked = time.monotonic_ns()
        client.ajr(CGI, "start", {"light": LIGHT, "siren": SIREN})
        return asked

    light, sound = starts(n, device.tap, start, lambda: client.ajr(CGI, "stop", {"all": ["siren", "light"]}) and None)
    return {"HTTP start -> light": light, "HTTP start -> sound": sound}


def from_within(n: int) -> dict[str, list[float]]:
    """Starts by ledger jobs, each with its fsync."""
    with tempfile.TemporaryDirectory(prefix="axcore-bench-") as name:
        folder = Path(name)
        tap = Tap(folder / "tap")
        device = Device(MODEL, folder / "data", tap=str(tap.path))
        device.start()
        try:
            assert device.strobe is not None
            service = device.strobe.service
            tap.expect("light", True, PATIENCE)
            device.ledger.post(lambda tx: service.set_maintenance(tx, False))
            tap.expect("light", False, PATIENCE)
            light_wish = Light(pattern="Steady", colors=("red",), intensity=5)
            siren_wish = Siren(pattern="Siren: Alternate", intensity=5)

            def start() -> int:
                asked = time.monotonic_ns()
                device.ledger.post(lambda tx: service.start(tx, light=light_wish, siren=siren_wish))
                return asked

            def stop() -> None:
                device.ledger.post(lambda tx: (service.stop_all(tx, "light"), service.stop_all(tx, "siren")))

            light, sound = starts(n, tap, start, stop)
        finally:
            device.stop()
            tap.close()
    return {"start -> light": light, "start -> sound": sound}


def frames_of(signal: SignalReader, seconds: float) -> list[Frame]:
    """The frames of the next seconds."""
    first = signal.light.written
    until = time.monotonic_ns() + round(seconds * 1e9)
    last = signal.wait_frame(lambda frame: frame.t_ns > until, first, seconds + PATIENCE)
    return [frame for frame in signal.frames(first) if frame.number < last.number]


def frame_clock(device: Instance) -> tuple[dict[str, list[float]], int]:
    """Lateness of frames in seconds; and how many were left out."""
    with SignalReader(device.data_dir) as signal:
        idle = frames_of(signal, STALL_S)
        device.board().call("stall", seconds=STALL_S + 0.5)
        stalled = frames_of(signal, STALL_S)
    missed = sum(gap // FRAME_NS - 1 for frames in (idle, stalled) for gap in gaps(frames))
    late = {"frame jitter": idle, "frame jitter, loop stalled": stalled}
    return {name: [value / 1e9 for value in jitter(frames)] for name, frames in late.items()}, missed


def measure(n: int) -> dict[str, Any]:
    """All series, in milliseconds."""
    out: dict[str, list[float]] = {}
    with Instance(model=MODEL) as device:
        device.start()
        device.create_admin()
        device.tap.expect("light", True, PATIENCE)  # the maintenance triangle: frames all the time
        late, missed = frame_clock(device)
        out.update(over_http(device, n))
    out.update(from_within(n))
    out.update(late)
    found = rows(out)
    return {"unit": "ms", "series": found, "missed": missed, "goals": goals(found)}


def goals(found: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """What is promised, and what was found."""
    return [
        *(goal(f"{name} p50 <= 3 ms", found[name]["p50"], 3.0) for name in found if "->" in name),
        *(goal(f"{name} p99 <= 1 ms", found[name]["p99"], 1.0) for name in found if name.startswith("frame")),
    ]


def main(argv: list[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=200, help="starts per series (default 200)")
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    parser.add_argument("--gate", action="store_true", help="exit 1 when a goal is missed")
    args = parser.parse_args(argv)
    result = measure(args.n)
    names = ("n", "p50", "p95", "p99", "max", "mean")
    lines = [[k, *(f"{v[c]:.3f}" if c != "n" else v[c] for c in names)] for k, v in result["series"].items()]
    print(table(["ms", *names], lines))
    print(f"\nframes left out: {result['missed']}\n")
    show(result["goals"])
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 1 if args.gate and not all(goal["ok"] for goal in result["goals"]) else 0


if __name__ == "__main__":
    sys.exit(main())
