"""The loop is blocked for 8 s: request to exit opens, cards work, pulses end on time, keep-alives stop."""

from axcore.interfaces.cli.instance import Instance
from axcore.model.events import ENTRY_GRANTED
from tests.e2e.conftest import CARD, lasted, let_in
from tests.e2e.patience import PATIENCE

STALL_NS = 8_000_000_000


def test_a_card_opens_and_the_pulse_ends_while_the_loop_is_blocked(started: Instance) -> None:
    log = let_in(started, 0.5)
    with started.board(PATIENCE) as board, started.board(PATIENCE) as other:
        reply = other.call("stall", seconds=8)
        board.call("card", **CARD, correlation="during")
        opened = started.tap.expect("relay1", True, PATIENCE)
        closed = started.tap.expect("relay1", False, PATIENCE)
    assert closed.t_ns - reply["t_ns"] < STALL_NS  # all of it happened before the loop came back
    assert lasted(opened, closed, 0.5)
    assert log.wait(ENTRY_GRANTED, "during", PATIENCE)["data"]["name"].startswith("Ada")


def test_rex_opens_while_the_loop_is_blocked_and_ends_on_time(started: Instance) -> None:
    with started.board(PATIENCE) as board:
        began = board.call("stall", seconds=8)["t_ns"]
        board.call("rex", duration=0.05)
        opened = started.tap.expect("relay1", True, PATIENCE)
        closed = started.tap.expect("relay1", False, PATIENCE)
    assert opened.t_ns - began < STALL_NS  # before the loop came back
    assert lasted(opened, closed, 5.0)  # held for 5 s after the press, as delivered
