"""Seed 001, SIP > Settings > Call handling: what is set there holds for calls, sentence by sentence."""

from __future__ import annotations

from typing import Any

import pytest
from intercom_bench import IntercomBench

from axcore.model.voice import Connected, HangUp


class Handled:
    """A station with settings, and one call at a time."""

    def __init__(self, **settings: Any) -> None:
        self.bench = IntercomBench()
        self.intercom = self.bench.intercom
        self.bench.do(lambda tx: self.intercom.accounts.set_settings(tx, settings))

    def calls(self, *, answered: bool = True) -> None:
        leg = f"{self.bench.call()}.0"
        if answered:
            self.bench.answer(leg, self.bench.invites()[-1][0])

    def is_called(self) -> None:
        self.bench.incoming()
        self.bench.do(lambda tx: self.intercom.answer(tx, self.intercom.calls()[-1].id))
        self.bench.report(0, Connected(leg="in1", remote="sip:ada@10.0.0.2"))

    def lasts(self, seconds: float) -> None:
        """The call that there is ends after this, and not sooner."""
        before = self.intercom.calls()[-1].state
        self.bench.ledger.advance(seconds - 0.001)
        assert self.intercom.calls()[-1].state == before
        self.bench.ledger.advance(0.001)
        assert self.intercom.calls()[-1].state == "Terminating"
        assert isinstance(self.bench.lines.sent[-1][1], HangUp)


def test_calling_timeout_set_the_maximum_duration_of_an_attempted_call_if_no_one_answers() -> None:
    handled = Handled(calling_timeout=20, call_duration=10)
    handled.calls(answered=False)
    handled.lasts(20)


@pytest.mark.parametrize("seconds", [1, 60, 3600])
def test_end_calls_after_set_the_maximum_time_that_a_call_can_last_max_60_minutes(seconds: int) -> None:
    handled = Handled(call_duration=seconds)
    handled.calls()
    handled.lasts(seconds)


def test_select_infinite_call_duration_if_you_do_not_want_to_limit_the_length_of_a_call() -> None:
    handled = Handled(call_duration=0)
    handled.calls()
    handled.bench.ledger.advance(24 * 3600)
    assert handled.intercom.calls()[-1].state == "Active"


@pytest.mark.parametrize(("incoming", "any_call", "lasts"), [(30, 0, 30), (30, 60, 30), (600, 60, 60)])
def test_incoming_call_duration_set_the_maximum_time_an_incoming_call_can_last(
    incoming: int, any_call: int, lasts: int
) -> None:
    handled = Handled(incoming_duration=incoming, call_duration=any_call)
    handled.is_called()
    handled.lasts(lasts)


def test_what_is_set_during_a_call_holds_for_the_next() -> None:
    handled = Handled(call_duration=60)
    handled.calls()
    handled.bench.do(lambda tx: handled.intercom.accounts.set_settings(tx, {"call_duration": 10}))
    handled.lasts(60)
    handled.bench.ledger.advance(10)
    handled.calls()
    handled.lasts(10)
