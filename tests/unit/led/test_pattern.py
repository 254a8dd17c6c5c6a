"""Patterns: choices checked, buffers of any kind, numpy only for who brings it."""

import subprocess
import sys
from array import array
from typing import Any

import pytest

from axcore.errors import ArgumentError, InputError
from axcore.led import SCREEN, Layout, Pattern, crossfade

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("name", "choices", "field"),
    [
        ("Disco", {}, "pattern"),
        ("Steady", {"speed": 2}, "speed"),
        ("Steady", {"speed": 0}, "speed"),
        ("Steady", {"speed": True}, "speed"),
        ("Steady", {"colors": []}, "colors"),
        ("Steady", {"colors": ["red", "blue"]}, "colors"),
        ("Alternate", {"colors": ["red"]}, "colors"),
        ("Alternate", {"colors": ["red", "mauve"]}, "colors[1]"),
        ("Off", {"colors": ["red"]}, "colors"),
        ("Steady", {"intensity": 6}, "intensity"),
        ("Steady", {"intensity": 3, "poe_class": 3}, "intensity"),
        ("Steady", {"poe_class": 5}, "poe_class"),
        ("Steady", {"level": 65536}, "level"),
        ("Steady", {"stretch": 0.99}, "stretch"),
        ("Steady", {"stretch": float("nan")}, "stretch"),
        ("Steady", {"epoch_ns": -1}, "epoch_ns"),
    ],
)
def test_a_choice_that_the_pattern_does_not_have_is_named(name: str, choices: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as refused:
        Pattern(name, **choices)
    assert refused.value.field == field


def test_any_writable_buffer_takes_a_frame() -> None:
    pattern = Pattern("Steady", Layout.strip(4), colors=["blue"], intensity=5)
    for out in (array("H", bytes(24)), bytearray(24), memoryview(bytearray(24)), bytearray(100)):
        assert pattern.frame(0, out) is out
        assert bytes(memoryview(out).cast("B"))[:6] == b"\0\0\0\0\xff\xff"
    with pytest.raises(ArgumentError, match="24 are needed"):
        pattern.frame(0, bytearray(23))
    with pytest.raises(BufferError):
        pattern.frame(0, bytes(24))  # type: ignore[type-var]


def test_numpy_in_numpy_out() -> None:
    np = pytest.importorskip("numpy")
    pattern = Pattern("Rotate white + steady color", Layout.siren(), colors=["red"])
    out = np.zeros((144, 3), np.uint16)
    assert pattern.frame(SECOND, out) is out
    assert out.ravel().tolist() == pattern.frame(SECOND).tolist()
    many = pattern.frame(np.arange(5) * SECOND // 4)
    assert (many.shape, many.dtype) == ((5, 144, 3), np.uint16)
    assert (many[4] == out).all()
    room = np.zeros((5, 144, 3), np.uint16)
    assert pattern.frame(np.arange(5) * SECOND // 4, room) is room
    assert (room == many).all()
    with pytest.raises(ArgumentError):
        pattern.frame(np.arange(5), np.zeros((4, 144, 3), np.uint16))


def test_numpy_is_not_loaded_by_itself() -> None:
    code = "import sys, axcore.led as led; led.Pattern('Pulse').frame(1); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_codes_for_wires_and_for_screens() -> None:
    pattern = Pattern("Steady", Layout.lamp(), colors=[(65535, 8000, 0)], level=65535)
    assert pattern.frame8(0, 0)[0] == 255
    assert pattern.frame8(0, 0)[1] in {31, 32}
    assert pattern.frame8(0, 0, curve=SCREEN)[1] in {97, 98, 99}
    out = bytearray(3)
    assert pattern.frame8(0, 2**40, out) is out


def test_a_crossfade_mixes_what_both_show() -> None:
    red, blue = (Pattern("Steady", Layout.strip(3), colors=[color], level=60000) for color in ("red", "blue"))
    assert crossfade(red, blue, 0, 0.0).tolist() == red.frame(0).tolist()
    assert crossfade(red, blue, 0, 1.0).tolist() == blue.frame(0).tolist()
    out = bytearray(20)
    assert crossfade(red, blue, 5, 0.25, out) is out
    assert memoryview(out)[:6].cast("H").tolist() == [45000, 0, 15000]
    with pytest.raises(InputError, match="weight"):
        crossfade(red, blue, 0, 1.1)
    with pytest.raises(InputError, match="layout"):
        crossfade(red, Pattern("Off", Layout.lamp()), 0, 0.5)


def test_changed_keeps_the_other_choices() -> None:
    pattern = Pattern("Blink 3x", Layout.strip(3), colors=["green"], speed=2, intensity=4, epoch_ns=7)
    other = pattern.changed(speed=3)
    assert (other.speed, other.colors, other.level, other.epoch_ns) == (3, ("green",), pattern.level, 7)
    assert pattern.changed(intensity=5).level == 65535
    assert "Blink 3x" in repr(other)


def test_one_repetition() -> None:
    assert Pattern("Steady").period_ns == 0
    assert Pattern("Blink 3x", speed=1).period_ns == 2_400_000_000
    assert Pattern("Alternate", colors=["red", "green", "blue"]).period_ns == 3 * SECOND
    assert Pattern("Pulse", colors=["red", "blue"], speed=3).period_ns == 2 * SECOND
    assert Pattern("Health check").period_ns == 12 * SECOND
    assert Pattern("Flash 1x", speed=2, stretch=2.5).period_ns == 2_500_000_000
