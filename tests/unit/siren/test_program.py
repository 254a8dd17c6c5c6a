"""Sounds as data: what is refused names its field."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from axcore.errors import InputError
from axcore.siren import SOUNDS, STANDARD_SIGNALS, Segment, Sound

GOOD: dict[str, Any] = {"seconds": 0.1, "hz": 500.0}


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("seconds", {"seconds": 0.0005}),
        ("seconds", {"seconds": 61}),
        ("seconds", {"seconds": float("inf")}),
        ("hz", {"hz": 24000}),
        ("hz", {"hz": -1}),
        ("hz", {"hz": 0, "to_hz": 100}),
        ("to_hz", {"to_hz": 0}),
        ("attack", {"attack": 0.0001}),
        ("attack", {"attack": 0.06, "release": 0.06}),
        ("release", {"release": -1}),
        ("peak", {"peak": 0}),
        ("peak", {"peak": 1.01}),
        ("peak", {"peak": float("nan")}),
        ("peak", {"peak": 1e-9}),
        ("hz", {"hz": float("nan")}),
        ("wave", {"wave": ()}),
        ("wave", {"wave": (1.0, float("nan"))}),
        ("wave", {"wave": (1e7,)}),
        ("wave", {"wave": (0.0, 0.0)}),
        ("wave", {"wave": (1.0,) * 33}),
    ],
)
def test_segments_are_checked(field: str, change: dict[str, Any]) -> None:
    with pytest.raises(InputError) as raised:
        Segment(**(GOOD | change))
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("field", "voices"),
    [
        ("voices", ()),
        ("voices", ((Segment(0.1, 500),),) * 5),
        ("voices", ((Segment(0.1, 500, peak=0.5),), (Segment(0.2, 500, peak=0.5),))),
        ("voices", ((Segment(0.105, 500),),)),
        ("voices", ((Segment(0.1, 500, peak=0.6),), (Segment(0.1, 500, peak=0.6),))),
        ("voices", (tuple(Segment(0.1, 500, wave=(1.0, i / 10)) for i in range(1, 10)),)),
        ("voices[0]", ((),)),
        ("voices[0]", ((Segment(0.01, 500),) * 257,)),
        ("voices[0][0]", ((Segment(0.1, 500, release=0.0), Segment(0.1)),)),
        ("voices[0][1]", ((Segment(0.1, 500), Segment(0.1, 500, attack=0.005, release=0.0)),)),
        (
            "voices[0][0]",
            (
                (
                    Segment(0.1, 500, attack=0.0, release=0.0, peak=0.5),
                    Segment(0.1, 500, attack=0.0, release=0.0, peak=0.6),
                ),
            ),
        ),
    ],
)
def test_sounds_are_checked(field: str, voices: Any) -> None:
    with pytest.raises(InputError) as raised:
        Sound(name="bad", voices=voices)
    assert raised.value.field == field


@pytest.mark.parametrize("sound", [*SOUNDS.values(), *STANDARD_SIGNALS.values()], ids=lambda sound: sound.name)
def test_sounds_are_plain_data(sound: Sound) -> None:
    assert msgspec.json.decode(msgspec.json.encode(sound), type=Sound) == sound
    assert len(sound.rows()) == len(sound.voices)
    assert sound.text
