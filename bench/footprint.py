"""What a running device costs: time from exec to ready, resident memory, idle CPU, and which modules it loaded.

    python bench/footprint.py [--model a8207-ve-mk2] [--idle 5] [--json FILE] [--gate]

Goals: ready <= 1 s, <= 60 MB resident, <= 0.5 % of one CPU when idle, numpy not loaded. The first start also makes
the key and the certificate; the second is the one that counts. Times depend on the machine: the gate leaves them to
the reader unless ``--strict``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from axcore.interfaces.cli.client import Client
from axcore.interfaces.cli.instance import MODEL, Instance

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> tuple[float, float]:
    """Resident memory and the part of it that is not shared with files, in MB (10^6)."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    total = int(status["VmRSS"].split()[0])
    files = int(status["RssFile"].split()[0])
    return total * 1024 / 1e6, (total - files) * 1024 / 1e6


def systemready(device: Instance) -> float:
    """Seconds from exec until systemready says yes."""
    began = time.monotonic()
    device.start()
    client = Client.of(device.running)
    while client.ajr("systemready", "systemready", {"timeout": 1})["systemready"] != "yes":
        pass
    client.close()
    return time.monotonic() - began


def measure(idle_s: float, model: str = MODEL) -> dict[str, Any]:
    """Start twice, look at the second life."""
    with Instance(model=model) as device:
        first = systemready(device)
        device.create_admin()
        device.stop()
        starts = []
        for _ in range(3):
            starts.append(systemready(device))
            if len(starts) < 3:
                device.stop()
        time.sleep(1.0)  # let start-up work end; not a synchronisation: the next lines measure idleness
        before = cpu_seconds(device.pid)
        began = time.monotonic()
        time.sleep(idle_s)
        cpu = (cpu_seconds(device.pid) - before) / (time.monotonic() - began) * 100
        rss, private = resident_mb(device.pid)
        maps = Path(f"/proc/{device.pid}/maps").read_text()
        threads = len(list(Path(f"/proc/{device.pid}/task").iterdir()))
    return {
        "first_start_s": first, "ready_s": sorted(starts)[1], "rss_mb": rss, "private_mb": private,
        "idle_cpu_percent": cpu, "threads": threads, "numpy": "numpy" in maps or "numpy" in modules(),
    }  # fmt: skip


def modules() -> set[str]:
    """Top-level modules that the start path imports (a dump of sys.modules after it)."""
    code = "import axcore.__main__, axcore.app, sys; print(*{m.partition('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def main(argv: list[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default=MODEL, help="which device (SIP is off, as delivered)")
    parser.add_argument("--idle", type=float, default=5.0, metavar="SECONDS", help="how long to watch the idle CPU")
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    parser.add_argument("--gate", action="store_true", help="exit 1 when memory or numpy is over its goal")
    parser.add_argument("--strict", action="store_true", help="gate times and CPU as well (a quiet machine is needed)")
    args = parser.parse_args(argv)
    found = measure(args.idle, args.model)
    goals = [
        ("ready_s", found["ready_s"] <= 1.0, "<= 1 s", args.strict),
        ("rss_mb", found["rss_mb"] <= 60.0, "<= 60 MB", args.gate or args.strict),
        ("idle_cpu_percent", found["idle_cpu_percent"] <= 0.5, "<= 0.5 %", args.strict),
        ("numpy", not found["numpy"], "not loaded", args.gate or args.strict),
    ]
    for name, value in found.items():
        goal = next((f"  goal {text}: {'ok' if ok else 'MISS'}" for key, ok, text, _ in goals if key == name), "")
        print(f"{name:18} {value if isinstance(value, bool | int) else round(value, 3)}{goal}")
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 1 if any(gated and not ok for _, ok, _, gated in goals) else 0


if __name__ == "__main__":
    sys.exit(main())
