"""The reader of captures: what is whole is given, what was written over is not, what is no capture is refused."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.drivers.capture import LIGHT, Capture, publish
from axcore.errors import FormatError

SIZE, STRIDE, RECORDS = 6, 32, 4


def image(written: int, *, size: int = SIZE, numbers: dict[int, int] | None = None) -> bytearray:
    """A capture of ``written`` records; ``numbers`` of places that are being written."""
    head = struct.pack("=8sIIIIIIQ", b"AXCAPT1\0", LIGHT, 100_000, 2, size, STRIDE, RECORDS, written).ljust(64, b"\0")
    places = [bytes(STRIDE)] * RECORDS
    for number in range(max(1, written - RECORDS + 1), written + 1):
        at = (number - 1) % RECORDS
        shown = number if numbers is None else numbers.get(at, number)
        places[at] = struct.pack("=QQQ", shown, number * 10, number * 10 + 1) + bytes([number] * SIZE) + bytes(2)
    return bytearray(head + b"".join(places))


def test_records_in_order_and_backwards(tmp_path: Path) -> None:
    path = tmp_path / "light.ring"
    path.write_bytes(image(6))
    with Capture(path) as capture:
        assert (capture.rate, capture.detail, capture.written) == (100.0, 2, 6)
        assert [record.number for record in capture.since()] == [3, 4, 5, 6]
        assert [record.number for record in capture.since(5)] == [6]
        assert [record.number for record in capture.newest()] == [6, 5, 4, 3]
        assert capture.latest == (6, 60, 61, bytes([6] * SIZE))
        assert capture.record(2) is None  # written over
        assert capture.record(7) is None  # to come
        assert capture.record(0) is None


def test_a_record_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "light.ring"
    path.write_bytes(image(6, numbers={0: 0}))  # number 5 gives way to number 9
    with Capture(path) as capture:
        assert [record.number for record in capture.since()] == [3, 4, 6]
        assert [record.number for record in capture.newest()] == [6]


def test_an_empty_one_has_nothing(tmp_path: Path) -> None:
    path = tmp_path / "light.ring"
    path.write_bytes(image(0))
    with Capture(path) as capture:
        assert capture.latest is None
        assert [*capture.since()] == [*capture.newest()] == []


@given(st.binary(max_size=300) | st.tuples(st.integers(0, 39), st.integers(0, 255)))
def test_what_is_no_capture_is_refused_or_read_within_its_bounds(change: bytes | tuple[int, int]) -> None:
    data = bytearray(change) if isinstance(change, bytes) else image(6)
    if isinstance(change, tuple):
        data[change[0]] = change[1]
    fd = os.memfd_create("test")
    try:
        os.write(fd, data)
        with Capture(fd) as capture:
            for record in capture.newest():
                assert len(record.data) <= STRIDE
    except FormatError:
        pass
    finally:
        os.close(fd)


def test_a_short_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "light.ring"
    path.write_bytes(b"AXCAPT1\0")
    with pytest.raises(FormatError):
        Capture(path)
    with pytest.raises(FileNotFoundError):
        Capture(tmp_path / "none")


def test_a_link_leads_to_the_descriptor(tmp_path: Path) -> None:
    fd = os.memfd_create("test")
    os.write(fd, image(1))
    path = tmp_path / "light.ring"
    path.symlink_to("/nowhere")  # of a device that was killed
    publish(fd, path)
    with Capture(path) as capture:
        os.close(fd)
        assert capture.written == 1  # who has it open keeps it
