"""The RTSP server: its port, two UDP sockets for all sessions, and limits on connections, sessions and time.

When all connections are taken, the one without a session that is silent longest is ended in favour of a new one. UDP
packets go to the addresses of RTSP peers only; what comes in over UDP counts when it is RTCP from the address and port
of a session. Lives on the loop; ``start`` and ``stop`` bracket its life.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .connection import Connection
from .rtp import is_rtcp
from .session import Session

if TYPE_CHECKING:
    from axcore.interfaces.http.auth import Authenticator
    from axcore.interfaces.http.context import Context
    from axcore.runtime.bus import Bus
    from axcore.runtime.clock import Clock
    from axcore.services.accounts import AccountService

log = logging.getLogger(__name__)

STANDARD_PORT: Final = 554
OTHER_PORT: Final = 8554
"""Where privileges for the standard one are missing, or a device is only simulated."""
TICK: Final = 1.0
"""Seconds between looks at the time limits."""
FAREWELLS: Final = 25
"""Times 20 ms that clients get to take what was sent to them at the end."""
UDP_PAIRS: Final = 32
"""Tries for an even port whose neighbour is free, too."""


@dataclass(frozen=True, kw_only=True)
class RtspLimits:
    """Counts and seconds."""

    connections: int = 64
    sessions: int = 16
    header_timeout: float = 10.0
    """From the first octet of a request to its end."""
    idle_timeout: float = 60.0
    """Without a request and without a session."""
    write_timeout: float = 20.0
    """For a client that does not read."""


@dataclass(frozen=True, kw_only=True)
class RtspOptions:
    """Where to listen: the first of ``ports`` that can be bound; 0 takes any free one."""

    host: str = "127.0.0.1"
    ports: tuple[int, ...] = (OTHER_PORT,)
    limits: RtspLimits = field(default_factory=RtspLimits)


def ports_for(setting: int | str, *, simulate: bool) -> tuple[int, ...]:
    """The ports to try for ``network.rtsp_port``; none for ``off``. ``auto`` never fails: its last one is any."""
    if setting == "off":
        return ()
    if isinstance(setting, int):
        return (setting,)
    return (OTHER_PORT, 0) if simulate else (STANDARD_PORT, OTHER_PORT, 0)


class RtspServer:
    """The event stream of a device over RTSP."""

    def __init__(self, ctx: Context, options: RtspOptions) -> None:
        self._ctx = ctx
        self._options = options
        self.limits = options.limits
        self.url = ""
        """Base address, once started."""
        self.number = secrets.randbits(31)
        """Names this server in session descriptions."""
        self.udp_ports = (0, 0)
        self.ended: Counter[str] = Counter()
        """Why connections ended: ``client``, ``late``, ``slow``, ``idle``, ``silent``, ``account``, ``protocol`` ..."""
        self.lost = 0
        """Events that sessions lost since the start because clients did not keep up."""
        self.connections: dict[Connection, None] = {}
        self.sessions: dict[str, Session] = {}
        self._server: asyncio.Server | None = None
        self._udp: list[asyncio.DatagramTransport] = []
        self._timer: asyncio.TimerHandle | None = None

    # --- what connections use ----------------------------------------------------------------------------------------

    @property
    def bus(self) -> Bus:
        bus: Bus = self._ctx.bus
        return bus

    @property
    def clock(self) -> Clock:
        return self._ctx.clock

    @property
    def accounts(self) -> AccountService:
        return self._ctx.accounts

    @property
    def auth(self) -> Authenticator | None:
        """That of HTTP, so that guesses at passwords count together."""
        return self._ctx.auth

    def now_ns(self) -> int:
        return self._ctx.clock.mono_ns()

    def enter(self, connection: Connection) -> bool:
        """Whether one more connection may stay; ends another if need be."""
        if len(self.connections) >= self.limits.connections:
            idle = [c for c in self.connections if c.session is None]
            if not idle:
                return False
            oldest = min(idle, key=lambda c: c.active_ns)
            del self.connections[oldest]
            oldest.drop("crowded")
        self.connections[connection] = None
        return True

    def leave(self, connection: Connection) -> None:
        self.connections.pop(connection, None)
        self.ended[connection.reason] += 1
        if connection.reason not in ("client", "stop"):
            log.info("RTSP connection of %s ended: %s", connection.address[0], connection.reason)

    def opened(self, session: Session) -> bool:
        """Whether one more session may be."""
        if len(self.sessions) >= self.limits.sessions:
            return False
        self.sessions[session.id] = session
        return True

    def closed(self, session: Session) -> None:
        self.lost += session.lost
        self.sessions.pop(session.id, None)

    def send_udp(self, rtcp: bool, data: bytes, address: tuple[Any, ...]) -> None:
        """Send a datagram from the RTP or the RTCP socket."""
        if self._udp:
            self._udp[rtcp].sendto(data, address)

    def heard(self, data: bytes, address: tuple[Any, ...]) -> None:
        """RTCP that came over UDP: a sign of life of the session whose peer sent it."""
        if not is_rtcp(data):
            return
        for connection in self.connections:
            session = connection.session
            way = session.transport if session is not None else None
            if session is None or way is None or way.tcp:
                continue
            if (connection.address[0], way.rtcp) == address[:2]:
                session.alive_ns = self.now_ns()

    # --- life --------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bind the ports. Raises OSError when none of them can be had."""
        loop = asyncio.get_running_loop()
        for at, port in enumerate(self._options.ports):
            try:
                self._server = await loop.create_server(lambda: Connection(self), self._options.host, port, backlog=64)
                break
            except OSError:
                if at == len(self._options.ports) - 1:
                    raise
        assert self._server is not None
        bound = self._server.sockets[0].getsockname()
        host = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        try:
            await self._bind_udp(loop)
        except BaseException:
            await self.stop()
            raise
        self.url = f"rtsp://{host}:{bound[1]}"
        self._timer = loop.call_later(TICK, self._tick)

    async def _bind_udp(self, loop: asyncio.AbstractEventLoop) -> None:
        family, _, _, _, address = (
            await loop.getaddrinfo(self._options.host, 0, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
        )[0]
        for _ in range(UDP_PAIRS):
            pair = (socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM))
            try:
                pair[0].bind(address)
                first = pair[0].getsockname()[1]
                if first % 2:
                    raise OSError("an odd port")
                pair[1].bind((address[0], first + 1, *address[2:]))
            except OSError:
                for one in pair:
                    one.close()
                continue
            for one in pair:
                one.setblocking(False)
                transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), sock=one)
                self._udp.append(transport)
            self.udp_ports = (first, first + 1)
            return
        raise OSError(f"no pair of UDP ports is free on {self._options.host}")

    async def stop(self) -> None:
        """Say goodbye to every session and end every connection."""
        if self._timer is not None:
            self._timer.cancel()
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in tuple(self.connections):
            connection.finish("stop")
        for _ in range(FAREWELLS):
            if not self.connections:
                break
            await asyncio.sleep(0.02)
        for connection in tuple(self.connections):
            connection.drop("stop")
        for transport in self._udp:
            transport.close()
        self._udp.clear()

    def tick(self) -> None:
        """Enforce the time limits now."""
        now = self.now_ns()
        for connection in tuple(self.connections):
            connection.tick(now)

    def _tick(self) -> None:
        self.tick()
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: RtspServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._server.heard(data, addr)
