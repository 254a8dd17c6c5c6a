"""Ports for peers that must be told one before they start.

A port that the kernel chose (bind to 0) and that was closed again may be given to any connection that begins meanwhile.
The ports here are below the range from which the kernel gives (``ip_local_port_range``), and none is named twice soon:
all processes of a user take turns, through a file in the directory of temporary files.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
import tempfile
from pathlib import Path

FIRST = 10_000
RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port(count: int = 1, host: str = "127.0.0.1") -> int:
    """The first, an even one, of so many ports in a row that nobody has now, neither by UDP nor by TCP. OSError."""
    pairs, wanted = (_end() - FIRST) // 2, (count + 1) // 2
    for _ in range(pairs):
        port = FIRST + 2 * _turn(wanted, pairs)
        if all(_free(number, host) for number in range(port, port + count)):
            return port
    raise OSError("no port is free")


def turns() -> Path:
    """Where the number of the pair of ports is that comes next."""
    return Path(tempfile.gettempdir()) / f"axcore-ports-{os.getuid()}"


def _turn(wanted: int, pairs: int) -> int:
    """The first of so many pairs in a row, which no process is given until all others had their turn."""
    file = os.open(turns(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = os.pread(file, 16, 0)
        first = int(text) if text.strip().isdigit() else secrets.randbelow(pairs)
        if first + wanted > pairs:
            first = 0
        os.pwrite(file, b"%16d" % (first + wanted), 0)
        return first
    finally:
        os.close(file)


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
