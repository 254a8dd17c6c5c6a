"""A delivery made ready to go: modifiers replaced, files made. What the senders take."""

from __future__ import annotations

from dataclasses import dataclass, field

from .delivery import File


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """Which fields are used is for the kind of recipient; ``files`` and ``text`` may both be there (email)."""

    method: str = "GET"
    """HTTP: GET, POST or PUT."""
    query: str = ""
    """HTTP: added to the address."""
    text: str = ""
    """Body or message."""
    content_type: str = "text/plain; charset=utf-8"
    subject: str = ""
    """Email."""
    files: tuple[File, ...] = field(default=())
    number: int = 0
    """Of the delivery, rising."""
    test: bool = False
    """Sent by *Test*."""
