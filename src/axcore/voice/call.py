"""A leg: one SIP dialogue of PJSIP, with the sockets of the device in its descriptions. Owner thread only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pjsua2 as pj

from axcore.model.voice import (
    AgreedMedia,
    Answer,
    Connected,
    Digit,
    Direction,
    HangUp,
    Incoming,
    Invite,
    LocalMedia,
    MediaAgreed,
    Notify,
    Progress,
    Refused,
    SendDigits,
)

from . import sdp, sdp_ice, whole
from .transfer import Transfer

if TYPE_CHECKING:
    from .account import Account
    from .stack import Stack

DIRECTIONS: Final[dict[int, Direction]] = {0: "inactive", 1: "sendonly", 2: "recvonly", 3: "sendrecv"}
RTP_CLOCK: Final = {"G722": 8000}
"""RFC 3551 section 4.5.2: the clock of G.722 counts 8000."""
PACKET_MS: Final = {"L16": 10}
"""20 ms of L16 do not fit into a frame of Ethernet."""
NO_TYPE: Final = 128
INFO: Final = 1


class Leg(pj.Call):
    """See the module's text. ``call_id``: of an incoming one."""

    def __init__(
        self,
        stack: Stack,
        account: Account,
        name: str,
        media: LocalMedia,
        *,
        call_id: int = -1,
        invite: Invite | None = None,
    ) -> None:
        if call_id >= 0:
            pj.Call.__init__(self, account, call_id)
        else:
            pj.Call.__init__(self, account)
        self.stack, self.account, self.name, self.media = stack, account, name, media
        self.invite = invite
        """What began it; None for an incoming one."""
        self.heard = False
        """Whether somebody was reached."""
        self.last_words = ""
        """The message that ended it."""
        self._peer = sdp.host_of(invite.uri) if invite is not None else ""
        self._outgoing = call_id < 0
        self._offered = self._outgoing
        self._ice = self._outgoing
        """Whether candidates belong into descriptions: those who are called may know ICE, others have said so."""
        self.asked = ""
        """The offer that is answered next, if it came with the request."""
        self._local = self._remote = ""
        self._told: AgreedMedia | None = None
        self._answering = self._to_agree = False
        self.transfer = Transfer(self)

    # --- commands

    def do(self, command: Answer | HangUp | SendDigits | Notify) -> None:
        """What the device says."""
        match command:
            case Answer(code=code, media=media):
                self.answer_with(code, media)
            case HangUp(code=code):
                self.hang_up(code)
            case SendDigits(digits=digits):
                self.send_digits(digits)
            case Notify(code=code):
                self.transfer.tell(code)

    def announce(self, source: str) -> None:
        """Tell the device of an incoming call."""
        info = self.getInfo()
        self._peer = source.rpartition(":")[0].strip("[]")
        self.stack.link.send(
            Incoming(
                leg=self.name,
                account=self.account.spec.id,
                remote=str(info.remoteUri)[:512],
                local=str(info.localUri)[:512],
                source=source,
                port=self.media.port,
            )
        )

    def answer_with(self, code: int, media: LocalMedia | None = None) -> None:
        """180, 200, or a refusal. ``media``: in place of what was said of the sockets until now."""
        settings = pj.CallOpParam(True)
        settings.opt.videoCount = 0
        settings.statusCode = code
        if media is not None:
            self.media = media
            if self._local and not self._offered:  # PJSIP wrote the answer when the call came
                self._local = self._placed(self._local)
                settings.sdp.wholeSdp = self._local
        self._answering = True
        self.attempt(self.answer, settings)
        self._answering = False
        if self._to_agree:  # PJSIP said so before it sent the answer, for which somebody waits
            self._to_agree = False
            self._agree()

    def hang_up(self, code: int) -> None:
        """CANCEL, BYE or a refusal."""
        settings = pj.CallOpParam()
        settings.statusCode = code
        self.attempt(self.hangup, settings)

    def send_digits(self, digits: str) -> None:
        """Keys by INFO."""
        for digit in digits:
            settings = pj.CallSendDtmfParam()
            settings.digits, settings.method = digit, INFO
            self.attempt(self.sendDtmf, settings)

    def attempt(self, act: Any, settings: Any) -> None:
        """A command of PJSIP's."""
        try:
            act(settings)
        except pj.Error as error:  # the dialogue is in a state where that means nothing: its end is on the way
            self.stack.link.send(Refused(what="command", detail=f"{self.name}: {error.reason}"[:200]))

    # --- callbacks of PJSIP

    def onCallState(self, prm: Any) -> None:  # noqa: N802
        """Ringing, connected, over."""
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            event = prm.e
            if event.type == pj.PJSIP_EVENT_TSX_STATE and event.body.tsxState.type == pj.PJSIP_EVENT_RX_MSG:
                self.last_words = str(event.body.tsxState.src.rdata.wholeMsg)
            self.stack.over(self, info.id, int(info.lastStatusCode), str(info.lastReason))
        elif info.state == pj.PJSIP_INV_STATE_EARLY and self._outgoing:
            self.heard = True
            code, reason = int(info.lastStatusCode), str(info.lastReason)[:200]
            self.stack.link.send(Progress(leg=self.name, code=code, reason=reason))
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            self.heard = True
            self._agree()
            self.stack.link.send(Connected(leg=self.name, remote=str(info.remoteUri)[:512]))

    def onCallSdpCreated(self, prm: Any) -> None:  # noqa: N802
        """Put the device's socket in the place of PJSIP's."""
        remote, self.asked = str(prm.remSdp.wholeSdp) or self.asked, ""
        self._remote, self._offered = remote, not remote
        text = sdp.directed(self._placed(whole.text(prm.sdp)), self.account.spec.audio)
        self._local = sdp.renumbered(text, self.account.spec.event_type) if self._offered else text
        prm.sdp.wholeSdp = self._local

    def onCallRxOffer(self, prm: Any) -> None:  # noqa: N802
        """Another offer, by INVITE or UPDATE; what answers it is created next."""
        self.asked = whole.text(prm.offer)

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        """Offer and answer are complete."""
        self._to_agree = self._answering
        if not self._answering:
            self._agree()

    def onCallTsxState(self, prm: Any) -> None:  # noqa: N802
        """The only place where the whole answer to an offer of ours is seen, and a REFER before PJSIP obeys it."""
        event = prm.e
        if event.type != pj.PJSIP_EVENT_TSX_STATE or event.body.tsxState.type != pj.PJSIP_EVENT_RX_MSG:
            return
        tsx = event.body.tsxState.tsx
        if tsx.method == "REFER" and tsx.role == pj.PJSIP_ROLE_UAS and tsx.state == pj.PJSIP_TSX_STATE_TRYING:
            self.transfer.asked(event.body.tsxState.src.rdata)
        if not self._offered:
            return
        body = sdp.body_of(str(event.body.tsxState.src.rdata.wholeMsg))
        if sdp.audio(body) and body != self._remote:
            self._remote = body
            self._agree()

    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        """A key by INFO; those of RFC 4733 come over the device's own sockets."""
        digit = str(prm.digit)
        if len(digit) == 1:
            self.stack.link.send(Digit(leg=self.name, digit=digit.upper()))

    def onCallTransferRequest(self, prm: Any) -> None:  # noqa: N802
        """A REFER that ``transfer`` has not answered: PJSIP makes no call by itself, whatever happens."""
        prm.statusCode = max(self.transfer.code, 300)

    def onCallRedirected(self, prm: Any) -> int:  # noqa: N802
        """3xx: likewise."""
        return int(pj.PJSIP_REDIRECT_ACCEPT if self.stack.config.allow_refer else pj.PJSIP_REDIRECT_STOP)

    def onCallReplaceRequest(self, prm: Any) -> None:  # noqa: N802
        """INVITE with Replaces: nobody takes over a call."""
        prm.statusCode = 486

    # --- inside

    def _placed(self, text: str) -> str:
        """A description of PJSIP's with the sockets of the device."""
        media, remote = self.media, self._remote
        if remote:
            self._ice = sdp_ice.parse(remote) is not None
        address = media.address or self.stack.own_address(sdp.address_of(remote) or self._peer)
        return sdp_ice.with_path(sdp.rewrite(text, address, media.port), media, ice=self._ice)

    def _agree(self) -> None:
        """Tell of the media, once all of it is known: keys and candidates are read from the answer, seen last."""
        candidates = self._ice and self.media.ice is not None
        if self._offered and not self._remote and (candidates or sdp.crypto(self._local)):
            return
        info = self.getInfo()
        media = [(item.type, item.status) for item in info.media]
        if not media or media[0][0] != pj.PJMEDIA_TYPE_AUDIO:
            return
        try:
            stream = self.getStreamInfo(0)
        except pj.Error:
            return
        codec = str(stream.codecName)
        host, _, port = str(stream.remoteRtpAddress).rpartition(":")
        ours, theirs = sdp.agreed_crypto(self._local, self._remote, offered=self._offered)
        agreed = AgreedMedia(
            local_port=self.media.port,
            remote_address=host.strip("[]"),
            remote_port=int(port or 0),
            codec=codec,
            clock_rate=RTP_CLOCK.get(codec, int(stream.codecClockRate)),
            send_type=int(stream.txPt),
            receive_type=int(stream.rxPt),
            event_send_type=_type(stream.audTxEventPt),
            event_receive_type=_type(stream.audRxEventPt),
            direction=DIRECTIONS.get(int(stream.dir) & 3, "inactive"),
            packet_ms=PACKET_MS.get(codec, 20),
            local_crypto=ours,
            remote_crypto=theirs,
            ice=sdp_ice.parse(self._remote) if candidates else None,
            offered=self._offered,
        )
        if agreed != self._told:
            self._told = agreed
            self.stack.link.send(MediaAgreed(leg=self.name, media=agreed))


def _type(number: int) -> int | None:
    return int(number) if 0 <= int(number) < NO_TYPE else None
