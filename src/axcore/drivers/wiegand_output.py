"""Frames on DATA0 and DATA1: the native I/O thread sends them, and has the clock of both lines."""

from __future__ import annotations

from collections.abc import Sequence

from axcore.devices.models import WIEGAND_OUTPUT
from axcore.drivers.board import Board
from axcore.errors import QueueFullError, RangeError
from axcore.wiegand import Bits, Timing

__all__ = ["WiegandOutput"]


class WiegandOutput:
    """The data lines of one board (``services.reader.WiegandWire``). Any thread."""

    def __init__(self, board: Board, timing: Timing | None = None) -> None:
        self._board = board
        self._timing = timing or Timing()

    def send(self, frames: Sequence[Bits]) -> bool:
        """Send frames, in order; False when too many wait (64), or one is longer than 256 bits."""
        try:
            self._board.send(WIEGAND_OUTPUT, frames, self._timing)
        except (QueueFullError, RangeError):
            return False
        return True
