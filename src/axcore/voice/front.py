"""The TLS front: speaks TLS 1.2 and 1.3 to peers, and plain TCP on this host to PJSIP, whose OpenSSL has no TLS 1.3.

An event loop in a thread of the voice process: it ends with it, and the process ends when it hangs (``watch``). What
happens to messages is in ``hop``; here are the connections. Those to peers are used again, in both directions (RFC
5923); each account has its own certificate, version and verification, so connections of one account serve no other.
Names are looked up and handshakes done without holding up anybody else. PJSIP's side listens on this host and takes
connections of this host only.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
import ssl
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec

from axcore.errors import InputError
from axcore.model.voice import TlsSettings

from . import hop, tls
from .hop import Place
from .locate import Locator
from .message import Framer, Message

MOST_CONNECTIONS: Final = 64
"""Of peers who have connected; another one takes the place of the one that has been silent for longest."""
MOST_PENDING: Final = 4096
HANDSHAKE_S: Final = 10.0
CONNECT_S: Final = 15.0
PART_S: Final = 30.0
"""In which a message that has begun must end."""
MOST_QUEUED: Final = 1 << 20
CHUNK: Final = 65536
ANY: Final = "0.0.0.0"
NOWHERE: Final = ("", 0)
_CALLED: Final = re.compile(r"ax[0-9]+")
"""Names of connections: of who called, once the connection is gone."""


class Connection:
    """One stream; ``name`` is its key for routes."""

    def __init__(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asked: bool) -> None:
        self.name, self.reader, self.writer = name, reader, writer
        self.asked = asked
        """Whether the peer has connected, not we."""
        self.used = 0.0
        self.framer = Framer()
        self.fault = "the connection was closed"
        self.own = Place(*(writer.get_extra_info("sockname") or NOWHERE)[:2])
        """Our end."""
        self.peer = Place(*(writer.get_extra_info("peername") or NOWHERE)[:2])
        """The other end."""

    @property
    def open(self) -> bool:
        """Whether it can be written to."""
        return not self.writer.is_closing()

    def send(self, data: bytes) -> None:
        """Write; somebody who takes nothing is dropped."""
        if self.writer.transport.get_write_buffer_size() > MOST_QUEUED:
            self.writer.transport.abort()
        elif self.open:
            self.writer.write(data)


class Asked(msgspec.Struct, frozen=True):
    """A request of PJSIP's that is on its way."""

    connection: Connection
    """Of PJSIP."""
    key: str
    peer: Connection
    request: Message
    """Without its body."""


