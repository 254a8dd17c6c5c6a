"""The native OSDP kernel against plain Python, at every level of the machine, and messages there and back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from axcore import osdp
from axcore._native import osdp as native
from axcore.errors import FormatError, InputError, ParityError
from axcore.osdp import messages
from axcore.testing import reference_osdp as reference

KEYS = st.binary(min_size=16, max_size=16)
NONCES = st.binary(min_size=8, max_size=8)
LEVELS = [(crc, aes) for crc in range(native.crc_levels()) for aes in range(native.aes_levels())]


@pytest.fixture(params=LEVELS, ids=lambda level: f"crc{level[0]}-aes{level[1]}")
def level(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    native.set_levels(*request.param)
    yield request.param
    native.set_levels(native.crc_levels() - 1, native.aes_levels() - 1)


def test_crc_at_every_level_and_length(level: tuple[int, int]) -> None:
    data = os.urandom(1500)
    for size in [*range(0, 140), 255, 256, 257, 511, 512, 513, 1023, 1439, 1440, 1499]:
        chunk = data[1 : 1 + size]
        assert osdp.crc16(chunk) == reference.crc16(chunk)
        assert osdp.crc16(memoryview(data)[1 : 1 + size]) == osdp.crc16(chunk)
        assert native.crc16_update(7, chunk) == reference.crc16(chunk, 7)
        assert osdp.checksum(chunk) == reference.checksum(chunk)


def test_aes_at_every_level_against_cryptography(level: tuple[int, int]) -> None:
    for blocks in range(1, 40):
        key, iv, data = os.urandom(16), os.urandom(16), os.urandom(16 * blocks)
        sealed = native.aes_cbc(key, iv, data)
        assert sealed == reference._cbc(key, iv, data)
        assert native.aes_cbc(key, iv, sealed, True) == data


FIELDS = st.fixed_dictionaries(
    {"address": st.integers(0, 127), "sequence": st.integers(0, 3), "reply": st.booleans(), "crc": st.booleans()}
)


@settings(max_examples=200, deadline=None)
@given(code=st.integers(0, 255), data=st.binary(max_size=1432), fields=FIELDS)
def test_frames_agree(code: int, data: bytes, fields: dict[str, Any]) -> None:
    frame = osdp.encode(code, data, **fields)
    assert frame == reference.encode(code, data, **fields)
    (found,), rest = osdp.decode(b"\xff" + frame)
    assert rest == b""
    assert (found.code, found.data) == (code, data)
    assert {name: getattr(found, name) for name in fields} == fields


@settings(max_examples=60, deadline=None)
@given(
    key=KEYS, rnd_a=NONCES, rnd_b=NONCES, talk=st.lists(st.tuples(st.binary(max_size=200), st.booleans()), max_size=12)
)
def test_sessions_agree(key: bytes, rnd_a: bytes, rnd_b: bytes, talk: list[tuple[bytes, bool]]) -> None:
    acu, device, plain = osdp.Session(key, rnd_a), osdp.Session(key, rnd_a), reference.ReferenceSession(key, rnd_a)
    assert acu.client_cryptogram(rnd_b) == plain.client_cryptogram(rnd_b)
    server = acu.server_cryptogram(rnd_b)
    assert server == plain.server_cryptogram(rnd_b)
    assert acu.start(server) == device.start(server) == plain.start(server)
    listener = reference.ReferenceSession(key, rnd_a)
    listener.start(server)
    for n, (data, crc) in enumerate(talk):
        reply = bool(n & 1)
        fields: dict[str, Any] = {"address": 5, "sequence": n % 3 + 1, "reply": reply, "crc": crc}
        sender, receiver = (device, acu) if reply else (acu, device)
        frame = sender.seal(0x80, data, **fields)
        assert frame == plain.seal(0x80, data, **fields)
        assert receiver.open(osdp.decode_frame(frame)) == data == listener.open(frame)


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=64))
@example(data=b"\x53\x00\x07\x00\x00\x60\x46")
def test_any_bytes_give_a_frame_or_an_exception(data: bytes) -> None:
    try:
        frame = osdp.decode_frame(data)
    except (FormatError, ParityError):
        return
    assert frame.raw == data[: len(frame.raw)]


@settings(max_examples=150, deadline=None)
@given(
    noise=st.binary(max_size=40), cuts=st.lists(st.integers(1, 9), max_size=40), datas=st.lists(st.binary(max_size=30))
)
def test_cuts_do_not_matter(noise: bytes, cuts: list[int], datas: list[bytes]) -> None:
    line = noise.replace(b"\x53", b"") + b"".join(b"\xff" + osdp.encode(0x80, data) for data in datas)
    whole = osdp.Receiver()
    parts = osdp.Receiver()
    expected = whole.feed(line)
    found = []
    at = 0
    for cut in cuts:
        found += parts.feed(line[at : at + cut])
        at += cut
    found += parts.feed(line[at:])
    assert found == expected
    assert [frame.data for frame in found] == datas


def message_of(cls: type[messages.Message]) -> st.SearchStrategy[messages.Message]:
    """Any message of a class: integers in range, tails of any bytes."""
    bounds = {"B": (0, 255), "H": (0, 65535), "I": (0, 2**32 - 1), "h": (-32768, 32767)}
    fields: list[st.SearchStrategy[Any]] = []
    number = ""
    for letter in cls.LAYOUT:
        if letter.isdigit():
            number += letter
        elif letter == "s":
            fields.append(st.binary(min_size=int(number), max_size=int(number)))
            number = ""
        else:
            fields.append(st.integers(*bounds[letter]))
    if cls.TAIL:
        fields.append(st.binary(max_size=200))
    return st.builds(cls, *fields)


@pytest.mark.parametrize("reply", [False, True])
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_messages_there_and_back(reply: bool, data: st.DataObject) -> None:
    cls = data.draw(st.sampled_from(list((messages.REPLIES if reply else messages.COMMANDS).values())))
    if cls.REPEATS:
        records = tuple(data.draw(st.lists(message_of(cls), min_size=1, max_size=4)))
        code, payload = messages.pack(records)
        assert messages.unpack(reply, code, payload) == records
    else:
        message = data.draw(message_of(cls))
        code, payload = messages.pack(message)
        assert messages.unpack(reply, code, payload) == message


@settings(max_examples=300, deadline=None)
@given(reply=st.booleans(), code=st.integers(0, 255), data=st.binary(max_size=60))
def test_any_payload_is_a_message_or_a_format_error(reply: bool, code: int, data: bytes) -> None:
    try:
        message = messages.unpack(reply, code, data)
    except FormatError:
        return
    assert messages.pack(message) == (code, data)


def test_fields_that_do_not_fit_are_named() -> None:
    for message in (messages.Led(on=256), messages.Text(text=bytes(300)), messages.Comset(baud=-1)):
        with pytest.raises(InputError):
            message.pack()
