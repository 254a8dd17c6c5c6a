"""The speaker test of a door station: test tones through the loudspeaker, heard by the built-in microphone.

Manual: Calibrate and run a remote speaker test. Calibrating keeps what the microphone heard of each tone; a test plays
the same tones again and compares. Nothing here plays or records:

    test = SpeakerTest(16000)
    recorded = play_and_record(test.samples)      # as many samples, from the first on
    reference = test.measure(recorded)            # calibrated, if fault_of(reference) is None
    verdict = compare(reference, test.measure(play_and_record(test.samples)))

The response of a tone is the strongest 100 ms of it, so that the way through sound card and room may take up to 250 ms.
Noise is measured before the first tone, at the frequency of each. numpy is imported when something is measured.
"""

from __future__ import annotations

from array import array
from functools import cached_property
from math import cos, pi, sin
from typing import Any, Literal

import msgspec

from axcore.audio._rates import check_rate
from axcore.errors import FormatError

__all__ = ["REASONS", "TONES_HZ", "Reason", "Response", "SpeakerTest", "Verdict", "compare", "fault_of"]

RATES = (8000, 16000, 32000, 48000)
TONES_HZ = (300, 450, 700, 1000, 1500, 2200, 3200)
"""What any door station's loudspeaker plays; multiples of 10 Hz fit a window of 100 ms."""
LEVEL_DB = -12.0
"""Peak of the tones, of full scale."""
QUIET_MS, TONE_MS, GAP_MS, TAIL_MS, RAMP_MS = 300, 200, 60, 300, 10
WINDOW_MS, HOP_MS, LATEST_MS = 100, 10, 250
TOLERANCE_DB = 6.0
"""A tone that differs more is another one."""
ODD_TONES, ODD_DB = 1, 12.0
"""So many tones may differ so much: a room has places where a tone cancels itself."""
STANDS_OUT_DB = 12.0
"""Least distance from the noise of a tone that is heard: the strongest 100 ms of noise alone come to 10 dB."""
JUDGED_DB = STANDS_OUT_DB + TOLERANCE_DB
"""Least distance of the calibrated tone from the noise now: noise alone must not pass for it."""
LEAST_TONES = 4
"""Fewer cannot tell."""
COVER_DB = 6.0
"""The room itself became quieter: something is on the microphone."""
NOISY_DB = -45.0

Reason = Literal["ok", "no_sound", "microphone_covered", "quieter", "changed", "too_noisy"]
REASONS: dict[Reason, str] = {
    "ok": "the loudspeaker works normally",
    "no_sound": "the test tones are not heard: the loudspeaker is broken or not connected",
    "microphone_covered": "tones and the sounds of the place are quieter: the microphone is covered or damaged",
    "quieter": "all tones are quieter: the loudspeaker is covered or damaged, or its volume was turned down",
    "changed": "some tones sound different: the loudspeaker is damaged, was moved, or its surroundings changed",
    "too_noisy": "it is too noisy to hear the test tones; try again when it is quieter",
}


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What the microphone heard; dBFS, one value for each of ``TONES_HZ``."""

    levels_db: tuple[float, ...]
    noise_db: tuple[float, ...]
    """Before the first tone, at the same frequencies."""
    ambient_db: float
    """Of all frequencies together."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of a test."""

    reason: Reason
    differences_db: tuple[float | None, ...]
    """Louder or quieter than when it was calibrated; None: could not be judged."""

    @property
    def passed(self) -> bool:
        """Whether the loudspeaker works normally."""
        return self.reason == "ok"

    @property
    def text(self) -> str:
        """The reason in words."""
        return REASONS[self.reason]


