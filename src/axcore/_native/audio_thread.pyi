"""Sound cards and the audio thread. The face for devices is ``axcore.drivers.sound``.

Units: ns of CLOCK_MONOTONIC; 16-bit samples. Source: ``ax/card.h``, ``ax/audio_thread.h``.
"""

from typing import Any, final

from axcore._native.pipeline import Pipeline, Room

@final
class Card:
    """Made by ``in_room`` or ``alsa``."""

    @staticmethod
    def in_room(room: Room, records: int = 64) -> Card:
        """A simulated card; ``records`` frames, a power of two, stay in the capture."""

    @staticmethod
    def alsa(rate: int, speaker: str, microphone: str, library: str | None = None) -> Card:
        """OSError: it cannot be opened (ELIBACC: there is no ALSA)."""

    def talk(self, frame: Any) -> None:
        """Somebody says 10 ms in the room. QueueFullError: 64 frames wait; StateError: not in a room."""

    @property
    def fd(self) -> int:
        """The memfd of what a simulated card played; -1: there is none."""

    @property
    def rate(self) -> int: ...
    @property
    def frame(self) -> int: ...

@final
class AudioThread:
    """Steps a pipeline by the clock of a card. StateError: the card has a thread."""

    def __new__(cls, pipeline: Pipeline, card: Card, fifo_priority: int = 0) -> AudioThread: ...
    def start(self) -> None:
        """StateError: the pipeline is stepped already."""

    def stop(self) -> None: ...
    @property
    def packets_fd(self) -> int:
        """An eventfd: legs completed packets. Belongs to the thread."""

    @property
    def events_fd(self) -> int:
        """An eventfd: the pipeline has events."""

    def counters(self) -> dict[str, int]: ...
