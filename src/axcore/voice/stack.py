"""PJSIP, owned by one thread: commands in, reports out, callbacks in between.

Everything that touches pjsua2 happens in ``Stack.run``, whose thread sleeps in ``libHandleEvents`` until the network, a
timer or a command wakes it. Known traps: a Call is made inside ``onIncomingCall`` or its call is refused; what
``getInfo`` returns must be held while it is read; a Call that outlives its id would hang up the next call with it.
"""

from __future__ import annotations

import socket
import time
from typing import Any, Final

import pjsua2 as pj

from axcore.model.voice import (
    Answer,
    Command,
    Configure,
    Ended,
    HangUp,
    Invite,
    LocalMedia,
    Quit,
    Ready,
    Refused,
    Registration,
    SendDigits,
    VoiceAccount,
)

from . import build, sdp
from .call import Leg
from .crowd import Crowd, Places
from .ingress import NS, Gate, Meter, listeners, udp_socket
from .link import Link
from .refusal import Refusal

POLL_MS: Final = 1000
FLOOD_POLL_MS: Final = 100
LAST_WORDS_S: Final = 0.5
SRTP: Final = {"none": pj.PJMEDIA_SRTP_DISABLED, "best_effort": pj.PJMEDIA_SRTP_OPTIONAL,
               "mandatory": pj.PJMEDIA_SRTP_MANDATORY}  # fmt: skip
SUITES: Final = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")
"""Those that ``axcore.rtp`` has; best first."""
TRANSPORT: Final = {"udp": "", "tcp": ";transport=tcp", "tls": ";transport=tls"}


