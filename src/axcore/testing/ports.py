"""Ports for peers that must be told one before they start.

A port that the kernel chose (bind to 0) and that was closed again may be given to any connection that begins meanwhile.
The ports here are below the range from which the kernel gives (``ip_local_port_range``), and none is named twice soon.
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
import socket
from pathlib import Path

FIRST = 10_000
RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_turn = itertools.count(secrets.randbelow(10_000))


def free_port(count: int = 1, host: str = "127.0.0.1") -> int:
    """The first, an even one, of so many ports in a row that nobody has now, neither by UDP nor by TCP. OSError."""
    size = (_end() - FIRST - count) // 2
    step = (count + 1) // 2
    for _ in range(size):
        port = FIRST + 2 * (next(_turn) * step % size)
        if all(_free(number, host) for number in range(port, port + count)):
            return port
    raise OSError("no port is free")


def _end() -> int:
    """Where the kernel's own range begins; where it leaves no room, the end of all."""
    low = int(RANGE.read_text().split()[0]) if RANGE.exists() else 32768
    return low if low > 2 * FIRST else 60_000


def _free(port: int, host: str) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.suppress(OSError):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(family, kind) as probe:
                probe.bind((host, port))
        return True
    return False
