"""What ``make demo-controller`` does, it does; and what it writes can be read."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from axcore.testing.demo_controller import main

SWIPES = 3


def test_the_demo_passes_and_draws_what_happened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--out", str(tmp_path), "--swipes", str(SWIPES), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert (code, said["failed"]) == (0, None)
    steps = {row["step"]: row for row in said["timeline"]}
    assert steps[f"last edge -> relay, p50 of {SWIPES}"]["latency_ms"] > 25  # the gap that ends a frame
    root = ElementTree.parse(tmp_path / "timeline.svg").getroot()
    bars = [entry.get("fill") for entry in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert bars.count("#2a7") == SWIPES
    assert {"green", "blue"} <= set(bars)
