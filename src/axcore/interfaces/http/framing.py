"""What must hold of a request before anybody looks at it (RFC 9112; RFC 9110 sections 5-7).

The parser below (llhttp) already refuses bare LF, folded headers, NUL, spaces before the colon, and bad chunks. Here is
what it lets pass and what could make two servers see two different requests, or what this server has no use for. Each
refusal ends the connection.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aiohttp.http_parser import RawRequestMessage

MAX_HEAD: Final = 32768
"""Octets of request line and headers together."""
MAX_LINE: Final = 8190
MAX_HEADERS: Final = 64
_LENGTH = re.compile(rb"[0-9]{1,15}")
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~!$&'()*+,;=-]{1,255})(?::[0-9]{0,5})?")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_TARGET = re.compile(r"[!-~]+", re.ASCII)
_TRAVERSAL = re.compile(r"(?:^|/|%2f|%5c)(?:\.|%2e){1,2}(?:/|%2f|%5c|$)", re.IGNORECASE)
_FORBIDDEN_IN_PATH = re.compile(r"%(?![0-9a-f]{2})|%[01][0-9a-f]|%7f|\\|%5c", re.IGNORECASE)
_SINGLE: Final = frozenset(
    (b"host", b"content-length", b"transfer-encoding", b"content-type", b"authorization", b"expect", b"origin")
)


class FramingError(Exception):
    """The request must not be served; ``status`` says why, and the connection ends."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def bad_start(data: bytes) -> bool:
    """Whether the first octets of a request have white space where the grammar has one space or none.

    The parser is lenient there. Only a start that comes in one piece is seen, which is what a forged one does.
    """
    line = data[:MAX_LINE].partition(b"\n")[0]
    return b"  " in line or b"\t" in line or data[:1] == b"\n"


def check(message: RawRequestMessage) -> None:
    """Check version, headers and body framing of a parsed head. Raises FramingError."""
    version = message.version
    if version not in ((1, 0), (1, 1)):
        raise FramingError(505, "HTTP/1.0 and HTTP/1.1 are spoken here")
    found: dict[bytes, bytes] = {}
    size = 0
    for name, value in message.raw_headers:
        size += len(name) + len(value)
        lower = name.lower()
        if lower in _SINGLE:
            if lower in found:
                raise FramingError(400, f"two {lower.decode()} headers")
            found[lower] = value
        if _CONTROL.search(value):
            raise FramingError(400, "control character in a header")
    if size > MAX_HEAD:
        raise FramingError(431, "headers are too large")
    _check_host(found.get(b"host"), required=version == (1, 1))
    _check_body(found.get(b"content-length"), found.get(b"transfer-encoding"), version == (1, 0))
    encoding = message.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise FramingError(415, "bodies are sent without content coding")
    expect = found.get(b"expect")
    if expect is not None and expect.strip().lower() != b"100-continue":
        raise FramingError(417, "only 100-continue can be expected")


def _check_host(host: bytes | None, *, required: bool) -> None:
    if host is None:
        if required:
            raise FramingError(400, "no Host header")
    elif not _HOST.fullmatch(host):
        raise FramingError(400, "bad Host header")


def _check_body(length: bytes | None, coding: bytes | None, old: bool) -> None:
    if length is not None and not _LENGTH.fullmatch(length):
        raise FramingError(400, "bad Content-Length")
    if coding is not None:
        if length is not None:
            raise FramingError(400, "Content-Length and Transfer-Encoding")
        if old:
            raise FramingError(400, "Transfer-Encoding in HTTP/1.0")
        if coding.lower() != b"chunked":
            raise FramingError(400 if b"chunked" in coding.lower() else 501, "unknown Transfer-Encoding")


def path_of(target: str) -> str:
    """The raw path of a request target (origin form, or absolute form as to a proxy). Raises FramingError."""
    if not _TARGET.fullmatch(target):
        raise FramingError(400, "bad request target")
    path, _, query = target.partition("?")
    if "#" in target:
        raise FramingError(400, "a request target has no fragment")
    if not path.startswith("/"):
        scheme, separator, rest = path.partition("://")
        if not separator or scheme.lower() not in ("http", "https"):
            raise FramingError(400, "bad request target")
        path = "/" + rest.partition("/")[2]
    if _FORBIDDEN_IN_PATH.search(path) or _TRAVERSAL.search(path):
        raise FramingError(400, "bad path")
    if "%00" in query:
        raise FramingError(400, "NUL in the query")
    return path
