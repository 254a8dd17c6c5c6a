"""Run the benches, ours and the best peer in the same run, and hold their ratios against ``bench/gates.toml``.

``python bench/gate.py [--no-gate]``. A bench is a pytest-benchmark test in ``bench/bench_<module>.py`` with the mark
``@pytest.mark.benchmark(group=<gate>)``: ours is ``test_axcore...``, a peer is ``test_peer_<name>...``. All tests of a
gated group do the same work. ``extra_info["units"]`` says how many things one call does (1 if left out), and
``extra_info["unit"]`` what they are. The ratio is peer / ours by the shortest round of each: how much faster we are. A
group below its floor is run up to four times more and the shortest rounds of all runs count, so that a busy machine
does not fail the gate; an absolute time never does. A bench may also assert goals of its own; a failing bench fails the
gate.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parent
ATTEMPTS = 5
OPTIONS = (
    "--benchmark-disable-gc", "--benchmark-max-time=0.5", "--benchmark-warmup=on", "--benchmark-warmup-iterations=2",
)  # fmt: skip
"""Short: the least of many rounds is soon found, and what is below its floor is measured again."""
Times = dict[str, dict[str, float]]
"""group -> test name -> seconds a unit (shortest round)"""


def run(select: list[str], units: dict[str, str], notes: dict[str, str], broken: list[str]) -> Times:
    """One run of the benches (of the named tests only, if any).

    Fills ``units`` with what each test counts, ``notes`` with what else a bench tells (``extra_info``), and ``broken``
    with the output of benches that fail by themselves.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "bench.json")
        command = [sys.executable, "-m", "pytest", "-q", "-W", "default", "-p", "no:cacheprovider", "--timeout=600"]
        command += [*OPTIONS, f"--benchmark-json={out}", *(select or [str(BENCH)])]
        done = subprocess.run(command, cwd=BENCH.parent, capture_output=True, text=True, check=False)
        if done.returncode:
            broken.append(done.stdout + done.stderr)
        text = out.read_text() if out.exists() else ""
        benches: list[dict[str, Any]] = json.loads(text)["benchmarks"] if text else []
    times: Times = {}
    for bench in benches:
        info = bench["extra_info"]
        name, count = bench["fullname"], info.pop("units", 1)
        units[name] = info.pop("unit", "calls")
        times.setdefault(bench["group"], {})[name] = bench["stats"]["min"] / count
        info["median"] = speed(bench["stats"]["median"] / count, units[name]).strip()
        notes[name] = ", ".join(f"{key} {value}" for key, value in info.items())
    return times


def is_peer(fullname: str) -> bool:
    """Whether a test measures somebody else."""
    return fullname.rpartition("::")[2].startswith("test_peer_")


def ratio(group: dict[str, float]) -> float | None:
    """Time of the fastest peer over our slowest, or None when one side is missing."""
    ours = [seconds for name, seconds in group.items() if not is_peer(name)]
    peers = [seconds for name, seconds in group.items() if is_peer(name)]
    return min(peers) / max(ours) if ours and peers else None


def failing(times: Times, gates: dict[str, Any]) -> list[str]:
    """Gates that are below their floor or have nothing to compare."""
    return [name for name, gate in gates.items() if (ratio(times.get(name, {})) or 0) < gate["min_ratio"]]


def merge(times: Times, again: Times) -> None:
    """Keep the shorter time of each test."""
    for group, tests in again.items():
        for name, seconds in tests.items():
            times[group][name] = min(seconds, times[group][name])


def speed(seconds: float, unit: str) -> str:
    """Seconds a unit as ``12.3 ns  81.30 M frames/s``."""
    scale, suffix = next((s, t) for s, t in ((1e-3, "ms"), (1e-6, "us"), (0.0, "ns")) if seconds >= s)
    factor = {"ms": 1e3, "us": 1e6, "ns": 1e9}[suffix]
    rate = 1 / seconds
    scale, prefix = next((s, t) for s, t in ((1e6, " M"), (1e3, " k"), (1.0, "")) if rate >= s or s == 1.0)
    return f"{seconds * factor:9.1f} {suffix}  {rate / scale:8.2f}{prefix} {unit}/s"


def show(times: Times, gates: dict[str, Any], units: dict[str, str], notes: dict[str, str]) -> None:
    """Print every test of every group, and the ratio of each group beside its floor."""
    for group, tests in sorted(times.items()):
        found, floor = ratio(tests), gates.get(group, {}).get("min_ratio")
        shown = f"{found:.1f}x" if found else "no peer"
        verdict = "" if floor is None else f", floor {floor}x: {'ok' if (found or 0) >= floor else 'BELOW'}"
        print(f"{group}: {shown}{verdict}")
        for name, seconds in sorted(tests.items(), key=lambda item: item[1]):
            print(f"    {name.rpartition('::')[2]:<52}{speed(seconds, units[name])}")
            print(f"        {notes[name]}")


def main() -> int:
    """0 when every gate holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-gate", action="store_true", help="print only")
    args = parser.parse_args()
    gates: dict[str, Any] = tomllib.loads((BENCH / "gates.toml").read_text())["gate"]
    units: dict[str, str] = {}
    notes: dict[str, str] = {}
    broken: list[str] = []
    times = run([], units, notes, broken)
    for _ in range(0 if args.no_gate or broken else ATTEMPTS - 1):
        below = failing(times, gates)
        select = [name for group in below for name in times.get(group, {})]
        if not select:
            break
        print(f"measured again: {', '.join(below)}")
        merge(times, run(select, units, notes, broken))
    show(times, gates, units, notes)
    below = [] if args.no_gate else failing(times, gates)
    for name in below:
        print(f"gate {name}: below {gates[name]['min_ratio']}x, or nothing to compare", file=sys.stderr)
    for output in broken:
        print(output, file=sys.stderr)
    return int(bool(below or broken))


if __name__ == "__main__":
    sys.exit(main())
