"""What a ``Bus`` tells. ``secure`` says whether the data came under the secure channel."""

from __future__ import annotations

import msgspec

from axcore.osdp.codes import AttackKind, LinkState, Why
from axcore.osdp.messages import Message


class BusEvent(msgspec.Struct, frozen=True):
    """``reader`` is the address of the device."""

    reader: int
    t_ns: int


class LinkChanged(BusEvent, frozen=True):
    state: LinkState
    why: Why


class CardRead(BusEvent, frozen=True):
    """``bits`` bits, ``data`` with the first bit most significant, ``value`` as a number. format 1 is Wiegand."""

    bits: int
    value: int
    data: bytes
    format: int
    part: int
    """Reader number inside the device."""
    secure: bool


class KeysPressed(BusEvent, frozen=True):
    keys: str
    part: int
    secure: bool


class ReplyReceived(BusEvent, frozen=True):
    """Any other answer to a poll: states, results, manufacturer data."""

    message: Message | tuple[Message, ...]
    secure: bool


class AttackRefused(BusEvent, frozen=True):
    """Something that must not be was seen, and not accepted. ``code`` is that of the frame."""

    kind: AttackKind
    code: int


class KeyChanged(BusEvent, frozen=True):
    """The device took a new base key: store it."""


class InstallWindow(BusEvent, frozen=True):
    open: bool
    installed: bool
    """It closed because a key was set."""


class FileProgress(BusEvent, frozen=True):
    done: int
    size: int


class LineChanged(BusEvent, frozen=True):
    """The device moved to another address or speed: the line has to follow."""

    address: int
    baud: int


class Malformed(BusEvent, frozen=True):
    """A reply that passed every check but has no sense."""

    code: int
    data: bytes
    reason: str


class EventsLost(BusEvent, frozen=True):
    """Nobody read the events."""

    count: int