class SpeakerTest:
    """The test signal of a rate (8000, 16000, 32000, 48000), and what a recording of it says. InputError: ``rate``."""

    def __init__(self, rate: int) -> None:
        self.rate = check_rate(rate, RATES)

    @property
    def count(self) -> int:
        """Samples to play, and to record from the first on; whole 10 ms."""
        return (QUIET_MS + len(TONES_HZ) * (TONE_MS + GAP_MS) + TAIL_MS) * self.rate // 1000

    def start_of(self, tone: int) -> int:
        """The first sample of a tone."""
        return (QUIET_MS + tone * (TONE_MS + GAP_MS)) * self.rate // 1000

    @cached_property
    def samples(self) -> array[int]:
        """int16: quiet, the tones with short ramps, quiet."""
        out = array("h", bytes(2 * self.count))
        length, ramp = TONE_MS * self.rate // 1000, RAMP_MS * self.rate // 1000
        peak = 32767 * 10 ** (LEVEL_DB / 20)
        for tone, hertz in enumerate(TONES_HZ):
            start, step = self.start_of(tone), 2 * pi * hertz / self.rate
            for k in range(length):
                edge = min(k, length - 1 - k)
                gain = 0.5 - 0.5 * cos(pi * edge / ramp) if edge < ramp else 1.0
                out[start + k] = round(peak * gain * sin(step * k))
        return out

    def measure(self, recorded: Any) -> Response:
        """What a recording of ``count`` samples (int16) holds. FormatError: it has another length or type."""
        import numpy as np

        heard = np.asarray(recorded)
        if heard.dtype != np.int16 or heard.shape != (self.count,):
            raise FormatError(f"recorded: must be {self.count} samples of int16")
        sound = heard.astype(np.float64) / 32768
        ms = self.rate // 1000
        size, hop = WINDOW_MS * ms, HOP_MS * ms
        window = np.hanning(size + 1)[:size]
        turns = np.arange(size) / self.rate

        def powers(hertz: int, first: int, last: int) -> Any:
            kernel = window * np.exp(-2j * pi * hertz * turns) / (window.sum() / 2)
            starts = range(first, min(last, self.count - size) + 1, hop)
            frames = np.stack([sound[at : at + size] for at in starts])
            return np.square(np.abs(frames @ kernel)) / 2 + 1e-12

        def decibels(power: Any) -> float:
            return round(float(10 * np.log10(power)), 1)

        levels, noise = [], []
        for tone, hertz in enumerate(TONES_HZ):
            start = self.start_of(tone)
            levels.append(decibels(powers(hertz, start, start + (TONE_MS - WINDOW_MS + LATEST_MS) * ms).max()))
            noise.append(decibels(powers(hertz, 0, (QUIET_MS - WINDOW_MS) * ms).mean()))
        ambient = decibels(np.mean(np.square(sound[: QUIET_MS * ms])) + 1e-12)
        return Response(levels_db=tuple(levels), noise_db=tuple(noise), ambient_db=ambient)


def fault_of(response: Response) -> Reason | None:
    """Why a response is no reference to compare with: the tones are not in it. None: it is one."""
    if _standing_out(response) >= LEAST_TONES:
        return None
    return "too_noisy" if response.ambient_db > NOISY_DB else "no_sound"


def compare(reference: Response, heard: Response) -> Verdict:
    """Whether the loudspeaker sounds as it did when it was calibrated, and if not, what is probably wrong."""
    differences = tuple(
        round(level - before, 1) if before - max(noise_before, noise) >= JUDGED_DB else None
        for before, noise_before, level, noise in zip(
            reference.levels_db, _noise(reference), heard.levels_db, _noise(heard), strict=True
        )
    )
    judged = [difference for difference in differences if difference is not None]
    return Verdict(reason=_reason(judged, reference, heard), differences_db=differences)


def _reason(judged: list[float], reference: Response, heard: Response) -> Reason:
    odd = [abs(difference) for difference in judged if abs(difference) > TOLERANCE_DB]
    if len(judged) < LEAST_TONES:
        return "too_noisy"
    if len(odd) <= ODD_TONES and all(difference <= ODD_DB for difference in odd):
        return "ok"
    if max(judged) >= -TOLERANCE_DB:
        return "changed"
    if heard.ambient_db <= reference.ambient_db - COVER_DB:
        return "microphone_covered"
    return "quieter" if _standing_out(heard) >= LEAST_TONES else "no_sound"


def _noise(response: Response) -> list[float]:
    """At the tones; no less than the median of all, as 300 ms tell little of one frequency."""
    least = sorted(response.noise_db)[len(TONES_HZ) // 2]
    return [max(noise, least) for noise in response.noise_db]


def _standing_out(response: Response) -> int:
    pairs = zip(response.levels_db, _noise(response), strict=True)
    return sum(level - noise >= STANDS_OUT_DB for level, noise in pairs)
