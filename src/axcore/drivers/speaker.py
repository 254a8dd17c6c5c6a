"""The loudspeaker: tones and clips for the sound thread, and a microphone that hears what was really given out.

A loudspeaker that is not ``eager`` costs nothing before its first sound: then the thread starts, and the sound card is
opened. Files of clips are read by a thread of their own, so that nobody waits for a disk. Any thread may call.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from array import array
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING

from axcore._native.io import monotonic_ns
from axcore.errors import QueueFullError
from axcore.model.config import SoundConfig

from .capture import SOUND_RING, Capture, publish

if TYPE_CHECKING:
    from axcore._native.siren import Clip, Generator
    from axcore._native.sound_thread import SoundThread

Load = Callable[[], "array[int]"]
"""Gives the samples of a clip: 16 bits, one channel, ``RATE``."""

log = logging.getLogger(__name__)

RATE, BLOCK = 48_000, 240
"""Blocks of 5 ms."""
SIMULATED_RECORDS, FEW_RECORDS = 8192, 64
"""41 s of sound on the simulated board: recordings are made of them. Elsewhere as many as the microphone hears."""
HEARD_BLOCKS = 40
"""A microphone hears the loudest of the last 200 ms: between two notes it is not deaf."""
FRESH_NS = 250_000_000
FIFO_PRIORITY = 10
"""The sound thread goes before ordinary threads, and after the I/O thread."""


class Loudspeaker:
    """One loudspeaker; ``name`` is what the tap is told."""

    def __init__(
        self,
        sound: SoundConfig,
        *,
        simulated: bool,
        tap: str | None = None,
        name: str = "speaker",
        eager: bool = False,
    ) -> None:
        self._device = sound.device or None
        self._records = SIMULATED_RECORDS if simulated else FEW_RECORDS
        self._tap = tap
        self._name = name
        self._eager = eager
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        """A sound card may take its time to be opened: who holds this may wait, who holds ``_lock`` may not."""
        self._ears = threading.Lock()
        self._thread: SoundThread | None = None
        self._heard: Capture | None = None
        self._folder: Path | None = None
        self._ended = False
        self._wish = 0
        """Number of the latest wish for a clip: an older one that is still being read is forgotten."""

    def start(self, data_dir: Path | None = None) -> None:
        """From now on it can sound; with ``data_dir`` what is heard can be found there."""
        self._folder = data_dir
        if self._eager:
            self._running()

    def stop(self) -> None:
        """Fade out, and end."""
        with self._starting, self._lock:
            self._ended = True
            thread, self._wish = self._thread, self._wish + 1
        self._stop_thread(thread)

    def release(self) -> None:
        """Give the sound card back; nothing sounds any more. The next sound opens it again."""
        with self._starting:
            with self._lock:
                thread, self._thread, self._heard = self._thread, None, None
                self._wish += 1
            self._stop_thread(thread)

    # --- what sounds

    def play(self, tone: Generator | None, intensity: int = 5, epoch_ns: int = 0) -> None:
        """Play a tone (None: none) from now on; clips go on."""
        if tone is None and self._thread is None:
            return
        if (thread := self._running()) is not None:
            thread.play(tone, intensity, epoch_ns)

    def play_clip(
        self, load: Load, gain: float, times: int, failed: Callable[[str], None], *, to_call: bool = False
    ) -> None:
        """Play the samples that ``load`` gives ``times`` times (0: until stopped), in place of another clip.

        ``load`` may read files and raise OSError or ValueError; ``failed`` is told, by another thread, why nothing
        could be played. There is no call here to play it to (``drivers.desk``).
        """
        with self._lock:
            self._wish += 1
            wish = self._wish
        arguments = (load, gain, times, wish, failed)
        threading.Thread(target=self._load_and_play, args=arguments, name="clip", daemon=True).start()

    def stop_clip(self) -> None:
        """No clip any more; a tone goes on."""
        with self._lock:
            self._wish += 1
            if self._thread is not None and not self._ended:
                self._thread.play_clip(None)

    def _load_and_play(self, load: Load, gain: float, times: int, wish: int, failed: Callable[[str], None]) -> None:
        from axcore._native.siren import Clip

        try:
            self._start_clip(Clip(load(), gain=gain), times, wish)
        except (OSError, ValueError, QueueFullError) as error:
            log.error("a clip cannot be played: %s", error)
            failed(str(getattr(error, "strerror", None) or error))

    def _start_clip(self, clip: Clip, times: int, wish: int) -> None:
        thread = self._running()
        with self._lock:
            if thread is not None and wish == self._wish:
                thread.play_clip(clip, times)

    @property
    def progress(self) -> int | None:
        """Blocks that were made; None while nothing sounds. It rises all the time unless the thread is stuck."""
        thread = self._thread
        return thread.blocks if thread is not None and thread.held else None

    # --- what is heard

    def heard(self) -> float:
        """Loudness as a microphone hears it now, 0..1 of full scale (RMS)."""
        heard = self._heard
        if heard is None:
            return 0.0
        now, loudest = monotonic_ns(), 0
        with self._ears:
            for number, record in enumerate(heard.newest()):
                if number == HEARD_BLOCKS or record.t_ns < now - FRESH_NS:
                    break
                loudest = max(loudest, sum(sample * sample for sample in array("h", record.data)))
        return sqrt(loudest / BLOCK) / 32767

    # --- inside

    def _running(self) -> SoundThread | None:
        """The thread, started now if it was not; None after the end. Without its sound card it runs silently."""
        with self._starting:
            if self._ended:
                return None
            if self._thread is None:
                self._thread = self._start_thread()
            return self._thread

    def _stop_thread(self, thread: SoundThread | None) -> None:
        if thread is None:
            return
        thread.stop()
        if self._folder is not None:
            with contextlib.suppress(FileNotFoundError):
                (self._folder / SOUND_RING).unlink()

    def _start_thread(self) -> SoundThread:
        from axcore._native.sound_thread import SoundThread

        thread = SoundThread(
            RATE,
            BLOCK,
            self._records,
            tap=self._tap,
            device=self._device,
            fifo_priority=FIFO_PRIORITY,
            name=self._name,
        )
        try:
            thread.start()
        except OSError as error:
            log.error("there is no sound: the sound card cannot be opened: %s", error.strerror)
            thread.without_card()
            thread.start()
        self._heard = Capture(thread.fd)
        if self._folder is not None:
            publish(thread.fd, self._folder / SOUND_RING)
        return thread
