"""Wiegand: edges to frames and cards to frames, ours and plain Python in the same run.

All tests of a group do the same work; ours is ``test_axcore...``, a peer is ``test_peer_...``. ``python
bench/bench_wiegand.py`` prints the ratios alone, without pytest.
"""

import json
import os
import shutil
import subprocess
import sys
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from axcore import wiegand
from axcore.testing.reference_wiegand import ReferenceDecoder

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import wiegand_format as peer
from wiegand_decoder import CallbackDecoder

FRAMES = 100
CARDS = [(n % 256, n * 643 % 65536) for n in range(FRAMES)]
H10301 = wiegand.FORMATS["H10301"]
BITS = [H10301.encode(*card) for card in CARDS]
EDGES = wiegand.schedule(BITS)
TRIPLES = list(wiegand.EDGE.iter_unpack(EDGES))
LONG = wiegand.schedule([bits for _ in range(40) for bits in BITS])
VALUES = [bits.value for bits in BITS]
MIXED = [
    (wiegand.FORMATS[name].encode(3, 5).value, wiegand.FORMATS[name].bits) for name in ("H10301", "H10304", "Kastle")
]
PLAIN = peer.PLAIN["H10301"]
OUT = bytearray(5000 * wiegand.FRAME.size)


def ours_feed(edges: bytes = EDGES) -> int:
    decoder = wiegand.Decoder()
    frames = decoder.feed(edges)
    return len(frames) + (decoder.advance(decoder.deadline_ns) is not None)


def ours_feed_into(edges: bytes = LONG) -> int:
    return wiegand.Decoder().feed_into(edges, OUT)[0]


def plain_feed() -> int:
    decoder = ReferenceDecoder()
    frames = [frame for edge in TRIPLES if (frame := decoder.feed_edge(*edge)) is not None]
    return len(frames) + (decoder.advance(decoder.deadline_ns) is not None)


def callback_feed() -> int:
    frames: list[tuple[int, int]] = []
    decoder = CallbackDecoder(lambda bits, value: frames.append((bits, value)))
    for edge in TRIPLES:
        decoder.edge(*edge)
    return len(frames) + 1


def ours_encode() -> list[Any]:
    encode = H10301.encode
    return [encode(facility, card) for facility, card in CARDS]


def plain_encode() -> list[Any]:
    encode = PLAIN.encode
    return [encode(facility, card) for facility, card in CARDS]


def by_hand_encode() -> list[Any]:
    encode = peer.h10301_encode
    return [encode(facility, card) for facility, card in CARDS]


def ours_decode() -> list[Any]:
    decode = H10301.decode
    return [decode(value, 26) for value in VALUES]


def plain_decode() -> list[Any]:
    decode = PLAIN.decode
    return [decode(value, 26) for value in VALUES]


def by_hand_decode() -> list[Any]:
    decode = peer.h10301_decode
    return [decode(value, 26) for value in VALUES]


def ours_identify() -> list[Any]:
    identify = wiegand.identify
    return [identify(value, nbits) for value, nbits in MIXED]


def plain_identify() -> list[Any]:
    identify = peer.identify
    return [identify(value, nbits) for value, nbits in MIXED]


def timed(benchmark: Any, function: Callable[[], Any], units: int, unit: str) -> Any:
    benchmark.extra_info["units"] = units
    benchmark.extra_info["unit"] = unit
    return benchmark(function)


@pytest.mark.benchmark(group="wiegand-decode")
def test_axcore_decode(benchmark: Any) -> None:
    assert timed(benchmark, ours_feed, len(TRIPLES), "edges") == FRAMES


@pytest.mark.benchmark(group="wiegand-decode")
def test_peer_plain_decode(benchmark: Any) -> None:
    assert timed(benchmark, plain_feed, len(TRIPLES), "edges") == FRAMES


@pytest.mark.benchmark(group="wiegand-decode-unchecked")
def test_axcore_decode_against_unchecked(benchmark: Any) -> None:
    assert timed(benchmark, ours_feed, len(TRIPLES), "edges") == FRAMES


@pytest.mark.benchmark(group="wiegand-decode-unchecked")
def test_peer_callback_decode(benchmark: Any) -> None:
    """Does less than ours: no rising edges, no windows, no errors."""
    assert timed(benchmark, callback_feed, len(TRIPLES), "edges") == FRAMES


