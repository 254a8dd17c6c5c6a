"""The echo canceller: what the loudspeaker puts into the microphone is taken out again, while both sides may talk.

The method is described in ``ax/aec.h``: a block Kalman filter in the frequency domain, a shadow filter, a search for
the delay, a model of the loudspeaker's curve, and a suppressor that knows when somebody talks.
"""

from __future__ import annotations

from typing import Any

from axcore._native.aec import RATES, AecCore
from axcore.audio.noise import NoiseSuppressor
from axcore.errors import InputError

__all__ = ["RATES", "EchoCanceller"]


class EchoCanceller:
    """Cancels the echo of one loudspeaker in one microphone.

    Args:
        rate: samples a second: 8000, 16000, 32000 or 48000.
        frame_ms: 10; other lengths are refused.
        tail_ms: how long the room may ring after the first sound of the echo, 20 to 400. The delay before that, up to
            500 ms, is found and followed and costs nothing of the tail.
        suppress: take out what the filter leaves as well. Without it the canceller is the filter alone, which delays
            nothing at 8 and 16 kHz.

    Raises:
        InputError: an argument is not possible; ``field`` names it.

    A canceller belongs to one thread at a time and takes no memory after it was made.
    """

    __slots__ = ("_core",)

    def __init__(self, rate: int, frame_ms: int = 10, tail_ms: int = 200, *, suppress: bool = True) -> None:
        if frame_ms != 10:
            raise InputError("frame_ms", f"must be 10, not {frame_ms}; cut or join frames")
        self._core = AecCore(rate, tail_ms, suppress)

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self._core.rate

    @property
    def frame(self) -> int:
        """Samples in a frame."""
        return self._core.frame

    @property
    def latency(self) -> int:
        """Samples from the microphone to the output: at most 5 ms."""
        return self._core.latency

    def process(self, mic: Any, ref: Any, out: Any = None) -> Any:
        """Cancel one frame.

        Args:
            mic: ``frame`` samples that the microphone heard, int16 or float32 (full scale 1.0, at most 8).
            ref: as many samples of the same type, given to the loudspeaker at the same time.
            out: where to write; may be ``mic``. Without it an ``array.array`` is made.

        Returns:
            ``out``: the talker at the microphone, ``latency`` samples late.

        Raises:
            FormatError: a buffer has another length or type.
            RangeError: a sample is not a number, or beyond 8.

        After an error the canceller is as it was before.
        """
        return self._core.process(mic, ref, out)

    def chain(self, noise: NoiseSuppressor | None) -> None:
        """Let a noise suppressor work on the canceller's spectra: it adds no delay, and costs no transforms of its own.

        From now on ``process`` gives what both leave, and ``noise.process`` is refused until ``chain(None)``. What the
        suppressor has heard is forgotten.

        Raises:
            InputError: the rates differ, or this canceller is the filter alone.
            StateError: the suppressor is chained to another canceller.
        """
        self._core.chain(None if noise is None else noise._core)

    @property
    def erle_db(self) -> float:
        """Echo return loss enhancement, dB: microphone over output while the loudspeaker plays, of about a second."""
        return self._core.status()[0]

    @property
    def delay_ms(self) -> float | None:
        """From the reference to the strongest part of the echo, ms; None while it is not known."""
        delay = self._core.status()[1]
        return None if delay < 0 else delay

    @property
    def drift_ppm(self) -> float:
        """How much faster the microphone's clock runs than the loudspeaker's, parts per million."""
        return self._core.status()[2]

    @property
    def talking(self) -> bool:
        """Whether somebody is heard at the microphone; always False for the filter alone."""
        return self._core.status()[3]

    def reset(self) -> None:
        """Forget the room, as if new."""
        self._core.reset()
