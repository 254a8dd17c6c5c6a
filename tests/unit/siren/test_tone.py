"""Tones by name, their length and their errors."""

from __future__ import annotations

import subprocess
import sys
from array import array
from typing import Any

import pytest

from axcore.errors import InputError, NotFoundError
from axcore.siren import INTENSITIES, INTENSITY_DB, RATES, SOUNDS, Clip, Segment, Sound, Tone, find


def rendered(tone: Tone, count: int, pos: int = 0, clip: Clip | None = None) -> array[int]:
    out = array("h", bytes(2 * count))
    tone.render(pos, out, clip)
    return out


def test_a_name_or_a_sound() -> None:
    own = Sound(name="mine", voices=((Segment(0.1, 500), Segment(0.1)),))
    assert Tone(own).sound is own
    assert Tone("Siren: Evac").sound is SOUNDS["Siren: Evac"]
    assert find("mine", {"mine": own}) is own


def test_an_unknown_name_tells_what_is_near() -> None:
    with pytest.raises(NotFoundError, match="did you mean 'Alarm: Car alarm fast'") as raised:
        Tone("Alarm: Car alarm fsat")
    assert raised.value.field == "pattern"


@pytest.mark.parametrize("rate", RATES)
def test_cycles_are_whole_samples(rate: int) -> None:
    assert Tone("ISO 8201 T3", rate=rate).cycle == 4 * rate


def test_seconds_and_repetitions() -> None:
    assert Tone("ISO 8201 T3").end is None
    assert Tone("ISO 8201 T3", seconds=2.5).end == 120_000
    assert Tone("ISO 8201 T3", repetitions=3).end == 3 * 192_000
    tone = Tone("BS 5839 evacuate", seconds=0.1)
    assert tone.render(4700, array("h", bytes(400))) == 100


def test_intensities() -> None:
    peaks = [max(rendered(Tone("BS 5839 evacuate", intensity=i), 48000)) for i in range(INTENSITIES + 1)]
    assert peaks == [round(32767 * 10 ** (-INTENSITY_DB * (5 - i) / 20)) if i else 0 for i in range(INTENSITIES + 1)]


def test_dither_is_noise_of_one_step() -> None:
    plain, noisy = (rendered(Tone("BS 5839 evacuate", dither=d, intensity=1), 4800, 480) for d in (False, True))
    assert {abs(a - b) for a, b in zip(plain, noisy, strict=True)} == {0, 1}


def test_a_clip_on_top() -> None:
    clip = Clip(array("h", [32767] * 100), start=100, gain=4.0)
    out = rendered(Tone("BS 5839 evacuate"), 400, 0, clip)
    assert min(out[100:200]) > 28000


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("rate", {"rate": 22050}),
        ("intensity", {"intensity": 6}),
        ("intensity", {"intensity": -1}),
        ("seconds", {"seconds": 0}),
        ("seconds", {"seconds": 259_201}),
        ("seconds", {"seconds": float("nan")}),
        ("repetitions", {"repetitions": 0}),
        ("repetitions", {"repetitions": 1.5}),
        ("repetitions", {"seconds": 1, "repetitions": 1}),
    ],
)
def test_errors_name_the_argument(field: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(InputError) as raised:
        Tone("Siren: Evac", **arguments)
    assert raised.value.field == field


def test_a_sound_that_does_not_fit_the_rate() -> None:
    high = Sound(name="high", voices=((Segment(0.1, 5000), Segment(0.1)),))
    assert Tone(high, rate=16000).cycle == 3200
    with pytest.raises(InputError, match="8000 samples"):
        Tone(high, rate=8000)


def test_numpy_stays_out() -> None:
    use = "from axcore.siren import Tone; Tone('Siren: Evac').render(0, bytearray(64))"
    code = f"import sys; {use}; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
