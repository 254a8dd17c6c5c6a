"""The light of the strobe siren (its manual: Light pattern names; Maintenance; Overview; Profiles; Technical problems)
and the indicators of the door stations (Front panel indicators and controls). Each test names its section."""

import itertools
from typing import cast

import pytest

from axcore.errors import InputError
from axcore.led import INTENSITIES, PATTERNS, PRIORITIES, SYSTEM_PATTERNS, Layout, Pattern, analyse, intensity_light

SECOND = 1_000_000_000
WHITE = (65535, 65535, 65535)
RED = (65535, 0, 0)
BLACK = (0, 0, 0)
Light = tuple[int, int, int]

MANUAL = """
Off
Steady
Steady white + flash color
Alternate
Pulse
Escalate 3 steps
Blink 3x
Blink 4x
Blink 3x fade
Blink 4x fade
Flash 1x
Flash 3x
Flash 1x white + steady color
Flash 3x white + steady color
Direction A + steady color
Direction B + steady color
Direction C + steady color
Direction D + steady color
Rotate white + steady color
Rotate tail white + steady color
Random white + steady color
Spin white + steady color
Steady white + steady color
""".strip().splitlines()


def lights(pattern: Pattern, t_ns: int) -> list[Light]:
    flat = pattern.frame(t_ns).tolist()
    return [cast("Light", tuple(flat[i : i + 3])) for i in range(0, len(flat), 3)]


def shown(name: str, *colors: str, **choices: int) -> Pattern:
    return Pattern(name, colors=list(colors), level=65535, **choices)  # type: ignore[arg-type]


def over_a_period(pattern: Pattern, step_ms: int = 10) -> list[list[Light]]:
    return [lights(pattern, t) for t in range(0, pattern.period_ns, step_ms * 1_000_000)]


def rises(pattern: Pattern, step_ms: int = 10) -> int:
    """How often the first LED goes on in a period that begins dark or lit."""
    lit = [any(frame[0]) for frame in over_a_period(pattern, step_ms)]
    return sum(1 for before, now in zip([lit[-1], *lit], lit, strict=False) if now and not before)


# Light pattern names
def test_the_23_names_are_the_manuals() -> None:
    assert list(PATTERNS) == MANUAL


# Light pattern names
def test_off_and_steady() -> None:
    assert set(lights(shown("Off"), SECOND)) == {BLACK}
    assert set(lights(shown("Steady", "red"), SECOND)) == {RED}


# Light pattern names
def test_steady_white_and_flash_color() -> None:
    seen = {light for frame in over_a_period(shown("Steady white + flash color", "red")) for light in frame}
    assert seen == {WHITE, RED}


# Light pattern names
def test_alternate_changes_between_its_colors() -> None:
    pattern = shown("Alternate", "red", "blue")
    first, second = lights(pattern, 0), lights(pattern, SECOND)
    assert set(first) == {RED, (0, 0, 65535)}
    assert all(a != b for a, b in zip(first, second, strict=True))


# Light pattern names
def test_pulse_goes_up_and_down_without_a_jump() -> None:
    levels = [frame[0][0] for frame in over_a_period(shown("Pulse", "red", speed=1))]
    assert (min(levels), max(levels)) == (0, 65535)
    assert max(abs(a - b) for a, b in itertools.pairwise(levels)) < 700
    assert rises(shown("Pulse", "red")) == 1


# Light pattern names
def test_escalate_has_three_steps() -> None:
    levels = [frame[0][0] for frame in over_a_period(shown("Escalate 3 steps", "red"))]
    assert len(set(levels)) == 3
    assert levels == sorted(levels)
    assert levels[-1] == 65535


# Light pattern names
@pytest.mark.parametrize(
    ("name", "count"),
    [("Blink 3x", 3), ("Blink 4x", 4), ("Blink 3x fade", 3), ("Blink 4x fade", 4), ("Flash 1x", 1), ("Flash 3x", 3)],
)
def test_blinks_and_flashes_are_counted_by_their_name(name: str, count: int) -> None:
    for speed in PATTERNS[name].speed.possible:
        assert rises(shown(name, "red", speed=speed), step_ms=1) == count


# Light pattern names
@pytest.mark.parametrize("name", ["Blink 3x", "Blink 4x"])
def test_fade_ends_softly_where_blink_ends_hard(name: str) -> None:
    hard = {frame[0][0] for frame in over_a_period(shown(name, "red"))}
    soft = {frame[0][0] for frame in over_a_period(shown(f"{name} fade", "red"))}
    assert hard == {0, 65535}
    assert len(soft) > 20


# Light pattern names
@pytest.mark.parametrize(("name", "count"), [("Flash 1x", 1), ("Flash 3x", 3)])
def test_white_flashes_over_a_steady_color(name: str, count: int) -> None:
    frames = over_a_period(shown(f"{name} white + steady color", "red"), step_ms=1)
    assert {light for frame in frames for light in frame} == {WHITE, RED}
    white = [frame[0] == WHITE for frame in frames]
    assert sum(1 for a, b in zip([white[-1], *white], white, strict=False) if b and not a) == count


