"""``axcore audio process``: echo is gone, the talker stays in place, pictures, recordings of other kinds, refusals."""

from __future__ import annotations

import json
import re
import sys
import wave
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from axcore.audio import Resampler, Room
from axcore.interfaces.cli import progress as bars
from axcore.interfaces.cli.audio import process
from axcore.interfaces.cli.main import main
from axcore.interfaces.cli.wavfile import read_wav
from tests.unit.interfaces.cli.test_siren import read_png

RATE = 16000


def save(path: Path, *channels: Any, rate: int = RATE, width: int = 2) -> Path:
    data = np.stack(channels, axis=-1).astype(np.int64) << 8 * (width - 2) if width > 1 else None
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(width)
        file.setframerate(rate)
        if data is None:
            file.writeframes(((np.stack(channels, axis=-1) >> 8) + 128).astype(np.uint8).tobytes())
        else:
            file.writeframes(data.astype("<i8").tobytes() if width == 8 else _low_bytes(data, width))
    return path


def _low_bytes(data: Any, width: int) -> bytes:
    return np.ascontiguousarray(data.astype("<i8")).view(np.uint8).reshape(-1, 8)[:, :width].tobytes()


@pytest.fixture(scope="module")
def recorded() -> tuple[Any, Any, Any]:
    """Microphone, loudspeaker, and the talker alone, of 6 s."""
    rng = np.random.default_rng(11)
    count = 6 * 100
    loudness = np.repeat(rng.uniform(500, 5000, count // 10), 1600)
    far = (rng.normal(0, 1, 160 * count) * loudness).clip(-32768, 32767).astype(np.int16)
    talker = np.zeros(160 * count, np.int16)
    talker[4 * RATE : 5 * RATE] = 6000 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE) * np.hanning(RATE)
    room = Room(RATE, rt60_ms=120, delay_ms=25, noise_db=-75, echo_db=-10)
    frames = zip(far.reshape(-1, 160), talker.reshape(-1, 160), strict=True)
    return np.concatenate([room.step(speaker, said) for speaker, said in frames]), far, talker


def test_the_echo_goes_and_the_talker_stays_where_he_was(
    recorded: tuple[Any, Any, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mic, far, talker = recorded
    source, ref, out = save(tmp_path / "mic.wav", mic), save(tmp_path / "ref.wav", far), tmp_path / "out.wav"
    assert main(["audio", "process", str(source), "--ref", str(ref), "-o", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["erle_db"] > 30
    assert told["delay_ms"] == pytest.approx(25, abs=2)
    assert 0.05 < told["talker_share"] < 0.5
    result = read_wav(out)
    assert result.rate == RATE
    clean = result.channels[0].astype(float)
    assert len(clean) == len(mic)
    at = slice(round(4.2 * RATE), round(4.8 * RATE))
    shifts = [np.corrcoef(np.roll(clean, shift)[at], talker[at])[0, 1] for shift in range(-40, 41)]
    assert np.argmax(shifts) in range(38, 43)  # In its place to an eighth of a millisecond.
    assert max(shifts) > 0.97
    assert main(["audio", "process", str(source), "--ref", str(ref), "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert re.search(r"echo taken out +\d+\.\d dB", said)
    assert "little echo" not in said


def test_the_filter_alone_takes_less(recorded: tuple[Any, Any, Any]) -> None:
    mic, far, _ = recorded
    whole, part = process(mic, far, RATE), process(mic, far, RATE, suppress=False)
    assert part.latency_ms == 0
    assert whole.latency_ms <= 5
    assert part.talking.any()
    found = whole.erle_db(), part.erle_db()
    assert None not in found
    assert found[0] > found[1] > 10


def test_noise_goes_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(3)
    mic, far = rng.normal(0, 300, 4 * RATE).astype(np.int16), np.zeros(4 * RATE, np.int16)
    source, out = save(tmp_path / "both.wav", mic, far), tmp_path / "out.wav"
    left = {}
    for most in ("0", "12", "30"):
        assert main(["audio", "process", str(source), "-o", str(out), "--noise", most, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["latency_ms"] <= 5
        left[most] = 20 * np.log10(np.std(read_wav(out).channels[0][2 * RATE :].astype(float)) / 300)
    assert left["0"] > -1
    assert -13 < left["12"] < -9
    assert left["30"] < -18
    assert main(["audio", "process", str(source), "-o", str(out), "--noise", "99"]) == 2
    assert "--noise" in capsys.readouterr().err
    assert main(["audio", "process", str(source), "-o", str(out), "--noise", "30", "--filter-only"]) == 2


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_pictures(recorded: tuple[Any, Any, Any], tmp_path: Path, kind: str) -> None:
    mic, far, _ = recorded
    source, out = save(tmp_path / "both.wav", mic, far), tmp_path / "out.wav"
    picture = tmp_path / f"out.{kind}"
    assert main(["audio", "process", str(source), "-o", str(out), "--plot", str(picture)]) == 0
    if kind == "png":
        width, height, pixels = read_png(picture)
        assert len(pixels) == 3 * width * height
        assert len(set(zip(pixels[::3], pixels[1::3], pixels[2::3], strict=True))) > 50
        return
    root = ElementTree.fromstring(picture.read_bytes())
    name = "{http://www.w3.org/2000/svg}"
    texts = [element.text for element in root.iter(f"{name}text")]
    assert {"microphone", "loudspeaker", "result"} <= set(texts)
    assert any(str(text).startswith("ERLE") for text in texts)
    assert len(list(root.iter(f"{name}image"))) == 2
    assert all(element.get("d") for element in root.iter(f"{name}path"))


@pytest.mark.parametrize("width", [1, 3, 4])
def test_samples_of_other_widths(recorded: tuple[Any, Any, Any], tmp_path: Path, width: int) -> None:
    mic, far, _ = recorded
    mic, far = mic[: 2 * RATE], far[: 2 * RATE]
    back = read_wav(save(tmp_path / "wide.wav", mic, far, width=width))
    for wanted, found in zip((mic, far), back.channels, strict=True):
        assert np.array_equal(found, wanted if width > 1 else wanted >> 8 << 8)


def test_recordings_of_other_rates_and_lengths(
    recorded: tuple[Any, Any, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mic, far, _ = recorded
    source = save(tmp_path / "mic.wav", Resampler(RATE, 44100).process(mic), rate=44100)
    ref = save(tmp_path / "ref.wav", Resampler(RATE, 48000).process(far)[: 5 * 48000], rate=48000)
    out = tmp_path / "out.wav"
    assert main(["audio", "process", str(source), "--ref", str(ref), "-o", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rate"] == 48000
    assert told["seconds"] == pytest.approx(6, abs=0.01)
    assert told["erle_db"] > 20


def test_refusals(recorded: tuple[Any, Any, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mic, far, _ = recorded
    good, both = save(tmp_path / "mic.wav", mic[:RATE]), save(tmp_path / "both.wav", mic[:RATE], far[:RATE])
    odd, short = save(tmp_path / "odd.wav", mic[:RATE], rate=22050), save(tmp_path / "short.wav", mic[:100])
    text = tmp_path / "text.wav"
    text.write_text("RIFF, but no sound")
    out = str(tmp_path / "out.wav")
    cases = [
        ([good, "-o", out], "is missing"),
        ([good, "--ref", tmp_path / "nothing.wav", "-o", out], "nothing.wav"),
        ([good, "--ref", text, "-o", out], "no WAV file"),
        ([good, "--ref", both, "-o", out], "2 channels"),
        ([odd, "--ref", good, "-o", out], "22050"),
        ([short, "--ref", good, "-o", out], "shorter than 10 ms"),
        ([good, "--ref", good, "-o", out, "--tail", "3"], "--tail"),
        ([good, "--ref", good, "-o", out, "--plot", "picture.gif"], "picture.gif"),
        ([good, "--ref", good, "-o", tmp_path / "no" / "out.wav"], "No such file"),
    ]
    for words, said in cases:
        assert main(["audio", "process", *map(str, words)]) in (1, 2)
        assert said in capsys.readouterr().err
    assert not Path(out).exists()


def test_nothing_to_measure_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    silence = save(tmp_path / "silence.wav", np.zeros(RATE, np.int16))
    words = ["audio", "process", str(silence), "--ref", str(silence), "-o", str(tmp_path / "out.wav")]
    assert main([*words, "--plot", str(tmp_path / "out.png")]) == 0
    assert "not known" in capsys.readouterr().out


def test_a_bar_where_somebody_looks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with bars.progress("working", 200) as told:
        told(100)
    assert "working" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    with bars.progress("working", 200) as told:
        told(100)
        told(101)
    assert "\rworking [###############...............]  50 %" in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    with bars.progress("working", 200) as told:
        told(100)
    assert capsys.readouterr().err == ""
