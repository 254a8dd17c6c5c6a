"""The 29 sound patterns of the strobe siren (manual: Sound pattern names): our own designs under its names.

Every frequency is below 3.9 kHz, so that all of them can be rendered at 8 kHz.
"""

from __future__ import annotations

from collections.abc import Mapping

from axcore.siren.program import Segment, Sound, Voice
from axcore.siren.shorthand import OWN, beep, glide, pulses, rest, rise, steps, strike

__all__ = ["SOUNDS"]

BELL = (1.0, 0.45, 0.2, 0.1)
CHIME = (1.0, 0.0, 0.25, 0.0, 0.06)
REED = (1.0, 0.7, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1)
BUZZ = (1.0, 0.5, 0.6, 0.35, 0.4, 0.2, 0.25, 0.15, 0.1)


def _sound(name: str, text: str, *voices: Voice) -> Sound:
    return Sound(name=name, text=text, voices=voices, source=OWN)


def _soft(hz: float) -> Segment:
    return beep(hz, 0.11, attack=0.04, release=0.05, peak=0.6)


def _ringing(hz: float, peak: float) -> Voice:
    """A hammer, 25 strokes of 0.08 s, then a pause in which the last one rings out."""
    return (strike(hz, 0.08, peak),) * 25 + (strike(hz, 0.6, peak), rest(0.2))


def _ticks(hz: float, gaps: tuple[float, ...]) -> Voice:
    tick = beep(hz, 0.04, attack=0.002, release=0.02, wave="triangle")
    return tuple(segment for gap in gaps for segment in (tick, rest(gap)))


def _chirps() -> Voice:
    up, down = rise(2100, 3600, 0.07, attack=0.02, release=0.02), rise(3500, 2300, 0.09, attack=0.02, release=0.03)
    trill = (rise(2600, 3300, 0.04, attack=0.01, release=0.01), rest(0.02)) * 4
    return (up, rest(0.03), down, rest(0.17), *trill, rest(0.14), up, rest(0.05), down, rest(0.66))


def _bounces() -> Voice:
    """Hops that become shorter, as of a ball."""
    hops = (0.4, 0.32, 0.26, 0.2, 0.16, 0.12, 0.1, 0.08)
    return tuple(
        s for length in hops for s in glide((600, length / 2), (600 + 2000 * length, length / 2), wave="triangle")
    )


