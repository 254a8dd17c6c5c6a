"""What a canceller's output is judged by. Signals are float64, full scale 1.0, 16 kHz."""

from __future__ import annotations

import numpy as np
from scipy import linalg, signal

from bench.audio.speech import RATE, Signal

TINY = 1e-12


def db(ratio: float) -> float:
    return float(10 * np.log10(max(ratio, TINY)))


def erle(mic: Signal, out: Signal, since: float, until: float) -> float:
    """Echo return loss enhancement in dB: energy of the microphone over that of the output."""
    a, b = int(since * RATE), int(until * RATE)
    return db(float((mic[a:b] ** 2).sum() / max(float((out[a:b] ** 2).sum()), TINY)))


def time_to_20(mic: Signal, out: Signal, since: float) -> float:
    """Seconds from ``since`` to the end of the first 250 ms that are cancelled by 20 dB."""
    n = RATE // 4
    a = int(since * RATE)
    box = np.ones(n)
    e_mic = signal.oaconvolve(mic[a:] ** 2, box)[n - 1 : mic.size - a]
    e_out = signal.oaconvolve(out[a:] ** 2, box)[n - 1 : mic.size - a]
    good = np.flatnonzero((e_out < e_mic * 0.01) & (e_mic > n * 1e-7))
    return float((good[0] + n) / RATE) if good.size else float("inf")


def projected(near: Signal, out: Signal, taps: int = RATE * 24 // 1000) -> Signal:
    """What of the output is the near signal through a filter of 24 ms: the best one in the least-squares sense."""
    lead = taps // 4
    target = np.concatenate([np.zeros(lead), out])[: out.size]
    n = near.size
    size = 1 << int(np.ceil(np.log2(2 * n)))
    spectrum = np.fft.rfft(near, size)
    auto = np.fft.irfft(np.abs(spectrum) ** 2, size)[:taps]
    cross = np.fft.irfft(np.conj(spectrum) * np.fft.rfft(target, size), size)[:taps]
    auto[0] *= 1 + 1e-9
    h = linalg.solve_toeplitz(auto, cross)
    fitted = signal.oaconvolve(near, h)[:n]
    return np.concatenate([fitted[lead:], np.zeros(lead)])


def sdr(near: Signal, out: Signal) -> tuple[float, float]:
    """Signal to distortion in dB with a 24 ms filter allowed, and the gain of the near signal in dB."""
    fitted = projected(near, out)
    inside = slice(RATE * 24 // 1000, -RATE * 24 // 1000)  # At the ends the filter lacks its past or its future.
    left = float(((out - fitted)[inside] ** 2).sum())
    return (
        db(float((fitted[inside] ** 2).sum() / max(left, TINY))),
        db(float((fitted[inside] ** 2).sum() / (near[inside] ** 2).sum())),
    )


def frames_lost(near: Signal, out: Signal) -> float:
    """Per cent of the 20 ms frames with near speech in which the output is 15 dB or more below it."""
    n = RATE // 50
    size = near.size // n * n
    a = (near[:size].reshape(-1, n) ** 2).mean(1)
    b = (out[:size].reshape(-1, n) ** 2).mean(1)
    active = a > a.mean() * 10**-2.5
    return float(100 * (b[active] < a[active] * 10**-1.5).mean())


def wideband_pesq(near: Signal, out: Signal) -> float:
    from pesq import PesqError, pesq

    score = pesq(RATE, near.astype(np.float32), out.astype(np.float32), "wb", on_error=PesqError.RETURN_VALUES)
    return float(score)


def intelligibility(near: Signal, out: Signal) -> float:
    from pystoi import stoi

    return float(stoi(near, out, RATE, extended=False))
