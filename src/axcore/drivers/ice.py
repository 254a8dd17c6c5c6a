"""One leg's sound through NAT: sockets, STUN, TURN and the checks of ICE by ``aioice``, datagrams passed on by hand.

Everything here runs in the loop of ``drivers.nat``. The native sockets of the leg speak with a socket of this path on
the same host, and the path with the peer: over the pair that ICE has chosen, or with the address that was agreed on.
From the network only those are heard whom ICE has authenticated, or who have the agreed address; from this host only
the native sockets. A datagram costs two wake-ups of Python, which is why calls without NAT traversal have none of this.

``aioice`` gathers on ports of its own choice and takes data from anybody, so that both are done here
(``_Agent.gather``, ``_Outer``); its messages, transactions, TURN client (``relay``), check list and consent (RFC 7675)
are used as they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any, Final, Literal

import aioice.ice
import aioice.stun
import ifaddr
from aioice import Candidate as AioCandidate
from aioice.candidate import candidate_priority

from axcore.model.nat import COMPONENTS, RTP, Candidate, CandidateKind, Gathered, Ice, PathTold, ServerAnswer, Traversal
from axcore.model.voice import AgreedMedia

from . import relay

STUN_PORT: Final = 3478
"""Of STUN and TURN over UDP (RFC 8489 section 18.6, RFC 8656 section 18)."""
MOST_HOSTS: Final = 4
OFFSET: Final = 48
"""The sockets of a path have the RTP port of the leg and this: within the ports that the device may use."""
CHECKS_S: Final = 15.0
"""After which a call goes on without ICE; checks that succeed later are still taken."""
TRIES: Final = 20
MOST_CHECKED: Final = 64
"""Places from which checks of the peer have come that are remembered."""
FIRST_RTP, LAST_RTP = 128, 191
"""First octet of RTP and RTCP (RFC 7983)."""
_LOCAL: Final = {4: "127.0.0.1", 6: "::1"}

Place = tuple[str, int]


class _Outer(aioice.ice.StunProtocol):
    """A socket, or a relay, that faces the network: RTP goes to the path with its source, STUN to ``aioice``."""

    def __init__(self, agent: _Agent) -> None:
        super().__init__(agent)
        self.agent = agent

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        if isinstance(data, bytes) and data and FIRST_RTP <= data[0] <= LAST_RTP:
            self.agent.on_media(self, data, (addr[0], addr[1]))
            return
        with contextlib.suppress(KeyError, AssertionError, ValueError):  # a message that aioice does not expect
            super().datagram_received(data, addr)


class _Inner(asyncio.DatagramProtocol):
    """A socket that faces the native one of the same component."""

    def __init__(self, native: Place, forward: Callable[[bytes], None]) -> None:
        self._native, self._forward = native, forward

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if (addr[0], addr[1]) == self._native:
            self._forward(data)


class _Agent(aioice.ice.Connection):
    """``aioice``'s connection, with the device's ports."""

    def __init__(
        self,
        on_media: Callable[[_Outer, bytes, Place], None],
        on_lost: Callable[[aioice.ice.StunProtocol, str], None],
    ) -> None:
        super().__init__(ice_controlling=True, components=len(COMPONENTS))
        self.on_media, self._on_lost = on_media, on_lost
        self._watches: list[asyncio.Task[None]] = []
        """Over the servers of relays."""
        self._checked: set[tuple[aioice.ice.StunProtocol, Place]] = set()

    def check_incoming(self, message: Any, addr: tuple[Any, ...], protocol: aioice.ice.StunProtocol) -> None:
        """A check of the peer, signed with the password of this call.

        It may choose this pair while our own check of it is still under way, and that one is given up as soon as there
        is another pair: its answer would be missed, and with it all that the peer says.
        """
        if len(self._checked) < MOST_CHECKED:
            self._checked.add((protocol, (addr[0], addr[1])))
        super().check_incoming(message, (addr[0], addr[1]), protocol)

    def protocol_lost(self, protocol: aioice.ice.StunProtocol) -> None:
        if not self._closing and protocol.local_candidate.type == "relay":
            self._on_lost(protocol, "the TURN server has not renewed the relay")
        super().protocol_lost(protocol)

    async def gather(self, hosts: Sequence[str], port: int, how: Traversal, limit_s: float) -> tuple[ServerAnswer, ...]:
        """Candidates on ``port`` and the next one. OSError: no host has them."""
        self._local_candidates_start = True
        found: list[AioCandidate] = []
        failure = OSError("there is no address")
        for component in COMPONENTS:
            for rank, host in enumerate(hosts):
                try:
                    protocol = await self._bound(host, port + component - 1)
                except OSError as error:
                    failure = error
                    continue
                protocol.local_candidate = _candidate(component, "host", rank, (host, port + component - 1))
                self._protocols.append(protocol)
                found.append(protocol.local_candidate)
            if not any(one.component == component for one in found):
                raise failure
        answers = {one.kind: one for one in await self._ask(found, how, limit_s)}
        self._local_candidates, self._local_candidates_end = found, True
        return tuple(answers.values())

    async def _ask(self, found: list[AioCandidate], how: Traversal, limit_s: float) -> list[ServerAnswer]:
        """All servers for all components at the same time; what they give is added to ``found``. Failures come last."""
        jobs: list[tuple[Literal["stun", "turn"], str, asyncio.Task[AioCandidate]]] = []
        for component in COMPONENTS:
            if how.stun:
                jobs.append(("stun", how.stun, asyncio.ensure_future(self._reflexive(how.stun, component))))
            if how.turn:
                jobs.append(("turn", how.turn, asyncio.ensure_future(self._relayed(how, component))))
        if jobs:
            await asyncio.wait([task for _, _, task in jobs], timeout=limit_s)
        good: list[ServerAnswer] = []
        bad: list[ServerAnswer] = []
        for kind, server, task in jobs:
            reason = await _outcome(task)
            if reason:
                bad.append(ServerAnswer(kind=kind, server=server, ok=False, reason=reason))
                continue
            one = task.result()
            if one.component == RTP:
                good.append(ServerAnswer(kind=kind, server=server, ok=True, address=_shown(one.host, one.port)))
            if (one.host, one.port) not in {(other.host, other.port) for other in found}:
                found.append(one)
        return good + bad

    async def _bound(self, host: str, port: int) -> _Outer:
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_datagram_endpoint(lambda: _Outer(self), local_addr=(host, port))
        return protocol

    async def _reflexive(self, server: str, component: int) -> AioCandidate:
        place = await resolve(server)
        own = [one for one in self._protocols if one.local_candidate.component == component and _same(one, place)]
        towards = _towards(place)
        base = next((one for one in own if one.local_candidate.host == towards), own[0] if own else None)
        if base is None:
            raise OSError("the device has no address of the same kind")
        request = aioice.stun.Message(
            message_method=aioice.stun.Method.BINDING, message_class=aioice.stun.Class.REQUEST
        )
        response, _ = await base.request(request, place)
        mapped = response.attributes.get("XOR-MAPPED-ADDRESS")
        if mapped is None:
            raise OSError("its answer has no address")
        local = base.local_candidate
        return _candidate(component, "srflx", 0, (mapped[0], mapped[1]), (local.host, local.port))

    async def _relayed(self, how: Traversal, component: int) -> AioCandidate:
        place = await resolve(how.turn)
        protocol, client = await relay.allocate(place, how, lambda: _Outer(self))
        sockname, related = (protocol.transport.get_extra_info(name) for name in ("sockname", "related_address"))
        protocol.local_candidate = _candidate(component, "relay", 0, sockname, related)
        self._protocols.append(protocol)
        self._watches.append(asyncio.ensure_future(self._watch(protocol, client)))
        return protocol.local_candidate

    async def _watch(self, protocol: _Outer, client: relay.Client) -> None:
        self._on_lost(protocol, await relay.until_gone(client))

    async def close(self) -> None:
        """All at the same time: a server that is gone is waited for, and the others need not be."""
        for watch in self._watches:
            watch.cancel()
        for protocol in self._protocols:
            protocol.transport.close()
        await super().close()

    def chosen(self, component: int) -> tuple[aioice.ice.StunProtocol, Place] | None:
        """Whom ICE has decided to speak with."""
        pair = self._nominated.get(component)
        return None if pair is None else (pair.protocol, pair.remote_addr)

    def authenticated(self, protocol: _Outer, place: Place) -> bool:
        """Whether a check, ours or the peer's, has shown that it is there. (It may speak before it is chosen.)"""
        good = aioice.ice.CandidatePair.State.SUCCEEDED
        return (protocol, place) in self._checked or any(
            pair.state is good and pair.protocol is protocol and pair.remote_addr == place for pair in self._check_list
        )

    def default(self, component: int) -> aioice.ice.StunProtocol:
        """What a peer that knows no ICE is told of: the relay, or else the first host (RFC 8445 section 5.1.4)."""
        own = [one for one in self._protocols if one.local_candidate.component == component]
        return next((one for one in own if one.local_candidate.type == "relay"), own[0])


