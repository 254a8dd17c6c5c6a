"""A client's connection: limits on time, size and number, around aiohttp's protocol.

aiohttp bounds header lines and their count, reads bodies with flow control and sets TCP_NODELAY. Added here: a limit
on the whole head, a deadline for an unfinished head (clients that send a header a minute) and for answers that are not
read, and a cap on connections. When the cap is reached, the connection that idles longest is ended in favour of the
new one, or else the one that has waited longest for a body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from . import framing
from .context import Request

if TYPE_CHECKING:
    from aiohttp.http_parser import RawRequestMessage


_REFUSAL = b"HTTP/1.1 400 Bad Request\r\nServer: axcore\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class ConnectionLimits:
    """Seconds and counts; the defaults suit a device with a few hundred clients."""

    header_timeout: float = 10.0
    """From the first octet of a head to its end."""
    idle_timeout: float = 60.0
    """Without a request."""
    write_timeout: float = 30.0
    """For a client that does not read what it asked for."""
    connections: int = 256


class ConnectionServer(web.Server):
    """Makes a Connection for each client and keeps their number within the limit."""

    def __init__(
        self,
        serve: Callable[[Request], Awaitable[web.StreamResponse]],
        limits: ConnectionLimits,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(serve, request_factory=self._request, loop=loop)  # type: ignore[arg-type]
        self.limits = limits

    def _request(
        self, message: RawRequestMessage, payload: Any, protocol: web.RequestHandler, writer: Any, task: Any
    ) -> Request:
        if isinstance(protocol, Connection):
            protocol.taken = True
        return Request(message, payload, protocol, writer, task, self._loop)

    def __call__(self) -> Connection:
        return Connection(self, self._loop)

    def make_room(self) -> bool:
        """Whether one more connection may stay; ends another if need be."""
        if len(self._connections) < self.limits.connections:
            return True
        own = [connection for connection in self._connections if isinstance(connection, Connection)]
        for connection in (*(c for c in own if c.idle), *(c for c in own if c.reading)):
            connection.drop()
            return True
        return False


class Connection(web.RequestHandler):
    """One client. All of it runs on the loop."""

    __slots__ = ("_deadline", "_head_octets", "_server", "_unread", "reading", "taken")

    def __init__(self, server: ConnectionServer, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=server.limits.idle_timeout,
            access_log=None,  # type: ignore[arg-type]
            max_line_size=framing.MAX_LINE,
            max_field_size=framing.MAX_LINE,
            max_headers=framing.MAX_HEADERS,
            lingering_time=0.5,
            auto_decompress=False,
        )
        self._server = server
        self._head_octets = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self.reading = False
        """The body of a request is awaited."""
        self.taken = False
        """A request has left the queue, and the task that handles it has not run yet."""

    @property
    def idle(self) -> bool:
        """No request of this connection is being read or answered."""
        return self._current_request is None and not self._messages and not self.taken

    def drop(self) -> None:
        """End the connection now, without waiting for the peer."""
        transport = self.transport
        self.force_close()
        if transport is not None:
            transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        room = self._server.make_room()
        super().connection_made(transport)
        if not room:
            self.drop()

    async def _handle_request(self, request: Any, start_time: float | None, request_handler: Any) -> Any:
        self.taken = False
        return await super()._handle_request(request, start_time, request_handler)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._cancel_deadline()
        if self._unread is not None:
            self._unread.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self._loop.call_later(self._server.limits.write_timeout, self.drop)

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        if not self.idle:
            super().data_received(data)
            return
        if self._head_octets == 0 and framing.bad_start(data):
            self._refuse()
            return
        super().data_received(data)
        if not self.idle:
            self._head_octets = 0
            self._cancel_deadline()
            return
        self._head_octets += len(data)
        if self._head_octets > framing.MAX_HEAD:
            self.drop()
        elif self._deadline is None and data:
            self._deadline = self._loop.call_later(self._server.limits.header_timeout, self._late)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what could not be parsed: no details, and the end of the connection."""
        text = "Bad Request" if status == 400 else "Error"
        response = web.Response(status=status, text=text + "\r\n", headers={"Server": "axcore"})
        response.force_close()
        return response

    def _refuse(self) -> None:
        if self.transport is not None:
            self.transport.write(_REFUSAL)
        self.force_close()

    def _late(self) -> None:
        self._deadline = None
        if self.idle:
            self.drop()

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
