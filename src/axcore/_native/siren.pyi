"""Siren tones. Public face: ``axcore.siren``."""

from collections.abc import Sequence
from typing import Self

from typing_extensions import Buffer, disjoint_base

VOICES: int
SEGMENTS: int
SETS: int
PARTIALS: int
INTENSITIES: int
INTENSITY_DB: int
MAX_POS: int
LEVELS: tuple[str, ...]

@disjoint_base
class Clip:
    def __new__(cls, samples: Buffer, start: int = 0, gain: float = 1.0, repeat: bool = False) -> Self: ...
    def __len__(self) -> int: ...
    @property
    def start(self) -> int: ...

@disjoint_base
class Generator:
    def __new__(
        cls, voices: Sequence[Sequence[tuple[int, ...]]], sets: Sequence[Sequence[float]], rate: int
    ) -> Self: ...
    @property
    def cycle(self) -> int: ...
    def set_level(self, level: int) -> None: ...
    def render(
        self,
        pos: int,
        out: Buffer,
        intensity: int = 5,
        end: int | None = None,
        dither: bool = False,
        clip: Clip | None = None,
    ) -> int: ...
