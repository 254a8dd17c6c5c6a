"""Paths of sound through address translators: the seam to who finds them, and what was told of them.

A path is found before a peer is told where to send; what is found may be less than what was asked for, and a call goes
on with that. Servers that do not answer, logins that are refused and paths that are lost are events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

from axcore.model.nat import Gathered, PathTold, ServerAnswer, Traversal
from axcore.model.voice import AgreedMedia

from . import notices

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

AGAIN_NS: Final = 10_000_000_000
"""A fault that stays is told again after this: six telephones that ring at once are one event."""


class PathFinder(Protocol):
    """Called on the ledger thread; nothing here waits. It calls back from a thread of its own."""

    def listen(self, on_told: Callable[[PathTold], None]) -> None:
        """Tell of what becomes of paths from now on. Set-up."""

    def gather(self, leg: str, port: int, how: Traversal, done: Callable[[Gathered], None]) -> None:
        """Find out where a peer may send what is for RTP port ``port`` of a leg; ``done`` comes, whatever fails."""

    def start(self, leg: str, media: AgreedMedia) -> AgreedMedia:
        """Use a path as agreed; whom the sockets of the leg are to speak with. A leg without a path: as it was."""

    def stop(self, leg: str) -> None:
        """Give a path up. A leg that has none is no error."""


class PathStatus:
    """What was told last. Jobs of the ledger thread; snapshots for any."""

    def __init__(self) -> None:
        self.servers: Mapping[str, ServerAnswer] = {}
        """By kind and name."""
        self.last: PathTold | None = None
        """What became of the last path that ICE looked for."""
        self._faults: Mapping[str, int] = {}

    def gathered(self, tx: Transaction, found: Gathered) -> None:
        """Something was found, or was not."""
        servers = {f"{one.kind} {one.server}": one for one in found.servers}
        tx.assign(self, "servers", servers)
        for key, one in servers.items():
            if not one.ok:
                self._fault(tx, f"{one.kind.upper()} server {key.partition(' ')[2]}: {one.reason}")
        if found.fault:
            self._fault(tx, found.fault)

    def told(self, tx: Transaction, told: PathTold) -> None:
        """A path was chosen, or there is none."""
        tx.assign(self, "last", told)
        if told.what != "chosen":
            self._fault(tx, f"the path of a call is {told.what}: {told.detail}")

    def _fault(self, tx: Transaction, text: str) -> None:
        now = tx.now.mono_ns
        fresh = {key: at for key, at in self._faults.items() if now - at < AGAIN_NS}
        if text not in fresh:
            tx.assign(self, "_faults", {**fresh, text: now})
            tx.publish(notices.fault(f"NAT traversal: {text}"))
