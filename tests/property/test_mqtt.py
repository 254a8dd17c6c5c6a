"""Whatever bytes a broker sends: the engine goes on or ends the connection, and raises nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axcore.services.mqtt.engine import MAX_HALF_OCTETS, Engine
from axcore.testing.mqtt_broker import length, publish


class FakeLink:
    """A link without a network."""

    def __init__(self) -> None:
        self.lost: str | None = None
        self.writable = True
        self.aborted = False
        self.sent = bytearray()
        self.on_data = self.on_lost = self.on_writable = lambda *_: None

    def send(self, data: bytes | bytearray) -> int:
        if self.lost is not None:
            raise OSError("closed")
        self.sent += data
        return len(data)

    def abort(self) -> None:
        self.aborted, self.lost = True, "aborted"

    close = abort

    def start(self) -> None:
        """CONNACK."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def setblocking(self, flag: bool) -> None: ...


async def session(version5: bool, chunks: list[bytes]) -> tuple[Engine, FakeLink, list[Any]]:
    """Connect, then let the broker say ``chunks``."""
    engine = Engine(client_id="c", version5=version5, clean_session=True, keep_alive=60)
    link, got = FakeLink(), list[Any]()
    engine.on_message = lambda *message: got.append(message)
    connecting = asyncio.create_task(engine.connect(link))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    link.on_data(b"\x20\x03\x00\x00\x00" if version5 else b"\x20\x02\x00\x00")
    await connecting
    for chunk in chunks:
        if not link.aborted:
            link.on_data(chunk)
        await asyncio.sleep(0)
    return engine, link, got


def packet(command: int, body: bytes) -> bytes:
    return bytes((command,)) + length(len(body)) + body


_PACKETS = st.builds(packet, st.integers(0, 255), st.binary(max_size=40))
_PUBLISHES = st.builds(
    publish,
    st.binary(max_size=10),
    st.binary(max_size=30),
    st.integers(0, 3),
    retain=st.booleans(),
    mid=st.integers(0, 65535),
    size=st.one_of(st.just(-1), st.integers(0, 60)),
)
_BODIES = st.builds(
    lambda topic, rest: len(topic).to_bytes(2, "big") + topic + rest,
    st.text(max_size=6).map(str.encode) | st.binary(max_size=4),
    st.binary(max_size=8) | st.binary(max_size=8).map(lambda rest: b"\0" + rest),
) | st.binary(max_size=4)


@given(st.booleans(), st.lists(_PACKETS | _PUBLISHES | st.binary(max_size=60), max_size=8))
@settings(max_examples=300)
def test_any_bytes(version5: bool, chunks: list[bytes]) -> None:
    async def run() -> None:
        engine, link, got = await session(version5, chunks)
        for topic, payload, retained, whole in got:
            assert isinstance(topic, str)
            assert topic
            assert not set("+#\0") & set(topic)
            assert isinstance(payload, bytes)
            assert isinstance(retained, bool | int)
            assert whole
        if not link.aborted:
            engine.tick()
        assert len(link.sent) < 10_000

    asyncio.run(run())


@given(st.booleans(), st.lists(st.tuples(st.booleans(), _BODIES), max_size=6))
@settings(max_examples=300)
def test_what_is_handled_here_is_what_the_library_makes_of_it(
    version5: bool, messages: list[tuple[bool, bytes]]
) -> None:
    async def run(by_library: bool) -> tuple[list[Any], bool]:
        chunks = [packet(0x30 | retain, body) for retain, body in messages]
        with pytest.MonkeyPatch.context() as patch:
            if by_library:
                patch.setattr(Engine, "_plain", lambda self, packet: False)
            _, link, got = await session(version5, chunks)
        return got, link.aborted

    assert asyncio.run(run(False)) == asyncio.run(run(True))


@given(st.booleans(), st.lists(st.tuples(st.integers(1, 600), st.integers(0, 16_000)), max_size=400))
@settings(max_examples=20)
def test_what_is_half_received_is_bounded(version5: bool, messages: list[tuple[int, int]]) -> None:
    async def run() -> None:
        extra = b"\x00" if version5 else b""
        chunks = [publish(b"t", extra + b"x" * size, 2, mid=mid) for mid, size in messages]
        engine, _, _ = await session(version5, chunks)
        held = engine._paho._in_messages.values()
        assert sum(len(message.payload) for message in held) <= MAX_HALF_OCTETS + 16_000

    asyncio.run(run())
