"""A thread of the voice process that hangs is noticed in time, and one that had no time is not taken for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from axcore.model.voice import ALIVE_NS
from axcore.voice.front import Front
from axcore.voice.ingress import NS
from axcore.voice.locate import Locator
from axcore.voice.watch import LOOK_NS, LOOKS, Watch

PATIENCE = 60.0
LATE_NS = 3 * NS // 2
"""Of the owner thread's looks, at most."""


class Thread:
    """One that answers when the test says so; in virtual time."""

    def __init__(self) -> None:
        self.asked: list[Callable[[], None]] = []
        self.watch = Watch(self.asked.append)
        self.now = 1

    def look(self, after_ns: int = LOOK_NS) -> bool:
        self.now += after_ns
        return self.watch.hangs(self.now)

    def answer(self) -> None:
        while self.asked:
            self.asked.pop()()


def test_one_that_answers_goes_on_for_ever() -> None:
    thread = Thread()
    for _ in range(100):
        assert not thread.look()
        thread.answer()


def test_one_that_hangs_is_noticed_within_15_seconds_however_late_the_looks_are() -> None:
    thread = Thread()
    assert not thread.look()
    thread.answer()
    hung_ns = thread.now
    while not thread.look(LOOK_NS + LATE_NS):
        assert thread.now - hung_ns < 15 * NS
    assert thread.now - hung_ns <= 15 * NS


def test_it_is_asked_once_and_not_flooded() -> None:
    thread = Thread()
    for _ in range(LOOKS):
        assert not thread.look()
    assert len(thread.asked) == 1
    assert thread.look()


def test_a_late_answer_is_one() -> None:
    thread = Thread()
    for _ in range(10):
        for _ in range(LOOKS):
            assert not thread.look()
        thread.answer()


def test_a_process_that_was_stopped_for_a_while_has_no_thread_that_hangs() -> None:
    thread = Thread()
    for _ in range(10):
        assert not thread.look()
        assert not thread.look(3600 * NS)  # the owner thread is back first
        thread.answer()


@given(st.lists(st.integers(0, LOOK_NS)))
def test_many_looks_at_once_count_as_one(soon: list[int]) -> None:
    thread = Thread()
    began = thread.now
    found = [thread.look(after) for after in soon]
    assert not any(found) or thread.now - began > LOOKS * LOOK_NS


def test_the_front_answers_unless_it_hangs() -> None:
    place = {"host": "127.0.0.1", "port": 5060, "bind": "127.0.0.1", "listen_port": 0}
    front = Front(Locator(lambda host: host), **place, listener=None)  # type: ignore[arg-type]
    runs = threading.Thread(target=front._loop.run_forever)
    runs.start()
    hangs, goes_on, answered = threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        goes_on.wait(PATIENCE)

    try:
        front.ask(answered.set)
        assert answered.wait(PATIENCE)
        answered.clear()
        front.ask(hang)
        assert hangs.wait(PATIENCE)
        watch = Watch(front.ask)
        looks = [watch.hangs(number * LOOK_NS) for number in range(1, LOOKS + 2)]
        assert looks == [False] * LOOKS + [True]
        front.ask(answered.set)  # after the watch's own
        goes_on.set()
        assert answered.wait(PATIENCE)
        assert not watch.hangs((LOOKS + 2) * LOOK_NS)
    finally:
        goes_on.set()
        front._loop.call_soon_threadsafe(front._loop.stop)
        runs.join()
        front._loop.close()


def test_looks_are_not_rarer_than_proofs_of_life() -> None:
    assert LOOK_NS <= ALIVE_NS