class Path:
    """See the module's text.

    Args:
        host: address that the device is bound to; empty: all.
        port: of the leg's native socket of RTP; RTCP is the next one.
    """

    def __init__(self, leg: str, host: str, port: int, told: Callable[[PathTold], None]) -> None:
        self.leg, self._host, self._port, self._told = leg, host, port, told
        version = ip_address(host).version if host else 4
        self._near = host or _LOCAL[version]
        self.inner: Place = ("", 0)
        """Whom the native socket of RTP is to speak with; RTCP: the next port."""
        self.foreign = 0
        """Datagrams that did not count."""
        self._agent = _Agent(self._from_network, self._relay_lost)
        self._sockets: dict[int, asyncio.DatagramTransport] = {}
        self._plain: dict[int, tuple[aioice.ice.StunProtocol, Place]] = {}
        self._ice = False
        self._checks: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    async def gather(self, how: Traversal, limit_s: float) -> Gathered:
        """Bind, and ask the servers. OSError: nothing could be bound."""
        await self._open()
        hosts = [self._host] if self._host else _hosts()
        servers = await self._agent.gather(hosts, self._port + OFFSET, how, limit_s)
        found = [_model(one) for one in self._agent.local_candidates]
        rtp, rtcp = (_best(found, component) for component in COMPONENTS)
        agent = self._agent
        return Gathered(
            address=rtp.address,
            port=rtp.port,
            rtcp_port=rtcp.port if rtcp.address == rtp.address else 0,
            ice=Ice(ufrag=agent.local_username, password=agent.local_password, candidates=tuple(found))
            if how.ice
            else None,
            servers=servers,
        )

    async def _open(self) -> None:
        """Two sockets in a row, as the native ones have them."""
        loop = asyncio.get_running_loop()
        for _ in range(TRIES):
            first, _protocol = await loop.create_datagram_endpoint(
                lambda: _Inner((self._near, self._port), lambda data: self._to_network(1, data)),
                local_addr=(self._near, 0),
            )
            place = first.get_extra_info("sockname")
            try:
                second, _other = await loop.create_datagram_endpoint(
                    lambda: _Inner((self._near, self._port + 1), lambda data: self._to_network(2, data)),
                    local_addr=(self._near, place[1] + 1),
                )
            except (OSError, OverflowError):
                first.close()
                continue
            self._sockets = {1: first, 2: second}
            self.inner = (place[0], place[1])
            return
        raise OSError("no two ports in a row are free")

    def start(self, agreed: AgreedMedia) -> None:
        """Use it as agreed, for the first time or anew."""
        place = (agreed.remote_address, agreed.remote_port)
        self._plain = {}
        for component in COMPONENTS:
            protocol = self._agent.default(component)
            with contextlib.suppress(ValueError):
                if ip_address(place[0]).version == ip_address(protocol.local_candidate.host).version:
                    self._plain[component] = (protocol, (place[0], place[1] + component - 1))
        if agreed.ice is None:
            if not self._ice:
                self._open_ways()
        elif not self._ice:
            self._ice = True
            self._checks = asyncio.ensure_future(self._check(agreed.ice, offered=agreed.offered))

    def _open_ways(self) -> None:
        """A relay lets nobody in to whom nothing was sent (RFC 8656 section 9); sound itself opens other ways."""
        for protocol, place in self._plain.values():
            if protocol.local_candidate.type == "relay":
                protocol.transport.sendto(b"", place)

    async def _check(self, peer: Ice, *, offered: bool) -> None:
        agent = self._agent
        agent.ice_controlling = offered or peer.lite
        agent.remote_is_lite = peer.lite
        agent.remote_username, agent.remote_password = peer.ufrag, peer.password
        for one in peer.candidates:
            if one.kind != "prflx":
                await agent.add_remote_candidate(_aio(one))
        await agent.add_remote_candidate(None)
        try:
            await asyncio.wait_for(agent.connect(), CHECKS_S)
        except (ConnectionError, TimeoutError) as error:
            self._ice = agent.chosen(RTP) is not None
            self._tell("failed", str(error) or f"no answer to the checks within {CHECKS_S:g} s")
            self._open_ways()
            return
        chosen = agent.chosen(RTP)
        if chosen is not None:
            protocol, place = chosen
            local = protocol.local_candidate
            self._tell("chosen", f"{local.type} {_shown(local.host, local.port)} to {_shown(*place)}")
        self._watch = asyncio.ensure_future(self._until_closed())

    async def _until_closed(self) -> None:
        """The peer has not answered for half a minute (RFC 7675): nothing is sent to it any more."""
        if isinstance(await self._agent.get_event(), aioice.ice.ConnectionClosed):
            self._plain = {}
            self._tell("lost", "the other side does not answer any more")

    def _relay_lost(self, protocol: aioice.ice.StunProtocol, detail: str) -> None:
        """A server of relays is gone. Where ICE has another way, or still looks for one, the call does without."""
        chosen = self._agent.chosen(RTP)
        default = None if self._ice else self._agent.default(RTP)
        if protocol is (default if chosen is None else chosen[0]):
            self._tell("lost", detail)

    def _tell(self, what: Any, detail: str) -> None:
        self._told(PathTold(leg=self.leg, what=what, detail=detail[:200]))

    # --- datagrams

    def _to_network(self, component: int, data: bytes) -> None:
        way = self._agent.chosen(component) or (None if self._ice else self._plain.get(component))
        if way is not None:
            way[0].transport.sendto(data, way[1])

    def _from_network(self, outer: _Outer, data: bytes, place: Place) -> None:
        component = outer.local_candidate.component
        if self._ice or self._agent.chosen(component) is not None:
            known = self._agent.chosen(component) == (outer, place) or self._agent.authenticated(outer, place)
        else:
            known = self._plain.get(component) == (outer, place)
        if known:
            self._sockets[component].sendto(data, (self._near, self._port + component - 1))
        else:
            self.foreign += 1

    async def close(self) -> None:
        """Close all sockets; a relay is given back."""
        for task in (self._watch, self._checks):
            if task is not None:
                task.cancel()
        for one in self._sockets.values():
            one.close()
        await self._agent.close()


