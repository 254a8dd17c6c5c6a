"""RTP: parsing, receiving with G.711, SRTP; ours and the best peers in the same run.

All tests of a group do the same work; ours is ``test_axcore...``, a peer is ``test_peer_...``. ``rtp-receive`` runs
the C workload in a process of its own, with its start, against aiortc's chain in this one.
"""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from typing import Any

import pytest

from axcore import rtp
from axcore.testing import reference_rtp as plain

PACKETS = 1000
RUNS = 10_000
PER_RUN = 256
WORKLOAD = Path(__file__).parents[1] / "build-c" / "bench" / "profile" / "workload_rtp"
RAW = [rtp.build(bytes(k * 7 + i & 255 for k in range(160)), 0, i, 160 * i, 0x1234) for i in range(PACKETS)]
KEY, SALT = bytes(range(16)), bytes(range(14))
needs_aiortc = pytest.mark.skipif(importlib.util.find_spec("aiortc") is None, reason="aiortc is not installed")


def units(benchmark: Any, count: int) -> None:
    """One call handles ``count`` packets."""
    benchmark.extra_info["units"], benchmark.extra_info["unit"] = count, "packets"


@pytest.mark.benchmark(group="rtp-parse")
def test_axcore_batch(benchmark: Any) -> None:
    units(benchmark, PACKETS)
    assert benchmark(rtp.Batch, RAW)[999].timestamp == 160 * 999


@needs_aiortc
@pytest.mark.benchmark(group="rtp-parse")
def test_peer_aiortc_parse(benchmark: Any) -> None:
    from aiortc.rtp import RtpPacket

    units(benchmark, PACKETS)
    assert benchmark(lambda: [RtpPacket.parse(data) for data in RAW])[999].timestamp == 160 * 999


@pytest.mark.benchmark(group="rtp-parse")
def test_peer_plain_parse(benchmark: Any) -> None:
    units(benchmark, PACKETS)
    benchmark(lambda: [plain.parse(data) for data in RAW])


@pytest.mark.benchmark(group="rtp-parse-single")
def test_axcore_parse(benchmark: Any) -> None:
    units(benchmark, PACKETS)
    parse = rtp.parse
    benchmark(lambda: [parse(data) for data in RAW])


@needs_aiortc
@pytest.mark.benchmark(group="rtp-parse-single")
def test_peer_aiortc_parse_single(benchmark: Any) -> None:
    from aiortc.rtp import RtpPacket

    units(benchmark, PACKETS)
    benchmark(lambda: [RtpPacket.parse(data) for data in RAW])


@pytest.mark.benchmark(group="rtp-receive")
def test_axcore_receive(benchmark: Any) -> None:
    """Parse and G.711 decode in C."""
    units(benchmark, RUNS * PER_RUN)
    command = [str(WORKLOAD), "rtp.parse_decode", str(RUNS)]
    benchmark.pedantic(subprocess.run, (command,), {"check": True, "capture_output": True}, rounds=5)


@needs_aiortc
@pytest.mark.benchmark(group="rtp-receive")
def test_peer_aiortc_receive(benchmark: Any) -> None:
    """Parse, jitter buffer and G.711 decode, as aiortc's receiver does it for each packet."""
    from aiortc.codecs.g711 import PcmuDecoder
    from aiortc.jitterbuffer import JitterBuffer, JitterFrame
    from aiortc.rtp import RtpPacket

    def receive() -> int:
        jitter, decoder, decoded = JitterBuffer(capacity=16, prefetch=4), PcmuDecoder(), 0
        for data in RAW:
            packet = RtpPacket.parse(data)
            packet._data = packet.payload
            _, frame = jitter.add(packet)
            if frame is not None:
                decoded += len(decoder.decode(JitterFrame(frame.data, frame.timestamp)))
        return decoded

    units(benchmark, PACKETS)
    assert benchmark(receive) > PACKETS * 0.98


def contexts(profile: rtp.Profile) -> tuple[rtp.SrtpContext, rtp.SrtpContext]:
    """Both ends."""
    salt = SALT[: profile.salt_size]
    return rtp.SrtpContext(profile, KEY, salt), rtp.SrtpContext(profile, KEY, salt)


@pytest.mark.benchmark(group="rtp-srtp-cm")
def test_axcore_srtp_cm(benchmark: Any) -> None:
    srtp_both_ways(benchmark, rtp.Profile.AES_CM_80)


@pytest.mark.benchmark(group="rtp-srtp-gcm")
def test_axcore_srtp_gcm(benchmark: Any) -> None:
    srtp_both_ways(benchmark, rtp.Profile.AES_GCM)


def srtp_both_ways(benchmark: Any, profile: rtp.Profile) -> None:
    """Every packet protected and unprotected; fresh contexts each round, as the peer has."""
    units(benchmark, PACKETS)

    def run() -> bytes:
        sender, receiver = contexts(profile)
        for data in RAW:
            out = receiver.unprotect(sender.protect(data))
        return out

    assert benchmark(run) == RAW[-1]


def libsrtp_both_ways(benchmark: Any, profile: str, size: int) -> None:
    """The same in libsrtp."""
    pylibsrtp = pytest.importorskip("pylibsrtp")
    units(benchmark, PACKETS)
    key = KEY + SALT[:size]

    def session(inbound: bool) -> Any:
        kind = pylibsrtp.Policy.SSRC_ANY_INBOUND if inbound else pylibsrtp.Policy.SSRC_ANY_OUTBOUND
        return pylibsrtp.Session(
            policy=pylibsrtp.Policy(key=key, ssrc_type=kind, srtp_profile=getattr(pylibsrtp.Policy, profile))
        )

    def run() -> bytes:
        sender, receiver = session(False), session(True)
        for data in RAW:
            out = receiver.unprotect(sender.protect(data))
        return bytes(out)

    assert benchmark(run) == RAW[-1]


@pytest.mark.benchmark(group="rtp-srtp-cm")
def test_peer_libsrtp_cm(benchmark: Any) -> None:
    libsrtp_both_ways(benchmark, "SRTP_PROFILE_AES128_CM_SHA1_80", 14)


@pytest.mark.benchmark(group="rtp-srtp-gcm")
def test_peer_libsrtp_gcm(benchmark: Any) -> None:
    libsrtp_both_ways(benchmark, "SRTP_PROFILE_AEAD_AES_128_GCM", 12)
