"""What the intercom tells the ledger, when the ledger has no room."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.app.intercom import Intercom
from axcore.devices.models import DOOR_STATION
from axcore.errors import QueueFullError, StateError
from axcore.services.indicators import IndicatorService
from axcore.services.schedules import ScheduleService
from axcore.testing.clock import VirtualClock
from axcore.testing.memory import MemoryLedger


class Narrow:
    """A ledger that is full, or stopped, as often as the test says."""

    def __init__(self) -> None:
        self.jobs: list[Any] = []
        self.refusals: list[Exception] = []

    def post(self, job: Any) -> None:
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
