"""DTMF keys heard and made (ITU-T Q.23, Q.24), and the tones that a telephone makes (E.180)."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

from axcore._native import dtmf
from axcore.audio._rates import check_range, check_rate
from axcore.errors import InputError, NotFoundError

__all__ = ["CALL_TONES", "KEYS", "DtmfDetector", "DtmfEvent", "DtmfGenerator", "Tone"]

KEYS = "123A456B789C*0#D"
"""By row and column."""
ROWS = (697, 770, 852, 941)
COLUMNS = (1209, 1336, 1477, 1633)
DETECTOR_RATES = (8000, 16000, 32000, 48000)
DBM0 = 3.14
"""A sine of full scale, dBm0 (A-law)."""

CALL_TONES: dict[str, tuple[tuple[float, tuple[float, ...]], ...]] = {
    "ringback": ((1.0, (425.0,)), (4.0, ())),
    "ringback-us": ((2.0, (440.0, 480.0)), (4.0, ())),
    "ringback-uk": ((0.4, (400.0, 450.0)), (0.2, ()), (0.4, (400.0, 450.0)), (2.0, ())),
    "busy": ((0.5, (425.0,)), (0.5, ())),
    "busy-us": ((0.5, (480.0, 620.0)), (0.5, ())),
    "busy-uk": ((0.375, (400.0,)), (0.375, ())),
    "congestion": ((0.25, (425.0,)), (0.25, ())),
    "dial": ((1.0, (425.0,)),),
    "dial-us": ((1.0, (350.0, 440.0)),),
    "dial-uk": ((1.0, (350.0, 450.0)),),
}
"""Seconds and hertz; names without a country are the ETSI's 425 Hz."""


@dataclass(frozen=True, slots=True)
class DtmfEvent:
    """A key went down or was let go.

    ``at`` is the sample at which it went down, to 5 ms; ``duration`` the samples that it was down, 0 as long as it is.
    """

    key: str
    at: int
    duration: int

    @property
    def down(self) -> bool:
        """Whether this tells of the start."""
        return self.duration == 0


class DtmfDetector:
    """Hears keys in sound. A key gives one event when it is sure to be down, after about 45 ms, and one when let go.

    Args:
        rate: 8000, 16000, 32000 or 48000.
    """

    __slots__ = ("_core",)

    def __init__(self, rate: int = 8000) -> None:
        self._core = dtmf.Detector(check_rate(rate, DETECTOR_RATES))

    @property
    def key(self) -> str | None:
        """The key that is down."""
        return self._core.key

    def feed(self, samples: Any) -> list[DtmfEvent]:
        """Listen to a piece of any length, int16."""
        return [DtmfEvent(*event) for event in self._core.feed(samples)]

    def reset(self) -> None:
        """Forget what was heard; positions start at 0 again."""
        self._core.reset()


class Tone:
    """Sines with a cadence, as a pure function of the sample position.

    Args:
        segments: each seconds (0.005 to 60) and up to four frequencies in hertz; none is silence.
        rate: 8000, 16000, 32000, 44100 or 48000.
        level_dbm0: level of each sine; all together must stay within full scale.
        repeat: start again after the last segment.

    Raises:
        InputError: a segment is not possible.
    """

    __slots__ = ("_core",)

    def __init__(
        self,
        segments: Any,
        rate: int = 8000,
        *,
        level_dbm0: float | tuple[float, ...] = -10.0,
        repeat: bool = False,
    ) -> None:
        check_rate(rate)
        levels = level_dbm0 if isinstance(level_dbm0, tuple) else (level_dbm0,) * dtmf.SINES
        for level in levels:
            check_range("level_dbm0", level, -90, DBM0)
        amplitudes = [10 ** ((level - DBM0) / 20) for level in levels]
        made = []
        for seconds, hertz in segments:
            check_range("segments", seconds, 0.005, 60)
            if len(hertz) > len(amplitudes):
                raise InputError("segments", f"at most {len(amplitudes)} frequencies at a time, not {len(hertz)}")
            for frequency in hertz:
                check_range("segments", frequency, 1, 0.489 * rate)
            if sum(amplitudes[: len(hertz)]) > 1:
                raise InputError("level_dbm0", "the sines add up to more than full scale; take less")
            sines = [(round(f * 1000), a) for f, a in zip(hertz, amplitudes, strict=False)]
            made.append((round(seconds * 1e6), sines))
        if not 0 < len(made) <= dtmf.SEGMENTS:
            raise InputError("segments", f"must be 1 to {dtmf.SEGMENTS}, not {len(made)}")
        self._core = dtmf.Tone(made, rate, repeat)

    @classmethod
    def named(cls, name: str, rate: int = 8000, *, level_dbm0: float = -10.0) -> Tone:
        """A tone of ``CALL_TONES``, again and again."""
        if name not in CALL_TONES:
            raise NotFoundError("name", f"{name!r} is not one of {', '.join(CALL_TONES)}")
        return cls(CALL_TONES[name], rate, level_dbm0=level_dbm0, repeat=True)

    @property
    def core(self) -> dtmf.Tone:
        """The native object."""
        return self._core

    def __len__(self) -> int:
        """Samples of one round."""
        return len(self._core)

    def render(self, pos: int, out: Any) -> int:
        """Samples from position ``pos`` on into ``out`` (int16), silence after the end; how many are before it."""
        return self._core.render(pos, out)

    def samples(self) -> array[int]:
        """One round."""
        out = array("h", bytes(2 * len(self)))
        self.render(0, out)
        return out


class DtmfGenerator(Tone):
    """Keys as tones (Q.23), one after the other.

    Args:
        keys: of ``KEYS``.
        rate: 8000, 16000, 32000, 44100 or 48000.
        on_ms, off_ms: how long a key and the pause after it last, 5 to 60000.
        low_dbm0, high_dbm0: level of the two tones; the high one is 2 dB above, as telephones send it.
    """

    __slots__ = ()

    def __init__(
        self,
        keys: str,
        rate: int = 8000,
        *,
        on_ms: float = 100,
        off_ms: float = 100,
        low_dbm0: float = -9.0,
        high_dbm0: float = -7.0,
    ) -> None:
        check_range("on_ms", on_ms, 5, 60000)
        check_range("off_ms", off_ms, 5, 60000)
        segments: list[tuple[float, tuple[float, ...]]] = []
        for key in keys.upper():
            if key not in KEYS:
                raise InputError("keys", f"{key!r} is none of {KEYS}")
            row, column = divmod(KEYS.index(key), 4)
            segments += [(on_ms / 1000, (ROWS[row], COLUMNS[column])), (off_ms / 1000, ())]
        super().__init__(segments, rate, level_dbm0=(low_dbm0, high_dbm0))
