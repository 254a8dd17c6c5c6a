"""RTSP messages (RFC 2326, sections 4-7 and 10.12): requests and interleaved frames out of octets, replies into them.

Sans-I/O. Octets come in any pieces and give the same messages as in one. What is kept is bounded by the limits below
plus what was fed and not taken yet; after an error nothing more comes, for the framing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

MAX_HEAD: Final = 16 * 1024
"""Octets of request line and headers."""
MAX_LINE: Final = 4096
MAX_HEADERS: Final = 64
MAX_BODY: Final = 4096
METHODS: Final = (
    "OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER",
)  # fmt: skip
REASONS: Final[Mapping[int, str]] = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    413: "Request Entity Too Large",
    414: "Request-URI Too Large",
    451: "Parameter Not Understood",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    457: "Invalid Range",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "RTSP Version Not Supported",
    551: "Option Not Supported",
}

_TOKEN = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_URI = re.compile(rb"[!-~]+")
_VERSION = re.compile(rb"RTSP/(\d{1,3})\.(\d{1,3})")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_EMPTY = re.compile(rb"(?:\r\n)+")
_SINGLE: Final = frozenset(
    ("authorization", "content-length", "cseq", "require", "session", "transport", "range", "accept", "scale")
)


class MessageError(Exception):
    """The octets are no request; ``status`` answers them, ``cseq`` if it was found. The connection ends."""

    def __init__(self, status: int, reason: str, cseq: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.cseq = cseq


@dataclass(frozen=True)
class Message:
    """A request. Header names are lower-case; repeated ones that may be are joined with a comma."""

    method: str
    uri: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def cseq(self) -> str:
        """The sequence number, as it was sent."""
        return self.headers["cseq"]


@dataclass(frozen=True)
class Frame:
    """An interleaved binary frame: ``$``, channel, length, data."""

    channel: int
    data: bytes


class Reader:
    """``feed`` octets, take messages with ``next`` until it gives None. Raises MessageError, then always again."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._head: tuple[str, str, dict[str, str], int] | None = None
        self._error: MessageError | None = None

    @property
    def pending(self) -> int:
        """Octets fed and not taken."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take octets."""
        if self._error is None:
            self._buffer += data

    def next(self) -> Message | Frame | None:
        """The next complete message."""
        if self._error is not None:
            raise self._error
        try:
            return self._next()
        except MessageError as error:
            self._error = error
            self._buffer.clear()
            raise

    def _next(self) -> Message | Frame | None:
        if self._head is None:
            self._skip_empty_lines()
            if self._buffer[:1] == b"$":
                return self._frame()
            end = self._buffer.find(b"\r\n\r\n", max(0, self._scanned - 3))
            self._check_size(end)
            if end < 0:
                self._scanned = len(self._buffer)
                return None
            self._head = parse_head(bytes(self._buffer[:end]))
            del self._buffer[: end + 4]
            self._scanned = 0
        method, uri, headers, length = self._head
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        return Message(method, uri, headers, body)

    def _frame(self) -> Frame | None:
        if len(self._buffer) < 4:
            return None
        size = int.from_bytes(self._buffer[2:4], "big")
        if len(self._buffer) < 4 + size:
            return None
        frame = Frame(self._buffer[1], bytes(self._buffer[4 : 4 + size]))
        del self._buffer[: 4 + size]
        return frame

    def _skip_empty_lines(self) -> None:
        empty = _EMPTY.match(self._buffer)
        if empty:
            del self._buffer[: empty.end()]
            self._scanned = 0

    def _check_size(self, end: int) -> None:
        """Refuse a head as soon as it is too large, whether its ``end`` has come or not (-1)."""
        if len(self._buffer) > MAX_LINE + 2 and self._buffer.find(b"\r\n", 0, MAX_LINE + 2) < 0:
            raise MessageError(414, "the request line is too long")
        if end > MAX_HEAD or (end < 0 and len(self._buffer) > MAX_HEAD + 4):
            raise MessageError(400, "the head is too large")


def parse_head(head: bytes) -> tuple[str, str, dict[str, str], int]:
    """Method, URI, headers and length of the body of a head without its empty line. Raises MessageError."""
    first, *lines = head.split(b"\r\n")
    if len(lines) > MAX_HEADERS:
        raise MessageError(400, f"more than {MAX_HEADERS} headers")
    headers = parse_headers(lines)
    cseq = headers.get("cseq", "")
    if cseq and not _NUMBER.fullmatch(cseq):
        raise MessageError(400, "CSeq is a number")
    method, uri = _parse_first(first, cseq)
    if not cseq:
        raise MessageError(400, "no CSeq")
    text = headers.get("content-length", "0")
    if not _NUMBER.fullmatch(text):
        raise MessageError(413 if text.isdecimal() else 400, "bad Content-Length", cseq)
    if int(text) > MAX_BODY:
        raise MessageError(413, f"a body has at most {MAX_BODY} octets", cseq)
    return method, uri, headers, int(text)


def _parse_first(line: bytes, cseq: str) -> tuple[str, str]:
    parts = line.split(b" ")
    if len(parts) != 3 or not _TOKEN.fullmatch(parts[0]) or not _URI.fullmatch(parts[1]):
        raise MessageError(400, "a request line is METHOD URI RTSP/1.0", cseq)
    version = _VERSION.fullmatch(parts[2])
    if version is None:
        raise MessageError(400, "RTSP is spoken here", cseq)
    if (int(version[1]), int(version[2])) != (1, 0):
        raise MessageError(505, "RTSP/1.0 is spoken here", cseq)
    return parts[0].decode("ascii"), parts[1].decode("ascii")


def parse_headers(lines: Iterable[bytes]) -> dict[str, str]:
    """Header lines by lower-case name. Raises MessageError."""
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if len(line) > MAX_LINE or not colon or not _TOKEN.fullmatch(name) or _CONTROL.search(value):
            raise MessageError(400, "a header is Name: value")
        key, text = name.decode("ascii").lower(), value.strip(b" \t").decode("latin-1")
        if key in found:
            if key in _SINGLE:
                raise MessageError(400, f"two {key} headers")
            text = f"{found[key]}, {text}"
        found[key] = text
    return found


def reply(
    status: int, cseq: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b"", kind: str = "text/plain"
) -> bytes:
    """A reply as octets. ``headers`` keep their order and may repeat."""
    lines = [f"RTSP/1.0 {status} {REASONS[status]}"]
    if cseq:
        lines.append(f"CSeq: {cseq}")
    lines.append("Server: axcore")
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def frame(channel: int, data: bytes) -> bytes:
    """An interleaved frame as octets; ``data`` of at most 65,535."""
    return b"$" + bytes((channel,)) + len(data).to_bytes(2, "big") + data
