"""The sound thread: plays tones on time, whatever Python does. The face for devices is ``axcore.drivers.signal``.

Units: ns of CLOCK_MONOTONIC; samples. Any thread may call, but start and stop are the owner's. Source: ``ax/siren_thread.h``.
"""

from typing import Self, final

from axcore._native.siren import Generator

@final
class SoundThread:
    """``block`` samples are made at a time, ``records`` of them (a power of two) stay in the capture. ``device`` is ALSA's name
    of a sound card (None: no card), ``library`` the file of ALSA, ``tap`` a UNIX datagram socket.
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

    @property
    def held(self) -> int:
        """Tones that the thread may still use."""

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
