"""The clips that a device is delivered with: made of our own tones when they are played, so that they take no disk."""

from __future__ import annotations

from array import array
from typing import Final

RATE: Final = 48_000
Segments = tuple[tuple[float, tuple[float, ...]], ...]

TONES: Final[dict[str, tuple[str, Segments]]] = {
    "ring": (
        "Ring tone",
        (*((0.04, (950.0,)), (0.04, (1200.0,))) * 12, (1.0, ())),
    ),
    "ringback": ("Ringback tone", ((1.0, (425.0,)), (4.0, ()))),
    "chime": ("Door chime", ((0.45, (660.0, 1320.0)), (0.05, ()), (0.8, (523.25, 1046.5)))),
    "beep": ("Beep", ((0.2, (1000.0,)), (0.1, ()))),
    "alert": ("Alert", ((0.15, (880.0,)), (0.1, ()), (0.15, (880.0,)), (0.1, ()), (0.15, (880.0,)), (0.6, ()))),
}
"""By source: name as delivered, and seconds and hertz. The ringback is the cadence of ETSI TR 101 041."""
LEVEL_DBM0: Final = -9.0


def seconds(tone: str) -> float:
    """Length of a tone."""
    return round(sum(length for length, _ in TONES[tone][1]), 3)


def render(tone: str) -> array[int]:
    """Samples of a tone at 48 kHz; ValueError for one that this release does not have."""
    from axcore.audio.tones import Tone

    if tone not in TONES:
        raise ValueError(f"there is no tone {tone[:40]!r} in this release")
    return Tone(TONES[tone][1], RATE, level_dbm0=LEVEL_DBM0).samples()
