"""What the clip service needs of a loudspeaker. ``drivers.speaker`` gives it."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Protocol

Load = Callable[[], "array[int]"]
"""Gives the samples: 16 bits, one channel, 48 kHz. OSError or ValueError: it cannot."""


class Player(Protocol):
    """Called by effects of the ledger thread; neither call waits for a disk or a sound card."""

    def play_clip(
        self, load: Load, gain: float, times: int, failed: Callable[[str], None], *, to_call: bool = False
    ) -> None:
        """Play what ``load`` gives ``times`` times (0: until stopped), in place of another clip, on top of a tone.

        ``failed`` is told, by another thread, why it could not be played. ``to_call``: to the far side of a call too.
        """

    def stop_clip(self) -> None:
        """No clip any more; a tone goes on."""


class NoPlayer:
    """No loudspeaker: tests."""

    def play_clip(
        self, load: Load, gain: float, times: int, failed: Callable[[str], None], *, to_call: bool = False
    ) -> None:
        """Nothing plays it."""

    def stop_clip(self) -> None:
        """Nothing played."""
