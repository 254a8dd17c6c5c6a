"""Calibrating and testing the loudspeaker (manual: Calibrate and run a remote speaker test).

The loudspeaker and the microphone are behind ``Recorder``; what is heard of the tones is measured and judged by
``axcore.audio.speaker_test``. Status words and the event are those of VAPIX, Auto speaker test service API. Methods
that take ``tx`` are jobs of the ledger thread; ``report`` may be read by any thread.

A calibration in which the tones are not to be heard is refused, and the one before stays: tests that compare with
silence would tell nothing. What is under way when the device stops is forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from axcore.errors import ConflictError
from axcore.model import events
from axcore.model.events import NewEvent
from axcore.model.times import rfc3339
from axcore.services.stored import changed

if TYPE_CHECKING:
    from axcore.audio.speaker_test import Response
    from axcore.runtime.ledger import Transaction

log = logging.getLogger(__name__)

KIND = "speakertest"
CALIBRATION, LATEST = (KIND, "calibration"), (KIND, "test")
SHORT_NS = 3_000_000_000
Status = Literal["OK", "Failed", "Calibrated", "Pending", "Uncalibrated", "DisabledInHardware", "InternalError"]
Act = Literal["calibrate", "test"]


class NotCalibratedError(ConflictError):
    """A test needs a calibration first."""


class Recorder(Protocol):
    """A loudspeaker and a microphone beside it."""

    def record(self, done: Callable[[Response | None, str], None]) -> None:
        """Play the test tones and measure what is heard; ``done`` is told by another thread after some seconds: what
        was heard, or None and why nothing was."""


class NoRecorder:
    """No microphone: tests."""

    def record(self, done: Callable[[Response | None, str], None]) -> None:
        """Nothing is heard."""
        done(None, "there is no sound card")


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """As stored."""

    response: dict[str, Any]
    timestamp: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Of the latest test, as stored. ``differences_db``: louder or quieter than calibrated, by tone."""

    status: Status
    timestamp: str
    reason: str
    text: str
    differences_db: tuple[float | None, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What users see. Timestamps are empty as long as there was none."""

    status: Status
    test_timestamp: str = ""
    calibration_timestamp: str = ""
    reason: str = ""
    """Of the latest test or calibration: ``ok``, ``no_sound``, ``microphone_covered``, ``quieter``, ``changed``,
    ``too_noisy``, ``internal_error``."""
    text: str = ""
    tones_hz: tuple[int, ...] = ()
    differences_db: tuple[float | None, ...] = ()


class SpeakerTestService:
    """The speaker test of one device. ``source`` names it in events."""

    def __init__(self, submit: Callable[[Callable[[Transaction], Any]], object], source: str = "") -> None:
        self._submit = submit
        self._source = source
        self._recorder: Recorder = NoRecorder()
        self._calibration: Calibration | None = None
        self._outcome: Outcome | None = None
        self._trouble: Outcome | None = None
        """Why the latest calibration was refused, or the latest attempt came to nothing; not stored."""
        self._pending: int | None = None
        self._number = 0
        self._actor = ""
        self._pressed_ns: int | None = None

    def attach(self, recorder: Recorder) -> None:
        """Connect loudspeaker and microphone."""
        self._recorder = recorder

    def load(self, tx: Transaction) -> None:
        """Read what is stored."""
        calibration, outcome = tx.get(*CALIBRATION), tx.get(*LATEST)
        self._calibration = None if calibration is None else msgspec.json.decode(calibration, type=Calibration)
        self._outcome = None if outcome is None else msgspec.json.decode(outcome, type=Outcome)
        self._trouble = self._pending = None

    # --- what users ask

    @property
    def report(self) -> Report:
        """Where it stands."""
        from axcore.audio.speaker_test import TONES_HZ

        told = self._trouble or self._outcome
        calibrated = "" if self._calibration is None else self._calibration.timestamp
        pending = self._pending is not None
        return Report(
            status=self._status(),
            test_timestamp="" if pending or self._outcome is None else self._outcome.timestamp,
            calibration_timestamp=calibrated,
            reason="" if pending or told is None else told.reason,
            text="" if pending or told is None else told.text,
            tones_hz=TONES_HZ,
            differences_db=() if pending or told is None else told.differences_db,
        )

    def _status(self) -> Status:
        if self._pending is not None:
            return "Pending"
        if self._trouble is not None and self._trouble.status == "InternalError":
            return "InternalError"
        if self._calibration is None:
            return "Uncalibrated"
        return "Calibrated" if self._outcome is None else self._outcome.status

    def calibrate(self, tx: Transaction) -> None:
        """Begin to calibrate. ConflictError: it is under way."""
        self._begin(tx, "calibrate")

    def test(self, tx: Transaction) -> None:
        """Begin a test. NotCalibratedError; ConflictError: it is under way."""
        if self._pending is None and self._calibration is None:
            raise NotCalibratedError("speakerTest", "calibrate the speaker test first")
        self._begin(tx, "test")

    def on_button(self, tx: Transaction, active: bool) -> None:
        """The control button was pressed or let go: within 3 s, it calibrates (longer is for other things)."""
        pressed, now = self._pressed_ns, tx.now.mono_ns
        tx.assign(self, "_pressed_ns", now if active else None)
        if not active and pressed is not None and now - pressed < SHORT_NS and self._pending is None:
            self.calibrate(tx)

    # --- inside

    def _begin(self, tx: Transaction, act: Act) -> None:
        if self._pending is not None:
            raise ConflictError("speakerTest", "a calibration or a test is under way")
        tx.assign(self, "_number", self._number + 1)
        tx.assign(self, "_pending", self._number)
        tx.assign(self, "_trouble", None)
        tx.assign(self, "_actor", tx.actor)
        tx.after_commit(partial(self._recorder.record, partial(self._recorded, act, self._number)))

    def _recorded(self, act: Act, number: int, response: Response | None, error: str) -> None:
        """The recorder is done (any thread)."""

        def job(tx: Transaction) -> None:
            if self._pending != number:
                return
            tx.assign(self, "_pending", None)
            if response is None:
                self._failed(tx, error)
            elif act == "calibrate":
                self._calibrated(tx, response)
            else:
                self._tested(tx, response)

        self._submit(job)

    def _failed(self, tx: Transaction, error: str) -> None:
        text = f"tones could not be played or heard: {error}"
        tx.assign(self, "_trouble", _outcome(tx, "InternalError", "internal_error", text))
        tx.publish(NewEvent(topic=events.SYSTEM_FAULT, data={"component": "speaker test", "reason": text}))
        log.error("the speaker test: %s", text)

    def _calibrated(self, tx: Transaction, response: Response) -> None:
        from axcore.audio.speaker_test import REASONS, fault_of

        if (fault := fault_of(response)) is not None:
            tx.assign(self, "_trouble", _outcome(tx, "Failed", fault, f"not calibrated: {REASONS[fault]}"))
            return
        calibration = Calibration(response=msgspec.structs.asdict(response), timestamp=_timestamp(tx))
        tx.put(*CALIBRATION, msgspec.json.encode(calibration))
        tx.delete(*LATEST)
        tx.assign(self, "_calibration", calibration)
        tx.assign(self, "_outcome", None)
        tx.publish(changed(KIND, "calibration", "update", self._actor))

    def _tested(self, tx: Transaction, response: Response) -> None:
        from axcore.audio.speaker_test import Response, compare

        assert self._calibration is not None
        verdict = compare(msgspec.convert(self._calibration.response, Response), response)
        status: Status = "OK" if verdict.passed else "Failed"
        outcome = _outcome(tx, status, verdict.reason, verdict.text, verdict.differences_db)
        tx.put(*LATEST, msgspec.json.encode(outcome))
        tx.assign(self, "_outcome", outcome)
        data: dict[str, str] = {"SpeakerTestStatus": status, "Reason": verdict.reason}
        tx.publish(NewEvent(topic=events.SPEAKER_TEST, source={"DeviceUUID": self._source}, data=data))


def _timestamp(tx: Transaction) -> str:
    return rfc3339(tx.now.wall_ns)


def _outcome(
    tx: Transaction, status: Status, reason: str, text: str, differences_db: tuple[float | None, ...] = ()
) -> Outcome:
    return Outcome(status=status, timestamp=_timestamp(tx), reason=reason, text=text, differences_db=differences_db)
