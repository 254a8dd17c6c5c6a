"""Buffers of the native canceller: what is taken, what is refused, and that a refusal changes nothing."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
import pytest

from axcore._native.aec import LEVELS, RATES, AecCore
from axcore.errors import FormatError, InputError, RangeError, StateError

FRAME = 160


def frames(count: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).uniform(-0.2, 0.2, (count, FRAME)).astype(np.float32)


GOOD = np.zeros(FRAME, np.float32)
BAD: list[tuple[Any, Any, Any, type[Exception], str]] = [
    (GOOD[:-1], GOOD, None, FormatError, "mic"),
    (GOOD, np.zeros(FRAME + 1, np.float32), None, FormatError, "ref"),
    (GOOD, GOOD, np.zeros(FRAME - 1, np.float32), FormatError, "out"),
    (GOOD, GOOD.astype(np.int16), None, FormatError, "ref"),
    (GOOD, GOOD, np.zeros(FRAME, np.int16), FormatError, "out"),
    (GOOD.astype(np.float64), GOOD, None, FormatError, "mic"),
    (GOOD.astype(np.int32), GOOD, None, FormatError, "mic"),
    (GOOD.astype(">f4"), GOOD, None, FormatError, "mic"),
    (GOOD.reshape(2, 80), GOOD, None, FormatError, "mic"),
    (np.zeros(2 * FRAME, np.float32)[::2], GOOD, None, FormatError, "mic"),
    (bytes(2 * FRAME), GOOD, None, FormatError, "mic"),
    (None, GOOD, None, FormatError, "mic"),
    (GOOD, 5, None, FormatError, "ref"),
    (GOOD, GOOD, bytes(4 * FRAME), FormatError, "out"),
    (np.full(FRAME, np.nan, np.float32), GOOD, None, RangeError, "mic"),
    (GOOD, np.full(FRAME, np.inf, np.float32), None, RangeError, "ref"),
    (np.full(FRAME, 8.01, np.float32), GOOD, None, RangeError, "mic"),
]


@pytest.mark.parametrize(("mic", "ref", "out", "error", "name"), BAD)
def test_a_refusal_is_typed_and_changes_nothing(
    mic: Any, ref: Any, out: Any, error: type[Exception], name: str
) -> None:
    one, two = AecCore(16000), AecCore(16000)
    for m, r in zip(frames(20), frames(20, 2), strict=True):
        with pytest.raises(error, match=name):
            two.process(mic, ref, out)
        assert one.process(m, r) == two.process(m, r)
    assert one.status() == two.status()


def test_in_place_and_read_only_inputs() -> None:
    one, two = AecCore(16000), AecCore(16000)
    for m, r in zip(frames(5), frames(5, 2), strict=True):
        there = array("f", bytes(4 * FRAME))
        one.process(m, r, there)
        m.flags.writeable = False
        assert two.process(memoryview(m), r) == there
        here = m.copy()
        assert one.process(here, r, here) is here
        two.process(m, r)


def test_integers_are_floats_rounded() -> None:
    one, two = AecCore(16000), AecCore(16000)
    for m, r in zip(frames(50), frames(50, 2), strict=True):
        m16, r16 = (np.round(x * 32768).astype(np.int16) for x in (m, r))
        whole = np.frombuffer(one.process(m16, r16), np.int16)
        m32, r32 = ((x / 32768).astype(np.float32) for x in (m16, r16))
        exact = np.frombuffer(two.process(m32, r32), np.float32)
        assert np.abs(whole - exact * 32768).max() <= 0.51


def test_levels_agree() -> None:
    assert LEVELS[0] == "generic"
    ref = frames(150)
    mic = 0.5 * ref
    outputs = []
    for level in range(len(LEVELS)):
        core = AecCore(16000, suppress=False)
        core.set_level(level)
        outputs.append(np.concatenate([core.process(m, r) for m, r in zip(mic, ref, strict=True)]))
    for other in outputs[1:]:
        assert np.abs(other - outputs[0]).max() < 1e-3
    with pytest.raises(ValueError, match="range"):
        AecCore(16000).set_level(len(LEVELS))


def test_size_and_rates() -> None:
    assert RATES == (8000, 16000, 32000, 48000)
    sizes = [AecCore(16000, tail).size for tail in (20, 200, 400)]
    assert sizes == sorted(sizes)
    assert sizes[1] < 1_000_000


def test_arguments_and_life() -> None:
    with pytest.raises(InputError, match="rate"):
        AecCore(11025)
    core = AecCore(16000)
    with pytest.raises(StateError):
        core.__init__(16000)  # type: ignore[misc]
    with pytest.raises(StateError):
        AecCore.__new__(AecCore).status()
