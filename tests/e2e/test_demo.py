"""The manual's example is played to its end."""

import json
import time

import pytest

from axcore.interfaces.cli.main import main

PROMISED_S = 30
"""By ``make demo``; it takes half of it."""
TRIES = 3


def busy() -> bool:
    """Whether others have the processors: half a second of work takes half as long again."""
    began, used = time.monotonic(), time.process_time()
    while time.process_time() - used < 0.5:
        pass
    return time.monotonic() - began > 0.75


def test_the_demo_passes(capsys: pytest.CaptureFixture[str]) -> None:
    took: list[float] = []
    while not took or (took[-1] >= PROMISED_S and len(took) < TRIES):  # once more where others had the machine
        code = main(["demo", "--json"])
        said = json.loads(capsys.readouterr().out)
        assert said["failed"] is None
        assert (code, said["ok"]) == (0, True)
        assert [row["step"] for row in said["timeline"] if row["step"].startswith("swipe 11")] == ["swipe 11: denied"]
        took.append(said["timeline"][-1]["t_s"])
    assert took[-1] < PROMISED_S or busy()
