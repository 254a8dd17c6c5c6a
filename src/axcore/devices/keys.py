"""Keys of a telephone as sequences (manual: SIP > DTMF). Sans-I/O and immutable; times are monotonic nanoseconds.

A sequence counts from the first key after a pause, a hit or a miss: what is typed must be the sequence, it is not
looked for in a longer row of keys. It is hit with its last key. Where it is the beginning of a longer one, that one can
still be hit by going on. Keys that begin no sequence are a miss; after ``MOST_MISSES`` no key of the call counts.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

NS = 1_000_000_000
PAUSE_NS = 5 * NS
"""Keys with more than this between them belong to different sequences."""
MOST_MISSES = 10


class Keys(msgspec.Struct, frozen=True):
    """What was typed in one call."""

    typed: str = ""
    last_ns: int = 0
    misses: int = 0

    @property
    def locked(self) -> bool:
        """Too many wrong codes."""
        return self.misses >= MOST_MISSES

    def press(self, key: str, now: int, sequences: Mapping[str, str]) -> tuple[Keys, str | None]:
        """A key was pressed. ``sequences``: id by sequence. Gives the id of the one that was hit."""
        if self.locked:
            return self, None
        before = "" if now - self.last_ns > PAUSE_NS else self.typed
        typed = before + key
        longer = any(sequence.startswith(typed) and sequence != typed for sequence in sequences)
        hit = sequences.get(typed)
        if hit is not None or longer:
            return Keys(typed if longer else "", now, self.misses), hit
        return Keys("", now, self.misses + 1), None
