"""The wall clock is stepped: nothing opens by itself, pulses keep their length, ids rise, dates follow the wall."""

import pytest

from axcore.interfaces.cli.instance import Instance
from axcore.model.events import ENTRY_DENIED, ENTRY_GRANTED
from tests.e2e.conftest import CARD, lasted, let_in
from tests.e2e.patience import PATIENCE


@pytest.mark.parametrize("step", [3600.0, -3600.0, 86400.0, -86400.0])
def test_a_step_during_a_pulse_does_not_change_it(started: Instance, step: float) -> None:
    log = let_in(started, 1.0)
    with started.board(PATIENCE) as board:
        board.call("card", **CARD, correlation="before")
        opened = started.tap.expect("relay1", True, PATIENCE)
        board.call("clock", step=step)
        closed = started.tap.expect("relay1", False, PATIENCE)
        assert lasted(opened, closed, 1.0)
        board.call("card", **CARD, correlation="after")
        started.tap.expect("relay1", True, PATIENCE)
    first, second = log.wait(ENTRY_GRANTED, "before", PATIENCE), log.wait(ENTRY_GRANTED, "after", PATIENCE)
    assert second["id"] > first["id"]
    assert (second["time"] > first["time"]) is (step > 0)


def test_dates_are_judged_by_the_wall_clock(started: Instance) -> None:
    log = let_in(started, 0.05, {"type": "from_to", "start": "2020-01-01T00:00:00Z", "end": "2090-01-01T00:00:00Z"})
    with started.board(PATIENCE) as board:
        board.call("card", **CARD, correlation="valid")
        log.wait(ENTRY_GRANTED, "valid", PATIENCE)
        board.call("clock", step=100 * 365.25 * 86400)
        board.call("card", **CARD, correlation="over")
        log.wait(ENTRY_DENIED, "over", PATIENCE)
