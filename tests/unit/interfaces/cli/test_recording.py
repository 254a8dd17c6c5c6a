"""`axcore sim picture` and `sound`: columns show the frame of their time, samples stand where they were heard."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from axcore.interfaces.cli.main import main
from axcore.interfaces.cli.recording import LINE, recording, strip

MS = 1_000_000
RED, BLUE = bytes((255, 0, 0)) * 2, bytes((0, 0, 255)) * 2


def test_a_column_shows_the_frame_that_was_on() -> None:
    height, pixels = strip([(100 * MS, RED), (150 * MS, BLUE)], 2, 0, 200 * MS, 4)
    assert height == 2 * LINE
    line = bytes(pixels[:12])
    assert line == bytes(3) + RED[:3] + BLUE[:3] + BLUE[:3]
    assert bytes(pixels) == line * height


def test_dim_light_is_brighter_on_a_screen() -> None:
    _, pixels = strip([(0, bytes((64, 0, 0)))], 1, 0, 10, 1)
    assert pixels[0] == round(255 * (64 / 255) ** (1 / 2.2))


def test_no_frames_are_black() -> None:
    assert strip([], 2, 0, 10, 3) == (6, bytearray(54))


def test_blocks_follow_without_a_seam_and_gaps_are_silent() -> None:
    ramp = [array("h", range(10 * k, 10 * k + 10)) for k in range(4)]
    # At 44.1 kHz ten samples are no whole number of nanoseconds; the third block comes 1 ms later.
    blocks = [(0, ramp[0]), (226_757, ramp[1]), (1_453_515 + 1, ramp[2])]
    out, heard = recording(blocks, 44_100, 0, 80)
    assert heard == 30
    assert out[:20] == array("h", range(20))
    assert out[20:64] == array("h", [0] * 44)
    assert out[64:74] == ramp[2]


def test_only_the_part_in_the_window() -> None:
    out, heard = recording([(0, array("h", [7] * 48)), (5 * MS, array("h", [9] * 48))], 48_000, 500_000, 24)
    assert (out, heard) == (array("h", [7] * 24), 24)


@pytest.mark.parametrize("words", [["picture", "x.png"], ["sound", "x.wav"]])
def test_without_a_siren_it_says_what_to_do(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sim", *words, "--data-dir", str(tmp_path)]) == 1
    assert "d4100-ve-mk2" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--seconds", "0"], ["--width", "0"], ["--seconds", "nan"]])
def test_a_picture_that_cannot_be(tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", "picture", "x.png", *words, "--data-dir", str(tmp_path)]) == 2
    assert "--seconds is" in capsys.readouterr().err
