"""Clients of audio streams are counted as long as they are there, whatever becomes of them and of the ledger."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web
from intercom_bench import IntercomBench

from axcore.errors import QueueFullError, StateError, StoreError
from axcore.interfaces.http.vapix import audioformats as formats
from axcore.interfaces.http.vapix import audiostream as streams
from axcore.testing.ports import free_port

PATIENCE_S = 30.0


class SlowLedger:
    """Runs jobs in their order once it is ``free``; ``fails``: what the next ones raise instead."""

    def __init__(self, bench: IntercomBench) -> None:
        self._bench = bench
        self.free = asyncio.Event()
        self.free.set()
        self.fails: list[Exception] = []
        self.asked = 0
        self._last: asyncio.Task[Any] | None = None

    async def run(self, job: Any, *, actor: str = "") -> Any:
        self.asked += 1
        if self.fails:
            raise self.fails.pop(0)
        before = self._last

        async def do() -> Any:
            if before is not None:
                await asyncio.wait([before])
            await self.free.wait()
            return self._bench.do(job)

        self._last = asyncio.create_task(do())
        return await asyncio.shield(self._last)


class Site:
    """A device whose ledger can be slow or full."""

    def __init__(self) -> None:
        self.bench = IntercomBench(on=False, media=False)
        self.ledger = SlowLedger(self.bench)
        self.ctx: Any = SimpleNamespace(ledger=self.ledger, intercom=self.bench.intercom)

    @property
    def talks(self) -> bool:
        return self.bench.intercom.live is not None

    @asynccontextmanager
    async def counted(self) -> AsyncIterator[None]:
        async with streams.counted(self.ctx, "audio_from_network", "user"):
            yield


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(streams, "AGAIN_S", 0.0)
    return Site()


async def test_it_counts_while_it_is_open(site: Site) -> None:
    async with site.counted():
        assert site.talks
    assert not site.talks


async def test_a_client_that_breaks_off_counts_no_more(site: Site) -> None:
    async def client() -> None:
        async with site.counted():
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await client()
    assert not site.talks
    assert len(site.bench.intercom.calls()) == 1


async def test_a_task_that_is_cancelled_amid_it_counts_no_more(site: Site) -> None:
    entered = asyncio.Event()

    async def client() -> None:
        async with site.counted():
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(client())
    await entered.wait()
    assert site.talks
    task.cancel()
    await asyncio.wait([task])
    assert not site.talks


async def test_a_task_that_is_cancelled_before_it_was_counted_is_not_counted_later(site: Site) -> None:
    site.ledger.free.clear()

    async def client() -> None:
        async with site.counted():
            raise AssertionError("never entered")

    task = asyncio.create_task(client())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    site.ledger.free.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert not site.talks
    assert len(site.bench.intercom.calls()) == 1  # it began and ended: jobs keep their order


@pytest.mark.parametrize("error", [QueueFullError("full"), StoreError("disk", "broken")])
async def test_an_end_that_the_ledger_does_not_take_is_told_again(site: Site, error: Exception) -> None:
    async with site.counted():
        site.ledger.fails = [error, error]
    assert site.ledger.asked == 4
    assert not site.talks


async def test_a_device_that_stops_is_told_nothing_more(site: Site) -> None:
    async with site.counted():
        site.ledger.fails = [StateError("the ledger is stopped")]
    assert site.ledger.asked == 2


async def test_a_stream_that_cannot_be_counted_is_none(site: Site) -> None:
    async def client() -> None:
        async with site.counted():
            raise AssertionError("never entered")

    site.ledger.fails = [QueueFullError("full")]
    with pytest.raises(QueueFullError):
        await client()
    assert not site.talks
    assert site.bench.intercom.calls() == ()


def test_a_listener_that_is_cut_off_is_noticed() -> None:
    streams.notice_death(None)
    with socket.socket() as one:
        transport: Any = SimpleNamespace(get_extra_info=lambda name: {"socket": one}[name])
        streams.notice_death(transport)
        assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000


async def test_a_listener_who_leaves_while_there_is_nothing_to_hear_is_noticed(site: Site) -> None:
    over, entered = asyncio.Event(), asyncio.Event()

    async def listen(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        async with site.counted():
            await response.prepare(request)
            entered.set()
            here: Any = SimpleNamespace(params=SimpleNamespace(flag=lambda name: True))
            goes_on = partial(streams._listens, cast(Any, request), here)
            await streams._send(response, deque(), formats.G711, goes_on, parts=False)
        over.set()
        return response

    port = free_port()
    async with await asyncio.get_running_loop().create_server(web.Server(listen), "127.0.0.1", port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await entered.wait()
        assert site.talks
        writer.close()
        async with asyncio.timeout(PATIENCE_S):
            await over.wait()
    assert not site.talks
