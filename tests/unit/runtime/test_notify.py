from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from axcore.runtime.notify import Notifier, Watchdog
from axcore.testing import VirtualClock


@pytest.fixture(params=["path", "abstract"])
def supervisor(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    name = str(tmp_path / "notify") if request.param == "path" else f"@axcore-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind("\0" + name[1:] if name[0] == "@" else name)
        server.setblocking(False)
        yield name, server


def received(server: socket.socket) -> list[bytes]:
    got = []
    while True:
        try:
            got.append(server.recv(1000))
        except BlockingIOError:
            return got


def test_the_supervisor_is_told(supervisor: tuple[str, socket.socket]) -> None:
    name, server = supervisor
    notifier = Notifier({"NOTIFY_SOCKET": name})
    notifier.ready()
    notifier.status("two\nlines")
    notifier.keep_alive()
    notifier.stopping()
    notifier.close()
    notifier.ready()
    assert received(server) == [b"READY=1", b"STATUS=two lines", b"WATCHDOG=1", b"STOPPING=1"]


def test_no_supervisor_is_no_error(tmp_path: Path) -> None:
    Notifier({}).ready()
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    notifier.ready()
    notifier.close()


@pytest.mark.parametrize(
    ("environment", "usec"),
    [
        ({}, 0),
        ({"WATCHDOG_USEC": "4000000"}, 4_000_000),
        ({"WATCHDOG_USEC": "4000000", "WATCHDOG_PID": str(os.getpid())}, 4_000_000),
        ({"WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "1"}, 0),
        ({"WATCHDOG_USEC": "soon"}, 0),
        ({"WATCHDOG_USEC": "-1"}, 0),
    ],
)
def test_the_watchdog_limit(environment: dict[str, str], usec: int) -> None:
    assert Notifier(environment).watchdog_usec == usec


def test_keep_alives_stop_while_anything_is_stuck(supervisor: tuple[str, socket.socket]) -> None:
    name, server = supervisor
    clock = VirtualClock()
    progress = {"io": 0, "ledger": 0}
    notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "4000000"})
    watchdog = Watchdog(notifier, clock, {key: lambda key=key: progress[key] for key in progress})  # type: ignore[misc]
    assert watchdog.interval == 2.0

    def check() -> bool:
        clock.advance(watchdog.interval * 0.9)
        return watchdog.check()

    for _ in range(3):
        progress["io"] += 1
        progress["ledger"] += 1
        assert check()
    assert received(server) == [b"WATCHDOG=1"] * 3
    results = []
    for _ in range(4):
        progress["io"] += 1
        results.append(check())
    assert results[1:] == [False] * 3
    assert len(received(server)) == results.count(True)
    progress["ledger"] += 1
    assert check()
    notifier.close()


async def test_without_a_limit_the_watchdog_has_nothing_to_do() -> None:
    await Watchdog(Notifier({}), VirtualClock(), {}).run()
