"""The beeper of a reader: tones on the loudspeaker.

A worker plays them, because a sound card may take its time to be opened, and whoever wants a beep waits for nothing.
"""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from axcore.drivers.speaker import RATE, Loudspeaker

if TYPE_CHECKING:
    from axcore._native.siren import Generator

__all__ = ["Beeper"]

HZ = 2400
INTENSITY = 4
"""6 dB below full scale."""
Wanted = tuple[int, int] | None


class Beeper:
    """Of one loudspeaker. Any thread.

    Args:
        elsewhere: takes a beep (times in ms; 0, 0: none) that must not go to the loudspeaker now; whether it did.
    """

    def __init__(
        self, speaker: Loudspeaker, elsewhere: Callable[[int, int], bool] = lambda on_ms, off_ms: False
    ) -> None:
        self._speaker, self._elsewhere = speaker, elsewhere
        self._wanted: queue.SimpleQueue[Wanted | bool] = queue.SimpleQueue()
        self._worker: threading.Thread | None = None

    def sound(self, on_ms: int, off_ms: int) -> None:
        """Sound in turns of ``on_ms`` with ``off_ms`` of silence between (0: without end), in place of what sounds."""
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="beeper", daemon=True)
            self._worker.start()
        self._wanted.put((on_ms, off_ms))

    def silence(self) -> None:
        """No tone any more."""
        if self._worker is not None:
            self._wanted.put(None)

    def stop(self) -> None:
        """End the worker; before the loudspeaker."""
        if self._worker is not None:
            self._wanted.put(False)
            self._worker.join()
            self._worker = None

    def _work(self) -> None:
        while (wanted := self._wanted.get()) is not False:
            sound = wanted if isinstance(wanted, tuple) else None
            if not self._elsewhere(*(sound or (0, 0))):
                self._speaker.play(tone(*sound) if sound is not None else None, INTENSITY)


@functools.lru_cache(maxsize=8)
def tone(on_ms: int, off_ms: int) -> Generator:
    """The tone of a beep. Times are multiples of 10 ms."""
    from axcore.siren import Segment, Sound, Tone

    steady = Segment(seconds=1.0, hz=HZ, attack=0, release=0)
    beep = (Segment(seconds=on_ms / 1000, hz=HZ), Segment(seconds=off_ms / 1000)) if off_ms else (steady,)
    return Tone(Sound(name="Beep", voices=(beep,)), rate=RATE).generator
