"""The manual's example is played to its end."""

import json

import pytest

from axcore.interfaces.cli.main import main


def test_the_demo_passes(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["demo", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["failed"] is None
    assert (code, said["ok"]) == (0, True)
    assert [row["step"] for row in said["timeline"] if row["step"].startswith("swipe 11")] == ["swipe 11: denied"]
    assert said["timeline"][-1]["t_s"] < 30  # what `make demo` promises; it takes half of it
