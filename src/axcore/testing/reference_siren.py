"""Siren tones in plain Python, written from their description: slow, and hard to get wrong.

Phases are exact fractions (the length of an exponential sweep comes from 50 decimal digits), the rest is float64.
``axcore.siren.Tone`` is compared with this in ``tests/property/``: not more than rounding lies between them.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache

from axcore.siren.program import Segment, Sound, Voice, micro, milli

__all__ = ["intensity_gain", "reference", "steepest"]

TOP = 0.49
PARTIALS = 32
FADE = 0.005


def reference(
    sound: Sound, rate: int, pos: int, count: int, *, intensity: int = 5, end: int | None = None
) -> list[float]:
    """``count`` samples from position ``pos`` on; full scale is 1."""
    voices = [_Voice(voice, rate) for voice in sound.voices]
    gain = intensity_gain(intensity)
    fade = _samples(FADE, rate)
    out = []
    for at in range(pos, pos + count):
        value = sum(voice.sample(at) for voice in voices) * gain
        left = fade + 1 if end is None else max(end - at, 0)
        out.append(value * (_smooth((left - 0.5) / fade) if 0 < left <= fade else bool(left)))
    return out


def intensity_gain(intensity: int) -> float:
    """6 dB a level; 5 is full scale, 0 nothing."""
    return 10 ** (-6 * (5 - intensity) / 20) if intensity else 0.0


def steepest(sound: Sound, rate: int) -> float:
    """The largest step between two samples that the sound itself can make; a click is more."""
    total = 0.0
    for voice in sound.voices:
        steps = [0.0]
        for segment, amplitudes in zip(voice, _Voice(voice, rate).waves, strict=True):
            if segment.silent:
                continue
            hz = max(segment.hz, segment.end_hz)
            slope = sum(abs(a) * min(2.0, math.tau * k * hz / rate) for k, a in enumerate(amplitudes, 1))
            edges = [1.5 / (edge * rate) for edge in (segment.attack, segment.release) if edge] or [0.0]
            steepest_edge = max(edges) * (4 / 1.5 if segment.decay else 1)
            steps.append(segment.peak * (slope + steepest_edge))
        total += max(steps)
    return total + (1.5 / (FADE * rate))


@dataclass(frozen=True)
class _Placed:
    """A segment in the cycle: first sample, samples, cycles before it since the phase was last zero."""

    segment: Segment
    begin: int
    n: int
    before: Fraction


class _Voice:
    """One voice at a sample rate."""

    def __init__(self, voice: Voice, rate: int) -> None:
        self.rate = rate
        top = max((max(milli(s.hz), milli(s.end_hz)) for s in voice if not s.silent), default=1)
        self.waves = [() if s.silent else _amplitudes(s.wave, rate, top) for s in voice]
        ends = itertools.accumulate((micro(segment.seconds, "seconds") for segment in voice), initial=0)
        marks = [_samples(us / 1e6, rate) for us in ends]
        self.cycle = marks[-1]
        self.anew = any(segment.starts for segment in voice)
        before = [Fraction(0)] * len(voice)
        phase = Fraction(0)
        for _ in range(2 if self.anew else 1):
            for i, segment in enumerate(voice):
                phase = Fraction(0) if segment.starts else phase
                before[i] = phase
                phase += _length(segment, marks[i + 1] - marks[i], rate)
        self.advance = Fraction(0) if self.anew else phase
        self.placed = [_Placed(s, marks[i], marks[i + 1] - marks[i], before[i]) for i, s in enumerate(voice)]

    def sample(self, pos: int) -> float:
        cycle, at = divmod(pos, self.cycle)
        index = max(i for i, placed in enumerate(self.placed) if placed.begin <= at)
        placed = self.placed[index]
        segment = placed.segment
        if segment.silent:
            return 0.0
        phase = placed.before + self.advance * cycle + _phase(segment, placed.n, at - placed.begin, self.rate)
        turn = math.tau * float(phase % 1)
        value = sum(a * math.sin(k * turn) for k, a in enumerate(self.waves[index], 1) if a)
        if not self.placed[0].segment.starts and pos < (fade := _samples(FADE, self.rate)):
            value *= _smooth((pos + 0.5) / fade)
        return value * round(segment.peak * 32768) / 32768 * self._shape(segment, placed.n, at - placed.begin)

    def _shape(self, segment: Segment, n: int, at: int) -> float:
        attack, release = (_samples(seconds, self.rate) for seconds in (segment.attack, segment.release))
        gain = _smooth((at + 0.5) / attack) if at < attack else 1.0
        if at >= n - release:
            left = (n - at - 0.5) / release
            gain *= left**4 if segment.decay else _smooth(left)
        return gain


def _samples(seconds: float, rate: int) -> int:
    """To the nearest; halves go up."""
    return (micro(seconds, "") * rate * 2 + 1_000_000) // 2_000_000


def _smooth(x: float) -> float:
    return x * x * (3 - 2 * x)


def _exponential(segment: Segment) -> bool:
    return segment.law == "exponential" and milli(segment.hz) != milli(segment.end_hz)


@cache
def _length(segment: Segment, n: int, rate: int) -> Fraction:
    """Cycles of a whole segment."""
    if segment.silent:
        return Fraction(0)
    if not _exponential(segment):
        return _phase(segment, n, n, rate)
    with localcontext(prec=50):
        low, high = Decimal(milli(segment.hz)), Decimal(milli(segment.end_hz))
        cycles = (high - low) * n / (1000 * rate) / (high / low).ln()
        return Fraction(int((cycles * 2**32).to_integral_value()), 2**32)


def _phase(segment: Segment, n: int, at: int, rate: int) -> Fraction:
    """Cycles since the start of a segment of n samples: the integral of the frequency."""
    low, high = milli(segment.hz), milli(segment.end_hz)
    if not _exponential(segment):
        return Fraction(2 * n * low * at + (high - low) * at * at, 2 * n * 1000 * rate)
    bend = math.log(high / low)
    return _length(segment, n, rate) * Fraction(math.expm1(bend * at / n) / math.expm1(bend))


@cache
def _amplitudes(wave: str | tuple[float, ...], rate: int, top_mhz: int) -> tuple[float, ...]:
    """Partials below 0.49 of the rate; the peak of their sum is 1."""
    n = 1 if wave == "sine" else min(PARTIALS, int(TOP * rate * 1000 / top_mhz))
    if isinstance(wave, tuple):
        found = [*wave, *[0.0] * PARTIALS][:n]
    else:
        found = [_partial(wave, k, n) for k in range(1, n + 1)]
    while not found[-1]:
        found.pop()
    if len(found) == 1:
        return (math.copysign(1.0, found[0]),)
    points = (math.tau * i / 4096 for i in range(4096))
    peak = max(abs(sum(a * math.sin(k * x) for k, a in enumerate(found, 1))) for x in points) * 1.0005
    return tuple(a / peak for a in found)


def _partial(wave: str, k: int, n: int) -> float:
    taper = math.sin(math.pi * k / (n + 1)) / (math.pi * k / (n + 1))
    if wave == "sine":
        return 1.0
    if wave == "saw":
        return taper / k
    if k % 2 == 0:
        return 0.0
    return taper / k if wave == "square" else (-1.0) ** (k // 2) / k**2
