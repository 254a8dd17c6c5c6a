"""Siren sounds, usable without the runtime: the patterns of the device, standard signals, and your own.

    >>> from array import array
    >>> from axcore.siren import SOUNDS, Tone
    >>> tone = Tone("Siren: Evac", rate=16000, repetitions=2)
    >>> block = array("h", bytes(2 * 320))
    >>> tone.render(0, block)
    320
    >>> len(SOUNDS)
    29

Positions are samples since the sound began; there is no state between calls.
"""

from axcore._native.siren import INTENSITIES, INTENSITY_DB, Clip

from .program import Segment, Sound
from .sounds import SOUNDS
from .standards import STANDARD_SIGNALS
from .tone import MAX_SECONDS, RATES, Tone, find

__all__ = [
    "INTENSITIES",
    "INTENSITY_DB",
    "MAX_SECONDS",
    "RATES",
    "SOUNDS",
    "STANDARD_SIGNALS",
    "Clip",
    "Segment",
    "Sound",
    "Tone",
    "find",
]
