"""The media of calls: UDP sockets, SRTP and telephone events tied to the legs of a pipeline, in the audio thread.

Before each tick of the sound a datagram goes from the socket into the leg's jitter buffer, with the time at which it
came; after it a packet of the leg goes to the socket: no Python runs for either, and no thread wakes for a packet.
Whom a port listens to is said by ``peer``; without it the first source is believed (RFC 4961, behind NAT), with SRTP
the first that is authentic. Any thread may call, but start and stop are the owner's.

    media = Media(sound)
    media.start()
    port = media.open(leg, udp_socket, peer=("192.0.2.7", 4000))
    port.press("5")
    port.close()
"""

from __future__ import annotations

import socket
from enum import IntEnum
from typing import TYPE_CHECKING

import msgspec

from axcore._native.rtp_thread import RtpThread
from axcore.errors import InputError
from axcore.rtp import Profile, State

if TYPE_CHECKING:
    from axcore.audio import Leg
    from axcore.drivers.sound import Sound

KEYS = "0123456789*#ABCD"
"""By number of the event (RFC 4733 section 3.2)."""
FLASH = 16
NO_EVENTS = 255


class Crypto(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of SRTP for both directions, as SDP tells them (RFC 4568)."""

    profile: Profile
    key: bytes
    salt: bytes
    """Ours: 16 bytes, and 14 (12 of AES-GCM)."""
    remote_key: bytes
    remote_salt: bytes

    def __repr__(self) -> str:
        return f"Crypto({self.profile}, keys are not shown)"


class Heard(IntEnum):
    """What an event tells."""

    KEY_DOWN = 1
    KEY_UP = 2
    STATE = 3


class Hold(IntEnum):
    """What a port does not send."""

    NOTHING = 0
    MEDIA = 1
    """The far side only speaks, or nobody does (RFC 3264 sections 5.1, 6.1); reports go on."""
    ALL = 2
    """Reports neither: it has said no address (``c=0.0.0.0``, section 8.4)."""


class MediaEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that came to a port. ``key``: of KEYS, or ``flash``; ``ms``: how long it was down."""

    what: Heard
    t_ns: int
    port: int
    """``MediaPort.number``."""
    key: str = ""
    ms: int = 0
    state: State | None = None


class PortStats(msgspec.Struct, frozen=True, kw_only=True):
    """Of one port. ``jitter`` in ticks of the payload's clock; ``remote_...``: what the far side says of our stream."""

    state: State
    peer: tuple[str, int] | None
    sent: int
    taken: int
    lost: int
    jitter: int
    rtt_us: int
    duplicates: int
    reordered: int
    restarts: int
    dropped: int
    """Not believed, malformed, of another payload type, not authentic."""
    not_authentic: int
    replayed: int
    refused: int
    """For which the leg had no room."""
    remote_lost: int
    remote_fraction: int


class MediaPort:
    """The media of one call. Its methods raise RangeError after ``close``."""

    def __init__(self, thread: RtpThread, number: int, leg: Leg) -> None:
        self._thread = thread
        self.number = number
        self.leg = leg

    def set_peer(self, host: str, port: int) -> None:
        """Signalling has told another address: listen to that alone, and send there. InputError."""
        self._thread.set_peer(self.number, _packed("peer", (host, port)))

    def press(self, key: str, ms: int = 100) -> None:
        """Send a key (of ``KEYS``, or ``flash``) for 40 to 6000 ms.

        InputError; StateError: no events were agreed, or it is held.
        """
        if not 40 <= ms <= 6000:
            raise InputError("ms", f"must be 40 to 6000, not {ms!r}")
        if key != "flash" and (len(key) != 1 or key not in KEYS):
            raise InputError("key", f"{key!r} is none of {KEYS}")
        self._thread.press(self.number, FLASH if key == "flash" else KEYS.index(key), ms)

    def hold(self, what: Hold) -> None:
        """Send less, or all again: the same stream, with the next sequence number and the time of the leg."""
        self._thread.hold(self.number, what)

    @property
    def stats(self) -> PortStats:
        """Counters, and who is heard."""
        found = self._thread.stats(self.number)
        if found["peer"] is not None:
            host, port = found["peer"]
            found["peer"] = (socket.inet_ntop(_family(host), host), port)
        return msgspec.convert(found, PortStats)

    def close(self) -> None:
        """Say goodbye, and give leg and socket back."""
        self._thread.remove(self.number)


class Media:
    """The packets of a device, received and sent by the thread of its ``sound``."""

    def __init__(self, sound: Sound) -> None:
        self._thread = RtpThread(sound.thread)

    def start(self) -> None:
        """Receive and send as soon as the sound runs. StateError: the sound carries packets already."""
        self._thread.start()

    def stop(self) -> None:
        """No more. Again: no effect."""
        self._thread.stop()

    def open(
        self,
        leg: Leg,
        media: socket.socket,
        *,
        rtcp: socket.socket | None = None,
        peer: tuple[str, int] | None = None,
        rtcp_peer: tuple[str, int] | None = None,
        payload_type: int = 0,
        event_type: int | None = 101,
        rtcp_ms: int = 5000,
        cname: str = "",
        crypto: Crypto | None = None,
    ) -> MediaPort:
        """Tie a leg to a UDP socket.

        Args:
            leg: any but one of ``PCM``; its codec is that of ``payload_type``.
            media: a bound UDP socket; it may be closed afterwards.
            rtcp: one for RTCP; None: on the same socket (RFC 5761).
            peer, rtcp_peer: addresses (numeric) of the far side; RTCP's default is the port after that of ``peer``.
            event_type: payload type of telephone events; None: none.
            rtcp_ms: mean interval of reports, 100 to 60000; 0: none.

        Raises:
            InputError: an argument is not possible; ``field`` names it.
            QueueFullError: there are 8 ports.
            StateError: the leg has a port already.
            OSError: a socket cannot be used.
        """
        if leg.codec == "PCM":
            raise InputError("leg", "PCM has no payload type; take one of a codec")
        if not 0 <= payload_type <= 127:
            raise InputError("payload_type", f"must be 0 to 127, not {payload_type!r}")
        if event_type is not None and not 0 <= event_type <= 127:
            raise InputError("event_type", f"must be 0 to 127, not {event_type!r}")
        if payload_type == event_type:
            raise InputError("event_type", "is that of the sound")
        if rtcp_ms != 0 and not 100 <= rtcp_ms <= 60000:
            raise InputError("rtcp_ms", f"must be 0 or 100 to 60000, not {rtcp_ms!r}")
        if len(cname.encode()) > 63 or "\0" in cname:
            raise InputError("cname", "must have at most 63 bytes")
        number = self._thread.add(
            leg.core,
            media.fileno(),
            -1 if rtcp is None else rtcp.fileno(),
            peer=None if peer is None else _packed("peer", peer),
            rtcp_peer=None if rtcp_peer is None else _packed("rtcp_peer", rtcp_peer),
            payload_type=payload_type,
            event_type=NO_EVENTS if event_type is None else event_type,
            frame=leg.ticks,
            rtcp_ms=rtcp_ms,
            cname=cname,
            crypto=None if crypto is None else _keys(crypto),
        )
        return MediaPort(self._thread, number, leg)

    def events(self) -> list[MediaEvent]:
        """What came since the last call; 256 are kept."""
        return [_event(*event) for event in self._thread.events()]

    @property
    def events_fd(self) -> int:
        """An eventfd that is readable when ``events`` has something."""
        return self._thread.events_fd

    @property
    def counters(self) -> dict[str, int]:
        """Of all ports: turns, received, sent, calls_in, calls_out, foreign, oversize, unsent, events_lost."""
        return self._thread.counters()


def _family(host: bytes) -> socket.AddressFamily:
    return socket.AF_INET if len(host) == 4 else socket.AF_INET6


def _packed(field: str, address: tuple[str, int]) -> tuple[bytes, int]:
    host, port = address
    if not 1 <= port <= 65535:
        raise InputError(field, f"a port is 1 to 65535, not {port!r}")
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_pton(family, host), port
        except OSError:
            continue
    raise InputError(field, f"{host[:60]!r} is no IPv4 or IPv6 address")


def _keys(crypto: Crypto) -> tuple[str, tuple[bytes, bytes], tuple[bytes, bytes]]:
    for name, size in (("key", 16), ("salt", crypto.profile.salt_size)):
        for field in (name, f"remote_{name}"):
            if len(getattr(crypto, field)) != size:
                raise InputError(f"crypto.{field}", f"must have {size} bytes")
    return str(crypto.profile), (crypto.key, crypto.salt), (crypto.remote_key, crypto.remote_salt)


def _event(kind: int, t_ns: int, port: int, value: int, ms: int) -> MediaEvent:
    what = Heard(kind)
    if what is Heard.STATE:
        return MediaEvent(what=what, t_ns=t_ns, port=port, state=tuple(State)[value])
    key = KEYS[value] if value < len(KEYS) else "flash" if value == FLASH else str(value)
    return MediaEvent(what=what, t_ns=t_ns, port=port, key=key, ms=ms)
