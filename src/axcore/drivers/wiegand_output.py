"""Frames on DATA0 and DATA1, as pulses of two output lines in the native I/O thread.

Each frame is one sequence of pulses on each line; both begin together, after a pause in which they are started. Frames
that wait are sent one after the other with the gap between them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from axcore.devices.models import WIEGAND_OUTPUT
from axcore.drivers.board import Board
from axcore.errors import QueueFullError, StateError
from axcore.wiegand import EDGE, Bits, Timing, schedule

__all__ = ["WiegandOutput"]

MAX_FRAMES = 64
LEAD_NS = 2_000_000
MAX_BITS = 120
"""Pulses of a line that fit into one sequence."""
Steps = list[tuple[bool, float]]


class WiegandOutput:
    """The data lines of one board. Any thread."""

    def __init__(self, board: Board, timing: Timing | None = None) -> None:
        self._board = board
        self._timing = timing or Timing()
        self._frames: deque[Bits] = deque()
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def send(self, frames: Sequence[Bits]) -> bool:
        """Send frames, in order; False when too many wait, or one is longer than 120 bits."""
        if any(frame.nbits > MAX_BITS for frame in frames):
            return False
        with self._lock:
            if len(self._frames) + len(frames) > MAX_FRAMES:
                return False
            self._frames.extend(frames)
            self._next()
        return True

    def ended(self, line: str) -> None:
        """A line has sent its part of a frame (``Sinks.on_sequence_end``)."""
        with self._lock:
            self._busy.discard(line)
            self._next()

    def _next(self) -> None:
        if self._busy or not self._frames:
            return
        frame = self._frames.popleft()
        for name, line_steps in zip(WIEGAND_OUTPUT, steps(frame, self._timing), strict=True):
            try:
                self._board.sequence(name, line_steps)
                self._busy.add(name)
            except (QueueFullError, StateError):
                self._frames.clear()
                return


def steps(frame: Bits, timing: Timing) -> tuple[Steps, Steps]:
    """What each line does: (active, seconds until the next step). Both take the same time, gap included."""
    end = LEAD_NS + frame.nbits * timing.interval_ns + timing.gap_ns
    plans: tuple[Steps, Steps] = ([], [])
    state = [(False, 0), (False, 0)]
    for t_ns, line, level in EDGE.iter_unpack(schedule(frame, timing=timing)):
        active, since = state[line]
        at = LEAD_NS + t_ns
        plans[line].append((active, (at - since) / 1e9))
        state[line] = (level == 0, at)
    for plan, (active, since) in zip(plans, state, strict=True):
        plan.append((active, (end - since) / 1e9))
    return plans
