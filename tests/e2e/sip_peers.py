"""SIP by hand (RFC 3261) for the end-to-end tests: what a friendly stack would never send, and what comes back.

A ``Peer`` has one socket and no state machine; a ``Dialog`` keeps the numbers of one call. Requests are sent again
every half second (T1) until they are answered: the ingress limit of a device, or a busy machine, may drop some.
"""

from __future__ import annotations

import itertools
import re
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType

from tests.e2e.patience import PATIENCE

T1 = 0.5
_COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
            "c": "content-type", "x": "session-expires", "s": "subject", "k": "supported"}  # fmt: skip
_PLACE = re.compile(r"(\[[0-9a-f:]+\]|\d+\.\d+\.\d+\.\d+):(\d+)")
_numbers = itertools.count(1)


def unique(prefix: str) -> str:
    """A token that no other message of this run has."""
    return f"{prefix}{next(_numbers)}x{time.monotonic_ns():x}"


@dataclass(frozen=True)
class Message:
    """A message that came."""

    start: str
    headers: list[tuple[str, str]]
    body: str

    @classmethod
    def parse(cls, data: bytes) -> Message:
        """What a device sends is well formed."""
        head, _, body = data.decode(errors="surrogateescape").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        headers = []
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            headers.append((_COMPACT.get(name, name), value.strip()))
        return cls(start, headers, body)

    @property
    def status(self) -> int:
        """Of a response; 0 for a request."""
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """Of a request, or of what a response answers."""
        return self["cseq"].rpartition(" ")[2] if self.status else self.start.partition(" ")[0]

    def __getitem__(self, name: str) -> str:
        """The first header of that name; empty without one."""
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        """All headers of that name."""
        return [value for key, value in self.headers if key == name]

    @property
    def sound_port(self) -> int:
        """Where the sender wants sound."""
        return int(next(line for line in self.body.splitlines() if line.startswith("m=audio")).split(" ")[1])


@dataclass(frozen=True)
class Offer:
    """A description (SDP) of one audio stream."""

    port: int
    host: str = "127.0.0.1"
    direction: str = "sendrecv"
    formats: tuple[int, ...] = (0, 101)
    version: int = 1
    more: tuple[str, ...] = ()
    """Attribute lines."""

    def __str__(self) -> str:
        family = "IP6" if ":" in self.host else "IP4"
        names = {0: "PCMU/8000", 8: "PCMA/8000", 9: "G722/8000", 101: "telephone-event/8000"}
        lines = [
            "v=0",
            f"o=- 1 {self.version} IN {family} {self.host}",
            "s=-",
            f"c=IN {family} {self.host}",
            "t=0 0",
            f"m=audio {self.port} RTP/AVP {' '.join(map(str, self.formats))}",
            *(f"a=rtpmap:{number} {names[number]}" for number in self.formats),
            f"a={self.direction}",
            *self.more,
        ]
        return "\r\n".join(lines) + "\r\n"


