"""The friendly decoder: windows validated by name, traces parsed, frames end to end."""

import array

import msgspec
import pytest

from axcore import wiegand
from axcore.errors import InputError

MS = 1_000_000


@pytest.mark.parametrize(
    ("field", "windows"),
    [
        ("glitch_ns", {"glitch_ns": 10_001}),
        ("max_pulse_ns", {"max_pulse_ns": 9_999}),
        ("max_pulse_ns", {"max_pulse_ns": 25_000_000}),
        ("max_interval_ns", {"max_interval_ns": 82_499}),
        ("max_interval_ns", {"max_interval_ns": 25_000_000}),
        ("min_bits", {"min_bits": 0}),
        ("max_bits", {"max_bits": 3}),
        ("max_bits", {"max_bits": 257}),
        ("expect_bits", {"expect_bits": 3}),
        ("expect_bits", {"expect_bits": 129}),
        ("frame_gap_ns", {"frame_gap_ns": 2**32}),
        ("min_pulse_ns", {"min_pulse_ns": -1}),
        ("min_pulse_ns", {"min_pulse_ns": 1.5}),
        ("speed", {"speed": 1}),
    ],
)
def test_wrong_windows_are_named(field: str, windows: dict[str, int]) -> None:
    with pytest.raises(InputError) as caught:
        wiegand.Decoder(**windows)
    assert caught.value.field == field


def test_windows_can_be_read_from_configuration() -> None:
    windows = msgspec.convert({"frame_gap_ns": 50_000_000}, wiegand.Windows)
    assert windows.frame_gap_ns == 50_000_000
    with pytest.raises(msgspec.ValidationError, match="min_bits: must be at least 1"):
        msgspec.convert({"min_bits": 0}, wiegand.Windows)
    decoder = wiegand.Decoder(**msgspec.structs.asdict(windows))
    assert decoder.windows == windows


def test_defaults_take_every_reader_in_range() -> None:
    frame = wiegand.FORMATS["H10301"].encode(123, 4567)
    for pulse_us in (10, 20, 50, 80, 100, 160, 399):
        for interval_us in (150, 200, 880, 1000, 2000, 20_000):
            if interval_us <= pulse_us:
                continue
            timing = wiegand.Timing(pulse_ns=pulse_us * 1000, interval_ns=interval_us * 1000)
            decoder = wiegand.Decoder()
            decoder.feed(wiegand.schedule(frame, timing=timing))
            read = decoder.advance(decoder.deadline_ns)
            assert read is not None
            assert (read.result, read.bits) == (wiegand.Result.FRAME, frame.value)


def test_pack_edges() -> None:
    assert wiegand.pack_edges([(1, 0, 0), [2, 0, 1]]) == wiegand.EDGE.pack(1, 0, 0) + wiegand.EDGE.pack(2, 0, 1)
    assert wiegand.pack_edges([]) == b""


@pytest.mark.parametrize(
    "edge", [(1, 2, 0), (1, 0, 2), (-1, 0, 0), (2**64 - 1, 0, 0), (1.0, 0, 0), (1, 0), (1, True, 0)]
)
def test_wrong_edges_are_named(edge: tuple[int, ...]) -> None:
    with pytest.raises(InputError) as caught:
        wiegand.pack_edges([(1, 0, 0), edge])
    assert caught.value.field == "edges[1]"


def test_traces_in_both_notations() -> None:
    expected = wiegand.pack_edges([(5, 1, 0), (60, 1, 1)])
    assert wiegand.parse_trace("t_ns,line,level\n5,1,0\n\n# end\n60, 1, 1\n") == expected
    assert wiegand.parse_trace("[5, 1, 0]\n[60,1,1]") == expected


@pytest.mark.parametrize(("text", "line"), [("5,1\n", 1), ("5,1,0\nx,1,0", 2), ("5,1,0\n\n6,7,0", 3), ("[1,2", 1)])
def test_wrong_traces_name_the_line(text: str, line: int) -> None:
    with pytest.raises(InputError) as caught:
        wiegand.parse_trace(text)
    assert caught.value.field == f"line {line}"


def test_frame_records_unpack() -> None:
    out = array.array("Q", bytes(wiegand.FRAME.size))
    decoder = wiegand.Decoder(expect_bits=26)
    assert decoder.feed_into(wiegand.schedule("10" * 13), out) == (1, 52)
    record = wiegand.FRAME.unpack(out.tobytes())
    assert (record[3], record[7], record[8]) == (0b10101010101010101010101010, 26, 0)


def test_decoders_cannot_be_pickled() -> None:
    with pytest.raises(TypeError):
        wiegand.Decoder().__reduce__()
