"""Every Python test of testpaths, in parts beside each other: most of the end-to-end tests' time is waiting.

``python .ci/tests.py [more arguments of pytest]``

A part is a pytest of its own, so that fixtures of modules and sessions stay what they are. Its output is
build/tests-PART.log. Lines of progress are shown as they come; what a part says at its end, once all have ended, of
those that failed last. The last line is the total, and the exit status is 0 if no part failed.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path

PARTS = {
    "calls": [
        "test_*call*",
        "test_*sip*",
        "test_baresip",
        "test_nat",
        "test_rfc4475",
        "test_transfer",
        "test_visitor",
        "test_voice_*",
    ],
    "devices": ["*"],
}
"""Files of E2E; a file is of the first part that names it."""
E2E = "tests/e2e"
REST = "other"
"""The part with all other tests. It waits for few devices, so it gives way to the parts that have them."""
GIVES_WAY = 5
LOOK_S = 0.2
CLOSING = re.compile(r"=+ (ERRORS|FAILURES|warnings summary|short test summary info|.* in [0-9.]+s( \(.*\))?) =+$")
TOTAL = re.compile(r"=+ (.*) in [0-9.]+s(?: \(.*\))? =+$")
ONE = {"errors": "error", "warnings": "warning"}
LAST_LINES = 200


class Part:
    """One pytest. ``lines``: what it said at its end, or its last lines when it did not come to its end."""

    def __init__(self, name: str, arguments: list[str], folder: Path) -> None:
        self.name = name
        self.status: int | None = None
        self.counts: Counter[str] = Counter()
        self.total = "no total"
        self.lines: list[str] = []
        self._last: list[str] = []
        log = folder / f"tests-{name}.log"
        command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={folder.absolute()}/pytest-{name}", *arguments]
        with log.open("wb") as output:
            # A group of its own: pytest is told of Ctrl-C once, by us, and ends what it started.
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, process_group=0
            )
        if name == REST:
            os.setpriority(os.PRIO_PROCESS, self._process.pid, GIVES_WAY)
        self._output = log.open("rb")

    def look(self) -> bool:
        """Show what it printed meanwhile; whether it still runs."""
        status = self._process.poll()
        new = self._output.readlines()
        if status is None and new and not new[-1].endswith(b"\n"):
            self._output.seek(-len(new.pop()), os.SEEK_CUR)
        for line in new:
            self._take(line.decode(errors="replace"))
        if status is not None:
            self._output.close()
            self._conclude(status)
        return status is None

    def interrupt(self) -> None:
        """As Ctrl-C does it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)

    def _take(self, line: str) -> None:
        if self.lines or CLOSING.match(line):
            self.lines.append(line)
        else:
            self._last = [*self._last[1 - LAST_LINES :], line]
            show(line)

    def _conclude(self, status: int) -> None:
        if total := next(filter(None, map(TOTAL.match, reversed(self.lines))), None):
            self.total = total[0].strip("= \n")
            for number, kind in re.findall(r"(\d+) (\w+)", total[1]):
                self.counts[ONE.get(kind, kind)] += int(number)
        else:
            self.lines = [*self._last, *self.lines]
            status = status or 1
        self.status = status


def show(text: str) -> None:
    """Print, also where nobody reads any more: the logs go on."""
    with contextlib.suppress(OSError):
        sys.stdout.write(text)
        sys.stdout.flush()


def run(parts: dict[str, list[str]], folder: Path) -> int:
    """Run the parts and print what they say. The exit status; ``folder`` gets the logs."""
    began = time.monotonic()
    folder.mkdir(exist_ok=True)
    every: list[Part] = []

    def interrupt(_number: int, _frame: object) -> None:
        for part in every:
            part.interrupt()

    kept = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    for name, given in parts.items():
        every.append(Part(name, given, folder))
    running = every
    while running := [part for part in running if part.look()]:
        time.sleep(LOOK_S)
    for number, handler in kept.items():
        signal.signal(number, handler)
    counts: Counter[str] = Counter()
    for part in sorted(every, key=lambda part: part.status != 0):
        counts += part.counts
        show(f"\n--- {part.name}: exit status {part.status}\n{''.join(part.lines)}")
    told = "".join(f"{part.name}{' FAILED' if part.status else ''}: {part.total}\n" for part in every)
    show(f"\n{told}")
    kinds = sorted(counts, key=lambda kind: kind not in ("failed", "error"))
    told = ", ".join(f"{counts[kind]} {kind}" for kind in kinds)
    show(f"=== {told or 'nothing'} in {time.monotonic() - began:.2f}s ===\n")
    return int(any(part.status for part in every))


def arguments(root: Path) -> dict[str, list[str]]:
    """What pytest is told in each part: no test is forgotten, for the rest is all testpaths but that of the others."""
    found: dict[str, list[str]] = {}
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    places = settings["tool"]["pytest"]["ini_options"]["testpaths"]
    free = sorted((root / E2E).glob("test_*.py"))
    for name, patterns in PARTS.items():
        taken = [path for path in free if any(path.match(f"{pattern}.py") for pattern in patterns)]
        found[name] = [str(path.relative_to(root)) for path in taken]
        free = [path for path in free if path not in taken]
    return {**found, REST: [place for place in places if place != E2E]}


def main() -> int:
    """The exit status of all."""
    parts = arguments(Path.cwd())
    return run({name: [*given, *sys.argv[1:]] for name, given in parts.items()}, Path("build"))


if __name__ == "__main__":
    sys.exit(main())
