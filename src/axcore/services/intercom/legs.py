"""The legs of calls on the wire: which voice process has which, its RTP port, and what processes and sound are told.

What is told, and sockets that are opened, wait for the commit. With NAT traversal they wait for the addresses that are
found, too, while the leg is ``seeking``. A leg is named by its call; the processes name legs that
came to them themselves (``Legs.name``). Jobs of the ledger thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.model.intercom import Target
from axcore.model.nat import Gathered, PathTold, Traversal
from axcore.model.voice import AgreedMedia, Answer, Command, HangUp, Invite, LocalMedia, Ready

from .accounts import INCOMING_SLOT
from .lines import LineDriver, Lines
from .media import MediaPort
from .paths import PathFinder, PathStatus

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

Submit = Callable[[Callable[["Transaction"], Any]], object]
Over = Callable[["Transaction", str, str], object]
"""A leg has ended, and why."""
Make = Callable[[str, LocalMedia], Command]
"""Of the process's name of a leg, and where its sound is to be sent to."""


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """A leg on the wire."""

    line: int
    name: str
    """As its process calls it."""
    port: int
    media: AgreedMedia | None = None
    seeking: bool = False
    """Where it can be reached is being found out ..."""
    unsent: bool = False
    """... and its process has not heard of it before."""
    dropped: bool = False
    """It was told to end."""


