"""Layouts: places checked, the devices' lights."""

import pytest

from axcore.errors import InputError
from axcore.led import Layout, Place


def test_the_siren_has_twelve_sections_around_its_face() -> None:
    siren = Layout.siren()
    assert (len(siren), siren.sections) == (144, 12)
    top, right = siren.places[0], siren.places[36]
    assert top.y < 0.01
    assert right.x > 0.99
    assert [place.section for place in siren.places] == [i // 12 for i in range(144)]


def test_door_station_lights() -> None:
    assert (len(Layout.icons()), Layout.icons().sections) == (3, 3)
    assert (len(Layout.stripe()), Layout.stripe().sections) == (8, 1)
    assert (len(Layout.call_button()), Layout.call_button().sections) == (12, 4)
    assert len(Layout.lamp()) == 1


def test_up_and_down_on_a_strip_is_from_the_middle() -> None:
    ys = [place.y for place in Layout.strip(8).places]
    assert ys == ys[::-1]
    assert ys[3] < ys[0]


def test_layouts_are_values() -> None:
    assert Layout.strip(5) == Layout.strip(5)
    assert hash(Layout.strip(5)) == hash(Layout.strip(5))
    assert Layout.strip(5) != Layout.strip(6)
    assert len(Layout.strip(1024).records) == 16 * 1024


@pytest.mark.parametrize(
    ("places", "field"),
    [
        ([], "places"),
        ([Place(0, 0, 0, 0)] * 1025, "places"),
        ([Place(0, 0, 0, 1)], "places[0].section"),
        ([Place(0, 0, 0, 0), Place(0, 0, 0, 2)], "places[1].section"),
        ([Place(0, 0, 0, 0), Place(0, 0, 0, 1), Place(0, 0, 0, 0)], "places[2].section"),
        ([Place(0, 0, 0, i) for i in range(65)], "places[64].section"),
        ([Place(0, 1.01, 0, 0)], "places[0]"),
        ([Place(-0.1, 0, 0, 0)], "places[0]"),
        ([Place(float("nan"), 0, 0, 0)], "places[0]"),
    ],
)
def test_what_is_no_layout_is_named(places: list[Place], field: str) -> None:
    with pytest.raises(InputError) as refused:
        Layout("wrong", places)
    assert refused.value.field == field
