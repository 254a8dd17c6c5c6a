"""The loudspeaker and the microphone of a door station: a pipeline, a sound card, and the native thread that runs them.

No Python runs for a frame. What the thread tells (keys, talk, ends of clips) waits in the pipeline until somebody reads
it; ``events_fd`` becomes readable then. Any thread may call, but start and stop are the owner's.
"""

from __future__ import annotations

import errno
import logging
from typing import Any

import msgspec

from axcore._native.audio_thread import AudioThread, Card
from axcore.audio import Pipeline, PipelineEvent, PipelineStats, Room

log = logging.getLogger(__name__)

FIFO_PRIORITY = 12
"""Before the sounds of a siren, behind the I/O thread."""
RECORDS = 4096
"""41 s of what a simulated card played."""


class ThreadStats(msgspec.Struct, frozen=True, kw_only=True):
    """Of the audio thread; each rises only, but for the last two."""

    ticks: int
    xruns: int
    """How often the card ran over or dry."""
    card_errors: int
    """Ticks without the card."""
    late: int
    """Steps that took longer than 10 ms."""
    busy_ns: int
    worst_ns: int
    last_ns: int


def open_alsa(rate: int, speaker: str, microphone: str, *, library: str | None = None) -> Card:
    """A sound card by ALSA's names of the PCMs that play and record (``default``, ``hw:0``).

    Raises:
        OSError: it cannot be opened; ``strerror`` says why, ``ELIBACC``: ALSA is not installed.
    """
    return Card.alsa(rate, speaker, microphone, library)


def open_room(room: Room, *, records: int = RECORDS) -> Card:
    """A simulated card in a virtual room."""
    return Card.in_room(room.core, records)


class Sound:
    """The sound of one device.

    Args:
        pipeline: what is computed.
        card: where sound comes from and goes to; of the pipeline's rate (else RangeError).
    """

    def __init__(self, pipeline: Pipeline, card: Card) -> None:
        self.pipeline = pipeline
        self.card = card
        self._thread = AudioThread(pipeline.core, card, FIFO_PRIORITY)

    @classmethod
    def open(
        cls, pipeline: Pipeline, speaker: str, microphone: str, *, library: str | None = None, room: Room | None = None
    ) -> Sound:
        """With a card by ALSA. Where it cannot be opened, in ``room`` (None: a silent one): calls work in silence."""
        try:
            return cls(pipeline, open_alsa(pipeline.rate, speaker, microphone, library=library))
        except OSError as error:
            if error.errno in (errno.ENOMEM, errno.EMFILE, errno.ENFILE):
                raise
            log.error("there is no sound: the sound card cannot be opened: %s", error.strerror)
            silent = Room(pipeline.rate, rt60_ms=0, echo_db=-100, noise_db=-100)
            return cls(pipeline, open_room(room or silent))

    def start(self) -> None:
        """Start the native thread. StateError: the pipeline is stepped already."""
        self._thread.start()

    def stop(self) -> None:
        """End it. Again: no effect; it may be started again."""
        self._thread.stop()

    @property
    def thread(self) -> AudioThread:
        """The native object."""
        return self._thread

    @property
    def packets_fd(self) -> int:
        """An eventfd that is readable when legs have packets to send."""
        return self._thread.packets_fd

    @property
    def events_fd(self) -> int:
        """An eventfd that is readable when ``events`` has something."""
        return self._thread.events_fd

    def events(self) -> list[PipelineEvent]:
        """What happened since the last call."""
        return self.pipeline.events()

    def talk(self, frame: Any) -> None:
        """Somebody says 10 ms (int16) in the room of a simulated card. QueueFullError: 64 frames wait."""
        self.card.talk(frame)

    @property
    def stats(self) -> PipelineStats:
        """Levels, delays, echo, legs."""
        return self.pipeline.stats

    @property
    def thread_stats(self) -> ThreadStats:
        """Ticks, overruns, time."""
        return ThreadStats(**self._thread.counters())
