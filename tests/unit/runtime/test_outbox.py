"""The outbox: bounded, filled from any thread and before there is a loop."""

from __future__ import annotations

import asyncio
import threading

from axcore.runtime.outbox import Outbox


def test_what_does_not_fit_is_refused_and_counted() -> None:
    box: Outbox[int] = Outbox(2)
    assert [box.post(n) for n in range(4)] == [True, True, False, False]
    assert box.refused == 2
    assert [box.get_nowait(), box.get_nowait(), box.get_nowait()] == [0, 1, None]


async def test_items_of_other_threads_come_in_order() -> None:
    box: Outbox[int] = Outbox(1000)
    box.post(0)
    thread = threading.Thread(target=lambda: [box.post(n) for n in range(1, 500)])
    thread.start()
    assert [await box.get() for _ in range(500)] == list(range(500))
    thread.join()


async def test_a_reader_that_was_cancelled_loses_nothing() -> None:
    box: Outbox[int] = Outbox(10)
    reader = asyncio.ensure_future(box.get())
    await asyncio.sleep(0)  # wall clock: none passes, the loop turns once
    reader.cancel()
    box.post(7)
    assert await box.get() == 7


def test_a_closed_loop_is_survived() -> None:
    box: Outbox[int] = Outbox(10)
    loop = asyncio.new_event_loop()
    reader = loop.create_task(box.get())
    loop.run_until_complete(asyncio.sleep(0))
    reader.cancel()
    loop.run_until_complete(asyncio.gather(reader, return_exceptions=True))
    loop.close()
    assert box.post(1)
    assert box.get_nowait() == 1
