"""What a durable grant costs, beside a bare fdatasync in the same run.

    python bench/bench_ledger.py [--json]

* ``grant``: from the frame's arrival at the ledger to the effect (relay) that follows the commit, one grant at a time,
  with a counter, two events and the whole access service, against ``fdatasync`` of 8 KiB over written blocks beside it.
* ``group``: 50 callers at once; syncs per grant, counted by SQLite's commits.
* ``flood``: a grant while another thread floods unknown cards.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from axcore.model.credentials import CardValue, HolderSpec, Times
from axcore.model.events import ENTRY_GRANTED
from axcore.runtime.bus import Bus
from axcore.runtime.clock import SystemClock
from axcore.runtime.ledger import Job, Ledger
from axcore.runtime.store_open import open_store
from axcore.runtime.wakeup import Wakeup
from axcore.services.access import AccessService

ROUNDS = 400


def percentiles(samples: list[int]) -> dict[str, float]:
    """p50 and p99 in microseconds."""
    ordered = sorted(samples)
    return {"p50_us": ordered[len(ordered) // 2] / 1000, "p99_us": ordered[int(len(ordered) * 0.99)] / 1000}


class Bench:
    """A ledger with the access service and one holder, fed as the I/O thread feeds it."""

    def __init__(self, directory: Path) -> None:
        self.wakeup = Wakeup()
        self.native: list[Job[None]] = []
        self.commits = 0
        store = open_store(directory)
        commit = store.write

        def counting(*arguments: object, **named: object) -> None:
            self.commits += 1
            commit(*arguments, **named)  # type: ignore[arg-type]

        store.write = counting  # type: ignore[method-assign]
        self.ledger = Ledger(directory, SystemClock(), Bus(), wait=self.wakeup.wait, wake=self.wakeup.wake, store=store)
        self.ledger.on_native = self.drain
        self.access = AccessService()
        self.acted = threading.Event()
        self.acted_ns = 0
        self.ledger.bus.in_transaction(ENTRY_GRANTED, lambda tx, _: tx.after_commit(self.act))
        self.ledger.load(self.access.load)
        self.ledger.start()
        spec = HolderSpec(first_name="Anna", card=CardValue(26, "00000001"), validity=Times(1_000_000))
        self.ledger.submit(lambda tx: self.access.set_settings(tx, {"use_entry_list": True})).result()
        self.ledger.submit(lambda tx: self.access.add_holder(tx, spec)).result()

    def drain(self) -> list[Job[None]]:
        jobs, self.native = self.native, []
        return jobs

    def act(self) -> None:
        self.acted_ns = time.monotonic_ns()
        self.acted.set()

    def swipe(self) -> int:
        """Nanoseconds from the frame to the effect."""
        self.acted.clear()
        start = time.monotonic_ns()
        self.native.append(lambda tx: self.access.on_frame(tx, 0, 26, 1, t_ns=start))
        self.wakeup.wake()
        self.acted.wait()
        return self.acted_ns - start


def interleaved(bench: Bench, sync: Callable[[], int]) -> tuple[list[int], list[int]]:
    grants, syncs = [], []
    for _ in range(ROUNDS):
        grants.append(bench.swipe())
        syncs.append(sync())
        time.sleep(0.002)  # as rare as people: no commit follows another at once
    return grants, syncs


def group(bench: Bench, callers: int = 50, each: int = 20) -> float:
    """Commits per grant with ``callers`` threads that each wait for their own."""
    before = bench.commits

    def caller() -> None:
        for _ in range(each):
            bench.ledger.submit(lambda tx: bench.access.on_frame(tx, 0, 26, 1)).result()

    threads = [threading.Thread(target=caller) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (bench.commits - before) / (callers * each)


def flood(bench: Bench) -> list[int]:
    """Grants while 16 unknown cards arrive every 5 ms."""
    stop = threading.Event()

    def flooder() -> None:
        number = 0
        while not stop.wait(0.005):
            for _ in range(16):
                number += 1
                bench.ledger.post(lambda tx, number=number: bench.access.on_frame(tx, 0, 34, number))

    thread = threading.Thread(target=flooder)
    thread.start()
    samples = []
    for _ in range(ROUNDS // 2):
        samples.append(bench.swipe())
        time.sleep(0.002)
    stop.set()
    thread.join()
    return samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--dir", type=Path, default=Path.cwd(), help="where to write (a real disk)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.dir) as name:
        bench = Bench(Path(name) / "data")
        fd = os.open(Path(name) / "plain", os.O_RDWR | os.O_CREAT, 0o600)
        block = os.urandom(8192)
        os.write(fd, bytes(1 << 20))
        os.fsync(fd)
        at = 0

        def sync() -> int:
            nonlocal at
            start = time.monotonic_ns()
            os.pwrite(fd, block, at)
            os.fdatasync(fd)
            at = (at + 8192) % (1 << 20)
            return time.monotonic_ns() - start

        grants, syncs = interleaved(bench, sync)
        result = {
            "grant": percentiles(grants),
            "fdatasync": percentiles(syncs),
            "over_sync_us": percentiles(grants)["p50_us"] - percentiles(syncs)["p50_us"],
            "syncs_per_grant_at_50": group(bench),
            "flood": percentiles(flood(bench)),
        }
        os.close(fd)
        bench.ledger.stop()
    print(json.dumps(result, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
