"""Telephone events (RFC 4733): the keys of a far telephone, one press and one release each."""

from __future__ import annotations

import msgspec

from axcore._native.rtp import Packet
from axcore._native.rtp_session import KeyReceiver

DIGITS = "0123456789*#ABCD"


class Key(msgspec.Struct, frozen=True):
    """A key went down or up."""

    pressed: bool
    """Down, or up."""
    event: int
    """0 to 15 are DTMF, 16 is flash; others as registered for RFC 4733."""
    volume: int
    """0 to 63: -dBm0"""
    duration: int
    """Ticks so far; when it went up, the whole."""
    timestamp: int
    """RTP timestamp of the press."""
    end_lost: bool
    """It went up because nothing came any more."""
    t_ns: int
    """When it was known."""

    @property
    def digit(self) -> str | None:
        """``0`` to ``9``, ``*``, ``#``, ``A`` to ``D``; None for an event that is no DTMF."""
        return DIGITS[self.event] if self.event < len(DIGITS) else None


class TelephoneEvents:
    """Receiver: one press and one release for each key, however often packets are repeated, late or lost.

    The first source is the only one that is listened to until ``reset``.
    """

    def __init__(self) -> None:
        self._keys = KeyReceiver()

    def feed(self, packet: Packet, now_ns: int) -> list[Key]:
        """A packet of the payload type that was agreed for events. Bad and foreign ones are dropped and counted."""
        return self.feed_payload(packet.ssrc, packet.timestamp, packet.payload, now_ns)

    def feed_payload(self, ssrc: int, timestamp: int, payload: bytes, now_ns: int) -> list[Key]:
        """The same from its parts."""
        return [Key(*key) for key in self._keys.feed(ssrc, timestamp, payload, now_ns)]

    def poll(self, now_ns: int) -> list[Key]:
        """Releases a key whose end was lost (200 ms after its last packet). Call now and then."""
        return [Key(*key) for key in self._keys.poll(now_ns)]

    def reset(self) -> None:
        """Forget the source and the key."""
        self._keys.reset()

    @property
    def stats(self) -> dict[str, int]:
        """Counters: packets, repeated, foreign, malformed."""
        return self._keys.stats