# Light pattern names
@pytest.mark.parametrize(("letter", "axis", "sign"), [("A", "x", 1), ("B", "y", 1), ("C", "x", -1), ("D", "y", -1)])
def test_white_moves_in_four_directions_over_a_steady_color(letter: str, axis: str, sign: int) -> None:
    pattern = shown(f"Direction {letter} + steady color", "red", speed=1)
    where = [getattr(place, axis) for place in pattern.layout.places]
    centres = []
    for t in range(SECOND, 3 * SECOND, SECOND // 20):
        whites = [light[1] for light in lights(pattern, t)]
        centres.append(sum(w * p for w, p in zip(whites, where, strict=True)) / sum(whites))
    assert centres == sorted(centres, reverse=sign < 0)
    assert abs(centres[-1] - centres[0]) > 0.3
    assert set(lights(pattern, 0)) == {RED}


# Light pattern names
@pytest.mark.parametrize(
    ("name", "spots"),
    [("Rotate white + steady color", 1), ("Rotate tail white + steady color", 1), ("Spin white + steady color", 2)],
)
def test_white_turns_over_a_steady_color(name: str, spots: int) -> None:
    pattern = shown(name, "red", speed=1)
    seen_white = set()
    for frame in over_a_period(pattern, 20):
        white = [light[1] > 32768 for light in frame]
        assert sum(1 for a, b in zip([white[-1], *white], white, strict=False) if b and not a) == spots
        seen_white |= {i for i, lit in enumerate(white) if lit}
        assert all(light[0] == 65535 for light in frame)
    assert len(seen_white) == len(pattern.layout)


# Light pattern names
def test_the_tail_fades_behind_its_head() -> None:
    tail = [light[1] for light in lights(shown("Rotate tail white + steady color", "red", speed=1), 3 * SECOND)]
    head = max(range(len(tail)), key=tail.__getitem__)
    assert tail[:head] == sorted(tail[:head])
    assert len(set(tail)) > 50


# Light pattern names
def test_random_lights_one_section_at_a_time_and_all_in_turn() -> None:
    pattern = shown("Random white + steady color", "red", speed=3)
    places, order = pattern.layout.places, []
    for step in range(24):
        white = {
            place.section
            for place, light in zip(places, lights(pattern, step * 250_000_000), strict=True)
            if light == WHITE
        }
        assert len(white) == 1
        order += white
    assert set(order[:12]) == set(order[12:]) == set(range(12))
    assert order[:12] != sorted(order[:12])


# Light pattern names
def test_steady_white_and_steady_color_are_both_there_and_stay() -> None:
    pattern = shown("Steady white + steady color", "red")
    assert set(lights(pattern, 0)) == {WHITE, RED}
    assert lights(pattern, 0) == lights(pattern, 12345 * SECOND)


# Turn off maintenance mode after installing the siren: "the light gives white pulsating light patterns"
# Overview > Maintenance: "the device shows a white pulsating light pattern in a triangle"
def test_maintenance_is_a_white_pulsating_triangle() -> None:
    pattern = Pattern("Maintenance", level=65535)
    frames = over_a_period(pattern)
    lit = {
        place.section
        for frame in frames
        for place, light in zip(pattern.layout.places, frame, strict=True)
        if any(light)
    }
    assert lit == {0, 4, 8}
    assert all(light[0] == light[1] == light[2] for frame in frames for light in frame)
    levels = [frame[0][0] for frame in frames]
    assert (min(levels), max(levels)) == (0, 65535)
    assert analyse(pattern).safe


# Overview > Health check: "The device will turn on one light section at a time"
def test_health_check_lights_one_section_at_a_time() -> None:
    pattern = Pattern("Health check", level=65535)
    for second in range(12):
        frame = lights(pattern, second * SECOND + 1)
        assert {p.section for p, light in zip(pattern.layout.places, frame, strict=True) if any(light)} == {second}


# Profiles: "Select ... what kind of Pattern, Speed, Intensity, and Color of the light you want"
def test_a_profile_chooses_pattern_speed_intensity_and_color() -> None:
    pattern = Pattern("Flash 1x", speed=3, intensity=2, colors=["green"])
    assert lights(pattern, 0)[0] == (0, intensity_light(2), 0)
    for wrong in ({"speed": 9}, {"intensity": 9}, {"colors": ["ultraviolet"]}):
        with pytest.raises(InputError):
            Pattern("Flash 1x", **wrong)  # type: ignore[arg-type]


# Profiles > Priority: "a number between 1 and 10 ... three activities with higher priority than 10"
def test_priorities_are_1_to_10_and_three_patterns_are_the_devices_own() -> None:
    assert PRIORITIES.possible == tuple(range(1, 11))
    assert set(SYSTEM_PATTERNS) == {"Maintenance", "Identify", "Health check"}


# Problems with the light: "The device is not as bright as expected: Check that a PoE class 4 power supply is used"
def test_poe_class_3_is_not_as_bright() -> None:
    assert max(INTENSITIES["3"].possible) < max(INTENSITIES["4"].possible)
    with pytest.raises(InputError):
        Pattern("Steady", intensity=5, poe_class=3)


# Get started: "Flashing or flickering lights can trigger seizures in persons with photosensitive epilepsy"
def test_nothing_flashes_more_than_three_times_a_second_by_default() -> None:
    for name in [*PATTERNS, *SYSTEM_PATTERNS]:
        assert analyse(Pattern(name)).safe, name


# Door station, Indicator icons: "Steady blue when outgoing call initiated. Flashes blue when incoming call initiated.";
# Card reader indicator stripe; Call button: "the built-in light around the call button"
def test_the_indicators_of_a_door_station_are_layouts_of_the_same_catalogue() -> None:
    icons = Layout.icons()
    assert set(lights(Pattern("Steady", icons, colors=["blue"], level=65535), 0)) == {(0, 0, 65535)}
    assert rises(Pattern("Flash 1x", icons, colors=["blue"], level=65535)) == 1
    assert set(lights(Pattern("Steady", Layout.stripe(), colors=["green"], level=65535), 0)) == {(0, 65535, 0)}
    assert set(lights(Pattern("Steady", Layout.call_button(), colors=["white"], level=65535), 0)) == {WHITE}
