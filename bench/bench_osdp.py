"""OSDP: check values, frames, the secure channel and whole engines, ours and the best peers in the same run.

All tests of a group do the same work; ours is ``test_axcore...``, a peer is ``test_peer_...``.
"""

from __future__ import annotations

import binascii
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from axcore import osdp
from axcore.testing import reference_osdp as plain

fastcrc = pytest.importorskip("fastcrc") if importlib.util.find_spec("fastcrc") else None
KEY = bytes.fromhex("00112233445566778899aabbccddee0f")
RND_A, SERVER = bytes(range(8)), bytes(range(16))
DATA = {size: os.urandom(size) for size in (8, 64, 256, 1440)}
CALLS = 1000
LEDS = 1000
LED = bytes(range(14))
PEER = Path(__file__).parent / "peers" / "osdp_libosdp.py"
needs_libosdp = pytest.mark.skipif(importlib.util.find_spec("osdp_sys") is None, reason="libosdp is not installed")


def repeat(benchmark: Any, function: Callable[[bytes], Any], data: bytes) -> Any:
    """``CALLS`` calls in a loop that costs both sides the same."""
    rounds = range(CALLS)
    benchmark.extra_info["units"], benchmark.extra_info["unit"] = CALLS, "calls"

    def run() -> Any:
        for _ in rounds:
            value = function(data)
        return value

    return benchmark(run)


@pytest.mark.benchmark(group="osdp-crc-8")
def test_axcore_crc_8(benchmark: Any) -> None:
    assert repeat(benchmark, osdp.crc16, DATA[8]) == plain.crc16(DATA[8])


@pytest.mark.benchmark(group="osdp-crc-8")
def test_peer_binascii_crc_8(benchmark: Any) -> None:
    assert repeat(benchmark, lambda data, crc=binascii.crc_hqx: crc(data, 0x1D0F), DATA[8]) == plain.crc16(DATA[8])


@pytest.mark.benchmark(group="osdp-crc-256")
def test_axcore_crc_256(benchmark: Any) -> None:
    assert repeat(benchmark, osdp.crc16, DATA[256]) == plain.crc16(DATA[256])


@pytest.mark.benchmark(group="osdp-crc-256")
def test_peer_fastcrc_crc_256(benchmark: Any) -> None:
    if fastcrc is None:
        pytest.skip("fastcrc is not installed")
    assert repeat(benchmark, fastcrc.crc16.spi_fujitsu, DATA[256]) == plain.crc16(DATA[256])


@pytest.mark.benchmark(group="osdp-crc-1440")
def test_axcore_crc_1440(benchmark: Any) -> None:
    assert repeat(benchmark, osdp.crc16, DATA[1440]) == plain.crc16(DATA[1440])


@pytest.mark.benchmark(group="osdp-crc-1440")
def test_peer_fastcrc_crc_1440(benchmark: Any) -> None:
    if fastcrc is None:
        pytest.skip("fastcrc is not installed")
    assert repeat(benchmark, fastcrc.crc16.spi_fujitsu, DATA[1440]) == plain.crc16(DATA[1440])


@pytest.mark.benchmark(group="osdp-encode")
def test_axcore_encode(benchmark: Any) -> None:
    assert repeat(benchmark, lambda data: osdp.encode(0x69, data, 1, 2), LED) == plain.encode(
        0x69, LED, address=1, sequence=2
    )


@pytest.mark.benchmark(group="osdp-encode")
def test_peer_plain_encode(benchmark: Any) -> None:
    repeat(benchmark, lambda data: plain.encode(0x69, data, address=1, sequence=2), LED)


@pytest.mark.benchmark(group="osdp-decode")
def test_axcore_decode(benchmark: Any) -> None:
    assert repeat(benchmark, osdp.decode_frame, osdp.encode(0x69, LED)).data == LED


@pytest.mark.benchmark(group="osdp-decode")
def test_peer_plain_decode(benchmark: Any) -> None:
    """Only the check value and the cut: less than ours."""
    repeat(benchmark, lambda f: f[6:-2] if plain.crc16(f[:-2]) == f[-2] | f[-1] << 8 else None, osdp.encode(0x69, LED))


