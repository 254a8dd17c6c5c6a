"""Names into addresses for PJSIP, without a wait in its thread and without its own resolver.

PJSIP asks the C library, which waits, or its own resolver, which ends the process at a name that is too long. It can be
given another one (``pjsip_endpt_set_ext_resolver``): this asks the C library in threads, so that hosts(5), mDNS and
whatever else the system knows count, and answers PJSIP in the owner thread. IP addresses are answered at once. A name
without a port may be that of several servers (``locate``); PJSIP gets them all, and tries one after the other.

The layout of what PJSIP wants is that of 2.x; which of its two forms this build has is read from an answer of its own.
Nothing is replaced where that cannot be told. Threads: all but the looking up belongs to the owner thread.
"""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any, Final

from axcore.model.voice import Transport

from .locate import MOST_PLACES, Found, Locator

MOST_NAME: Final = 253
"""Octets of a host name (RFC 1035 section 2.3.4)."""
MOST_LOOKUPS: Final = 32
"""At the same time; more are refused: somebody floods."""
UNSPECIFIED, UDP, TCP, TLS, V6 = 0, 1, 2, 3, 128
"""``pjsip_transport_type_e``."""
RELIABLE, SECURE = 1, 2
"""``pjsip_transport_flags_e``."""
PORTS: Final = {UDP: 5060, TCP: 5060, TLS: 5061}
TRANSPORTS: Final[dict[int, Transport]] = {UDP: "udp", TCP: "tcp", TLS: "tls"}
NEEDED: Final = (
    "pjsua_get_pjsip_endpt", "pjsip_endpt_set_ext_resolver", "pjsip_endpt_resolve", "pjsip_endpt_create_pool",
    "pjsip_endpt_release_pool",
)  # fmt: skip
NOT_FOUND: Final = 70006
"""``PJ_ENOTFOUND``."""
_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_SHOWN: Final = 128
_OLD, _NEW = 16, 36
"""Where the address is in an answer: of the form without and with a name in each entry."""
_ROOM: Final = 1024
"""More than ``MOST_PLACES`` entries take."""


class _Text(ctypes.Structure):
    _fields_ = (("text", ctypes.c_void_p), ("length", ctypes.c_ssize_t))


class _Target(ctypes.Structure):
    """``pjsip_host_info``."""

    _fields_ = (("flag", ctypes.c_uint), ("type", ctypes.c_int), ("host", _Text), ("port", ctypes.c_int))


_RESOLVE = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(_Target), ctypes.c_void_p, ctypes.c_void_p
)


class _Resolver(ctypes.Structure):
    """``pjsip_ext_resolver``."""

    _fields_ = (("resolve", _RESOLVE),)


