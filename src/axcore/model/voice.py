"""What the device and its voice processes say to each other: frozen structs over a UNIX socket.

A voice process speaks SIP and nothing else. ``Command`` goes to it, ``Report`` comes from it; each is one frame:
``FRAME`` (octets, big-endian) and that many octets of MessagePack. A leg is one SIP dialogue; its name is given by who
begins it: the device for outgoing, the process for incoming ones.
"""

from __future__ import annotations

import struct
from typing import Final, Literal

import msgspec

from .nat import Ice

FRAME: Final = struct.Struct(">I")
MAX_FRAME: Final = 2_097_152
KNOCK: Final = b"\r\n\r\n"
"""To a process's SIP port: there is a command (for anybody else an empty keep-alive, RFC 5626, 3.5.1)."""
ALIVE_NS: Final = 3_000_000_000
"""Between two proofs of life; a process that sleeps is up to 1.5 s late."""
LOOPBACK: Final = "127.0.0.1"
"""Where its SIP port is, if it is bound to all addresses."""
NOWHERE: Final = ("0.0.0.0", "::")
"""Remote addresses of who is to be sent nothing: how hold was said before RFC 3264 (RFC 2543, appendix B.5)."""
Transport = Literal["udp", "tcp", "tls"]
TlsVersion = Literal["auto", "1.2", "1.3"]
Encryption = Literal["none", "best_effort", "mandatory"]
Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", forbid_unknown_fields=True):
    """What every message has: the name of its kind."""


class TlsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How TLS is spoken with somebody."""

    version: TlsVersion = "auto"
    certificate: str = ""
    """PEM: the private key, the certificate and its chain; empty = none is shown."""
    verify: bool = False
    """Whether the other side must have a certificate that ``ca`` vouches for (and, as a server, its name)."""
    ca: str = ""
    """PEM; empty = the authorities that the system trusts."""


class LocalMedia(msgspec.Struct, frozen=True, kw_only=True):
    """Where this device wants the sound of a leg sent to."""

    port: int
    """UDP port of RTP."""
    address: str = ""
    """IP address; empty = that of the interface towards the peer."""
    rtcp_port: int = 0
    """0 = the one after ``port``."""
    ice: Ice | None = None
    """This device's candidates; None = ICE is not offered."""


class AgreedMedia(msgspec.Struct, frozen=True, kw_only=True):
    """What offer and answer came to (RFC 3264)."""

    local_port: int
    remote_address: str
    remote_port: int
    codec: str
    """As in SDP: ``PCMU``, ``G722`` ..."""
    clock_rate: int
    send_type: int
    """RTP payload type that the peer wants."""
    receive_type: int
    event_send_type: int | None = None
    """Payload type of telephone events (RFC 4733); None = not agreed."""
    event_receive_type: int | None = None
    direction: Direction = "sendrecv"
    """As this device sees it."""
    packet_ms: int = 20
    local_crypto: str = ""
    """Value of ``a=crypto`` that this device sends with (RFC 4568); empty = no SRTP."""
    remote_crypto: str = ""
    ice: Ice | None = None
    """The peer's candidates, if both sides speak ICE."""
    offered: bool = False
    """Whether the offer was this device's: who offers controls ICE (RFC 8445 section 6.1.1)."""


# --- commands -------------------------------------------------------------------------------------------------------


class VoiceAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account as the SIP stack needs it."""

    id: str
    uri: str
    """Whom calls come from: ``"Name" <sip:user@domain>``."""
    registrar: str = ""
    """``sip:host``; empty = peer to peer."""
    proxies: tuple[str, ...] = ()
    """The route of its requests (``sip:host``)."""
    username: str = ""
    password: str = ""
    realm: str = "*"
    proxy_username: str = ""
    """Empty = the proxy has no login of its own."""
    proxy_password: str = ""
    proxy_realm: str = ""
    """Empty = that of the first challenge that the account's own login does not answer."""
    transport: Transport = "udp"
    encryption: Encryption = "none"
    default: bool = False
    register: bool = True
    """Whether this process registers it; one of them does."""
    expires_s: int = 300
    via_rewrite: bool = True
    contact_rewrite: bool = True
    tls: TlsSettings = TlsSettings()
    """Of its servers and peers, with transport ``tls``."""
    sips: bool = False
    """Its addresses go out as ``sips:``; what is written here is ``sip:``."""
    audio: Direction = "sendrecv"
    """What the device offers, and takes at most."""
    event_type: int = 101
    """RTP payload type that is offered for keys (RFC 4733)."""


class Configure(_Message, frozen=True, kw_only=True):
    """The first command; sent once in the life of a process."""

    bind: str = ""
    """IP address; empty = all."""
    port: int = 0
    """Of UDP and TCP; 0 = any."""
    tls_port: int = 0
    """Where TLS is listened on; 0 = any. Only with ``tls``."""
    tls: TlsSettings | None = None
    """Of those who connect; None = nobody can."""
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    """What is offered, best first."""
    accounts: tuple[VoiceAccount, ...] = ()
    user_agent: str = "axcore"
    allow_refer: bool = False
    tcp: bool = True
    incoming_ports: tuple[int, ...] = ()
    """RTP ports of incoming legs, one after the other: an answer is written before anybody decides about the call."""
    t1_ms: int = 500
    """RFC 3261 timers T1 and T2."""
    t2_ms: int = 4000
    name_servers: tuple[str, ...] = ()
    """That are asked for SRV records (``address`` or ``address:port``); empty = those of the system."""
    tcp_switch: bool = True
    """Requests that UDP would break up go by TCP (RFC 3261 section 18.1.1)."""
    most_load: float = 0.1
    """Share of a core beyond which new requests are dropped before they are read; calls that there are go on."""


