"""MQTT packets out of a stream of bytes (MQTT 3.1.1, section 2.2): bounded whatever the broker claims. Sans-I/O.

A PUBLISH that is larger than ``MAX_PACKET`` is not kept: its head is handed over at once (so that it can be
acknowledged and does not come again for ever), the rest is thrown away as it arrives. Any other packet of that size is
an error.
"""

from __future__ import annotations

from typing import NamedTuple

MAX_PACKET = 65_536
"""Octets after the fixed header."""
HEAD = 8_192
"""Octets of a PUBLISH that is too large that are handed over: topic and packet id, and what properties there are."""
PUBLISH = 0x30


class ProtocolError(Exception):
    """The broker does not speak MQTT."""


class Packet(NamedTuple):
    """``whole`` is False for the head of a PUBLISH that is too large."""

    command: int
    body: bytes
    whole: bool


class Splitter:
    """``feed`` bytes, then ``next`` until it gives None."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0
        self._skip = 0

    def __len__(self) -> int:
        """Octets that wait."""
        return len(self._buffer) - self._at

    def feed(self, data: bytes) -> None:
        """Add what came."""
        if self._skip:
            cut = min(self._skip, len(data))
            self._skip -= cut
            data = data[cut:]
        self._buffer += data

    def next(self) -> Packet | None:
        """The next packet that is complete. Raises ProtocolError."""
        buffer, at = self._buffer, self._at
        size = shift = 0
        end = at + 1
        while True:
            if end >= len(buffer):
                return self._wait()
            octet = buffer[end]
            end += 1
            size |= (octet & 127) << shift
            if not octet & 128:
                break
            shift += 7
            if shift > 21:
                raise ProtocolError("a packet's length has more than four octets")
        command = buffer[at]
        if size > MAX_PACKET:
            return self._large(command, end, size)
        if len(buffer) - end < size:
            return self._wait()
        body = bytes(buffer[end : end + size])
        self._at = end + size
        return Packet(command, body, True)

    def _large(self, command: int, end: int, size: int) -> Packet | None:
        if command & 0xF0 != PUBLISH:
            raise ProtocolError(f"a packet of type {command >> 4} says that it has {size} octets")
        if len(self._buffer) - end < HEAD:
            return self._wait()
        body = bytes(self._buffer[end : end + HEAD])
        rest = self._buffer[end + HEAD :]
        left = size - HEAD
        self._buffer, self._at, self._skip = rest[left:], 0, max(0, left - len(rest))
        return Packet(command, body, False)

    def _wait(self) -> Packet | None:
        """Nothing complete: give back the memory of what was taken."""
        if self._at:
            del self._buffer[: self._at]
            self._at = 0
        return None
