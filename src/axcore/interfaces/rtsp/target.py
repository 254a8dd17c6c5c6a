"""What a request is about: the address of a stream, how it shall travel, and the description of both.

Sources: VAPIX event data streaming (``media.amp`` arguments); RFC 2326, section 12.39 (Transport); RFC 4566 (SDP);
ONVIF Streaming Specification, metadata.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from axcore.errors import InputError
from axcore.interfaces.http.errors import BadRequestError
from axcore.interfaces.http.forms import Form, parse_urlencoded
from axcore.interfaces.streams.follow import read_filters
from axcore.rules.filters import Filter

from .rtp import CLOCK_HZ, PAYLOAD_TYPE

PATH: Final = "/axis-media/media.amp"
TRACK: Final = "/stream=events"
ENCODING: Final = "vnd.onvif.metadata"
LOWEST_PORT: Final = 1024
"""No datagram is sent to a lower one: those belong to services, not to players."""
_HOST = r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~-]{1,255})(:\d{1,5})?"
_URI = re.compile(rf"rtsp://{_HOST}(/[^?#]*)?(?:\?([^#]*))?", re.ASCII)
_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)


@dataclass(frozen=True)
class Target:
    """A parsed URI."""

    base: str
    """``rtsp://host[:port]``, as the client wrote it."""
    path: str
    query: str

    @property
    def is_stream(self) -> bool:
        """Whether it names the presentation or the one stream in it."""
        return self.path in (PATH, PATH + TRACK)

    @property
    def presentation(self) -> str:
        """Address of the whole."""
        return f"{self.base}{PATH}{'?' if self.query else ''}{self.query}"

    @property
    def track(self) -> str:
        """Address of the one stream in it."""
        return f"{self.base}{PATH}{TRACK}{'?' if self.query else ''}{self.query}"

    def same(self, other: Target) -> bool:
        """Whether both are about the same stream, by whatever name of this host."""
        return self.query == other.query and self.is_stream and other.is_stream


def parse_target(uri: str) -> Target | None:
    """The target of an absolute ``rtsp`` URI; None if it is none."""
    found = _URI.fullmatch(uri)
    if found is None or int((found[2] or ":0")[1:]) > 65535:
        return None
    path = found[3] or "/"
    if path != "/":
        path = path.removesuffix("/")
    return Target(f"rtsp://{found[1]}{found[2] or ''}", path, found[4] or "")


def read_stream(target: Target) -> tuple[Filter, ...] | None:
    """The filters of the event stream that a target asks for; None if nothing is there.

    Video and audio are left out where a device has none: what remains is described. Raises InputError for filters and
    arguments that are not understood.
    """
    if not target.is_stream:
        return None
    try:
        form: Form = parse_urlencoded(target.query)
        event, topic, content = form.get("event", "off"), form.get("eventtopic", ""), form.get("eventcontent", "")
    except BadRequestError as error:
        raise InputError("query", error.text) from None
    if event not in ("on", "yes", "1"):
        return None
    return read_filters([(topic or "", content or "")])


@dataclass(frozen=True)
class Transport:
    """How a stream travels: over UDP to two ports of the peer, or in two channels of the connection."""

    rtp: int
    rtcp: int
    tcp: bool


def choose_transport(text: str) -> Transport | None:
    """The first of the client's offers that can be served; None if there is none.

    Unicast to the peer itself only: a ``destination`` elsewhere is never served.
    """
    for offer in text.split(","):
        found = _transport(offer.strip())
        if found is not None:
            return found
    return None


def _transport(offer: str) -> Transport | None:
    profile, *words = [word.strip() for word in offer.split(";")]
    options: dict[str, str] = {}
    for word in words:
        name, _, value = word.partition("=")
        options[name.strip().lower()] = value.strip().strip('"')
    if "multicast" in options or "destination" in options or options.get("mode", "PLAY").upper() != "PLAY":
        return None
    kind = profile.upper()
    if kind == "RTP/AVP/TCP":
        pair = _pair(options.get("interleaved", "0-1"), 0, 255)
        return Transport(*pair, tcp=True) if pair else None
    if kind in ("RTP/AVP", "RTP/AVP/UDP"):
        pair = _pair(options.get("client_port", ""), LOWEST_PORT, 65535)
        return Transport(*pair, tcp=False) if pair else None
    return None


def _pair(text: str, low: int, high: int) -> tuple[int, int] | None:
    found = _RANGE.fullmatch(text)
    if found is None:
        return None
    first = int(found[1])
    second = int(found[2]) if found[2] else first + 1
    return (first, second) if low <= first < second <= high else None


def describe(target: Target, address: str, number: int) -> bytes:
    """The session description: one stream of ONVIF metadata. ``address``: of this end of the connection."""
    family = "IP6" if ":" in address else "IP4"
    lines = [
        "v=0",
        f"o=- {number} 1 IN {family} {address.partition('%')[0]}",
        "s=axcore events",
        "t=0 0",
        f"a=control:{target.presentation}",
        f"m=application 0 RTP/AVP {PAYLOAD_TYPE}",
        f"c=IN {family} {'::' if family == 'IP6' else '0.0.0.0'}",
        f"a=rtpmap:{PAYLOAD_TYPE} {ENCODING}/{CLOCK_HZ}",
        f"a=control:{target.track}",
        "a=recvonly",
    ]
    return ("\r\n".join(lines) + "\r\n").encode("ascii")
