"""The canceller as a library user sees it."""

from __future__ import annotations

import importlib.util
from array import array
from pathlib import Path

import numpy as np
import pytest

from axcore.audio import EchoCanceller
from axcore.errors import InputError

_spec = importlib.util.spec_from_file_location("audio_rooms", Path(__file__).with_name("rooms.py"))
assert _spec is not None
assert _spec.loader is not None
rooms = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(rooms)
RATE = rooms.RATE


def run(canceller: EchoCanceller, mic: rooms.Signal, ref: rooms.Signal) -> rooms.Signal:
    out = np.zeros_like(mic)
    n = canceller.frame
    for at in range(0, mic.size - n + 1, n):
        canceller.process(mic[at : at + n], ref[at : at + n], out[at : at + n])
    return out


def test_the_echo_goes_and_the_figures_say_so() -> None:
    far = rooms.voice(5, 1)
    mic = rooms.echo(far, 160)
    canceller = EchoCanceller(RATE)
    assert (canceller.rate, canceller.frame, canceller.latency) == (16000, 160, 64)
    assert canceller.delay_ms is None
    assert canceller.erle_db == 0.0
    out = run(canceller, mic, far)
    assert rooms.db(mic[3 * RATE :], out[3 * RATE :]) > 38
    assert canceller.erle_db > 30
    assert canceller.delay_ms == pytest.approx(10.0, abs=0.2)
    assert abs(canceller.drift_ppm) < 10
    assert not canceller.talking


def test_both_may_talk() -> None:
    far, near = rooms.voice(6, 1), rooms.voice(6, 9, 0.08)
    near[: 3 * RATE] = 0
    canceller = EchoCanceller(RATE)
    out = run(canceller, rooms.echo(far) + near, far)
    late = canceller.latency
    heard, wanted = out[3 * RATE + 4000 + late :], near[3 * RATE + 4000 : -late]
    assert rooms.db(wanted, heard - wanted) > 14
    assert abs(rooms.db(heard, wanted)) < 1
    assert canceller.talking


def test_the_filter_alone_delays_nothing() -> None:
    far = rooms.voice(4, 1)
    mic = rooms.echo(far)
    canceller = EchoCanceller(RATE, suppress=False)
    assert canceller.latency == 0
    assert rooms.db(mic[2 * RATE :], run(canceller, mic, far)[2 * RATE :]) > 25


@pytest.mark.parametrize("rate", [8000, 16000, 32000, 48000])
def test_every_rate_is_at_most_5_ms_late(rate: int) -> None:
    canceller = EchoCanceller(rate)
    assert canceller.frame == rate // 100
    assert 0 < canceller.latency <= rate // 200
    mic = rooms.voice(1, 3)[: rate // 2]
    out = run(canceller, mic, np.zeros_like(mic))
    late = canceller.latency
    assert rooms.db(mic[: -late - 480], (out[late:] - mic[:-late])[:-480]) > 20


def test_reset_forgets_everything() -> None:
    far = rooms.voice(1, 4)
    mic = rooms.echo(far)
    canceller = EchoCanceller(RATE)
    first = run(canceller, mic, far)
    canceller.reset()
    assert canceller.delay_ms is None
    assert np.array_equal(run(canceller, mic, far), first)


def test_the_result_is_out_or_a_new_array() -> None:
    canceller = EchoCanceller(8000)
    silence = array("h", bytes(160))
    out = array("h", bytes(160))
    assert canceller.process(silence, silence, out) is out
    made = canceller.process(silence, silence)
    assert isinstance(made, array)
    assert (made.typecode, len(made)) == ("h", 80)
    assert canceller.process(array("f", bytes(320)), array("f", bytes(320))).typecode == "f"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"rate": 44100}, "rate"),
        ({"rate": 0}, "rate"),
        ({"rate": 16000, "frame_ms": 20}, "frame_ms"),
        ({"rate": 16000, "tail_ms": 19}, "tail_ms"),
        ({"rate": 16000, "tail_ms": 401}, "tail_ms"),
    ],
)
def test_what_is_not_possible_is_named(arguments: dict[str, int], field: str) -> None:
    with pytest.raises(InputError) as caught:
        EchoCanceller(**arguments)
    assert caught.value.field == field
