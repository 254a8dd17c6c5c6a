"""Layouts: where the LEDs of a light are. Patterns know positions only, so that one catalogue serves every device."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from typing import NamedTuple

from axcore._native.led import MAX, MAX_SECTIONS, Lights
from axcore.errors import InputError

__all__ = ["Layout", "Place"]

_RECORD = struct.Struct("=IIII")
_TURN = 2**32
_HALF = 2**31


class Place(NamedTuple):
    """Where an LED is."""

    turn: float
    """Angle in turns, clockwise from the top, 0 .. 1; on a strip the position along it."""
    x: float
    """Left to right, 0 .. 1."""
    y: float
    """Top to bottom, 0 .. 1."""
    section: int
    """Sections are numbered from 0; LEDs are listed section by section."""


class Layout:
    """The LEDs of a light, fixed. ``InputError`` names what is wrong with a place.

    >>> Layout.siren()
    Layout('siren', 144 LEDs in 12 sections)
    """

    __slots__ = ("_records", "name", "places", "sections")

    def __init__(self, name: str, places: Iterable[Place]) -> None:
        self.name = name
        self.places = tuple(places)
        if not 1 <= len(self.places) <= MAX:
            raise InputError("places", f"a layout has 1 .. {MAX} LEDs, this one {len(self.places)}")
        before = 0
        for index, place in enumerate(self.places):
            if not all(0.0 <= value <= 1.0 for value in place[:3]):
                raise InputError(f"places[{index}]", "turn, x and y are 0 .. 1")
            if place.section not in (before, before + (index > 0)) or place.section >= MAX_SECTIONS:
                raise InputError(f"places[{index}].section", f"list sections in order, 0 .. {MAX_SECTIONS - 1} at most")
            before = place.section
        self.sections = before + 1
        self._records = b"".join(
            _RECORD.pack(round(p.turn * _TURN) % _TURN, round(p.x * _HALF), round(p.y * _HALF), p.section)
            for p in self.places
        )

    def __len__(self) -> int:
        return len(self.places)

    def __repr__(self) -> str:
        return f"Layout({self.name!r}, {len(self)} LEDs in {self.sections} sections)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layout) and other._records == self._records

    def __hash__(self) -> int:
        return hash(self._records)

    @property
    def records(self) -> bytes:
        """What the kernel takes: four uint32 an LED (``ax_led_place``)."""
        return self._records

    def lights(self) -> Lights:
        """The native layout; belongs to one thread."""
        return Lights(self._records)

    @classmethod
    def ring(cls, count: int, sections: int = 1, name: str = "ring") -> Layout:
        """LEDs on a circle, clockwise from the top."""
        return cls(name, (_on_circle((i + 0.5) / count, i * sections // count) for i in range(count)))

    @classmethod
    def strip(cls, count: int, sections: int = 1, name: str = "strip") -> Layout:
        """LEDs on a line, left to right. What moves up and down elsewhere moves between the middle and both ends."""
        along = ((i + 0.5) / count for i in range(count))
        return cls(name, (Place(x, x, abs(2 * x - 1), i * sections // count) for i, x in enumerate(along)))

    @classmethod
    def siren(cls) -> Layout:
        """The strobe siren's face: 12 sections of 12 LEDs around it. Three of them make maintenance's triangle."""
        return cls.ring(144, 12, "siren")

    @classmethod
    def call_button(cls) -> Layout:
        """The built-in light around a door station's call button."""
        return cls.ring(12, 4, "call button")

    @classmethod
    def stripe(cls) -> Layout:
        """A door station's card reader indicator stripe."""
        return cls.strip(8, 1, "stripe")

    @classmethod
    def icons(cls) -> Layout:
        """A door station's indicator icons: call, talk, door."""
        return cls.strip(3, 3, "icons")

    @classmethod
    def lamp(cls) -> Layout:
        """A single LED: status, one icon."""
        return cls.strip(1, 1, "lamp")


def _on_circle(turn: float, section: int) -> Place:
    angle = 2 * math.pi * turn
    return Place(turn, (1 + math.sin(angle)) / 2, (1 - math.cos(angle)) / 2, section)
