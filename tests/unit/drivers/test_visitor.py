"""Who talks to a simulated microphone: all of it is said, in order, as fast as the room takes it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import pytest

from axcore.drivers.visitor import FRAME, MOST_FRAMES, Visitor
from axcore.errors import ConflictError, LimitError, QueueFullError, StateError

ROOM = 64


class Room:
    """Takes 64 frames, and plays them when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []
        self.heard = b""
        self.closed = False

    def talk(self, frame: Any) -> None:
        if self.closed:
            raise StateError("the card is closed")
        if len(self.waiting) == ROOM:
            raise QueueFullError("64 frames wait")
        self.waiting.append(frame.tobytes())

    def play(self, frames: int) -> None:
        self.heard += b"".join(self.waiting[:frames])
        del self.waiting[:frames]


class Later:
    """The board's thread, by hand."""

    def __init__(self) -> None:
        self.now, self.jobs = 0.0, list[tuple[float, int, Callable[[], None]]]()

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self.jobs, (self.now + seconds, len(self.jobs), action))

    def run(self, room: Room) -> None:
        """Until nothing is left to do; the room plays in time."""
        while self.jobs:
            at, _, action = heapq.heappop(self.jobs)
            room.play(round((at - self.now) * 100))
            self.now = at
            action()


def said(frames: int, start: int = 0) -> bytes:
    return b"".join(((start + n) % 30_000).to_bytes(2, "little") * (FRAME // 2) for n in range(frames))


def test_what_is_said_is_heard_in_order_and_once() -> None:
    room, later = Room(), Later()
    visitor = Visitor(lambda: room, later)  # type: ignore[arg-type, return-value]
    assert visitor.say(said(300)) == 3.0
    assert visitor.say(said(2, 300) + b"\x07\x00") == 3.03  # the end of a frame is silent
    later.run(room)
    room.play(ROOM)
    assert room.heard == said(302) + b"\x07\x00".ljust(FRAME, b"\0")
    assert visitor.say(said(1)) == 0.01  # and again
    later.run(room)
    assert len(room.waiting) == 1


def test_nobody_listens() -> None:
    visitor = Visitor(lambda: None, Later())
    with pytest.raises(ConflictError, match="there is no call"):
        visitor.say(said(1))


def test_a_minute_may_wait() -> None:
    room, later = Room(), Later()
    visitor = Visitor(lambda: room, later)  # type: ignore[arg-type, return-value]
    visitor.say(said(MOST_FRAMES))
    with pytest.raises(LimitError) as error:
        visitor.say(said(1))
    assert error.value.field == "samples"
    later.run(room)
    assert room.heard + b"".join(room.waiting) == said(MOST_FRAMES)


@pytest.mark.parametrize("gone", [False, True])
def test_a_call_that_ends_ends_the_talk(gone: bool) -> None:
    """``gone``: the card is closed; else it is being closed."""
    room, later = Room(), Later()
    now: list[Room | None] = [room]
    visitor = Visitor(lambda: now[0], later)  # type: ignore[arg-type, return-value]
    visitor.say(said(300))
    later.jobs.pop()[2]()
    room.closed, now[0] = True, None if gone else room
    later.run(room)
    assert len(room.waiting) == ROOM - later.now * 100
    room.closed, now[0] = False, room
    room.waiting.clear()
    assert visitor.say(said(1, 7)) == 0.01  # nothing of the last call is left
    later.run(room)
    assert room.waiting == [said(1, 7)]
