"""Count the instructions of each kernel's reference workload; compare with ``bench/instructions.toml``.

``python instructions.py BUILDDIR [--update]``. Counts do not depend on the machine's load, so that 3 % more is a
regression; 3 % less asks for a new baseline. They do depend on the compiler: the baseline has a table per compiler, and
one without a table is counted and shown, but fails only where ``CI`` is set. C-level speed is printed beside the counts
and never gated.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

BASELINE = Path(__file__).parents[1] / "instructions.toml"
TOLERANCE = 0.03
COUNT_RUNS = 20
TIME_RUNS = 200
HEAD = """# Instructions of each kernel's reference workload (bench/profile), by compiler. Written by
# `make bench-instructions-update`; `make instructions` fails on a difference of more than 3 %.
"""


def compiler(build: Path) -> str:
    """Name of the baseline table, as ``gcc-12-x86_64``."""
    info = json.loads((build / "meson-info" / "intro-compilers.json").read_text())["host"]["c"]
    machine = json.loads((build / "meson-info" / "intro-machines.json").read_text())["host"]["cpu_family"]
    return f"{info['id']}-{info['version'].partition('.')[0]}-{machine}"


def workloads(build: Path) -> list[tuple[Path, str]]:
    """Each program with the names of its workloads."""
    found = []
    for program in sorted((build / "bench" / "profile").glob("workload_*")):
        if program.is_file():
            run = subprocess.run([program, "--list"], check=True, capture_output=True, text=True)
            found += [(program, line.split()[0]) for line in run.stdout.splitlines()]
    return found


def instructions(program: Path, name: str) -> int:
    """Instructions inside ``workload_run`` for one run of the workload."""
    with tempfile.TemporaryDirectory() as folder:
        tool = ["valgrind", "--tool=callgrind", "--toggle-collect=workload_run", f"--callgrind-out-file={folder}/out"]
        subprocess.run([*tool, program, name, str(COUNT_RUNS)], check=True, capture_output=True)
        total = re.search(r"^(?:summary|totals): (\d+)", Path(folder, "out").read_text(), re.MULTILINE)
    if not total or int(total[1]) == 0:
        raise SystemExit(f"callgrind collected nothing for {name}")
    return round(int(total[1]) / COUNT_RUNS)


def speed(program: Path, name: str) -> str:
    """Units a second and ns a unit, as the program prints them."""
    run = subprocess.run([program, name, str(TIME_RUNS), "--time"], check=True, capture_output=True, text=True)
    return run.stdout.strip().partition(" ")[2]


def write(baselines: dict[str, dict[str, int]]) -> None:
    """Write the baseline file anew."""
    tables = []
    for name, counts in sorted(baselines.items()):
        rows = "\n".join(f'"{key}" = {value}' for key, value in sorted(counts.items()))
        tables.append(f"\n[{name}]\n{rows}\n")
    BASELINE.write_text(HEAD + "".join(tables))


def main() -> int:
    """0 when every count is within the tolerance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("--update", action="store_true", help="write the baseline of this compiler")
    args = parser.parse_args()
    table = compiler(args.build)
    baselines = tomllib.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    known = baselines.get(table, {})
    counts: dict[str, int] = {}
    failed = False
    print(f"{'workload':<24}{'instructions':>14}{'baseline':>14}{'change':>9}   speed (not gated), {table}")
    for program, name in workloads(args.build):
        counts[name] = instructions(program, name)
        change = counts[name] / known[name] - 1 if name in known else None
        beyond = change is not None and abs(change) > TOLERANCE
        failed |= beyond or (bool(known) and change is None)
        shown = "new" if change is None else f"{change:+.2%}"
        note = "  <-- beyond 3 %" if beyond else ""
        print(f"{name:<24}{counts[name]:>14,}{known.get(name, 0):>14,}{shown:>9}   {speed(program, name)}{note}")
    gone = sorted(known.keys() - counts.keys())
    if args.update:
        write({**baselines, table: counts})
        return 0
    if not known:
        print(f"no baseline for {table}: make bench-instructions-update writes one", file=sys.stderr)
        return 1 if os.environ.get("CI") else 0
    if gone:
        print(f"in the baseline but not counted: {', '.join(gone)}", file=sys.stderr)
    return int(failed or bool(gone))


if __name__ == "__main__":
    sys.exit(main())
