"""The native tone as Python sees it: buffers, errors, clips; its meaning is in the C and property tests."""

from __future__ import annotations

import gc
import threading
from array import array
from typing import Any

import numpy as np
import pytest

from axcore._native import siren
from axcore.errors import ArgumentError, FormatError, RangeError

STEADY = (10_000, 970_000, 970_000, 0, 0, 32768, 0, 0, 0, 0)
REST = (10_000, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def tone(*segments: tuple[int, ...], rate: int = 48000, sets: list[list[float]] | None = None) -> siren.Generator:
    return siren.Generator([list(segments or (STEADY,))], sets or [], rate)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: array("h", bytes(2 * n)),
        lambda n: bytearray(2 * n),
        lambda n: memoryview(bytearray(2 * n)).cast("h"),
        lambda n: np.zeros(n, np.int16),
    ],
)
def test_any_writable_buffer_of_16_bits(make: Any) -> None:
    expected, out = array("h", bytes(200)), make(100)
    assert tone().render(1000, expected) == 100
    assert tone().render(1000, out) == 100
    assert bytes(out) == bytes(expected)
    assert any(expected)


@pytest.mark.parametrize("make", [lambda n: array("f", bytes(4 * n)), lambda n: np.zeros(n, np.float32)])
def test_any_writable_buffer_of_32_bit_floats(make: Any) -> None:
    out, coarse = make(100), array("h", bytes(200))
    tone().render(1000, coarse)
    assert tone().render(1000, out) == 100
    assert [round(x * 32767) for x in out] == list(coarse)


@pytest.mark.parametrize(
    ("out", "error"),
    [
        (array("i", [0]), ArgumentError),
        (array("d", [0.0]), ArgumentError),
        (bytearray(3), ArgumentError),
        (np.zeros(4, ">i2"), ArgumentError),
        (bytes(4), BufferError),
        (np.zeros(8, np.int16)[::2], (BufferError, ValueError)),
        ([0, 0], TypeError),
    ],
)
def test_other_buffers_are_refused(out: Any, error: Any) -> None:
    with pytest.raises(error):
        tone().render(0, out)


def test_positions_and_intensities_out_of_range() -> None:
    out = array("h", [7])
    for arguments in ((-1, out), (siren.MAX_POS + 1, out), (0, out, 6), (0, out, -1)):
        with pytest.raises(RangeError):
            tone().render(*arguments)
    assert out[0] == 7
    assert tone().render(siren.MAX_POS, out) == 1


def test_the_end_counts() -> None:
    out = array("h", [7] * 100)
    assert tone().render(1000, out, 5, 1040) == 40
    assert list(out[40:]) == [0] * 60
    assert tone().render(2000, out, 5, 1040) == 0
    assert not any(out)


def test_programs_are_checked() -> None:
    sound, silence = tone, REST
    for bad in ([], [[STEADY]] * 5, [[STEADY] * 257], [[(*STEADY[:7], 9, 0, 0)]]):
        with pytest.raises(RangeError):
            siren.Generator(bad, [], 48000)
    with pytest.raises(RangeError):
        tone(rate=22050)
    with pytest.raises(RangeError):
        tone(sets=[[1.0]] * 9)
    with pytest.raises(RangeError):
        tone(sets=[[1.0] * 33])
    with pytest.raises(FormatError):
        sound(STEADY, silence)
    with pytest.raises((TypeError, ValueError)):
        tone((1, 2, 3))
    with pytest.raises(OverflowError):
        tone((-1, *STEADY[1:]))


def test_a_clip_is_mixed_in_and_keeps_its_buffer() -> None:
    samples = array("h", [1000, -1000] * 50)
    clip = siren.Clip(samples, start=10, gain=0.5)
    with pytest.raises(BufferError):
        samples.append(1)
    assert (len(clip), clip.start) == (100, 10)
    del samples
    gc.collect()
    out = array("h", bytes(400))
    tone().render(0, out, 0, None, False, clip)
    assert list(out[:10]) == [0] * 10
    assert list(out[10:110]) == [500, -500] * 50
    assert not any(out[110:])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((b"",), ArgumentError),
        ((b"abc",), ArgumentError),
        ((array("f", [1.0]),), ArgumentError),
        ((b"ab", -1), RangeError),
        ((b"ab", 0, 17.0), RangeError),
        ((b"ab", 0, float("nan")), RangeError),
    ],
)
def test_clips_are_checked(arguments: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        siren.Clip(*arguments)


def test_a_tone_is_shared_by_threads() -> None:
    shared = tone()
    expected = array("h", bytes(2 * 9600))
    shared.render(0, expected)
    found = [array("h", bytes(2 * 9600)) for _ in range(4)]

    def work(out: array[int]) -> None:
        for _ in range(20):
            shared.render(0, out)

    threads = [threading.Thread(target=work, args=(out,)) for out in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(out == expected for out in found)


def test_every_level_is_there_and_no_other() -> None:
    assert siren.LEVELS[0] == "generic"
    for level in range(len(siren.LEVELS)):
        tone().set_level(level)
    with pytest.raises(RangeError):
        tone().set_level(len(siren.LEVELS))
