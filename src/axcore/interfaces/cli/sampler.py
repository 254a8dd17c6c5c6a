"""A sampling profiler of this process: the stacks of all Python threads about 1,000 times a second.

A sample is weighed by the processor time that its thread used since the last one (``/proc/self/task/*/schedstat``,
ns), so waiting costs nothing and the sum is true processor time. Threads without Python (the native I/O thread)
appear as one box. A sample is taken where a thread hands over the interpreter lock, which favours calls that
release it; py-spy has no such bias.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import defaultdict
from pathlib import Path
from types import FrameType

from axcore.interfaces.cli.flame import fold

PERIOD_S = 0.001
TASKS = Path("/proc/self/task")


def stack_of(frame: FrameType | None, limit: int = 100) -> tuple[str, ...]:
    """Function names with their modules, outermost first."""
    names: list[str] = []
    while frame is not None and len(names) < limit:
        module = frame.f_globals.get("__name__", "?")
        names.append(f"{module}.{frame.f_code.co_qualname}".replace(";", ":"))
        frame = frame.f_back
    return tuple(reversed(names))


class Sampler:
    """Samples from ``start`` to ``stop``; ``stacks`` holds processor time in microseconds."""

    def __init__(self) -> None:
        self.stacks: defaultdict[tuple[str, ...], float] = defaultdict(float)
        self.samples = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._used: dict[int, int] = {}
        self._files: dict[int, int] = {}

    def start(self) -> None:
        """Begin; time used before does not count."""
        self._count_all(credit=False)
        self._thread.start()

    def stop(self) -> None:
        """End, and credit the threads that run no Python. Nothing happens if it never began."""
        self._stop.set()
        if not self._thread.is_alive():
            return
        self._thread.join()
        self._count_all(credit=True)
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def write(self, path: Path) -> None:
        """Folded stacks, in microseconds of processor time."""
        path.write_text(fold(self.stacks), encoding="utf-8")

    def _run(self) -> None:
        me = threading.get_ident()
        while not self._stop.wait(PERIOD_S):
            self.samples += 1
            natives = {thread.ident: (thread.native_id, thread.name) for thread in threading.enumerate()}
            for ident, frame in sys._current_frames().items():
                native, name = natives.get(ident, (None, ""))
                if ident == me or native is None:
                    continue
                spent = self._spent(native)
                if spent > 0:
                    self.stacks[(f"[{name}]", *stack_of(frame))] += spent / 1e3

    def _spent(self, native: int) -> int:
        """Nanoseconds on a processor since the last call for this thread."""
        try:
            if native not in self._files:
                self._files[native] = os.open(TASKS / str(native) / "schedstat", os.O_RDONLY)
            used = int(os.pread(self._files[native], 64, 0).split()[0])
        except (OSError, IndexError, ValueError):
            return 0
        before = self._used.get(native, 0)
        self._used[native] = used
        return used - before

    def _count_all(self, credit: bool) -> None:
        python = {thread.native_id for thread in threading.enumerate()}
        for task in TASKS.iterdir():
            native = int(task.name)
            spent = self._spent(native)
            if credit and native not in python and spent > 0:
                try:
                    name = (task / "comm").read_text().strip()
                except OSError:
                    continue
                if name != "sampler":
                    self.stacks[(f"[{name}]", "(native)")] += spent / 1e3
