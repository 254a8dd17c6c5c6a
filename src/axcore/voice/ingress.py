"""The ingress limit: when requests take too much of the processor, the kernel drops them unread.

PJSIP keeps a transaction of some kilobytes for half a minute for each INVITE that it refuses: 10,000 of them are a
flood. While there is one, a classic BPF program on the SIP socket lets through what belongs to calls that there are
(responses, ACK, BYE, CANCEL, PRACK, INFO) and keep-alives, and drops every other request. A peer sends it again (T1,
RFC 3261 section 17.1.1.1). Time is an argument.
"""

from __future__ import annotations

import ctypes
import os
import socket
import stat
import struct
from collections.abc import Iterator, Sequence
from typing import Final

NS: Final = 1_000_000_000
HOLD_NS: Final = 3 * NS // 2
"""How long the filter stays after the last moment that was too busy."""
_SO_ATTACH_FILTER: Final = getattr(socket, "SO_ATTACH_FILTER", 26)
_SO_DETACH_FILTER: Final = 27
_LOAD_WORD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
_UDP_HEADER: Final = 8
_INFO_SIZE: Final = 136
PASSED: Final = (b"SIP/", b"ACK ", b"BYE ", b"CANC", b"PRAC", b"INFO", b"\r\n\r\n")


class Meter:
    """Counts the processor time (ns) of a second; tells when it is more than ``limit``."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._second = 0
        self._count = 0
        self._until_ns = 0
        self.floods = 0
        """How often a limit came into force."""

    def add(self, used_ns: int, now_ns: int) -> bool:
        """Whether the limit is in force after ``used_ns`` more."""
        second = now_ns // NS
        if second != self._second:
            self._second, self._count = second, 0
        self._count += used_ns
        if self._count > self._limit:
            if now_ns >= self._until_ns:
                self.floods += 1
            self._until_ns = now_ns + HOLD_NS
        return now_ns < self._until_ns

    def rest_ms(self, now_ns: int) -> int:
        """How long the limit stays in force if nothing more is used, in ms, rounded up; 0 = it is not."""
        return max(0, -((now_ns - self._until_ns) // 1_000_000))


class Gate:
    """The filter on a socket; ``shut`` and ``open`` may be called whatever the state.

    ``passed``: how datagrams begin that are let through (none: of a listening socket, whom nobody can connect to then).
    """

    def __init__(self, guarded: socket.socket | None, passed: Sequence[bytes] = PASSED) -> None:
        self._socket, self._program = guarded, program(passed)
        self.closed = False

    def shut(self) -> None:
        """Drop new requests from now on."""
        if self._socket is None or self.closed:
            return
        raw = self._program
        buffer = ctypes.create_string_buffer(raw, len(raw))
        filter_ = struct.pack("HL", len(raw) // 8, ctypes.addressof(buffer))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_)
        self.closed = True

    def open(self) -> None:
        """Let everything through."""
        if self._socket is None or not self.closed:
            return
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
        self.closed = False

    def close(self) -> None:
        """Let go of the handle; the filter stays as it is."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None


def program(passed: Sequence[bytes] = PASSED) -> bytes:
    """The filter: ``struct sock_filter`` of 8 octets each. The first four octets of the datagram decide."""
    count = len(passed)
    code = [struct.pack("HBBI", _LOAD_WORD, 0, 0, _UDP_HEADER)]
    for number, word in enumerate(passed):
        code.append(struct.pack("HBBI", _JUMP_EQUAL, count - number, 0, int.from_bytes(word, "big")))
    code.append(struct.pack("HBBI", _RETURN, 0, 0, 0))
    code.append(struct.pack("HBBI", _RETURN, 0, 0, 0xFFFFFFFF))
    return b"".join(code)


def udp_socket(port: int) -> socket.socket | None:
    """A second handle of this process's UDP socket on ``port``; None if it cannot be found."""
    return next((found for found in sockets(socket.SOCK_DGRAM) if found.getsockname()[1] == port), None)


def listeners() -> list[socket.socket]:
    """Second handles of this process's listening sockets."""
    listening = (socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    return [found for found in sockets(socket.SOCK_STREAM) if found.getsockopt(*listening)]


def sockets(kind: socket.SocketKind) -> Iterator[socket.socket]:
    """Second handles of this process's Internet sockets of a kind, once each; the caller closes them."""
    seen: set[int] = set()  # a second handle may get the number that the list itself had
    for name in os.listdir("/proc/self/fd"):
        try:
            state = os.fstat(int(name))
            if not stat.S_ISSOCK(state.st_mode) or state.st_ino in seen:
                continue
            seen.add(state.st_ino)
            found = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue
        if found.type == kind and found.family in (socket.AF_INET, socket.AF_INET6):
            yield found
        else:
            found.close()


def established() -> Iterator[tuple[socket.socket, bytes]]:
    """Second handles of this process's TCP connections, which the caller closes, with their ``struct tcp_info``."""
    for found in sockets(socket.SOCK_STREAM):
        try:
            found.getpeername()
            info = found.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_SIZE)
        except OSError:  # it listens, or has ended just now
            info = b""
        if len(info) == _INFO_SIZE:  # an old kernel tells less
            yield found, info
        else:
            found.close()
