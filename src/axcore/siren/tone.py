"""A sound at a sample rate, rendered block by block."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from axcore._native.siren import INTENSITIES, Clip, Generator
from axcore.errors import InputError, NotFoundError, RangeError
from axcore.siren.program import Sound
from axcore.siren.sounds import SOUNDS
from axcore.siren.standards import STANDARD_SIGNALS

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["MAX_REPETITIONS", "MAX_SECONDS", "RATES", "Tone", "find"]

RATES = (8000, 16000, 32000, 44100, 48000)
MAX_SECONDS = 259_200
"""72 h."""
MAX_REPETITIONS = 1_000_000


def find(name: str, extra: Mapping[str, Sound] | None = None) -> Sound:
    """The sound of that name: a pattern of the device or a standard signal. ``NotFoundError`` says what is near."""
    known = {**SOUNDS, **STANDARD_SIGNALS, **(extra or {})}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    raise NotFoundError("pattern", f"no sound is called {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


class Tone:
    """A sound, ready to be rendered.

    ``sound`` is a name of ``SOUNDS`` or ``STANDARD_SIGNALS``, or a ``Sound``. ``rate`` is one of ``RATES``.
    ``intensity`` 1 to 5 is 24, 18, 12, 6 and 0 dB below full scale; 0 is silence under a clip. It sounds for
    ``seconds`` (up to 72 h), for ``repetitions`` of its cycle, or for ever. ``dither`` adds triangular noise of 2 LSB
    to 16-bit samples.

    A tone has no state: what ``render`` gives depends on the position only, so that any split into blocks, any order,
    and any two devices that agree on the time give the same samples. Raises ``InputError`` naming the argument.
    """

    __slots__ = ("_generator", "dither", "end", "intensity", "rate", "sound")

    def __init__(
        self,
        sound: str | Sound,
        *,
        rate: int = 48000,
        intensity: int = INTENSITIES,
        seconds: float | None = None,
        repetitions: int | None = None,
        dither: bool = False,
    ) -> None:
        if rate not in RATES:
            raise InputError("rate", f"must be one of {', '.join(map(str, RATES))}")
        if intensity not in range(INTENSITIES + 1):
            raise InputError("intensity", f"must be 0 to {INTENSITIES}")
        self.sound = find(sound) if isinstance(sound, str) else sound
        self.rate = rate
        self.intensity = intensity
        self.dither = dither
        try:
            self._generator = Generator(self.sound.rows(), self.sound.sets, rate)
        except RangeError as error:
            raise InputError("sound", f"{self.sound.name!r} does not fit into {rate} samples a second") from error
        self.end = self._end(seconds, repetitions)

    def _end(self, seconds: float | None, repetitions: int | None) -> int | None:
        if seconds is not None and repetitions is not None:
            raise InputError("repetitions", "give either seconds or repetitions")
        if seconds is not None:
            if not 0 < seconds <= MAX_SECONDS:
                raise InputError("seconds", f"must be above 0, and {MAX_SECONDS} at most")
            return round(seconds * self.rate)
        if repetitions is not None:
            if repetitions not in range(1, MAX_REPETITIONS + 1):
                raise InputError("repetitions", f"must be 1 to {MAX_REPETITIONS}")
            return repetitions * self.cycle
        return None

    @property
    def cycle(self) -> int:
        """Samples of one repetition."""
        return self._generator.cycle

    @property
    def generator(self) -> Generator:
        """For the sound thread; it never changes."""
        return self._generator

    def render(self, pos: int, out: Buffer, clip: Clip | None = None) -> int:
        """Fill ``out`` with the samples from position ``pos`` on; gives how many of them are before the end.

        ``out`` is any writable buffer of int16 (full scale 32767) or float32 (full scale 1), one channel; bytes count
        as int16 of this machine. What is after the end is zero. The last 5 ms before it fade out. ``clip`` is mixed in.
        """
        return self._generator.render(pos, out, self.intensity, self.end, self.dither, clip)

    def __repr__(self) -> str:
        return f"Tone({self.sound.name!r}, rate={self.rate}, intensity={self.intensity})"
