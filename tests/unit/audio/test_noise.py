"""The noise suppressor by its Python face: noise goes, talk stays, in time, alone and behind an echo canceller."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from axcore.audio import EchoCanceller, NoiseSuppressor
from axcore.errors import InputError, StateError

RATES = (8000, 16000, 32000, 48000)


def hiss(rate: int, seconds: float, level: float = 0.01) -> Any:
    return (level * np.random.default_rng(5).standard_normal(int(rate * seconds))).astype(np.float32)


def through(thing: Any, x: Any) -> Any:
    n = thing.frame
    return np.concatenate([thing.process(x[i : i + n]) for i in range(0, len(x) // n * n, n)])


def power_db(x: Any) -> float:
    return float(10 * np.log10((x.astype(float) ** 2).mean()))


@pytest.mark.parametrize("rate", RATES)
def test_noise_goes_down_by_what_was_allowed_at_most(rate: int) -> None:
    x = hiss(rate, 4)
    for allowed in (10, 20, 30):
        out = through(NoiseSuppressor(rate, max_attenuation_db=allowed), x)
        down = power_db(x[2 * rate :]) - power_db(out[2 * rate :])
        assert 0.6 * allowed < down < allowed + 0.5


@pytest.mark.parametrize("rate", RATES)
def test_without_attenuation_it_is_a_delay_of_6_ms_at_most(rate: int) -> None:
    noise, x = NoiseSuppressor(rate, max_attenuation_db=0), hiss(rate, 1, 0.2)
    late = noise.latency
    assert late <= 0.006 * rate
    assert np.abs(through(noise, x)[late:] - x[: len(x) - late]).max() < 2e-5


def test_it_tells_what_it_took_and_forgets() -> None:
    noise, x = NoiseSuppressor(16000), hiss(16000, 3)
    first = through(noise, x)
    assert noise.attenuation_db > 12
    noise.reset()
    assert np.array_equal(through(noise, x), first)
    assert (noise.rate, noise.frame) == (16000, 160)


def test_behind_a_canceller_it_adds_no_delay() -> None:
    canceller, noise, x = EchoCanceller(16000), NoiseSuppressor(16000, 20), hiss(16000, 4)
    alone, silence = canceller.latency, np.zeros(160, np.float32)
    canceller.chain(noise)
    assert canceller.latency == alone
    out = np.concatenate([canceller.process(x[i : i + 160], silence) for i in range(0, len(x), 160)])
    assert 12 < power_db(x[32000:]) - power_db(out[32000:]) < 21
    with pytest.raises(StateError, match="canceller"):
        noise.process(silence)
    canceller.chain(None)
    noise.process(silence)


def test_a_chain_needs_one_rate_and_a_whole_canceller() -> None:
    for canceller in (EchoCanceller(8000), EchoCanceller(16000, suppress=False)):
        with pytest.raises(InputError) as caught:
            canceller.chain(NoiseSuppressor(16000))
        assert caught.value.field == "noise"


@pytest.mark.parametrize(("rate", "db", "field"), [(44100, 30, "rate"), (16000, 61, "max_attenuation_db")])
def test_arguments(rate: int, db: float, field: str) -> None:
    with pytest.raises(InputError) as caught:
        NoiseSuppressor(rate, max_attenuation_db=db)
    assert caught.value.field == field
