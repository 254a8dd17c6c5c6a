"""Keys of a telephone as sequences (manual: SIP > DTMF). Sans-I/O and immutable; times are monotonic nanoseconds.

A sequence counts from the first key after a pause, a hit or a miss: what is typed must be the sequence, it is not
looked for in a longer row of keys. It is hit with its last key. Where it is the beginning of a longer one, that one can
still be hit by going on. A key that leads to no sequence makes a wrong code of what was typed; as many keys as the
shortest sequence has, one after the other, are one wrong code and not several. Wrong codes are counted over all calls:
after ``MOST_WRONG`` within ``MEMORY_NS`` no key counts for ``LOCK_NS``.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

NS = 1_000_000_000
PAUSE_NS = 5 * NS
"""Keys with more than this between them belong to different sequences."""
MOST_WRONG = 5
MEMORY_NS = 600 * NS
"""A wrong code is forgotten after this."""
LOCK_NS = 60 * NS
ECHO_NS = NS // 2
"""The same key by RFC 4733 and by INFO within this time is one key."""
MOST_ALONE = 32


class Heard(msgspec.Struct, frozen=True):
    """Keys of a telephone that may send each of them both ways: by RFC 4733, and by INFO.

    Each way keeps its order, so that a key is the echo of the oldest one that waits for it. What cannot be told apart:
    the same key, twice within ``ECHO_NS``, once by one way only and then by the other one only. That is one key.
    """

    alone: tuple[tuple[str, str, int], ...] = ()
    """Those that may still have an echo, oldest first: key, way, time."""

    def press(self, key: str, way: str, now: int) -> tuple[Heard, bool]:
        """A key came by a way. Gives whether it is one, and not the echo of one that was there."""
        alone = tuple(one for one in self.alone if abs(now - one[2]) < ECHO_NS)
        echoed = next((at for at, one in enumerate(alone) if one[0] == key and one[1] != way), None)
        if echoed is None:
            return Heard((*alone, (key, way, now))[-MOST_ALONE:]), True
        # The other way has gone past those before it: they have no echo any more.
        return Heard(tuple(one for at, one in enumerate(alone) if one[1] == way or at > echoed)), False


class Wrong(msgspec.Struct, frozen=True):
    """The wrong codes that are remembered, and the lock that they have led to."""

    at: tuple[int, ...] = ()
    until_ns: int = 0

    def locked(self, now: int) -> bool:
        """No key counts now."""
        return now < self.until_ns

    def another(self, now: int) -> Wrong:
        """A wrong code was typed. A right one makes up for none."""
        at = (*(before for before in self.at if now - before < MEMORY_NS), now)
        return Wrong(at) if len(at) < MOST_WRONG else Wrong((), now + LOCK_NS)


class Keys(msgspec.Struct, frozen=True):
    """What was typed in one call."""

    typed: str = ""
    last_ns: int = 0
    missed: bool = False
    """The last key made it a wrong code."""
    since: int = 0
    """Keys from the one on that did so last; 0: there is none, or a pause or a hit was after it."""

    def press(self, key: str, now: int, sequences: Mapping[str, str]) -> tuple[Keys, str | None]:
        """A key was pressed. ``sequences``: id by sequence. Gives the id of the one that was hit."""
        goes_on = now - self.last_ns <= PAUSE_NS
        typed = (self.typed if goes_on else "") + key
        longer = any(sequence.startswith(typed) and sequence != typed for sequence in sequences)
        hit = sequences.get(typed)
        since = self.since + 1 if goes_on and self.since and hit is None else 0
        missed = hit is None and not longer and not 0 < since <= min(map(len, sequences), default=0)
        return Keys(typed if longer else "", now, missed, 1 if missed else since), hit