class Resolver:
    """See the module's text. ``later``: has a job done in the owner thread, from any thread."""

    def __init__(self, library: ctypes.CDLL, later: Callable[[Callable[[], object]], None], locator: Locator) -> None:
        self._library, self._later, self._locator = library, later, locator
        self._offset = 0
        self._lookups = 0
        self._ours = _Resolver(_RESOLVE(self._resolve))

    def install(self) -> bool:
        """Take the place of PJSIP's own (after ``libInit``); False if it stays."""
        try:
            ask, put, *_ = (getattr(self._library, name) for name in NEEDED)
        except AttributeError:
            return False
        ask.restype = ctypes.c_void_p
        endpoint = ctypes.c_void_p(ask())
        self._offset = self._layout(endpoint)
        return self._offset != 0 and put(endpoint, ctypes.byref(self._ours)) == 0

    def _layout(self, endpoint: ctypes.c_void_p) -> int:
        """Where PJSIP puts an address into an answer; 0 if that is no known place."""
        host = ctypes.create_string_buffer(b"127.0.0.1")
        target = _Target(flag=0, type=UDP, host=_Text(ctypes.addressof(host), 9), port=5099)
        seen: list[bytes] = []

        def tell(status: int, token: int, answer: int) -> None:
            if status == 0 and answer:
                seen.append(ctypes.string_at(answer, _SHOWN))

        callback = _CALLBACK(tell)
        make = self._library.pjsip_endpt_create_pool
        make.restype = ctypes.c_void_p
        pool = ctypes.c_void_p(make(endpoint, b"layout", ctypes.c_size_t(1024), ctypes.c_size_t(1024)))
        self._library.pjsip_endpt_resolve(endpoint, pool, ctypes.byref(target), None, callback)
        self._library.pjsip_endpt_release_pool(endpoint, pool)
        wanted = _sockaddr("127.0.0.1", 5099)[:8]
        for offset in (_OLD, _NEW):
            if seen and seen[0][:4] == struct.pack("=I", 1) and seen[0][offset : offset + 8] == wanted:
                return offset
        return 0

    def _resolve(self, _: Any, pool: Any, target: Any, token: Any, callback: Any) -> None:
        """Called by PJSIP for each request, whatever its target."""
        what = target.contents
        name = ctypes.string_at(what.host.text, what.host.length).decode("ascii", "replace").strip("[]")
        way, secure = what.type & ~V6, what.flag & SECURE
        if way == UNSPECIFIED:
            way = TLS if secure else TCP if what.flag & RELIABLE else UDP
        answer = _CALLBACK(callback)
        try:
            address = str(ipaddress.ip_address(name))
        except ValueError:
            self._look_up(name, what.port, way, token, answer)
        else:
            self._answer([(address, what.port or PORTS.get(way, 5060))], way, token, answer)

    def _look_up(self, name: str, port: int, way: int, token: Any, answer: Any) -> None:
        if not 1 <= len(name) <= MOST_NAME or not name.isprintable() or self._lookups >= MOST_LOOKUPS:
            self._later(lambda: answer(NOT_FOUND, token, None))
            return
        self._lookups += 1

        def found(places: list[Found]) -> None:
            self._lookups -= 1
            self._answer(places, way, token, answer)

        def ask() -> None:
            if port:
                address = look_up(name)
                places = [(address, port)] if address else []
            else:
                places = self._locator.find(name, TRANSPORTS.get(way, "udp"))
            self._later(lambda: found(places))

        threading.Thread(target=ask, name="lookup", daemon=True).start()

    def _answer(self, places: list[Found], way: int, token: Any, answer: Any) -> None:
        if not places:
            answer(NOT_FOUND, token, None)
            return
        body = packed(places, way, named=self._offset == _NEW)
        buffer = ctypes.create_string_buffer(body.ljust(_ROOM, b"\0"), _ROOM)
        answer(0, token, ctypes.addressof(buffer))


def packed(places: list[Found], way: int, *, named: bool) -> bytes:
    """``pjsip_server_addresses``; ``named``: its entries begin with a name (a ``pj_str_t``)."""
    entries = []
    for rank, (address, port) in enumerate(places[:MOST_PLACES]):
        raw = _sockaddr(address, port)
        kind = way | (V6 if ":" in address else 0)
        entry = struct.pack("=iII", kind, rank, 0) + raw.ljust(28, b"\0") + struct.pack("=i", len(raw))
        entries.append((b"\0" * 16 + entry).ljust(64, b"\0") if named else entry)
    head = struct.pack("=I", len(entries))
    return (head + b"\0" * 4 if named else head) + b"".join(entries)


def look_up(name: str) -> str:
    """The first IPv4 address of a host, else the first of another kind; empty without one. Waits."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return ""
    four = [str(place[0]) for family, _, _, _, place in found if family == socket.AF_INET]
    return (four or [str(place[0]) for _, _, _, _, place in found] or [""])[0]


def _sockaddr(address: str, port: int) -> bytes:
    if ":" in address:
        return (
            struct.pack("=H", socket.AF_INET6)
            + struct.pack(">HI", port, 0)
            + ipaddress.ip_address(address).packed
            + struct.pack("=I", 0)
        )
    return struct.pack("=H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton(address) + b"\0" * 8
