"""Keys of the far telephone, which may come by RFC 4733, by INFO, or both ways."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from intercom_bench import IntercomBench

from axcore.devices.keys import ECHO_NS, Heard
from axcore.errors import InputError
from axcore.model import events
from axcore.model.intercom import DtmfSequenceSpec
from axcore.model.voice import Digit, Referred

MS = 1_000_000
LAG_MS = 200
WAYS = ("rtp", "info")


@pytest.fixture
def bench() -> IntercomBench:
    return IntercomBench()


class Talk:
    """A call in which the sequence ``code`` is waited for."""

    def __init__(self, bench: IntercomBench, code: str) -> None:
        self.bench = bench
        spec = DtmfSequenceSpec(sequence=code, description="Unlock door")
        bench.do(lambda tx: bench.intercom.accounts.add_sequence(tx, spec))
        self.call()

    def call(self) -> None:
        self.leg = f"{self.bench.call()}.0"
        line = self.bench.invites()[-1][0]
        self.line = line
        self.bench.answer(self.leg, line)

    def press(self, key: str, way: str = "rtp", *, after_ms: int = 0) -> None:
        self.bench.ledger.advance(after_ms / 1000)
        if way == "rtp":
            self.bench.media.on_key(self.leg, key, self.bench.ledger.virtual_clock.mono_ns())
        else:
            self.bench.report(self.line, Digit(leg=self.leg, digit=key))

    @property
    def hits(self) -> int:
        return len(self.bench.told(events.CALL_DTMF))


def heard(sent: list[tuple[int, str, str]]) -> str:
    """What counts of keys that came: (ms, way, key)."""
    ears, found = Heard(), ""
    for at_ms, way, key in sent:
        ears, counts = ears.press(key, way, at_ms * MS)
        found += key if counts else ""
    return found


@pytest.mark.parametrize("first", WAYS)
def test_the_same_key_quickly_again_counts(bench: IntercomBench, first: str) -> None:
    talk, other = Talk(bench, "11"), WAYS[first == "rtp"]
    talk.press("1", first)
    talk.press("1", other, after_ms=20)
    talk.press("1", first, after_ms=230)
    assert talk.hits == 1
    talk.press("1", other, after_ms=20)
    assert talk.hits == 1


def test_a_key_of_the_last_call_has_no_echo_in_the_next(bench: IntercomBench) -> None:
    talk = Talk(bench, "1")
    talk.press("1")
    bench.end(talk.leg, talk.line)
    talk.call()
    talk.press("1", "info", after_ms=100)
    assert talk.hits == 2


class TestWrongCodes:
    """Five wrong codes, in whichever calls, and no key counts for a minute."""

    def locks(self, bench: IntercomBench) -> list[str]:
        told = [event.data["reason"] for event in bench.told(events.SYSTEM_FAULT)]
        return [reason for reason in told if "wrong codes" in reason]

    def again(self, talk: Talk) -> None:
        talk.bench.end(talk.leg, talk.line)
        talk.call()

    def test_they_are_counted_over_calls(self, bench: IntercomBench) -> None:
        talk = Talk(bench, "77")
        for number in range(5):
            assert self.locks(bench) == [], number
            talk.press("9", after_ms=1000)
            self.again(talk)
        assert self.locks(bench) == ["call 5: 5 wrong codes: no key counts for 60 s"]
        for _ in range(4):
            for key in "7799":
                talk.press(key, after_ms=1000)
            self.again(talk)
        assert talk.hits == 0
        assert len(self.locks(bench)) == 1

    def test_the_lock_ends_by_time(self, bench: IntercomBench) -> None:
        talk = Talk(bench, "7")
        for _ in range(5):
            talk.press("9")
        talk.press("7", after_ms=59_999)
        assert talk.hits == 0
        talk.press("7", after_ms=1)
        assert talk.hits == 1

    def test_a_key_of_the_lock_has_no_echo_after_it(self, bench: IntercomBench) -> None:
        talk = Talk(bench, "7")
        for _ in range(5):
            talk.press("9")
        talk.press("7", after_ms=59_900)
        talk.press("7", "info", after_ms=150)
        assert talk.hits == 0

    def test_a_right_code_makes_up_for_nothing(self, bench: IntercomBench) -> None:
        talk = Talk(bench, "7")
        for key in "9999797":
            talk.press(key)
        assert talk.hits == 1
        assert len(self.locks(bench)) == 1

    def test_they_are_forgotten_after_ten_minutes(self, bench: IntercomBench) -> None:
        talk = Talk(bench, "7")
        for _ in range(3):
            for _ in range(4):
                talk.press("9")
            bench.ledger.advance(600)
        assert self.locks(bench) == []

    def test_without_sequences_there_is_nothing_to_guess(self, bench: IntercomBench) -> None:
        talk = Talk(bench, "7")
        bench.do(lambda tx: bench.intercom.accounts.remove_sequence(tx, "1"))
        for _ in range(5):
            talk.press("9")
        assert self.locks(bench) == []

    def test_they_are_undone_with_what_they_were_counted_in(self, bench: IntercomBench) -> None:
        talk = Talk(bench, "7")

        def job(tx: Any) -> None:
            for _ in range(5):
                bench.intercom.on_report(tx, talk.line, Digit(leg=talk.leg, digit="9"))
            raise InputError("x", "undone")

        with pytest.raises(InputError):
            bench.do(job)
        talk.press("7")
        assert talk.hits == 1


KEYS = st.lists(st.tuples(st.sampled_from("12#"), st.integers(60, 400)), max_size=12)
LAG = st.integers(0, LAG_MS)


def times(keys: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Keys with the time of each, for gaps after them."""
    return [(key, sum(gap for _, gap in keys[:at])) for at, (key, _) in enumerate(keys)]


