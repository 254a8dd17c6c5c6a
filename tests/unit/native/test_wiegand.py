"""The native decoder from Python: buffers in, frames out, errors typed."""

import struct

from axcore._native.wiegand import EDGE_SIZE, NEVER, WiegandDecoder

MS = 1_000_000


def trace(bits: str, start_ns: int = 0, pulse_ns: int = 50_000, interval_ns: int = 2 * MS) -> bytes:
    out = b""
    for i, bit in enumerate(bits):
        t = start_ns + i * interval_ns
        out += struct.pack("=QIIQII", t, int(bit), 0, t + pulse_ns, int(bit), 1)
    return out


def test_a_frame_ends_after_the_gap() -> None:
    decoder = WiegandDecoder()
    bits = "10" * 13
    assert EDGE_SIZE == 16
    assert decoder.feed(trace(bits)) == []
    assert decoder.deadline_ns == 25 * 2 * MS + 50_000 + 25 * MS
    assert decoder.advance(decoder.deadline_ns - 1) is None
    frame = decoder.advance(decoder.deadline_ns)
    assert frame is not None
    assert (frame.ok, frame.nbits, frame.bits) == (True, 26, int(bits, 2))
    assert decoder.deadline_ns == NEVER
