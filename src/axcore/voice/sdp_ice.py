"""ICE in SDP (RFC 8839): credentials and candidates of the first audio stream, read and written.

What a peer says is bounded and checked here: names instead of addresses, other transports than UDP, addresses that are
no one's and more candidates than ``MOST`` are passed over; without proper credentials there is no ICE at all.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from axcore.model.nat import COMPONENTS, Candidate, CandidateKind, Ice
from axcore.model.voice import LocalMedia

from .sdp import audio

MOST: Final = 32
"""Candidates of a peer that count."""
MOST_PRIORITY: Final = 2**31 - 1
KINDS: Final[dict[str, CandidateKind]] = {"host": "host", "srflx": "srflx", "prflx": "prflx", "relay": "relay"}
_FOUNDATION = re.compile(r"[A-Za-z0-9+/]{1,32}")
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_NUMBER = re.compile(r"[0-9]{1,10}")


def parse(text: str) -> Ice | None:
    """A peer's part of ICE; None where it does not speak it, or not properly."""
    session: list[str] = []
    for line in text.splitlines():
        if line.startswith("m="):
            break
        session.append(line)
    stream = audio(text)
    ufrag = _value(stream, "ice-ufrag") or _value(session, "ice-ufrag")
    password = _value(stream, "ice-pwd") or _value(session, "ice-pwd")
    if not (_UFRAG.fullmatch(ufrag) and _PASSWORD.fullmatch(password)):
        return None
    found: dict[tuple[int, str, int], Candidate] = {}
    for line in stream:
        if line.startswith("a=candidate:") and len(found) < MOST:
            one = candidate(line.removeprefix("a=candidate:"))
            if one is not None:
                found.setdefault((one.component, one.address, one.port), one)
    return Ice(ufrag=ufrag, password=password, candidates=tuple(found.values()), lite="a=ice-lite" in session)


def candidate(value: str) -> Candidate | None:
    """The value of an ``a=candidate`` line; None if it is none that can be used."""
    parts = value.split()
    if len(parts) < 8 or parts[6].lower() != "typ" or parts[2].lower() != "udp" or not _FOUNDATION.fullmatch(parts[0]):
        return None
    component, priority, port = (_number(parts[place]) for place in (1, 3, 5))
    kind, address = KINDS.get(parts[7].lower()), _address(parts[4])
    if component not in COMPONENTS or not 1 <= priority <= MOST_PRIORITY or not 1 <= port <= 65535:
        return None
    if kind is None or not address:
        return None
    more = {parts[place].lower(): parts[place + 1] for place in range(8, len(parts) - 1, 2)}
    related, related_port = _address(more.get("raddr", ""), anybody=True), _number(more.get("rport", ""))
    return Candidate(
        foundation=parts[0],
        component=component,
        priority=priority,
        address=address,
        port=port,
        kind=kind,
        related_address=related,
        related_port=related_port if 0 <= related_port <= 65535 else 0,
    )


def line(one: Candidate) -> str:
    """An attribute line of a candidate."""
    related = f" raddr {one.related_address} rport {one.related_port}" if one.related_address else ""
    where = f"{one.priority} {one.address} {one.port} typ {one.kind}"
    return f"a=candidate:{one.foundation} {one.component} UDP {where}{related}"


def with_path(text: str, media: LocalMedia, *, ice: bool) -> str:
    """A description of ours with what ``media`` says of RTCP (RFC 3605) and, if ``ice``, of ICE.

    ``ice``: it is an offer, or the peer has said that it speaks ICE (an answer to others has none of it: RFC 8839
    section 4.2.5).
    """
    more = [f"a=rtcp:{media.rtcp_port}"] if media.rtcp_port not in (0, media.port + 1) else []
    if media.ice is not None and ice:
        more += [f"a=ice-ufrag:{media.ice.ufrag}", f"a=ice-pwd:{media.ice.password}"]
        more += [line(one) for one in media.ice.candidates]
    if not more:
        return text
    lines, inside, done = [], False, False
    for one in [*text.splitlines(), "m="]:  # the end is one of the audio, too
        if one.startswith("m="):
            if inside:
                lines += more
                done = True
            inside = one.startswith("m=audio ") and one.split(" ")[1] != "0" and not done
        lines.append(one)
    return "\r\n".join(lines[:-1]) + "\r\n"


def _value(lines: list[str], name: str) -> str:
    prefix = f"a={name}:"
    return next((one.removeprefix(prefix).strip() for one in lines if one.startswith(prefix)), "")


def _number(text: str) -> int:
    return int(text) if _NUMBER.fullmatch(text) else -1


def _address(text: str, *, anybody: bool = False) -> str:
    """An IP address as it is kept; empty if it is none, or (unless ``anybody``) none of one host."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if "%" in text or (isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None):
        return ""
    nobody = found.is_unspecified or found.is_multicast or text == "255.255.255.255"
    return "" if nobody and not anybody else str(found)
