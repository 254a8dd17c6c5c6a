from __future__ import annotations

import asyncio

import pytest

from axcore.errors import NotFoundError
from axcore.runtime.supervise import MOST_DELAY, SLOW_DELAY, Supervisor
from axcore.testing import VirtualClock


class Time:
    """A sleep that takes no time and remembers what it was asked for."""

    def __init__(self, limit: int) -> None:
        self.clock = VirtualClock()
        self.slept: list[float] = []
        self.enough = asyncio.Event()
        self.limit = limit

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)
        if len(self.slept) >= self.limit:
            self.enough.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)


async def forever() -> None:
    await asyncio.Event().wait()


async def test_a_service_that_fails_comes_back_slower_and_slower_and_is_told() -> None:
    time = Time(7)
    told: list[tuple[str, str]] = []
    supervisor = Supervisor(lambda name, reason: told.append((name, reason)), clock=time.clock, sleep=time.sleep)

    async def bad() -> None:
        raise RuntimeError("no such socket")

    supervisor.add("mqtt", bad)
    await time.enough.wait()
    assert time.slept[:4] == [0.1, 0.2, 0.4, 0.8]
    assert max(time.slept[:4]) <= MOST_DELAY
    assert time.slept[4:] == [SLOW_DELAY] * 3
    assert len(told) == 1
    assert told[0][0] == "mqtt"
    assert "no such socket" in told[0][1]
    assert supervisor.state("mqtt") == "failing"
    await supervisor.stop()


async def test_one_dropped_service_comes_back_and_the_others_do_not_notice() -> None:
    time = Time(99)
    supervisor = Supervisor(lambda *_: None, clock=time.clock, sleep=time.sleep)
    supervisor.add("http", forever)
    supervisor.add("other", forever)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for _ in range(3):
        supervisor.drop("http")
        for _ in range(8):
            await asyncio.sleep(0)
        assert supervisor.state("http") == "running"
    assert supervisor.starts("http") == 4
    assert supervisor.starts("other") == 1
    with pytest.raises(NotFoundError, match="http, other"):
        supervisor.drop("nothing")
    with pytest.raises(ValueError, match="already"):
        supervisor.add("http", forever)
    await supervisor.stop()
    assert supervisor.names == ()


async def test_a_service_that_was_well_for_a_while_starts_with_a_clean_record() -> None:
    time = Time(12)
    supervisor = Supervisor(lambda *_: pytest.fail("told"), clock=time.clock, sleep=time.sleep)

    async def ends() -> None:
        time.clock.advance(11)

    supervisor.add("x", ends)
    await time.enough.wait()
    assert set(time.slept) == {0.1}
    await supervisor.stop()
