"""Audio that comes and goes over the network without a call: partners at the pipeline that are no telephones.

    with streams.talk("PCMU") as talk:       # QueueFullError: somebody talks already
        talk.offer(payload)                  # 20 ms
    with streams.listen("PCMU") as listen:
        payloads = listen.take()

Payloads are as in RFC 3551. Codecs and jitter buffers are those of calls (``axcore.audio.Leg``); the sound card opens
with the first partner and closes after the last one. Any thread may call; a partner belongs to one.
"""

from __future__ import annotations

import threading
from time import monotonic_ns
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol

from axcore.drivers.desk import RATE
from axcore.errors import QueueFullError

if TYPE_CHECKING:
    from collections.abc import Callable

    from axcore.audio import Leg
    from axcore.drivers.desk import Desk

__all__ = ["MAX_LISTENERS", "AudioStreams", "Listener", "Talker"]

MAX_LISTENERS: Final = 3
"""With who talks, two seats of the pipeline are left for a call."""
PACKET_MS: Final = 20
MAX_DELAY_MS: Final = 300


class Card(Protocol):
    """Who has the pipeline (``drivers.call_media``)."""

    desk: Desk

    def do(self, job: Callable[[], None]) -> object:
        """Run a job in the thread of calls."""

    def free_seat(self) -> int:
        """A seat of the pipeline that nobody has. QueueFullError."""


class _Partner:
    """Somebody at the pipeline."""

    def __init__(self, card: Card, leg: Leg, closed: Callable[[], None]) -> None:
        self._card, self._leg, self._closed = card, leg, closed
        self._open = True
        card.do(lambda: card.desk.sit(leg, card.free_seat()))

    def close(self) -> None:
        """Leave. Again: no effect."""
        if self._open:
            self._open = False
            self._card.do(lambda: self._card.desk.leave(self._leg))
            self._closed()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Talker(_Partner):
    """Who is heard in the loudspeaker."""

    def __init__(self, card: Card, leg: Leg, closed: Callable[[], None]) -> None:
        super().__init__(card, leg, closed)
        self._sequence = self._timestamp = 0
        self.dropped = 0
        """Packets for which there was no room."""

    def __enter__(self) -> Talker:
        return self

    def offer(self, payload: bytes) -> None:
        """The next 20 ms; dropped, and counted, when the sound card does not keep up."""
        sequence, timestamp = self._sequence, self._timestamp
        self._sequence = (sequence + 1) & 0xFFFF
        self._timestamp = (timestamp + self._leg.ticks) & 0xFFFFFFFF
        try:
            self._leg.offer(payload, monotonic_ns(), sequence=sequence, timestamp=timestamp, marker=not sequence)
        except QueueFullError:
            self.dropped += 1


class Listener(_Partner):
    """Who hears the microphone."""

    def __enter__(self) -> Listener:
        return self

    def take(self) -> list[bytes]:
        """What was said since the last time, in pieces of 20 ms; 32 are kept."""
        found = []
        while (packet := self._leg.take()) is not None:
            found.append(packet[1])
        return found


class AudioStreams:
    """See the module's text."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self._lock = threading.Lock()
        self._talking = False
        self._listeners = 0

    @property
    def talking(self) -> bool:
        """Whether somebody talks."""
        return self._talking

    def talk(self, codec: str, codec_rate: int | None = None) -> Talker:
        """Be heard in the loudspeaker, alone. QueueFullError: somebody else is."""
        leg = _leg(codec, codec_rate)
        with self._lock:
            if self._talking:
                raise QueueFullError("somebody else talks; one at a time")
            self._talking = True

        def closed() -> None:
            self._talking = False

        return Talker(self._card, leg, closed)

    def listen(self, codec: str, codec_rate: int | None = None, *, most: int = MAX_LISTENERS) -> Listener:
        """Hear the microphone. QueueFullError: ``most`` do, or all for whom there are seats."""
        leg = _leg(codec, codec_rate)
        most = min(most, MAX_LISTENERS)
        with self._lock:
            if self._listeners >= most:
                raise QueueFullError(f"no more than {most} clients listen at a time")
            self._listeners += 1

        def closed() -> None:
            with self._lock:
                self._listeners -= 1

        return Listener(self._card, leg, closed)


def _leg(codec: str, codec_rate: int | None) -> Leg:
    from axcore.audio import Leg

    return Leg(codec, RATE, codec_rate=codec_rate, packet_ms=PACKET_MS, max_delay_ms=MAX_DELAY_MS)