class Invite(_Message, frozen=True, kw_only=True):
    """Call somebody."""

    leg: str
    account: str
    uri: str
    media: LocalMedia
    replaces: str = ""
    """Value of Replaces (RFC 3891); empty = none."""


class Answer(_Message, frozen=True, kw_only=True):
    """Answer an incoming leg: 180 ringing, 200, or a refusal."""

    leg: str
    code: int
    media: LocalMedia | None = None
    """Where its sound is to be sent to, with a 2xx; None = as the process knows."""


class HangUp(_Message, frozen=True, kw_only=True):
    """End a leg, whatever its state: CANCEL, BYE or a refusal with ``code``."""

    leg: str
    code: int = 603


class SendDigits(_Message, frozen=True, kw_only=True):
    """Send keys by SIP INFO (RFC 2976)."""

    leg: str
    digits: str


class Notify(_Message, frozen=True, kw_only=True):
    """Tell the peer of a leg how the transfer goes that he asked for (``Referred``)."""

    leg: str
    code: int
    """SIP status; from 200 on it is the last word."""


class Reroute(_Message, frozen=True, kw_only=True):
    """An account registers, and calls, by other servers from now on; its calls stay."""

    account: VoiceAccount


class Register(_Message, frozen=True, kw_only=True):
    """Register an account anew, now: its server may be gone."""

    account: str


class Probe(_Message, frozen=True, kw_only=True):
    """Ask whether a server is there (OPTIONS); ``Probed`` answers."""

    account: str
    server: str
    """``host`` or ``host:port``."""
    transport: Transport = "udp"


class Quit(_Message, frozen=True, kw_only=True):
    """Hang up, unregister, end."""


Command = Configure | Invite | Answer | HangUp | SendDigits | Notify | Reroute | Register | Probe | Quit


# --- reports --------------------------------------------------------------------------------------------------------


class Ready(_Message, frozen=True, kw_only=True):
    """The stack runs; what it can do, as read from it."""

    version: str
    max_calls: int
    max_accounts: int
    tls: str
    """Version of the library that speaks TLS; empty = it is not spoken."""
    tls_port: int = 0
    """That peers can connect to; 0 = none."""
    codecs: tuple[str, ...]
    """What it could negotiate."""
    port: int
    """UDP port that it listens on."""
    stack_tls: str = ""
    """Version of the TLS library that PJSIP has; it is not used."""
    refused: tuple[str, ...] = ()
    """Accounts that it could not take."""


class Alive(_Message, frozen=True, kw_only=True):
    """The thread that owns the stack goes on: every ``ALIVE_NS``, from ``Ready`` on."""


class Registration(_Message, frozen=True, kw_only=True):
    """A registration changed."""

    account: str
    code: int
    """SIP status; 0 = no answer."""
    reason: str
    active: bool


class Probed(_Message, frozen=True, kw_only=True):
    """Whether a server that was asked for gave an answer, whatever it was."""

    account: str
    alive: bool


class Incoming(_Message, frozen=True, kw_only=True):
    """Somebody calls. Nothing has been answered but 100."""

    leg: str
    account: str
    remote: str
    """From, as it came."""
    local: str
    source: str
    """``address:port`` that it came from."""
    port: int
    """RTP port of its answer."""


class Progress(_Message, frozen=True, kw_only=True):
    """A provisional answer to an outgoing leg."""

    leg: str
    code: int
    reason: str


class Connected(_Message, frozen=True, kw_only=True):
    """The leg is answered. ``media`` follows, or came before."""

    leg: str
    remote: str


class MediaAgreed(_Message, frozen=True, kw_only=True):
    """Offer and answer are complete, for the first time or anew."""

    leg: str
    media: AgreedMedia


class Ended(_Message, frozen=True, kw_only=True):
    """The leg is over; its name means nothing any more."""

    leg: str
    code: int
    """SIP status that ended it; 200 after a call."""
    reason: str


class Digit(_Message, frozen=True, kw_only=True):
    """A key by SIP INFO."""

    leg: str
    digit: str


class Referred(_Message, frozen=True, kw_only=True):
    """The peer of a leg wants it to go on with somebody else (REFER). He was told 202; ``Notify`` tells him more."""

    leg: str
    uri: str
    """Whom to call, without headers."""
    replaces: str = ""
    """Value of Replaces (RFC 3891) that was asked for with it; empty = none."""


class Refused(_Message, frozen=True, kw_only=True):
    """Something that somebody asked for and does not get, or that is over: ``transfer``, ``flood``, ``address``."""

    what: str
    detail: str
    code: int = 0
    """SIP status that it was refused with; 0 = none."""
    count: int = 1
    """How often, since this was told last."""


Report = (
    Ready
    | Alive
    | Registration
    | Probed
    | Incoming
    | Progress
    | Connected
    | MediaAgreed
    | Ended
    | Digit
    | Referred
    | Refused
)

_ENCODER: Final = msgspec.msgpack.Encoder()
COMMANDS: Final[msgspec.msgpack.Decoder[Command]] = msgspec.msgpack.Decoder(Command)
REPORTS: Final[msgspec.msgpack.Decoder[Report]] = msgspec.msgpack.Decoder(Report)


def frame(message: Command | Report) -> bytes:
    """A message as it goes over the socket."""
    body = _ENCODER.encode(message)
    return FRAME.pack(len(body)) + body
