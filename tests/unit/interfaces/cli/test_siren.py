"""``axcore siren``: the list, the files, what is refused; PNG and spectrogram."""

from __future__ import annotations

import json
import struct
import wave
import zlib
from array import array
from pathlib import Path

import numpy as np
import pytest

from axcore.interfaces.cli.main import main
from axcore.interfaces.cli.png import png
from axcore.interfaces.cli.spectrogram import HEIGHT, TOP_HZ, WIDTH, spectrogram
from axcore.siren import SOUNDS, STANDARD_SIGNALS, Tone


def read_png(path: Path) -> tuple[int, int, bytes]:
    """Width, height and pixels, of the filters that ``png`` uses."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", data, at + 8 + size) == (zlib.crc32(kind + body),)
        chunks[kind] = body
        at += 12 + size
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, colour) == (8, 2)
    raw, rows = zlib.decompress(chunks[b"IDAT"]), b""
    for start in range(0, len(raw), 3 * width + 1):
        assert raw[start] == 0
        rows += raw[start + 1 : start + 1 + 3 * width]
    return width, height, rows


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["siren", "list"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in (*SOUNDS, *STANDARD_SIGNALS))
    assert main(["siren", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in found] == [*SOUNDS, *STANDARD_SIGNALS]
    assert {"source", "timing_verified", "seconds", "text"} < found[0].keys()


def test_render_writes_what_the_tone_gives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, picture = tmp_path / "out.wav", tmp_path / "out.png"
    words = ["--seconds", "1.5", "--rate", "44100", "--intensity", "2", "--picture", str(picture), "--json"]
    assert main(["siren", "render", "Alarm: Bird", str(out), *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"sound": "Alarm: Bird", "seconds": 1.5, "rate": 44100, "files": [str(out), str(picture)]}
    expected = array("h", bytes(2 * 66150))
    Tone("Alarm: Bird", rate=44100, intensity=2, seconds=1.5).render(0, expected)
    with wave.open(str(out)) as file:
        assert file.getparams()[:4] == (1, 2, 44100, 66150)
        assert file.readframes(66150) == expected.tobytes()
    assert read_png(picture)[:2] == (WIDTH, HEIGHT)


def test_render_by_default_and_by_repetitions(tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    assert main(["siren", "render", "Siren: Evac", str(out), "--rate", "8000"]) == 0
    with wave.open(str(out)) as file:
        assert file.getnframes() == 80_000
    assert main(["siren", "render", "Siren: Evac", str(out), "--rate", "8000", "--repetitions", "2"]) == 0
    with wave.open(str(out)) as file:
        assert file.getnframes() == 64_000


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["Siren: Evca"], 2, "did you mean 'Siren: Evac'"),
        (["Siren: Evac", "--rate", "22050"], 2, "rate"),
        (["Siren: Evac", "--seconds", "0"], 2, "seconds"),
        (["Siren: Evac", "--seconds", "100000"], 2, "render 44739 s or less"),
    ],
)
def test_errors_say_what_to_do(
    words: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.wav"
    assert main(["siren", "render", words[0], str(out), *words[1:]]) == code
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_a_place_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["siren", "render", "Siren: Evac", str(tmp_path / "none" / "out.wav"), "--seconds", "0.1"]) == 1
    assert "No such file" in capsys.readouterr().err


def test_png_holds_the_pixels(tmp_path: Path) -> None:
    pixels = bytes(i * 7 % 256 for i in range(3 * 5 * 4))
    (tmp_path / "a.png").write_bytes(png(5, 4, pixels))
    assert read_png(tmp_path / "a.png") == (5, 4, pixels)
    with pytest.raises(ValueError, match="60 bytes"):
        png(5, 4, pixels[:-1])


def test_spectrogram_shows_a_tone_at_its_frequency() -> None:
    samples = array("h", bytes(2 * 48000))
    Tone("BS 5839 evacuate").render(0, samples)
    picture = np.frombuffer(spectrogram(samples, 48000, 50, 101), np.uint8).reshape(101, 50, 3)
    brightness = picture.astype(int).sum(axis=2)
    assert abs((100 - brightness[:, 25].argmax()) / 100 * TOP_HZ - 970) <= TOP_HZ / 100
    assert brightness[20, 25] < 60
