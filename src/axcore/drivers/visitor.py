"""Somebody in front of a simulated door station: what he says is heard by its microphone.

The virtual room of a call (``drivers.sound``) takes 10 ms at a time and has room for 0.6 s. What is longer waits here
and is handed over by the board's thread, which does nothing in between.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from axcore.drivers.desk import RATE
from axcore.errors import AxError, ConflictError, LimitError, QueueFullError

if TYPE_CHECKING:
    from axcore.drivers.simulator import Scheduler
    from axcore.drivers.sound import Sound

FRAME: Final = 2 * RATE // 100
"""Bytes of 10 ms, 16 bits."""
MOST_FRAMES: Final = 6_000
"""A minute may wait."""
AGAIN_S: Final = 0.2


class Visitor:
    """See the module's text. Any thread.

    Args:
        sound: that of the device, while it is open.
        scheduler: the board's thread.
    """

    def __init__(self, sound: Callable[[], Sound | None], scheduler: Scheduler) -> None:
        self._sound, self._scheduler = sound, scheduler
        self._lock = threading.Lock()
        self._frames: deque[bytes] = deque()
        """While there are any, the board's thread will take them."""

    def say(self, samples: bytes) -> float:
        """Say ``samples`` (16 bits, one channel, 16 kHz), after what is being said; seconds until it is over.

        ConflictError: the microphone is off. LimitError: more than a minute waits.
        """
        if self._sound() is None:
            raise ConflictError("op", "the microphone is off: there is no call, and nobody listens")
        frames = [samples[at : at + FRAME].ljust(FRAME, b"\0") for at in range(0, len(samples), FRAME)]
        with self._lock:
            if len(self._frames) + len(frames) > MOST_FRAMES:
                raise LimitError("samples", f"at most {MOST_FRAMES // 100} s may wait; say the rest later")
            begins = not self._frames
            self._frames.extend(frames)
            waiting = len(self._frames) / 100
        if begins:
            self._scheduler.later(0, self._talk)
        return waiting

    def _talk(self) -> None:
        """Hand over what there is room for; what nobody listens to any more is not said."""
        sound = self._sound()
        with self._lock:
            try:
                while self._frames and sound is not None:
                    sound.talk(memoryview(self._frames[0]).cast("h"))
                    self._frames.popleft()
            except QueueFullError:
                pass
            except AxError:  # the call has just ended
                sound = None
            if sound is None:
                self._frames.clear()
            again = bool(self._frames)
        if again:
            self._scheduler.later(AGAIN_S, self._talk)
