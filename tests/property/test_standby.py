"""The standby light in any weather: it is on in the dark, off in the light, and does not flicker between."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from axcore.devices.standby import BRIGHT_LUX, DARK_LUX, is_dark, is_lit

LUX = st.floats(0, 200_000)
BETWEEN = st.floats(DARK_LUX, BRIGHT_LUX)


@given(LUX, st.booleans())
def test_far_from_the_limits_the_past_does_not_count(lux: float, was_dark: bool) -> None:
    if lux < DARK_LUX:
        assert is_dark(lux, was_dark)
    elif lux > BRIGHT_LUX:
        assert not is_dark(lux, was_dark)


@given(st.lists(BETWEEN), st.booleans())
def test_between_the_limits_it_stays_as_it_was(dusk: list[float], was_dark: bool) -> None:
    dark = was_dark
    for lux in dusk:
        dark = is_dark(lux, dark)
    assert dark == was_dark


@given(LUX, LUX, st.booleans())
def test_more_light_is_never_darker(one: float, other: float, was_dark: bool) -> None:
    less, more = sorted((one, other))
    assert is_dark(less, was_dark) >= is_dark(more, was_dark)


@given(st.sampled_from([True, False, None]))
def test_only_auto_asks_for_the_surroundings(dark: bool | None) -> None:
    assert is_lit("on", dark)
    assert not is_lit("off", dark)
    assert is_lit("auto", dark) == (dark is not False)
