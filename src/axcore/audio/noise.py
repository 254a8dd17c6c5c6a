"""The noise suppressor: what is heard around a door is taken down, and the talker is left as is.

The method is described in ``ax/ns.h``: spectra of 20 ms, a gain for each of 32 bands from a small recurrent network
that knows levels above the noise floor only, not talkers or noises.
"""

from __future__ import annotations

from typing import Any

from axcore._native.ns import RATES, NsCore

__all__ = ["RATES", "NoiseSuppressor"]


class NoiseSuppressor:
    """Takes noise out of one channel.

    Args:
        rate: samples a second: 8000, 16000, 32000 or 48000. What lies above 8 kHz follows by one gain.
        max_attenuation_db: most that noise is taken down by, 0 (not at all) to 60.

    Raises:
        InputError: an argument is not possible; ``field`` names it.

    A suppressor belongs to one thread at a time and takes no memory after it was made. Behind an echo canceller:
    ``EchoCanceller.chain``, which saves its transforms and its delay.
    """

    __slots__ = ("_core",)

    def __init__(self, rate: int, max_attenuation_db: float = 30.0) -> None:
        self._core = NsCore(rate, max_attenuation_db)

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self._core.rate

    @property
    def frame(self) -> int:
        """Samples of a frame: 10 ms."""
        return self._core.frame

    @property
    def latency(self) -> int:
        """Samples from input to output: at most 5 ms."""
        return self._core.latency

    @property
    def attenuation_db(self) -> float:
        """How much of the last frame was taken, dB."""
        return self._core.attenuation_db

    def process(self, samples: Any, out: Any = None) -> Any:
        """Take the noise out of one frame.

        Args:
            samples: ``frame`` samples, int16 or float32 (full scale 1.0, at most 8).
            out: where to write; may be ``samples``. Without it an ``ndarray`` or ``array.array`` is made, as
                ``samples`` is.

        Returns:
            ``out``: the same without noise, ``latency`` samples late.

        Raises:
            FormatError: a buffer has another length or type.
            RangeError: a sample is not a number, or beyond 8.
            StateError: the suppressor is chained to a canceller.

        After an error the suppressor is as it was before.
        """
        return self._core.process(samples, out)

    def reset(self) -> None:
        """Forget what was heard."""
        self._core.reset()
