"""RTP against plain Python, on anything that hypothesis thinks of."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axcore import rtp
from axcore._native import srtp
from axcore.errors import AxError, FormatError
from axcore.testing import reference_rtp as plain

U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
ELEMENTS = st.none() | st.dictionaries(st.integers(1, 255), st.binary(max_size=40), min_size=1, max_size=6)
PACKETS = st.builds(
    lambda payload, kind, sequence, timestamp, ssrc, marker, csrc, elements, padding: rtp.build(
        payload, kind, sequence, timestamp, ssrc, marker, csrc, elements, padding=padding
    ),
    st.binary(max_size=300),
    st.integers(0, 127),
    U16,
    U32,
    U32,
    st.booleans(),
    st.lists(U32, max_size=15).map(tuple),
    ELEMENTS,
    st.integers(0, 255),
)


def same(data: bytes) -> None:
    """The native parser finds what the plain one finds."""
    expected = plain.parse(data)
    if expected is None:
        with pytest.raises(FormatError):
            rtp.parse(data)
        assert rtp.Batch([data]).malformed == 1
        return
    for packet in (rtp.parse(data), rtp.Batch([data])[0]):
        assert packet is not None
        found = plain.PlainPacket(
            packet.payload_type, packet.marker, packet.sequence, packet.timestamp, packet.ssrc, packet.csrc,
            packet.extension_profile, packet.extension, packet.payload, packet.padding,
        )  # fmt: skip
        assert found == expected
        assert packet.elements == plain.elements(expected.extension_profile, expected.extension)


@given(PACKETS)
def test_what_is_built_is_parsed(data: bytes) -> None:
    same(data)


@given(PACKETS, st.integers(0, 2000), st.integers(0, 400))
def test_damaged_packets(data: bytes, bit: int, cut: int) -> None:
    broken = bytearray(data)
    broken[bit // 8 % len(data)] ^= 1 << bit % 8
    same(bytes(broken))
    same(data[:cut])


@given(st.binary(max_size=80), st.integers(0, 63), st.binary(max_size=200))
def test_anything(head: bytes, low: int, tail: bytes) -> None:
    same(bytes([0x80 | low]) + head + tail)


@given(st.binary(max_size=400))
def test_rtcp_takes_anything(data: bytes) -> None:
    for reduced in (False, True):
        try:
            blocks = rtp.parse_rtcp(data, reduced=reduced)
        except FormatError:
            continue
        assert blocks


REPORT = st.builds(rtp.Report, U32, st.integers(0, 255), st.integers(-(2**23), 2**23 - 1), U32, U32, U32, U32)
TEXT = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=255)


@given(U32, st.lists(REPORT, max_size=31), st.none() | TEXT, st.none() | TEXT)
def test_rtcp_round_trip(ssrc: int, reports: list[rtp.Report], cname: str | None, bye: str | None) -> None:
    blocks = rtp.parse_rtcp(rtp.build_rtcp(ssrc, reports=reports, cname=cname, bye=bye))
    assert blocks[0] == rtp.ReceiverReport(ssrc, tuple(reports))
    if cname is not None:
        assert blocks[1] == rtp.SourceDescription((rtp.Item(ssrc, 1, cname.encode()),))
    if bye is not None:
        assert blocks[-1] == rtp.Goodbye((ssrc,), bye.encode())


EVENTS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 15), st.booleans(), st.integers(0, 800)), min_size=1, max_size=40
)


@given(EVENTS)
def test_a_key_is_told_once_whatever_arrives(events: list[tuple[int, int, bool, int]]) -> None:
    """Each timestamp is one key of one event, in whatever order and number its packets come."""
    keys = rtp.TelephoneEvents()
    digit = {number: event for number, event, _, _ in reversed(events)}
    sent = [(n * 1000, bytes([digit[n], end << 7, d >> 8, d & 255])) for n, _, end, d in events]
    told = list(itertools.chain.from_iterable(keys.feed_payload(1, t, p, 0) for t, p in sent))
    told += keys.poll(10**9)
    assert [key.event for key in told if key.pressed] == plain.keys(sent)
    assert [key.timestamp for key in told if key.pressed] == [key.timestamp for key in told if not key.pressed]


@settings(max_examples=40)
@given(
    st.sampled_from(list(rtp.Profile)),
    st.tuples(st.binary(min_size=16, max_size=16), st.binary(min_size=14, max_size=14)),
    st.lists(PACKETS, min_size=1, max_size=5),
    U32,
    st.tuples(st.integers(0, 1), st.integers(0, 1)),
)
def test_srtp_is_that_of_the_standard(
    profile: rtp.Profile, master: tuple[bytes, bytes], packets: list[bytes], roc: int, levels: tuple[int, int]
) -> None:
    best = srtp.levels()
    srtp.set_levels(min(levels[0], best[0] - 1), min(levels[1], best[1] - 1))
    try:
        key, salt = master[0], master[1][: profile.salt_size]
        reference = plain.PlainSrtp(profile, key, salt)
        for packet in packets:
            mine, far = (rtp.SrtpContext(profile, key, salt) for _ in range(2))
            parsed = rtp.parse(packet)
            for context in (mine, far):
                context.set_roc(parsed.ssrc, roc, parsed.sequence)
            sealed = mine.protect(packet)
            assert sealed == reference.protect(packet, roc)
            assert far.unprotect(sealed) == packet
            report = rtp.build_rtcp(parsed.ssrc, cname="x")
            assert mine.protect_rtcp(report) == reference.protect_rtcp(report, 0)
    finally:
        srtp.set_levels(best[0] - 1, best[1] - 1)


OPERATIONS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 60), st.integers(-3, 8), st.integers(0, 3)), min_size=1, max_size=120
)


@given(OPERATIONS, st.booleans(), st.booleans())
def test_jitter_buffer_is_bounded_and_in_order(
    operations: list[tuple[bool, int, int, int]], stretch: bool, ticks: bool
) -> None:
    buffer = rtp.JitterBuffer(8000, 160, slots=16, stretch=stretch, tick_us=10_000 if ticks else 0)
    now, number, last, taken, rest = 0, 1000, -1, 0, 0
    for is_put, wait, step, source in operations:
        now += wait * 1_000_000
        if is_put:
            number += step
            packet = rtp.parse(rtp.build(bytes([number & 255]), 0, number & 0xFFFF, number * 160, 7 if source else 8))
            told = buffer.put(packet, now)
            taken += told in {"stored", "restarted"}
            last = -1 if told == "restarted" else last
        else:
            sound = buffer.get(now, wait * 400_000 if ticks else 0)
            assert 0 < sound.play <= 2 * sound.ticks
            assert sound.kind is not rtp.Kind.REST or sound.ticks + sound.rest == rest
            assert stretch or sound.rest == 0
            rest = sound.rest
            assert stretch or sound.kind is not rtp.Kind.STRETCH
            if sound.payload is not None:
                assert sound.sequence > last
                last = sound.sequence
        assert len(buffer) <= 16
        assert buffer.stats["frames"] + len(buffer) <= taken


@given(st.lists(st.binary(max_size=60), max_size=20), st.lists(PACKETS, max_size=10))
def test_a_session_takes_anything(noise: list[bytes], packets: list[bytes]) -> None:
    session = rtp.Session(seed=3)
    given_ = [*noise, *packets]
    for i, data in enumerate(given_):
        session.receive(data, i * 20_000_000)
        try:
            rtp.SrtpContext("AEAD_AES_128_GCM", bytes(16), bytes(12)).unprotect(data)
        except AxError:
            continue
        raise AssertionError("taken without a key")
    stats = session.stats
    assert stats["taken"] + sum(v for k, v in stats.items() if k.startswith("dropped_")) <= len(given_)
