"""Is a SIP server there? An OPTIONS (RFC 3261 section 11) of a socket of its own, and any answer to it.

A thread for each question: names may take their time, and the owner thread of PJSIP has calls to serve.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from axcore.model.voice import Transport

PORTS: Final[dict[Transport, int]] = {"udp": 5060, "tcp": 5060, "tls": 5061}
WAITS_S: Final = (0.5, 1.0, 2.0, 4.0)
"""For an answer to each of the datagrams (T1, doubled)."""
CONNECT_S: Final = 5.0
MOST: Final = 65536


Find = Callable[[str, Transport], list[tuple[str, int]]]
"""Where a server is that is given by a name without a port (``locate``)."""


def ask(server: str, transport: Transport, tell: Callable[[bool], None], find: Find | None = None) -> None:
    """Ask in a thread; it calls ``tell``."""
    threading.Thread(target=lambda: tell(alive(server, transport, find)), name="probe", daemon=True).start()


def alive(server: str, transport: Transport, find: Find | None = None) -> bool:
    """Whether ``server`` (``host`` or ``host:port``) answers; waits."""
    try:
        place = urlsplit(f"//{server}")
        host, port = place.hostname or "", place.port
    except ValueError:
        return False
    if port is None and find is not None and not _is_address(host):
        return any(_alive(*one, transport) for one in find(host, transport))
    return _alive(host, port or PORTS[transport], transport)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _alive(host: str, port: int, transport: Transport) -> bool:
    try:
        if transport == "udp":
            return _by_udp(host, port)
        with socket.create_connection((host, port), CONNECT_S) as plain:
            if transport == "tcp":
                return _ask(plain, host, port, "TCP")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # whether it is the right one, registration will tell
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(plain, server_hostname=host) as secure:
                return _ask(secure, host, port, "TLS")
    except (OSError, ValueError):
        return False


def request(host: str, port: int, own: tuple[str, int], transport: str) -> bytes:
    """The OPTIONS. ``own``: address that it comes from."""
    word = secrets.token_hex(8)
    where, here = (f"[{one}]" if ":" in one else one for one in (host, own[0]))
    return (
        f"OPTIONS sip:{where}:{port} SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport} {here}:{own[1]};rport;branch=z9hG4bK{word}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:probe@{here}>;tag={word}\r\nTo: <sip:{where}:{port}>\r\n"
        f"Call-ID: {word}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode("ascii", "ignore")


def _by_udp(host: str, port: int) -> bool:
    family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.connect(place)
        data = request(host, port, udp.getsockname()[:2], "UDP")
        for wait in WAITS_S:
            udp.send(data)
            udp.settimeout(wait)
            try:
                return udp.recv(MOST).startswith(b"SIP/2.0 ")
            except TimeoutError:
                continue
    return False


def _ask(stream: socket.socket, host: str, port: int, transport: str) -> bool:
    stream.settimeout(sum(WAITS_S))
    stream.sendall(request(host, port, stream.getsockname()[:2], transport))
    return stream.recv(MOST).startswith(b"SIP/2.0 ")
