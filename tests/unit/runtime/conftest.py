"""A ledger on a real store in a temporary directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from axcore.runtime.bus import Bus
from axcore.runtime.clock import SystemClock
from axcore.runtime.ledger import Ledger
from axcore.runtime.wakeup import Wakeup

MakeLedger = Callable[..., Ledger]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def make_ledger(data: Path) -> Iterator[MakeLedger]:
    """``make_ledger(start=True, load=True, **arguments of Ledger)``; what is left open is stopped at the end."""
    ledgers: list[Ledger] = []
    wakeup = Wakeup()

    def make(*, start: bool = True, load: bool = True, **arguments: object) -> Ledger:
        ledger = Ledger(data, SystemClock(), Bus(), wait=wakeup.wait, wake=wakeup.wake, **arguments)  # type: ignore[arg-type]
        ledgers.append(ledger)
        if load:
            ledger.load()
        if start:
            ledger.start()
        return ledger

    yield make
    for ledger in ledgers:
        ledger.stop()
    wakeup.close()
