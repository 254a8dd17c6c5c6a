"""The native echo canceller. The friendly face is `axcore.audio.EchoCanceller`."""

from typing import Any, final

from axcore._native.ns import NsCore

LEVELS: tuple[str, ...]
"""The variants of the inner loops on this machine, the portable one first."""
RATES: tuple[int, ...]
"""Sampling rates in Hz."""

@final
class AecCore:
    """One canceller (`ax/aec.h`)."""

    def __init__(self, rate: int, tail_ms: int = 200, suppress: bool = True) -> None: ...
    @property
    def rate(self) -> int: ...
    @property
    def frame(self) -> int:
        """Samples in a frame of 10 ms."""
    @property
    def latency(self) -> int:
        """Samples from microphone to output."""
    @property
    def tail_ms(self) -> int: ...
    @property
    def size(self) -> int:
        """Bytes of memory."""
    def process(self, mic: Any, ref: Any, out: Any = None) -> Any:
        """One frame. FormatError, RangeError: nothing was changed."""
    def status(self) -> tuple[float, float, float, bool]:
        """ERLE in dB, delay in ms (-1 = not known), drift in ppm, somebody talks."""
    def chain(self, noise: NsCore | None) -> None:
        """Let a noise suppressor work on the canceller's spectra. InputError, StateError."""
    def reset(self) -> None: ...
    def set_level(self, level: int) -> None: ...
