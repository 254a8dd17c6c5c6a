"""The catalogue as capability data, and colors."""

import msgspec
import pytest

from axcore.errors import InputError
from axcore.led import (
    COLORS,
    INTENSITIES,
    PATTERNS,
    PRIORITIES,
    SYSTEM_PATTERNS,
    intensity_light,
    linear,
    pattern_info,
    supported_patterns,
)
from axcore.led.patterns import HEALTH_CHECK, IDENTIFY, MAINTENANCE, MAX_REPETITIONS, MAX_SECONDS


def test_every_choice_holds_its_default() -> None:
    for info in PATTERNS.values():
        assert info.speed.default in info.speed.possible
        assert info.colors.min_colors <= len(info.colors.default) <= info.colors.max_colors
        assert set(info.colors.default) <= set(info.colors.possible) <= set(COLORS)
        assert len(info.period_ms) == len(info.speed.possible)
        assert info.priority is PRIORITIES
        assert info.duration.value is None
        for choice in info.intensity.values():
            assert choice.default in choice.possible


def test_what_vapix_shows_in_its_examples() -> None:
    alternate, steady, rotate = (PATTERNS[name] for name in ("Alternate", "Steady", "Rotate white + steady color"))
    assert msgspec.to_builtins(alternate.speed) == {"possible": (1, 2), "default": 1}
    assert msgspec.to_builtins(alternate.colors) == {
        "minNbrColors": 2,
        "maxNbrColors": 4,
        "possible": ("red", "green", "blue", "amber", "white"),
        "default": ("red", "blue"),
    }
    assert (steady.speed.possible, steady.colors.default) == ((1,), ("red",))
    assert (rotate.speed.possible, rotate.speed.default) == ((1, 2, 3, 4), 2)
    assert (rotate.colors.min_colors, rotate.colors.max_colors) == (0, 1)
    assert rotate.colors.possible == ("red", "green", "blue", "amber")
    assert rotate.colors.default == ()
    assert msgspec.to_builtins(INTENSITIES) == {
        "3": {"possible": (1, 2), "default": 2},
        "4": {"possible": (1, 2, 3, 4, 5), "default": 2},
    }


def test_the_form_of_get_capabilities() -> None:
    listed = supported_patterns()
    assert [entry["name"] for entry in listed] == list(PATTERNS)
    assert listed[3] == {
        "name": "Alternate",
        "speed": {"possible": [1, 2], "default": 1},
        "colors": {
            "minNbrColors": 2,
            "maxNbrColors": 4,
            "possible": ["red", "green", "blue", "amber", "white"],
            "default": ["red", "blue"],
        },
        "intensity": {
            "poeClass": {"3": {"possible": [1, 2], "default": 2}, "4": {"possible": [1, 2, 3, 4, 5], "default": 2}}
        },
        "priority": {"possible": list(range(1, 11)), "default": 3},
    }


def test_numbers_of_activities() -> None:
    assert (PRIORITIES.possible, PRIORITIES.default) == (tuple(range(1, 11)), 3)
    assert (MAINTENANCE, IDENTIFY, HEALTH_CHECK) == (11, 12, 13)
    assert (MAX_SECONDS, MAX_REPETITIONS) == (72 * 3600, 20)
    assert list(SYSTEM_PATTERNS) == ["Maintenance", "Identify", "Health check"]


def test_intensities_are_even_to_the_eye_and_the_same_in_both_classes() -> None:
    assert [intensity_light(i) for i in (1, 2, 3, 4, 5)] == [round(65535 * (i / 5) ** 2) for i in (1, 2, 3, 4, 5)]
    assert [intensity_light(i, 3) for i in (1, 2)] == [intensity_light(i, 4) for i in (1, 2)]


@pytest.mark.parametrize(
    ("intensity", "poe_class", "field"),
    [(0, 4, "intensity"), (6, 4, "intensity"), (3, 3, "intensity"), (True, 4, "intensity"), (1, 2, "poe_class")],
)
def test_an_intensity_that_the_power_does_not_allow(intensity: int, poe_class: int, field: str) -> None:
    with pytest.raises(InputError) as refused:
        intensity_light(intensity, poe_class)
    assert refused.value.field == field


def test_colors() -> None:
    assert linear("red") == (65535, 0, 0)
    assert linear("#ffffff") == (65535, 65535, 65535)
    assert linear("#000001") == (0, 0, 20)
    assert linear((1, 2, 3)) == (1, 2, 3)


@pytest.mark.parametrize(
    "color", ["Red", "", "#12345", "#12345g", "#12345\u0666", (1, 2), (0, 0, 65536), (0, 0, -1), (0.5, 0, 0), None]
)
def test_what_is_no_color_is_named(color: object) -> None:
    with pytest.raises(InputError) as refused:
        linear(color, "colors[1]")  # type: ignore[arg-type]
    assert refused.value.field == "colors[1]"


def test_an_unknown_pattern() -> None:
    with pytest.raises(InputError) as refused:
        pattern_info("Disco")
    assert refused.value.field == "pattern"
