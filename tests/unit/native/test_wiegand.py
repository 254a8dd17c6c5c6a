"""The native decoder from Python: buffers in, frames out, errors typed."""

import array
import struct
import threading
from typing import Any

import pytest

from axcore import errors
from axcore._native.wiegand import EDGE_SIZE, FRAME_SIZE, MAX_BITS, NEVER, Frame, WiegandDecoder

MS = 1_000_000
CARD = "10111101100010001110101110"


def trace(bits: str, start_ns: int = 0, pulse_ns: int = 50_000, interval_ns: int = 2 * MS) -> bytes:
    out = b""
    for i, bit in enumerate(bits):
        t = start_ns + i * interval_ns
        out += struct.pack("=QIIQII", t, int(bit), 0, t + pulse_ns, int(bit), 1)
    return out


def last_frame(decoder: WiegandDecoder) -> Frame:
    frame = decoder.advance(decoder.deadline_ns)
    assert frame is not None
    return frame


def test_record_sizes_are_the_documented_ones() -> None:
    assert (EDGE_SIZE, FRAME_SIZE, MAX_BITS, NEVER) == (16, 64, 256, 2**64 - 1)


def test_a_frame_ends_after_the_gap() -> None:
    decoder = WiegandDecoder()
    assert decoder.feed(trace(CARD)) == []
    assert decoder.deadline_ns == 25 * 2 * MS + 50_000 + 25 * MS
    assert decoder.advance(decoder.deadline_ns - 1) is None
    frame = last_frame(decoder)
    assert (frame.ok, frame.nbits, frame.bits) == (True, 26, int(CARD, 2))
    assert (frame.t_first_ns, frame.t_last_ns, frame.t_done_ns) == (0, 50_050_000, 75_050_000)
    assert (frame.result, frame.glitches) == (0, 0)
    assert frame.hex() == "02f623ae"
    assert decoder.deadline_ns == NEVER


def test_any_buffer_of_edges_is_taken() -> None:
    numpy = pytest.importorskip("numpy")
    edges = trace(CARD) + trace("1011", 200 * MS)
    kinds: list[Any] = [
        edges,
        bytearray(edges),
        memoryview(edges),
        array.array("Q", edges),
        numpy.frombuffer(edges, dtype=[("t_ns", "u8"), ("line", "u4"), ("level", "u4")]),
    ]
    for buffer in kinds:
        frames = WiegandDecoder().feed(buffer)
        assert [(frame.bits, frame.nbits) for frame in frames] == [(int(CARD, 2), 26)]


@pytest.mark.parametrize("size", [1, 15, 17])
def test_half_records_are_refused_and_change_nothing(size: int) -> None:
    decoder = WiegandDecoder()
    with pytest.raises(errors.FormatError):
        decoder.feed(bytes(size))
    with pytest.raises(errors.FormatError):
        decoder.feed_into(bytes(size), bytearray(64))
    assert decoder.deadline_ns == NEVER


def test_unaligned_buffers_are_refused() -> None:
    decoder = WiegandDecoder()
    shifted = memoryview(bytearray(b"x" + trace("1011")))[1:]
    with pytest.raises(errors.FormatError):
        decoder.feed(shifted)
    with pytest.raises(errors.FormatError):
        decoder.feed_into(trace("1011"), memoryview(bytearray(65))[1:])


def test_feed_into_writes_records_and_stops_when_full() -> None:
    decoder = WiegandDecoder()
    edges = b"".join(trace(CARD, n * 200 * MS) for n in range(4))
    out = bytearray(2 * FRAME_SIZE)
    frames, taken = decoder.feed_into(edges, out)
    assert frames == 2
    assert taken < len(edges) // EDGE_SIZE
    first, last, done, *words, nbits, result, glitches = struct.unpack_from("=QQQ4QHHI", out)
    assert (first, last, done) == (0, 50_050_000, 75_050_000)
    assert (words, nbits, result, glitches) == ([int(CARD, 2), 0, 0, 0], 26, 0, 0)
    rest, _ = decoder.feed_into(edges[taken * EDGE_SIZE :], out)
    assert rest == 1
    with pytest.raises((BufferError, TypeError)):
        decoder.feed_into(edges, bytes(64))


def test_large_batches_run_without_the_gil_and_agree() -> None:
    edges = b"".join(trace(CARD, n * 200 * MS) for n in range(200))
    whole = WiegandDecoder().feed(edges)
    decoder = WiegandDecoder()
    single = [
        frame
        for t_ns, line, level in struct.iter_unpack("=QII", edges)
        if (frame := decoder.feed_edge(t_ns, line, level)) is not None
    ]
    assert whole == single
    assert len(whole) == 199


def test_frames_longer_than_a_word() -> None:
    decoder = WiegandDecoder(max_bits=256)
    bits = ("1" + "0110" * 64)[:256]
    decoder.feed(trace(bits))
    frame = last_frame(decoder)
    assert (frame.nbits, frame.bits) == (256, int(bits, 2))


def test_two_threads_cannot_feed_one_decoder_at_once() -> None:
    decoder = WiegandDecoder()
    edges = b"".join(trace(CARD, n * 200 * MS) for n in range(3000))
    out = bytearray(4000 * FRAME_SIZE)
    seen: list[BaseException] = []

    def feed() -> None:
        for _ in range(20):
            try:
                decoder.feed_into(edges, out)
            except errors.StateError as error:
                seen.append(error)

    threads = [threading.Thread(target=feed) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("another thread" in str(error) for error in seen)
    decoder.reset()
    assert decoder.deadline_ns == NEVER


def test_windows_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(errors.RangeError):
        WiegandDecoder(min_pulse_ns=10, max_pulse_ns=5)
    with pytest.raises(OverflowError):
        WiegandDecoder(frame_gap_ns=2**32)


def test_a_decoder_without_init_refuses_to_work() -> None:
    decoder = WiegandDecoder.__new__(WiegandDecoder)
    with pytest.raises(errors.StateError):
        decoder.feed(b"")


def test_init_again_changes_the_windows_and_drops_the_frame() -> None:
    decoder = WiegandDecoder()
    decoder.feed(trace("101"))
    decoder.__init__(min_bits=1)  # type: ignore[misc]
    decoder.feed(trace("1", 100 * MS))
    assert last_frame(decoder).nbits == 1


def test_frames_compare_hash_and_show_themselves() -> None:
    def one() -> Frame:
        decoder = WiegandDecoder()
        decoder.feed(trace(CARD))
        return last_frame(decoder)

    assert one() == one()
    assert len({one(), one()}) == 1
    assert one() != object()
    assert len(bytes(one())) == FRAME_SIZE
    assert "nbits=26" in repr(one())


def test_glitches_are_counted_between_frames_too() -> None:
    decoder = WiegandDecoder()
    for n in range(3):
        decoder.feed_edge(n * MS, 0, 0)
        decoder.feed_edge(n * MS + 4_999, 0, 1)
    assert decoder.ignored == 3
    assert decoder.deadline_ns == NEVER
    decoder.reset()
    assert decoder.ignored == 0
