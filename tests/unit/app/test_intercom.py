"""What the intercom tells the ledger, when the ledger has no room."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from axcore.app.intercom import Intercom
from axcore.devices.models import DOOR_STATION
from axcore.errors import QueueFullError, StateError
from axcore.model.voice import Ended
from axcore.services.indicators import IndicatorService
from axcore.services.schedules import ScheduleService
from axcore.testing.clock import VirtualClock
from axcore.testing.memory import MemoryLedger

PATIENCE = 30.0


class Narrow:
    """A ledger that is full, or stopped, as often as the test says."""

    def __init__(self) -> None:
        self.jobs: list[Any] = []
        self.refusals: list[Exception] = []
        self.full, self.tried = threading.Event(), threading.Event()

    def post(self, job: Any) -> None:
        if self.full.is_set():
            self.tried.set()
            raise QueueFullError("4096 jobs wait")
        if self.refusals:
            raise self.refusals.pop(0)
        self.jobs.append(job)


@pytest.fixture
def ledger() -> Narrow:
    return Narrow()


@pytest.fixture
def intercom(ledger: Narrow) -> Intercom:
    memory = MemoryLedger(VirtualClock())
    schedules = ScheduleService(memory.virtual_clock, memory.bus)
    return Intercom(DOOR_STATION, ledger, schedules, IndicatorService(DOOR_STATION), bind="127.0.0.1")  # type: ignore[arg-type]


def test_a_key_that_the_ledger_does_not_take_harms_nobody(
    intercom: Intercom, ledger: Narrow, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.refusals = [QueueFullError("4096 jobs wait"), StateError("the ledger is stopped")]
    for key in "123":
        intercom.service._on_key("1", key, 0)
    assert len(ledger.jobs) == 1
    assert "4096 jobs wait" in caplog.text


def test_a_report_waits_until_the_ledger_has_room(intercom: Intercom, ledger: Narrow) -> None:
    ledger.refusals = [QueueFullError("4096 jobs wait")] * 3
    intercom._on_report(1, Ended(leg="1", code=200, reason="OK"))
    assert len(ledger.jobs) == 1
    ledger.refusals = [QueueFullError("4096 jobs wait")] * 3
    intercom._on_lost(1, "ended by signal 9")
    assert len(ledger.jobs) == 2


def test_a_device_that_stops_waits_for_no_room(intercom: Intercom, ledger: Narrow) -> None:
    ledger.full.set()
    report = Ended(leg="1", code=200, reason="OK")
    reading = threading.Thread(target=intercom._on_report, args=(1, report), daemon=True)
    reading.start()
    assert ledger.tried.wait(PATIENCE)
    intercom.stop()
    reading.join(PATIENCE)
    assert not reading.is_alive()
    ledger.full.clear()
    intercom._on_report(1, report)  # its last words, where there is room
    ledger.refusals = [StateError("the ledger is stopped")]
    intercom._on_report(1, report)
    assert len(ledger.jobs) == 1