def on_the_wire(sent: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """By time; each way keeps its order."""
    for way in WAYS:
        row = [at for at, by, _ in sent if by == way]
        assume(row == sorted(row))
    return sorted(sent, key=lambda one: one[0])


@given(KEYS, st.sampled_from(WAYS), st.data())
def test_a_telephone_that_sends_each_key_by_its_way_and_some_by_the_other_too(
    keys: list[tuple[str, int]], first: str, data: st.DataObject
) -> None:
    other, sent, last = WAYS[first == "rtp"], [], 0
    for key, at in times(keys):
        sent.append((at, first, key))
        if data.draw(st.booleans()):
            last = data.draw(st.integers(max(at, last), at + LAG_MS))
            sent.append((last, other, key))
    assert heard(on_the_wire(sent)) == "".join(key for key, _ in keys)


@given(KEYS, st.data())
def test_a_telephone_that_sends_each_key_both_ways_and_either_may_be_the_first(
    keys: list[tuple[str, int]], data: st.DataObject
) -> None:
    sent, last = [], dict.fromkeys(WAYS, 0)
    for key, at in times(keys):
        first, other = data.draw(st.permutations(WAYS))
        last[first] = max(at, last[first])
        last[other] = data.draw(st.integers(max(at, last[other]), at + LAG_MS))
        sent += [(last[way], way, key) for way in (first, other)]
    assert heard(on_the_wire(sent)) == "".join(key for key, _ in keys)


@given(st.permutations("0123456789*#"), st.data())
def test_a_telephone_that_sends_each_key_in_any_way(keys: list[str], data: st.DataObject) -> None:
    sent, last = [], dict.fromkeys(WAYS, 0)
    for key, at in times([(key, data.draw(st.integers(60, 400))) for key in keys]):
        for way in data.draw(st.sampled_from([("rtp",), ("info",), WAYS, WAYS[::-1]])):
            last[way] = data.draw(st.integers(max(at, last[way]), max(at, last[way]) + 30))
            sent.append((last[way], way, key))
    assert heard(on_the_wire(sent)) == "".join(keys)


def test_what_cannot_be_told_apart() -> None:
    """A key that went by one way only, and again by the other one only, is what a key with its echo is."""
    assert heard([(0, "rtp", "1"), (400, "info", "1")]) == "1"
    assert heard([(0, "rtp", "1"), (ECHO_NS // MS, "info", "1")]) == "11"


def test_a_flood_is_not_remembered() -> None:
    ears = Heard()
    for _ in range(1000):
        ears, _ = ears.press("1", "rtp", 0)
    assert len(ears.alone) <= 32


def test_who_gets_a_call_by_a_transfer_does_not_go_on_with_the_code_of_who_gave_it(bench: IntercomBench) -> None:
    bench.do(lambda tx: bench.intercom.accounts.set_settings(tx, {"allow_transfer": True}))
    talk = Talk(bench, "1234")
    for key in "12":
        talk.press(key)
    bench.report(talk.line, Referred(leg=talk.leg, uri="sip:bob@10.0.0.3"))
    line, invite = bench.invites()[-1]
    bench.answer(invite.leg, line)
    talk.leg, talk.line = invite.leg, line
    for key in "34":
        talk.press(key)
    assert talk.hits == 0
    bench.ledger.advance(6)
    for key in "1234":
        talk.press(key)
    assert talk.hits == 1
