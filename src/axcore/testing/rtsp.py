"""An RTSP client for tests and benches: one request at a time, digest logins, packets over TCP or UDP.

>>> async with RtspClient(url, "root", "pass") as client:
...     await client.play("event=on")
...     document = await client.packet()
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import socket
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

PATH: Final = "/axis-media/media.amp"
HEADER: Final = 12
"""Octets of an RTP header."""


@dataclass(frozen=True)
class RtspReply:
    """A reply; header names are lower-case, repeated ones joined with a line feed."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def session(self) -> str:
        """The session id."""
        return self.headers.get("session", "").partition(";")[0]


class RtspClient:
    """``url``: base address, ``rtsp://host:port``. With ``udp`` packets come to two sockets of its own."""

    def __init__(self, url: str, user: str = "", password: str = "", *, udp: bool = False) -> None:
        parts = urlsplit(url)
        self.url, self.host, self.port = url, parts.hostname or "", parts.port or 554
        self._user, self._password = user, password
        self._cseq = 0
        self._challenge: tuple[str, str] | None = None
        self.session = ""
        self.track = ""
        """Control address of the stream, once described."""
        self.frames: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
        """Channel (0 RTP, 1 RTCP) and octets of each packet."""
        self.sockets: list[socket.socket] = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2 * udp)]
        self._readers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> RtspClient:
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        if self.sockets:
            self._bind()
            for channel, sock in enumerate(self.sockets):
                self._readers.append(asyncio.create_task(self._receive(channel, sock)))
        return self

    async def __aexit__(self, *_exc: object) -> None:
        for task in self._readers:
            task.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        for sock in self.sockets:
            sock.close()
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    def _bind(self) -> None:
        for _ in range(64):
            self.sockets[0].bind(("127.0.0.1", 0))
            try:
                self.sockets[1].bind(("127.0.0.1", self.sockets[0].getsockname()[1] + 1))
            except OSError:
                self.sockets[0].close()
                self.sockets[0] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                continue
            break
        for sock in self.sockets:
            sock.setblocking(False)

    async def _receive(self, channel: int, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self.frames.put_nowait((channel, await loop.sock_recv(sock, 65536)))

    # --- requests

    def target(self, query: str = "event=on") -> str:
        """Address of the event stream."""
        return f"{self.url}{PATH}?{query}"

    async def request(self, method: str, uri: str, *, login: bool = True, **headers: str) -> RtspReply:
        """One request, again with a login when one is asked for. Names of headers: ``_`` stands for ``-``."""
        reply = await self._once(method, uri, headers, login=login)
        if reply.status == 401 and login and self._user:
            found = re.search('Digest realm="(.*?)", nonce="(.*?)"', reply.headers["www-authenticate"])
            assert found is not None
            self._challenge = found[1], found[2]
            reply = await self._once(method, uri, headers, login=login)
        return reply

    async def _once(self, method: str, uri: str, headers: dict[str, str], *, login: bool) -> RtspReply:
        self._cseq += 1
        lines = [f"{method} {uri} RTSP/1.0", f"CSeq: {self._cseq}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if self._challenge is not None and login and "Authorization" not in headers:
            lines.append(f"Authorization: {self.authorization(method, uri)}")
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        return await self.reply()

    def authorization(self, method: str, uri: str) -> str:
        """The Authorization value for a request, as clients make it that are offered no qop."""
        assert self._challenge is not None
        realm, nonce = self._challenge
        ha1, ha2 = _md5(f"{self._user}:{realm}:{self._password}"), _md5(f"{method}:{uri}")
        response = _md5(f"{ha1}:{nonce}:{ha2}")
        return (
            f'Digest username="{self._user}", realm="{realm}", algorithm="MD5", nonce="{nonce}", uri="{uri}", '
            f'response="{response}"'
        )

    async def send(self, data: bytes) -> None:
        """Octets as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self) -> RtspReply:
        """The next reply; packets before it are kept in ``frames``."""
        while (first := await self.reader.readexactly(1)) == b"$":
            await self._frame()
        head = (first + await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.rstrip("\r\n").split("\r\n")
        headers: dict[str, str] = {}
        for name, _, value in (text.partition(": ") for text in rest):
            key = name.lower()
            headers[key] = f"{headers[key]}\n{value}" if key in headers else value
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return RtspReply(int(line.split(" ")[1]), headers, body)

    async def _frame(self) -> None:
        channel, high, low = await self.reader.readexactly(3)
        self.frames.put_nowait((channel, await self.reader.readexactly(high << 8 | low)))

    async def play(self, query: str = "event=on") -> RtspReply:
        """DESCRIBE, SETUP and PLAY; gives the last reply. AssertionError when one of them is refused."""
        described = await self.request("DESCRIBE", self.target(query))
        assert described.status == 200, described
        self.track = re.findall(r"a=control:(rtsp:\S+)", described.body.decode())[-1]
        set_up = await self.request("SETUP", self.track, Transport=self.transport)
        assert set_up.status == 200, set_up
        self.session = set_up.session
        played = await self.request("PLAY", self.target(query), Session=self.session)
        assert played.status == 200, played
        return played

    @property
    def transport(self) -> str:
        """The Transport value that suits this client."""
        if not self.sockets:
            return "RTP/AVP/TCP;unicast;interleaved=0-1"
        ports = [sock.getsockname()[1] for sock in self.sockets]
        return f"RTP/AVP;unicast;client_port={ports[0]}-{ports[1]}"

    # --- packets

    async def raw(self) -> tuple[int, bytes]:
        """The next packet with its channel."""
        while self.frames.empty() and not self.sockets:
            first = await self.reader.readexactly(1)
            assert first == b"$", first
            await self._frame()
        return await self.frames.get()

    async def packet(self) -> bytes:
        """The document of the next RTP packet."""
        while True:
            channel, data = await self.raw()
            if channel == 0:
                return data[HEADER:]


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def items(document: bytes) -> dict[str, Any]:
    """Topic, operation, time, source and data of a metadata document with one event, by a strict parser."""
    from xml.etree import ElementTree as ET

    spaces = {"tt": "http://www.onvif.org/ver10/schema", "wsnt": "http://docs.oasis-open.org/wsn/b-2"}
    root = ET.fromstring(document)
    message = root.find("tt:Event/wsnt:NotificationMessage/wsnt:Message/tt:Message", spaces)
    assert message is not None
    found: dict[str, Any] = {
        "topic": root.findtext("tt:Event/wsnt:NotificationMessage/wsnt:Topic", "", spaces),
        "operation": message.get("PropertyOperation", ""),
        "time": message.get("UtcTime", ""),
    }
    for part in ("Source", "Data"):
        pairs = message.findall(f"tt:{part}/tt:SimpleItem", spaces)
        found[part.lower()] = {pair.get("Name"): pair.get("Value") for pair in pairs}
    return found
