"""What OSDP lines cost, and how fast a reader answers, over ptys with the time that bytes take.

    python bench/osdp_line.py [--seconds 5] [--json FILE] [--gate]

lines   eight readers on four buses of 115200 baud, secure, saturated, and again polled every 50 ms: processor time of
        the controller (system calls counted), polls a second. The readers are another process, which waits as long as a
        line and a reader of 3 ms would.
device  the same through a whole door controller in a process of its own, set up over REST: all of its processor time,
        less what it takes when it polls nobody
delay   from the last byte of a command to the first of the reply of a device whose Python is busy, all the time

Goals are printed; ``--gate`` fails (exit 1) when one is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import json
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

from axcore._native.osdp_line import ControlPanel, PeripheralDevice
from axcore.devices.reader import ReaderSinks
from axcore.drivers.osdp_bus import OsdpBus
from axcore.drivers.osdp_lines import OsdpLines
from axcore.drivers.osdp_reader import OsdpOutput, OutputSinks
from axcore.drivers.serial import PtyLine, SerialLine
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.interfaces.cli.output import table

KEY = bytes.fromhex("6b1f0c93d2a8475e90b3c6d4e1f72a58")
BAUD, BUSES, PER_BUS = 115_200, 4, 2
READER_NS = 3_000_000
CHARACTER_NS = 10 * 1_000_000_000 // BAUD
SATURATED = 600.0
"""Polls a second below which the lines were not full: the readers of this run were too slow."""
POLLS = 3000


def percentile(values: list[float], p: float) -> float:
    """Nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(p / 100 * len(ordered) + 0.5) - 1))]


# --- the other end, in a process of its own


def play_readers(paths: list[str]) -> None:
    """Two readers on each line; answers leave when their last byte would have arrived."""
    lines = [SerialLine(path=path, baud=BAUD) for path in paths]
    fds = {line.open(): [PeripheralDevice(address, key=KEY) for address in range(PER_BUS)] for line in lines}
    waiting: list[tuple[int, int, bytes]] = []
    print("ready", flush=True)
    parent = os.getppid()
    while os.getppid() == parent:
        timeout = max(0, waiting[0][0] - time.monotonic_ns()) / 1e9 if waiting else 1.0
        for fd in select.select(list(fds), [], [], timeout)[0]:
            data, now = os.read(fd, 4096), time.monotonic_ns()
            for device in fds[fd]:
                if out := device.step(data, now):
                    due = now + (len(data) + len(out)) * CHARACTER_NS + READER_NS
                    heapq.heappush(waiting, (due, fd, out))
        while waiting and waiting[0][0] <= time.monotonic_ns():
            _, fd, out = heapq.heappop(waiting)
            os.write(fd, out)


def nothing(*_: object) -> None:
    """A sink."""


READER_SINKS = ReaderSinks(**dict.fromkeys(ReaderSinks.__dataclass_fields__, nothing))
OUTPUT_SINKS = OutputSinks(**dict.fromkeys(OutputSinks.__dataclass_fields__, nothing))


