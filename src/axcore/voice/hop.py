"""The local hop between PJSIP, which speaks TCP on loopback here, and peers, who speak TLS: what it does to messages.

PJSIP sends to it by a route, ``<sip:KEY@HOST:PORT;transport=tcp;lr>``: the key names an account (its id and ``-a``, so
that no id is taken for anything else, whatever it ends in) or a connection (``ax`` and a number). The
hop is a stateless proxy (RFC 3261 section 16.11) that only PJSIP sees: outside, it is the device itself. So a Via is
added and taken off, the record of the route is added for PJSIP and taken off for the peer, and PJSIP's contact is
replaced by the one that peers can reach. Keys that end in ``-s`` are of SIPS (section 26.2.2): PJSIP, which would
insist on a TLS transport of its own, sees ``sip:``. Nothing here does I/O.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final
from urllib.parse import urlsplit

import msgspec

from .message import Message

PORT: Final = 5061
SOURCE: Final = "x-axcore-source"
"""Header by which PJSIP's side learns who sent a request."""
ACCOUNT: Final = "-a"
"""Ends the key of an account."""
SECURE: Final = "-s"
"""Ends a key whose messages are of SIPS."""
BRANCH: Final = "z9hG4bKax"
GOES_ON: Final = ("ACK", "BYE", "CANCEL", "PRACK", "INFO")
"""Methods of calls that there are."""
ECHOED: Final = ("via", "from", "to", "call-id", "cseq", "v", "f", "t", "i")
"""Of a request, in its response (RFC 3261 section 8.2.6.2)."""
_URI = re.compile(r"^(?P<before>[^<]*<|\s*)(?P<scheme>sips?):(?P<rest>.*)$", re.IGNORECASE | re.DOTALL)
_HOST = re.compile(r"^(?P<user>[^@>;]*@)?(?P<host>\[[^\]]*\]|[^:;>]*)(?::(?P<port>\d+))?", re.DOTALL)
_TRANSPORT = re.compile(r";transport=(?:tcp|tls)", re.IGNORECASE)


class Place(msgspec.Struct, frozen=True):
    """Where something listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def key_of(message: Message, hop: Place) -> str:
    """Take our own route off a request of PJSIP's: its key; empty if it has none."""
    routes = message.all("route")
    key = ""
    while routes and place_of(routes[0]) == hop:
        key = key or _parts(routes[0])[0]
        routes.pop(0)
    if message.method == "REGISTER" and routes and place_of(routes[0], PORT) == place_of(message.uri, PORT):
        routes.pop(0)  # to where it goes anyway
    message.put("route", routes)
    return key


def key_for(account: str) -> str:
    """The key of an account."""
    return account + ACCOUNT


def target_of(message: Message) -> Place | None:
    """Where a request goes next, with port 0 if it names none; None if it does not say so."""
    return place_of(message.first("route") or message.uri, 0)


def outward(message: Message, *, own: Place, inner: Place, secure: bool) -> str:
    """A request of PJSIP's for a peer. ``own``: where peers reach the device, ``inner``: PJSIP. Its branch here."""
    branch = _branch(message.first("via"))
    message.put("via", [f"SIP/2.0/TLS {own};rport;branch={branch}", *message.all("via")])
    _contact(message, Place("", inner.port), own, "tls", "sips" if secure else "sip")
    if secure:
        message.uri = _secured(message.uri)
        message.put("route", [_secured(one) for one in message.all("route")])
        for name in ("from", "to"):
            message.put(name, [_secured(message.first(name))])
    return branch


def answer_inward(message: Message, *, own: Place, inner: Place, hop: Place, key: str) -> str:
    """A peer's response to that: the branch here, or nothing if it is not ours."""
    top, *rest = message.all("via")
    branch = _parameter(top, "branch")
    if not branch.startswith(BRANCH) or not rest:
        return ""
    message.put("via", rest)
    _contact(message, own, inner, "TCP", "sip")
    _plain(message)
    if message.method in ("INVITE", "SUBSCRIBE") and "tag=" in message.first("to"):
        message.put("record-route", [*message.all("record-route"), route(key, hop)])
    return branch


def inward(message: Message, *, hop: Place, peer: Place, key: str) -> None:
    """A peer's request for PJSIP. ``key``: of the connection that it came by."""
    vias = message.all("via")
    vias[0] = _stamped(vias[0], peer)
    secure = message.uri.lower().startswith("sips:")
    mark = key + SECURE if secure else key
    message.put("via", [f"SIP/2.0/TCP {hop};branch={_branch(vias[0])};ax={mark}", *vias])
    message.put(SOURCE, [str(peer)])
    if secure:
        message.uri = "sip:" + message.uri[5:]
    _plain(message)
    message.put("record-route", [route(mark, hop), *message.all("record-route")])


