"""What ``make demo-call`` does, it does; and what it writes can be heard and read."""

from __future__ import annotations

import json
import re
import wave
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")

from axcore.testing.demo_call import main


def test_the_demo_passes_and_writes_what_was_heard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--out", str(tmp_path), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert (code, said["failed"]) == (0, None)
    steps = {row["step"]: row for row in said["timeline"]}
    held = re.match(r"open for (\d+\.\d+) s", steps["the door closes"]["outcome"])
    assert held is not None
    assert 6.9 < float(held[1]) < 10.0  # never cut short; somebody else may have the processor when it ends
    with wave.open(str(tmp_path / "heard.wav")) as file:
        assert file.getframerate() == 8000
        assert file.getnframes() / 8000 > 3
    assert ElementTree.parse(tmp_path / "call.svg").getroot().tag.endswith("svg")
