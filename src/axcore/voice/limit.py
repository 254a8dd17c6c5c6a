"""The ingress limit of a voice process: what requests take of the processor, and whom the kernel keeps out meanwhile.

Of datagrams, new requests are dropped (``ingress``); what comes by TLS is refused by the front. Of a TCP stream nothing
can be left out, so that a connection that goes on sending while the limit is in force is not read at all: the kernel
drops its segments, and TCP sends them again, later and later (RFC 6298). Time and the processor's time are arguments.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from typing import Final

from .ingress import NS, Gate, Meter, established

TELL_NS: Final = 60 * NS
"""A flood that is kept out comes again as soon as the limit goes: it is told once in so long."""
LOOK_NS: Final = NS // 10
MUCH: Final = 4096
"""Octets between two looks: ten requests."""
_RECEIVED: Final = struct.Struct("128x Q")
"""``tcpi_bytes_received`` of ``struct tcp_info`` (linux/tcp.h)."""


class Greedy:
    """Connections that send much while the limit is in force."""

    def __init__(self) -> None:
        self._before: dict[int, int] = {}
        """Octets that had come on each, by inode."""
        self._shut: dict[int, Gate] = {}
        self._next_ns = 0

    def look(self, now_ns: int) -> int:
        """Stop reading those that have sent ``MUCH`` since the last look; how many are not read now."""
        if now_ns >= self._next_ns:
            self._next_ns = now_ns + LOOK_NS
            received = {}
            for inode, count, found in streams():
                received[inode] = count
                if count - self._before.get(inode, count) >= MUCH and inode not in self._shut:
                    self._shut[inode] = Gate(found, ())
                    self._shut[inode].shut()
                else:
                    found.close()
            self._before = received
        return len(self._shut)

    def let_go(self) -> None:
        """Read all of them again."""
        for gate in self._shut.values():
            gate.open()
            gate.close()
        self._shut, self._before = {}, {}


class Limit:
    """Puts it in force and takes it back. ``most_load``: share of a core."""

    def __init__(self, most_load: float, used_ns: int, gate: Gate) -> None:
        self._meter = Meter(round(most_load * NS))
        self._used_ns = used_ns
        self._gate, self._greedy = gate, Greedy()
        self._quiet_ns = 0
        """Until when nothing is told."""
        self.in_force = False
        """Whether new requests are kept out."""

    def step(self, used_ns: int, now_ns: int) -> bool:
        """``used_ns``: processor time of the thread until now. True when a flood begins that is to be told of."""
        before, self._used_ns = self._used_ns, used_ns
        self.in_force = self._meter.add(used_ns - before, now_ns)
        if not self.in_force:
            self._gate.open()
            self._greedy.let_go()
            return False
        self._gate.shut()
        self._greedy.look(now_ns)
        if now_ns < self._quiet_ns:
            return False
        self._quiet_ns = now_ns + TELL_NS
        return True

    def rest_ms(self, now_ns: int) -> int:
        """As of ``Meter``."""
        return self._meter.rest_ms(now_ns)


def streams() -> Iterator[tuple[int, int, socket.socket]]:
    """This process's TCP connections to others: inode, octets that came, a second handle that the caller closes."""
    there = list(established())
    own = {found.getsockname()[:2] for found, _ in there}  # the front and PJSIP talk to each other
    for found, info in there:
        (count,) = _RECEIVED.unpack_from(info)
        try:
            outside = found.getpeername()[:2] not in own
        except OSError:  # it has ended just now
            outside = False
        if outside:
            yield os.fstat(found.fileno()).st_ino, count, found
        else:
            found.close()
