"""What is to be delivered, and how it is told that it could not be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from axcore.errors import AxError
from axcore.model.actions import EmailNotification, HttpNotification, SendFiles, SnmpTrap, TcpNotification
from axcore.model.events import Event

Message = HttpNotification | TcpNotification | EmailNotification | SendFiles | SnmpTrap


class DeliveryError(AxError):
    """A message could not be delivered. ``transient``: nothing was taken yet, and another attempt may succeed."""

    def __init__(self, reason: str, *, transient: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.transient = transient


class RefusedError(DeliveryError):
    """The access list keeps recipients away from this address."""


def _unheard(_reason: str) -> None:
    """Nobody asked."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message for a recipient, as the rule that fired asked for it; modifiers are still in it."""

    recipient: str
    """Id of a recipient; ``""`` = the receiver of SNMP traps."""
    message: Message
    wall_ns: int
    """When the rule fired (ns since 1970, UTC): what % modifiers tell."""
    rule: str = ""
    """Id of the rule."""
    rule_name: str = ""
    event: Event | None = None
    """What fired the rule."""
    sequence: int = 0
    """Unique number for file names, rising across restarts."""
    failed: Callable[[str], None] = _unheard
    """``Run.failed``; any thread."""


@dataclass(frozen=True)
class File:
    """A file to send."""

    name: str
    """Safe as one part of a path."""
    content: bytes
    content_type: str = "application/octet-stream"
    folder: tuple[str, ...] = ()
    """Folders below that of the recipient; made where they are missing."""
