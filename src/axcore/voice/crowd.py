"""Connections: no more than PJSIP has room for, and none that hold a place and say nothing.

PJSIP has 64 sockets, keeps an idle connection for ever, and ends the process when it accepts one too many. So the
kernel refuses connections from ``FULL`` on (``Places``), and above ``MOST`` those are ended that nobody was ever
answered on, and then the quietest (``Crowd``). Time is an argument.
"""

from __future__ import annotations

import os
import socket
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from .ingress import established

NS: Final = 1_000_000_000
MOST: Final = 24
PATIENCE_NS: Final = 5 * NS
"""How long a new connection may take for its first request."""
QUIET_NS: Final = 30 * NS
"""How long one that was used may say nothing, when there are too many."""
LOOK_NS: Final = NS
FULL: Final = 40
"""Six more may wait in the queue of the listening socket, and the device's own sockets take a few."""
FREE: Final = 32
FREED_NS: Final = 3 * NS // 5
"""PJSIP uses the place of a socket again half a second after its end."""
_LAST_RECEIVED: Final = struct.Struct("52x I")
"""``tcpi_last_data_recv`` (ms) of ``struct tcp_info`` (linux/tcp.h)."""
_ACKED: Final = struct.Struct("120x Q")
"""``tcpi_bytes_acked``: octets that were sent here and arrived; the SYN counts as one."""


class Guest(NamedTuple):
    """A connection."""

    inode: int
    answered: bool
    """Something was sent on it."""
    quiet_ns: int


class Places:
    """Counts the places that connections take."""

    def __init__(self) -> None:
        self._open = 0
        self._freed: deque[int] = deque()
        """When places are free again."""
        self._full = False

    def came(self) -> None:
        """A connection was made."""
        self._open += 1

    def went(self, now_ns: int) -> None:
        """A connection has ended."""
        if self._open:
            self._open -= 1
            self._freed.append(now_ns + FREED_NS)

    def full(self, now_ns: int) -> bool:
        """Whether nobody else may come: from ``FULL`` places on, until there are less than ``FREE``."""
        while self._freed and self._freed[0] <= now_ns:
            self._freed.popleft()
        taken = self._open + len(self._freed)
        self._full = taken >= (FREE if self._full else FULL)
        return self._full


class Crowd:
    """Looks after the connections of ``port``."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._since: dict[int, int] = {}
        """When each connection was first seen."""
        self._next_ns = 0

    def thin(self, now_ns: int) -> int:
        """End connections if there are too many; how many were ended. Looks once a second at most."""
        if now_ns < self._next_ns:
            return 0
        self._next_ns = now_ns + LOOK_NS
        if not self._since and len(os.listdir("/proc/self/fd")) < MOST:
            return 0
        there = {guest.inode: (guest, connection) for guest, connection in connections(self._port)}
        try:
            self._since = {inode: self._since.get(inode, now_ns) for inode in there}
            gone = leaving([guest for guest, _ in there.values()], self._since, now_ns)
            for inode in gone:
                there[inode][1].shutdown(socket.SHUT_RDWR)
            return len(gone)
        finally:
            for _, connection in there.values():
                connection.close()


def leaving(guests: Sequence[Guest], since: dict[int, int], now_ns: int) -> list[int]:
    """Which connections are to end, worst first."""
    silent = [one for one in guests if not one.answered and now_ns - since[one.inode] >= PATIENCE_NS]
    quiet = [one for one in guests if one.answered and one.quiet_ns >= QUIET_NS]
    order = sorted(silent, key=lambda one: since[one.inode]) + sorted(quiet, key=lambda one: -one.quiet_ns)
    return [one.inode for one in order[: max(0, len(guests) - MOST)]]


def connections(port: int) -> Iterator[tuple[Guest, socket.socket]]:
    """This process's connections to its ``port``, each with a second handle that the caller closes."""
    for found, info in established():
        if found.getsockname()[1] != port:
            found.close()
            continue
        (quiet_ms,), (acked,) = _LAST_RECEIVED.unpack_from(info), _ACKED.unpack_from(info)
        yield Guest(os.fstat(found.fileno()).st_ino, acked > 1, quiet_ms * 1_000_000), found
