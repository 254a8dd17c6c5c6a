"""Ports, relays and request to exit (manual: System > Accessories > I/O ports; VAPIX portmanagement, port.cgi).

What can be set is kept as records of kind ``port`` and ``rex``. Commands to outputs are effects of a transaction: they
reach the board after the commit, never before. Methods that take ``tx`` are jobs of the ledger thread; ``ports``,
``resolve`` and ``virtual_inputs`` may be called from any thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from axcore.devices import DeviceModel, PortSpec
from axcore.errors import AxError, ConflictError, InputError, LimitError, NotFoundError
from axcore.model import events
from axcore.model.convert import patched
from axcore.model.events import NewEvent
from axcore.model.ports import MAX_NAME, MAX_SEQUENCE, Circuit, Port, PortConfig, RexConfig, circuit

from .manual import ManualTrigger
from .virtual import VirtualInputs

if TYPE_CHECKING:
    from axcore.runtime.clock import Instant
    from axcore.runtime.ledger import Transaction

Failed = Callable[[str], None]
"""Told the reason when a command could not be given to the board after the commit."""
MAX_PULSE = 86_400.0
"""Seconds."""
MAX_REX_HOLD = 3600.0


class Lines(Protocol):
    """What the service needs of the board. Lines go by name; ``QueueFullError`` when a command finds no room."""

    def input_active(self, line: str) -> bool: ...
    def output_active(self, line: str) -> bool: ...
    def set(self, line: str, active: bool, correlation: str | None) -> None: ...
    def pulse(self, line: str, active: bool, seconds: float, correlation: str | None) -> None: ...
    def hold(self, line: str, on: bool, active: bool, correlation: str | None) -> None: ...
    def sequence(self, line: str, steps: Sequence[tuple[bool, float]], correlation: str | None) -> None: ...
    def configure_input(self, line: str, normal: Circuit, rex: tuple[str, float] | None = None) -> None: ...
    def configure_output(self, line: str, normal: Circuit) -> None: ...
    def set_direction(self, line: str, output: bool) -> None: ...


class PortService:
    """The ports of one device."""

    def __init__(self, model: DeviceModel, submit: Callable[[Callable[[Transaction], Any]], object]) -> None:
        self.model = model
        self.virtual = VirtualInputs(model.virtual_inputs)
        self.manual = ManualTrigger()
        self._submit = submit
        self._lines: Lines | None = None
        self._specs = {spec.id: spec for spec in model.ports}
        self._configs: dict[int, PortConfig] = {spec.id: delivered(spec) for spec in model.ports}
        self._rex = RexConfig(port=model.rex_port)
        self._holds: dict[int, tuple[tuple[str, bool], ...]] = {}
        self._sequences: frozenset[int] = frozenset()
        self._told: dict[tuple[str, str], bool] = {}
        self._by_input = {spec.input: spec for spec in model.ports if spec.input}
        self._by_output = {spec.output: spec for spec in model.ports if spec.output}
        self._reserved: Callable[[], Mapping[str, str]] = dict

    # --- life

    def load(self, tx: Transaction) -> None:
        """Read the stored settings; also after a failed commit."""
        configs = {spec.id: delivered(spec) for spec in self.model.ports}
        for key, value in tx.items("port"):
            if key.isdigit() and int(key) in configs:
                configs[int(key)] = msgspec.json.decode(value, type=PortConfig)
        rex = tx.get("rex", "0")
        self._configs = configs
        self._rex = RexConfig(port=self.model.rex_port) if rex is None else msgspec.json.decode(rex, type=RexConfig)

    def attach(self, lines: Lines) -> None:
        """Connect the board, which was made with the present settings."""
        self._lines = lines

    def reserve(self, owned: Callable[[], Mapping[str, str]]) -> None:
        """``owned`` tells outputs (lines) that somebody else commands, and who: a lock's relay belongs to its door."""
        self._reserved = owned

    def announce(self, tx: Transaction) -> None:
        """Publish the state of every line as it is now (start)."""
        lines = self._board
        for line in self.model.inputs:
            self.on_input(tx, line.name, lines.input_active(line.name))
        for output in self.model.outputs:
            self.on_output(tx, output.name, lines.output_active(output.name))

    def reconcile(self, tx: Transaction) -> None:
        """Publish the state of the lines that were told otherwise (after events were lost)."""
        lines = self._board
        for line in self.model.inputs:
            if lines.input_active(line.name) != self._told.get(("input", line.name)):
                self.on_input(tx, line.name, lines.input_active(line.name))
        for output in self.model.outputs:
            if lines.output_active(output.name) != self._told.get(("output", output.name)):
                self.on_output(tx, output.name, lines.output_active(output.name))

    def renew(self, tx: Transaction) -> None:
        """A commit failed after its early effects: have the board hold what is to be held, and no more.

        What was seen and taken back is seen again.
        """
        for port, spec in self._specs.items():
            if spec.output in self._reserved():
                continue
            if spec.output is not None and self._configs[port].direction == "output":
                owners = self._holds.get(port, ())
                self._do(partial(self._board.hold, spec.output, bool(owners), not owners or owners[-1][1], None), None)
        self.reconcile(tx)

    # --- what users see

    def ports(self) -> tuple[Port, ...]:
        """Every port and its present state, by id."""
        configs = self._configs
        return tuple(self._port(spec, configs[spec.id]) for spec in self.model.ports)

    def port(self, port: int) -> Port:
        """One port; ``NotFoundError`` if there is none."""
        return self._port(self._spec(port), self._configs[port])

    def resolve(self, name: str) -> int:
        """Port id of an id ("4"), a name ("Door") or a name as delivered ("Relay 1")."""
        name = name.strip()
        if name.isascii() and name.isdigit() and int(name) in self._specs:
            return int(name)
        folded = name.casefold()
        configs = self._configs
        found = [number for number, config in configs.items() if config.name.casefold() == folded]
        if len(found) > 1:
            raise ConflictError("port", f"{name!r} is the name of ports {found}; use the id")
        if not found:
            found = [s.id for s in self.model.ports if folded in {n.casefold() for n in (s.name, *s.aliases)}]
        if not found:
            known = ", ".join(f"{number} ({config.name})" for number, config in configs.items())
            raise NotFoundError("port", f"there is no port {name!r} (ports: {known})")
        return found[0]

    def resolve_output(self, name: str) -> int:
        """Like ``resolve``, and the port is an output now; ``InputError`` otherwise."""
        number = self.resolve(name)
        self._output(number)
        return number

    @property
    def rex(self) -> RexConfig:
        return self._rex

    # --- settings

    def configure(self, tx: Transaction, port: int, patch: Mapping[str, Any]) -> Port:
        """Change name, usage, direction or normal state. A change takes the output to its normal state (manual)."""
        spec, old = self._spec(port), self._configs[port]
        new = patched(old, patch, PortConfig)
        for field in ("name", "usage"):
            text = getattr(new, field)
            if len(text) > MAX_NAME or not text.isprintable():
                raise InputError(field, f"must be at most {MAX_NAME} printable characters")
        if new.direction != old.direction and not spec.configurable:
            raise InputError("direction", f"port {port} is always an {spec.direction}")
        if new == old:
            return self._port(spec, new)
        if (new.direction, new.normal_state) != (old.direction, old.normal_state):
            self._free(spec)
        self._remember(tx)
        self._configs = {**self._configs, port: new}
        self._holds = {number: owners for number, owners in self._holds.items() if number != port}
        tx.put("port", str(port), msgspec.json.encode(new))
        tx.publish(_changed("port", str(port)))
        tx.after_commit(partial(self._do, partial(self._reconfigure, spec, old, new), None))
        return self._port(spec, new)

    def set_rex(self, tx: Transaction, patch: Mapping[str, Any]) -> RexConfig:
        """Change how long REX opens the door, and which output."""
        if self.model.rex_input is None:
            raise NotFoundError("rex", f"{self.model.prod_nbr} has no REX input")
        new = patched(self._rex, patch, RexConfig)
        if not 0.05 <= new.hold_time <= MAX_REX_HOLD:
            raise InputError("hold_time", f"must be 0.05..{MAX_REX_HOLD:.0f} s")
        if new.port is not None:
            self._output(new.port)
        if new == self._rex:
            return new
        self._remember(tx)
        self._rex = new
        tx.put("rex", "0", msgspec.json.encode(new))
        tx.publish(_changed("rex", "0"))
        line = self.model.rex_input
        tx.after_commit(partial(self._do, lambda: self._board.configure_input(line, "open", self.rex_target()), None))
        return new

    def rex_target(self) -> tuple[str, float] | None:
        """Output line and hold time (s) of the REX input, for the native thread."""
        port = self._rex.port
        spec = self._specs.get(port) if port is not None else None
        if spec is None or spec.output is None or self._configs[spec.id].direction != "output":
            return None
        return spec.output, self._rex.hold_time

    def normal(self, line: str, direction: str) -> Circuit:
        """Normal state of a line: the port's, or open for lines without a port."""
        spec = (self._by_input if direction == "input" else self._by_output).get(line)
        if spec is None or self._configs[spec.id].direction != direction:
            return "open"
        return self._configs[spec.id].normal_state

    def is_output(self, line: str) -> bool:
        """Whether the pin of this line is an output now."""
        spec = self._by_output.get(line)
        return spec is not None and self._configs[spec.id].direction == "output"

    # --- commands

    def set_state(self, tx: Transaction, port: int, state: Circuit, correlation: str | None = None) -> None:
        """Bring the circuit of an output to ``state`` and leave it there."""
        self.set_active(tx, port, state != self._configs[self._output(port).id].normal_state, correlation)

    def set_active(self, tx: Transaction, port: int, active: bool, correlation: str | None = None) -> None:
        """Make an output active or not and leave it there."""
        line = self._output(port).output
        self._effect(tx, lambda: self._board.set(str(line), active, correlation), None)

    def pulse(
        self,
        tx: Transaction,
        port: int,
        active: bool,
        seconds: float,
        correlation: str | None = None,
        *,
        failed: Failed | None = None,
    ) -> None:
        """Make an output active (or not) for ``seconds``; 0 = leave it there."""
        line = str(self._output(port).output)
        if not math.isfinite(seconds) or not 0 <= seconds <= MAX_PULSE:
            raise InputError("duration", f"must be 0..{MAX_PULSE:.0f} s")
        if seconds == 0:
            self._effect(tx, lambda: self._board.set(line, active, correlation), failed)
        else:
            self._effect(tx, lambda: self._board.pulse(line, active, seconds, correlation), failed)

    def hold(
        self,
        tx: Transaction,
        port: int,
        on: bool,
        active: bool = True,
        correlation: str | None = None,
        *,
        owner: str = "",
        failed: Failed | None = None,
    ) -> None:
        """Hold an output for ``owner`` (a rule), or let go. The newest of several owners decides."""
        owners = tuple(entry for entry in self._holds.get(port, ()) if entry[0] != owner)
        if not on and len(owners) == len(self._holds.get(port, ())):
            return
        line = str(self._output(port).output)
        if on:
            owners = (*owners, (owner, active))
        self._remember(tx)
        self._holds = {**self._holds, port: owners}
        held, level = bool(owners), owners[-1][1] if owners else True
        self._effect(tx, lambda: self._board.hold(line, held, level, correlation), failed)

    def sequence(
        self, tx: Transaction, port: int, steps: Sequence[tuple[Circuit, float]], correlation: str | None = None
    ) -> None:
        """Run through ``steps`` of (state, milliseconds); the last state stays. One sequence at a time on a port."""
        line = str(self._output(port).output)
        if not steps:
            raise InputError("sequence", "must have at least one step")
        if len(steps) > MAX_SEQUENCE:
            raise LimitError("sequence", f"has {len(steps)} steps; at most {MAX_SEQUENCE}")
        for position, (_, wait) in enumerate(steps):
            if not math.isfinite(wait) or not 0 <= wait <= MAX_PULSE * 1000:
                raise InputError(f"sequence[{position}].time", f"must be 0..{MAX_PULSE * 1000:.0f} ms")
        if port in self._sequences:
            raise ConflictError("port", f"a sequence is running on port {port}")
        normal = self._configs[port].normal_state
        native = [(state != normal, wait / 1000) for state, wait in steps]
        self._remember(tx)
        self._sequences = self._sequences | {port}

        def failed(reason: str) -> None:
            self._sequences = self._sequences - {port}
            self._fault(reason)

        self._effect(tx, lambda: self._board.sequence(line, native, correlation), failed)

    def virtual_inputs(self) -> tuple[bool, ...]:
        """State of virtual input 1, 2, ..."""
        return self.virtual.states()

    def set_virtual_input(
        self, tx: Transaction, port: int, active: bool, duration: float | None = None, correlation: str | None = None
    ) -> bool:
        """Activate (for ``duration`` seconds) or deactivate virtual input 1..64; returns whether its state changed."""
        return self.virtual.set(tx, port, active, duration, correlation)

    # --- time (a timer of the ledger)

    def next_deadline(self) -> int | None:
        deadlines = (self.virtual.next_deadline(), self.manual.next_deadline())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def advance(self, tx: Transaction, now: Instant) -> None:
        self.virtual.advance(tx, now.mono_ns)
        self.manual.advance(tx, now.mono_ns)

    # --- what the board saw

    def on_input(self, tx: Transaction, line: str, active: bool, t_ns: int = 0, correlation: str | None = None) -> None:
        """A debounced input changed."""
        tx.assign(self, "_told", {**self._told, ("input", line): active})
        role = self.model.inputs[self.model.input_index(line)].role
        flag = "1" if active else "0"
        if role == "port":
            spec = self._by_input[line]
            if self._configs[spec.id].direction != "input":
                return
            event = _state(events.IO_PORT, {"port": str(spec.id)}, {"state": flag}, t_ns, correlation)
        elif role == "rex":
            event = _state(events.REX, {"port": line}, {"active": flag}, t_ns, correlation)
        elif role == "casing":
            event = _state(events.CASING_OPEN, {"Name": "Casing"}, {"Open": flag}, t_ns, correlation)
        elif role != "callbutton":
            return  # What it means is for somebody else to say: the control button, a door, a reader.
        else:
            event = _state(events.CALL_BUTTON, {}, {"active": flag}, t_ns, correlation)
        tx.publish(event)

    def on_output(
        self, tx: Transaction, line: str, active: bool, t_ns: int = 0, correlation: str | None = None
    ) -> None:
        """An output pin changed."""
        tx.assign(self, "_told", {**self._told, ("output", line): active})
        spec = self._by_output.get(line)
        if spec is None or self._configs[spec.id].direction != "output":
            return
        number, flag = str(spec.id), "1" if active else "0"
        tx.publish(_state(events.IO_OUTPUT_PORT, {"port": number}, {"state": flag}, t_ns, correlation))
        logical = "active" if active else "inactive"
        tx.publish(_state(events.RELAY, {"RelayToken": number}, {"LogicalState": logical}, t_ns, correlation))

    def on_sequence_end(self, tx: Transaction, line: str) -> None:
        """A sequence ran to its end or was cut."""
        spec = self._by_output.get(line)
        if spec is None:  # a light or a buzzer of a reader
            return
        self._remember(tx)
        self._sequences = self._sequences - {spec.id}

    # --- inside

    @property
    def _board(self) -> Lines:
        assert self._lines is not None, "the board is not attached"
        return self._lines

    def _spec(self, port: int) -> PortSpec:
        try:
            return self._specs[port]
        except KeyError:
            raise NotFoundError("port", f"there is no port {port} (0..{len(self._specs) - 1})") from None

    def _output(self, port: int) -> PortSpec:
        spec = self._spec(port)
        if self._configs[port].direction != "output":
            raise InputError("port", f"port {port} ({self._configs[port].name}) is an input")
        return self._free(spec)

    def _free(self, spec: PortSpec) -> PortSpec:
        """The port, if it belongs to nobody."""
        owner = self._reserved().get(spec.output or "")
        if owner is not None:
            raise ConflictError("port", f"port {spec.id} ({self._configs[spec.id].name}) is the lock of {owner}")
        return spec

    def _port(self, spec: PortSpec, config: PortConfig) -> Port:
        active = False
        if self._lines is not None:
            if config.direction == "output" and spec.output is not None:
                active = self._lines.output_active(spec.output)
            elif spec.input is not None:
                active = self._lines.input_active(spec.input)
        return Port(
            id=spec.id, config=config, state=circuit(config.normal_state, active), configurable=spec.configurable
        )

    def _reconfigure(self, spec: PortSpec, old: PortConfig, new: PortConfig) -> None:
        lines, output = self._board, new.direction == "output"
        if spec.output is not None:
            lines.configure_output(spec.output, new.normal_state if output else "open")
        if spec.input is not None:
            lines.configure_input(spec.input, "open" if output else new.normal_state)
        if new.direction != old.direction:
            lines.set_direction(str(spec.output), output)
            if spec.id == self._rex.port and self.model.rex_input is not None:
                lines.configure_input(self.model.rex_input, "open", self.rex_target())
            self._submit(partial(self._announce_port, spec))

    def _announce_port(self, spec: PortSpec, tx: Transaction) -> None:
        port = self._port(spec, self._configs[spec.id])
        if port.config.direction == "output":
            self.on_output(tx, str(spec.output), port.active)
        else:
            self.on_input(tx, str(spec.input), port.active)

    def _effect(self, tx: Transaction, command: Callable[[], None], failed: Failed | None) -> None:
        tx.after_commit(partial(self._do, command, failed))

    def _do(self, command: Callable[[], None], failed: Failed | None) -> None:
        try:
            command()
        except AxError as error:
            reason = str(error) or type(error).__name__
            if failed is not None:
                failed(reason)
                return
            self._fault(reason)

    def _fault(self, reason: str) -> None:
        fault = NewEvent(topic=events.SYSTEM_FAULT, data={"component": "io", "reason": reason})
        self._submit(lambda tx: tx.publish(fault))

    def _remember(self, tx: Transaction) -> None:
        before = self._configs, self._rex, self._holds, self._sequences

        def undo() -> None:
            self._configs, self._rex, self._holds, self._sequences = before

        tx.on_rollback(undo)


def delivered(spec: PortSpec) -> PortConfig:
    """Settings of a port as delivered."""
    return PortConfig(name=spec.name, direction=spec.direction)


def _state(topic: str, source: dict[str, str], data: dict[str, str], t_ns: int, correlation: str | None) -> NewEvent:
    return NewEvent(topic=topic, source=source, data=data, is_property=True, t_ns=t_ns, correlation=correlation)


def _changed(kind: str, key: str) -> NewEvent:
    return NewEvent(topic=events.CONFIGURATION_CHANGED, data={"kind": kind, "key": key, "action": "update"})