class Account(pj.Account):
    """One account of the device."""

    def __init__(self, stack: Stack, spec: VoiceAccount) -> None:
        pj.Account.__init__(self)
        self.stack, self.spec = stack, spec

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        """Somebody calls."""
        self.stack.incoming(self, prm)

    def onRegState(self, prm: Any) -> None:  # noqa: N802
        """The registrar has answered, or has not."""
        active = prm.code // 100 == 2 and prm.expiration > 0
        self.stack.link.send(
            Registration(account=self.spec.id, code=int(prm.code), reason=str(prm.reason)[:200], active=active)
        )


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
        self._accounts: dict[str, Account] = {}
        self._number = 0
        self._running = True
        self._endpoint = Endpoint()
        self._refusal = Refusal()
        self._meter = Meter(round(configure.most_load * NS))
        self._used_ns = time.thread_time_ns()
        self._gate = Gate(None)
        self._wake = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    # --- the thread

    def run(self) -> None:
        """Serve until told to quit."""
        port = self._begin()
        self._gate = Gate(udp_socket(port))
        self._endpoint.gates = [Gate(found, ()) for found in listeners()]
        crowd, full = Crowd(port), False
        self._used_ns = time.thread_time_ns()  # what the start took does not count
        place = (self.config.bind or "127.0.0.1", port)
        self.link.start(lambda: self._knock(place))
        while self._running:
            self._endpoint.libHandleEvents(FLOOD_POLL_MS if full or self._gate.closed else POLL_MS)
            self._limit()
            full = self._endpoint.limit()
            crowd.thin(time.monotonic_ns())
            while (command := self.link.take()) is not None:
                self._do(command)
            self.ended.clear()
        self._end()

    def _knock(self, place: tuple[str, int]) -> None:
        self._wake.sendto(b"\r\n\r\n", place)

    def _limit(self) -> None:
        floods, before = self._meter.floods, self._used_ns
        self._used_ns = time.thread_time_ns()
        if self._meter.add(self._used_ns - before, time.monotonic_ns()):
            self._gate.shut()
            if self._meter.floods != floods:
                detail = f"SIP takes more than {self.config.most_load:.0%} of a core; new requests are dropped"
                self.link.send(Refused(what="flood", detail=detail))
        else:
            self._gate.open()

    def _begin(self) -> int:
        config, endpoint = self.config, self._endpoint
        endpoint.libCreate()
        settings = pj.EpConfig()
        settings.logConfig.level = settings.logConfig.consoleLevel = 0
        settings.uaConfig.threadCnt = 0
        settings.uaConfig.mainThreadOnly = False
        settings.uaConfig.maxCalls = 32
        settings.uaConfig.userAgent = config.user_agent
        endpoint.libInit(settings)
        udp = endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, self._transport(config.port))
        port = int(endpoint.transportGetInfo(udp).localAddress.rpartition(":")[2])
        if config.tcp:
            endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, self._transport(port))
        tls = build.tls_version()
        if tls and (config.certificate or any(spec.transport == "tls" for spec in config.accounts)):
            self._begin_tls()
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
                tls=tls,
                codecs=codecs,
                port=port,
                refused=tuple(refused),
            )
        )
        return port

    def _begin_tls(self) -> None:
        """Without a certificate it can call, and nobody can call it. TLS 1.2: this build's library has no newer one."""
        config = self.config
        transport = self._transport(config.tls_port)
        tls = transport.tlsConfig
        tls.certFile, tls.privKeyFile, tls.CaListFile = config.certificate, config.private_key, config.ca_file
        tls.verifyServer = config.verify_server
        tls.method, tls.proto = pj.PJSIP_TLSV1_2_METHOD, pj.PJ_SSL_SOCK_PROTO_TLS1_2
        self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_TLS, transport)

    def _transport(self, port: int) -> Any:
        transport = pj.TransportConfig()
        transport.port, transport.boundAddress = port, self.config.bind
        return transport

    def _add(self, spec: VoiceAccount) -> bool:
        settings = pj.AccountConfig()
        settings.idUri = spec.uri
        settings.mediaConfig.useLoopMedTp = True
        settings.mediaConfig.srtpUse = SRTP[spec.encryption]
        settings.mediaConfig.srtpSecureSignaling = 0
        for suite in SUITES:
            crypto = pj.SrtpCrypto()
            crypto.name = suite
            settings.mediaConfig.srtpOpt.cryptos.append(crypto)
        settings.natConfig.viaRewriteUse = int(spec.via_rewrite)
        settings.natConfig.contactRewriteUse = int(spec.contact_rewrite)
        settings.natConfig.sdpNatRewriteUse = 0
        settings.natConfig.sipOutboundUse = 0
        for proxy in spec.proxies:
            settings.sipConfig.proxies.append(f"{proxy};lr{TRANSPORT[spec.transport]}")
        if spec.username:
            credentials = pj.AuthCredInfo("digest", spec.realm, spec.username, 0, spec.password)
            settings.sipConfig.authCreds.append(credentials)
        if spec.registrar and spec.register:
            settings.regConfig.registrarUri = spec.registrar + TRANSPORT[spec.transport]
            settings.regConfig.timeoutSec = spec.expires_s
            settings.regConfig.retryIntervalSec = 30
            settings.regConfig.firstRetryIntervalSec = 5
        account = Account(self, spec)
        try:
            account.create(settings, spec.default)
        except pj.Error:
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
            case Answer(leg=name, code=code):
                if (leg := self.legs.get(name)) is not None:
                    leg.answer_with(code)
            case HangUp(leg=name, code=code):
                if (leg := self.legs.get(name)) is not None:
                    leg.hang_up(code)
            case SendDigits(leg=name, digits=digits):
                if (leg := self.legs.get(name)) is not None:
                    leg.send_digits(digits)
            case Quit():
                self._running = False

    def _invite(self, command: Invite) -> None:
        account = self._accounts.get(command.account)
        if account is None or command.leg in self.legs:
            self.link.send(Ended(leg=command.leg, code=404, reason="no such account"))
            return
        leg = Leg(self, account, command.leg, command.media, uri=command.uri)
        self.legs[command.leg] = leg
        settings = pj.CallOpParam(True)
        settings.opt.videoCount = 0
        transport = TRANSPORT[account.spec.transport]
        uri = command.uri if "transport=" in command.uri else command.uri + transport
        try:
            leg.makeCall(uri, settings)
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
        ports = self.config.incoming_ports
        media = LocalMedia(port=ports[self._number % len(ports)] if ports else 0)
        name = f"in{self._number}"
        leg = Leg(self, account, name, media, call_id=prm.callId)
        self.legs[name] = leg
        leg.asked = sdp.offer_of(str(prm.rdata.wholeMsg))
        leg.announce(str(prm.rdata.srcAddress))

    def over(self, leg: Leg, call_id: int, code: int, reason: str) -> None:
        """A leg has ended."""
        if self.legs.pop(leg.name, None) is not None:
            self.ended[call_id] = leg
            self.link.send(Ended(leg=leg.name, code=code, reason=reason[:200]))

    def own_address(self, peer: str) -> str:
        """Where sound for this device goes, seen from ``peer``."""
        return sdp.own_address(peer, self.config.bind)
