"""The speaker test service: what is stored, told and refused; what a restart leaves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from axcore.audio.speaker_test import Response
from axcore.errors import ConflictError
from axcore.model import events
from axcore.model.actions import RunSpeakerTest
from axcore.runtime.bus import Bus
from axcore.services.events import Run
from axcore.services.speaker_test import NotCalibratedError, SpeakerTestPerformer, SpeakerTestService
from axcore.testing import MemoryLedger, MemoryStore

NOISE = (-90.0,) * 7
GOOD = Response(levels_db=(-25.0,) * 7, noise_db=NOISE, ambient_db=-70)
SILENT = Response(levels_db=(-88.0,) * 7, noise_db=NOISE, ambient_db=-70)
LOUD = Response(levels_db=(-10.0,) * 7, noise_db=(-15.0,) * 7, ambient_db=-10)


class FakeRecorder:
    """Hears what the test says, when the test says so."""

    def __init__(self) -> None:
        self.asked: list[Callable[[Response | None, str], None]] = []

    def record(self, done: Callable[[Response | None, str], None]) -> None:
        self.asked.append(done)


class Bench:
    """A service over a ledger in memory."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.ledger = MemoryLedger(bus=Bus(), store=store)
        self.service = SpeakerTestService(self.ledger.post, "door")
        self.recorder = FakeRecorder()
        self.service.attach(self.recorder)
        self.ledger.load(self.service.load)

    def calibrate(self, response: Response | None = GOOD, error: str = "") -> None:
        self.ledger.do(self.service.calibrate)
        self.recorder.asked.pop()(response, error)

    def test(self, response: Response | None = GOOD, error: str = "") -> None:
        self.ledger.do(self.service.test)
        self.recorder.asked.pop()(response, error)

    def told(self, topic: str) -> list[dict[str, str]]:
        return [event.data for event in self.ledger.events if event.topic == topic]


def test_calibrate_and_test() -> None:
    bench = Bench()
    assert bench.service.report.status == "Uncalibrated"
    bench.ledger.do(bench.service.calibrate)
    report = bench.service.report
    assert (report.status, report.calibration_timestamp, report.test_timestamp) == ("Pending", "", "")
    bench.recorder.asked.pop()(GOOD, "")
    report = bench.service.report
    assert report.status == "Calibrated"
    assert report.calibration_timestamp
    assert report.test_timestamp == ""
    bench.test()
    report = bench.service.report
    assert (report.status, report.reason) == ("OK", "ok")
    assert report.test_timestamp
    assert report.differences_db == (0.0,) * 7
    assert bench.told(events.SPEAKER_TEST) == [{"SpeakerTestStatus": "OK", "Reason": "ok"}]
    bench.test(SILENT)
    assert (bench.service.report.status, bench.service.report.reason) == ("Failed", "no_sound")
    assert bench.told(events.SPEAKER_TEST)[-1] == {"SpeakerTestStatus": "Failed", "Reason": "no_sound"}
    bench.calibrate()
    assert bench.service.report.status == "Calibrated"  # What was tested before says nothing any more.


def test_a_test_needs_a_calibration() -> None:
    bench = Bench()
    with pytest.raises(NotCalibratedError):
        bench.ledger.do(bench.service.test)
    assert bench.recorder.asked == []


def test_one_at_a_time() -> None:
    bench = Bench()
    bench.calibrate()
    bench.ledger.do(bench.service.test)
    for job in (bench.service.test, bench.service.calibrate):
        with pytest.raises(ConflictError, match="under way") as caught:
            bench.ledger.do(job)
        assert not isinstance(caught.value, NotCalibratedError)
    done = bench.recorder.asked.pop()
    done(GOOD, "")
    done(SILENT, "")  # Told twice: once counts.
    assert bench.service.report.status == "OK"


@pytest.mark.parametrize(("response", "reason"), [(SILENT, "no_sound"), (LOUD, "too_noisy")])
def test_a_calibration_without_tones_is_refused_and_the_old_one_stays(response: Response, reason: str) -> None:
    bench = Bench()
    bench.calibrate(response)
    report = bench.service.report
    assert (report.status, report.reason) == ("Uncalibrated", reason)
    bench.calibrate()
    before = bench.service.report.calibration_timestamp
    bench.calibrate(response)
    report = bench.service.report
    assert (report.status, report.reason, report.calibration_timestamp) == ("Calibrated", reason, before)
    assert report.text.startswith("not calibrated: ")
    bench.test()
    assert bench.service.report.status == "OK"


def test_a_card_that_is_not_there_is_an_internal_error() -> None:
    bench = Bench()
    bench.calibrate(None, "No such device")
    report = bench.service.report
    assert (report.status, report.reason) == ("InternalError", "internal_error")
    assert "No such device" in report.text
    fault = bench.told(events.SYSTEM_FAULT)[-1]
    assert fault["component"] == "speaker test"
    assert bench.told(events.SPEAKER_TEST) == []
    bench.calibrate()
    assert bench.service.report.status == "Calibrated"


def test_without_a_recorder_nothing_hangs() -> None:
    ledger = MemoryLedger(bus=Bus())
    service = SpeakerTestService(ledger.post)
    ledger.load(service.load)
    ledger.do(service.calibrate)
    ledger.do(lambda tx: None)  # What the recorder said at once is worked off.
    assert service.report.status == "InternalError"


def test_a_restart_keeps_results_and_forgets_what_was_under_way() -> None:
    store = MemoryStore()
    bench = Bench(store)
    bench.calibrate()
    bench.test(SILENT)
    report = bench.service.report
    bench.ledger.do(bench.service.test)
    again = Bench(store)
    assert again.service.report == report
    again.test()
    assert again.service.report.status == "OK"


def test_a_rule_can_test() -> None:
    bench = Bench()
    performer = SpeakerTestPerformer(lambda: bench.service)
    action = performer.check(RunSpeakerTest())
    run = Run(rule="1", name="nightly", event=None, correlation=None, failed=lambda reason: None)
    with pytest.raises(NotCalibratedError):
        bench.ledger.do(lambda tx: performer.start(tx, action, run))
    bench.calibrate()
    bench.ledger.do(lambda tx: performer.start(tx, action, run))
    bench.recorder.asked.pop()(GOOD, "")
    assert bench.service.report.status == "OK"
    assert [kind.type for kind in performer.describe()] == ["run_speaker_test"]


def test_the_control_button_calibrates() -> None:
    bench = Bench()

    def press(seconds: float) -> None:
        bench.ledger.do(lambda tx: bench.service.on_button(tx, True))
        bench.ledger.advance(seconds)
        bench.ledger.do(lambda tx: bench.service.on_button(tx, False))

    bench.ledger.do(lambda tx: bench.service.on_button(tx, False))
    press(3.0)  # Too long: that is for a reset.
    assert bench.recorder.asked == []
    press(0.2)
    press(0.2)  # It is under way already.
    assert len(bench.recorder.asked) == 1
    bench.recorder.asked.pop()(GOOD, "")
    assert bench.service.report.status == "Calibrated"
