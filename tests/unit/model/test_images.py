"""Pictures of contacts: what is taken, what is refused, and that no bytes can do harm."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.errors import InputError
from axcore.model.images import MAX_IMAGE, MAX_SIDE, Image, parse_image


def png(width: int = 3, height: int = 2, *, more: bytes = b"") -> bytes:
    """A whole PNG file; ``more``: the text of a chunk that makes it longer."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(b"".join(b"\x00" + bytes(3 * min(width, 9)) for _ in range(min(height, 9))))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    text = chunk(b"tEXt", more) if more else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + text + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(width: int = 3, height: int = 2) -> bytes:
    """The frame of a JPEG file around a scan of nothing."""
    app0 = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\x00" + bytes(9)
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    scan = b"\xff\xda" + struct.pack(">H", 8) + bytes(6) + b"\x12\x34"
    return b"\xff\xd8" + app0 + frame + scan + b"\xff\xd9"


def test_what_a_file_is_by_its_own_bytes() -> None:
    assert parse_image(png(640, 480)) == Image("image/png", 640, 480)
    assert parse_image(png(more=bytes(1000))) == Image("image/png", 3, 2)
    assert parse_image(jpeg(640, 480)) == Image("image/jpeg", 640, 480)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + bytes(20),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        png()[:-1],
        png()[:20],
        png() + b"<script>",
        png().replace(b"IHDR", b"IHDX"),
        jpeg()[:-2],
        jpeg()[:12] + b"\xff\xd9",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe0\x00\x00\xff\xd9",
        png(0, 5),
        png(MAX_SIDE + 1, 5),
        jpeg(5, 65535),
        png(more=bytes(MAX_IMAGE)),
    ],
)
def test_what_is_no_picture_or_too_large_is_refused(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        parse_image(data, "there")
    assert caught.value.field == "there"


@given(st.binary(max_size=300), st.sampled_from([b"", png()[:16], png()[:33], jpeg()[:2], jpeg()[:22]]))
def test_any_bytes_are_a_picture_or_an_input_error(data: bytes, start: bytes) -> None:
    for end in (b"", png()[-12:], b"\xff\xd9"):
        try:
            found = parse_image(start + data + end)
        except InputError:
            continue
        assert 0 < found.width <= MAX_SIDE
        assert 0 < found.height <= MAX_SIDE
