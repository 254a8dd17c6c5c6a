"""Threads that stand still are told once; those without work, and those that were only late, are not."""

from __future__ import annotations

import logging

import pytest

from axcore.runtime.stuck import LOOKS, StuckThreads


class Bench:
    def __init__(self) -> None:
        self.counters = {"audio": 0, "I/O": 0}
        self.told: list[tuple[str, str]] = []
        self.threads = StuckThreads(lambda: dict(self.counters), lambda *fault: self.told.append(fault))

    def look(self, times: int, *moving: str) -> None:
        for _ in range(times):
            for name in moving:
                self.counters[name] += 1
            self.threads.look()


def test_a_thread_that_stands_still_is_told_once_and_again_if_it_does_so_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench()
    bench.look(10, "audio", "I/O")
    bench.look(LOOKS - 1, "I/O")
    assert bench.told == []
    bench.look(10, "I/O")
    assert bench.told == [("audio", "its thread makes no progress for 15 s")]
    with caplog.at_level(logging.WARNING):
        bench.look(1, "audio", "I/O")
    assert "audio goes on" in caplog.text
    bench.look(LOOKS, "I/O")
    assert [name for name, _ in bench.told] == ["audio", "audio"]


def test_a_thread_without_work_is_not_asked() -> None:
    bench = Bench()
    bench.look(LOOKS, "I/O")
    count = bench.counters.pop("audio")
    bench.look(10, "I/O")
    bench.counters["audio"] = count
    bench.look(LOOKS, "I/O")
    assert bench.told == []
    bench.look(1, "I/O")
    assert [name for name, _ in bench.told] == ["audio"]


def test_who_was_late_is_not_stuck() -> None:
    bench = Bench()
    for _ in range(10):
        bench.look(LOOKS - 1, "I/O")
        bench.look(1, "audio", "I/O")
    assert bench.told == []