_ALL = (
    _sound("Alarm: Alarm high pitch", "two high tones in quick turns", steps((2500, 0.12), (3100, 0.12))),
    _sound(
        "Alarm: Alarm low pitch",
        "two low, rough tones in turns",
        steps((392, 0.25), (523, 0.25), wave="square", peak=0.8),
    ),
    _sound("Alarm: Bird", "chirps and a trill", _chirps()),
    _sound(
        "Alarm: Boat horn",
        "a low chord, blown for two seconds",
        *((beep(hz, 2.0, attack=0.12, release=0.25, wave=REED, peak=0.33), rest(1.0)) for hz in (110.0, 138.6, 164.8)),
    ),
    _sound("Alarm: Car alarm", "up and down in 1.2 s", glide((600, 0.6), (1500, 0.6), wave="triangle")),
    _sound(
        "Alarm: Car alarm fast", "up and down six times a second", glide((700, 0.08), (1600, 0.08), wave="triangle")
    ),
    _sound(
        "Alarm: Classic clock",
        "a hammer between two bells",
        _ringing(1245, 0.45),
        _ringing(2637, 0.3),
        _ringing(3466, 0.2),
    ),
    _sound(
        "Alarm: First attender",
        "a wail, then quick yelps",
        glide((500, 1.5), (1350, 1.5), (500, 0.15), (1350, 0.15), (500, 0.15), (1350, 0.15), (500, 0.15), (1350, 0.15)),
    ),
    _sound(
        "Alarm: Horror",
        "tones that slide against each other",
        glide((220, 2.0), (233, 1.0), (208, 1.0), wave="saw", peak=0.3),
        glide((311, 1.0), (330, 2.0), (294, 1.0), wave="saw", peak=0.3),
        glide((880, 0.5), (1245, 1.5), (932, 0.5), (740, 1.5), wave="triangle", peak=0.25),
    ),
    _sound(
        "Alarm: Industrial",
        "a buzzer with a slow beat",
        (beep(320, 0.8, wave=BUZZ, peak=0.5), rest(0.4)),
        (beep(326, 0.8, wave=BUZZ, peak=0.5), rest(0.4)),
    ),
    _sound("Alarm: Single beep", "one beep in two seconds", (beep(1000, 0.2), rest(1.8))),
    _sound("Alarm: Soft quad beep", "four soft beeps", pulses(4, _soft(830), 0.09, 1.13)),
    _sound("Alarm: Soft triple beep", "three soft beeps", pulses(3, _soft(740), 0.09, 1.23)),
    _sound("Alarm: Triple high pitch", "three high beeps", pulses(3, beep(3000, 0.12), 0.08, 0.68)),
    _sound(
        "Notification: Accepted",
        "two notes, up a fifth",
        (strike(659.26, 0.18, 0.8, CHIME), strike(987.77, 0.52, 0.8, CHIME), rest(0.8)),
    ),
    _sound(
        "Notification: Calling",
        "a warbling ring and a pause",
        (
            *(segment for _ in range(20) for segment in (beep(784, 0.025, peak=0.8), beep(988, 0.025, peak=0.8))),
            rest(2.0),
        ),
    ),
    _sound(
        "Notification: Denied",
        "two low, rough notes",
        (beep(196, 0.16, wave=BUZZ, peak=0.8), rest(0.06), beep(185, 0.32, wave=BUZZ, peak=0.8), rest(0.96)),
    ),
    _sound(
        "Notification: Done",
        "a major chord, note by note",
        (
            *(strike(hz, 0.12, 0.7, CHIME) for hz in (523.25, 659.26, 783.99)),
            strike(1046.5, 0.64, 0.7, CHIME),
            rest(1.0),
        ),
    ),
    _sound(
        "Notification: Entry",
        "a door chime: two notes, the second a third lower",
        (strike(659.26, 0.5, 0.8, BELL), strike(523.25, 1.0, 0.8, BELL), rest(1.0)),
    ),
    _sound(
        "Notification: Failed",
        "three notes down",
        (
            *(beep(hz, 0.18, wave="triangle", peak=0.8) for hz in (440, 370)),
            beep(294, 0.44, wave="triangle", peak=0.8),
            rest(1.2),
        ),
    ),
    _sound(
        "Notification: Hurry",
        "ticks that come faster and faster",
        _ticks(1760, (0.21, 0.19, 0.17, 0.15, 0.13, 0.11, 0.09, 0.07, 0.06, 0.06, 0.06, 0.06)),
    ),
    _sound(
        "Notification: Message",
        "two short, high notes",
        (strike(1318.5, 0.09, 0.7, CHIME), strike(1760, 0.41, 0.7, CHIME), rest(1.5)),
    ),
    _sound("Notification: Next", "one chime", (strike(880, 0.8, 0.8, BELL), rest(1.2))),
    _sound(
        "Notification: Open",
        "a glide up and a note",
        (rise(392, 784, 0.25, attack=0.02, release=0.02, peak=0.7), strike(1046.5, 0.55, 0.7, CHIME), rest(1.2)),
    ),
    _sound("Siren: Alternate", "two tones in turns", steps((650, 0.5), (870, 0.5), wave="triangle")),
    _sound("Siren: Bouncy", "hops that become shorter", _bounces()),
    _sound(
        "Siren: Evac",
        "three rising calls and a pause, in the rhythm of ISO 8201",
        pulses(3, rise(620, 980, 0.5, attack=0.01, release=0.02, wave="triangle"), 0.5, 1.5),
    ),
    _sound(
        "Siren: Falling pitch",
        "down again and again",
        (rise(1500, 500, 0.98, attack=0.01, release=0.03, wave="triangle"), rest(0.02)),
    ),
    _sound(
        "Siren: Home soft",
        "two soft notes, for a house at night",
        (
            *(beep(523.25, 0.6, attack=0.15, release=0.2, peak=0.5), rest(0.1)),
            *(beep(659.26, 0.6, attack=0.15, release=0.2, peak=0.5), rest(0.7)),
        ),
    ),
)

SOUNDS: Mapping[str, Sound] = {sound.name: sound for sound in _ALL}
"""By name, in the order of the manual."""
