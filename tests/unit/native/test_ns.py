"""Buffers of the native noise suppressor: what is taken, what is refused, and that a refusal changes nothing."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
import pytest

from axcore._native.aec import AecCore
from axcore._native.ns import RATES, NsCore
from axcore.errors import FormatError, InputError, RangeError, StateError

FRAME = 160


def frames(count: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).uniform(-0.2, 0.2, (count, FRAME)).astype(np.float32)


GOOD = np.zeros(FRAME, np.float32)
BAD: list[tuple[Any, Any, type[Exception], str]] = [
    (GOOD[:-1], None, FormatError, "samples"),
    (GOOD, np.zeros(FRAME - 1, np.float32), FormatError, "out"),
    (GOOD, np.zeros(FRAME, np.int16), FormatError, "out"),
    (GOOD.astype(np.float64), None, FormatError, "samples"),
    (GOOD.astype(np.int32), None, FormatError, "samples"),
    (GOOD.astype(">f4"), None, FormatError, "samples"),
    (GOOD.reshape(2, 80), None, FormatError, "samples"),
    (np.zeros(2 * FRAME, np.float32)[::2], None, FormatError, "samples"),
    (bytes(2 * FRAME), None, FormatError, "samples"),
    (None, None, FormatError, "samples"),
    (GOOD, bytes(4 * FRAME), FormatError, "out"),
    (np.full(FRAME, np.nan, np.float32), None, RangeError, "samples"),
    (np.full(FRAME, -np.inf, np.float32), None, RangeError, "samples"),
    (np.full(FRAME, 8.01, np.float32), None, RangeError, "samples"),
]


@pytest.mark.parametrize(("samples", "out", "error", "name"), BAD)
def test_a_refusal_is_typed_and_changes_nothing(samples: Any, out: Any, error: type[Exception], name: str) -> None:
    one, two = NsCore(16000, 30), NsCore(16000, 30)
    for x in frames(20):
        with pytest.raises(error, match=name):
            two.process(samples, out)
        assert np.array_equal(one.process(x), two.process(x))
    assert one.attenuation_db == two.attenuation_db


@pytest.mark.parametrize("rate", [0, -1, 11025, 44100, 96000])
def test_rates_that_are_not(rate: int) -> None:
    with pytest.raises(InputError) as caught:
        NsCore(rate, 30)
    assert caught.value.field == "rate"


@pytest.mark.parametrize("db", [-1, 60.5, float("nan"), float("inf")])
def test_attenuations_that_are_not(db: float) -> None:
    with pytest.raises(InputError) as caught:
        NsCore(16000, db)
    assert caught.value.field == "max_attenuation_db"


def test_in_place_and_read_only_inputs() -> None:
    one, two = NsCore(16000, 30), NsCore(16000, 30)
    for x in frames(5):
        there = array("f", bytes(4 * FRAME))
        one.process(x, there)
        x.flags.writeable = False
        assert list(two.process(memoryview(x))) == list(there)
        here = x.copy()
        assert one.process(here, here) is here
        two.process(x)


def test_integers_are_floats_rounded() -> None:
    one, two = NsCore(16000, 30), NsCore(16000, 30)
    for x in frames(50):
        x16 = np.round(x * 32768).astype(np.int16)
        exact = two.process((x16 / 32768).astype(np.float32))
        assert np.abs(one.process(x16) - exact * 32768).max() <= 0.51


@pytest.mark.parametrize("rate", RATES)
def test_levels_agree(rate: int) -> None:
    one, two = NsCore(rate, 30), NsCore(rate, 30)
    one.set_level(0)
    x = np.random.default_rng(3).uniform(-0.05, 0.05, (100, rate // 100)).astype(np.float32)
    assert max(np.abs(one.process(f) - two.process(f)).max() for f in x) < 1e-4


def test_a_chained_suppressor_is_kept_and_refuses_work() -> None:
    canceller, other = AecCore(16000), AecCore(16000)
    noise = NsCore(16000, 30)
    canceller.chain(noise)
    with pytest.raises(StateError):
        noise.process(GOOD)
    with pytest.raises(StateError):
        other.chain(noise)
    with pytest.raises(InputError, match="noise"):
        canceller.chain(NsCore(8000, 30))
    del noise
    for x in frames(50):
        canceller.process(x, GOOD)
    noise = NsCore(16000, 30)
    canceller.chain(noise)
    canceller.chain(None)
    assert np.array_equal(noise.process(frames(1)[0]), NsCore(16000, 30).process(frames(1)[0]))
    other.chain(noise)
    del other
    noise.process(GOOD)
