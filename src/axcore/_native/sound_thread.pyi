"""The sound thread: plays tones and clips on time, whatever Python does. The face for devices is ``axcore.drivers.speaker``.

Units: ns of CLOCK_MONOTONIC; samples. Any thread may call, but start and stop are the owner's. Source: ``ax/sound_thread.h``.
"""

from typing import Self, final

from axcore._native.siren import Clip, Generator

@final
class SoundThread:
    """``block`` samples are made at a time, ``records`` of them (a power of two) stay in the capture. ``device`` is ALSA's name
    of a sound card (None: no card), ``library`` the file of ALSA, ``tap`` a UNIX datagram socket that is told of ``name``.
    """

    def __new__(
        cls,
        rate: int = 48000,
        block: int = 240,
        records: int = 64,
        *,
        tap: str | None = None,
        device: str | None = None,
        library: str | None = None,
        fifo_priority: int = 0,
        name: str | None = None,
    ) -> Self: ...
    def start(self) -> None:
        """OSError: the sound card cannot be opened (ELIBACC: there is no ALSA); try again, or ``without_card``."""

    def without_card(self) -> None:
        """Before ``start``: do without the sound card."""

    def stop(self) -> None:
        """Fade out, and end."""

    def play(self, tone: Generator | None, intensity: int = 5, epoch_ns: int = 0) -> None:
        """Play ``tone`` (None: silence) in place of what sounds; its position counts from ``epoch_ns``. The thread keeps it
        as long as it needs it. RangeError: the rate, or an intensity outside 1..5. QueueFullError."""

    def play_clip(self, clip: Clip | None, times: int = 1) -> None:
        """Play ``clip`` (None: no clip) ``times`` times (0: until the next one), on top of the tone or alone. Its start and
        its repetition do not count here. The thread keeps it as long as it needs it. QueueFullError."""

    @property
    def held(self) -> int:
        """Tones and clips that the thread may still use."""

    @property
    def fd(self) -> int:
        """The memfd of the captured blocks (``ax/capture.h``); belongs to the thread."""

    @property
    def blocks(self) -> int:
        """Blocks made so far."""

    @property
    def missed(self) -> int:
        """Blocks left out, because the thread came too late."""

    @property
    def card_errors(self) -> int:
        """Blocks that the sound card did not take."""

    @property
    def tap_errors(self) -> int:
        """Datagrams that the tap did not take."""
