"""Connections to recipients: names are resolved beside the loop, and each address passes the access list twice.

The second look is at the address that is connected to, so that a name that changes its address in between (DNS
rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from .acl import Acl
from .delivery import DeliveryError, RefusedError
from .threads import Cutter, Threads

CONNECT_SECONDS = 15.0
"""For a look-up, and for each attempt to connect."""
STEP_SECONDS = 20.0
"""For each answer of a peer, where a thread waits for it."""
MAX_ADDRESSES = 4

Resolve = Callable[[str, int], list[tuple[int, Any]]]


def resolve(host: str, port: int) -> list[tuple[int, Any]]:
    """``(family, address)`` of a host name or IP address, by the system. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


class Dialer:
    """Resolves and connects. ``resolver`` runs in a thread."""

    def __init__(self, acl: Acl, threads: Threads, resolver: Resolve = resolve) -> None:
        self.acl = acl
        self.threads = threads
        self._resolver = resolver

    async def addresses(self, host: str, port: int) -> list[tuple[int, Any]]:
        """Addresses that may be connected to. Raises DeliveryError; RefusedError if there are only others."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                found = await self.threads.run(lambda _: self._look_up(host, port))
        except TimeoutError:
            raise DeliveryError(f"the name server gave no address of {host}", transient=True) from None
        return self._allowed(found)

    async def connect(self, host: str, port: int) -> socket.socket:
        """A connected, non-blocking socket. Raises DeliveryError."""
        failure: Exception = DeliveryError(f"{host} has no address")
        loop = asyncio.get_running_loop()
        for family, address in await self.addresses(host, port):
            sock = self.open(family, address)
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await loop.sock_connect(sock, address)
            except OSError as error:  # a TimeoutError too
                sock.close()
                failure = error
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise unreachable(host, port, failure)

    def connect_blocking(self, host: str, port: int, cutter: Cutter) -> socket.socket:
        """The same for threads; the socket has a time limit for each step, and ``cutter`` ends it."""
        failure: Exception = DeliveryError(f"{host} has no address")
        for family, address in self._allowed(self._look_up(host, port)):
            sock = self.open(family, address)
            sock.setblocking(True)
            cutter.add(sock)
            try:
                sock.settimeout(CONNECT_SECONDS)
                sock.connect(address)
                sock.settimeout(STEP_SECONDS)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise unreachable(host, port, failure)

    def open(self, family: int, address: Any) -> socket.socket:
        """A socket for ``address``, which is looked at once more: it is the one that is connected to."""
        self.acl.check(address[0], address[1])
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _look_up(self, host: str, port: int) -> list[tuple[int, Any]]:
        try:
            return self._resolver(host, port)
        except (OSError, UnicodeError) as error:
            transient = getattr(error, "errno", None) == socket.EAI_AGAIN
            raise DeliveryError(f"there is no host {host}: {reason_of(error)}", transient=transient) from None

    def _allowed(self, found: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
        allowed, refusal = [], None
        for family, address in dict.fromkeys(found):
            try:
                self.acl.check(address[0], address[1])
            except RefusedError as error:
                refusal = error
            else:
                allowed.append((family, address))
        if refusal is not None and not allowed:
            raise refusal
        return allowed[:MAX_ADDRESSES]


def unreachable(host: str, port: int, error: Exception) -> DeliveryError:
    """What is told when no address of a host could be connected to."""
    if isinstance(error, TimeoutError):
        return DeliveryError(f"{host} port {port} does not answer (no connection within the time)", transient=True)
    return DeliveryError(f"{host} port {port} cannot be connected to: {reason_of(error)}", transient=True)


def reason_of(error: BaseException) -> str:
    """An exception in one line."""
    text = (
        (getattr(error, "strerror", None) or str(error) or type(error).__name__).replace("\r", " ").replace("\n", " ")
    )
    return "".join(c for c in text if c.isprintable())[:200]
