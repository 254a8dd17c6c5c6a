"""The native rule core as Python sees it: buffers, errors, snapshots; its meaning is in the C and property tests."""

from __future__ import annotations

import gc
import struct
import threading
from array import array

import numpy as np
import pytest

from axcore._native import rules
from axcore.errors import ArgumentError, FormatError, QueueFullError, RangeError, StateError

INPUT = np.dtype([("t_ns", "u8"), ("event", "u4"), ("flags", "u4")])
ACTION = np.dtype([("t_ns", "u8"), ("cause", "u4"), ("rule", "u2"), ("what", "u2")])
OFF, ON, PULSE = 0, 1, 2
NO_TESTS = array("H")


def core(flags: int = rules.WHILE, wait: int = 0, count: int = 1) -> rules.RuleCore:
    """``count`` equal rules about one property; event 2 is a pulse for which nothing holds."""
    made = rules.RuleCore(struct.pack("=QIHH", wait, 0, 1, flags) * count, array("H", [0, 0]), 1, 1, 4, 8)
    assert made.add_instance(array("H", [0])) == 0
    made.bind(OFF, rules.SET, 0, NO_TESTS)
    made.bind(ON, rules.SET, 0, array("H", [0]))
    made.bind(PULSE, rules.PULSE, 0, NO_TESTS)
    for rule in range(count):
        assert made.enable(rule, 0) == ()
    return made


def test_records_have_the_size_of_the_header() -> None:
    assert INPUT.itemsize == rules.INPUT_SIZE
    assert ACTION.itemsize == rules.ACTION_SIZE


def test_feed_gives_rule_what_time_and_timer() -> None:
    made = core(wait=10)
    assert made.feed(ON, 5) == [(0, rules.START, 5, False)]
    assert made.feed(ON, 6) == ()
    assert made.feed(OFF, 7) == [(0, rules.STOP, 7, False)]
    assert made.feed(ON, 8) == ()
    assert made.deadline_ns == 15
    assert made.run_state(0) == (True, False, True, 5, 15)
    assert made.test_state(0) == (1, 1)
    assert made.value(0) == ON
    assert made.feed(PULSE, 20) == [(0, rules.START, 15, True)]
    assert made.deadline_ns == rules.NEVER
    assert made.now_ns == 20
    assert made.disable(0, 21) == [(0, rules.STOP, 21, True)]


@pytest.mark.parametrize("level", range(len(rules.LEVELS)))
def test_batches_stop_when_the_room_ends(level: int) -> None:
    made = core(0, count=256)
    made.set_level(level)
    events = np.zeros(10, INPUT)
    events["t_ns"] = np.arange(10)
    events["event"] = [ON, OFF] * 5
    out = np.zeros(rules.ROOM + 256, ACTION)
    count, taken = made.feed_into(events, out)
    assert (count, taken) == (512, 3)
    assert (out["rule"][:256] == np.arange(256)).all()
    assert set(out["cause"][:512]) == {0, 2}
    assert made.feed_into(events[3:], out) == (512, 4)


def test_large_batches_release_the_lock_and_refuse_a_second_thread() -> None:
    made = core()
    events = np.zeros(2_000_000, INPUT)
    events["event"] = PULSE
    out = np.zeros(rules.ROOM, ACTION)
    refused = []
    work = threading.Thread(target=lambda: made.feed_into(events, out))
    work.start()
    while work.is_alive():
        try:
            made.feed(PULSE, 0)
        except StateError:
            refused.append(1)
    work.join()
    assert made.feed(ON, 1)
    assert refused or made.now_ns == 1


def test_bad_buffers_and_numbers_are_refused() -> None:
    made = core()
    out = bytearray(rules.ROOM * rules.ACTION_SIZE)
    with pytest.raises(FormatError):
        made.feed_into(b"x" * 15, out)
    with pytest.raises(FormatError):
        made.feed_into(np.zeros(17, "u1")[1:], out)
    with pytest.raises(FormatError):
        made.feed_into(np.zeros(1, INPUT), memoryview(np.zeros(9000, "u1"))[1:])
    with pytest.raises(ArgumentError):
        made.feed_into(np.zeros(1, INPUT), out[:-1])
    with pytest.raises(BufferError):
        made.feed_into(np.zeros(1, INPUT), bytes(out))
    for call in (lambda: made.feed(4, 0), lambda: made.bind(9, rules.PULSE, 0, NO_TESTS), lambda: made.set_level(99)):
        with pytest.raises(RangeError):
            call()
    for argument in (-1, 1 << 64):
        with pytest.raises(OverflowError):
            made.feed(ON, argument)
    with pytest.raises(StateError):
        made.bind(ON, rules.SET, 0, NO_TESTS)
    with pytest.raises(QueueFullError):
        made.add_instance(NO_TESTS)
    with pytest.raises(ArgumentError):
        made.enable(1, 0)
    with pytest.raises(RangeError):
        rules.RuleCore(struct.pack("=QIHH", 0, 0, 17, 0), array("H", [0, 0] * 17), 1, 1, 4, 8)
    with pytest.raises(FormatError):
        rules.RuleCore(b"abc", NO_TESTS, 1, 1, 4, 8)
    with pytest.raises(StateError):
        made.__init__(b"", b"", 0, 0, 0, 0)  # type: ignore[misc]
    with pytest.raises(StateError):
        rules.RuleCore.__new__(rules.RuleCore).feed(0, 0)


def test_an_empty_matcher_is_a_matcher() -> None:
    made = rules.RuleCore(b"", b"", 0, 0, 1, 0)
    assert made.feed(0, 1) == ()
    assert made.advance(5) == ()
    assert made.size < 1024


def test_snapshots_belong_to_their_core() -> None:
    made, other = core(), core()
    before = made.snapshot()
    assert before == made.snapshot()
    assert hash(before) == hash(made.snapshot())
    assert before != other.snapshot()
    assert before != 1
    made.feed(ON, 1)
    assert before != made.snapshot()
    made.restore(before)
    assert before == made.snapshot()
    with pytest.raises(StateError):
        other.restore(before)
    with pytest.raises(TypeError):
        rules.State()
    del made
    gc.collect()
    assert before == before  # noqa: PLR0124


def test_a_run_state_moves() -> None:
    made, other = core(wait=10), core(wait=10)
    made.feed(ON, 1)
    other.disable(0, 0)
    other.feed(ON, 1)
    enabled, active, _, last, due = made.run_state(0)
    other.set_run_state(0, enabled, active, last, due)
    assert other.run_state(0) == made.run_state(0)
    assert other.feed(OFF, 2) == [(0, rules.STOP, 2, False)]
