"""``axcore profile KERNEL|SCENARIO``: where the time goes, as a table and a flame graph (SVG).

A kernel runs in this process: rate from the best of several rounds, and, where valgrind is there, instructions per
unit and a flame graph of them. A scenario runs a real device under load with a sampling profiler in it (``py-spy``
if it is installed and ``--py-spy`` is given, else our own).
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from axcore.interfaces.cli import flame
from axcore.interfaces.cli.kernels import KERNELS, Kernel
from axcore.interfaces.cli.output import CliError, add_json, print_json, table

SCENARIOS = {
    "card": "cards swiped one after the other, each opens the door",
    "http": "one client polls the ports over HTTPS",
    "idle": "nothing happens",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """What, how long, where to."""
    what = [*KERNELS, *SCENARIOS]
    parser.add_argument("what", metavar="KERNEL|SCENARIO", choices=[*what, "list"], help=", ".join(what) + ", or list")
    parser.add_argument("-s", "--seconds", type=float, default=3.0, help="how long to measure (default 3)")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="flame graph (default axcore-WHAT.svg)")
    parser.add_argument("--no-callgrind", action="store_true", help="kernels: do not run valgrind")
    parser.add_argument("--py-spy", action="store_true", help="scenarios: sample with py-spy")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Measure, print the table, write the graph."""
    if args.what == "list":
        rows = [["kernel", name, kernel.text] for name, kernel in KERNELS.items()]
        rows += [["scenario", name, text] for name, text in SCENARIOS.items()]
        print_json([dict(zip(("kind", "name", "text"), row, strict=True)) for row in rows]) if args.json else print(
            table(["", "name", ""], rows)
        )
        return 0
    result, stacks, unit = (
        profile_kernel(args.what, KERNELS[args.what], args.seconds, not args.no_callgrind)
        if args.what in KERNELS
        else profile_scenario(args.what, args.seconds, args.py_spy)
    )
    if stacks:
        path = args.output or Path(f"axcore-{args.what}.svg")
        path.write_text(flame.svg(stacks, f"axcore {args.what}", unit), encoding="utf-8")
        result["flame_graph"] = str(path)
        result["functions"] = [
            {"function": name, "own": round(own, 4), "with_callees": round(within, 4)}
            for name, own, within in flame.functions(stacks)
        ]
    if args.json:
        print_json(result)
    else:
        _print(result, unit)
    return 0


def _print(result: dict[str, Any], unit: str) -> None:
    functions = result.pop("functions", [])
    for name, value in result.items():
        print(f"{name:22} {f'{value:,.3f}' if isinstance(value, float) else value}")
    if functions:
        rows = [[f"{f['own']:.1%}", f"{f['with_callees']:.1%}", f["function"]] for f in functions]
        print(f"\nshare of {unit}\n" + table(["own", "with callees", "function"], rows))


def profile_kernel(
    name: str, kernel: Kernel, seconds: float, callgrind: bool
) -> tuple[dict[str, Any], flame.Stacks, str]:
    """Rate of a kernel, then its instructions."""
    step = kernel.prepare()
    units = step()  # warm
    best, rounds, end = float("inf"), 0, time.perf_counter() + seconds
    while time.perf_counter() < end or rounds < 3:
        began = time.perf_counter()
        units = step()
        best = min(best, time.perf_counter() - began)
        rounds += 1
    result: dict[str, Any] = {
        "kernel": name, "unit": kernel.unit, "units_per_round": units, "rounds": rounds,
        "ns_per_unit": best / units * 1e9, "units_per_s": units / best,
    }  # fmt: skip
    if not callgrind:
        return result, {}, ""
    if shutil.which("valgrind") is None:
        result["callgrind"] = "not measured: valgrind is not installed"
        return result, {}, ""
    stacks = _callgrind(name, kernel)
    result["instructions_per_unit"] = sum(stacks.values()) / units
    return result, stacks, "instructions"


def _callgrind(name: str, kernel: Kernel) -> flame.Stacks:
    from axcore.interfaces.cli import callgrind

    with tempfile.TemporaryDirectory(prefix="axcore-profile-") as folder:
        out = Path(folder) / "out"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--collect-atstart=no"]
        command += [f"--toggle-collect={symbol}" for symbol in kernel.symbols]
        command += [sys.executable, "-m", "axcore.interfaces.cli.kernels", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not out.exists():
            raise CliError(f"valgrind failed: {done.stderr[-400:]}", "try --no-callgrind")
        return callgrind.stacks(callgrind.parse(out.read_text(errors="replace").splitlines()))


def profile_scenario(name: str, seconds: float, py_spy: bool) -> tuple[dict[str, Any], flame.Stacks, str]:
    """A device under load, with a sampler in it (or py-spy beside it)."""
    from axcore.interfaces.cli.instance import Instance
    from axcore.interfaces.cli.scenarios import LOADS, prepare

    if py_spy and shutil.which("py-spy") is None:
        raise CliError("py-spy is not installed", "pip install py-spy, or leave --py-spy out")
    with tempfile.TemporaryDirectory(prefix="axcore-profile-") as folder:
        folded = Path(folder) / "folded"
        inside = {} if py_spy else {"AXCORE_PROFILE_TO": str(folded)}
        with Instance(env=inside) as device:
            prepare(device)
            if device.process is not None and inside:
                device.process.send_signal(signal.SIGUSR1)  # the sampler starts: start-up is not part of the scenario
            spy = None
            if py_spy:
                command = ["py-spy", "record", "--pid", str(device.pid), "--format", "raw", "--native", "--threads"]
                command += ["--rate", "1000", "--duration", str(max(1, round(seconds))), "--output", str(folded)]
                spy = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            result = {"scenario": name, **LOADS[name](device, seconds)}
            if spy is not None and spy.wait(seconds + 30) != 0:
                raise CliError("py-spy failed", "it may need the right to trace processes; leave --py-spy out")
            device.stop()
        stacks = flame.unfold(folded.read_text(encoding="utf-8").splitlines())
    return result, stacks, "samples" if py_spy else "µs of processor time"
