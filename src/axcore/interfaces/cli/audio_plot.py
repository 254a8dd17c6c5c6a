"""The picture of ``axcore audio process``: three waveforms, ERLE over time, spectrograms before and after.

numpy is imported when a picture is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from axcore.interfaces.cli.picture import FONT, Canvas, Colour, Pixels, Svg
from axcore.interfaces.cli.spectrogram import spectrogram

if TYPE_CHECKING:
    from axcore.interfaces.cli.audio import Processed

LEFT, WIDE, GAP, TOP, RIGHT = 64, 960, 26, 30, 16
WAVE, ERLE, PICTURE = 96, 130, 170
ERLE_MOST = 60
WINDOW_S = 0.5
"""Over which ERLE is taken."""
GROUND: Colour = (253, 253, 246)
PAPER: Colour = (255, 255, 255)
INK: Colour = (40, 40, 40)
GREY: Colour = (225, 225, 220)
TALK: Colour = (255, 228, 196)
MIC: Colour = (170, 60, 50)
REF: Colour = (110, 110, 110)
OUT: Colour = (30, 110, 70)
LINE: Colour = (40, 80, 170)


def draw(done: Processed, mic: Any, ref: Any, kind: str) -> bytes:
    """The file; ``kind``: ``.png`` or ``.svg``."""
    height = TOP + 3 * (WAVE + GAP) + ERLE + GAP + 2 * (PICTURE + GAP) + 8
    size = (LEFT + WIDE + RIGHT, height)
    canvas: Canvas = Svg(*size, GROUND) if kind == ".svg" else Pixels(*size, GROUND)
    y = _waves(canvas, (("microphone", mic, MIC), ("loudspeaker", ref, REF), ("result", done.out, OUT)))
    _erle(canvas, y, done)
    y += ERLE + GAP
    for name, samples in (("microphone", mic), ("result", done.out)):
        _spectrogram(canvas, y, name, samples, done.rate)
        y += PICTURE + GAP
    _time(canvas, y - GAP, done.seconds)
    return canvas.data()


def waveforms(rows: Sequence[tuple[str, Any, Colour]], seconds: float) -> bytes:
    """An SVG of int16 arrays over the same time, one below the other."""
    canvas = Svg(LEFT + WIDE + RIGHT, TOP + len(rows) * (WAVE + GAP) + 8, GROUND)
    _time(canvas, _waves(canvas, rows) - GAP, seconds)
    return canvas.data()


def _waves(canvas: Canvas, rows: Sequence[tuple[str, Any, Colour]]) -> int:
    y = TOP
    for name, samples, colour in rows:
        _wave(canvas, y, name, samples, colour)
        y += WAVE + GAP
    return y


def _panel(canvas: Canvas, y: int, height: int, title: str) -> None:
    canvas.text(LEFT, y - FONT - 3, title, INK)
    canvas.rect(LEFT, y, WIDE, height, PAPER)


def _wave(canvas: Canvas, y: int, name: str, samples: Any, colour: Colour) -> None:
    import numpy as np

    _panel(canvas, y, WAVE, name)
    edges = np.linspace(0, len(samples), WIDE + 1).astype(int)
    middle = y + WAVE / 2
    canvas.rect(LEFT, middle, WIDE, 1, GREY)
    spans: list[tuple[float, float] | None] = []
    for start, end in pairwise(edges):
        part = samples[start : max(end, start + 1)]
        high, low = float(part.max()) / 32768, float(part.min()) / 32768
        spans.append((middle - high * WAVE / 2, middle - low * WAVE / 2))
    canvas.strokes(LEFT, spans, colour)
    canvas.text(LEFT - 6, y, "+1", INK, right=True)
    canvas.text(LEFT - 6, y + WAVE - FONT, "-1", INK, right=True)


def _erle(canvas: Canvas, y: int, done: Processed) -> None:
    """Microphone over result where the loudspeaker plays; where somebody talks, shaded ground and no curve."""
    import numpy as np

    title = "ERLE, dB (echo taken out, shaded: somebody talks at the microphone)"
    _panel(canvas, y, ERLE, title)
    count = len(done.talking)
    edges = np.linspace(0, count, WIDE + 1).astype(int)
    shaded: list[tuple[float, float] | None] = []
    curve: list[tuple[float, float] | None] = []
    half = max(1, round(WINDOW_S * 50))
    before: float | None = None
    for start, end in pairwise(edges):
        stop = max(end, start + 1)
        shaded.append((y, y + ERLE) if done.talking[start:stop].any() else None)
        found = done.erle_db(slice(max(0, start - half), stop + half))
        if found is None or done.talking[start:stop].all():
            curve.append(None)
            before = None
            continue
        at = y + ERLE * (1 - min(max(found, 0), ERLE_MOST) / ERLE_MOST)
        last = at if before is None else before
        curve.append((min(at, last), max(at, last) + 1))
        before = at
    canvas.strokes(LEFT, shaded, TALK)
    for level in range(0, ERLE_MOST + 1, 20):
        at = y + ERLE * (1 - level / ERLE_MOST)
        canvas.rect(LEFT, min(at, y + ERLE - 1), WIDE, 1, GREY)
        canvas.text(LEFT - 6, min(max(at - FONT / 2, y), y + ERLE - FONT), str(level), INK, right=True)
    canvas.strokes(LEFT, curve, LINE)


def _spectrogram(canvas: Canvas, y: int, name: str, samples: Any, rate: int) -> None:
    top_hz = min(rate / 2, 8000.0)
    _panel(canvas, y, PICTURE, f"{name}, kHz")
    canvas.picture(LEFT, y, WIDE, PICTURE, spectrogram(samples, rate, WIDE, PICTURE, top_hz=top_hz))
    for khz in range(0, round(top_hz / 1000) + 1, 2):
        at = y + PICTURE * (1 - khz * 1000 / top_hz)
        canvas.text(LEFT - 6, min(max(at - FONT / 2, y), y + PICTURE - FONT), str(khz), INK, right=True)


def _time(canvas: Canvas, y: int, seconds: float) -> None:
    step = next((s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 1800) if seconds / s <= 12), 3600)
    for k in range(int(seconds / step) + 1):
        x = LEFT + k * step / seconds * WIDE
        canvas.rect(min(x, LEFT + WIDE - 1), y, 1, 4, INK)
        canvas.text(x + (0 if k == 0 else 3), y + 6, f"{k * step:g} s", INK)
