"""Test tones through the loudspeaker and what the microphone hears of them, for the speaker test.

The audio thread plays and records (``drivers.sound``), on the sound card or, simulated, in a virtual room whose parts
can be broken. A card is opened for the test and closed after it: where a clip or a call keeps it for itself
(``hw:0``), the test cannot be made; ``default`` shares it. Nothing of all this is loaded before the first test.
"""

from __future__ import annotations

import logging
import os
import select
import threading
from array import array
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from axcore.errors import AxError, NotFoundError

if TYPE_CHECKING:
    from axcore._native.audio_thread import Card
    from axcore.audio import Room
    from axcore.audio.speaker_test import Response, SpeakerTest

Done = Callable[["Response | None", str], None]
"""Told what was heard, or None and why nothing was."""

log = logging.getLogger(__name__)

RATE: Final = 16_000
PATIENCE_MS: Final = 2000
"""Without a packet for so long the card gives nothing."""
WHOLE: Final[dict[str, float]] = {"speaker": 1, "cover_db": 0, "noise_db": -65}
FAULTS: Final[dict[str, dict[str, float]]] = {
    "speaker": {"speaker": 0},
    "microphone": {"cover_db": 50},
    "quiet": {"noise_db": 0},
}
"""What is broken, covered or not quiet any more, by the name of the part."""


class SimulatedRoom:
    """The place where a simulated door station hangs: a loudspeaker, a microphone, noise. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._broken: frozenset[str] = frozenset()
        self._room: Room | None = None

    def card(self) -> Card:
        """A sound card in it."""
        from axcore.audio import Room
        from axcore.drivers.sound import open_room

        with self._lock:
            if self._room is None:
                self._room = Room(RATE, rt60_ms=150, delay_ms=15, echo_db=-12)
            self._furnish(self._room)
            return open_room(self._room, records=64)

    def fault(self, part: str, broken: bool) -> None:
        """Break or mend ``speaker``, cover or free ``microphone``, make it loud or ``quiet``. NotFoundError."""
        if part not in FAULTS:
            raise NotFoundError("part", f"there is no part {part[:40]!r} (there are: {', '.join(FAULTS)})")
        with self._lock:
            self._broken = self._broken | {part} if broken else self._broken - {part}
            if self._room is not None:
                self._furnish(self._room)

    def state(self) -> dict[str, Any]:
        """What is broken."""
        return {"faults": sorted(self._broken)}

    def _furnish(self, room: Room) -> None:
        parts = dict(WHOLE)
        for part in self._broken:
            parts.update(FAULTS[part])
        room.set(**parts)


class ToneCheck:
    """Plays and records. ``open_card`` raises OSError when there is none."""

    def __init__(self, open_card: Callable[[], Card]) -> None:
        self._open_card = open_card

    @classmethod
    def on_card(cls, speaker: str, microphone: str) -> ToneCheck:
        """With a sound card by ALSA's names."""
        return cls(partial(_open_alsa, speaker, microphone))

    def record(self, done: Done) -> None:
        """Play the tones, in a thread of its own; ``done`` is told by it."""
        threading.Thread(target=self._run, args=(done,), name="tone-check", daemon=True).start()

    def _run(self, done: Done) -> None:
        from axcore.audio.speaker_test import SpeakerTest

        try:
            test = SpeakerTest(RATE)
            response = test.measure(self._recorded(test))
        except (OSError, AxError) as error:
            done(None, str(getattr(error, "strerror", None) or error))
        else:
            done(response, "")

    def _recorded(self, test: SpeakerTest) -> Any:
        import numpy as np

        from axcore.audio import Echo, Leg, Pipeline
        from axcore.drivers.sound import Sound

        pipeline = Pipeline(RATE, echo=Echo.OFF, max_attenuation_db=0, gain_control=False)
        leg = Leg("PCM", RATE)
        sound = Sound(pipeline, self._open_card())
        pipeline.seat(0, leg, mute=True)
        pipeline.play(0, test.samples)
        heard = array("h")
        bell = select.poll()
        bell.register(sound.packets_fd, select.POLLIN)
        sound.start()
        try:
            while len(heard) < test.count:
                if not bell.poll(PATIENCE_MS):
                    raise OSError("the sound card gives no sound")
                os.read(sound.packets_fd, 8)
                while (packet := leg.take()) is not None:
                    heard.frombytes(packet[1])
        finally:
            sound.stop()
        stats = sound.thread_stats
        if stats.card_errors:
            raise OSError("the sound card failed")
        if stats.xruns:
            log.warning("the sound card ran over or dry %d times during a speaker test", stats.xruns)
        return np.asarray(heard[: test.count], np.int16)


def _open_alsa(speaker: str, microphone: str) -> Card:
    from axcore.drivers.sound import open_alsa

    if not speaker:
        raise OSError("no sound card is configured ([sound] device)")
    return open_alsa(RATE, speaker, microphone or speaker)
