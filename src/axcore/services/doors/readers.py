"""Readers of a controller: what is shown at them becomes a request; what came of it is shown by them.

A reader has a *place* (``ReaderSpec``): an address on a line. Its id point is the one that the line is assigned to
(VAPIX *I/O assignment service*), and if it is nobody's, the one whose token is the name of the place. How a reader is
reached is its ``ReaderPort``: Wiegand lines, an OSDP bus. A place without a port has no lights and no sound; what is
read there counts all the same.

Methods with ``tx`` are jobs of the ledger thread.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from axcore.devices import DeviceModel, ReaderSpec
from axcore.devices.reader import ReaderSignal
from axcore.errors import AxError, InputError, NotFoundError
from axcore.model import events as topics
from axcore.model.credentials import CardValue
from axcore.model.events import NewEvent
from axcore.model.pacs import SECRET, IdDataConfiguration, IdPoint, IdPointConfiguration
from axcore.runtime.clock import Instant
from axcore.services.doors.access import AccessController
from axcore.services.doors.id_data import id_data
from axcore.services.doors.id_points import id_points, line_of
from axcore.services.pacs.activity import tell
from axcore.services.pacs.decision import Decision, Request
from axcore.services.pacs.kinds import ID_POINT_CONFIGURATION, IO_ASSIGNMENT
from axcore.services.pacs.reader import Reader, Step
from axcore.wiegand import Bits, key_of

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

log = logging.getLogger(__name__)

Signal = ReaderSignal
FEEDBACK: dict[str, Signal] = {"AccessGranted": "granted", "AccessDenied": "denied"}
MS = 1_000_000
KEY_BITS = (4, 8)
"""Frames of these lengths are keys of a Wiegand keypad."""


class ReaderPort(Protocol):
    """A reader as its driver presents it. What it reads goes to ``on_card``, ``on_key`` and so on, as ledger jobs."""

    def show(self, signal: Signal) -> None:
        """Light and sound. Any thread, at once; AxError when there is no room for the command."""


class Points(Protocol):
    """What is needed of ``PacsService``."""

    @property
    def index(self) -> Any: ...
    def table(self, kind: str) -> Mapping[str, Any]: ...


class _Cause(NamedTuple):
    """Where and when something was shown."""

    name: str
    """Place of the reader."""
    token: str
    """Id point."""
    t_ns: int
    correlation: str | None = None


class ReaderState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a reader."""

    name: str
    id_point: str
    door: int
    port: int
    address: int
    online: bool
    """A reader on Wiegand lines cannot tell: it counts as online."""
    tampered: bool


