"""How loud it is, whether somebody talks, and noise like the one that was there."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from axcore._native.gain import Comfort, Level, Vad
from axcore.audio._rates import check_range, check_rate
from axcore.errors import FormatError, InputError

__all__ = ["ComfortNoise", "LevelDetector", "LevelEvent", "VoiceActivity"]


class LevelEvent(IntEnum):
    """What a frame did to the level. Either of the two is a pass."""

    RISE = 1
    FALL = 2


class LevelDetector:
    """The sound level on a scale of 0 to 100, and when it passes a threshold.

    The scale is linear in dB: 100 is a sine of full scale, 0 is 80 dB below and less. A threshold of 0 is the most
    sensitive: any sound rises above it. The level rises at once and falls with 67 dB a second; it has fallen when it is
    2 points below.

    Args:
        rate: 8000, 16000, 32000, 44100 or 48000.
        threshold: 0 to 100.
    """

    __slots__ = ("_core",)

    def __init__(self, rate: int, threshold: float = 50.0) -> None:
        check_rate(rate)
        check_range("threshold", threshold, 0, 100)
        self._core = Level(rate, threshold)

    @property
    def frame(self) -> int:
        """Samples of a frame of 10 ms."""
        return self._core.frame

    @property
    def level(self) -> float:
        """The level of now, 0 to 100."""
        return self._core.level

    @property
    def above(self) -> bool:
        """Whether the level is above the threshold, as the events told."""
        return self._core.above

    @property
    def threshold(self) -> float:
        """0 to 100; may be changed."""
        return self._core.threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        self._core.threshold = check_range("threshold", value, 0, 100)

    def feed(self, samples: Any) -> LevelEvent | None:
        """One frame of int16. Gives the event that it made, if any."""
        event = self._core.feed(samples)
        return LevelEvent(event) if event else None


class VoiceActivity:
    """Whether somebody talks: sound well above the floor of the last 1.5 s; 200 ms longer than it lasts."""

    __slots__ = ("_core",)

    def __init__(self, rate: int) -> None:
        self._core = Vad(check_rate(rate))

    @property
    def frame(self) -> int:
        """Samples of a frame of 10 ms."""
        return self._core.frame

    @property
    def talks(self) -> bool:
        """What the last frame gave."""
        return self._core.talks

    def feed(self, samples: Any) -> bool:
        """One frame of int16."""
        return self._core.feed(samples)

    def reset(self) -> None:
        """Forget the floor."""
        self._core.reset()


class ComfortNoise:
    """Noise of the level and colour of a background: learnt here, or taken from a payload of RFC 3389.

    Args:
        seed: where the noise starts, 1 to 2^32 - 1; the same seed gives the same noise.
    """

    __slots__ = ("_core",)

    def __init__(self, seed: int = 1) -> None:
        if not 1 <= seed < 1 << 32:
            raise InputError("seed", f"must be 1 to 2^32 - 1, not {seed}")
        self._core = Comfort(seed)

    def learn(self, samples: Any) -> None:
        """80 to 480 samples (int16) in which nobody talks."""
        self._core.learn(samples)

    def render(self, out: Any) -> Any:
        """Fill ``out`` (int16)."""
        return self._core.render(out)

    def payload(self) -> bytes:
        """Level and 8 coefficients as RFC 3389 sends them."""
        return self._core.pack()

    def take(self, payload: Any) -> None:
        """What a payload says; FormatError when it is empty."""
        if len(payload) == 0:
            raise FormatError("payload: must have an octet at least")
        self._core.unpack(payload)
