"""Clips: every format of the manual becomes the same sound; what is wrong with a file is said; .au needs no library."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from array import array
from pathlib import Path

import numpy as np
import pytest
import soundfile

from axcore.audio import clips
from axcore.errors import InputError

HERTZ = 1000
FILES = [
    ("AU", "PCM_16", "au"), ("AU", "ULAW", "au"), ("WAV", "PCM_16", "wav"), ("WAV", "PCM_24", "wav"),
    ("WAV", "ULAW", "wav"), ("WAV", "FLOAT", "wav"), ("WAVEX", "PCM_16", "wav"), ("MP3", None, "mp3"),
    ("OGG", "VORBIS", "vorbis"), ("OGG", "OPUS", "opus"),
]  # fmt: skip


def wave(rate: int, seconds: float = 1.0, hertz: float = HERTZ, channels: int = 2) -> np.ndarray:
    """A sine of half of full scale on every channel."""
    sine = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)
    return np.stack([sine] * channels, axis=1)


def encoded(samples: np.ndarray, rate: int, container: str = "WAV", subtype: str | None = "PCM_16") -> bytes:
    """A file."""
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format=container, subtype=subtype)
    return out.getvalue()


def peak_hertz(samples: array[int], rate: int) -> float:
    """The strongest frequency."""
    spectrum = np.abs(np.fft.rfft(np.array(samples) * np.hanning(len(samples))))
    return float(spectrum.argmax()) * rate / len(samples)


def rms(samples: array[int]) -> float:
    return float(np.sqrt(np.mean((np.array(samples) / 32767.0) ** 2)))


@pytest.mark.parametrize(("container", "subtype", "kind"), FILES)
def test_every_format_is_the_same_sound(container: str, subtype: str | None, kind: str) -> None:
    clip = clips.load(encoded(wave(48_000), 48_000, container, subtype))
    assert (clip.format, clip.rate, clip.channels, clip.source_rate) == (kind, 48_000, 2, 48_000)
    assert clip.seconds == pytest.approx(1.0, abs=0.05)  # an MP3 is padded
    assert peak_hertz(clip.samples, 48_000) == pytest.approx(HERTZ, abs=2)
    assert rms(clip.samples) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("rate", [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 192000])
@pytest.mark.parametrize("target", [8000, 16000, 48000])
def test_every_usual_rate_is_converted_without_shift_and_loss(rate: int, target: int) -> None:
    samples = np.zeros((rate, 1))
    samples[rate // 2 :] = wave(rate, 1.0, channels=1)[rate // 2 :]  # silent, then a sine
    clip = clips.load(encoded(samples, rate), rate=target)
    assert len(clip.samples) == target
    assert peak_hertz(clip.samples, target) == pytest.approx(HERTZ, abs=2)
    quiet, loud = clip.samples[: target * 45 // 100], clip.samples[target * 55 // 100 : target * 95 // 100]
    assert rms(quiet) < 0.001
    assert rms(loud) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


def test_channels_are_averaged() -> None:
    both = wave(48_000)
    both[:, 1] *= -1
    assert set(clips.load(encoded(both, 48_000)).samples) <= {-1, 0, 1}
    eight = clips.load(encoded(wave(48_000, channels=8), 48_000))
    assert (eight.channels, rms(eight.samples)) == (8, pytest.approx(0.5 / np.sqrt(2), rel=0.01))


def test_too_loud_is_cut_and_never_wraps() -> None:
    clip = clips.load(encoded(4 * wave(44_100), 44_100, "WAV", "FLOAT"))
    assert max(clip.samples) == 32767
    assert min(clip.samples) == -32767


def refusals() -> list[tuple[str, bytes, str]]:
    nan = wave(48_000, 0.1)
    nan[7, 0] = np.nan
    good = encoded(wave(48_000), 48_000, "OGG", "VORBIS")
    return [
        ("empty", b"", "is empty"),
        ("rubbish", b"\x00\x01rubbish" * 100, "is no audio file"),
        ("text", b"#!/bin/sh\nreboot\n", "is no audio file"),
        ("half a header", encoded(wave(48_000), 48_000)[:20], "is no audio file"),
        ("flac", encoded(wave(48_000), 48_000, "FLAC"), "kind FLAC"),
        ("aiff", encoded(wave(48_000), 48_000, "AIFF"), "kind AIFF"),
        ("nine channels", encoded(wave(48_000, channels=9), 48_000), "9 channels"),
        ("odd rate", encoded(wave(37_800), 37_800), "37800 samples a second"),
        ("no rate", encoded(wave(1_000), 1_000), "1000 samples a second"),
        ("no samples", encoded(np.zeros((0, 1)), 48_000), "no sound"),
        ("not a number", encoded(nan, 48_000, "WAV", "FLOAT"), "no sound"),
        ("far too loud", encoded(1e6 * wave(48_000), 48_000, "WAV", "FLOAT"), "no sound"),
        ("too long", encoded(wave(8_000, 3.01), 8_000), "longer than 3 s"),
        ("too many bytes", good + b"x" * 1_000_000, "bytes"),
    ]


@pytest.mark.parametrize(("data", "reason"), [pytest.param(d, r, id=n) for n, d, r in refusals()])
def test_what_is_wrong_with_a_file(data: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as raised:
        clips.load(data, max_bytes=1_000_000, max_seconds=3.0)
    assert raised.value.field == "file"


def test_au_files_go_there_and_back() -> None:
    samples = array("h", [0, 1, -1, 32767, -32768, 258])
    data = clips.au(samples, 48_000)
    assert data[:4] == b".snd"
    assert clips.read_au(data) == (samples, 48_000)
    found, rate = soundfile.read(io.BytesIO(data), dtype="int16")  # others read it too
    assert (list(found), rate) == (list(samples), 48_000)
    for broken in (b"", data[:23], data[:-1], data + b"\0\0", b"RIFF" + data[4:], data[:15] + b"\1" + data[16:]):
        with pytest.raises(InputError) as raised:
            clips.read_au(broken)
        assert raised.value.field == "file"


def decode(data: bytes, out: Path, *, seconds: float = 3.0) -> tuple[int, dict[str, object]]:
    command = [sys.executable, "-m", "axcore.audio.clips", "48000", "1000000", str(seconds), str(out)]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    return done.returncode, json.loads(done.stdout)


SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")


@pytest.mark.skipif(SANITIZED, reason="AddressSanitizer reserves more address space than a decoder may take")
def test_a_process_that_decodes(tmp_path: Path) -> None:
    out = tmp_path / "out.au"
    out.touch()
    code, told = decode(encoded(wave(44_100), 44_100, "MP3", None), out)
    assert (code, told["format"], told["source_rate"]) == (0, "mp3", 44_100)
    samples, rate = clips.read_au(out.read_bytes())
    assert (rate, len(samples) / rate) == (48_000, told["seconds"])
    assert peak_hertz(samples, rate) == pytest.approx(HERTZ, abs=2)
    code, told = decode(b"rubbish", out)
    assert (code, told["field"]) == (1, "file")


def test_a_process_that_decodes_is_confined(tmp_path: Path) -> None:
    out = tmp_path / "out.au"
    out.touch()
    code = "from axcore.audio import clips; clips._confine(1000); open(r'%s', 'r+b', 0).write(bytes(2000)); 1 / 0"
    done = subprocess.run([sys.executable, "-c", code % out], capture_output=True, check=False)
    assert done.returncode != 0
    assert b"ZeroDivisionError" in done.stderr or b"File too large" in done.stderr
    assert out.stat().st_size <= 1000


def test_the_library_does_not_load_the_decoder() -> None:
    code = "import sys, axcore.audio.clips as c; c.read_au(c.au(c.array('h', [1]), 8000)); "
    code += "print('numpy' in sys.modules or 'soundfile' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
