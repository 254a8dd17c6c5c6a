"""An account of the device as PJSIP has it. Owner thread only.

A proxy with a login of its own is known by the realm of its challenge. Where that is not set, it is learned: a 407 that
the account's login did not answer is the proxy's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pjsua2 as pj

from axcore.model.voice import Registration, VoiceAccount

from . import sdp

if TYPE_CHECKING:
    from .stack import Stack

SRTP: Final = {"none": pj.PJMEDIA_SRTP_DISABLED, "best_effort": pj.PJMEDIA_SRTP_OPTIONAL,
               "mandatory": pj.PJMEDIA_SRTP_MANDATORY}  # fmt: skip
SUITES: Final = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")
"""Those that ``axcore.rtp`` has; best first."""
TRANSPORT: Final = {"udp": "", "tcp": ";transport=tcp", "tls": ";transport=tls"}
FIRST_RETRY_S: Final = 5
RETRY_S: Final = 30
NO_PROXY, ACCOUNT_PROXY = 0, 2
GONE: Final = (408, 503)
_REALM = re.compile(r'^Proxy-Authenticate:\s*Digest\b[^\r\n]*?\brealm="((?:[^"\\\r\n]|\\.)*)"', re.I | re.M)


class Account(pj.Account):
    """See the module's text."""

    def __init__(self, stack: Stack, spec: VoiceAccount) -> None:
        pj.Account.__init__(self)
        self.stack, self.spec = stack, spec

    def change(self, spec: VoiceAccount) -> None:
        """Register, and send calls, by other servers. pj.Error."""
        self.spec = msgspec.structs.replace(spec, proxy_realm=spec.proxy_realm or self._known_realm(spec))
        self.modify(settings(self.spec, self.stack.way_of(self.spec)))

    def learn(self, message: str) -> bool:
        """Take the realm of a refusal for that of the proxy; whether that is news, and another try is worth it."""
        spec, realm = self.spec, realm_of(message)
        if not (realm and spec.proxy_username and not spec.proxy_realm):
            return False
        self.spec = msgspec.structs.replace(spec, proxy_realm=realm)
        try:
            self.modify(settings(self.spec, self.stack.way_of(self.spec)))
        except pj.Error:
            return False
        return True

    def _known_realm(self, spec: VoiceAccount) -> str:
        return self.spec.proxy_realm if spec.proxies == self.spec.proxies else ""

    def doubt(self, code: int, uri: str = "") -> bool:
        """How a registration, or a call to ``uri``, has ended: its server may not be there. Whether another one may."""
        if code not in GONE:
            return False
        place = next(iter(self.spec.proxies), uri or self.spec.registrar)
        return self.stack.locator.failed(sdp.host_of(place), self.spec.transport)

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        """Somebody calls."""
        self.stack.incoming(self, prm)

    def onRegState(self, prm: Any) -> None:  # noqa: N802
        """The registrar has answered, or has not."""
        code = int(prm.code)
        active = code // 100 == 2 and prm.expiration > 0
        self.doubt(code)
        report = Registration(account=self.spec.id, code=code, reason=str(prm.reason)[:200], active=active)
        if code == pj.PJSIP_SC_PROXY_AUTHENTICATION_REQUIRED and self.spec.proxy_username:
            message = str(prm.rdata.wholeMsg)
            self.stack.later(lambda: self._learn_or_tell(message, report))
        else:
            self.stack.link.send(report)

    def _learn_or_tell(self, message: str, report: Registration) -> None:
        if not self.learn(message):  # else it registers anew
            self.stack.link.send(report)


def realm_of(message: str) -> str:
    """The realm of a proxy's challenge; empty if a message has none."""
    found = _REALM.search(message)
    return found[1] if found else ""


def settings(spec: VoiceAccount, way: str = "") -> Any:
    """What PJSIP is told of an account. ``way``: a route that comes before all others."""
    transport = "" if spec.sips else TRANSPORT[spec.transport]  # RFC 5630 section 3.1.1: sips says it
    made = pj.AccountConfig()
    made.idUri = spec.uri
    if way:
        made.sipConfig.proxies.append(way)
        made.natConfig.contactUseSrcPort = 0  # the front knows PJSIP by the port that it listens on
    made.mediaConfig.useLoopMedTp = True
    made.mediaConfig.srtpUse = SRTP[spec.encryption]
    made.mediaConfig.srtpSecureSignaling = 0
    for suite in SUITES:
        crypto = pj.SrtpCrypto()
        crypto.name = suite
        made.mediaConfig.srtpOpt.cryptos.append(crypto)
    made.natConfig.viaRewriteUse = int(spec.via_rewrite)
    made.natConfig.contactRewriteUse = int(spec.contact_rewrite)
    made.natConfig.sdpNatRewriteUse = 0
    made.natConfig.sipOutboundUse = 0
    for proxy in spec.proxies:
        made.sipConfig.proxies.append(f"{proxy};lr{transport}")
    if spec.username:
        made.sipConfig.authCreds.append(_login(spec.realm, spec.username, spec.password))
    if spec.proxy_username and spec.proxy_realm:
        made.sipConfig.authCreds.append(_login(spec.proxy_realm, spec.proxy_username, spec.proxy_password))
    if spec.registrar and spec.register:
        made.regConfig.registrarUri = spec.registrar + transport
        made.regConfig.timeoutSec = spec.expires_s
        made.regConfig.retryIntervalSec = RETRY_S
        made.regConfig.firstRetryIntervalSec = FIRST_RETRY_S
        made.regConfig.proxyUse = NO_PROXY if not way and spec.proxies == (spec.registrar,) else ACCOUNT_PROXY
    return made


def _login(realm: str, username: str, password: str) -> Any:
    return pj.AuthCredInfo("digest", realm, username, 0, password)
