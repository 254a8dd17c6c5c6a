"""RTP and RTCP packets as octets (RFC 3550, sections 5.1, 6.4.1, 6.5, 6.6), as far as a sender of events needs them.

Timestamps are 32 bits of a 90 kHz clock (ONVIF Streaming Specification, metadata), counted from a random start.
"""

from __future__ import annotations

import struct
from typing import Final

VERSION: Final = 2
PAYLOAD_TYPE: Final = 98
"""Dynamic (RFC 3551), as in the session description."""
CLOCK_HZ: Final = 90_000
HEADER: Final = 12
"""Octets of a header without contributing sources."""
MAX_PAYLOAD: Final = 65_000
"""Octets; what a UDP datagram and an interleaved frame take, with room for headers."""
_NTP_EPOCH: Final = 2_208_988_800
"""Seconds from 1900 to 1970."""


class Sender:
    """Numbers, dates and counts the packets of one stream. ``start``: random 32 bits for SSRC, sequence and time."""

    def __init__(self, ssrc: int, sequence: int, offset: int) -> None:
        self.ssrc = ssrc & 0xFFFFFFFF
        self.sequence = sequence & 0xFFFF
        """Of the next packet."""
        self.packets = 0
        self.octets = 0
        self._offset = offset & 0xFFFFFFFF

    def timestamp(self, mono_ns: int) -> int:
        """The RTP timestamp of a moment of the monotonic clock."""
        return (self._offset + mono_ns * CLOCK_HZ // 1_000_000_000) & 0xFFFFFFFF

    def packet(self, payload: bytes, mono_ns: int) -> bytes:
        """An RTP packet with a whole document: the marker is set, as on the last packet of each."""
        head = struct.pack(
            "!BBHII", VERSION << 6, 0x80 | PAYLOAD_TYPE, self.sequence, self.timestamp(mono_ns), self.ssrc
        )
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.packets = (self.packets + 1) & 0xFFFFFFFF
        self.octets = (self.octets + len(payload)) & 0xFFFFFFFF
        return head + payload

    def report(self, mono_ns: int, wall_ns: int) -> bytes:
        """A sender report with the canonical name. ``wall_ns``: UTC since 1970."""
        seconds, rest = divmod(wall_ns, 1_000_000_000)
        report = struct.pack(
            "!BBHIIIIII", VERSION << 6, 200, 6, self.ssrc, (seconds + _NTP_EPOCH) & 0xFFFFFFFF,
            (rest << 32) // 1_000_000_000, self.timestamp(mono_ns), self.packets, self.octets,
        )  # fmt: skip
        return report + self._names()

    def bye(self, mono_ns: int, wall_ns: int) -> bytes:
        """The goodbye: a report, then BYE."""
        return self.report(mono_ns, wall_ns) + struct.pack("!BBHI", VERSION << 6 | 1, 203, 1, self.ssrc)

    def _names(self) -> bytes:
        item = b"\x01\x06axcore"
        chunk = struct.pack("!I", self.ssrc) + item
        chunk += bytes(4 - len(chunk) % 4)
        return struct.pack("!BBH", VERSION << 6 | 1, 202, len(chunk) // 4) + chunk


def is_rtcp(data: bytes) -> bool:
    """Whether octets look like RTCP: version 2, a packet type of 192-223, a length that fits."""
    return (
        len(data) >= 8
        and data[0] >> 6 == VERSION
        and 192 <= data[1] <= 223
        and 4 * (int.from_bytes(data[2:4], "big") + 1) <= len(data)
    )