class Legs:
    """See the module's text.

    Args:
        submit: takes jobs for the ledger thread.
        start_port: the first RTP port, now.
        traversal: what is done about NAT, now.
        ended: told when a process has gone before it could be told something.
        silent: told when a leg can have no sound.
    """

    def __init__(
        self,
        submit: Submit,
        start_port: Callable[[], int],
        traversal: Callable[[], Traversal | None],
        ended: Over,
        silent: Over,
    ) -> None:
        self._submit, self._start_port, self._traversal = submit, start_port, traversal
        self._on_ended, self._on_silent = ended, silent
        self.paths = PathStatus()
        self._finder: PathFinder | None = None
        self._driver: LineDriver | None = None
        self._media: MediaPort | None = None
        self._lines = Lines()
        self._wires: dict[str, Wire] = {}
        self._slot = 0
        """Of the RTP port that is tried first."""

    def attach(self, driver: LineDriver, media: MediaPort | None, finder: PathFinder | None = None) -> None:
        """Connect processes, sound and who finds its way (set-up)."""
        self._driver, self._media, self._finder = driver, media, finder
        if finder is not None:
            finder.listen(self._on_path)

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

    def knows(self, leg: str) -> bool:
        """Whether there is such a leg."""
        return leg in self._wires

    def add(self, tx: Transaction, line: int, name: str, port: int) -> str:
        """A leg has come to a process; its name here."""
        leg = f"{line}/{name}"
        self._keep(tx, leg, Wire(line=line, name=name, port=port))
        return leg

    def dial(self, tx: Transaction, leg: str, target: Target) -> None:
        """Call somebody. ConflictError: no process has a free call."""
        line = self._lines.choose(tuple(wire.line for wire in self._wires.values()))
        port = self._free_port(tx)
        wire = Wire(line=line, name=leg, port=port)
        self._keep(tx, leg, wire)

        def invite(name: str, media: LocalMedia) -> Command:
            return Invite(leg=name, account=target.account, uri=target.uri, media=media, replaces=target.replaces)

        if self._seek(tx, leg, invite, unsent=True):
            return

        def bound(port: int) -> Command:
            return invite(leg, LocalMedia(port=port))

        tx.after_commit(lambda: self._bind(leg, wire, (port, *self._free_ports(port)), bound, unsent=True))

    def command(self, tx: Transaction, leg: str, make: Callable[[str], Command]) -> None:
        """Tell the process of a leg something; ``make`` gets the process's name of the leg."""
        wire = self._wires.get(leg)
        if wire is None:
            return
        tx.after_commit(partial(self._say, leg, wire.line, make(wire.name)))

    def accept(self, tx: Transaction, leg: str) -> None:
        """Answer a leg that has come: not before there is a port for its sound."""
        if not self._seek(tx, leg, lambda name, media: Answer(leg=name, code=200, media=media)):
            wire = self._wires[leg]
            tx.after_commit(lambda: self._bind(leg, wire, (wire.port,), lambda _: Answer(leg=wire.name, code=200)))

    def drop(self, tx: Transaction, leg: str, code: int) -> None:
        """Have a leg ended."""
        wire = self._wires.get(leg)
        if wire is not None:
            self._keep(tx, leg, msgspec.structs.replace(wire, seeking=False, dropped=True))
            if wire.seeking and wire.unsent:

                def over() -> None:  # nobody else would say so
                    self._submit(lambda tx: self._on_ended(tx, leg, "cancelled"))

                tx.after_commit(over)
                return
        self.command(tx, leg, lambda name: HangUp(leg=name, code=code))

    def agreed(self, tx: Transaction, leg: str, media: AgreedMedia) -> None:
        """Offer and answer came to this."""
        wire = self._wires.get(leg)
        if wire is not None:
            self._keep(tx, leg, msgspec.structs.replace(wire, media=media))

    def talk(self, tx: Transaction, leg: str) -> AgreedMedia | None:
        """Have sound both ways, once it is known how; None before."""
        wire, port, finder = self._wires.get(leg), self._media, self._finder
        if wire is None or wire.media is None or port is None:
            return None
        media = wire.media
        tx.after_commit(lambda: port.start(leg, media if finder is None else finder.start(leg, media)))
        return media

    def hush(self, tx: Transaction, leg: str) -> None:
        """No sound any more, before the leg is over."""
        if self._media is not None:
            tx.after_commit(partial(self._media.stop, leg))

    def forget(self, tx: Transaction, leg: str) -> Callable[[], None]:
        """A leg is over; what is given back closes its port, after the commit."""
        if leg not in self._wires:
            return lambda: None
        tx.assign(self, "_wires", {name: other for name, other in self._wires.items() if name != leg})

        def close() -> None:
            if self._media is not None:
                self._media.stop(leg)
            if self._finder is not None:
                self._finder.stop(leg)

        return close

    # --- inside

    def _seek(
        self, tx: Transaction, leg: str, make: Make, *, unsent: bool = False, tried: tuple[int, ...] = ()
    ) -> bool:
        """Find out where the leg can be reached, then give its process the command; False: nobody looks.

        ``tried``: ports that somebody else was found to have.
        """
        how, finder, wire = self._traversal(), self._finder, self._wires[leg]
        if how is None or finder is None:
            return False
        port = wire.port
        self._keep(tx, leg, msgspec.structs.replace(wire, seeking=True, unsent=unsent))

        def done(found: Gathered) -> None:
            self._submit(lambda tx: self._found(tx, leg, make, (*tried, port), found))

        tx.after_commit(lambda: finder.gather(leg, port, how, done))
        return True

    def _found(self, tx: Transaction, leg: str, make: Make, tried: tuple[int, ...], found: Gathered) -> None:
        wire = self._wires.get(leg)
        sought = wire is not None and wire.seeking
        if wire is not None and sought and wire.unsent and found.taken and self._again(tx, leg, make, tried):
            return
        self.paths.gathered(tx, found)
        if wire is None or not sought:
            return
        self._keep(tx, leg, msgspec.structs.replace(wire, seeking=False, unsent=False))
        media = LocalMedia(port=found.port, address=found.address, rtcp_port=found.rtcp_port, ice=found.ice)
        command = make(wire.name, media)  # the path leads to this port and no other
        again = partial(self._again, leg=leg, make=make, tried=tried) if wire.unsent else None
        tx.after_commit(lambda: self._bind(leg, wire, (wire.port,), lambda _: command, unsent=wire.unsent, again=again))

    def _again(self, tx: Transaction, leg: str, make: Make, tried: tuple[int, ...]) -> bool:
        """Somebody else has a port of a leg, or one of its path: seek with the next one. False: it was the last."""
        wire, finder = self._wires.get(leg), self._finder
        if wire is None or wire.dropped or finder is None or self._traversal() is None:
            return False
        port = next((one for one in self._free_ports(wire.port) if one not in tried), None)
        if port is None:
            return False
        self._moved(tx, leg, port)
        tx.after_commit(partial(finder.stop, leg))
        return self._seek(tx, leg, make, unsent=True, tried=tried)

    def _bind(
        self,
        leg: str,
        wire: Wire,
        ports: Iterable[int],
        make: Callable[[int], Command],
        *,
        unsent: bool = False,
        again: Callable[[Transaction], bool] | None = None,
    ) -> None:
        """Bind the first of these ports that nobody has, then give the process of the leg its command.

        ``unsent``: it has not heard of the leg before, so that it tells of no end when there is none to bind.
        ``again``: what is tried first then; whether there was something to try.
        """
        media, reason = self._media, ""
        assert media is not None
        for port in ports:
            try:
                media.open(leg, port)
            except OSError as error:
                reason = reason or f"RTP port {port}: {error.strerror or error}"
                continue
            if port != wire.port:
                self._submit(partial(self._moved, leg=leg, port=port))
            self._say(leg, wire.line, make(port))
            return

        def over(tx: Transaction) -> None:
            if again is not None and again(tx):
                return
            self._on_silent(tx, leg, reason)
            if unsent:
                self._on_ended(tx, leg, reason)

        self._submit(over)

    def _moved(self, tx: Transaction, leg: str, port: int) -> None:
        """A leg has another port than it was given; the next one has its turn after that."""
        tx.assign(self, "_slot", (port - self._start_port()) // 2 % INCOMING_SLOT + 1)
        wire = self._wires.get(leg)
        if wire is not None:
            self._keep(tx, leg, msgspec.structs.replace(wire, port=port))

    def _on_path(self, told: PathTold) -> None:
        self._submit(lambda tx: self.paths.told(tx, told))

    def _say(self, leg: str, line: int, command: Command) -> None:
        def lost() -> None:
            self._submit(lambda tx: self._on_ended(tx, leg, "the voice process is gone"))

        self.tell(line, command, lost)

    def _keep(self, tx: Transaction, leg: str, wire: Wire) -> None:
        tx.assign(self, "_wires", {**self._wires, leg: wire})

    def _free_ports(self, first: int) -> list[int]:
        """The RTP ports of outgoing legs from this one on, in turn, that no leg has."""
        start, used = self._start_port(), {wire.port for wire in self._wires.values()}
        slot = (first - start) // 2
        ports = [start + 2 * ((slot + n) % INCOMING_SLOT) for n in range(INCOMING_SLOT)]
        return [one for one in ports if one not in used]

    def _free_port(self, tx: Transaction) -> int:
        """The next RTP port. In turn: late packets of a call that is over do not meet the next one."""
        start = self._start_port()
        port = self._free_ports(start + 2 * self._slot)[0]
        tx.assign(self, "_slot", (port - start) // 2 + 1)
        return port