async def reflexive(host: str, port: int, how: Traversal, limit_s: float) -> Gathered:
    """How RTP port ``port`` and the next one are seen from outside, with STUN alone; both are free again afterwards."""
    agent = _Agent(lambda outer, data, place: None, lambda outer, detail: None)
    try:
        servers = await agent.gather([host or _hosts()[0]], port, how, limit_s)
        found = {one.component: one for one in agent.local_candidates}  # those of the server come last
    finally:
        await agent.close()
    rtp, rtcp = found[1], found[2]
    mapped = rtp.type == "srflx"
    return Gathered(
        address=rtp.host if mapped else "",
        port=rtp.port,
        rtcp_port=rtcp.port if mapped and rtcp.type == "srflx" and rtcp.host == rtp.host else 0,
        servers=servers,
    )


async def resolve(server: str) -> Place:
    """Of ``host`` or ``host:port``. OSError."""
    host, colon, port = server.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        host, port = server, ""
    number = int(port) if port else STUN_PORT
    host = host.strip("[]")
    with contextlib.suppress(ValueError):
        return str(ip_address(host)), number
    found = await asyncio.get_running_loop().getaddrinfo(host, number, type=socket.SOCK_DGRAM)
    return str(found[0][4][0]), number


def _hosts() -> list[str]:
    """Addresses of this device, that towards the network first; loopback if there is no other."""
    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for one in adapter.ips:
            text = one.ip if isinstance(one.ip, str) else one.ip[0]
            address = ip_address(text.partition("%")[0])
            if not (address.is_loopback or address.is_link_local or address.is_unspecified):
                found.append(str(address))
    first = _towards(("192.0.2.1", STUN_PORT))
    found.sort(key=lambda text: (text != first, ":" in text))
    return found[:MOST_HOSTS] or ["127.0.0.1"]


