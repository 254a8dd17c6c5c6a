"""What the intercom needs of the sound of a call: one small seam, so that SIP and sound know nothing of each other.

The voice process agrees with the peer on addresses and codecs; sockets, jitter buffers, codecs, SRTP and the pipeline
belong to who implements this. A leg is named by the intercom. ``start`` may come again for a leg that runs: hold,
another codec, another address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from axcore.model.voice import AgreedMedia
from axcore.services.clips.player import Load

OnKey = Callable[[str, str, int], None]
"""Leg, key (0-9, A-D, ``*``, ``#``), monotonic ns when its first packet came. Once for each press. Any thread."""


class MediaPort(Protocol):
    """Called on the ledger thread, after the commit of what it belongs to; nothing here may wait for a network."""

    def listen(self, on_key: OnKey) -> None:
        """Tell of keys (RFC 4733) from now on. Set-up."""

    def open(self, leg: str, port: int) -> None:
        """Bind the RTP port of a leg (RTCP is the next one), before it is told to the peer. OSError if it cannot be."""

    def start(self, leg: str, media: AgreedMedia) -> None:
        """Send and take sound, as agreed. Only packets from the agreed address count."""

    def stop(self, leg: str) -> None:
        """End it, close its port. A leg that is not there is no error."""

    def press(self, leg: str, digits: str) -> None:
        """Send keys (RFC 4733)."""


class SoundPlayer(Protocol):
    """Plays the sounds of a call on the loudspeaker. Called on the ledger thread; nothing waits."""

    def ring(self, load: Load, gain: float, times: int) -> None:
        """Play what ``load`` gives ``times`` times (0: until ``hush``), in place of another sound of a call."""

    def hush(self) -> None:
        """No sound of a call any more."""