class Peer:
    """One UDP socket that speaks to ``device`` (``host:port``)."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.host = host
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._to = (host, port)
        shown = f"[{host}]" if ":" in host else host
        self.place = f"{shown}:{self._socket.getsockname()[1]}"
        self.device = f"{shown}:{port}"
        self.rtp = socket.socket(self._socket.family, socket.SOCK_DGRAM)
        self.rtp.bind((host, 0))
        self.waiting: list[Message] = []
        """What came and was not asked for."""
        self.polite = True
        """It answers a BYE by itself."""

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self.rtp.close()

    @property
    def rtp_port(self) -> int:
        """Where its sound comes in."""
        return int(self.rtp.getsockname()[1])

    @property
    def uri(self) -> str:
        """Its address."""
        return f"sip:peer@{self.place}"

    def via(self, branch: str = "") -> str:
        """A Via value."""
        return f"SIP/2.0/UDP {self.place};rport;branch={branch or unique('z9hG4bK-')}"

    def send(self, data: bytes | str, near: str = "") -> None:
        """A datagram to the device, or to the place (``host:port``) that is named in ``near``."""
        found = _PLACE.search(near)
        to = (found[1].strip("[]"), int(found[2])) if found else self._to
        self._socket.sendto(data if isinstance(data, bytes) else data.encode(errors="surrogateescape"), to)

    def receive(self, timeout: float) -> Message | None:
        """The next message, None without one in time. Final answers are acknowledged, and who hangs up may."""
        self._socket.settimeout(max(timeout, 0.001))
        try:
            message = Message.parse(self._socket.recv(65536))
        except TimeoutError:
            return None
        if self.polite and message.method == "BYE" and not message.status:
            self.reply(message, 200)
        if message.method == "INVITE" and message.status >= 200:
            self._acknowledge(message)
        return message

    def _acknowledge(self, answer: Message) -> None:
        target = answer["contact"].partition("<")[2].partition(">")[0] or f"sip:device@{self.device}"
        lines = [
            f"ACK {target} SIP/2.0",
            f"Via: {answer['via'] if answer.status >= 300 else self.via()}",
            f"From: {answer['from']}",
            f"To: {answer['to']}",
            f"Call-ID: {answer['call-id']}",
            f"CSeq: {answer['cseq'].partition(' ')[0]} ACK",
            "Max-Forwards: 70",
            "Content-Length: 0",
        ]
        self.send("\r\n".join(lines) + "\r\n\r\n", target)

    def expect(self, wanted: Callable[[Message], bool], timeout: float = PATIENCE) -> Message:
        """The first message that is wanted; others are kept in ``waiting``. TimeoutError."""
        for number, one in enumerate(self.waiting):
            if wanted(one):
                return self.waiting.pop(number)
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            message = self.receive(until - time.monotonic())
            if message is not None and wanted(message):
                return message
            if message is not None:
                self.waiting.append(message)
        raise TimeoutError(f"not within {timeout:g} s; there was {[one.start for one in self.waiting[-10:]]}")

    def ask(self, data: str, wanted: Callable[[Message], bool], near: str = "") -> Message:
        """Send a request until what is wanted comes."""
        for _ in range(round(PATIENCE / T1)):
            self.send(data, near)
            try:
                return self.expect(wanted, T1)
            except TimeoutError:
                continue
        raise TimeoutError(f"no answer to {data[:60]!r}; there was {[one.start for one in self.waiting[-10:]]}")

    def request(self, method: str, *, call: str = "", headers: Iterable[str] = (), body: str = "") -> str:
        """A request outside of a dialogue."""
        call = call or unique("c")
        lines = [
            f"{method} sip:device@{self.device} SIP/2.0",
            f"Via: {self.via()}",
            "Max-Forwards: 70",
            f"From: <{self.uri}>;tag={call}",
            f"To: <sip:device@{self.device}>",
            f"Call-ID: {call}",
            f"CSeq: 1 {method}",
            f"Contact: <{self.uri}>",
            *headers,
            f"Content-Length: {len(body.encode())}",
        ]
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def options(self) -> None:
        """Ask, and wait for the answer: what was sent before is done with."""
        call = unique("ping")
        data = self.request("OPTIONS", call=call)
        self.ask(data, lambda one: one["call-id"] == call and one.status >= 200)
        self.waiting = [one for one in self.waiting if one["call-id"] != call]

    def reply(self, request: Message, code: int, *headers: str, body: str = "", tag: str = "far") -> None:
        """Answer a request of the device."""
        to = request["to"] if "tag=" in request["to"] or code == 100 else f"{request['to']};tag={tag}"
        lines = [
            f"SIP/2.0 {code} X",
            *(f"Via: {via}" for via in request.all("via")),
            f"From: {request['from']}",
            f"To: {to}",
            f"Call-ID: {request['call-id']}",
            f"CSeq: {request['cseq']}",
            *([] if any(header.startswith("Contact:") for header in headers) else [f"Contact: <{self.uri}>"]),
            *headers,
            f"Content-Length: {len(body.encode())}",
        ]
        self.send("\r\n".join(lines) + "\r\n\r\n" + body, request["via"])


@dataclass
class Dialog:
    """One call of a peer, begun by it (``invite``) or by the device (``of``)."""

    peer: Peer
    user: str = "device"
    call: str = field(default_factory=lambda: unique("d"))
    tag: str = field(default_factory=lambda: unique("t"))
    remote_to: str = ""
    """The To of requests, once the device has said its tag."""
    target: str = ""
    cseq: int = 1
    answer: Message | None = None
    """The 2xx, or the INVITE of the device."""

    def text(
        self, method: str, *headers: str, body: str = "", cseq: int = 0, branch: str = "", to: str | None = None
    ) -> str:
        """A request of this dialogue as it is now."""
        peer = self.peer
        lines = [
            f"{method} {self.target or f'sip:{self.user}@{peer.device}'} SIP/2.0",
            f"Via: {peer.via(branch)}",
            "Max-Forwards: 70",
            f"From: <{peer.uri}>;tag={self.tag}",
            f"To: {(self.remote_to or f'<sip:{self.user}@{peer.device}>') if to is None else to}",
            f"Call-ID: {self.call}",
            f"CSeq: {cseq or self.cseq} {method}",
            f"Contact: <{peer.uri}>",
            *headers,
            *(
                ["Content-Type: application/sdp"]
                if body and not any(h.lower().startswith("content-type") for h in headers)
                else []
            ),
            f"Content-Length: {len(body.encode())}",
        ]
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def transact(self, method: str, *headers: str, body: str = "") -> Message:
        """A request, and its final response (acknowledged if it is an INVITE)."""
        self.cseq += 1
        cseq, branch = self.cseq, unique("z9hG4bK-")
        data = self.text(method, *headers, body=body, branch=branch)
        answer = self.peer.ask(data, lambda one: self._answers(one, cseq, method), self.target)
        while answer.status < 200:
            answer = self.peer.expect(lambda one: self._answers(one, cseq, method))
        if method == "INVITE" and answer.status < 300:
            self.settle(answer)
        return answer

    def invite(self, *headers: str, body: str = "") -> Message:
        """Call the device; the final response."""
        return self.transact("INVITE", *headers, body=body)

    def settle(self, answer: Message) -> None:
        """Remember whom it is with."""
        self.remote_to, self.answer = answer["to"], answer
        self.target = answer["contact"].partition("<")[2].partition(">")[0] or self.target

    def bye(self) -> int:
        """Hang up; the status of the answer."""
        return self.transact("BYE").status

    @classmethod
    def of(cls, peer: Peer, invite: Message, tag: str = "far") -> Dialog:
        """The dialogue that an INVITE of the device begins, as the peer sees it."""
        target = invite["contact"].partition("<")[2].partition(">")[0]
        found = cls(peer, call=invite["call-id"], tag=tag, remote_to=invite["from"], target=target, answer=invite)
        found.cseq = 100
        return found

    def _answers(self, one: Message, cseq: int, method: str) -> bool:
        return one["call-id"] == self.call and one["cseq"] == f"{cseq} {method}" and one.status > 0