class ReaderService:
    """The readers of one controller."""

    def __init__(self, model: DeviceModel, points: Points, controller: AccessController) -> None:
        self._specs: Mapping[str, ReaderSpec] = {spec.name: spec for spec in model.reader_places}
        self._order = tuple(self._specs)
        self._points = points
        self._controller = controller
        self._last: Mapping[str, Mapping[str, str]] = {}
        self._ports: Mapping[str, ReaderPort] = {}
        self._sessions: Mapping[str, Reader] = {}
        self._online: Mapping[str, bool] = {spec.name: spec.wiegand is not None for spec in model.reader_places}
        self._tampered: frozenset[str] = frozenset()
        self._told: Mapping[str, int] = {}
        """When the states of each reader were told last (monotonic ns)."""
        self._known: tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, str]] | None = None
        """The id points of the places, with the tables that they were taken from."""

    def attach(self, name: str, port: ReaderPort | None) -> None:
        """Connect a reader's lights and sound (None: it is gone). Any thread."""
        self._spec(name)
        ports = {place: held for place, held in self._ports.items() if place != name}
        self._ports = ports if port is None else {**ports, name: port}

    def presume(self, name: str, *, online: bool) -> None:
        """What is known of a reader before the start."""
        self._online = {**self._online, self._spec(name).name: online}

    def states(self) -> tuple[ReaderState, ...]:
        """Every place for a reader. Any thread."""
        return tuple(
            ReaderState(
                name=spec.name, id_point=self.id_point(spec.name), door=spec.door, port=spec.port, address=spec.address,
                online=self._online[spec.name], tampered=spec.name in self._tampered,
            )
            for spec in self._specs.values()
        )  # fmt: skip

    def name(self, number: int) -> str:
        """The place of a reader by its number (0..). InputError."""
        if not 0 <= number < len(self._order):
            raise InputError("reader", f"there is no reader {number} (0..{len(self._order) - 1})")
        return self._order[number]

    def id_point(self, name: str) -> str:
        """The id point of a place; empty: none. Any thread."""
        assigned, hardware = self._points.table(IO_ASSIGNMENT), self._points.table(ID_POINT_CONFIGURATION)
        if not assigned:
            return name
        known = self._known
        if known is None or known[0] is not assigned or known[1] is not hardware:
            known = self._known = (assigned, hardware, id_points(self._specs.values(), assigned, hardware))
        return known[2].get(name, "")

    def address(self, name: str) -> int:
        """The OSDP address that is delivered for a place."""
        return self._spec(name).address

    def at(self, id_point: str) -> str:
        """The place of an id point. NotFoundError: it is on no line."""
        if id_point in self._specs and self.id_point(id_point) == id_point:
            return id_point
        for name in self._order:
            if id_point and self.id_point(name) == id_point:
                return name
        raise NotFoundError("Token", f"{id_point[:64]!r} is at no reader line (readers: {', '.join(self._order)})")

    def line_of(self, id_point: str, usage: str) -> str:
        """The I/O that a reader has for a usage (``IoUser``); empty: none. Any thread."""
        try:
            return line_of(self._spec(self.at(id_point)), usage)
        except NotFoundError:
            return ""

    def of_wiegand(self, pair: int) -> str | None:
        """The place that has this pair of Wiegand lines."""
        return next((spec.name for spec in self._specs.values() if spec.wiegand == pair), None)

    def pair(self, name: str) -> int | None:
        """The pair of Wiegand lines of a place; None: it is on a bus."""
        return self._spec(name).wiegand

    def tamper_line(self, name: str) -> str | None:
        """The tamper input of a place."""
        lines = self._spec(name).lines
        return None if lines is None else lines[3]

    def of_tamper(self, line: str) -> str | None:
        """The place that has this tamper input."""
        return next((spec.name for spec in self._specs.values() if spec.lines and spec.lines[3] == line), None)

    # --- what readers see

    def on_card(
        self, tx: Transaction, name: str, card: CardValue, t_ns: int = 0, correlation: str | None = None
    ) -> None:
        """A card was read; a short frame is a key of a Wiegand keypad."""
        if card.bits in KEY_BITS:
            key = key_of(Bits(int(card.value, 16), card.bits))
            if key is not None:
                self.on_key(tx, name, key, t_ns, correlation)
                return
        cause = self._cause(name, t_ns or tx.now.mono_ns, correlation)
        data = id_data(card, self._formats(name))
        tx.assign(self, "_last", {**self._last, name: data})
        tell(tx, cause.token or name, "Card", data, t_ns=cause.t_ns, correlation=correlation)
        self._shown(tx, data, cause)

    def on_key(self, tx: Transaction, name: str, key: str, t_ns: int = 0, correlation: str | None = None) -> None:
        """A key was pressed."""
        cause = self._cause(name, t_ns or tx.now.mono_ns, correlation)
        session, step = self._session(name).on_key(key, self._point(name), cause.t_ns)
        if step.kind in ("decide", "short", "blocked"):
            tell(tx, cause.token or name, "PIN", {}, t_ns=cause.t_ns, correlation=correlation)
        self._step(tx, session, step, cause)

    def on_online(self, tx: Transaction, name: str, online: bool, correlation: str | None = None) -> None:
        """The reader answers, or not any more. It opens nothing, and what was being shown there is forgotten."""
        self._spec(name)
        if self._online[name] == online:
            return
        tx.assign(self, "_online", {**self._online, name: online})
        tx.assign(self, "_sessions", {place: held for place, held in self._sessions.items() if place != name})
        data = {"State": "Online" if online else "Offline"}
        _publish(tx, topics.ID_POINT_STATUS, data, self._cause(name, 0, correlation), is_property=True)

    def on_tamper(
        self, tx: Transaction, name: str, tampered: bool, t_ns: int = 0, correlation: str | None = None
    ) -> None:
        """Somebody has opened the reader, or it is closed again."""
        self._spec(name)
        if (name in self._tampered) == tampered:
            return
        tx.assign(self, "_tampered", self._tampered | {name} if tampered else self._tampered - {name})
        data = {"Active": "1" if tampered else "0"}
        _publish(tx, topics.ID_POINT_TAMPERING, data, self._cause(name, t_ns, correlation), is_property=True)

    def announce(self, tx: Transaction) -> None:
        """Publish the state of every reader (start)."""
        for name in self._order:
            self._announce(tx, name)

    def rehearse(self, tx: Transaction) -> None:
        """Decide on a card as if it had been read: for ``Ledger.rehearsal``, which undoes all of it."""
        index = self._points.index
        card = next(iter(index.by_id.get("Card", ())), "00000000")
        name = next((place for place in self._order if self.id_point(place) in index.by_id_point), None)
        if name is not None:
            self._shown(tx, {"Card": card}, self._cause(name, tx.now.mono_ns))

    # --- what interfaces ask for

    def request_access(self, tx: Transaction, request: Request) -> Decision:
        """``RequestAccess``: decide and, if it is granted, open. NotFoundError for an unknown reader."""
        return self._controller.request(tx, request)[0]

    def present(self, tx: Transaction, id_point: str, id_data: Mapping[str, str]) -> None:
        """Decide on what was shown at the reader, as somebody else has seen and told it."""
        cause = self._cause(self.at(id_point), tx.now.mono_ns)
        if any(name not in (*SECRET, "REX") for name in id_data):
            told = {name: value for name, value in id_data.items() if name not in SECRET}
            tx.assign(self, "_last", {**self._last, cause.name: told})
        self._shown(tx, id_data, cause)

    def last(self, id_point: str) -> Mapping[str, str]:
        """IdData of the last card (``GetLastCredential``); never a PIN. Any thread."""
        return self._last.get(self.at(id_point), {})

    def is_online(self, id_point: str) -> bool:
        """Whether the reader answers. Any thread."""
        return self._online[self.at(id_point)]

    def feedback(self, tx: Transaction, id_point: str, message: str) -> None:
        """Show an outcome by light and sound (``FeedbackMessage``)."""
        self.signal(tx, self.at(id_point), FEEDBACK.get(message, "more"))

    def signal(self, tx: Transaction, name: str, signal: Signal) -> None:
        """Light and sound of an answer at a place. NotFoundError."""
        self._signal(tx, self._spec(name).name, signal)

    # --- time (a timer of the ledger)

    def next_deadline(self) -> int | None:
        deadlines = [s.deadline_ns for s in self._sessions.values() if s.deadline_ns is not None]
        deadlines += self._beats().values()
        return min(deadlines, default=None)

    def advance(self, tx: Transaction, now: Instant) -> None:
        for name, session in self._sessions.items():
            after, step = session.advance(now.mono_ns)
            if after is not session:
                self._keep(tx, name, after)
            if step.kind == "timeout":
                _publish(tx, topics.ID_POINT_TIMEOUT, {"Missing": " ".join(step.id_data)}, self._cause(name))
                self._signal(tx, name, "denied")
        for name, due in self._beats().items():
            if due <= now.mono_ns:
                self._announce(tx, name)

    # --- inside

    def _beats(self) -> dict[str, int]:
        """When the states of a reader are told again (``HeartbeatInterval``)."""
        points = ((name, self._point(name)) for name in self._order)
        return {name: self._told.get(name, 0) + held.heartbeat_ms * MS for name, held in points if held.heartbeat_ms}

    def _announce(self, tx: Transaction, name: str) -> None:
        cause = self._cause(name)
        tampered, online = "1" if name in self._tampered else "0", "Online" if self._online[name] else "Offline"
        _publish(tx, topics.ID_POINT_TAMPERING, {"Active": tampered}, cause, is_property=True)
        _publish(tx, topics.ID_POINT_STATUS, {"State": online}, cause, is_property=True)
        tx.assign(self, "_told", {**self._told, name: tx.now.mono_ns})

    def _spec(self, name: str) -> ReaderSpec:
        try:
            return self._specs[name]
        except KeyError:
            raise NotFoundError("reader", f"there is no {name[:64]!r} (readers: {', '.join(self._order)})") from None

    def _cause(self, name: str, t_ns: int = 0, correlation: str | None = None) -> _Cause:
        return _Cause(name, self.id_point(name), t_ns, correlation)

    def _point(self, name: str) -> IdPoint:
        token = self.id_point(name)
        found: IdPoint | None = self._points.index.id_points.get(token)
        return found or IdPoint(token=token)

    def _formats(self, name: str) -> list[IdDataConfiguration]:
        """How the cards of a reader are read."""
        configured: IdPointConfiguration | None = self._points.table(ID_POINT_CONFIGURATION).get(self.id_point(name))
        known = self._points.table("pacs.id_data_configuration")
        tokens = () if configured is None else configured.id_data_configurations
        return [known[token] for token in tokens if token in known]

    def _session(self, name: str) -> Reader:
        return self._sessions.get(name) or Reader()

    def _keep(self, tx: Transaction, name: str, session: Reader) -> None:
        tx.assign(self, "_sessions", {**self._sessions, name: session})

    def _shown(self, tx: Transaction, shown: Mapping[str, str], cause: _Cause) -> None:
        session = self._session(cause.name)
        self._step(tx, *session.on_id(shown, self._point(cause.name), cause.t_ns), cause)

    def _step(self, tx: Transaction, session: Reader, step: Step, cause: _Cause) -> None:
        """What was shown is enough to ask, or not."""
        name = cause.name
        if step.kind != "decide":
            self._keep(tx, name, session)
            if step.kind in ("short", "blocked"):
                self._signal(tx, name, "denied")
            return
        request = Request(cause.token, step.id_data)
        try:
            decision, opened = self._controller.request(tx, request, cause.t_ns, cause.correlation)
        except NotFoundError:
            decision, opened = Decision("InvalidCredential", ""), False  # no access point has this reader
        session, _ = session.decided(decision, self._point(name), cause.t_ns)
        self._keep(tx, name, session)
        if decision.reason == "MoreRequired":
            self._signal(tx, name, "more")
        else:
            self._signal(tx, name, "granted" if opened else "denied")

    def _signal(self, tx: Transaction, name: str, signal: Signal) -> None:
        port = self._ports.get(name)
        if port is not None:
            tx.after_commit(partial(_show, port, signal))


def _show(port: ReaderPort, signal: Signal) -> None:
    try:
        port.show(signal)
    except AxError as error:
        log.warning("a reader was not told %s: %s", signal, error)


def _publish(tx: Transaction, topic: str, data: dict[str, str], cause: _Cause, *, is_property: bool = False) -> None:
    source = {"IdPointToken": cause.token or cause.name}
    event = NewEvent(
        topic=topic, source=source, data=data, is_property=is_property, t_ns=cause.t_ns, correlation=cause.correlation
    )
    tx.publish(event)
