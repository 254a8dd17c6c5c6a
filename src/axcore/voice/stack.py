"""PJSIP, owned by one thread: commands in, reports out, callbacks in between.

Everything that touches pjsua2 happens in ``Stack.run``, whose thread sleeps in ``libHandleEvents`` until the network, a
timer or a command wakes it. Known traps: a Call is made inside ``onIncomingCall`` or its call is refused; what
``getInfo`` returns must be held while it is read; a Call that outlives its id would hang up the next call with it.
"""

from __future__ import annotations

import re
import socket
import ssl
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import pjsua2 as pj

from axcore.model.sip import SipUri
from axcore.model.voice import (
    ALIVE_NS,
    KNOCK,
    LOOPBACK,
    Alive,
    Answer,
    Command,
    Configure,
    Ended,
    HangUp,
    Invite,
    LocalMedia,
    Notify,
    Probe,
    Probed,
    Quit,
    Ready,
    Refused,
    Register,
    Report,
    Reroute,
    SendDigits,
    VoiceAccount,
)

from . import build, hop, probe, resolver, sdp
from .account import TRANSPORT, Account, settings
from .call import Leg
from .crowd import Crowd, Places
from .ingress import NS, Gate, listeners, udp_socket
from .limit import Limit
from .link import Link
from .locate import Locator
from .network import free_port, surroundings
from .refusal import Refusal
from .transfer import Tally, header, is_own
from .watch import Watch

if TYPE_CHECKING:
    from .front import Front

