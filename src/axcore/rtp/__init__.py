"""RTP, RTCP, SRTP, telephone events and an adaptive jitter buffer; usable without the runtime, and without a socket.

    >>> from axcore import rtp
    >>> raw = rtp.build(b"abc", payload_type=0, sequence=7, timestamp=160, ssrc=0x1234, elements={1: b"x"})
    >>> packet = rtp.parse(raw)
    >>> packet
    Packet(payload_type=0, sequence=7, timestamp=160, ssrc=0x1234, marker=False, 3 bytes)
    >>> packet.payload, packet.elements
    (b'abc', {1: b'x'})
    >>> sender, receiver = (rtp.SrtpContext(rtp.Profile.AES_CM_80, bytes(16), bytes(14)) for _ in range(2))
    >>> receiver.unprotect(sender.protect(raw)) == raw
    True
    >>> jitter = rtp.JitterBuffer(rate=8000, frame=160, stretch=False)
    >>> jitter.put(packet, now_ns=0)
    'stored'
    >>> sound = jitter.get(now_ns=30_000_000)
    >>> sound.kind, sound.play, sound.payload
    (<Kind.FRAME: 1>, 160, b'abc')

Everything takes time as an argument (ns, monotonic). Standards: RFC 3550, 8285, 5506, 5761, 4733, 3711, 7714.
"""

from axcore._native.rtp import Batch, Packet, build, parse
from axcore.rtp.events import Key, TelephoneEvents
from axcore.rtp.jitter import JitterBuffer, Kind, Sound
from axcore.rtp.records import records
from axcore.rtp.reports import (
    Block,
    Goodbye,
    Item,
    ReceiverReport,
    Report,
    SenderInfo,
    SenderReport,
    SourceDescription,
    build_rtcp,
    parse_rtcp,
)
from axcore.rtp.session import Received, Session, State
from axcore.rtp.srtp import Profile, SrtpContext

__all__ = [
    "Batch",
    "Block",
    "Goodbye",
    "Item",
    "JitterBuffer",
    "Key",
    "Kind",
    "Packet",
    "Profile",
    "Received",
    "ReceiverReport",
    "Report",
    "SenderInfo",
    "SenderReport",
    "Session",
    "Sound",
    "SourceDescription",
    "SrtpContext",
    "State",
    "TelephoneEvents",
    "build",
    "build_rtcp",
    "parse",
    "parse_rtcp",
    "records",
]
