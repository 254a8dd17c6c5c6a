"""Seed 000, *Calibrate and run a remote speaker test*."""

from __future__ import annotations

import pytest

from axcore.audio.speaker_test import TONES_HZ, compare
from axcore.devices.models import MODELS
from axcore.services.speaker_test import NotCalibratedError
from tests.unit.audio.test_speaker_test import heard
from tests.unit.services.test_speaker_test import GOOD, SILENT, Bench


def test_a_series_of_test_tones_is_registered_by_the_microphone() -> None:
    """The speaker performs the test by playing a series of test tones that are registered by the built-in
    microphone."""
    assert len(TONES_HZ) > 1
    response = heard()
    assert all(level > noise + 10 for level, noise in zip(response.levels_db, response.noise_db, strict=True))


def test_values_are_compared_with_those_of_the_calibration() -> None:
    """Every time you run the test, the registered values are compared with the values that were registered during the
    calibration."""
    bench = Bench()
    bench.calibrate(GOOD)
    bench.test(GOOD)
    assert bench.service.report.status == "OK"
    bench.test(SILENT)
    assert bench.service.report.status == "Failed"


def test_surroundings_that_change_are_noticed() -> None:
    """If the speaker is moved or if its local surroundings change, for instance if a wall is built or removed, the
    speaker should be re-calibrated."""
    reference = heard()
    verdict = compare(reference, heard(seed=5, rt60_ms=900, echo_db=-18))
    assert not verdict.passed
    again = heard(seed=5, rt60_ms=900, echo_db=-18)
    assert compare(again, heard(seed=5, rt60_ms=900, echo_db=-18)).passed


def test_once_calibrated_it_can_be_run_at_any_time() -> None:
    """Once the Axis product is calibrated, the speaker test can be run at any time."""
    bench = Bench()
    with pytest.raises(NotCalibratedError):
        bench.ledger.do(bench.service.test)
    bench.calibrate()
    for _ in range(3):
        bench.ledger.advance(3600.0)
        bench.test()
        assert bench.service.report.status == "OK"


def test_the_second_generation_has_it() -> None:
    """The manual of the second generation describes it; that of the first does not."""
    assert [name for name, model in MODELS.items() if model.speaker_test] == ["a8207-ve-mk2"]
