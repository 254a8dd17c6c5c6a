"""Sound over HTTP without sockets: what waits is bounded, what is old goes, what comes is said at its pace."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.errors import InputError
from axcore.interfaces.http.vapix import audiodevicecontrol as control
from axcore.interfaces.http.vapix import audioformats as formats
from axcore.interfaces.http.vapix import audiostream as streams
from axcore.model.audio import ENCODINGS
from axcore.services.audio import AudioService
from axcore.services.params import ParamService
from axcore.services.params.audio import audio_settings


class FakeListener:
    """A microphone that says numbers."""

    def __init__(self, enough: int) -> None:
        self.said, self._enough = 0, enough
        self.done = asyncio.Event()

    def take(self) -> list[bytes]:
        self.said += 10
        if self.said >= self._enough:
            self.done.set()
        return [bytes([number % 256]) for number in range(self.said - 10, self.said)]


class FakeTalker:
    """A loudspeaker that notes what it got."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []

    def offer(self, payload: bytes) -> None:
        self.packets.append(payload)


class FakeBody:
    """A body that has all of it at once, as one who sends a file does."""

    def __init__(self, data: bytes) -> None:
        self.left = data
        self.most = 0

    async def read(self, size: int) -> bytes:
        self.most = max(self.most, size)
        piece, self.left = self.left[:size], self.left[size:]
        return piece

    def at_eof(self) -> bool:
        return not self.left


def context(*, talking: bool = False, in_call: bool = False, **values: str) -> Any:
    """``values``: of parameters, by the last part of their names."""
    leg = SimpleNamespace(target=SimpleNamespace(uri="sip:ada@host"))
    live = SimpleNamespace(winner="1.0", leg=lambda name: leg) if in_call else None
    params = ParamService(
        replace(one, default=values.get(one.name.rpartition(".")[2], one.default)) for one in audio_settings()
    )
    return SimpleNamespace(two_way=SimpleNamespace(talking=talking), intercom=SimpleNamespace(live=live), params=params)


async def test_a_client_that_reads_slowly_loses_the_past() -> None:
    listener, kept = FakeListener(60), deque[bytes](maxlen=streams.KEPT)
    pump = asyncio.create_task(streams._pump(listener, kept, context(), half=False))
    await listener.done.wait()
    pump.cancel()
    assert len(kept) == streams.KEPT
    assert kept[-1] in {bytes([(listener.said - 1) % 256]), bytes([(listener.said - 11) % 256])}


async def test_in_half_duplex_nobody_hears_while_somebody_talks() -> None:
    listener, kept = FakeListener(30), deque[bytes](maxlen=streams.KEPT)
    pump = asyncio.create_task(streams._pump(listener, kept, context(talking=True), half=True))
    await listener.done.wait()
    pump.cancel()
    assert not kept


@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.31])
async def test_all_of_a_body_is_said_in_packets_and_little_is_read_ahead(seconds: float) -> None:
    codec, talker = formats.G711, FakeTalker()
    data = bytes(number % 251 for number in range(round(seconds * 8000)))
    body = FakeBody(data)
    await streams._say(SimpleNamespace(content=body), talker, codec, context())  # type: ignore[arg-type]
    assert b"".join(talker.packets)[: len(data)] == data
    assert all(len(packet) == codec.octets for packet in talker.packets)
    assert body.most <= codec.octets * 25


async def test_an_empty_body_says_nothing() -> None:
    talker = FakeTalker()
    await streams._say(SimpleNamespace(content=FakeBody(b"")), talker, formats.G711, context())  # type: ignore[arg-type]
    assert talker.packets == []


async def test_a_telephone_call_ends_the_talk() -> None:
    talker, body = FakeTalker(), FakeBody(bytes(160_000))
    request: Any = SimpleNamespace(content=body)
    await streams._say(request, talker, formats.G711, context(in_call=True))
    assert talker.packets == []


@pytest.mark.parametrize("kind", sorted(formats.TRANSMIT))
@pytest.mark.parametrize("size", [1, 7, 80])
def test_the_last_packet_is_filled_up(kind: str, size: int) -> None:
    codec = formats.TRANSMIT[kind]
    length = {"audio/axis-mulaw-128": 640, "audio/l24": 640}.get(kind, codec.octets)
    assert len(formats.from_wire(bytes(size), codec)) == length


def test_what_has_come_is_said_when_no_more_comes() -> None:
    class Stalled(FakeBody):
        async def read(self, size: int) -> bytes:
            if not self.left:
                await asyncio.Event().wait()
            return await super().read(size)

    talker = FakeTalker()
    request: Any = SimpleNamespace(content=Stalled(b"\x11" * 240))
    asyncio.run(streams._say(request, talker, formats.G711, context(ReceiverTimeout="1")))
    assert talker.packets == [b"\x11" * 160, b"\x11" * 80 + b"\xff" * 80]


