"""What ``make demo-siren`` does, it does; and what it writes can be read."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest

from axcore.testing.demo_siren import RUNS_S, main


def test_the_demo_passes_and_writes_a_picture_and_a_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--out", str(tmp_path), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert (code, said["failed"]) == (0, None)
    steps = {row["step"]: row for row in said["timeline"]}
    assert steps["motion -> first light frame"]["latency_ms"] > 0
    assert (tmp_path / "light.png").read_bytes().startswith(b"\x89PNG")
    with wave.open(str(tmp_path / "sound.wav")) as file:
        samples = memoryview(file.readframes(file.getnframes())).cast("h")
        loud = sum(abs(sample) > 100 for sample in samples[::16]) * 16 / file.getframerate()
    assert loud > RUNS_S / 4  # the sound has pauses
