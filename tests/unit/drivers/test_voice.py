"""Voice processes as lines, without processes: what is told of which, in which order."""

from __future__ import annotations

import os
import queue
import select
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from axcore.drivers import voice
from axcore.drivers.voice import VoiceLines, VoiceProcess
from axcore.interfaces.cli.instance import wait_for
from axcore.model.voice import ALIVE_NS, Alive, Configure, Ended, Ready, Report, frame

PATIENCE = 30.0
READY = Ready(version="2.15.1", max_calls=4, max_accounts=8, tls="", codecs=("PCMU",), port=5060)
ENDED = Ended(leg="in1", code=200, reason="OK")


class FakeProcess:
    """Says that it is ready once it is started; it ends when the test lets it, with a last word."""

    made: list[FakeProcess]

    def __init__(
        self, name: str, configure: Callable[[], Configure], on_report: Callable[[Report], None], on_lost: Any
    ) -> None:
        self.name, self.starts, self.stopped, self.untold = name, 0, 0, False
        self._on_report = on_report
        self.may_end = threading.Event()
        FakeProcess.made.append(self)

    def start(self) -> None:
        self.starts += 1
        self.untold = True
        self._on_report(READY)

    def stop(self) -> None:
        if self.starts:
            assert self.may_end.wait(PATIENCE)
            self._on_report(READY)
        self.stopped += 1

    def restart(self) -> None:
        raise AssertionError("those that end are not told to begin anew")


