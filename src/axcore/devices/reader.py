"""A reader as a door controller sees it, whatever wire it is on: OSDP, Wiegand, the network.

``ReaderPort`` takes feedback; what the reader sees comes back through ``ReaderSinks``, each of which is the body of a
ledger job.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from axcore.model.credentials import CredentialRead

ReaderLink = Literal["offline", "clear", "secure", "install"]
"""``clear``: on line without a secure channel; ``install``: with the published key, inside the install window."""
ReaderSignal = Literal["granted", "denied", "more"]
"""What a reader tells a person: come in; no; and what else?"""
ReaderColor = Literal["black", "red", "green", "amber", "blue", "magenta", "cyan", "white"]

Tx = Any
"""A transaction of the ledger."""


class LedSignal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an LED of a reader shows. Without ``seconds`` it stays; with them, what was before comes back."""

    color: ReaderColor
    off_color: ReaderColor = "black"
    on: float = 0.0
    """Seconds; with ``on`` and ``off`` above 0 it blinks (steps of 0.1 s)."""
    off: float = 0.0
    seconds: float = 0.0
    led: int = 0


class BeepSignal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tones of a reader. ``count`` 0 = until the next signal; ``on`` 0 = silence."""

    on: float = 0.1
    off: float = 0.1
    count: int = 1


class ReaderSign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Light and sound together; None = without."""

    led: LedSignal | None = None
    beep: BeepSignal | None = None


class ReaderFeedback(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a reader shows what came of a card, and what its LED shows when nobody is there."""

    idle: ReaderColor | None = None
    """None: what the reader shows by itself."""
    granted: ReaderSign = ReaderSign(led=LedSignal(color="green", seconds=2), beep=BeepSignal(on=0.1, count=1))
    denied: ReaderSign = ReaderSign(led=LedSignal(color="red", seconds=1), beep=BeepSignal(on=0.1, off=0.1, count=3))
    more: ReaderSign = ReaderSign(
        led=LedSignal(color="green", on=0.3, off=0.3, seconds=3), beep=BeepSignal(on=0.1, count=1)
    )


class ReaderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the line to a reader stands."""

    link: ReaderLink = "offline"
    why: str = ""
    """What brought it there: ``silence``, ``restart``, ``handshake``, ``nak``, ``attack``, ``rekey``, ``insecure``."""
    tamper: bool = False
    power_fault: bool = False

    @property
    def online(self) -> bool:
        return self.link != "offline"


class ReaderIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader or a module says of itself."""

    vendor: str
    """OUI, hexadecimal."""
    model: int
    version: int
    serial: int
    firmware: str


class ReaderPort(Protocol):
    """A reader. Any thread; feedback to a reader that is off line is dropped, but what an LED shows for good is shown
    when it is back."""

    @property
    def index(self) -> int:
        """Number of the reader in its device."""

    @property
    def status(self) -> ReaderStatus: ...

    def show(self, signal: ReaderSignal) -> None:
        """Light and sound of an answer."""

    def led(self, signal: LedSignal) -> None: ...

    def beep(self, signal: BeepSignal) -> None: ...

    def text(self, text: str, seconds: float = 0.0) -> None:
        """Show a text, where there is a display. ``seconds`` 0 = for good."""


@dataclass(frozen=True, kw_only=True)
class ReaderSinks:
    """Who is told what readers saw. ``int`` is the index of the reader."""

    on_read: Callable[[Tx, CredentialRead], object]
    """A card; ``secure`` data came over a secure channel only if the status says so."""
    on_keys: Callable[[Tx, int, str, int], object]
    """Keys (``0``-``9``, ``*``, ``#``) at a time in ns."""
    on_status: Callable[[Tx, int, ReaderStatus], object]
    on_inputs: Callable[[Tx, int, tuple[bool, ...]], object]
    """Inputs of the reader (a request to exit, say), each active or not."""
    on_attack: Callable[[Tx, int, str, int], object]
    """Something that must not be was seen and refused: its kind, the code of the frame."""
    on_key_set: Callable[[Tx, int, bytes], object]
    """The reader has taken a new base key: keep it."""
    on_install: Callable[[Tx, int, bool, bool], object]
    """The install window opened or closed; whether a key was set in it."""
    on_moved: Callable[[Tx, int, int, int], object]
    """The reader has taken a new address and speed."""
    on_lost: Callable[[Tx, int], object]
    """So many events found no room."""
