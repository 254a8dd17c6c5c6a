"""The native RTP modules: arguments are checked, bad input raises what is documented, objects survive misuse."""

from __future__ import annotations

import hashlib
import hmac as plain_hmac

import pytest

from axcore._native import jitter, rtp, rtp_session, srtp
from axcore.errors import ArgumentError, FormatError, ParityError, QueueFullError, RangeError, StateError


def test_build_refuses_what_does_not_fit() -> None:
    for bad in (
        {"sequence": 65536},
        {"payload_type": 128},
        {"padding": 256},
        {"csrc": range(16)},
        {"extension": b"", "extension_profile": 65536},
        {"elements": {0: b"x"}},
        {"elements": {256: b"x"}},
        {"elements": {1: bytes(256)}},
        {"payload": bytes(65530)},
    ):
        given = {"payload": b"", "payload_type": 0, "sequence": 0, "timestamp": 0, "ssrc": 0} | bad
        with pytest.raises(RangeError):
            rtp.build(**given)
    with pytest.raises(ArgumentError):
        rtp.build(b"", 0, 0, 0, 0, elements={1: b"x"}, extension=b"abcd")
    with pytest.raises(OverflowError):
        rtp.build(b"", 0, 0, 2**32, 0)


def test_elements_take_the_form_that_holds_them() -> None:
    assert rtp.parse(rtp.build(b"", 0, 0, 0, 0, elements={1: b"x"})).extension_profile == 0xBEDE
    packet = rtp.parse(rtp.build(b"", 0, 0, 0, 0, elements={1: b"", 200: bytes(20)}))
    assert packet.extension_profile == 0x1000
    assert packet.elements == {1: b"", 200: bytes(20)}
    empty = rtp.parse(rtp.build(b"p", 0, 0, 0, 0, extension=b"", extension_profile=5))
    assert (empty.extension, empty.elements, empty.payload) == (b"", {}, b"p")
    assert rtp.parse(rtp.build(b"p", 0, 0, 0, 0)).extension is None


def test_packet_shows_its_parts() -> None:
    raw = rtp.build(b"abc", 101, 65535, 2**32 - 1, 7, marker=True, csrc=(1, 2), padding=3)
    packet = rtp.parse(memoryview(raw))
    assert (packet.payload, packet.payload_type, packet.sequence, packet.timestamp) == (b"abc", 101, 65535, 2**32 - 1)
    assert (packet.ssrc, packet.marker, packet.csrc, packet.padding, packet.raw) == (7, True, (1, 2), 3, raw)
    assert packet.extension_profile is None
    with pytest.raises(FormatError):
        rtp.parse(b"short")


def test_batch_counts_the_malformed_and_keeps_its_packets() -> None:
    raw = [rtp.build(bytes([i]), 0, i, i, 1) for i in range(5)]
    batch = rtp.Batch([*raw, b"bad", b""])
    assert (len(batch), batch.malformed) == (7, 2)
    assert [p.payload for i in range(5) if (p := batch[i])] == [bytes([i]) for i in range(5)]
    assert batch[5] is None
    assert batch[-1] is None
    assert len(memoryview(batch)) == 7 * 24
    with pytest.raises(IndexError):
        batch[7]
    with pytest.raises(ArgumentError):
        rtp.Batch([bytearray(raw[0])])  # type: ignore[list-item]
    assert len(rtp.Batch(iter(raw))) == 5
    assert len(rtp.Batch([])) == 0
    with pytest.raises((BufferError, TypeError)):
        memoryview(batch)[0] = 1


def test_rtcp_refuses_what_does_not_fit() -> None:
    with pytest.raises(RangeError):
        rtp.rtcp_build(1, reports=[(1, 0, 0, 0, 0, 0, 0)] * 32)
    with pytest.raises(RangeError):
        rtp.rtcp_build(1, reports=[(1, 0, 2**23, 0, 0, 0, 0)])
    with pytest.raises(RangeError):
        rtp.rtcp_build(1, cname="x" * 256)
    with pytest.raises(FormatError):
        rtp.rtcp_parse(b"\x80\xc9\0\0")
    app = rtp.rtcp_build(1) + bytes.fromhex("81cc0002") + b"ssrcname"
    assert rtp.rtcp_parse(app)[1] == (204, 1, b"ssrcname")


def test_hashes_are_those_of_the_library() -> None:
    for n in (0, 1, 55, 56, 63, 64, 65, 1000):
        data, key = bytes(range(256)) * 4, bytes(range(n % 200))
        assert srtp.sha1(data[:n]) == hashlib.sha1(data[:n]).digest()
        assert srtp.hmac_sha1(key, data[:n]) == plain_hmac.new(key, data[:n], "sha1").digest()


def test_srtp_errors() -> None:
    with pytest.raises(RangeError, match="one of"):
        srtp.Context("AES_256", bytes(16), bytes(14))
    with pytest.raises(RangeError, match="salt of 12"):
        srtp.Context("AEAD_AES_128_GCM", bytes(16), bytes(14))
    with pytest.raises(RangeError):
        srtp.set_levels(9, 0)
    one, two = (srtp.Context("AES_CM_128_HMAC_SHA1_80", bytes(16), bytes(14)) for _ in range(2))
    sealed = one.protect(rtp.build(b"x", 0, 1, 1, 1))
    with pytest.raises(StateError):
        one.protect(rtp.build(b"y", 0, 1, 1, 1))
    with pytest.raises(ParityError):
        two.unprotect(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert two.unprotect(sealed)[12:] == b"x"
    with pytest.raises(StateError):
        two.unprotect(sealed)
    for bad in (b"", bytes(70000)):
        with pytest.raises(FormatError):
            two.unprotect(bad)
    for ssrc in range(2, 17):
        one.protect(rtp.build(b"x", 0, 1, 1, ssrc))
    with pytest.raises(QueueFullError):
        one.protect(rtp.build(b"x", 0, 1, 1, 99))
    assert one.stats == {"packets": 16, "malformed": 0, "not_authentic": 0, "replayed": 1, "no_room": 1}
    levels = srtp.levels()
    srtp.set_levels(levels[0] - 1, levels[1] - 1)


def test_session_and_jitter_arguments() -> None:
    for bad in ({"payload_type": 128}, {"event_type": 0}, {"rate": 1}, {"cname": "x" * 64}, {"rtcp_ms": 5}):
        with pytest.raises(RangeError):
            rtp_session.Session(1, **bad)  # type: ignore[arg-type]
    session = rtp_session.Session(1)
    for values in ((256, 160, 1), (1, 0, 1), (1, 160, 64)):
        with pytest.raises(RangeError):
            session.press(*values)
    session.press(1, 160)
    with pytest.raises(StateError):
        session.press(1, 160)
    with pytest.raises(RangeError):
        jitter.Buffer(8000, 160, 63, 160, 0, 400, True)
    buffer = jitter.Buffer(8000, 160, 64, 160, 0, 400, True)
    with pytest.raises(RangeError):
        buffer.put(1, 1, 1, bytes(161), 0)
