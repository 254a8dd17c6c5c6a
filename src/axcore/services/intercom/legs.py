"""The legs of calls on the wire: which voice process has which, its RTP port, and what processes and sound are told.

What is told, and sockets that are opened, wait for the commit. A leg is named by its call; the processes name legs that
came to them themselves (``Legs.name``). Jobs of the ledger thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.model.intercom import Target
from axcore.model.voice import AgreedMedia, Answer, Command, HangUp, Invite, LocalMedia, Ready

from .accounts import INCOMING_SLOT
from .lines import LineDriver, Lines
from .media import MediaPort

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

Submit = Callable[[Callable[["Transaction"], Any]], object]
Over = Callable[["Transaction", str, str], object]
"""A leg has ended, and why."""


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """A leg on the wire."""

    line: int
    name: str
    """As its process calls it."""
    port: int
    media: AgreedMedia | None = None


class Legs:
    """See the module's text.

    Args:
        submit: takes jobs for the ledger thread.
        start_port: the first RTP port, now.
        ended: told when a process has gone before it could be told something.
        silent: told when a leg can have no sound.
    """

    def __init__(self, submit: Submit, start_port: Callable[[], int], ended: Over, silent: Over) -> None:
        self._submit, self._start_port = submit, start_port
        self._on_ended, self._on_silent = ended, silent
        self._driver: LineDriver | None = None
        self._media: MediaPort | None = None
        self._lines = Lines()
        self._wires: dict[str, Wire] = {}
        self._slot = 0
        """Of the RTP port that is tried first."""

    def attach(self, driver: LineDriver, media: MediaPort | None) -> None:
        """Connect processes and sound (set-up)."""
        self._driver, self._media = driver, media

    # --- any thread

    @property
    def ready(self) -> tuple[Ready | None, ...]:
        """What the voice processes can do; None for one that does not run."""
        return self._lines.ready

    @property
    def audible(self) -> bool:
        """Whether there is sound for calls."""
        return self._media is not None

    # --- processes

    def up(self, tx: Transaction, line: int, ready: Ready) -> None:
        """A process says what it is."""
        tx.assign(self, "_lines", self._lines.up(line, ready))

    def down(self, tx: Transaction, line: int) -> Iterable[str]:
        """A process is gone: these legs with it."""
        tx.assign(self, "_lines", self._lines.down(line))
        return [leg for leg, wire in self._wires.items() if wire.line == line]

    def tell(self, line: int, command: Command, lost: Callable[[], object] = lambda: None) -> None:
        """Give a process a command, now; ``lost`` is called when there is nobody to take it."""
        if self._driver is None or not self._driver.send(line, command):
            lost()

    # --- legs

    def name(self, line: int, name: str) -> str:
        """How a leg is called here: outgoing ones have the name that they were given."""
        wire = self._wires.get(name)
        return name if wire is not None and wire.line == line else f"{line}/{name}"

    def add(self, tx: Transaction, line: int, name: str, port: int) -> str:
        """A leg has come to a process; its name here."""
        leg = f"{line}/{name}"
        self._keep(tx, leg, Wire(line=line, name=name, port=port))
        return leg

    def dial(self, tx: Transaction, leg: str, target: Target) -> None:
        """Call somebody. ConflictError: no process has a free call."""
        line = self._lines.choose(tuple(wire.line for wire in self._wires.values()))
        port = self._free_port(tx)
        self._keep(tx, leg, Wire(line=line, name=leg, port=port))
        self.open(tx, leg)
        media = LocalMedia(port=port)
        self.command(tx, leg, lambda name: Invite(leg=name, account=target.account, uri=target.uri, media=media))

    def command(self, tx: Transaction, leg: str, make: Callable[[str], Command]) -> None:
        """Tell the process of a leg something; ``make`` gets the process's name of the leg."""
        wire = self._wires.get(leg)
        if wire is None:
            return
        tx.after_commit(partial(self._say, leg, wire.line, make(wire.name)))

    def open(self, tx: Transaction, leg: str, then: Command | None = None) -> None:
        """Bind the port of a leg; ``then``: what its process is told if that was done."""
        wire, media = self._wires[leg], self._media
        assert media is not None

        def act() -> None:
            try:
                media.open(leg, wire.port)
            except OSError as error:
                reason = f"RTP port {wire.port}: {error.strerror or error}"
                self._submit(lambda tx: self._on_silent(tx, leg, reason))
            else:
                if then is not None:
                    self._say(leg, wire.line, then)

        tx.after_commit(act)

    def accept(self, tx: Transaction, leg: str) -> None:
        """Answer a leg that has come: not before there is a port for its sound."""
        self.open(tx, leg, Answer(leg=self._wires[leg].name, code=200))

    def drop(self, tx: Transaction, leg: str, code: int) -> None:
        """Have a leg ended."""
        self.command(tx, leg, lambda name: HangUp(leg=name, code=code))

    def agreed(self, tx: Transaction, leg: str, media: AgreedMedia) -> None:
        """Offer and answer came to this."""
        wire = self._wires.get(leg)
        if wire is not None:
            self._keep(tx, leg, msgspec.structs.replace(wire, media=media))

    def talk(self, tx: Transaction, leg: str) -> AgreedMedia | None:
        """Have sound both ways, once it is known how; None before."""
        wire, port = self._wires.get(leg), self._media
        if wire is None or wire.media is None or port is None:
            return None
        media = wire.media
        tx.after_commit(lambda: port.start(leg, media))
        return media

    def forget(self, tx: Transaction, leg: str) -> Callable[[], None]:
        """A leg is over; what is given back closes its port, after the commit."""
        if leg not in self._wires:
            return lambda: None
        tx.assign(self, "_wires", {name: other for name, other in self._wires.items() if name != leg})
        return (lambda: None) if self._media is None else partial(self._media.stop, leg)

    # --- inside

    def _say(self, leg: str, line: int, command: Command) -> None:
        def lost() -> None:
            self._submit(lambda tx: self._on_ended(tx, leg, "the voice process is gone"))

        self.tell(line, command, lost)

    def _keep(self, tx: Transaction, leg: str, wire: Wire) -> None:
        tx.assign(self, "_wires", {**self._wires, leg: wire})

    def _free_port(self, tx: Transaction) -> int:
        """The next RTP port. In turn: late packets of a call that is over do not meet the next one."""
        start = self._start_port()
        used = {wire.port for wire in self._wires.values()}
        slots = [(self._slot + n) % INCOMING_SLOT for n in range(INCOMING_SLOT)]
        slot = next(slot for slot in slots if start + 2 * slot not in used)
        tx.assign(self, "_slot", slot + 1)
        return start + 2 * slot
