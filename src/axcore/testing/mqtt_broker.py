"""A broker that misbehaves, for tests of the MQTT client: one small asyncio server, one fault at a time.

Faults: ``none`` (accepts, acknowledges, keeps), ``refused``, ``black_hole`` (accepts TCP, says nothing), ``no_suback``,
``slow_reader`` (stops reading after the handshake), ``drop_mid_handshake`` (half a CONNACK), ``garbage``,
``retained_flood``, ``huge_payload``, ``restart_storm`` (drops right after SUBACK), ``length_lie``, ``qos3``,
``wildcard_topic``, ``bad_utf8``, ``unreleased`` (QoS 2 that is never released), ``ack_flood`` (QoS 1 without reading),
``bad_length`` (five octets), ``second_connack``, ``large_suback``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import Any

from axcore.testing.ports import free_port

FAULTS = (
    "refused", "black_hole", "slow_reader", "drop_mid_handshake", "garbage", "retained_flood", "huge_payload",
    "restart_storm", "length_lie", "qos3", "wildcard_topic", "bad_utf8", "unreleased", "ack_flood", "bad_length",
    "second_connack", "large_suback",
)  # fmt: skip
CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK = range(1, 10)
UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = range(10, 15)


def length(size: int) -> bytes:
    """A remaining length."""
    out = bytearray()
    while True:
        size, octet = size >> 7, size & 127
        out.append(octet | (128 if size else 0))
        if not size:
            return bytes(out)


def publish(topic: bytes, payload: bytes, qos: int = 0, *, retain: bool = False, mid: int = 1, size: int = -1) -> bytes:
    """A PUBLISH of MQTT 3.1.1; ``size`` is what its length says."""
    body = len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if qos else b"") + payload
    return bytes((PUBLISH << 4 | qos << 1 | retain,)) + length(len(body) if size < 0 else size) + body


def _filters(body: bytes) -> dict[str, int]:
    found, at = {}, 2
    while at < len(body):
        end = at + 2 + int.from_bytes(body[at : at + 2], "big")
        found[body[at + 2 : end].decode()] = body[end]
        at = end + 1
    return found


class FaultBroker:
    """``fault`` can be changed at any time and holds for connections from then on. ``topic`` is what floods go to."""

    def __init__(self, fault: str = "none", topic: str = "Door") -> None:
        self.fault = fault
        self.topic = topic.encode()
        self.retained: list[str] = []
        """Topics of what was published to be retained."""
        self.filters: dict[str, int] = {}
        """What was subscribed to last, with its QoS."""
        self.hello = b""
        """The CONNECT of the last client, without its fixed header."""
        self.goodbyes = 0
        """DISCONNECT packets that came."""
        self.connects = 0
        self.finished = 0
        """Floods that were sent to their end."""
        self.good = 0
        """Sessions without a fault that got as far as a subscription."""
        self.connect_times: list[float] = []
        self.received: list[tuple[str, bytes, int]] = []
        """Topic, payload, QoS of what was published to it."""
        self.port = free_port()
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def __aenter__(self) -> FaultBroker:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    @property
    def sessions(self) -> int:
        """Connections that there are."""
        return len(self._connections)

    async def start(self) -> None:
        """Listen; on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 16)

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._connections)
        self.drop_all()
        await asyncio.gather(*tasks, return_exceptions=True)

    def drop_all(self) -> None:
        """Lose every connection."""
        for task, writer in list(self._connections.items()):
            writer.transport.abort()
            task.cancel()
        self._connections.clear()

    async def send(self, data: bytes) -> None:
        """Say something to everyone who is connected."""
        for writer in list(self._connections.values()):
            writer.write(data)
            await writer.drain()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task: Any = asyncio.current_task()
        self._connections[task] = writer
        self.connects += 1
        self.connect_times.append(asyncio.get_running_loop().time())
        try:
            await self._converse(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # asyncio's streams complain of a task that was cancelled
        finally:
            self._connections.pop(task, None)
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self.fault
        if fault == "refused":
            return
        if fault == "black_hole":
            await reader.read(-1)
        if fault == "garbage":
            writer.write(os.urandom(4096))
            await writer.drain()
            await reader.read(-1)
        while True:
            command, body = await self._packet(reader)
            if command >> 4 == CONNECT:
                self.hello = body
                if fault == "drop_mid_handshake":
                    writer.write(b"\x20\x02")
                    await writer.drain()
                    return
                writer.write(b"\x20\x02\x00\x00")
            elif command >> 4 == SUBSCRIBE and fault != "no_suback":
                self.filters = _filters(body)
                size = 70_000 if fault == "large_suback" else 2 + len(self.filters)
                writer.write(b"\x90" + length(size) + body[:2] + b"\x02" * (size - 2))
                await self._misbehave(fault, reader, writer)
                self.good += fault == "none"
                if fault == "restart_storm":
                    return
            else:
                self._answer(command, body, writer)

    def _answer(self, command: int, body: bytes, writer: asyncio.StreamWriter) -> None:
        kind = command >> 4
        if kind == PUBLISH:
            qos, size = command >> 1 & 3, int.from_bytes(body[:2], "big")
            start = 2 + size + (2 if qos else 0)
            self.received.append((body[2 : 2 + size].decode(), body[start:], qos))
            if command & 1:
                self.retained.append(self.received[-1][0])
            if qos:
                writer.write(bytes((PUBACK << 4 if qos == 1 else PUBREC << 4, 2)) + body[2 + size : start])
        elif kind == PUBREL:
            writer.write(bytes((PUBCOMP << 4, 2)) + body[:2])
        elif kind == DISCONNECT:
            self.goodbyes += 1
        elif kind == UNSUBSCRIBE:
            writer.write(bytes((UNSUBACK << 4, 2)) + body[:2])
        elif kind == PINGREQ:
            writer.write(bytes((PINGRESP << 4, 0)))

    async def _misbehave(self, fault: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        action: Callable[..., Any] | None = getattr(self, f"_{fault}", None)
        if action is not None:
            await action(writer)
            self.finished += fault in ("huge_payload", "retained_flood")
        if fault in ("slow_reader", "ack_flood"):
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.Event().wait()

    async def _packet(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        command = (await reader.readexactly(1))[0]
        size = shift = 0
        while True:
            octet = (await reader.readexactly(1))[0]
            size |= (octet & 127) << shift
            shift += 7
            if not octet & 128:
                return command, await reader.readexactly(size)

    # --- faults after the subscription

    async def _retained_flood(self, writer: asyncio.StreamWriter) -> None:
        for number in range(50_000):
            writer.write(publish(self.topic, b"Open" if number % 2 else b"%d" % number, retain=True))
            if not number % 100:
                await writer.drain()

    async def _huge_payload(self, writer: asyncio.StreamWriter) -> None:
        size = 64 << 20
        head = len(self.topic).to_bytes(2, "big") + self.topic + b"\x00\x07"
        writer.write(bytes((PUBLISH << 4 | 2,)) + length(size) + head)
        left = size - len(head)
        while left:
            part = min(left, 1 << 18)
            writer.write(b"\x00" * part)
            await writer.drain()
            left -= part

    async def _length_lie(self, writer: asyncio.StreamWriter) -> None:
        writer.write(publish(self.topic, b"Open", size=268_435_455))
        await writer.drain()

    async def _qos3(self, writer: asyncio.StreamWriter) -> None:
        writer.write(publish(self.topic, b"Open", 3))

    async def _wildcard_topic(self, writer: asyncio.StreamWriter) -> None:
        writer.write(publish(b"#", b"Open"))

    async def _bad_utf8(self, writer: asyncio.StreamWriter) -> None:
        writer.write(publish(b"\xff\xfe", b"Open"))

    async def _unreleased(self, writer: asyncio.StreamWriter) -> None:
        for mid in range(1, 4000):
            writer.write(publish(self.topic, b"x" * 16_000, 2, mid=mid))
            await writer.drain()

    async def _ack_flood(self, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                for mid in range(1, 60_000):
                    writer.write(publish(self.topic, b"x" * 100, 1, mid=mid))
                    if not mid % 100:
                        await writer.drain()

    async def _bad_length(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x30\xff\xff\xff\xff\xff")

    async def _second_connack(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x20\x02\x00\x00")
