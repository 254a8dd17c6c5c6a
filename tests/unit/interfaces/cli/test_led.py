"""``axcore led``, and the PNG writer."""

import json
import struct
import zlib
from pathlib import Path

import pytest

from axcore.errors import InputError
from axcore.interfaces.cli.main import main
from axcore.interfaces.cli.png import png


def read_png(data: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height, lines; checks the sums on the way."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", data, at + 8 + size)[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        at += size + 12
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, kind_, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, kind_, rest) == (8, 2, [0, 0, 0])
    raw = zlib.decompress(chunks[b"IDAT"])
    lines = [raw[i : i + 1 + 3 * width] for i in range(0, len(raw), 1 + 3 * width)]
    assert len(lines) == height
    assert all(line[0] == 0 for line in lines)
    return width, height, [line[1:] for line in lines]


def test_a_picture_is_read_back() -> None:
    pixels = bytes(range(18))
    assert read_png(png(3, 2, pixels)) == (3, 2, [pixels[:9], pixels[9:]])


@pytest.mark.parametrize(("width", "height", "size"), [(0, 1, 0), (1, 0, 0), (2**15 + 1, 1, 3), (2, 2, 11)])
def test_what_is_no_picture(width: int, height: int, size: int) -> None:
    with pytest.raises(InputError):
        png(width, height, bytes(size))


def test_render_draws_time_to_the_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "blink.png"
    words = ["led", "render", "Flash 1x", str(file), "--colors", "blue", "--seconds", "2", "--width", "200", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["width"] == 200
    width, height, lines = read_png(file.read_bytes())
    assert (width, height) == (200, 288)
    lit = [line[2] > 200 for line in zip(*[iter(lines[0])] * 3, strict=True)]
    assert [i for i in range(200) if lit[i]] == [*range(10), *range(100, 110)]


def test_render_in_safe_mode_and_on_other_layouts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["led", "render", "Blink 4x", str(tmp_path / "a.png"), "--speed", "3", "--safe", "--json", "--width", "10"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["speed"] == 1
    for layout in ("strip", "ring", "icons", "stripe", "call-button"):
        assert main(["led", "render", "Off", str(tmp_path / "b.png"), "--layout", layout, "--width", "10"]) == 0


def test_check_tells_and_fails_where_it_flashes_too_often(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["led", "check", "Blink 4x"]) == 0
    assert main(["led", "check", "Blink 4x", "--speed", "2"]) == 1
    assert "safe mode shows it at speed 1" in capsys.readouterr().out
    assert main(["led", "check", "Flash 1x", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["general"] == 1


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["led", "list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 23 + 2
    assert main(["led", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[3]["colors"]["minNbrColors"] == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["check", "Disco"], 2, "pattern:"),
        (["check", "Steady", "--speed", "7"], 2, "speed:"),
        (["check", "Steady", "--colors", "red,blue"], 2, "colors:"),
        (["check", "Steady", "--layout", "strip", "--leds", "4", "--sections", "5"], 2, "--sections"),
        (["render", "Steady", "no/such/folder.png"], 1, "folder"),
        (["render", "Steady", "x.png", "--seconds", "0"], 2, "--seconds"),
        (["render", "Steady", "x.png", "--layout", "strip", "--leds", "2000", "--sections", "1"], 2, "places:"),
    ],
)
def test_what_is_asked_in_a_wrong_way(
    words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["led", *words]) == code
    assert said in capsys.readouterr().err