def run_lines(poll_ms: float, seconds: float) -> dict[str, float]:
    """Percent of a core and polls a second."""
    lines = OsdpLines()
    ptys = [PtyLine() for _ in range(BUSES)]
    child = subprocess.Popen(
        [sys.executable, __file__, "--readers", *(pty.path for pty in ptys)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    child.stdout.readline()
    buses = [OsdpBus(pty, READER_SINKS, baud=BAUD) for pty in ptys]
    readers = [
        bus.add(PER_BUS * n + address, address, key=KEY, poll_ms=poll_ms)
        for n, bus in enumerate(buses)
        for address in range(PER_BUS)
    ]
    try:
        for bus in buses:
            lines.add(bus)
        lines.start()
        deadline = time.monotonic() + 20
        while not all(reader.status.link == "secure" for reader in readers):
            for job in lines.jobs():
                job(None)  # type: ignore[arg-type]
            time.sleep(0.01)
            if time.monotonic() > deadline:
                raise SystemExit("the readers did not come on line")
        time.sleep(0.2)
        polls, cpu, began = sum(r.stats["frames"] for r in readers), time.process_time(), time.monotonic()
        time.sleep(seconds)
        wall, cpu = time.monotonic() - began, time.process_time() - cpu
        stats = [r.stats for r in readers]
        return {
            "polls_s": (sum(s["frames"] for s in stats) - polls) / wall,
            "cpu_percent": 100 * cpu / wall,
            "retries": sum(s["retries"] for s in stats),
            "least_share": min(s["replies"] for s in stats) / max(s["replies"] for s in stats),
        }
    finally:
        lines.stop()
        child.kill()
        child.wait()


# --- what a door controller pays for it


def cpu_s(pid: int) -> float:
    """Processor seconds of a process and its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run_device(seconds: float) -> dict[str, float]:
    """Percent of a core that an a1710-b takes: polling nobody, as fast as the lines allow, every 50 ms."""
    api = "/config/rest/doors/v1"
    with Instance(model="a1710-b") as device:
        device.start()
        device.create_admin()
        client = device.client()

        def measured() -> float:
            time.sleep(1)
            before, began = cpu_s(device.pid), time.monotonic()
            time.sleep(seconds)
            return 100 * (cpu_s(device.pid) - before) / (time.monotonic() - began)

        found = {"idle": measured()}
        command = [sys.executable, __file__, "--readers", *device.running.rs485.split()]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        try:
            child.stdout.readline()
            for number in range(1, BUSES * PER_BUS + 1):
                settings = {"enabled": True, "key": KEY.hex()}
                client.rest("PATCH", f"{api}/readers/reader{number}/settings", settings)
            for name, poll_ms in (("saturated", 0), ("paced", 50)):
                for port in range(1, BUSES + 1):
                    client.rest("PATCH", f"{api}/reader-ports/{port}", {"baud": BAUD, "poll_ms": poll_ms})

                def linked() -> bool:
                    return all(entry["link"] == "secure" for entry in client.rest("GET", f"{api}/readers"))

                wait_for("eight readers", linked, 20)
                found[name] = measured() - found["idle"]
        finally:
            child.kill()
            child.wait()
    return found


# --- how fast a device answers


def play_station(path: str) -> None:
    """A device whose interpreter is never free, and whose Python end takes events all the same."""
    lines = OsdpLines()
    pty = PtyLine(Path(path))
    lines.add(OsdpOutput(pty, OUTPUT_SINKS, key=KEY))
    lines.start()
    sys.setswitchinterval(0.0001)  # as the device does
    threading.Thread(target=_spin, daemon=True).start()
    print("ready", flush=True)
    parent = os.getppid()
    while os.getppid() == parent:
        lines.jobs()
        time.sleep(0.001)


def _spin() -> None:
    value = 0
    while True:
        value = (value * 31 + 7) % 1_000_003


def run_delay(folder: str, polls: int) -> dict[str, float]:
    """Milliseconds from a written command to its read reply, both ends' system calls included.

    Who measures goes before ordinary programs, where that is allowed: what is measured is the device, not this process.
    """
    link = f"{folder}/line"
    child = subprocess.Popen([sys.executable, __file__, "--station", link], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        child.stdout.readline()
        fd = SerialLine(path=link, baud=BAUD).open()
        panel = ControlPanel(baud=0)
        panel.open(0, key=KEY)
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5))
        delays: list[float] = []
        data, deadline = b"", time.monotonic() + 60
        while len(delays) < polls and time.monotonic() < deadline:
            now = time.monotonic_ns()
            if out := panel.step(data, now):
                time.sleep(0.002)
                sent = time.monotonic_ns()
                os.write(fd, out)
                if select.select([fd], [], [], 0.5)[0]:
                    delay = (time.monotonic_ns() - sent) / 1e6
                    if panel.link(0) == 2:
                        delays.append(delay)
                    data = os.read(fd, 4096)
                    continue
            data = b""
        os.close(fd)
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        child.kill()
        child.wait()
    return {"median_ms": percentile(delays, 50), "p99_ms": percentile(delays, 99), "max_ms": max(delays)}


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--polls", type=int, default=POLLS)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--gate", action="store_true")
    parser.add_argument("--readers", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--station", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.readers:
        play_readers(args.readers)
        return 0
    if args.station:
        play_station(args.station)
        return 0
    import tempfile

    full, paced = run_lines(0, args.seconds), run_lines(50, args.seconds)
    device = run_device(args.seconds)
    with tempfile.TemporaryDirectory() as folder:
        delay = run_delay(folder, args.polls)
    goals = [
        ("saturated: polls/s", full["polls_s"], ">=", SATURATED),
        ("saturated: % of a core", full["cpu_percent"], "<=", 5.0),
        ("saturated: least share of a reader", full["least_share"], ">=", 0.9),
        ("every 50 ms: polls/s", paced["polls_s"], ">=", 140.0),
        ("every 50 ms: % of a core", paced["cpu_percent"], "<=", 1.5),
        ("a whole controller, saturated: % of a core", device["saturated"], "<=", 5.0),
        ("a whole controller, every 50 ms: % of a core", device["paced"], "<=", 1.5),
        ("reply delay, Python busy: median ms", delay["median_ms"], "<=", 1.0),
        ("reply delay, Python busy: p99 ms", delay["p99_ms"], "<=", 3.0),
        ("reply delay, Python busy: max ms", delay["max_ms"], "<=", 20.0),
    ]
    met = [value >= goal if sign == ">=" else value <= goal for _, value, sign, goal in goals]
    rows = [
        [name, f"{value:.3g}", f"{sign} {goal:g}", "met" if good else "MISSED"]
        for (name, value, sign, goal), good in zip(goals, met, strict=True)
    ]
    print(table(["", "measured", "goal", ""], rows))
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    if args.json:
        args.json.write_text(
            json.dumps({"saturated": full, "paced": paced, "device": device, "delay": delay}, indent=1)
        )
    return 1 if args.gate and not all(met) else 0


if __name__ == "__main__":
    sys.exit(main())
