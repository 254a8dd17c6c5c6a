"""The byte stream to a broker on asyncio: TCP, TLS with ALPN, web socket, secure web socket, each also through an HTTP
proxy. TCP_NODELAY is set on the socket of all of them: with Nagle's algorithm and delayed acknowledgements a message of
QoS 1 or 2 takes 44 ms and more.

A ``Link`` looks to the MQTT library like a socket that never blocks. Memory is bounded: it does not read while its
owner has enough, and refuses to write while the broker does not read. Threads: the loop.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from . import websocket
from .framing import ProtocolError

MAX_HEAD = 16_384
"""Octets of an HTTP response head."""
HIGH_WATER = 262_144
"""Octets of output that may wait for a slow broker."""


class Target(NamedTuple):
    """Where to connect, and how."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    websocket: bool = False
    path: str = ""
    proxy: str = ""


class Link(asyncio.Protocol):
    """``on_data`` gets what comes, ``on_lost`` (once) the reason, ``on_writable`` is told when output flows again."""

    def __init__(self) -> None:
        self.on_data: Callable[[bytes], None] = lambda data: None
        self.on_lost: Callable[[str], None] = lambda reason: None
        self.on_writable: Callable[[], None] = lambda: None
        self.writable = True
        self.lost: str | None = None
        """Why there is no connection any more."""
        self._transport: asyncio.Transport | None = None
        self._frames: websocket.Decoder | None = None
        self._head: bytearray | None = None
        self._waiter: asyncio.Future[bytes] | None = None
        self._early = b""
        self._live = False

    # --- what paho needs of a socket

    def send(self, data: bytes | bytearray) -> int:
        """Take all of it, or raise BlockingIOError while the broker does not read, OSError when it is gone."""
        if self.lost is not None or self._transport is None:
            raise OSError("the connection is closed")
        if not self.writable:
            raise BlockingIOError
        self._transport.write(websocket.frame(bytes(data)) if self._frames is not None else bytes(data))
        return len(data)

    def recv(self, _size: int) -> bytes:
        """Nothing: what comes is handed over by ``on_data``."""
        raise BlockingIOError

    def close(self) -> None:
        """Send what waits, then close."""
        if self._transport is not None:
            self._transport.close()

    def fileno(self) -> int:
        """No file: nobody may wait for it."""
        return -1

    def setblocking(self, flag: bool) -> None:
        """It never blocks."""

    # --- for the owner

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def start(self) -> None:
        """Hand over what comes from now on, and what came with the handshake."""
        self._live = True
        early, self._early = self._early, b""
        if early:
            self._received(early)

    def pause(self) -> None:
        """Do not read for now: the broker has to wait."""
        if self._transport is not None and self.lost is None:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._transport is not None and self.lost is None:
            self._transport.resume_reading()

    def socket(self) -> socket.socket:
        """The TCP socket under everything."""
        assert self._transport is not None
        found: socket.socket = self._transport.get_extra_info("socket")
        return found

    def alpn(self) -> str | None:
        """The protocol that TLS negotiated."""
        assert self._transport is not None
        tls: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
        return tls.selected_alpn_protocol() if tls is not None else None

    # --- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]
        self._transport.set_write_buffer_limits(high=HIGH_WATER)  # type: ignore[union-attr]
        no_delay(transport)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._collect(data)
        elif self._live:
            self._received(data)
        else:
            self._early += data

    def connection_lost(self, error: Exception | None) -> None:
        self._end(str(error) or type(error).__name__ if error is not None else "the broker closed the connection")

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        self.writable = True
        self.on_writable()

    # --- handshakes

    async def exchange(self, request: bytes) -> bytes:
        """Send an HTTP request head, give the head of the response."""
        assert self._transport is not None
        self._head = bytearray()
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiter

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """TLS from now on."""
        assert self._transport is not None
        loop = asyncio.get_running_loop()
        transport = await loop.start_tls(self._transport, self, context, server_hostname=host)
        if transport is None:
            raise ConnectionError("the connection was lost during the TLS handshake")
        self.connection_made(transport)

    def use_frames(self) -> None:
        """From now on all is in web socket frames."""
        self._frames = websocket.Decoder()

    def _collect(self, data: bytes) -> None:
        assert self._head is not None
        assert self._waiter is not None
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if end:
            self._head, self._early = None, bytes(rest)
            if not self._waiter.done():
                self._waiter.set_result(bytes(head))
        elif len(self._head) > MAX_HEAD:
            self._end(f"the answer has more than {MAX_HEAD} octets of headers")
            self.abort()

    def _received(self, data: bytes) -> None:
        if self._frames is None:
            self.on_data(data)
            return
        try:
            found = self._frames.feed(data)
        except ProtocolError as error:
            self._end(str(error))
            self.abort()
            return
        if self._frames.reply and self._transport is not None:
            self._transport.write(bytes(self._frames.reply))
            self._frames.reply.clear()
        if found:
            self.on_data(found)
        if self._frames.closed:
            self.close()

    def _end(self, reason: str) -> None:
        if self.lost is not None:
            return
        self.lost = reason
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionError(reason))
        self.on_lost(reason)


def no_delay(transport: asyncio.BaseTransport) -> None:
    """Switch Nagle's algorithm off on the socket under a transport."""
    transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


async def open_link(target: Target) -> Link:
    """Connect. Raises OSError (also for TLS), ProtocolError. Cancel it for a timeout: nothing stays open."""
    loop = asyncio.get_running_loop()
    link = Link()
    try:
        if target.proxy:
            await _through_proxy(loop, link, target)
        else:
            server_hostname = target.host if target.tls is not None else None
            await loop.create_connection(
                lambda: link, target.host, target.port, ssl=target.tls, server_hostname=server_hostname
            )
        if target.websocket:
            await _upgrade(link, target)
    except BaseException:
        link.abort()
        raise
    return link


async def _through_proxy(loop: asyncio.AbstractEventLoop, link: Link, target: Target) -> None:
    proxy = urlsplit(target.proxy)
    await loop.create_connection(lambda: link, proxy.hostname or "", proxy.port or 80)
    name = f"[{target.host}]" if ":" in target.host else target.host
    lines = [f"CONNECT {name}:{target.port} HTTP/1.1", f"Host: {name}:{target.port}"]
    if proxy.username:
        login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login.encode()).decode()}")
    status, _ = websocket.parse_head(await link.exchange(("\r\n".join(lines) + "\r\n\r\n").encode()))
    if not 200 <= status < 300:
        raise ProtocolError(f"the proxy refused with HTTP status {status}")
    if target.tls is not None:
        await link.start_tls(target.tls, target.host)


async def _upgrade(link: Link, target: Target) -> None:
    request, key = websocket.request(target.host, target.port, target.path, target.tls is not None)
    websocket.check_response(await link.exchange(request), key)
    link.use_frames()
