"""What the relays of a door are told: from the state machine's wishes to commands of the board.

An unlocked door is one claim of two kinds on the relay: a *base* that stays (unlocked until told otherwise), and a
*pulse* that ends by itself. An access is a pulse: the I/O thread locks the door on time whatever becomes of Python, and
a process that dies leaves no door open. Active means unlocked (first lock) or double-locked (second lock), whatever
the relay does for it: a fail-safe lock is fed at rest.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from axcore.devices.door import DoorMachine
from axcore.model.doors import LockConfiguration
from axcore.model.ports import Circuit

NS = 1_000_000_000


class Relays(Protocol):
    """What is needed of the board. Lines go by name; ``QueueFullError`` when a command finds no room."""

    def set(self, line: str, active: bool, correlation: str | None) -> None: ...
    def pulse(self, line: str, active: bool, seconds: float, correlation: str | None) -> None: ...
    def end(self, line: str, correlation: str | None) -> None: ...


class Wanted(NamedTuple):
    """What a relay is to do."""

    base: bool = False
    until: int | None = None
    """End of a pulse, monotonic ns."""


REST = Wanted()


def of_lock(door: DoorMachine) -> Wanted:
    """Of the first lock: open as long as anybody may pass, or until the end of an access."""
    return Wanted(door.released, None if door.released else door.unlock_until)


def of_double_lock(door: DoorMachine) -> Wanted:
    """Of the second lock: active while it is locked."""
    return Wanted(door.double.locked)


def normal(lock: LockConfiguration, *, double: bool = False) -> Circuit:
    """COM to NO of a relay at rest: the first lock rests locked, the second open."""
    energised = lock.output(not double)
    return "closed" if energised in ("Closed", "12V") else "open"


def command(
    relays: Relays, line: str, wanted: Wanted, *, before: Wanted | None, now: int, correlation: str | None = None
) -> None:
    """Bring a relay from one to the other (None: whatever it was told). What opens goes before what shuts: no blink."""
    pulse = wanted.until is not None and wanted.until > now
    if pulse and (before is None or wanted.until != before.until):
        assert wanted.until is not None
        relays.pulse(line, True, (wanted.until - now) / NS, correlation)
    if before is None or wanted.base != before.base:
        relays.set(line, wanted.base, correlation)
    if not pulse:
        relays.end(line, correlation)
