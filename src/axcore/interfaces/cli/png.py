"""Pictures as PNG (ISO/IEC 15948): 8 bits of red, green and blue, nothing else."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

__all__ = ["write_png"]

UP = 2
"""Filter: the difference to the row above."""


def write_png(path: str | Path, width: int, height: int, rgb: bytes) -> None:
    """Write ``rgb`` (3 bytes a pixel, rows from the top) to a file."""
    if width <= 0 or height <= 0 or len(rgb) != 3 * width * height:
        raise ValueError(f"{width} x {height} pixels have {3 * width * height} bytes, not {len(rgb)}")
    row = 3 * width
    above = bytes(row)
    filtered = bytearray()
    for start in range(0, len(rgb), row):
        line = rgb[start : start + row]
        filtered.append(UP)
        filtered += bytes((a - b) & 0xFF for a, b in zip(line, above, strict=True))
        above = line
    with Path(path).open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
        file.write(_chunk(b"IDAT", zlib.compress(bytes(filtered), 9)))
        file.write(_chunk(b"IEND", b""))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
