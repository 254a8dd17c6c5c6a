"""The few phrases in which the tables of sounds are written."""

from __future__ import annotations

from typing import Any

from axcore.siren.program import Law, Segment, Voice, Wave

OWN = "our own design; the manual gives the name only (Sound pattern names)"
EDGE = 0.005


def beep(hz: float, seconds: float, **shape: Any) -> Segment:
    """A steady tone that starts and ends softly."""
    return Segment(seconds, hz, **shape)


def rest(seconds: float) -> Segment:
    """Silence."""
    return Segment(seconds)


def rise(hz: float, to_hz: float, seconds: float, **shape: Any) -> Segment:
    """A sweep by equal ratios, as the ear hears it even, that starts and ends softly."""
    return Segment(seconds, hz, to_hz, **{"law": "exponential", **shape})


def strike(hz: float, seconds: float, peak: float, wave: Wave | tuple[float, ...] = "sine") -> Segment:
    """A struck bar or bell: it dies away over all its length."""
    return Segment(seconds, hz, attack=0.002, release=seconds - 0.002, decay=True, peak=peak, wave=wave)


def glide(*points: tuple[float, float], law: Law = "exponential", wave: Wave = "sine", peak: float = 1.0) -> Voice:
    """One tone without a break, round and round: each (hz, seconds) goes to the next, the last to the first."""
    ends = [hz for hz, _ in points[1:]] + [points[0][0]]
    return tuple(
        Segment(seconds, hz, to, law, 0.0, 0.0, peak, wave) for (hz, seconds), to in zip(points, ends, strict=True)
    )


def steps(*notes: tuple[float, float], wave: Wave = "sine", peak: float = 1.0) -> Voice:
    """Steady tones that follow each other without a break, (hz, seconds) each."""
    return tuple(Segment(seconds, hz, attack=0.0, release=0.0, peak=peak, wave=wave) for hz, seconds in notes)


def pulses(count: int, tone: Segment, gap: float, last: float) -> Voice:
    """``count`` times a tone and ``gap`` seconds of silence; the last one is ``last`` seconds long."""
    return (tone, rest(gap)) * (count - 1) + (tone, rest(last))
