"""SRTP and SRTCP (RFC 3711, RFC 7714)."""

from __future__ import annotations

import enum

from axcore._native.srtp import Context


class Profile(enum.StrEnum):
    """Crypto suites, by their names in SDP (RFC 4568, RFC 7714)."""

    AES_CM_80 = "AES_CM_128_HMAC_SHA1_80"
    AES_CM_32 = "AES_CM_128_HMAC_SHA1_32"
    AES_GCM = "AEAD_AES_128_GCM"

    @property
    def salt_size(self) -> int:
        """Bytes of the master salt; the master key has 16."""
        return 12 if self is Profile.AES_GCM else 14


class SrtpContext:
    """One master key and one direction, for up to 16 sources.

    A packet that is refused raises and changes nothing but a counter: ``FormatError`` (malformed), ``ParityError`` (not
    authentic), ``StateError`` (replayed, or the index was used before), ``QueueFullError`` (a source too many). The key
    cannot be read back.
    """

    def __init__(self, profile: Profile | str, key: bytes, salt: bytes) -> None:
        self._context = Context(str(profile), key, salt)

    def protect(self, packet: bytes) -> bytes:
        """An RTP packet, encrypted and authenticated."""
        return self._context.protect(packet)

    def unprotect(self, packet: bytes) -> bytes:
        """The RTP packet in an SRTP packet."""
        return self._context.unprotect(packet)

    def protect_rtcp(self, packet: bytes) -> bytes:
        """A compound RTCP packet, encrypted and authenticated."""
        return self._context.protect_rtcp(packet)

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """The RTCP packet in an SRTCP packet."""
        return self._context.unprotect_rtcp(packet)

    def set_roc(self, ssrc: int, roc: int, sequence: int = 0) -> None:
        """The rollover counter of a source before its first packet, when signalling tells it."""
        self._context.set_roc(ssrc, roc, sequence)

    @property
    def stats(self) -> dict[str, int]:
        """Counters: packets, malformed, not_authentic, replayed, no_room."""
        return self._context.stats
