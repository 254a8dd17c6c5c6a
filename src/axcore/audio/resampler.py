"""Sample rates: 8, 16, 32, 44.1 and 48 kHz into each other."""

from __future__ import annotations

from typing import Any

from axcore._native.resample import Converter
from axcore.audio._rates import check_rate
from axcore.errors import InputError

__all__ = ["Resampler"]


class Resampler:
    """Converts a stream from one rate to another with a polyphase filter whose stop band is at least 90 dB down.

    Args:
        source, target: samples a second: 8000, 16000, 32000, 44100 or 48000.
        taps: length of the filter in samples of the lower rate, 32 to 256, a multiple of 16. The pass band goes to
            1 - 12.6 / taps of half of the lower rate (87 % with 96), and the delay is half of the filter.
    """

    __slots__ = ("_core",)

    def __init__(self, source: int, target: int, taps: int = 96) -> None:
        check_rate(source, field="source")
        check_rate(target, field="target")
        if taps not in range(32, 257, 16):
            raise InputError("taps", f"must be a multiple of 16 from 32 to 256, not {taps}")
        self._core = Converter(source, target, taps)

    @property
    def latency(self) -> int:
        """Delay in samples of the target, rounded."""
        return self._core.latency

    def count(self, samples: int) -> int:
        """How many samples the next so many will give. Whole 10 ms give whole 10 ms."""
        return self._core.count(samples)

    def process(self, samples: Any, out: Any = None) -> Any:
        """Convert a piece of any length, int16 or float32; ``out``, if given, has ``count`` samples of the same type.

        Raises:
            FormatError: a buffer has another type or length.
            RangeError: a sample is not a number.

        After an error the converter is as it was before.
        """
        return self._core.process(samples, out)

    def reset(self) -> None:
        """Forget what was heard."""
        self._core.reset()
