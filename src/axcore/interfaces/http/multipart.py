"""Strict reading of multipart/form-data (RFC 7578, RFC 2046 section 5.1) in one pass over the bytes, without copies."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser
from typing import NamedTuple

from axcore.errors import InputError

MAX_PARTS = 32
MAX_HEAD = 4096
"""Bytes of the header fields of a part."""
MAX_BOUNDARY = 70
_BREAK = b"\r\n"


class Part(NamedTuple):
    """A part of a form."""

    name: str
    filename: str | None
    """As the client calls it: for people, never for a path."""
    body: memoryview


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type names. InputError (``Content-Type``)."""
    message = Message()
    message["Content-Type"] = content_type
    boundary = message.get_param("boundary")
    if message.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise InputError("Content-Type", "must be multipart/form-data with a boundary")
    if not (1 <= len(boundary) <= MAX_BOUNDARY and boundary.isascii() and boundary.isprintable()):
        raise InputError("Content-Type", f"a boundary is 1..{MAX_BOUNDARY} characters of ASCII")
    return boundary.encode()


def parts(content_type: str, body: bytes) -> list[Part]:
    """The parts of a body, in their order. InputError (``body``, ``Content-Type``) for what is not well-formed."""
    return list(_parts(body, boundary_of(content_type)))


def _parts(body: bytes, boundary: bytes) -> Iterator[Part]:
    view, line = memoryview(body), b"--" + boundary
    at = 0 if body.startswith(line) else body.find(_BREAK + line) + len(_BREAK)
    if at < len(_BREAK) and not body.startswith(line):
        raise InputError("body", "has no part")
    for _ in range(MAX_PARTS + 1):
        at += len(line)
        if body.startswith(b"--", at):
            return
        if not body.startswith(_BREAK, at):
            raise InputError("body", "a boundary does not end its line")
        end = body.find(_BREAK + line, at)
        if end < 0:
            raise InputError("body", "is cut off: the last boundary is missing")
        yield _part(view[at + len(_BREAK) : end] if end > at else view[:0])
        at = end + len(_BREAK)
    raise InputError("body", f"has more than {MAX_PARTS} parts")


def _part(view: memoryview) -> Part:
    start = bytes(view[: MAX_HEAD + 4])
    end = 0 if start.startswith(_BREAK) else start.find(_BREAK + _BREAK)
    if end < 0:
        raise InputError("body", "a part has no header, or one that is too long")
    try:
        head = HeaderParser().parsestr(start[:end].decode("utf-8"))
    except UnicodeDecodeError:
        raise InputError("body", "the header of a part is no UTF-8 text") from None
    name, filename = (head.get_param(key, header="content-disposition") for key in ("name", "filename"))
    if head.get_content_disposition() != "form-data" or not isinstance(name, str):
        raise InputError("body", "a part has no name")
    if head.get("Content-Transfer-Encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
        raise InputError("body", "the content of a part must not be encoded")
    skip = end + (len(_BREAK) if end == 0 else 2 * len(_BREAK))
    return Part(name, filename if isinstance(filename, str) else None, view[skip:])