def answer_outward(message: Message, *, own: Place, inner: Place, hop: Place) -> str:
    """PJSIP's response to that: the key of the connection that it goes by, or nothing if it is not for a peer."""
    top, *rest = message.all("via")
    mark = _parameter(top, "ax")
    if not mark or not rest:
        return ""
    message.put("via", rest)
    message.put("record-route", [one for one in message.all("record-route") if place_of(one) != hop])
    _contact(message, Place("", inner.port), own, "tls", "sips" if mark.endswith(SECURE) else "sip")
    return mark.removesuffix(SECURE)


def mark_of(via: str) -> str:
    """The key in a Via that ``inward`` has added; empty if it has not."""
    return _parameter(via, "ax")


def branch_of(via: str) -> str:
    """The branch of a Via."""
    return _parameter(via, "branch")


def refusal(request: Message, code: int, reason: str) -> Message:
    """A response to a request of PJSIP's that the hop gives itself."""
    kept = [pair for pair in request.headers if pair[0].lower() in ECHOED]
    answer = Message(f"SIP/2.0 {code} {reason}", kept, b"")
    if "tag=" not in answer.first("to"):
        answer.put("to", [f"{answer.first('to')};tag={BRANCH}"])
    return answer


def route(key: str, hop: Place) -> str:
    """The hop as an entry of a route."""
    return f"<sip:{key}@{hop};transport=tcp;lr>"


def place_of(text: str, port: int = 5060) -> Place | None:
    """Host and port of an address, in angle brackets or not."""
    _, host, number = _parts(text)
    return Place(host, number or port) if host else None


def _parts(text: str) -> tuple[str, str, int]:
    found = _URI.match(text.strip())
    if found is None:
        return "", "", 0
    head, _, tail = found["rest"].partition(">")[0].partition(";")[0].rpartition("@")
    try:
        place = urlsplit(f"//{tail.partition('?')[0]}")
        return head, place.hostname or "", place.port or 0
    except ValueError:
        return "", "", 0


def _contact(message: Message, old: Place, new: Place, transport: str, scheme: str) -> None:
    """Contacts at ``old`` (without a host: at its port, wherever) become contacts at ``new``."""
    contacts = message.all("contact")
    if not contacts:
        return
    for number, contact in enumerate(contacts):
        found = _URI.match(contact)
        place = place_of(contact)
        if found is None or place is None or place.port != old.port or old.host not in ("", place.host):
            continue
        rest = _HOST.sub(lambda where: f"{where['user'] or ''}{new}", found["rest"], count=1)
        address, bracket, after = rest.partition(">")
        address = _TRANSPORT.sub("", address)
        where, semicolon, parameters = address.partition(";")
        contacts[number] = (
            f"{found['before']}{scheme}:{where};transport={transport}{semicolon}{parameters}{bracket}{after}"
        )
    message.put("contact", contacts)


def _plain(message: Message) -> None:
    """Contacts of ``sips:`` as PJSIP may see them."""
    contacts = message.all("contact")
    if any("sips:" in one.lower() for one in contacts):
        message.put("contact", [re.sub(r"^([^<]*<|\s*)sips:", r"\1sip:", one, flags=re.IGNORECASE) for one in contacts])


def _secured(text: str) -> str:
    return re.sub(r"^([^<]*<|\s*)sip:", r"\1sips:", text, count=1, flags=re.IGNORECASE)


def _parameter(via: str, name: str) -> str:
    found = re.search(rf";\s*{name}\s*=\s*([^;,\s]+)", via, re.IGNORECASE)
    return found[1] if found else ""


def _branch(via: str) -> str:
    """The same for all requests of a transaction, ACK and CANCEL among them."""
    return BRANCH + hashlib.sha256(via.encode("utf-8", "surrogateescape")).hexdigest()[:24]


def _stamped(via: str, peer: Place) -> str:
    """A peer's Via with where it came from (RFC 3581 section 4)."""
    bare = re.sub(r";\s*received\s*=[^;]*", "", via, flags=re.IGNORECASE)
    bare = re.sub(r";\s*rport\s*(?:=[^;]*)?(?=;|$)", f";rport={peer.port}", bare, count=1, flags=re.IGNORECASE)
    return f"{bare};received={peer.host}"
