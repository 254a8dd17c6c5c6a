"""Small pictures that users upload: what they are, by their own bytes (PNG: ISO/IEC 15948; JPEG: ITU-T T.81, annex B).

Only the frame of a file is looked at; nothing is decoded, so that nothing can be decoded wrong.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from axcore.errors import InputError

MAX_IMAGE: Final = 65_536
"""Bytes of one."""
MAX_SIDE: Final = 2048
"""Pixels."""
ImageType = Literal["image/png", "image/jpeg"]
PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_IHDR, _IEND = b"\x00\x00\x00\x0dIHDR", b"\x00\x00\x00\x00IEND\xaeB`\x82"
_STANDALONE = (0x01, *range(0xD0, 0xD8))
_FRAMES = tuple(code for code in range(0xC0, 0xD0) if code not in (0xC4, 0xC8, 0xCC))


class Image(NamedTuple):
    """A picture that can be kept."""

    type: ImageType
    width: int
    height: int


def parse_image(data: bytes, field: str = "image") -> Image:
    """What a file is. InputError: it is no whole PNG or JPEG, too large, or has too many pixels."""
    if len(data) > MAX_IMAGE:
        raise InputError(field, f"has {len(data)} bytes; at most {MAX_IMAGE}")
    found = _png(data) if data.startswith(PNG_START) else _jpeg(data) if data.startswith(b"\xff\xd8") else None
    if found is None:
        raise InputError(field, "is no whole PNG or JPEG file")
    if not (0 < found.width <= MAX_SIDE and 0 < found.height <= MAX_SIDE):
        raise InputError(field, f"has {found.width} x {found.height} pixels; 1 to {MAX_SIDE} each way")
    return found


def _png(data: bytes) -> Image | None:
    """Header first, end last; between them whatever chunks say that they are that long."""
    if data[8:16] != _IHDR or not data.endswith(_IEND):
        return None
    at = 8
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        at += 12 + length
        if kind == b"IEND":
            break
    if at != len(data):
        return None
    return Image("image/png", int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))


def _jpeg(data: bytes) -> Image | None:
    """Segments up to the first scan; the end mark last."""
    if not data.endswith(b"\xff\xd9"):
        return None
    at, size = 2, None
    while at + 4 <= len(data) and data[at] == 0xFF:
        code = data[at + 1]
        if code == 0xFF or code in _STANDALONE:
            at += 1 if code == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if code == 0xDA:
            return size if at + 2 + length < len(data) else None
        if code in _FRAMES and length >= 8:
            body = data[at + 5 : at + 9]
            size = Image("image/jpeg", int.from_bytes(body[2:], "big"), int.from_bytes(body[:2], "big"))
        if length < 2:
            return None
        at += 2 + length
    return None
