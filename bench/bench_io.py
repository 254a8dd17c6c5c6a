"""How fast the native I/O thread is: command to pin, REX edge to lock edge, and events through the ring.

Run it alone: ``python bench/bench_io.py [--rounds N]``. Latencies depend on the machine's load: printed, not gated.
``--fifo 1`` asks for SCHED_FIFO, which keeps the tail short on a loaded machine.
"""

import argparse
import ctypes
import json
import socket
import tempfile
import threading
import time
from pathlib import Path

from axcore import errors
from axcore._native.io import InputConfig, IoThread, OutputConfig, monotonic_ns

DEBOUNCE_NS = 5_000_000
WINDOW = 2000  # events on their way: fewer than the ring holds, so that none is dropped


def show(name: str, samples_ns: list[int]) -> None:
    samples = sorted(samples_ns)
    p50, p99 = samples[len(samples) // 2], samples[min(len(samples) - 1, len(samples) * 99 // 100)]
    print(f"{name:44} p50 {p50 / 1000:8.1f} us   p99 {p99 / 1000:8.1f} us   max {samples[-1] / 1000:8.1f} us")


def next_edge(tap: socket.socket) -> int:
    return int(json.loads(tap.recv(256))["t_ns"])


def command_to_pin(thread: IoThread, tap: socket.socket, rounds: int) -> list[int]:
    took = []
    for n in range(rounds):
        time.sleep(0.0005)  # let the thread fall asleep: the worst case is the common one
        began = monotonic_ns()
        thread.set(1, n % 2 == 0)
        took.append(next_edge(tap) - began)
        thread.drain()
    return took


def rex_to_lock(thread: IoThread, tap: socket.socket, rounds: int, held_ns: int) -> list[int]:
    """From the edge of the button to the edge of the lock, less the debounce; the GIL is held for ``held_ns``."""
    usleep = ctypes.PyDLL(None).usleep
    took = []
    for _ in range(rounds):
        began = monotonic_ns()
        thread.feed_input(0, False)
        usleep(held_ns // 1000)
        took.append(next_edge(tap) - began - DEBOUNCE_NS)
        thread.feed_input(0, True)
        next_edge(tap)
        thread.drain()
    return took


def ring_rate(thread: IoThread, count: int) -> float:
    got = 0

    def produce() -> None:
        sent = 0
        while sent < count:
            if sent - got >= WINDOW:
                time.sleep(0)
                continue
            try:
                thread.feed_label(sent)
                sent += 1
            except errors.QueueFullError:
                time.sleep(0)

    producer = threading.Thread(target=produce)
    began = time.perf_counter()
    producer.start()
    while got < count:
        thread.wait(1_000_000_000)
        got += len(thread.drain(4096))
    producer.join()
    return count / (time.perf_counter() - began)


def idle_cpu(seconds: float) -> float:
    began, used = time.monotonic(), time.process_time()
    time.sleep(seconds)
    return (time.process_time() - used) / (time.monotonic() - began) * 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--fifo", type=int, default=0, help="SCHED_FIFO priority of the thread")
    args = parser.parse_args()
    rounds: int = args.rounds
    with tempfile.TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as tap:
        path = str(Path(directory) / "tap")
        tap.bind(path)
        tap.settimeout(60)
        inputs = [InputConfig(DEBOUNCE_NS, True, 0, DEBOUNCE_NS)]
        outputs, names = [OutputConfig()] * 2, ["relay1", "relay2"]
        thread = IoThread(inputs, outputs, [], output_names=names, tap=path, fifo_priority=args.fifo)
        thread.start()
        show("command to pin", command_to_pin(thread, tap, rounds))
        show("REX edge to lock edge, beyond debounce", rex_to_lock(thread, tap, rounds // 5, 0))
        show("the same, GIL held for 20 ms", rex_to_lock(thread, tap, rounds // 10, 20_000_000))
        print(f"{'events through the thread and back':44} {ring_rate(thread, 100 * rounds) / 1000:8.0f} k/s")
        print(f"{'idle CPU':44} {idle_cpu(2):8.2f} %")
        thread.stop()


if __name__ == "__main__":
    main()
