from __future__ import annotations

import asyncio
import sys
import threading

import uvloop

from axcore.interfaces.cli.instance import wait_for
from axcore.runtime import loop as loop_module
from axcore.runtime.loop import StallDetector, run
from axcore.testing import VirtualClock


def test_run_is_a_uvloop() -> None:
    async def main() -> object:
        return asyncio.get_running_loop()

    assert isinstance(run(main()), uvloop.Loop)


def test_a_stall_is_told_once_with_its_stack() -> None:
    clock = VirtualClock()
    reports: list[tuple[float, str]] = []
    blocked, go_on = threading.Event(), threading.Event()

    def this_blocks_the_loop() -> None:
        blocked.set()
        go_on.wait(30)

    async def main() -> None:
        detector = StallDetector(clock, lambda seconds, stack: reports.append((seconds, stack)))
        detector.attach(asyncio.get_running_loop())

        def other_thread() -> None:
            blocked.wait(30)
            for _ in range(6):
                detector.look()
                clock.advance(0.05)
            go_on.set()

        thread = threading.Thread(target=other_thread)
        thread.start()
        this_blocks_the_loop()
        await asyncio.to_thread(thread.join)
        await asyncio.sleep(0)
        assert detector.stalls == 1
        assert detector._asked_ns is None

    run(main())
    assert len(reports) == 1
    assert reports[0][0] >= loop_module.LIMIT
    assert "this_blocks_the_loop" in reports[0][1]


def test_an_idle_loop_is_not_asked() -> None:
    reports: list[float] = []

    async def main() -> None:
        detector = StallDetector(VirtualClock(), lambda seconds, stack: reports.append(seconds))
        detector.attach(asyncio.get_running_loop())
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        asked: list[bool] = []
        here = threading.get_ident()

        def idle() -> bool:
            return loop_module._is_waiting(sys._current_frames()[here])

        def other_thread() -> None:
            wait_for("an idle loop", idle, 60)
            for _ in range(50):
                detector.look()
                asked.append(detector._asked_ns is not None)
            loop.call_soon_threadsafe(done.set)

        thread = threading.Thread(target=other_thread)
        thread.start()
        await done.wait()
        thread.join()
        assert not any(asked)

    run(main())
    assert reports == []


def test_it_watches_by_itself() -> None:
    told = threading.Event()

    async def main() -> None:
        with StallDetector(report=lambda seconds, stack: told.set()) as detector:
            assert told.wait(60)  # the loop stands still until somebody says so
        assert detector.stalls == 1

    run(main())
