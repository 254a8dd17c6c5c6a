"""SignalOutputs: what is shown and played comes out, is seen and heard, and can be broken."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from axcore._native.io import LIGHT_CLASS, LIGHT_NONE, LIGHT_WS2812, monotonic_ns
from axcore.devices import MODELS
from axcore.drivers.board import Board, LineSettings
from axcore.drivers.capture import LIGHT_RING, SOUND_RING, Capture
from axcore.drivers.signal import SignalOutputs, light_config
from axcore.errors import InputError
from axcore.interfaces.cli.instance import wait_for
from axcore.led import Pattern
from axcore.model.config import LedConfig, SoundConfig
from axcore.services.siren import Sound

MODEL = MODELS["d4100-ve-mk2"]
SETTINGS = LineSettings(inputs={}, outputs={}, driven=frozenset())


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board(MODEL, SETTINGS, light=light_config(LedConfig(), simulated=True))
    board.start()
    yield board
    board.stop()


@pytest.fixture
def outputs(board: Board, tmp_path: Path) -> Iterator[SignalOutputs]:
    outputs = SignalOutputs(board, SoundConfig(), simulated=True)
    outputs.start(tmp_path)
    yield outputs
    outputs.stop()


def test_light_is_seen_section_by_section(outputs: SignalOutputs) -> None:
    assert outputs.light_seen() == [0.0] * 12
    outputs.show(Pattern("Steady", colors=["red"], intensity=5))
    wait_for("light", lambda: outputs.light_seen() == [1.0] * 12, 30)
    assert outputs.state()["light"] == {"pattern": "Steady", "sections": [[65535, 0, 0]] * 12}
    outputs.fault("light5", True)
    assert outputs.light_seen() == [1.0] * 4 + [0.0] + [1.0] * 7
    assert outputs.state()["faults"] == ["light5"]
    outputs.fault("light5", False)
    assert outputs.light_seen() == [1.0] * 12
    outputs.show(None)
    wait_for("dark", lambda: outputs.light_seen() == [0.0] * 12, 30)


def test_sound_is_heard(outputs: SignalOutputs) -> None:
    assert outputs.sound_heard() == 0.0
    outputs.play(Sound(pattern="Siren: Alternate", intensity=5, epoch_ns=monotonic_ns()))
    wait_for("sound", lambda: outputs.sound_heard() > 0.5, 30)
    assert outputs.state()["siren"]["pattern"] == "Siren: Alternate"
    outputs.fault("siren", True)
    assert outputs.sound_heard() == 0.0
    outputs.fault("siren", False)
    outputs.play(Sound(pattern="Siren: Alternate", intensity=1, epoch_ns=monotonic_ns()))
    wait_for("a softer one", lambda: 0.01 < outputs.sound_heard() < 0.1, 30)
    outputs.play(None)
    wait_for("silence", lambda: outputs.sound_heard() == 0.0, 30)


@pytest.mark.parametrize("part", ["light0", "light13", "light", "microphone", ""])
def test_a_part_that_is_not_there(outputs: SignalOutputs, part: str) -> None:
    with pytest.raises(InputError, match=r"light1, .*siren") as raised:
        outputs.fault(part, True)
    assert raised.value.field == "part"


def test_what_it_did_is_found_in_the_data_directory(outputs: SignalOutputs, tmp_path: Path) -> None:
    outputs.show(Pattern("Steady", colors=["red"]))
    with Capture(tmp_path / LIGHT_RING) as light, Capture(tmp_path / SOUND_RING) as sound:
        wait_for("a frame", lambda: light.latest and any(light.latest.data), 30)
        assert sound.written == 0
    outputs.stop()
    assert not (tmp_path / LIGHT_RING).is_symlink()


def test_without_its_sound_card_it_runs_silently(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    outputs = SignalOutputs(board, SoundConfig(device="axcore-no-such-card"), simulated=False)
    with caplog.at_level(logging.ERROR):
        outputs.start()
    assert "sound card" in caplog.text
    outputs.play(Sound(pattern="Siren: Evac", intensity=5, epoch_ns=monotonic_ns()))
    wait_for("sound", lambda: outputs.sound_heard() > 0.1, 30)
    outputs.stop()


def test_outputs_of_the_configuration() -> None:
    assert light_config(LedConfig(), simulated=False).output == LIGHT_NONE
    strip = LedConfig(driver="ws2812", device="/dev/spidev0.0", speed_hz=2_400_000)
    config = light_config(strip, simulated=False)
    assert (config.output, config.paths, config.speed_hz) == (LIGHT_WS2812, ("/dev/spidev0.0",), 2_400_000)
    beside = light_config(strip, simulated=True)
    assert (beside.output, beside.records > config.records) == (LIGHT_WS2812, True)
    lamps = light_config(LedConfig(driver="class", leds=("/sys/class/leds/a", "/sys/class/leds/b")), simulated=False)
    assert (lamps.output, lamps.paths) == (LIGHT_CLASS, ("/sys/class/leds/a", "/sys/class/leds/b"))


def test_a_strip_that_is_not_there_is_named() -> None:
    light = light_config(LedConfig(driver="apa102", device="/dev/axcore-none"), simulated=False)
    with pytest.raises(FileNotFoundError, match="/dev/axcore-none"):
        Board(MODEL, SETTINGS, light=light).start()
