"""16 publishers that send MQTT messages at a steady rate, as other machines would: a process of its own for benches.

    python bench/mqtt_flood.py HOST PORT MESSAGES_PER_SECOND [TOPIC]

Plain sockets and packets made beforehand (MQTT 3.1.1, QoS 0), so that the load is on the broker and the device and not
on the sender. Ends with its standard input.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

PUBLISHERS = 16
TICK_S = 0.005


def connect(host: str, port: int, number: int) -> socket.socket:
    """A connected client. Raises OSError when the broker refuses."""
    name = f"flood-{number}".encode()
    head = b"\x00\x04MQTT\x04\x02\x00\x3c" + struct.pack(">H", len(name)) + name
    client = socket.create_connection((host, port), 10.0)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.sendall(b"\x10" + bytes([len(head)]) + head)
    if client.recv(4) != b"\x20\x02\x00\x00":
        raise OSError(f"the broker at {host}:{port} refuses publisher {number}")
    return client


def packet(topic: str, payload: bytes) -> bytes:
    """A PUBLISH of QoS 0."""
    name = topic.encode()
    body = struct.pack(">H", len(name)) + name + payload
    return b"\x30" + bytes([len(body)]) + body


def run(host: str, port: int, rate: float, topic: str) -> None:
    """Send until the standard input ends."""
    os.nice(10)
    clients = [connect(host, port, number) for number in range(PUBLISHERS)]
    packets = [(packet(f"{topic}/{n}", b"On"), packet(f"{topic}/{n}", b"Off")) for n in range(PUBLISHERS)]
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    began, sent = time.monotonic(), 0
    print("flooding", flush=True)
    while not over.is_set():
        due = int((time.monotonic() - began) * rate)
        each, sent = max(0, due - sent) // PUBLISHERS, sent + max(0, due - sent) // PUBLISHERS * PUBLISHERS
        for client, (on, off) in zip(clients, packets, strict=True):
            if each:
                client.sendall((on + off) * (each // 2) + (on if each % 2 else b""))
        time.sleep(TICK_S)
    print(sent / (time.monotonic() - began), flush=True)


@contextmanager
def flooding(port: int, rate: float, topic: str) -> Iterator[list[float]]:
    """The flood while it lasts; afterwards the list holds the rate that was reached."""
    command = [sys.executable, str(Path(__file__)), "127.0.0.1", str(port), str(rate), topic]
    reached: list[float] = []
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if process.stdout.readline().strip() != "flooding":
            raise OSError("the flood did not start")
        try:
            yield reached
        finally:
            process.stdin.close()
            reached.append(float(process.stdout.readline() or "nan"))


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else "flood")
