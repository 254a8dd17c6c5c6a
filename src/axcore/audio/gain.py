"""Loudness: automatic gain, a limiter, a mixer, and a volume that follows the noise.

All work on frames of 10 ms (``frame`` samples). A frame of another length or type is a ``FormatError``, a sample that
is no number a ``RangeError``; the object is then as it was before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from axcore._native.gain import Agc, Avc, Limit
from axcore.audio._rates import check_range, check_rate
from axcore.errors import InputError

__all__ = ["GainControl", "Limiter", "Mixer", "VolumeControl"]


_Core = TypeVar("_Core", Agc, Avc, Limit)


class _Framed(Generic[_Core]):
    """What works on frames, with a limiter at its end."""

    __slots__ = ("_core",)
    _core: _Core

    def __init__(self, core: _Core) -> None:
        self._core = core

    @property
    def frame(self) -> int:
        """Samples of a frame."""
        return self._core.frame

    @property
    def latency(self) -> int:
        """Samples from input to output: about 1 ms."""
        return self._core.latency

    def reset(self) -> None:
        """Forget what was heard."""
        self._core.reset()


def _limit(rate: int, ceiling: float) -> Limit:
    check_rate(rate)
    if not 0 < ceiling <= 1:
        raise InputError("ceiling", f"must be above 0 and at most 1, not {ceiling!r}")
    return Limit(rate, ceiling)


class GainControl(_Framed[Agc]):
    """Brings talk to one level, and leaves pauses alone. Never clips: a limiter is behind it.

    Args:
        rate: 8000, 16000, 32000, 44100 or 48000.
        target_db: level of talk, dBFS (0 is a square wave of full scale), -40 to -6.
        max_gain_db: 0 to 40.
        min_gain_db: -40 to 0.
    """

    __slots__ = ()

    def __init__(
        self, rate: int, target_db: float = -20.0, max_gain_db: float = 30.0, min_gain_db: float = -20.0
    ) -> None:
        check_rate(rate)
        check_range("target_db", target_db, -40, -6)
        check_range("max_gain_db", max_gain_db, 0, 40)
        check_range("min_gain_db", min_gain_db, -40, 0)
        super().__init__(Agc(rate, target_db, max_gain_db, min_gain_db))

    @property
    def gain_db(self) -> float:
        """The gain of now, before the limiter."""
        return self._core.gain_db

    def process(self, samples: Any, out: Any = None) -> Any:
        """One frame of int16 or float32 (at most 8); ``out`` may be ``samples``."""
        return self._core.process(samples, out)


class Limiter(_Framed[Limit]):
    """Never lets a sample over the ceiling, and never jumps: it looks ahead by about 1 ms.

    Args:
        rate: 8000, 16000, 32000, 44100 or 48000.
        ceiling: greatest sample, as a share of full scale, above 0 to 1.
    """

    __slots__ = ()

    def __init__(self, rate: int, ceiling: float = 0.966) -> None:
        super().__init__(_limit(rate, ceiling))

    def process(self, samples: Any, out: Any = None) -> Any:
        """One frame of int16 or float32 (at most 4096); ``out`` may be ``samples``."""
        return self._core.process(samples, out)


class Mixer(_Framed[Limit]):
    """Sums up to 64 frames without saturation: in floating point, then through a limiter."""

    __slots__ = ()

    def __init__(self, rate: int, ceiling: float = 0.966) -> None:
        super().__init__(_limit(rate, ceiling))

    def process(self, frames: Sequence[Any], gains: Sequence[float] | None = None, out: Any = None) -> Any:
        """The sum of int16 frames, each times its gain (-16 to 16, 1 if left out); silence for none."""
        return self._core.mix(frames, gains, frames[0] if frames else None, out)


class VolumeControl(_Framed[Avc]):
    """A loudspeaker's volume that follows the noise around it.

    Args:
        rate: 8000, 16000, 32000, 44100 or 48000.
        quiet_db: noise at the microphone, dBFS, up to which the volume stays as it is, -90 to 0.
        max_gain_db: 0 to 30.
        slope: dB of gain for a dB of noise, 0 to 1.
    """

    __slots__ = ()

    def __init__(self, rate: int, quiet_db: float = -55.0, max_gain_db: float = 12.0, slope: float = 0.6) -> None:
        check_rate(rate)
        check_range("quiet_db", quiet_db, -90, 0)
        check_range("max_gain_db", max_gain_db, 0, 30)
        check_range("slope", slope, 0, 1)
        super().__init__(Avc(rate, quiet_db, max_gain_db, slope))

    @property
    def gain_db(self) -> float:
        """The gain of now."""
        return self._core.gain_db

    @property
    def noise_db(self) -> float:
        """The noise that is heard, dBFS; -100 before anything was."""
        return self._core.noise_db

    def ambient(self, mic: Any) -> None:
        """A frame of the microphone (int16). Not listened to while the loudspeaker plays and 300 ms after."""
        self._core.ambient(mic)

    def process(self, samples: Any, out: Any = None) -> Any:
        """A frame (int16) on its way to the loudspeaker; ``out`` may be ``samples``."""
        return self._core.process(samples, out)
