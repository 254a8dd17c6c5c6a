"""The lights and the buzzer of a Wiegand reader: open-drain lines of the board (manual: Reader connector).

LED 1 is red, LED 2 is green. Only pulses and sequences are used: the lines come to rest by themselves.
"""

from __future__ import annotations

from typing import Literal

from axcore.devices import ReaderSpec
from axcore.drivers.board import Board
from axcore.errors import StateError

GRANTED_S, DENIED_S = 2.0, 1.0
BEEP_S = 0.1
MORE: tuple[tuple[bool, float], ...] = ((True, 0.25), (False, 0.25)) * 4
DENIED: tuple[tuple[bool, float], ...] = ((True, BEEP_S), (False, BEEP_S)) * 3


class ReaderLines:
    """A ``ReaderPort`` on Wiegand lines."""

    def __init__(self, board: Board, spec: ReaderSpec) -> None:
        assert spec.lines is not None
        self._board = board
        self._red, self._green, self._buzzer, _ = spec.lines

    def show(self, signal: Literal["granted", "denied", "more"]) -> None:
        """Light and sound. Any thread. QueueFullError when the board has no room."""
        board = self._board
        if signal == "granted":
            board.end(self._red)
            board.pulse(self._green, True, GRANTED_S)
            board.pulse(self._buzzer, True, BEEP_S)
            return
        line, steps = (self._green, MORE) if signal == "more" else (self._buzzer, DENIED)
        if signal == "denied":
            board.end(self._green)
            board.pulse(self._red, True, DENIED_S)
        try:
            board.sequence(line, steps)
        except StateError:
            return  # it is still saying so
