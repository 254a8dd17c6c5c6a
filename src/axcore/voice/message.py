"""SIP messages as lines, as far as a hop needs it (RFC 3261 section 7): found in a stream, read, changed, written.

Header lines are kept as they came, but for those that are changed. Nothing here does I/O.
"""

from __future__ import annotations

import re
from typing import Final

from axcore.errors import InputError

MOST_HEAD: Final = 32_768
MOST_BODY: Final = 65_536
_FULL: Final = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
                       "r": "refer-to"}  # fmt: skip
_SPLIT = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)(?![^<]*>)')


class Message:
    """A request or a response: ``start`` and ``headers`` (name as it came, value) may be changed."""

    def __init__(self, start: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self.start, self.headers, self.body = start, headers, body

    @property
    def is_request(self) -> bool:
        """Otherwise it is a response."""
        return not self.start.startswith("SIP/2.0 ")

    @property
    def method(self) -> str:
        """That of a response's request, for a response."""
        return self.start.split(" ")[0] if self.is_request else self.first("cseq").rpartition(" ")[2]

    @property
    def uri(self) -> str:
        """Of a request."""
        return self.start.split(" ")[1]

    @uri.setter
    def uri(self, value: str) -> None:
        method, _, version = self.start.split(" ")
        self.start = f"{method} {value} {version}"

    def all(self, name: str) -> list[str]:
        """The values of a header; lists that are in one line are taken apart."""
        found = [value for one, value in self.headers if _name(one) == name]
        if name in ("via", "route", "record-route", "contact"):
            return [part.strip() for value in found for part in _SPLIT.split(value)]
        return found

    def first(self, name: str) -> str:
        """Empty without one."""
        return next(iter(self.all(name)), "")

    def put(self, name: str, values: list[str]) -> None:
        """All values of a header, each in a line of its own, where the first one was (else in front)."""
        at = next((n for n, (one, _) in enumerate(self.headers) if _name(one) == name), 0)
        before = [pair for pair in self.headers[:at] if _name(pair[0]) != name]
        after = [pair for pair in self.headers[at:] if _name(pair[0]) != name]
        title = "-".join(part.capitalize() for part in name.split("-"))
        self.headers = [*before, *((title, value) for value in values), *after]

    def encode(self) -> bytes:
        """As it goes over a stream."""
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers if _name(name) != "content-length")]
        lines += [f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body


class Framer:
    """Messages out of a stream; InputError (``message``) for what is none, after which the stream means nothing."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def empty(self) -> bool:
        """Whether no message has begun."""
        return not self._buffer

    def feed(self, data: bytes) -> tuple[list[Message], int]:
        """The messages that are complete, and how many keep-alives (RFC 5626 section 4.4.1) came."""
        self._buffer += data
        found: list[Message] = []
        pings = 0
        while True:
            while self._buffer.startswith(b"\r\n"):
                pings += self._buffer.startswith(b"\r\n\r\n")
                del self._buffer[: 4 if self._buffer.startswith(b"\r\n\r\n") else 2]
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > MOST_HEAD:
                    raise InputError("message", "has a head that does not end")
                return found, pings
            message = parse(bytes(self._buffer[:end]))
            size = _length(message)
            if len(self._buffer) < end + 4 + size:
                return found, pings
            message.body = bytes(self._buffer[end + 4 : end + 4 + size])
            del self._buffer[: end + 4 + size]
            found.append(message)


def parse(head: bytes) -> Message:
    """A message without its body. InputError (``message``)."""
    if len(head) > MOST_HEAD:
        raise InputError("message", f"has a head of more than {MOST_HEAD} octets")
    start, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    parts = start.split(" ", 2)
    if len(parts) < 3 or "SIP/2.0" not in (parts[0], parts[2]):
        raise InputError("message", "does not begin as a SIP message does")
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (" ", "\t"):  # folded (RFC 3261 section 7.3.1)
            if not headers:
                raise InputError("message", "begins with a folded line")
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or "\r" in line or "\n" in line or "\0" in line:
            raise InputError("message", "has a line that is no header")
        headers.append((name.strip(), value.strip()))
    message = Message(start, headers, b"")
    for name in ("via", "from", "to", "call-id", "cseq"):
        if not message.first(name):
            raise InputError("message", f"has no {name}")
    return message


def _length(message: Message) -> int:
    found = message.all("content-length")
    if len(found) != 1 or not (found[0].isascii() and found[0].isdigit()) or int(found[0][:7]) > MOST_BODY:
        raise InputError("message", f"has no single Content-Length of 0..{MOST_BODY}")
    return int(found[0])


def _name(name: str) -> str:
    lower = name.lower()
    return _FULL.get(lower, lower)