POLL_MS: Final = 1000
FLOOD_POLL_MS: Final = 100
LOOK_NS: Final = 2 * NS
LATE_NS: Final = 2 * NS
"""After which the surroundings are looked at in the midst of traffic too."""
SOURCE: Final = re.compile(rf"^{hop.SOURCE}:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
LAST_WORDS_S: Final = 0.5


class Endpoint(pj.Endpoint):
    """PJSIP, as far as it tells of connections."""

    def __init__(self) -> None:
        pj.Endpoint.__init__(self)
        self.places = Places()
        self.gates: list[Gate] = []
        """Of listening sockets: shut before PJSIP accepts one too many."""

    def onTransportState(self, prm: Any) -> None:  # noqa: N802
        """A connection was made, or has ended."""
        if prm.state == pj.PJSIP_TP_STATE_CONNECTED:
            self.places.came()
            self.limit()
        elif prm.state == pj.PJSIP_TP_STATE_DESTROY:
            self.places.went(time.monotonic_ns())

    def limit(self) -> bool:
        """Let connections in, or not; whether it is full."""
        full = self.places.full(time.monotonic_ns())
        for gate in self.gates:
            gate.shut() if full else gate.open()
        return full


class Stack:
    """See the module's text."""

    def __init__(self, configure: Configure, link: Link) -> None:
        self.config, self.link = configure, link
        self.legs: dict[str, Leg] = {}
        self.ended: dict[int, Leg] = {}
        """Legs that are over, by call id, until the owner thread may let go of them."""
        self._kept: list[Leg] = []
        """Legs whose id was used again before that: to free them would hang up another's call."""
        self._resolver: resolver.Resolver | None = None
        self.locator = Locator(resolver.look_up, configure.name_servers)
        self._front: Front | None = None
        self._watch: Watch | None = None
        """Over its thread."""
        self._jobs: deque[Callable[[], object]] = deque()
        self._wake_up: Callable[[], None] = lambda: None
        self._surroundings = surroundings(configure.bind)
        self._look_ns = 0
        self._accounts: dict[str, Account] = {}
        self._number = 0
        self._running = True
        self._asked = False
        """Somebody calls: the device is about to answer."""
        self._endpoint = Endpoint()
        self._refusal = Refusal()
        self.tally = Tally()
        self._port = 0
        self._wake = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    # --- the thread

    def run(self) -> None:
        """Serve until told to quit."""
        self._port = port = self._begin()
        sip = udp_socket(port)
        limit = Limit(self.config.most_load, time.thread_time_ns(), Gate(sip))
        self._endpoint.gates = [Gate(found, ()) for found in listeners()]
        crowd, full, late_ns, alive_ns = Crowd(port), False, 0, 0
        self.link.start()
        while self._running:
            wait_ms = FLOOD_POLL_MS if full else limit.rest_ms(time.monotonic_ns()) or POLL_MS
            asked, self._asked = self._asked, False
            idle = not (asked and self.link.wait(sip)) and not self._endpoint.libHandleEvents(wait_ms)
            self._work()  # before commands: what goes on by another call can be told to end
            while (command := self.link.take()) is not None:
                self._do(command)
            self._work()
            self.ended.clear()
            self._keep(limit)
            if (refused := self.tally.due(time.monotonic_ns())) is not None:
                self.link.send(refused)
            full = self._endpoint.limit()
            now = time.monotonic_ns()
            if now >= alive_ns:
                alive_ns = now + ALIVE_NS
                self.link.send(Alive())
            self._look_at_front(now)
            if idle or now >= late_ns:  # Not in the way of a call.
                late_ns = now + LATE_NS
                crowd.thin(now)
                self._look_around(now)
        self._end()

    def _work(self) -> None:
        while self._jobs:
            self._jobs.popleft()()

    def _knock(self, place: tuple[str, int]) -> None:
        self._wake.sendto(KNOCK, place)

    def _look_around(self, now: int) -> None:
        """Begin anew once the device has another address, and nobody talks."""
        if now < self._look_ns or self.legs:
            return
        self._look_ns = now + LOOK_NS
        place = surroundings(self.config.bind)
        if place != self._surroundings:
            self.link.send(Refused(what="address", detail=f"of this device is {place} now: SIP begins anew"))
            self._running = False

    def _look_at_front(self, now: int) -> None:
        """Begin anew when the front hangs: nobody hears by TLS any more, and calls by it cannot be ended."""
        if self._watch is not None and self._watch.hangs(now):
            self.link.send(Refused(what="tls", detail="the TLS front does not answer any more: SIP begins anew"))
            self._running = False

    def _keep(self, limit: Limit) -> None:
        if limit.step(time.thread_time_ns(), time.monotonic_ns()):
            detail = f"SIP takes more than {self.config.most_load:.0%} of a core; new requests are dropped"
            self.link.send(Refused(what="flood", detail=detail))
        if self._front is not None:
            self._front.closed = limit.in_force

    def _begin(self) -> int:
        config, endpoint = self.config, self._endpoint
        endpoint.libCreate()
        build.set_timers(config.t1_ms, config.t2_ms, tcp_switch=config.tcp_switch)
        made = pj.EpConfig()
        made.logConfig.level = made.logConfig.consoleLevel = 0
        made.uaConfig.threadCnt = 0
        made.uaConfig.mainThreadOnly = False
        made.uaConfig.maxCalls = 32
        made.uaConfig.userAgent = config.user_agent
        made.medConfig.threadCnt, made.medConfig.hasIoqueue = 0, False  # its thread would wake every 10 ms
        endpoint.libInit(made)
        loaded = build.library()
        self._resolver = resolver.Resolver(loaded, self.soon, self.locator) if loaded is not None else None
        if self._resolver is not None and not self._resolver.install():
            print("PJSIP looks up names by itself: this build is not known", file=sys.stderr)
        port = config.port or free_port(config.bind)
        endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, self._transport(port))
        self._wake_up = lambda: self._knock((config.bind or LOOPBACK, port))
        if config.tcp or config.tls is not None or any(spec.transport == "tls" for spec in config.accounts):
            endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, self._transport(port))
        self._begin_tls(port)
        endpoint.libStart()
        self._refusal.register()
        endpoint.audDevManager().setNoDev()
        codecs = build.set_codecs(endpoint, config.codecs)
        room = build.MAX_ACCOUNTS
        refused = []
        for spec in config.accounts:
            if len(self._accounts) >= room or not self._add(spec):
                refused.append(spec.id)
        self.link.send(
            Ready(
                version=str(endpoint.libVersion().full),
                max_calls=build.max_calls(),
                max_accounts=room,
                tls=ssl.OPENSSL_VERSION if self._front is not None else "",
                tls_port=self._front.port if self._front is not None else 0,
                stack_tls=build.tls_version(),
                codecs=codecs,
                port=port,
                refused=tuple(refused),
            )
        )
        return port

    def _begin_tls(self, port: int) -> None:
        """The front, if anybody needs it. Without a certificate it can call, and nobody can call it."""
        config = self.config
        if config.tls is None and not any(spec.transport == "tls" for spec in config.accounts):
            return
        from .front import Front  # only who speaks TLS pays for an event loop

        place = {"host": config.bind or LOOPBACK, "port": port, "bind": config.bind, "listen_port": config.tls_port}
        try:
            front = Front(self.locator, **place, listener=config.tls)  # type: ignore[arg-type]
            front.start()
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            self.link.send(Refused(what="tls", detail=f"port {config.tls_port}: {error}"[:200]))
            front = Front(self.locator, **place, listener=None)  # type: ignore[arg-type]
            front.start()
        self._front, self._watch = front, Watch(front.ask)

    def way_of(self, spec: VoiceAccount) -> str:
        """The first route of an account's requests; empty = none."""
        if spec.transport != "tls" or self._front is None:
            return ""
        return self._front.way(spec.id, secure=spec.sips)

    def _transport(self, port: int) -> Any:
        transport = pj.TransportConfig()
        transport.port, transport.boundAddress = port, self.config.bind
        return transport

    def _add(self, spec: VoiceAccount) -> bool:
        account = Account(self, spec)
        try:
            if spec.transport == "tls" and self._front is not None:
                self._front.account(spec.id, spec.tls)
            account.create(settings(spec, self.way_of(spec)), spec.default)
        except (pj.Error, OSError, ValueError):
            self._kept.append(account)
            return False
        self._accounts[spec.id] = account
        return True

    def _end(self) -> None:
        for leg in list(self.legs.values()):
            leg.hang_up(503)
        for account in self._accounts.values():
            if account.spec.registrar and account.spec.register:
                try:
                    account.setRegistration(False)
                except pj.Error:
                    continue
        until = time.monotonic() + LAST_WORDS_S
        while time.monotonic() < until and (self.legs or any(a.spec.registrar for a in self._accounts.values())):
            self._endpoint.libHandleEvents(20)

    # --- commands

    def _do(self, command: Command) -> None:
        match command:
            case Invite():
                self._invite(command)
            case Answer() | HangUp() | SendDigits() | Notify():
                if (leg := self.legs.get(command.leg)) is not None:
                    leg.do(command)
            case Reroute(account=spec):
                self._change(spec.id, lambda account: account.change(spec))
            case Register(account=key):
                self._change(key, lambda account: account.setRegistration(True))
            case Probe(account=key, server=server, transport=transport):
                probe.ask(
                    server, transport, lambda alive: self._post(Probed(account=key, alive=alive)), self.locator.find
                )
            case Quit():
                self._running = False

    def _change(self, key: str, act: Callable[[Account], None]) -> None:
        account = self._accounts.get(key)
        if account is not None:
            try:
                act(account)
            except pj.Error as error:
                self.link.send(Refused(what="command", detail=f"account {key}: {error.reason}"[:200]))

    def _post(self, report: Report) -> None:
        """Tell something from another thread."""
        self.soon(lambda: self.link.send(report))

    def soon(self, job: Callable[[], object]) -> None:
        """Do it in the owner thread; any thread."""
        self.later(job)
        self._wake_up()

    def later(self, job: Callable[[], object]) -> None:
        """Do it in the owner thread, outside of callbacks."""
        self._jobs.append(job)

    def _invite(self, command: Invite) -> None:
        account = self._accounts.get(command.account)
        if account is None or command.leg in self.legs:
            self.link.send(Ended(leg=command.leg, code=404, reason="no such account"))
            return
        uri = _addressed(command.uri, account.spec)
        if not uri:
            self.link.send(Ended(leg=command.leg, code=416, reason="sips: an account with SIP secure is needed"))
            return
        leg = Leg(self, account, command.leg, command.media, invite=command)
        self.legs[command.leg] = leg
        how = pj.CallOpParam(True)
        how.opt.videoCount = 0
        if command.replaces:
            how.txOption.headers.append(header("Replaces", command.replaces))
        try:
            leg.makeCall(uri, how)
        except pj.Error as error:
            if self.legs.pop(command.leg, None) is not None:
                self._kept.append(leg)  # its destructor aborts
                self.link.send(Ended(leg=command.leg, code=500, reason=str(error.reason)[:200]))

    # --- callbacks

    def incoming(self, account: Account, prm: Any) -> None:
        """Make the Call now, tell the device, let it decide."""
        stale = self.ended.pop(prm.callId, None)
        if stale is not None:
            self._kept.append(stale)
        self._number += 1
        media = LocalMedia(port=next_port(self.config.incoming_ports, self._number, self.legs.values()))
        name = f"in{self._number}"
        leg = Leg(self, account, name, media, call_id=prm.callId)
        self.legs[name] = leg
        leg.asked = sdp.offer_of(str(prm.rdata.wholeMsg))
        self._asked = True
        leg.announce(self._source(str(prm.rdata.srcAddress), str(prm.rdata.wholeMsg)))

    def _source(self, address: str, message: str) -> str:
        """Who sent a request: behind the front, whom the front names."""
        if self._front is not None and address == str(self._front.inside):
            found = SOURCE.search(message)
            return found[1] if found else address
        return address

    def over(self, leg: Leg, call_id: int, code: int, reason: str) -> None:
        """A leg has ended."""
        if self.legs.pop(leg.name, None) is None:
            return
        self.ended[call_id] = leg
        invite = leg.invite
        if invite is not None and leg.account.doubt(code, invite.uri) and not leg.heard:
            self.later(lambda: self._invite(invite))  # by the next server of that name
            return
        if code == pj.PJSIP_SC_PROXY_AUTHENTICATION_REQUIRED and invite is not None:
            self.later(lambda: self._again(leg, invite, reason))
            return
        self.link.send(Ended(leg=leg.name, code=code, reason=reason[:200]))

    def _again(self, leg: Leg, invite: Invite, reason: str) -> None:
        """Once more, with the login of the proxy that has just named its realm."""
        if leg.account.learn(leg.last_words):
            self._invite(invite)
        else:
            self.link.send(Ended(leg=invite.leg, code=407, reason=reason[:200]))

    def own_address(self, peer: str) -> str:
        """Where sound for this device goes, seen from ``peer``."""
        return sdp.own_address(peer, self.config.bind)

    def is_own(self, uri: SipUri) -> bool:
        """Whether a call to this address comes back to the device."""
        ports = (self._port, 0 if self._front is None else self._front.port)
        return is_own(uri, ports, self.own_address(uri.host))


def _addressed(uri: str, account: VoiceAccount) -> str:
    """An address as PJSIP is told of it; empty if the account may not call it. The front makes it ``sips:`` again."""
    if uri.lower().startswith("sips:"):
        return f"sip:{uri[5:]}" if account.sips else ""
    return uri if "transport=" in uri or account.sips else uri + TRANSPORT[account.transport]


def next_port(ports: Sequence[int], turn: int, legs: Iterable[Leg]) -> int:
    """The RTP port of the call that came as number ``turn``; 0 = there are none. One that no leg has, all in turn: the
    device may still be about to close the port of a call that is over."""
    taken = {leg.media.port for leg in legs}
    in_turn = (ports[(turn + number) % len(ports)] for number in range(len(ports)))
    return next((port for port in in_turn if port not in taken), ports[turn % len(ports)] if ports else 0)
