"""PNG pictures without a library: 8-bit truecolor, one deflate stream (ISO/IEC 15948; filter 0 on every line)."""

from __future__ import annotations

import struct
import zlib

from axcore.errors import InputError

MOST = 1 << 15
"""Pixels of a side."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, rgb: bytes | bytearray | memoryview) -> bytes:
    """The file of a picture: ``rgb`` has three bytes a pixel, line by line from the top. ``InputError``."""
    if not (1 <= width <= MOST and 1 <= height <= MOST):
        raise InputError("size", f"a picture has 1 .. {MOST} pixels a side, not {width} x {height}")
    if len(rgb) != 3 * width * height:
        raise InputError("rgb", f"{width} x {height} pixels are {3 * width * height} bytes, not {len(rgb)}")
    line = 3 * width
    lines = b"".join(b"\0" + bytes(rgb[at : at + line]) for at in range(0, len(rgb), line))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(lines, 6)) + _chunk(b"IEND", b"")
    )
