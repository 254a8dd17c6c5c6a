"""What a sound is made of: voices, which are cycles of segments. Data only; ``axcore.siren.Tone`` plays it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import msgspec

from axcore._native.siren import PARTIALS, SEGMENTS, SETS, VOICES
from axcore.errors import InputError

__all__ = ["Law", "Segment", "Sound", "Voice", "Wave"]

Wave = Literal["sine", "square", "saw", "triangle"]
Law = Literal["linear", "exponential"]
WAVES: Mapping[str, int] = {"sine": 0, "square": 1, "saw": 2, "triangle": 3}
LAWS: Mapping[str, int] = {"linear": 0, "exponential": 1}
OF_SET = 4
GRID_US = 10_000
SHORTEST_US, LONGEST_US = 1_000, 60_000_000
MAX_HZ = 23_520
MAX_AMPLITUDE = 1e6


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A piece of a voice: a steady or sweeping tone, or silence (``hz`` 0).

    With an attack it starts at phase and amplitude zero; with attack 0 it goes on where the segment before stopped,
    which then has release 0 and the same wave and peak. ``InputError`` names the field that is wrong.
    """

    seconds: float
    """0.001 to 60; times are kept to the microsecond."""
    hz: float = 0.0
    """Below 0.49 of the sample rate; frequencies are kept to the millihertz."""
    to_hz: float | None = None
    """Where a sweep ends; None: steady."""
    law: Law = "linear"
    attack: float = 0.005
    """Seconds, 0 or at least 0.001."""
    release: float = 0.005
    peak: float = 1.0
    """Largest amplitude, above 0; the loudest segments of all voices add up to 1 at most."""
    wave: Wave | tuple[float, ...] = "sine"
    """Or the amplitudes of up to 32 partials, of any scale."""
    decay: bool = False
    """Die away in the release like a struck thing (x^4) instead of evenly (3x^2 - 2x^3)."""

    def __post_init__(self) -> None:
        if not SHORTEST_US <= micro(self.seconds, "seconds") <= LONGEST_US:
            raise InputError("seconds", "must be 0.001 to 60")
        if self.silent:
            if self.to_hz:
                raise InputError("hz", "must not be 0 where to_hz is not")
            return
        for field, value in (("hz", self.hz), ("to_hz", self.end_hz)):
            if not 0.001 <= value < MAX_HZ:
                raise InputError(field, f"must be 0.001 to {MAX_HZ}, or 0 in both for silence")
        for field, value in (("attack", self.attack), ("release", self.release)):
            if 0 != micro(value, field) < SHORTEST_US:
                raise InputError(field, "must be 0 or at least 0.001: anything shorter clicks")
        if micro(self.attack, "attack") + micro(self.release, "release") > micro(self.seconds, "seconds"):
            raise InputError("attack", "attack and release together are longer than the segment")
        if not (0 < self.peak <= 1 and round(self.peak * 32768)):
            raise InputError("peak", "must be above 0, and 1 at most")
        if isinstance(self.wave, tuple):
            self._check_set(self.wave)

    @staticmethod
    def _check_set(wave: tuple[float, ...]) -> None:
        if not (1 <= len(wave) <= PARTIALS and any(wave)):
            raise InputError("wave", f"a set has 1 to {PARTIALS} partials, not all of them zero")
        if not all(abs(amplitude) <= MAX_AMPLITUDE for amplitude in wave):
            raise InputError("wave", f"amplitudes are {-MAX_AMPLITUDE:g} to {MAX_AMPLITUDE:g}")

    @property
    def silent(self) -> bool:
        """No tone."""
        return not self.hz

    @property
    def end_hz(self) -> float:
        """Frequency at the end."""
        return self.hz if self.to_hz is None else self.to_hz

    @property
    def ends(self) -> bool:
        """Amplitude zero at the end."""
        return self.silent or bool(self.release)

    @property
    def starts(self) -> bool:
        """Amplitude zero at the start."""
        return self.silent or bool(self.attack)


Voice = tuple[Segment, ...]


class Sound(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A sound: up to four voices together, each a cycle that repeats. ``InputError`` names the field that is wrong."""

    name: str
    text: str = ""
    voices: tuple[Voice, ...]
    source: str = ""
    """The standard or table that the timing is from, or who designed it."""
    timing_verified: bool | None = None
    """Whether a published table was read for it. None: a design of our own, there is nothing to compare with."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.voices) <= VOICES:
            raise InputError("voices", f"must be 1 to {VOICES}")
        if len(self.sets) > SETS:
            raise InputError("voices", f"have {len(self.sets)} different sets of partials; {SETS} at most")
        lengths = {_check_voice(f"voices[{i}]", voice) for i, voice in enumerate(self.voices)}
        if len(lengths) > 1 or lengths.pop() % GRID_US:
            raise InputError("voices", "must be equally long, a multiple of 0.01 s; lengthen a silence")
        loudest = [max((round(s.peak * 32768) for s in voice if not s.silent), default=0) for voice in self.voices]
        if sum(loudest) > 32768:
            raise InputError("voices", "are louder than 1 together; lower their peaks")

    @property
    def seconds(self) -> float:
        """Length of one cycle."""
        return sum(micro(segment.seconds, "seconds") for segment in self.voices[0]) / 1e6

    @property
    def sets(self) -> tuple[tuple[float, ...], ...]:
        """The different sets of partials, in order of appearance."""
        waves = (segment.wave for voice in self.voices for segment in voice if not segment.silent)
        return tuple(dict.fromkeys(wave for wave in waves if isinstance(wave, tuple)))

    def rows(self) -> list[list[tuple[int, ...]]]:
        """The segments in the units of the native program: us, mHz, peak of 32768."""
        sets = self.sets
        return [[_row(segment, sets) for segment in voice] for voice in self.voices]


def micro(seconds: float, field: str) -> int:
    """Microseconds."""
    if not math.isfinite(seconds) or seconds < 0:
        raise InputError(field, "must be a number of seconds, 0 or more")
    return round(seconds * 1e6)


def milli(hz: float) -> int:
    """Millihertz."""
    return round(hz * 1000)


def _check_voice(field: str, voice: Voice) -> int:
    """The length in microseconds."""
    if not 1 <= len(voice) <= SEGMENTS:
        raise InputError(field, f"must have 1 to {SEGMENTS} segments")
    for i, segment in enumerate(voice):
        after = voice[(i + 1) % len(voice)]
        if segment.ends != after.starts:
            raise InputError(f"{field}[{i}]", "clicks: where one side ends or starts in silence, the other must too")
        if not segment.ends and (segment.peak, segment.wave) != (after.peak, after.wave):
            raise InputError(f"{field}[{i}]", "clicks: wave and peak must stay as they are where the tone goes on")
    return sum(micro(segment.seconds, "seconds") for segment in voice)


def _row(segment: Segment, sets: tuple[tuple[float, ...], ...]) -> tuple[int, ...]:
    us = micro(segment.seconds, "seconds")
    if segment.silent:
        return (us, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    wave, number = (OF_SET, sets.index(segment.wave)) if isinstance(segment.wave, tuple) else (WAVES[segment.wave], 0)
    edges = micro(segment.attack, "attack"), micro(segment.release, "release")
    peak = round(segment.peak * 32768)
    return (us, milli(segment.hz), milli(segment.end_hz), *edges, peak, LAWS[segment.law], wave, number, segment.decay)
