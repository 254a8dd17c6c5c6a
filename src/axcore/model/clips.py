"""Audio clips: what a device can play besides tones (manual: Audio > Audio clips; VAPIX: Media clip API)."""

from __future__ import annotations

import msgspec

MAX_CLIPS = 50
"""``MediaClip.MaxGroups``; VAPIX leaves it to the product."""
MAX_STORED = 100_000_000
"""Bytes that all clips take together."""
MAX_BYTES = 10_000_000
"""Of a file that is uploaded."""
MAX_SECONDS = 120.0
MAX_NAME = 64
MIN_GAIN_DB, MAX_GAIN_DB = -40.0, 20.0
MAX_VOLUME = 1000
"""Percent, linear."""
MAX_REPEAT = 1_000_000
FOLDER = "/etc/audioclips"
"""Where clips are to those who ask; on the disk they are somewhere else."""


class AudioClip(msgspec.Struct, frozen=True, kw_only=True):
    """A clip as users see it."""

    id: int
    """The number in ``MediaClip.M0``."""
    name: str
    gain: float = 0.0
    """Decibels, for every time that it is played."""
    format: str = "au"
    """Of the file that it came from; ``tone``: delivered with the device."""
    seconds: float

    @property
    def location(self) -> str:
        """What rules and links call it."""
        return f"{FOLDER}/MediaClip.M{self.id}.au"


class StoredClip(AudioClip, frozen=True, kw_only=True):
    """A record."""

    source: str
    """``file:`` and the name of a file in the folder of the clips, or ``tone:`` and the name of a delivered one."""
    size: int = 0
    """Bytes of the file."""


class Playing(msgspec.Struct, frozen=True, kw_only=True):
    """The clip that sounds."""

    clip: int
    name: str
    since_ns: int
    until_ns: int | None
    """Monotonic; None: until it is stopped."""
    owner: str | None = None
    """Who keeps it up: a rule that plays it while it is active."""
    number: int = 0
    """Tells one start from another."""