class Bench:
    """Two lines, and what they told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        self.lines = VoiceLines(
            2,
            lambda line: Configure(),
            lambda line, report: self.told.append(("ready", line)),
            lambda line, reason: self.told.append(("lost", line)),
        )

    def started(self, *processes: FakeProcess) -> None:
        wait_for("the start", lambda: all(process.starts for process in processes), PATIENCE, 0.002)

    def ready(self) -> list[int]:
        """Lines that can be used, as far as is known."""
        last = dict.fromkeys((0, 1), "lost")
        last.update({line: what for what, line in self.told})
        return [line for line, what in last.items() if what == "ready"]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    FakeProcess.made = []
    monkeypatch.setattr(voice, "VoiceProcess", FakeProcess)
    bench = Bench()
    yield bench
    for process in FakeProcess.made:
        process.may_end.set()
    bench.lines.stop()


def test_off_and_on_again_starts_the_new_ones_when_the_old_ones_have_ended(bench: Bench) -> None:
    bench.lines.apply(True)
    bench.started(*FakeProcess.made)
    bench.lines.apply(False)
    bench.lines.apply(True)  # at once: nothing waits for those that end
    old, new = FakeProcess.made[:2], FakeProcess.made[2:]
    assert bench.lines.processes == tuple(new)
    old[0].may_end.set()
    wait_for("the first end", lambda: old[0].stopped, PATIENCE, 0.002)
    assert [process.starts for process in new] == [0, 0]
    old[1].may_end.set()
    bench.started(*new)
    assert bench.told[-4:] == [("lost", 0), ("lost", 1), ("ready", 0), ("ready", 1)]
    assert [what for what, _ in bench.told].count("lost") == 2
    assert bench.ready() == [0, 1]


def test_those_that_are_not_wanted_any_more_do_not_start(bench: Bench) -> None:
    bench.lines.apply(True)
    old = list(FakeProcess.made)
    bench.started(*old)
    for on in (False, True, False):
        bench.lines.apply(on)
    for process in old:
        process.may_end.set()
    wait_for("the end", lambda: all(process.stopped for process in FakeProcess.made), PATIENCE, 0.002)
    bench.lines.stop()
    assert [process.starts for process in FakeProcess.made] == [1, 1, 0, 0]
    assert bench.told[-2:] == [("lost", 0), ("lost", 1)]
    assert bench.ready() == []


def test_nothing_starts_after_the_stop(bench: Bench) -> None:
    bench.lines.apply(True)
    old = list(FakeProcess.made)
    bench.started(*old)
    bench.lines.apply(False)
    bench.lines.apply(True)
    stopping = threading.Thread(target=bench.lines.stop)
    stopping.start()
    wait_for("that nobody is wanted", lambda: not bench.lines.processes, PATIENCE, 0.002)
    for process in old:
        process.may_end.set()
    stopping.join(PATIENCE)
    assert not stopping.is_alive()
    bench.lines.apply(True)
    assert len(FakeProcess.made) == 4
    assert [process.starts for process in FakeProcess.made] == [1, 1, 0, 0]


class Child:
    """A process that would go on for ever."""

    def __init__(self, args: Any, pass_fds: tuple[int], **more: Any) -> None:
        self.end = socket.socket(fileno=os.dup(pass_fds[0]))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self.returncode

    def kill(self) -> None:
        self.returncode = -9
        self.end.close()

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            raise subprocess.TimeoutExpired("child", timeout or 0.0)
        return self.returncode


def test_one_that_is_stopped_while_it_starts_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Child] = []

    def popen(args: Any, **more: Any) -> Child:
        process.stop()  # called by somebody else, who finds nobody to be told
        made.append(Child(args, **more))
        return made[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    process = VoiceProcess("voice 0", Configure, lambda report: None, lambda reason: None)
    running = threading.Thread(target=process._run, daemon=True)
    running.start()
    running.join(PATIENCE)
    assert not running.is_alive()
    assert made[0].returncode == -9


def test_one_that_crashes_just_before_it_is_not_wanted_any_more_is_lost_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for delay in ("FIRST_DELAY", "MOST_DELAY"):  # it is not wanted before it is started again
        monkeypatch.setattr(voice, delay, PATIENCE)
    made: queue.SimpleQueue[Child] = queue.SimpleQueue()
    told: list[tuple[int, str]] = []

    def popen(args: Any, **more: Any) -> Child:
        child = Child(args, **more)
        made.put(child)
        return child

    def lost(line: int, reason: str) -> None:
        told.append((line, reason))
        lines.apply(False)

    monkeypatch.setattr(subprocess, "Popen", popen)
    lines = VoiceLines(1, lambda line: Configure(), lambda line, report: None, lost)
    lines.apply(True)
    child = made.get(timeout=PATIENCE)
    child.end.recv(65536)  # it knows what to do
    child.returncode = -11
    child.end.close()
    wait_for("the loss", lambda: told and not lines.processes, PATIENCE, 0.002)
    lines.stop()
    assert told == [(0, "ended by signal 11")]


class Script:
    """Stands for ``select.poll``: at each look the process says something, or nothing (None)."""

    def __init__(self, said: list[Report | None]) -> None:
        self.said, self.looks = said, 0
        self.ours, self.theirs = socket.socketpair()

    def __call__(self) -> Script:
        return self

    def register(self, connection: socket.socket, events: int) -> None:
        assert connection is self.ours

    def poll(self, timeout_ms: float) -> list[tuple[int, int]]:
        assert timeout_ms == voice.LOOK_S * 1000
        self.looks += 1
        report = self.said.pop(0) if self.said else None
        if report is None:
            return []
        self.theirs.sendall(frame(report))
        return [(self.ours.fileno(), select.POLLIN)]


QUIET: list[Report | None] = [None]


@pytest.mark.parametrize(
    ("said", "looks"),
    [
        ([], 12),
        ([READY], 1 + 3),
        ([READY, *QUIET * 2, Alive(), *QUIET * 2, Alive()], 7 + 3),
        ([*QUIET * 11, READY, *QUIET * 2, ENDED], 15 + 3),
    ],
    ids=["never ready", "ready, then nothing", "alive", "slow to start"],
)
def test_one_that_shows_no_life_is_given_up(
    monkeypatch: pytest.MonkeyPatch, said: list[Report | None], looks: int
) -> None:
    told: list[Report] = []
    process = VoiceProcess("voice 0", Configure, told.append, lambda reason: None)
    script = Script(list(said))
    monkeypatch.setattr(voice.select, "poll", script)  # type: ignore[attr-defined]
    with script.ours, script.theirs:
        assert process._read(script.ours, "127.0.0.1") == "does not answer any more"
    assert script.looks == looks
    assert told == [report for report in said if report is not None and not isinstance(report, Alive)]
    process.stop()


def test_a_sleeping_process_shows_life_within_a_look() -> None:
    """It wakes every second, and at most every 1.5 s while it refuses a flood (``voice.ingress``)."""
    assert ALIVE_NS / 1e9 + 1.5 < voice.LOOK_S
