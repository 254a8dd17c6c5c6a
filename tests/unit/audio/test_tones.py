"""Keys heard and made, by Q.23 and Q.24, with noise and speech; tones."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axcore.audio import G722, DtmfDetector, DtmfGenerator, Tone
from axcore.audio.tones import CALL_TONES, COLUMNS, KEYS, ROWS
from axcore.errors import FormatError, InputError, NotFoundError, RangeError

PROMPTS = Path("/usr/share/asterisk/sounds")


def press(
    rate: int,
    key: int,
    ms: float,
    *,
    beside: float = 0.0,
    twist: float = 0.0,
    dbm0: float = -10.0,
    snr: float | None = None,
) -> Any:
    """A key in silence or noise, with phases of its own."""
    rng = np.random.default_rng(key * 1000 + int(ms))
    t = np.arange(int(ms * rate / 1000)) / rate * (1 + beside) * 2 * np.pi
    a = 32767 * 10 ** ((dbm0 - 3.14) / 20)
    b = a * 10 ** (twist / 20)
    tone = a * np.sin(ROWS[key // 4] * t + rng.uniform(0, 6)) + b * np.sin(COLUMNS[key % 4] * t + rng.uniform(0, 6))
    x = np.concatenate([np.zeros(rate // 10 + rng.integers(0, rate // 50)), tone, np.zeros(rate // 7)])
    if snr is not None:
        x += rng.normal(size=len(x)) * np.sqrt((a * a + b * b) / 2) * 10 ** (-snr / 20)
    return np.clip(np.round(x), -32768, 32767).astype(np.int16)


def keys(rate: int, samples: Any) -> str:
    return "".join(event.key for event in DtmfDetector(rate).feed(samples) if event.down)


@pytest.mark.parametrize("rate", [8000, 16000, 32000, 48000])
@pytest.mark.parametrize(
    "how",
    [
        {}, {"beside": 0.015}, {"beside": -0.015}, {"twist": 4.0}, {"twist": -8.0}, {"dbm0": -30.0}, {"dbm0": -3.0},
        {"twist": 4.0, "dbm0": -30.0, "beside": 0.015}, {"twist": -8.0, "dbm0": -22.0, "beside": -0.015},
        {"snr": 15.0}, {"snr": 15.0, "beside": 0.015},
    ],
)  # fmt: skip
def test_q24_keys_of_40_ms_are_heard(rate: int, how: dict[str, float]) -> None:
    assert [keys(rate, press(rate, key, 40, **how)) for key in range(16)] == list(KEYS)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize(
    ("ms", "how"),
    [(20, {}), (23, {}), (20, {"dbm0": -3.0}), (100, {"beside": 0.035}), (100, {"beside": -0.035}),
     (100, {"dbm0": -45.0}), (100, {"twist": 8.0}), (100, {"twist": -13.0})],
)  # fmt: skip
def test_q24_what_is_too_short_beside_faint_or_twisted_is_not(rate: int, ms: int, how: dict[str, float]) -> None:
    assert [keys(rate, press(rate, key, ms, **how)) for key in range(16)] == [""] * 16


def test_one_tone_alone_is_no_key() -> None:
    for hertz in ROWS + COLUMNS:
        assert keys(8000, Tone([(0.5, (hertz,))]).samples()) == ""


def test_a_generated_string_comes_back_with_its_times() -> None:
    text = "0123456789*#ABCDD00"
    for rate in (8000, 16000):
        events = DtmfDetector(rate).feed(DtmfGenerator(text, rate, on_ms=40, off_ms=40).samples())
        assert "".join(event.key for event in events if event.down) == text
        for n, (down, up) in enumerate(zip(events[::2], events[1::2], strict=True)):
            assert (down.key, down.down, up.key, up.down) == (text[n], True, text[n], False)
            assert up.at == down.at
            assert abs(down.at / rate - 0.08 * n) <= 0.01
            assert abs(up.duration / rate - 0.04) <= 0.0101


def test_a_key_held_with_an_interruption_of_10_ms_is_one_key() -> None:
    x = np.asarray(DtmfGenerator("7", on_ms=400).samples())
    x[1000:1080] = 0
    assert keys(8000, x) == "7"


def test_the_key_that_is_down() -> None:
    detector = DtmfDetector()
    samples = DtmfGenerator("8", on_ms=100).samples()
    detector.feed(samples[:700])
    assert detector.key == "8"
    detector.feed(samples[700:])
    assert detector.key is None
    detector.reset()
    assert [event.key for event in detector.feed(samples)] == ["8", "8"]


@pytest.mark.skipif(not PROMPTS.is_dir(), reason="asterisk-core-sounds-en-g722 is not installed")
def test_half_an_hour_of_speech_has_no_key_in_it() -> None:
    detector, seconds = DtmfDetector(16000), 0.0
    for path in sorted(PROMPTS.glob("*/*.g722")):
        speech = G722().decode(path.read_bytes())
        assert [str(event) for event in detector.feed(speech)] == []
        seconds += len(speech) / 16000
        if seconds > 1900:
            break
    assert seconds > 600


def test_noise_has_no_key_in_it() -> None:
    noise = np.random.default_rng(5).normal(0, 6000, 8000 * 120).clip(-32768, 32767).astype(np.int16)
    assert keys(8000, noise) == ""


@pytest.mark.parametrize("name", list(CALL_TONES))
def test_call_tones_have_their_cadence(name: str) -> None:
    tone = Tone.named(name)
    assert len(tone) == round(8000 * sum(seconds for seconds, _ in CALL_TONES[name]))
    once = tone.samples()
    again = array("h", bytes(2 * len(tone)))
    assert tone.render(7 * len(tone), again) == len(tone)
    assert once == again
    at = 0
    for seconds, hertz in CALL_TONES[name]:
        middle = once[at + 200 : at + int(8000 * seconds) - 200]
        assert any(middle) == bool(hertz)
        at += int(8000 * seconds)


def test_levels_are_in_dbm0() -> None:
    x = np.asarray(Tone([(1.0, (1000,))], level_dbm0=-10).samples()).astype(float)[800:7200]
    assert abs(20 * np.log10(np.sqrt((x**2).mean()) * np.sqrt(2) / 32768) - (-13.14)) < 0.01


def test_what_is_not_possible_is_named() -> None:
    for make, field in (
        (lambda: DtmfDetector(44100), "rate"),
        (lambda: DtmfGenerator("5x"), "keys"),
        (lambda: DtmfGenerator("5", on_ms=1), "on_ms"),
        (lambda: DtmfGenerator(""), "segments"),
        (lambda: Tone([(1.0, (5000,))]), "segments"),
        (lambda: Tone([(float("nan"), (500,))]), "segments"),
        (lambda: Tone([(1.0, (500, 600))], level_dbm0=0.0), "level_dbm0"),
        (lambda: Tone([(1.0, (1, 2, 3, 4, 5))]), "segments"),
        (lambda: Tone([(0.1, ())] * 257), "segments"),
    ):
        with pytest.raises(InputError) as caught:
            make()
        assert caught.value.field == field
    with pytest.raises(NotFoundError):
        Tone.named("engaged")
    with pytest.raises(FormatError):
        DtmfDetector().feed(array("f", [0.0]))
    with pytest.raises(RangeError):
        Tone.named("busy").render(-1, array("h", [0]))
