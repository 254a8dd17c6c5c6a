"""A spectrogram as an RGB picture: time to the right, frequency upwards, 80 dB from dark to bright.

numpy is imported when a picture is made.
"""

from __future__ import annotations

from typing import Any

__all__ = ["HEIGHT", "TOP_HZ", "WIDTH", "spectrogram"]

WIDTH, HEIGHT = 960, 400
TOP_HZ = 5000.0
"""Or half the sample rate, if that is less."""
RANGE_DB = 80.0
WINDOW_S = 0.03
COLOURS = ((8, 8, 24), (60, 20, 110), (170, 40, 110), (240, 120, 40), (255, 250, 200))


def spectrogram(samples: Any, rate: int, width: int = WIDTH, height: int = HEIGHT, *, top_hz: float = TOP_HZ) -> bytes:
    """``width * height`` pixels of 3 bytes, rows from the top. ``samples``: int16, at least one."""
    import numpy as np

    data = np.frombuffer(samples, np.int16) / 32768.0
    size = 1 << int(WINDOW_S * rate).bit_length()
    window = np.blackman(size)
    padded = np.concatenate([np.zeros(size // 2), data, np.zeros(size)])
    starts = np.linspace(0, max(len(data) - 1, 0), width).astype(int)
    fft = 4 * size
    rows = np.linspace(min(top_hz, rate / 2), 0, height) * fft / rate
    bins = np.clip(rows.round().astype(int), 0, fft // 2)
    levels = np.empty((height, width))
    for x, start in enumerate(starts):
        spectrum = np.abs(np.fft.rfft(padded[start : start + size] * window, fft))[bins]
        levels[:, x] = 20 * np.log10(spectrum / (window.sum() / 2) + 1e-9)
    shade = np.clip(levels / RANGE_DB + 1, 0, 1) * (len(COLOURS) - 1)
    points = np.arange(len(COLOURS))
    channels = [np.interp(shade, points, [colour[i] for colour in COLOURS]) for i in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8).tobytes()
