"""What the light did and what was heard, from the captures of a running device: for tests, demos and benches.

    with SignalReader(data_dir) as signal:
        ...
        frames = signal.frames()          # all that are still there
        assert frames[-1].lit

The reader keeps the memory, so that it sees the last frame even when the device is killed.
Times: ns of CLOCK_MONOTONIC.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, TypeVar

from axcore.drivers.capture import LIGHT_RING, SOUND_RING, Capture, Record

__all__ = ["Block", "Frame", "SignalReader", "gaps", "jitter"]


_T = TypeVar("_T", "Frame", "Block")


class Frame(NamedTuple):
    """A frame of the light."""

    number: int
    t_ns: int
    """When it was due."""
    done_ns: int
    """When it was given out."""
    rgb: bytes
    """Codes of each LED."""

    @property
    def lit(self) -> bool:
        """Whether any LED gives light."""
        return any(self.rgb)

    def section(self, number: int, sections: int = 12) -> tuple[float, float, float]:
        """Mean of a section (from 0), 0..1."""
        size = len(self.rgb) // sections
        part = self.rgb[number * size : (number + 1) * size]
        red, green, blue = (sum(part[c::3]) / (255 * (size // 3)) for c in range(3))
        return red, green, blue


class Block(NamedTuple):
    """A block of sound."""

    number: int
    t_ns: int
    """Time of its first sample."""
    done_ns: int
    samples: array[int]
    """int16."""


class SignalReader:
    """Both captures of the device with this data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.light = Capture(data_dir / LIGHT_RING)
        self.sound = Capture(data_dir / SOUND_RING)

    def __enter__(self) -> SignalReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the memory go."""
        self.light.close()
        self.sound.close()

    def frames(self, since: int = 0) -> list[Frame]:
        """Frames after that number which are still there, oldest first."""
        return [Frame(*record) for record in self.light.since(since)]

    def blocks(self, since: int = 0) -> list[Block]:
        """Blocks of sound after that number; none is made in silence."""
        return [_block(record) for record in self.sound.since(since)]

    def wait_frame(self, what: Callable[[Frame], bool], since: int = 0, timeout: float = 60.0) -> Frame:
        """The first frame after ``since`` that ``what`` holds for; TimeoutError."""
        return self._wait(self.frames, what, since, timeout)

    def wait_block(self, what: Callable[[Block], bool], since: int = 0, timeout: float = 60.0) -> Block:
        """Likewise for sound."""
        return self._wait(self.blocks, what, since, timeout)

    @staticmethod
    def _wait(read: Callable[[int], list[_T]], what: Callable[[_T], bool], since: int, timeout: float) -> _T:
        deadline = time.monotonic() + timeout
        while True:
            for found in read(since):
                if what(found):
                    return found
                since = found.number
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout:g} s")
            time.sleep(0.002)


def _block(record: Record) -> Block:
    return Block(record.number, record.t_ns, record.done_ns, array("h", record.data))


def jitter(frames: list[Frame]) -> list[int]:
    """How late each frame was given out, ns after it was due."""
    return [frame.done_ns - frame.t_ns for frame in frames]


def gaps(frames: list[Frame]) -> list[int]:
    """Times between frames that follow one another, ns."""
    return [later.t_ns - earlier.t_ns for earlier, later in pairwise(frames)]
