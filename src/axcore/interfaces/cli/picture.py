"""Drawings as SVG or PNG from the same strokes: rectangles, vertical strokes, text, pictures in the picture.

The PNG has a small font of its own: capital letters, digits and a few signs; other letters are written as capitals.
Units: pixels from the top left. numpy is imported when a PNG is drawn.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Protocol
from xml.sax.saxutils import escape

from axcore.interfaces.cli.png import png

Colour = tuple[int, int, int]
FONT = 11
"""Pixels of a line of text."""

# Three columns by five rows; a row is one octal digit.
_GLYPHS = {
    "0": "75557", "1": "26227", "2": "71747", "3": "71717", "4": "55711", "5": "74717", "6": "74757", "7": "71122",
    "8": "75757", "9": "75717", "A": "25755", "B": "65656", "C": "34443", "D": "65556", "E": "74647", "F": "74644",
    "G": "34553", "H": "55755", "I": "72227", "J": "11152", "K": "55655", "L": "44447", "M": "57755", "N": "65555",
    "O": "25552", "P": "65644", "Q": "25563", "R": "65655", "S": "34216", "T": "72222", "U": "55557", "V": "55552",
    "W": "55775", "X": "55255", "Y": "55222", "Z": "71247", "-": "00700", ".": "00002", ",": "00024", ":": "02020",
    "/": "11244", "%": "51245", "(": "24442", ")": "21112", "+": "02720", "=": "07070", "_": "00007",
}  # fmt: skip
_SCALE = 2


class Canvas(Protocol):
    """Where to draw."""

    def rect(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A filled rectangle."""

    def strokes(self, x: float, spans: Sequence[tuple[float, float] | None], colour: Colour) -> None:
        """A vertical stroke per pixel from ``x`` on: from top to bottom; None: nothing is drawn there."""

    def text(self, x: float, y: float, words: str, colour: Colour, *, right: bool = False) -> None:
        """A line of text whose top is ``y``; ``right``: it ends at ``x``."""

    def picture(self, x: int, y: int, width: int, height: int, rgb: bytes) -> None:
        """Three bytes a pixel."""

    def data(self) -> bytes:
        """The file."""


class Svg:
    """A drawing of strokes that stay sharp."""

    def __init__(self, width: int, height: int, ground: Colour) -> None:
        self._lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" font-family="sans-serif" font-size="{FONT}">'
        ]
        self.rect(0, 0, width, height, ground)

    def rect(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        self._lines.append(f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{_hex(colour)}"/>')

    def strokes(self, x: float, spans: Sequence[tuple[float, float] | None], colour: Colour) -> None:
        drawn = [(x + i + 0.5, span) for i, span in enumerate(spans) if span]
        path = "".join(f"M{at:g} {top:.1f}V{max(bottom, top + 1):.1f}" for at, (top, bottom) in drawn)
        self._lines.append(f'<path d="{path}" stroke="{_hex(colour)}" stroke-width="1.1" fill="none"/>')

    def text(self, x: float, y: float, words: str, colour: Colour, *, right: bool = False) -> None:
        anchor = ' text-anchor="end"' if right else ""
        place = f'x="{x:g}" y="{y + FONT - 2:g}"'
        self._lines.append(f'<text {place} fill="{_hex(colour)}"{anchor}>{escape(words)}</text>')

    def picture(self, x: int, y: int, width: int, height: int, rgb: bytes) -> None:
        link = "data:image/png;base64," + base64.b64encode(png(width, height, rgb)).decode()
        self._lines.append(f'<image x="{x}" y="{y}" width="{width}" height="{height}" href="{link}"/>')

    def data(self) -> bytes:
        return "\n".join([*self._lines, "</svg>", ""]).encode()


class Pixels:
    """A drawing of pixels."""

    def __init__(self, width: int, height: int, ground: Colour) -> None:
        import numpy as np

        self._width, self._height = width, height
        self._pixels: Any = np.empty((height, width, 3), np.uint8)
        self._pixels[:] = ground

    def rect(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        self._pixels[round(y) : round(y + height), round(x) : round(x + width)] = colour

    def strokes(self, x: float, spans: Sequence[tuple[float, float] | None], colour: Colour) -> None:
        for i, span in enumerate(spans):
            if span:
                self.rect(x + i, span[0], 1, max(span[1] - span[0], 1), colour)

    def text(self, x: float, y: float, words: str, colour: Colour, *, right: bool = False) -> None:
        step = 4 * _SCALE
        left = round(x) - (step * len(words) if right else 0)
        for at, sign in enumerate(words.upper()):
            for row, bits in enumerate(_GLYPHS.get(sign, "00000")):
                for column in range(3):
                    if int(bits, 8) >> (2 - column) & 1:
                        self.rect(left + at * step + column * _SCALE, y + row * _SCALE, _SCALE, _SCALE, colour)

    def picture(self, x: int, y: int, width: int, height: int, rgb: bytes) -> None:
        import numpy as np

        self._pixels[y : y + height, x : x + width] = np.frombuffer(rgb, np.uint8).reshape(height, width, 3)

    def data(self) -> bytes:
        return png(self._width, self._height, self._pixels.tobytes())


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