@pytest.mark.benchmark(group="wiegand-decode-bulk")
def test_axcore_decode_bulk(benchmark: Any) -> None:
    """4,000 frames a call, into a buffer."""
    assert timed(benchmark, ours_feed_into, len(LONG) // 16, "edges") == 40 * FRAMES - 1


@pytest.mark.benchmark(group="wiegand-encode")
def test_axcore_encode(benchmark: Any) -> None:
    frames = timed(benchmark, ours_encode, FRAMES, "cards")
    assert [(bits.value, bits.nbits) for bits in frames] == plain_encode()


@pytest.mark.benchmark(group="wiegand-encode")
def test_peer_plain_encode(benchmark: Any) -> None:
    timed(benchmark, plain_encode, FRAMES, "cards")


@pytest.mark.benchmark(group="wiegand-format-decode")
def test_axcore_format_decode(benchmark: Any) -> None:
    cards = timed(benchmark, ours_decode, FRAMES, "cards")
    assert [(card.facility, card.card) for card in cards] == CARDS


@pytest.mark.benchmark(group="wiegand-format-decode")
def test_peer_plain_format_decode(benchmark: Any) -> None:
    cards = timed(benchmark, plain_decode, FRAMES, "cards")
    assert [(card.facility, card.card) for card in cards] == CARDS


@pytest.mark.benchmark(group="wiegand-encode-by-hand")
def test_axcore_encode_against_by_hand(benchmark: Any) -> None:
    timed(benchmark, ours_encode, FRAMES, "cards")


@pytest.mark.benchmark(group="wiegand-encode-by-hand")
def test_peer_by_hand_encode(benchmark: Any) -> None:
    """Knows one format only."""
    timed(benchmark, by_hand_encode, FRAMES, "cards")


@pytest.mark.benchmark(group="wiegand-format-decode-by-hand")
def test_axcore_format_decode_against_by_hand(benchmark: Any) -> None:
    timed(benchmark, ours_decode, FRAMES, "cards")


@pytest.mark.benchmark(group="wiegand-format-decode-by-hand")
def test_peer_by_hand_format_decode(benchmark: Any) -> None:
    """Knows one format only."""
    timed(benchmark, by_hand_decode, FRAMES, "cards")


@pytest.mark.benchmark(group="wiegand-identify")
def test_axcore_identify(benchmark: Any) -> None:
    found = timed(benchmark, ours_identify, len(MIXED), "frames")
    assert [[match.name for match in matches] for matches in found] == plain_identify()


@pytest.mark.benchmark(group="wiegand-identify")
def test_peer_plain_identify(benchmark: Any) -> None:
    timed(benchmark, plain_identify, len(MIXED), "frames")


def c_bench() -> str | None:
    """The C throughput program, when a C build is at hand (AXCORE_C_BUILD, else build-c)."""
    build = Path(os.environ.get("AXCORE_C_BUILD", Path(__file__).parent.parent / "build-c"))
    return shutil.which("bench_wiegand", path=str(build / "cext"))


@pytest.mark.benchmark(group="wiegand-c")
def test_axcore_c_throughput(benchmark: Any) -> None:
    """Million edges a second in C, from the program's own clock."""
    program = c_bench()
    if program is None:
        pytest.skip("no C build: meson setup build-c -Dpython=false -Dctests=true && ninja -C build-c")

    def run() -> str:
        return subprocess.run([program], capture_output=True, text=True, check=True).stdout

    benchmark.extra_info["c"] = json.loads(benchmark.pedantic(run, rounds=1, iterations=1))


def main() -> None:
    def best(function: Callable[[], Any], number: int) -> float:
        return min(timeit.repeat(function, number=number, repeat=7)) / number

    print("what                                ours/unit      peer/unit   ratio")
    for what, ours, theirs, units in (
        ("decode, same checks", ours_feed, plain_feed, len(TRIPLES)),
        ("decode, unchecked peer", ours_feed, callback_feed, len(TRIPLES)),
        ("encode H10301", ours_encode, plain_encode, FRAMES),
        ("encode H10301, by hand", ours_encode, by_hand_encode, FRAMES),
        ("decode H10301", ours_decode, plain_decode, FRAMES),
        ("decode H10301, by hand", ours_decode, by_hand_decode, FRAMES),
        ("identify", ours_identify, plain_identify, len(MIXED)),
    ):
        fast, slow = best(ours, 50) / units, best(theirs, 5) / units
        print(f"{what:32} {fast * 1e9:10.1f} ns {slow * 1e9:11.1f} ns {slow / fast:7.1f}")
    rate = len(LONG) / 16 / best(ours_feed_into, 5) / 1e6
    small = len(TRIPLES) / best(ours_feed, 50) / 1e6
    print(f"decode in bulk from Python: {rate:.0f} M edges/s; in small batches {small:.0f}")
    program = c_bench()
    if program:
        print("in C:", subprocess.run([program], capture_output=True, text=True, check=True).stdout.strip())


if __name__ == "__main__":
    main()
