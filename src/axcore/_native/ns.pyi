"""The native noise suppressor. The friendly face is `axcore.audio.NoiseSuppressor`."""

from typing import Any, Self, final

RATES: tuple[int, ...]
"""Sampling rates in Hz."""

@final
class NsCore:
    """One suppressor (`ax/ns.h`)."""

    def __new__(cls, rate: int, max_attenuation_db: float) -> Self: ...
    @property
    def rate(self) -> int: ...
    @property
    def frame(self) -> int:
        """Samples in a frame of 10 ms."""
    @property
    def latency(self) -> int:
        """Samples from input to output."""
    @property
    def attenuation_db(self) -> float:
        """Of the last frame, all bands alike."""
    @property
    def size(self) -> int:
        """Bytes of memory."""
    def process(self, samples: Any, out: Any = None) -> Any:
        """One frame. FormatError, RangeError, StateError: nothing was changed."""
    def reset(self) -> None: ...
    def set_level(self, level: int) -> None: ...
