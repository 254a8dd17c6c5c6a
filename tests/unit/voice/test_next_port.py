"""RTP ports of calls that come: all in turn, and none that a leg has."""

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")

from axcore.voice.stack import next_port

PORTS = (4024, 4026, 4028)


def legs(*ports: int) -> list[Any]:
    return [SimpleNamespace(media=SimpleNamespace(port=port)) for port in ports]


def test_all_come_in_turn() -> None:
    assert [next_port(PORTS, turn, ()) for turn in range(6)] == [*PORTS, *PORTS]


def test_one_that_a_leg_has_is_passed_over() -> None:
    assert [next_port(PORTS, turn, legs(4026)) for turn in range(3)] == [4024, 4028, 4028]


def test_more_calls_than_ports_share_and_without_ports_there_is_none() -> None:
    assert next_port(PORTS, 1, legs(*PORTS)) == 4026
    assert next_port((), 7, legs(0)) == 0
