"""Seed 001: Audio > Device settings - sentence by sentence."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.audio import Pipeline
from axcore.drivers.call_media import open_sound
from axcore.errors import InputError
from axcore.model.audio import AudioInput, AudioOutput, AudioSettings
from axcore.model.config import SoundConfig
from axcore.runtime.bus import Bus
from axcore.services.audio import AudioService
from axcore.testing.memory import MemoryLedger


class Bench:
    """Settings, and what was applied."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger(bus=Bus())
        self.audio = AudioService(("internal", "line"), ("internal",))
        self.applied: list[AudioSettings] = []
        self.audio.attach(self.applied.append)
        self.ledger.load(self.audio.load)

    def set(self, **patch: Any) -> AudioSettings:
        found: AudioSettings = self.ledger.do(lambda tx: self.audio.set(tx, patch))
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_input_turn_on_or_off_audio_input(bench: Bench) -> None:
    assert bench.set(input={"enabled": False}).input == AudioInput(enabled=False)
    assert bench.applied[-1].input.enabled is False


def test_input_type_select_the_type_of_input(bench: Bench) -> None:
    assert bench.set(input={"type": "line"}).input.type == "line"
    with pytest.raises(InputError) as caught:
        bench.set(output={"type": "line"})
    assert caught.value.field == "output.type"


def test_gain_use_the_slider_and_click_the_icon_to_mute_or_unmute(bench: Bench) -> None:
    bench.set(input={"gain": 6.5}, output={"gain": -3})
    new = bench.set(output={"mute": True})
    assert (new.input.gain, new.output) == (6.5, AudioOutput(gain=-3, mute=True))
    assert bench.applied[-1] == new


def test_settings_are_there_after_a_restart(bench: Bench) -> None:
    new = bench.set(noise_cancellation=False, input={"gain": 2})
    bench.audio.settings = AudioSettings()
    bench.ledger.load(bench.audio.load)
    assert bench.audio.settings == bench.applied[-1] == new


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"input": {"gain": 21}}, "input.gain"),
        ({"output": {"gain": float("inf")}}, "output.gain"),
        ({"input": {"volume": 1}}, "input.volume"),
        ({"input": 5}, "input"),
        ({"noise_cancellation": "much"}, "noise_cancellation"),
        ({"stereo": True}, "stereo"),
    ],
)
def test_what_cannot_be_is_named_and_changes_nothing(bench: Bench, patch: dict[str, Any], field: str) -> None:
    applied = len(bench.applied)
    with pytest.raises(InputError) as caught:
        bench.set(**patch)
    assert caught.value.field == field
    assert bench.audio.settings == AudioSettings()
    assert len(bench.applied) == applied


@pytest.mark.parametrize(
    ("settings", "made"),
    [
        (AudioSettings(), (2, 30.0, True, False)),
        (AudioSettings(noise_cancellation=False), (2, 0.0, True, False)),
        (AudioSettings(echo_cancellation=False), (0, 30.0, True, False)),
        (AudioSettings(automatic_gain=False, automatic_volume=True), (2, 30.0, False, True)),
    ],
)
def test_noise_cancellation_echo_cancellation_automatic_gain_and_volume_make_the_pipeline(
    settings: AudioSettings, made: tuple[int, float, bool, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def pipeline(rate: int, **how: Any) -> Pipeline:
        asked.append(how)
        return Pipeline(rate, **how)

    monkeypatch.setattr("axcore.audio.Pipeline", pipeline)
    open_sound(SoundConfig(), simulated=True, settings=lambda: settings)
    (how,) = asked
    assert (how["echo"], how["max_attenuation_db"], how["gain_control"], how["volume_control"]) == made
