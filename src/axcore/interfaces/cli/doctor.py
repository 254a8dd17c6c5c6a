"""``axcore doctor``: can this machine run axcore well? Each check says what it found and, if it is bad, what to do."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from axcore.interfaces.cli.output import add_json, colour, print_json
from axcore.interfaces.cli.paths import default_data_dir, read_running

Verdict = Literal["ok", "note", "bad"]


class Finding(NamedTuple):
    """What a check found. ``bad`` makes the exit code 1."""

    verdict: Verdict
    text: str
    hint: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    """Which data directory."""
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="the data directory to look at")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """All checks; 1 if one is bad."""
    data_dir = args.data_dir or default_data_dir("a8207-ve-mk2")
    checks: dict[str, Callable[[], Finding]] = {
        "python": check_python,
        "native core": check_native,
        "libraries": check_libraries,
        "data directory": lambda: check_data_dir(data_dir),
        "disk": lambda: check_disk(data_dir),
        "clock": check_clock,
        "gpio": check_gpio,
        "profiling tools": check_tools,
    }
    findings = {name: check() for name, check in checks.items()}
    if args.json:
        print_json({name: finding._asdict() for name, finding in findings.items()})
    else:
        shades = {"ok": "32", "note": "33", "bad": "31"}
        for name, finding in findings.items():
            print(f"{colour(f'{finding.verdict:4}', shades[finding.verdict])}  {name:16} {finding.text}")
            if finding.hint:
                print(f"      {'':16} {finding.hint}")
    return int(any(finding.verdict == "bad" for finding in findings.values()))


def check_python() -> Finding:
    """The interpreter."""
    return Finding("ok", f"{sys.version.split()[0]} ({sys.executable})")


def check_native() -> Finding:
    """Every native module loads."""
    package = importlib.util.find_spec("axcore._native")
    names = ["err", "wiegand", "io"]
    missing = []
    for name in names:
        try:
            importlib.import_module(f"axcore._native.{name}")
        except ImportError as error:
            missing.append(f"{name} ({error})")
    if package is None or missing:
        return Finding(
            "bad", "does not load: " + ", ".join(missing), "build it again: pip install --force-reinstall axcore"
        )
    return Finding("ok", ", ".join(names))


def check_libraries() -> Finding:
    """What the runtime needs from others."""
    missing = [n for n in ("aiohttp", "cryptography", "msgspec", "uvloop") if importlib.util.find_spec(n) is None]
    if missing:
        return Finding("bad", "missing: " + ", ".join(missing), "pip install " + " ".join(missing))
    return Finding("ok", "all there")


def check_data_dir(data_dir: Path) -> Finding:
    """Ours, private, writable."""
    if not data_dir.exists():
        return Finding("ok", f"{data_dir} (made at the first start)")
    if not os.access(data_dir, os.W_OK | os.X_OK):
        return Finding("bad", f"{data_dir} cannot be written", "run as its owner, or give another --data-dir")
    mode = data_dir.stat().st_mode & 0o777
    if mode & 0o077:
        return Finding("bad", f"{data_dir} can be read by others (mode {mode:o})", f"chmod 700 {data_dir}")
    running = read_running(data_dir)
    return Finding("ok", f"{data_dir}" + (f", used by process {running.pid}" if running else ""))


def check_disk(data_dir: Path) -> Finding:
    """How long a commit takes on the file system of the state."""
    folder = next(path for path in (data_dir, *data_dir.parents) if path.is_dir())
    took = []
    try:
        with tempfile.NamedTemporaryFile(dir=folder, buffering=0) as file:
            for _ in range(20):
                began = time.perf_counter()
                file.write(b"\0" * 4096)
                os.fdatasync(file.fileno())
                took.append((time.perf_counter() - began) * 1e3)
    except OSError as error:
        return Finding("bad", f"{folder}: {error.strerror}", "free some space or give another --data-dir")
    free = shutil.disk_usage(folder).free / 1e6
    text = f"fdatasync {statistics.median(took):.2f} ms (worst of 20: {max(took):.2f} ms), {free:.0f} MB free"
    if free < 50:
        return Finding("bad", text, "at least 50 MB are needed")
    if statistics.median(took) > 20:
        return Finding("note", text, "each grant waits for one: doors will feel slow")
    return Finding("ok", text)


def check_clock() -> Finding:
    """Dated credentials need a clock that is set."""
    if time.time() < 1_700_000_000:
        return Finding(
            "bad", "the wall clock is not set", "set it or run an NTP client: credentials with dates are refused"
        )
    return Finding("ok", f"monotonic resolution {time.clock_getres(time.CLOCK_MONOTONIC) * 1e9:.0f} ns")


def check_gpio() -> Finding:
    """Real lines, if there are any."""
    chips = sorted(Path("/dev").glob("gpiochip*"))
    if not chips:
        return Finding("note", "no GPIO chip: only --simulate is possible here")
    closed = [str(chip) for chip in chips if not os.access(chip, os.R_OK | os.W_OK)]
    if closed:
        return Finding("note", f"not readable: {', '.join(closed)}", "add your user to the group that owns them")
    return Finding("ok", ", ".join(map(str, chips)))


def check_tools() -> Finding:
    """Optional helpers of ``axcore profile``."""
    found = [name for name in ("valgrind", "py-spy", "perf") if shutil.which(name)]
    return Finding("ok" if found else "note", ", ".join(found) or "none (axcore profile uses its own sampler)")