def _towards(place: Place) -> str:
    """The address that is used to speak with somebody; empty: nobody is reached. Sends nothing."""
    family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(place)
        return str(probe.getsockname()[0])
    return ""


def _same(protocol: aioice.ice.StunProtocol, place: Place) -> bool:
    return ip_address(protocol.local_candidate.host).version == ip_address(place[0]).version


async def _outcome(task: asyncio.Task[AioCandidate]) -> str:
    """Why something was not found; empty if it was."""
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
    if task.cancelled():
        return "does not answer"
    match task.exception():
        case None:
            return ""
        case aioice.stun.TransactionFailed() as error:
            code, reason = error.response.attributes.get("ERROR-CODE", (0, ""))
            return "refuses the login" if code == 401 else f"refuses: {code} {reason}"[:100]
        case aioice.stun.TransactionTimeout():
            return "does not answer"
        case error:
            return str(error)[:100] or type(error).__name__


def _candidate(component: int, kind: CandidateKind, rank: int, place: Place, related: Place = ("", 0)) -> AioCandidate:
    """Priority as RFC 8445 section 5.1.2.1 has it; ``rank``: of its host."""
    return AioCandidate(
        foundation=f"{kind[0]}{rank}",
        component=component,
        transport="udp",
        priority=candidate_priority(component, kind, 65535 - rank),
        host=place[0],
        port=place[1],
        type=kind,
        related_address=related[0] or None,
        related_port=related[1] if related[0] else None,
    )


def _model(one: AioCandidate) -> Candidate:
    return Candidate(
        foundation=one.foundation,
        component=one.component,
        priority=one.priority,
        address=one.host,
        port=one.port,
        kind=one.type,  # type: ignore[arg-type]
        related_address=one.related_address or "",
        related_port=one.related_port or 0,
    )


def _aio(one: Candidate) -> AioCandidate:
    return AioCandidate(one.foundation, one.component, "udp", one.priority, one.address, one.port, one.kind)


def _best(found: Sequence[Candidate], component: int) -> Candidate:
    """What a peer without ICE is told: relayed, or else reflexive, or else of the host (RFC 8445 section 5.1.4)."""
    order: tuple[CandidateKind, ...] = ("relay", "srflx", "host")
    return min((one for one in found if one.component == component), key=lambda one: order.index(one.kind))


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