class Front:
    """See the module's text.

    Args:
        host: address of PJSIP's TCP, which this side of the front has too.
        port: PJSIP's TCP port.
        bind, listen_port: where peers connect to; without a certificate nobody can. 0 = any port.
        locator: finds peers that are given by a name without a port.
        listener: certificate, version and verification of those who connect.
    """

    def __init__(
        self,
        locator: Locator,
        *,
        host: str,
        port: int,
        bind: str,
        listen_port: int,
        listener: TlsSettings | None,
    ) -> None:
        self._pjsip, self._locator = Place(host, port), locator
        self._bind, self._listen_port, self._listener = bind, listen_port, listener
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._default = tls.client(listener or TlsSettings())
        """For who called, and has no connection any more."""
        self.hop = self._pjsip
        self.port = 0
        """Where peers connect to; 0 = nowhere."""
        self.closed = False
        """Whether new requests are refused here, unseen by PJSIP: it has too much to do (``ingress``)."""
        self.inside: Place | None = None
        """Where its requests to PJSIP come from."""
        self._loop = asyncio.new_event_loop()
        self._peers: dict[str, Connection] = {}
        self._ways: dict[tuple[str, Place], Connection] = {}
        self._making: dict[tuple[str, Place], asyncio.Task[Connection]] = {}
        self._pending: OrderedDict[str, Asked] = OrderedDict()
        """What PJSIP has asked, by branch."""
        self._silent: OrderedDict[str, Asked] = OrderedDict()
        """Those of them that no response has come to."""
        self._inner: Connection | None = None
        self._inner_lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0

    def start(self) -> None:
        """Listen, then run in a thread. OSError, ssl.SSLError."""
        self._loop.run_until_complete(self._begin())
        threading.Thread(target=self._loop.run_forever, name="tls front", daemon=True).start()

    def ask(self, answer: Callable[[], None]) -> None:
        """Have the front's thread call this, unless it hangs; any thread."""
        self._loop.call_soon_threadsafe(answer)

    def account(self, account: str, settings: TlsSettings) -> None:
        """How the peers of an account (its id) are spoken with, from the next connection on; any thread.

        ssl.SSLError, ValueError: it cannot be so.
        """
        self._contexts[hop.key_for(account)] = tls.client(settings)

    def way(self, account: str, *, secure: bool) -> str:
        """The route of an account's requests; ``secure``: they are of SIPS."""
        return f"sip:{hop.key_for(account)}{hop.SECURE if secure else ''}@{self.hop};transport=tcp;lr"

    async def _begin(self) -> None:
        inner = await asyncio.start_server(self._on_pjsip, self._pjsip.host, 0)
        self.hop = Place(self._pjsip.host, inner.sockets[0].getsockname()[1])
        if self._listener is not None:
            context = tls.server(self._listener)
            outer = await asyncio.start_server(
                self._on_peer, self._bind or ANY, self._listen_port, ssl=context, ssl_handshake_timeout=HANDSHAKE_S
            )
            self.port = int(outer.sockets[0].getsockname()[1])

    # --- streams

    async def _read(self, connection: Connection) -> None:
        """Hand over messages until there are no more."""
        while True:
            wait = None if connection.framer.empty else PART_S
            data = await asyncio.wait_for(connection.reader.read(CHUNK), wait)
            if not data:
                return
            connection.used = self._loop.time()
            messages, pings = connection.framer.feed(data)
            if pings:
                connection.send(b"\r\n" * pings)
            for message in messages:
                if connection.name in self._peers:
                    await self._from_peer(connection, message)
                else:
                    await self._from_pjsip(connection, message)
            await connection.writer.drain()

    async def _serve(self, connection: Connection) -> None:
        try:
            await self._read(connection)
        except (OSError, InputError, TimeoutError) as error:  # ssl.SSLError is an OSError
            connection.fault = _reason(error)
        except Exception as error:  # a hostile message must not end the front
            print(f"TLS front: {error!r}", file=sys.stderr)
        finally:
            self._peers.pop(connection.name, None)
            self._ways = {way: one for way, one in self._ways.items() if one is not connection}
            if self._inner is connection:
                self._inner = None
            connection.writer.close()
            self._unanswered(connection, connection.fault)

    async def _on_pjsip(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection("", reader, writer, asked=True)
        if connection.peer.host != connection.own.host and not connection.peer.host.startswith("127."):
            writer.close()
            return
        await self._serve(connection)

    async def _on_peer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = [one for one in self._peers.values() if one.asked]
        if len(asked) >= MOST_CONNECTIONS:
            min(asked, key=lambda one: one.used).writer.transport.abort()
        await self._serve(self._peer(reader, writer, asked=True))

    def _peer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asked: bool) -> Connection:
        self._count += 1
        connection = Connection(f"ax{self._count}", reader, writer, asked=asked)
        connection.used = self._loop.time()
        self._peers[connection.name] = connection
        return connection

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- from PJSIP

    async def _from_pjsip(self, connection: Connection, message: Message) -> None:
        if message.is_request:
            self._run(self._request(connection, message))
            return
        top = message.first("via")
        mark = hop.mark_of(top)
        peer = self._peers.get(mark.removesuffix(hop.SECURE))
        if peer is not None and hop.answer_outward(message, own=self._own(peer), inner=self._pjsip, hop=self.hop):
            peer.send(message.encode())

    async def _request(self, connection: Connection, message: Message) -> None:
        key = hop.key_of(message, self.hop)
        place = hop.target_of(message)
        asked = Message(message.start, list(message.headers), b"")
        try:
            if place is None:
                raise InputError("address", "is none")
            who = key.removesuffix(hop.SECURE)
            peer = self._peers.get(who) or await self._connected(who, place)
        except (OSError, TimeoutError, InputError, ValueError) as error:
            if message.method != "ACK":
                connection.send(hop.refusal(asked, 503, f"TLS: {_reason(error)}").encode())
            return
        branch = hop.outward(message, own=self._own(peer), inner=self._pjsip, secure=key.endswith(hop.SECURE))
        if asked.method != "ACK":
            for where in (self._pending, self._silent):
                self._remember(where, branch, Asked(connection, key, peer, asked))
        peer.send(message.encode())
        if peer.name not in self._peers:  # it ended while nobody looked
            self._unanswered(peer, peer.fault)

    @staticmethod
    def _remember(where: OrderedDict[str, Asked], branch: str, asked: Asked) -> None:
        where[branch] = asked
        while len(where) > MOST_PENDING:
            where.popitem(last=False)

    def _unanswered(self, peer: Connection, reason: str) -> None:
        """Tell PJSIP what a connection that is gone was asked and has not answered: it need not wait."""
        for branch, asked in list(self._silent.items()):
            if asked.peer is peer:
                del self._silent[branch]
                asked.connection.send(hop.refusal(asked.request, 503, f"TLS: {reason}").encode())

    def _own(self, peer: Connection) -> Place:
        """Where the peer reaches this device: on the port for that, or else on this connection only."""
        return Place(peer.own.host, self.port or peer.own.port)

    async def _connected(self, key: str, place: Place) -> Connection:
        """The connection of an account to a peer, made if there is none."""
        way = (key, place)
        known = self._ways.get(way)
        if known is not None and known.open:
            return known
        making = self._making.get(way)
        if making is None:
            making = self._making[way] = self._loop.create_task(self._connect(key, place))
            making.add_done_callback(lambda _: self._making.pop(way, None))
        made = await asyncio.shield(making)
        self._ways[way] = made
        return made

    async def _connect(self, key: str, place: Place) -> Connection:
        context = self._context(key)
        local = (self._bind, 0) if self._bind else None
        fault: Exception = OSError(f"{place.host} is not known")
        async with asyncio.timeout(CONNECT_S):
            for host, port in await self._places(place):
                try:
                    reader, writer = await asyncio.open_connection(
                        host, port, ssl=context, server_hostname=place.host, local_addr=local,
                        ssl_handshake_timeout=HANDSHAKE_S,
                    )  # fmt: skip
                    break
                except OSError as error:  # the next server, if there is one (RFC 3263 section 4.3)
                    fault = error
            else:
                raise fault
        connection = self._peer(reader, writer, asked=False)
        self._run(self._serve(connection))
        return connection

    def _context(self, key: str) -> ssl.SSLContext:
        """How whom a key names is spoken with. InputError: it names nobody, and nobody is spoken with unverified."""
        known = self._contexts.get(key)
        if known is not None:
            return known
        if not _CALLED.fullmatch(key):
            raise InputError("account", "is not known")
        return self._default

    async def _places(self, place: Place) -> list[tuple[str, int]]:
        """Where a peer may be."""
        if place.port:
            return [(place.host, place.port)]
        try:
            return [(str(ipaddress.ip_address(place.host)), hop.PORT)]
        except ValueError:
            return await asyncio.to_thread(self._locator.find, place.host, "tls")

    # --- from peers

    async def _from_peer(self, peer: Connection, message: Message) -> None:
        message.headers = [pair for pair in message.headers if pair[0].lower() != hop.SOURCE]
        if message.is_request:
            if self.closed and message.method not in hop.GOES_ON and "tag=" not in message.first("to"):
                peer.send(hop.refusal(message, 503, "Busy").encode())
                return
            inner = await self._inside()
            if inner is not None:
                hop.inward(message, hop=self.hop, peer=peer.peer, key=peer.name)
                inner.send(message.encode())
            return
        branch = hop.branch_of(message.first("via"))
        self._silent.pop(branch, None)
        found = self._pending.get(branch)
        if found is not None:
            own = self._own(peer)
            if hop.answer_inward(message, own=own, inner=self._pjsip, hop=self.hop, key=found.key):
                found.connection.send(message.encode())

    async def _inside(self) -> Connection | None:
        """The connection to PJSIP."""
        async with self._inner_lock:
            if self._inner is None or not self._inner.open:
                with contextlib.suppress(OSError):
                    reader, writer = await asyncio.open_connection(self._pjsip.host, self._pjsip.port)
                    self._inner = Connection("", reader, writer, asked=False)
                    self.inside = self._inner.own
                    self._run(self._serve(self._inner))
            return self._inner


def _reason(error: Exception) -> str:
    """Why, in a line."""
    text = str(getattr(error, "verify_message", "") or getattr(error, "reason", "") or error)[:80]
    return "".join(char for char in text if char.isprintable()) or "no answer"
