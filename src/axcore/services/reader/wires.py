"""What the service needs of the ways to a controller; drivers and the client of the network give it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from axcore.devices.reader import ReaderStatus
from axcore.model.credentials import CredentialRead
from axcore.services.reader.lamp import Beep
from axcore.services.reader.settings import ReaderSettings
from axcore.wiegand import Bits


class OsdpWire(Protocol):
    """A peripheral device on a line. Any thread."""

    @property
    def status(self) -> ReaderStatus: ...

    def card(self, bits: Bits, *, wiegand: bool) -> bool:
        """False: nobody polls, and it is dropped."""

    def keys(self, text: str) -> bool: ...

    def input(self, number: int, active: bool) -> None: ...

    def tamper(self, active: bool) -> None: ...

    def set_key(self, key: bytes) -> None: ...

    def install(self, seconds: float) -> None: ...


class WiegandWire(Protocol):
    """DATA0 and DATA1. Any thread."""

    def send(self, frames: Sequence[Bits]) -> bool:
        """False: there is no room, and they are dropped."""


class VapixWire(Protocol):
    """A client of a controller on the network. Any thread."""

    def card(self, read: CredentialRead, bits: Bits | None) -> bool: ...

    def pin(self, digits: str) -> bool: ...

    def rex(self) -> bool: ...


class Wires(Protocol):
    """The connections as they are now. ``connect`` makes them anew and is an effect of a commit."""

    @property
    def osdp(self) -> OsdpWire | None: ...

    @property
    def wiegand(self) -> WiegandWire | None: ...

    @property
    def vapix(self) -> VapixWire | None: ...

    def connect(self, settings: ReaderSettings) -> None: ...

    def beep(self, beep: Beep | None) -> None:
        """Have the beeper sound so (None: not at all)."""
