"""The native light module: buffers, refusals, the player, the wires."""

from array import array

import pytest

from axcore._native import led
from axcore.errors import ArgumentError, QueueFullError, RangeError, StateError
from axcore.led import LINEAR, Layout

STRIP = Layout.strip(10, 2)
STEADY = next(i for i, row in enumerate(led.ROWS) if row[0] == "Steady")
RED = led.Profile(STEADY, 1, [(65535, 0, 0)])
FRAME = 10_000_000


def test_the_table() -> None:
    assert len(led.ROWS) == led.CATALOGUE + 3
    assert led.LEVELS[0] == "portable"
    assert led.ROWS[0] == ("Off", 1, 0, 0, (1000,))


@pytest.mark.parametrize(
    "wrong",
    [(-1, 1), (len(led.ROWS), 1), (STEADY, 0), (STEADY, 2), (STEADY, 256), (STEADY, -1)],
)
def test_a_profile_outside_the_table(wrong: tuple[int, int]) -> None:
    with pytest.raises(RangeError):
        led.Profile(*wrong, [(1, 2, 3)])


def test_a_profile_with_wrong_choices() -> None:
    for colours in ([], [(0, 0, 0)] * 2, [(0, 0, 0)] * 5):
        with pytest.raises(RangeError):
            led.Profile(STEADY, 1, colours)
    with pytest.raises(RangeError):
        led.Profile(STEADY, 1, [(0, 0, 0)], 65535, 65535)
    with pytest.raises(OverflowError):
        led.Profile(STEADY, 1, [(0, 0, 65536)])
    with pytest.raises(ValueError, match="unpack"):
        led.Profile(STEADY, 1, [(0, 0)])  # type: ignore[list-item]


def test_layouts_are_records_of_sixteen_bytes() -> None:
    assert len(led.Lights(STRIP.records)) == 10
    assert led.Lights(STRIP.records).sections == 2
    for wrong in (b"", STRIP.records[:-1]):
        with pytest.raises((ArgumentError, RangeError)):
            led.Lights(wrong)
    with pytest.raises(RangeError):
        led.Player(b"", FRAME, LINEAR)
    with pytest.raises(ArgumentError):
        led.Player(STRIP.records[:-1], FRAME, LINEAR)


def test_buffers_that_are_too_small_change_nothing() -> None:
    lights, codes, light = led.Lights(STRIP.records), bytearray(30), array("H", bytes(60))
    with pytest.raises(ArgumentError, match="60 are needed"):
        lights.frame(RED, 0, bytearray(59))
    with pytest.raises(ArgumentError, match="30 are needed"):
        lights.frame8(RED, LINEAR, 0, 0, bytearray(29))
    with pytest.raises(ArgumentError):
        lights.frames(RED, array("Q", [0, 1]), light)
    with pytest.raises(ArgumentError):
        lights.encode(LINEAR, light, 0, bytearray(29))
    for first, second, out in ((light, light[:5], light), (light, light, light[:5])):
        with pytest.raises(ArgumentError):
            lights.mix(first, second, 0, out)
    with pytest.raises(RangeError):
        lights.mix(light, light, 65537, light)
    with pytest.raises(RangeError):
        lights.level = len(led.LEVELS)
    with pytest.raises(ArgumentError):
        led.rgbw(light, bytearray(79))
    assert not any(light)
    lights.encode(LINEAR, light, 0, codes)
    assert not any(codes)


def test_objects_that_were_not_made_do_no_harm() -> None:
    bare = led.Drawn.__new__(led.Drawn)
    for call in (bare.frame, bare.frame8):
        with pytest.raises(StateError):
            call(0)
    with pytest.raises(ArgumentError):
        led.Lights.__new__(led.Lights).frame(RED, 0, bytearray(60))
    with pytest.raises(ArgumentError):
        led.Lights(STRIP.records).frame(led.Profile.__new__(led.Profile), 0, bytearray(60))
    with pytest.raises(ArgumentError):
        led.Player.__new__(led.Player).step(0, bytearray(30))


def test_many_frames_at_once() -> None:
    lights, out = led.Lights(STRIP.records), array("H", bytes(180))
    assert lights.frames(RED, array("Q", [0, 5, 2**64 - 1]), out) == 3
    assert out[:3].tolist() == out[-3:].tolist() == [65535, 0, 0]


def test_a_crossfade_is_linear_in_light() -> None:
    lights, out = led.Lights(STRIP.records), array("H", [0] * 4)
    lights.mix(array("H", [0, 100, 65535, 7]), array("H", [65535, 200, 0, 7]), 16384, out)
    assert out.tolist() == [16384, 125, 49151, 7]


def test_the_player() -> None:
    player, out = led.Player(STRIP.records, FRAME, LINEAR), bytearray(30)
    assert player.step(3, out)
    assert player.next_ns == led.NEVER
    assert not player.step(4, out)
    player.put(RED, 25_000_001, 0)
    assert player.next_ns == 25_000_001
    assert player.step(25_000_001, out)
    assert (out[:3], player.row, player.next_ns) == (b"\xff\0\0", STEADY, 30_000_000)
    assert player.step(55_000_000, out)
    assert player.missed == 2
    for _ in range(led.PENDING):
        player.put(RED, 10**12)
    with pytest.raises(QueueFullError):
        player.put(RED, 10**12)
    player.cancel()
    player.put(RED, 10**12, 500)
    with pytest.raises(ArgumentError):
        player.step(10**12, bytearray(29))
    with pytest.raises(RangeError):
        led.Player(STRIP.records, 10, LINEAR)


def test_the_wires() -> None:
    assert led.apa102(b"\x01\x02\x03", 7) == bytes([0, 0, 0, 0, 0xE7, 3, 2, 1]) + bytes(5)
    assert led.ws2812(b"\x00\xff\x00")[:9] == bytes.fromhex("db6db6924924924924")
    assert len(led.ws2812(bytes(8), 4)) == 2 * 12 + 90
    for wrong in (lambda: led.apa102(b"123", 32), lambda: led.ws2812(b"1234", 2), lambda: led.led_class(1, 1, 1, 0)):
        with pytest.raises(RangeError):
            wrong()
    for empty in (led.apa102, led.ws2812):
        with pytest.raises(ArgumentError):
            empty(b"12")
    assert led.led_class(0, 32768, 65535, 255) == (255, (0, 128, 255))
    out = array("H", bytes(8))
    led.rgbw(array("H", [9, 8, 10]), out)
    assert out.tolist() == [1, 0, 2, 8]


def test_curves() -> None:
    assert led.Curve(1.0).knots[128] == 16320
    assert led.Curve(2.0).knots[64] == 16320
    for gamma in (0.2, 5.0, float("nan")):
        with pytest.raises(RangeError):
            led.Curve(gamma)
