"""How long a stream's client waits for an event: from the commit (the ledger tells the bus) to the client.

    python bench/stream_latency.py [-n 500]

The real bus and servers, clients on loopback in the same process: websocket over TLS and in clear, RTP over
UDP and in the connection. Beside them the floor: a datagram from a socket to itself through the same loop. Times are
printed, never gated: they are those of the machine and of the moment.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import socket
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import uvloop

from axcore.interfaces.rtsp.server import RtspOptions, RtspServer
from axcore.model.events import IO_PORT, Event
from axcore.testing.http import HttpDevice
from axcore.testing.rtsp import RtspClient

STREAM = "/vapix/ws-data-stream?sources=events"
FILTERS = {"eventFilterList": [{"topicFilter": "//."}]}
CALL = {"apiVersion": "1.0", "method": "events:configure", "params": FILTERS}


async def measure(
    name: str, count: int, cause: Callable[[int], object], effect: Callable[[], Awaitable[object]]
) -> None:
    """Print median and 99th percentile of ``count`` times from cause to effect."""
    times = []
    for number in range(count):
        began = time.perf_counter_ns()
        cause(number)
        await effect()
        times.append((time.perf_counter_ns() - began) / 1000)
    times.sort()
    print(f"{name:24} p50 {statistics.median(times):7.0f} us   p99 {times[int(count * 0.99)]:7.0f} us")


async def run(count: int) -> None:
    """All of them, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        async with HttpDevice(Path(folder)) as device:
            device.add_account("root", "pass")
            rtsp = RtspServer(device.ctx, RtspOptions(ports=(0,)))
            await rtsp.start()

            ids = itertools.count(1000)

            def publish(number: int) -> None:
                event = Event(
                    id=next(ids), time="2026-01-31T12:00:00.000000Z", topic=IO_PORT, source={"port": "0"},
                    data={"state": str(number % 2)}, is_property=True,
                )  # fmt: skip
                device.ledger.bus.deliver([event])

            loop = asyncio.get_running_loop()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo:
                echo.bind(("127.0.0.1", 0))
                echo.setblocking(False)
                own = echo.getsockname()
                await measure(
                    "bare datagram", count, lambda _: echo.sendto(b"x" * 900, own), lambda: loop.sock_recv(echo, 2048)
                )
            headers = {"Authorization": aiohttp.encode_basic_auth("root", "pass")}
            async with aiohttp.ClientSession() as session:
                token = await device.request("GET", "/axis-cgi/wssession.cgi", user="root")
                for name, url in (
                    ("websocket", f"{device.http}{STREAM}&wssession={token.text}"),
                    ("websocket, TLS", f"{device.https}{STREAM}"),
                ):
                    given = headers if "TLS" in name else {}
                    async with session.ws_connect(url, ssl=False, headers=given) as client:
                        await client.send_json(CALL)
                        await client.receive()
                        if name != "websocket":
                            await client.receive()
                        await measure(name, count, publish, client.receive)
            for udp in (True, False):
                async with RtspClient(rtsp.url, "root", "pass", udp=udp) as player:
                    await player.play()
                    await player.packet()
                    await measure("RTP, UDP" if udp else "RTP, interleaved", count, publish, player.packet)
            await rtsp.stop()


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("-n", type=int, default=500, help="events for each stream")
    uvloop.run(run(parser.parse_args().n))


if __name__ == "__main__":
    main()