@pytest.mark.parametrize(("value", "seconds"), [("1000", 1.0), ("9999", 9.999), ("1", 0.001), ("0", streams.IDLE_S)])
def test_no_timeout_of_its_own_is_that_of_all(value: str, seconds: float) -> None:
    assert streams._patience(context(ReceiverTimeout=value)) == seconds


@pytest.mark.parametrize("switch", ["Enabled", "AudioSupport"])
async def test_who_talks_or_listens_ends_when_audio_is_switched_off(switch: str) -> None:
    off, talker = context(**{switch: "no"}), FakeTalker()
    await streams._say(SimpleNamespace(content=FakeBody(bytes(8000))), talker, formats.G711, off)  # type: ignore[arg-type]
    assert talker.packets == []
    assert not streams._listens(SimpleNamespace(transport=SimpleNamespace(is_closing=lambda: False)), off)  # type: ignore[arg-type]


SOME_VALUES = st.sampled_from(["", "0", "1", "2", "-1", "8000", "16000", "64000", "lpcm", "aac", "g711", "multipart"])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(formats.RECEIVE_ARGUMENTS) | st.text(max_size=12), SOME_VALUES | st.text(max_size=12)
        ),
        max_size=4,
    ),
    st.sampled_from(sorted(ENCODINGS)),
)
def test_any_arguments_are_a_codec_or_an_input_error(fields: list[tuple[str, str]], encoding: str) -> None:
    blamed = ""
    try:
        codec, _ = formats.receive_arguments(fields, encoding=encoding)
    except InputError as error:
        blamed = error.field
    else:
        assert codec is formats.RECEIVE[dict(fields).get("audiocodec", encoding)]
    assert blamed in {"", *(name[:40] for name, _ in fields)}


@given(st.lists(st.tuples(st.sampled_from(formats.TRANSMIT_ARGUMENTS) | st.text(max_size=12), SOME_VALUES), max_size=3))
def test_only_our_output_can_be_talked_to(fields: list[tuple[str, str]]) -> None:
    blamed = ""
    try:
        formats.check_transmit_arguments(fields)
    except InputError as error:
        blamed = error.field
    else:
        assert set(fields) <= {("audiodeviceid", "0"), ("audiooutputid", "0")}
    assert blamed in {"", *(name[:40] for name, _ in fields)}


@given(st.binary(max_size=640).filter(lambda data: len(data) % 2 == 0))
def test_24_bits_there_and_back(samples: bytes) -> None:
    wide = formats.to_wire(samples, formats.L24)
    assert len(wide) == len(samples) // 2 * 3
    assert formats.from_wire(wide, formats.L24) == samples.ljust(640, b"\0")


def test_every_encoding_has_a_codec() -> None:
    assert set(ENCODINGS) == set(formats.RECEIVE)
    for name, codec in formats.RECEIVE.items():
        assert codec.octets * 50 * 8 == ENCODINGS[name].bit_rate
        assert codec.block <= 960


class TestDeviceControl:
    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["devices", "inputs", "id", "connectionTypes", "signalTypes", "gain", "mute"]),
                    inner,
                )
            ),
            max_leaves=8,
        )
    )
    def test_any_parameters_are_a_patch_or_an_input_error(self, params: Any) -> None:
        from axcore.interfaces.http.jsonin import convert

        audio = AudioService(("internal",), ("internal",))
        try:
            found = control.patch_of(convert(params, control.Given), audio)
        except InputError:
            return
        assert set(found) == {"input", "output"}

    def test_the_line_connector_is_there_where_it_is_configured(self) -> None:
        audio = AudioService(("internal", "line"), ("internal",))
        (device,) = control.capabilities(audio)["devices"]
        assert [one["id"] for one in device["inputs"][0]["connectionTypes"]] == ["internal", "line"]
        wanted = control.Given(
            devices=(control.DeviceGiven(inputs=(control.EndGiven(connectionTypeSelected="line"),)),)
        )
        assert control.patch_of(wanted, audio) == {"input": {"type": "line"}, "output": {}}
        wanted = control.Given(
            devices=(control.DeviceGiven(outputs=(control.EndGiven(connectionTypeSelected="line"),)),)
        )
        with pytest.raises(InputError) as caught:
            control.patch_of(wanted, audio)
        assert caught.value.field == "params.devices[0].outputs[0].connectionTypeSelected"
