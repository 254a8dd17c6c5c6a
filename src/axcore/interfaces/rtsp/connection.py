"""One RTSP client: requests in order, one reply each, and at most one session, which ends with the connection.

So a session id of another connection is unknown here, and packets only go to the peer of a connection that is there.
Every method but OPTIONS asks for a login; OPTIONS with the id of the own session keeps that alive: clients send it
bare.
Sources: RFC 2326, section 10 and appendix A.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, cast

from axcore.errors import InputError
from axcore.interfaces.http import digest
from axcore.interfaces.http.errors import HttpError, UnauthorizedError
from axcore.interfaces.streams.follow import Login
from axcore.model.accounts import Role

from .message import METHODS, Frame, Message, MessageError, Reader, frame, reply
from .rtp import is_rtcp
from .session import TIMEOUT, Peer, Session
from .target import Target, choose_transport, describe, parse_target, read_stream

if TYPE_CHECKING:
    from .server import RtspServer

log = logging.getLogger(__name__)

READ_AHEAD: Final = 64 * 1024
"""Octets that may wait while a request is answered; then the socket is not read."""
Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]


class RefusedError(Exception):
    """Ends a request with a status; ``text`` says why and becomes the body."""

    def __init__(self, status: int, text: str = "", *headers: tuple[str, str]) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = headers


class Connection(asyncio.Protocol):
    """See the module's text. ``server`` gives limits, services and the UDP sockets."""

    def __init__(self, server: RtspServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._reader = Reader()
        self._worker: asyncio.Task[None] | None = None
        self._blocked: asyncio.Future[None] | None = None
        self._nonce = secrets.token_hex(16)
        self._begun_ns: int | None = None
        self.active_ns = server.now_ns()
        """When the client last sent a whole message."""
        self.blocked_ns: int | None = None
        """Since when it does not read."""
        self.session: Session | None = None
        self._who: Login | None = None
        self.reason = "client"
        """Why it ends, for the count."""
        self.address: tuple[Any, ...] = ("", 0)
        """Of the peer."""
        self._methods: dict[str, Callable[[Message, Target], Awaitable[Answer] | Answer]] = {
            "DESCRIBE": self._describe,
            "SETUP": self._set_up,
            "PLAY": self._play,
            "PAUSE": self._pause,
            "TEARDOWN": self._tear_down,
            "GET_PARAMETER": self._parameter,
            "SET_PARAMETER": self._parameter,
        }

    # --- protocol ----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.address = self._transport.get_extra_info("peername") or ("", 0)
        if not self._server.enter(self):
            self.drop("refused")

    def connection_lost(self, exc: Exception | None) -> None:
        self.end_session()
        self._server.leave(self)
        if self._worker is not None:
            self._worker.cancel()
        if self._blocked is not None and not self._blocked.done():
            self._blocked.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._begun_ns is None:
            self._begun_ns = self._server.now_ns()
        self._reader.feed(data)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(self._work())
        elif self._reader.pending > READ_AHEAD and self._transport is not None:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self.blocked_ns = self._server.now_ns()
        self._blocked = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        self.blocked_ns = None
        if self._blocked is not None and not self._blocked.done():
            self._blocked.set_result(None)
        self._blocked = None

    def drop(self, reason: str) -> None:
        """End the connection now."""
        self.reason = reason
        if self._transport is not None:
            self._transport.abort()

    def finish(self, reason: str) -> None:
        """End the session with a goodbye, then the connection."""
        self.reason = reason
        self.end_session()
        if self._transport is not None:
            self._transport.close()

    def tick(self, now_ns: int) -> None:
        """Enforce the time limits; called about once a second."""
        limits = self._server.limits
        idle = self.session is None and now_ns - self.active_ns > limits.idle_timeout * 1_000_000_000
        if self._begun_ns is not None and now_ns - self._begun_ns > limits.header_timeout * 1_000_000_000:
            self.drop("late")
        elif self.blocked_ns is not None and now_ns - self.blocked_ns > limits.write_timeout * 1_000_000_000:
            self.drop("slow")
        elif idle:
            self.drop("idle")
        elif self.session is not None:
            if self.session.expired(now_ns):
                self.finish("silent")
            elif not self.session.login.holds():
                self.finish("account")
            elif self.session.broken:
                self.drop("error")
            else:
                self.session.report(now_ns)

    def end_session(self) -> None:
        """End the session, if there is one."""
        if self.session is not None:
            self.session.end()
            self._server.closed(self.session)
            self.session = None

    # --- requests ----------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        """Answer what has come, one by one; each reply leaves in a piece of its own."""
        assert self._transport is not None
        try:
            while not self._transport.is_closing() and (message := self._reader.next()) is not None:
                self._begun_ns = self._server.now_ns() if self._reader.pending else None
                self.active_ns = self._server.now_ns()
                if isinstance(message, Frame):
                    self._take_frame(message)
                else:
                    self._transport.write(await self._answer(message))
                    if self._blocked is not None:
                        await self._blocked
                await asyncio.sleep(0)
        except MessageError as error:
            self._transport.write(reply(error.status, error.cseq, [("Connection", "close")]))
            self.finish("protocol")
        except Exception:
            log.exception("an RTSP connection failed")
            self.drop("error")
        else:
            if not self._reader.pending:
                self._begun_ns = None
            self._transport.resume_reading()

    def _take_frame(self, message: Frame) -> None:
        session = self.session
        if session is None or session.transport is None or not session.transport.tcp:
            raise MessageError(400, "interleaved data without a session")
        if message.channel == session.transport.rtcp and is_rtcp(message.data):
            session.alive_ns = self._server.now_ns()

    async def _answer(self, message: Message) -> bytes:
        headers: Headers
        try:
            status, headers, body = await self._serve(message)
        except RefusedError as refusal:
            status, headers, body = refusal.status, list(refusal.headers), b""
            if refusal.text:
                body = refusal.text.encode("utf-8", "replace") + b"\r\n"
        except UnauthorizedError as error:
            status, headers, body = 401, self._challenges(stale=error.stale), b""
        except HttpError as error:
            wait = [(name, value) for name, value in error.headers.items() if name == "Retry-After"]
            status, headers, body = (503, wait, b"") if error.status == 429 else (400, [], b"")
        except Exception:
            log.exception("RTSP %s failed", message.method)
            status, headers, body = 500, [], b""
        kind = "application/sdp" if status == 200 and body else "text/plain"
        return reply(status, message.cseq, headers, body, kind)

    async def _serve(self, message: Message) -> Answer:
        required = [message.headers[name] for name in ("require", "proxy-require") if name in message.headers]
        if required:
            raise RefusedError(551, "", ("Unsupported", ", ".join(required)))
        if message.method not in METHODS:
            known = message.method in ("ANNOUNCE", "RECORD", "REDIRECT")
            name = "Allow" if known else "Public"
            raise RefusedError(405 if known else 501, "", (name, ", ".join(METHODS)))
        target = parse_target(message.uri)
        if message.method == "OPTIONS":
            return await self._options(message, target)
        if target is None:
            raise RefusedError(400, "the address is rtsp://host/path")
        await self._login(message, target)
        result = self._methods[message.method](message, target)
        return result if isinstance(result, tuple) else await result

    async def _login(self, message: Message, target: Target) -> None:
        header, auth = message.headers.get("authorization"), self._server.auth
        if header is None or auth is None:
            raise UnauthorizedError
        identity, uri = await auth.identify_rtsp(header, message.method, self._nonce, str(self.address[0]))
        if uri and uri != message.uri:
            signed = parse_target(uri)
            if signed is None or not signed.same(target):
                raise RefusedError(400, "the uri of the digest is not that of the request")
        if identity.role < Role.VIEWER:
            raise RefusedError(403)
        login = Login(self._server.accounts, identity)
        if self.session is not None and self.session.login.identity.name != identity.name:
            raise RefusedError(403, "the session is that of another account")
        self._who = login

    def _challenges(self, *, stale: bool) -> Headers:
        auth, realm = self._server.auth, self._server.accounts.realm
        schemes = auth.schemes(secure=False) if auth is not None else ("digest",)
        found = []
        if "basic" in schemes:
            found.append(("WWW-Authenticate", f'Basic realm="{realm}"'))
        if "digest" in schemes:
            found.append(("WWW-Authenticate", digest.challenge_without_qop(realm, self._nonce, stale=stale)))
        return found

    def _own(self, message: Message) -> Session:
        """The session that a request names. Raises RefusedError 454."""
        session = self.session
        given = message.headers.get("session", "").partition(";")[0].strip()
        if session is None or given != session.id:
            raise RefusedError(454)
        if not session.login.holds():
            self.end_session()
            raise RefusedError(454)
        session.alive_ns = self._server.now_ns()
        return session

    async def _options(self, message: Message, target: Target | None) -> Answer:
        if message.uri != "*" and target is None:
            raise RefusedError(400, "the address is rtsp://host/path or *")
        if "authorization" in message.headers and target is not None:
            await self._login(message, target)
        headers = [("Public", ", ".join(METHODS))]
        if "session" in message.headers:
            headers.append(_named(self._own(message)))
        return 200, headers, b""

    def _describe(self, message: Message, target: Target) -> Answer:
        accepted = message.headers.get("accept", "application/sdp")
        if not any(kind in accepted for kind in ("application/sdp", "application/*", "*/*")):
            raise RefusedError(406)
        self._filters(target)
        assert self._transport is not None
        local = (self._transport.get_extra_info("sockname") or ("0.0.0.0",))[0]
        return 200, [("Content-Base", message.uri)], describe(target, local, self._server.number)

    @staticmethod
    def _filters(target: Target) -> Any:
        try:
            filters = read_stream(target)
        except InputError as error:
            raise RefusedError(400, str(error)) from None
        if filters is None:
            raise RefusedError(404)
        return filters

    def _set_up(self, message: Message, target: Target) -> Answer:
        filters = self._filters(target)
        session = self._own(message) if "session" in message.headers else None
        if session is None and self.session is not None:
            raise RefusedError(455, "this connection has a session already")
        if session is not None and (session.playing or not session.target.same(target)):
            raise RefusedError(455)
        transport = choose_transport(message.headers.get("transport", ""))
        if transport is None:
            raise RefusedError(461)
        if session is None:
            server = self._server
            assert self._who is not None
            session = Session(server.bus, server.clock, self._who, target, filters)
            if not server.opened(session):
                raise RefusedError(453, "all sessions are taken")
            self.session = session
        session.set_up(transport, Peer(self._send, lambda: self._blocked))
        if transport.tcp:
            value = f"RTP/AVP/TCP;unicast;interleaved={transport.rtp}-{transport.rtcp};ssrc={session.ssrc:08X}"
        else:
            rtp, rtcp = self._server.udp_ports
            value = f"RTP/AVP;unicast;client_port={transport.rtp}-{transport.rtcp};"
            value += f"server_port={rtp}-{rtcp};ssrc={session.ssrc:08X}"
        return 200, [_named(session), ("Transport", value)], b""

    def _play(self, message: Message, target: Target) -> Answer:
        session = self._of(message, target)
        where = message.headers.get("range", "npt=now-").replace(" ", "")
        if not where.lower().startswith(("npt=", "clock=")):
            raise RefusedError(457)
        sequence, time = session.position
        session.play(f"RTSP session of {session.login.identity.name} at {self.address[0]}")
        info = f"url={session.target.track};seq={sequence};rtptime={time}"
        return 200, [_named(session), ("Range", "npt=now-"), ("RTP-Info", info)], b""

    def _pause(self, message: Message, target: Target) -> Answer:
        session = self._of(message, target)
        session.pause()
        return 200, [_named(session)], b""

    def _tear_down(self, message: Message, target: Target) -> Answer:
        self._of(message, target)
        self.end_session()
        return 200, [], b""

    def _of(self, message: Message, target: Target) -> Session:
        """The named session, if the address is that of the stream; some clients leave its arguments out."""
        session = self._own(message)
        if not target.is_stream:
            raise RefusedError(404)
        return session

    def _parameter(self, message: Message, _target: Target) -> Answer:
        headers = [_named(self._own(message))] if "session" in message.headers else []
        if message.body.strip():
            raise RefusedError(451, "there are no parameters")
        return 200, headers, b""

    # --- packets -----------------------------------------------------------------------------------------------------

    def _send(self, rtcp: bool, data: bytes) -> None:
        """Send a packet to the peer of this connection, and nowhere else."""
        session, transport = self.session, self._transport
        if session is None or session.transport is None or transport is None:
            return
        way = session.transport
        if way.tcp and transport.is_closing():
            return
        if way.tcp:
            transport.write(frame(way.rtcp if rtcp else way.rtp, data))
        else:
            address = (self.address[0], way.rtcp if rtcp else way.rtp, *self.address[2:])
            self._server.send_udp(rtcp, data, address)


def _named(session: Session) -> tuple[str, str]:
    return "Session", f"{session.id};timeout={TIMEOUT}"
