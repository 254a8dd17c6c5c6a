"""SDP (RFC 8866; offer and answer RFC 3264, SDES RFC 4568): the sessions of PJSIP with the device's own sockets.

PJSIP writes a description of the codecs and keys that it would agree on; where the sound really goes is put in here.
Lines that belong to a media transport of PJSIP's (candidates, SSRC, RTCP address) are left out.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Final
from urllib.parse import urlsplit

from axcore.model.voice import Direction

_OWN = ("a=rtcp:", "a=ssrc:", "a=candidate:", "a=ice-", "a=X-nat:", "a=remote-candidates:")
DISCARD = 9
WAYS: Final[dict[str, int]] = {"inactive": 0, "sendonly": 1, "recvonly": 2, "sendrecv": 3}
_WAYS: Final = {number: name for name, number in WAYS.items()}
_EVENTS = re.compile(r"a=rtpmap:\d+ telephone-event/8000", re.IGNORECASE)


def rewrite(text: str, address: str, port: int) -> str:
    """``text`` with the RTP port of its audio, and the address of everything, in place of its own.

    A media line that is refused (port 0) stays refused. ``address`` is an IP address.
    """
    family = "IP6" if ":" in address else "IP4"
    lines: list[str] = []
    session = True
    for line in text.splitlines():
        if line.startswith("o="):
            name, number, version, *_ = [*line.split(" "), "0", "0"]
            lines.append(f"{name} {number} {version} IN {family} {address}")
        elif line.startswith("m="):
            session = False
            kind, _, rest = line[2:].partition(" ")
            old, _, formats = rest.partition(" ")
            new = port if kind == "audio" and old != "0" else 0
            lines += [f"m={kind} {new} {formats}", f"c=IN {family} {address}"]
        elif line.startswith("c="):
            if session:
                lines.append(f"c=IN {family} {address}")
        elif line and not line.startswith(_OWN):
            lines.append(line)
    return "\r\n".join(lines) + "\r\n"


def directed(text: str, most: Direction) -> str:
    """``text`` with the direction of its audio (RFC 3264 section 5.1) as it is and as ``most`` allows, both."""
    if most == "sendrecv":
        return text
    lines, kind = [], ""
    for line in text.splitlines():
        if line.startswith("m="):
            kind = line[2:].partition(" ")[0]
        name = line.removeprefix("a=")
        known = kind == "audio" and name in WAYS
        lines.append("a=" + _WAYS[WAYS[name] & WAYS[most]] if known else line)
    return "\r\n".join(lines) + "\r\n"


def renumbered(text: str, event_type: int) -> str:
    """An offer of ours with ``event_type`` as the payload type of its telephone events of 8 kHz (RFC 4733).

    A format that has the number already changes places with it.
    """
    lines = text.splitlines()
    old = next((line[9:].split(" ")[0] for line in lines if _EVENTS.fullmatch(line)), "")
    new = str(event_type)
    if not old or old == new:
        return text
    swap = {old: new, new: old}
    for number, line in enumerate(lines):
        if line.startswith("m=audio "):
            kind, port, profile, *formats = line.split(" ")
            lines[number] = " ".join((kind, port, profile, *(swap.get(one, one) for one in formats)))
        elif line.startswith(("a=rtpmap:", "a=fmtp:")):
            name, _, rest = line.partition(":")
            one, space, value = rest.partition(" ")
            lines[number] = f"{name}:{swap.get(one, one)}{space}{value}"
    return "\r\n".join(lines) + "\r\n"


def audio(text: str) -> list[str]:
    """The lines of the first audio description, its ``m=`` line first; empty without one."""
    found: list[str] = []
    for line in text.splitlines():
        if line.startswith("m="):
            if found:
                break
            if not line.startswith("m=audio "):
                continue
            found.append(line)
        elif found:
            found.append(line)
    return found


def crypto(text: str, tag: str = "") -> str:
    """The value of the audio's ``a=crypto`` line with this tag (the first one without); empty if there is none."""
    for line in audio(text):
        value = line.removeprefix("a=crypto:")
        if value != line and (not tag or value.split(" ", 1)[0] == tag):
            return value
    return ""


def agreed_crypto(local: str, remote: str, *, offered: bool) -> tuple[str, str]:
    """Our and the peer's ``a=crypto`` values of an offer and its answer; empty ones without SRTP.

    The answer has one line, whose tag says which of the offer's it takes. ``offered``: the offer was ours.
    """
    answer = crypto(remote if offered else local)
    if not answer:
        return "", ""
    taken = crypto(local if offered else remote, answer.split(" ", 1)[0])
    if not taken:
        return "", ""
    return (taken, answer) if offered else (answer, taken)


def address_of(text: str) -> str:
    """Where a description wants its audio sent to; empty if it does not say so with an IP address."""
    session = ""
    for line in text.splitlines():
        if line.startswith("m="):
            break
        if line.startswith("c="):
            session = line
    own = [line for line in audio(text) if line.startswith("c=")]
    parts = (own[0] if own else session).split()
    host = parts[2].partition("/")[0] if len(parts) > 2 else ""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return ""


def body_of(message: str) -> str:
    """The body of a SIP message."""
    return message.replace("\r\n", "\n").partition("\n\n")[2]


def offer_of(message: str) -> str:
    """The description in a SIP message; empty if its body is none."""
    body = body_of(message)
    return body if body.startswith("v=") else ""


def host_of(uri: str) -> str:
    """The host of a SIP address, for the choice of an interface; empty if it cannot be told."""
    place = uri.partition(":")[2].rpartition("@")[2]
    try:
        return urlsplit(f"//{place.partition(';')[0]}").hostname or ""
    except ValueError:
        return ""


def own_address(peer: str, bind: str = "") -> str:
    """The address that the device has towards ``peer`` (an IP address; else: towards the network). Sends nothing."""
    if bind:
        return bind
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(peer).version == 6 else socket.AF_INET
    except ValueError:
        peer, family = "192.0.2.1", socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((peer, DISCARD))
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"
