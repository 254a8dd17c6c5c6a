"""What the siren service needs of its light and its loudspeaker. The native I/O thread and the sound thread give it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from axcore.led import Pattern


class Sound(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be heard: a sound of the catalogue from ``epoch_ns`` (monotonic) on."""

    pattern: str
    intensity: int
    epoch_ns: int


class Signal(Protocol):
    """The outputs. Called by effects of the ledger thread; a newer call replaces what an older one asked for."""

    def show(self, pattern: Pattern | None) -> None:
        """Show a pattern (None: dark) from now on; its phase counts from its epoch."""

    def play(self, sound: Sound | None) -> None:
        """Play a sound (None: silence) from now on."""

    def light_seen(self) -> Sequence[float]:
        """Light of each section as a sensor sees it now, 0..1."""

    def sound_heard(self) -> float:
        """Loudness as a microphone hears it now, 0..1 of full scale (RMS)."""


class NoSignal:
    """Outputs that are not there: a device without a light and a siren, and tests."""

    def show(self, pattern: Pattern | None) -> None:
        """Nothing shows it."""

    def play(self, sound: Sound | None) -> None:
        """Nothing plays it."""

    def light_seen(self) -> Sequence[float]:
        return ()

    def sound_heard(self) -> float:
        return 0.0