def exchange(session: Any, other: Any, parse: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """A command and its reply: two frames sealed, two opened."""

    def run(data: bytes) -> Any:
        other.open(parse(session.seal(0x69, data, sequence=1)))
        return session.open(parse(other.seal(0x40, data, sequence=1, reply=True)))

    return run


@pytest.mark.benchmark(group="osdp-secure")
def test_axcore_secure_exchange(benchmark: Any) -> None:
    ends = osdp.Session(KEY, RND_A), osdp.Session(KEY, RND_A)
    for end in ends:
        end.start(SERVER)
    assert repeat(benchmark, exchange(*ends, osdp.decode_frame), LED) == LED


@pytest.mark.benchmark(group="osdp-secure")
def test_peer_plain_secure_exchange(benchmark: Any) -> None:
    """Plain Python over the ``cryptography`` package."""
    ends = plain.ReferenceSession(KEY, RND_A), plain.ReferenceSession(KEY, RND_A)
    for end in ends:
        end.start(SERVER)
    run = exchange(*ends, lambda frame: frame)
    benchmark.extra_info["units"], benchmark.extra_info["unit"] = 1, "calls"
    assert benchmark(lambda: run(LED)) == LED


def our_engines(key: bytes | None) -> Callable[[], int]:
    """``LEDS`` LED commands through both engines, events read on both sides."""
    panel, pd = osdp.ControlPanel(baud=0), osdp.PeripheralDevice(1, key=key)
    reader = panel.open(1, key=key)
    t, data = 1, b""
    while panel.link(reader) == osdp.LinkState.OFFLINE:
        t += 1_000_000
        data = pd.step(panel.step(data, t), t)
    state = [t, data]

    def run() -> int:
        now, reply = state
        sent = told = done = 0
        command, step, answer = panel.command, panel.step, pd.step
        while done < LEDS:
            while sent < LEDS and sent - done < 8:
                command(reader, 0x69, LED, 1)
                sent += 1
            now += 1000
            out = step(reply, now)
            reply = answer(out, now)
            told += len(pd.events())
            done += len(panel.events())
        state[:] = now, reply
        return done

    return run


@pytest.fixture
def libosdp(request: pytest.FixtureRequest) -> Iterator[Callable[[], tuple[tuple[Any], dict[str, Any]]]]:
    """Starts a fresh libosdp for every round."""
    running: list[subprocess.Popen[str]] = []

    def start() -> tuple[tuple[Any], dict[str, Any]]:
        for old in running:
            old.kill()
            old.communicate()
        running.clear()
        command = [sys.executable, str(PEER), *request.param]
        peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        running.append(peer)
        assert peer.stdout is not None
        assert peer.stdout.readline() == "ready\n"
        return (peer,), {}

    yield start
    for peer in running:
        peer.kill()
        peer.communicate()


def flood(peer: Any) -> None:
    """``LEDS`` commands in the other process; two lines over pipes come on top."""
    peer.stdin.write(f"{LEDS}\n")
    assert peer.stdout.readline() == "done\n"


@pytest.mark.benchmark(group="osdp-engine-clear")
def test_axcore_engine_clear(benchmark: Any) -> None:
    benchmark.extra_info["units"], benchmark.extra_info["unit"] = LEDS, "commands"
    assert benchmark(our_engines(None)) == LEDS


@needs_libosdp
@pytest.mark.benchmark(group="osdp-engine-clear")
@pytest.mark.parametrize("libosdp", [[]], indirect=True, ids=["wheel"])
def test_peer_libosdp_engine_clear(benchmark: Any, libosdp: Any) -> None:
    benchmark.extra_info["units"], benchmark.extra_info["unit"] = LEDS, "commands"
    benchmark.pedantic(flood, setup=libosdp, rounds=5)


@pytest.mark.benchmark(group="osdp-engine-secure")
def test_axcore_engine_secure(benchmark: Any) -> None:
    benchmark.extra_info["units"], benchmark.extra_info["unit"] = LEDS, "commands"
    assert benchmark(our_engines(KEY)) == LEDS


@needs_libosdp
@pytest.mark.benchmark(group="osdp-engine-secure")
@pytest.mark.parametrize("libosdp", [[KEY.hex()]], indirect=True, ids=["wheel"])
def test_peer_libosdp_engine_secure(benchmark: Any, libosdp: Any) -> None:
    benchmark.extra_info["units"], benchmark.extra_info["unit"] = LEDS, "commands"
    benchmark.pedantic(flood, setup=libosdp, rounds=5)
