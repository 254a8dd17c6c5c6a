"""The doors of a controller: inputs of the board in, relays out, time, schedules, what outlives a restart.

One ``DoorMachine`` per door says what happens (``devices/door.py``). Here it meets the ledger: every new state is kept
in memory and, where it counts, in the store (kind ``door.state``); relays move after the commit. A request to exit
opens the lock in the I/O thread; what is decided here follows it.

Places of doors (``terminals.py``) are records of kind ``door.place``.

Threads: methods with ``tx`` are jobs of the ledger thread; ``states`` and ``state`` may be read from any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from axcore.devices import DeviceModel, DoorSpec
from axcore.devices.door import DoorMachine, start
from axcore.devices.door_parts import Outcome, Output, Setup, Snapshot, Which
from axcore.devices.supervised import Targets, of_monitor
from axcore.errors import AxError, InputError, NotFoundError
from axcore.model import events as topics
from axcore.model.doors import (
    STANDARD_PRIORITIES,
    Door,
    DoorConfiguration,
    DoorScheduleConfiguration,
    DoorState,
    LineState,
    PriorityConfiguration,
)
from axcore.model.events import NewEvent
from axcore.model.ports import Circuit
from axcore.runtime.clock import Clock, Instant
from axcore.services.doors import outputs, schedule, terminals
from axcore.services.doors.outputs import REST, Wanted
from axcore.services.doors.terminals import Wires
from axcore.services.pacs.calendar import FAR
from axcore.services.pacs.events import door_announcements, door_events
from axcore.services.pacs.kinds import IO_ASSIGNMENT

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

STATE = "door.state"
PLACE = "door.place"
KINDS = frozenset(
    (
        "pacs.door", "pacs.door_configuration", "pacs.priority_configuration", "pacs.door_schedule_configuration",
        IO_ASSIGNMENT,
    )
)  # fmt: skip
COMMANDS: dict[str, str] = {
    "LockDoor": "lock_door", "UnlockDoor": "unlock_door", "BlockDoor": "block", "DoubleLockDoor": "double_lock",
    "ReleaseDoor": "release", "LockDownDoor": "lockdown", "LockDownReleaseDoor": "lockdown_release",
    "LockOpenDoor": "lockopen", "LockOpenReleaseDoor": "lockopen_release",
}  # fmt: skip
"""Commands by their names on the wire, and the methods of ``DoorMachine``."""
LEVELLED = frozenset(("LockDoor", "UnlockDoor", "BlockDoor", "DoubleLockDoor", "ReleaseDoor"))
"""Those that a priority level can be given with."""

OnOutcome = Callable[["Transaction", str, bool, int], object]
"""Told whether the access of a request was taken, and when."""
_Step = tuple[DoorMachine, list[Output]]


class Configured(Protocol):
    """What is configured, by token (``PacsService``)."""

    @property
    def doors(self) -> Mapping[str, Door]: ...
    @property
    def door_configurations(self) -> Mapping[str, DoorConfiguration]: ...
    @property
    def priorities(self) -> Mapping[str, PriorityConfiguration]: ...
    @property
    def door_schedules(self) -> Mapping[str, DoorScheduleConfiguration]: ...
    @property
    def index(self) -> Any: ...
    def table(self, kind: str) -> Mapping[str, Any]: ...
    def subscribe(self, listener: Callable[[Transaction, str, str], object]) -> None: ...


class Lines(outputs.Relays, Protocol):
    """What is needed of the board."""

    def input_active(self, line: str) -> bool: ...
    def configure_input(
        self, line: str, normal: Circuit, rex: tuple[str, float] | None = None, debounce_ns: int | None = None
    ) -> None: ...
    def configure_output(self, line: str, normal: Circuit) -> None: ...


class DoorService:
    """Construct it after the configuration, ``Ledger.load(load)``, ``add_timer``; then ``attach`` and ``announce``."""

    def __init__(
        self,
        model: DeviceModel,
        configured: Configured,
        clock: Clock,
        submit: Callable[[Callable[[Transaction], Any]], object],
    ) -> None:
        self.model = model
        self._configured = configured
        self._clock = clock
        self._submit = submit
        self._lines: Lines | None = None
        self._machines: Mapping[str, DoorMachine] = {}
        self._places: Mapping[str, int] = {}
        self._terminals: Mapping[str, DoorSpec] = {}
        """The lines of each door."""
        self._given: Mapping[str, Wanted] = {}
        """What the relays were told, by line."""
        self._scheduled: Mapping[str, Mapping[str, str]] = {}
        """What the schedules of each door asked for at the last look."""
        self._span = (0, 0)
        """From when and until when (wall ns) that look counts."""
        self._beats: Mapping[str, int] = {}
        """When the states of a door are told again."""
        self._first: dict[str, list[Output]] = {}
        """What came out of a door at start and is not told yet."""
        self._supervised: Callable[[str], LineState | None] = lambda line: None
        self._remote: Callable[[str], str | None] = lambda token: None
        self.on_outcome: OnOutcome = lambda tx, request, taken, t_ns: None
        configured.subscribe(self._on_configuration)

    # --- life

    def load(self, tx: Transaction) -> None:
        """Begin with the doors as they were stored: no access outlives a restart."""
        if self._lines is not None:
            return
        self._place(tx)
        machines = {}
        for token in self._configured.doors:
            raw = tx.get(STATE, token)
            kept = None if raw is None else msgspec.json.decode(raw, type=Snapshot)
            machines[token], self._first[token] = start(self._setup(token), tx.now.mono_ns, kept)
        self._machines = machines

    def attach(
        self,
        lines: Lines,
        supervised: Callable[[str], LineState | None] | None = None,
        remote: Callable[[str], str | None] | None = None,
    ) -> None:
        """Connect the board, which was made with ``normals`` and ``rex_targets``.

        ``remote`` tells the relay of a door without terminals.
        """
        self._lines = lines
        self._remote = remote or self._remote
        if supervised is not None:
            self._supervised = supervised

    def announce(self, tx: Transaction) -> None:
        """Take in what the inputs show, move the relays of doors that are not locked, publish every state (start)."""
        for token in self._machines:
            first = self._first.pop(token, [])
            self._tell_outcomes(tx, first, tx.now.mono_ns)
            self.refresh(tx, token)
            self._schedule(tx, token)
            self._command(tx, token, None)
            self._save(tx, token)
            self._announce_door(tx, token)
        self._look(tx)

    def renew(self, tx: Transaction) -> None:
        """A commit failed after its early effects: have the relays do what they are to do."""
        for token in self._machines:
            self._repeat(tx, token, None)
            self.refresh(tx, token)

    # --- what others see

    @property
    def tokens(self) -> tuple[str, ...]:
        return tuple(self._machines)

    def states(self) -> dict[str, DoorState]:
        """The state of every door."""
        return {token: machine.state for token, machine in self._machines.items()}

    def state(self, token: str) -> DoorState:
        """``GetDoorState``. NotFoundError."""
        return self.machine(token).state

    def machine(self, token: str) -> DoorMachine:
        """The door as it is. NotFoundError names those that exist."""
        try:
            return self._machines[token]
        except KeyError:
            known = ", ".join(self._machines) or "none"
            raise NotFoundError("Token", f"there is no door {token[:64]!r} (doors: {known})") from None

    def place(self, token: str) -> int | None:
        """Number (1..) of a door's terminals."""
        return self._places.get(token)

    def at(self, place: int) -> str | None:
        """The door at these terminals: whose relay is there."""
        spec = self.model.doors[place - 1] if 0 < place <= len(self.model.doors) else None
        return next((token for token, lines in self._terminals.items() if spec and lines.lock == spec.lock), None)

    def line_of(self, token: str, usage: str) -> str:
        """The line that a door has for a usage (``terminals.USAGES``); empty: none."""
        field, spec = terminals.USAGES.get(usage), self._terminals.get(token)
        return "" if field is None or spec is None else getattr(spec, field) or ""

    def wires(self) -> Wires:
        """What the board must know: normal states of the lines of doors, and what REX opens natively."""
        setups = {token: machine.setup for token, machine in self._machines.items()}
        return terminals.wires(self._terminals, setups)

    def owned(self) -> dict[str, str]:
        """Relays that belong to a door: nobody else commands them."""
        return {line: token for token in self._machines for line in self._relays(token).values()}

    def supervised_by(self, line: str) -> Targets | None:
        """The voltages of a door monitor, if its door supervises it."""
        for token, spec in self._terminals.items():
            monitor = self._machines[token].setup.hardware.monitor
            if spec.monitor == line and monitor.type != "None" and monitor.supervised:
                return of_monitor(monitor)
        return None

    # --- commands

    def access(
        self,
        tx: Transaction,
        token: str,
        request: str = "",
        *,
        unlock: bool = True,
        extended: bool = False,
        access_ms: int | None = None,
        open_too_long_ms: int | None = None,
        pre_alarm_ms: int | None = None,
        t_ns: int = 0,
        correlation: str | None = None,
    ) -> None:
        """``AccessDoor`` (without ``unlock``: ``AccessDoorWithoutUnlock``). ConflictError, NotFoundError.

        ``request`` comes back through ``on_outcome``.
        """
        machine = self.machine(token)
        now = t_ns or tx.now.mono_ns
        step = machine.access(
            now, request, unlock=unlock, extended=extended, access_ms=access_ms, open_too_long_ms=open_too_long_ms,
            pre_alarm_ms=pre_alarm_ms,
        )  # fmt: skip
        self._update(tx, token, step, now, correlation)

    def command(
        self, tx: Transaction, token: str, command: str, level: str = "", correlation: str | None = None
    ) -> None:
        """A command by its name on the wire (``COMMANDS``). ConflictError, NotFoundError, InputError."""
        method = COMMANDS.get(command)
        if method is None:
            raise InputError("command", f"must be one of AccessDoor, {', '.join(COMMANDS)}")
        if level and command not in LEVELLED:
            raise InputError("PriorityLevel", f"does not go with {command}")
        arguments = (level,) if command in LEVELLED else ()
        now = tx.now.mono_ns
        self._update(tx, token, getattr(self.machine(token), method)(now, *arguments), now, correlation)

    # --- inputs

    def on_input(self, tx: Transaction, line: str, active: bool, t_ns: int = 0, correlation: str | None = None) -> bool:
        """A debounced input changed; False: it is no door's."""
        now = t_ns or tx.now.mono_ns
        for token, spec in self._terminals.items():
            machine = self._machines[token]
            if line == spec.rex:
                self._update(tx, token, machine.on_rex(active, now), now, correlation)
            elif line == spec.monitor:
                if not machine.setup.hardware.monitor.supervised:
                    state = terminals.circuit(terminals.monitor_normal(machine.setup), active)
                    self._update(tx, token, machine.on_monitor(state, now), now, correlation)
            elif line == spec.lock_monitor:
                value = "Input Ground" if active else "Input Open"
                self._update(tx, token, machine.on_lock_monitor(value, now), now, correlation)  # type: ignore[arg-type]
            else:
                continue
            return True
        return False

    def on_supervised(
        self, tx: Transaction, line: str, state: LineState, t_ns: int = 0, correlation: str | None = None
    ) -> None:
        """The circuit of a supervised input is in another state."""
        now = t_ns or tx.now.mono_ns
        for token, spec in self._terminals.items():
            machine = self._machines[token]
            if spec.monitor == line and machine.setup.hardware.monitor.supervised:
                self._update(tx, token, machine.on_monitor(state, now), now, correlation)

    def on_link(self, tx: Transaction, token: str, up: bool, correlation: str | None = None) -> None:
        """The line to a door's hardware is lost, or there again; then the inputs tell their states anew."""
        now = tx.now.mono_ns
        self._update(tx, token, self.machine(token).on_link(up, now), now, correlation)
        if up:
            self._repeat(tx, token, correlation)
            self.refresh(tx, token)

    def refresh(self, tx: Transaction, token: str) -> None:
        """Take in what the inputs of a door show at present."""
        if self._lines is None:
            return
        spec, machine, now = self._terminals[token], self._machines[token], tx.now.mono_ns
        if not machine.link:
            return
        if machine.setup.has_monitor and spec.monitor:
            supervised = machine.setup.hardware.monitor.supervised
            state: LineState | None = self._supervised(spec.monitor) if supervised else None
            if state is None:
                state = terminals.circuit(
                    terminals.monitor_normal(machine.setup), self._lines.input_active(spec.monitor)
                )
            if state != machine.line:
                self._update(tx, token, machine.on_monitor(state, now), now, None)
        if not spec.rex:
            return
        pressed = self._lines.input_active(spec.rex)
        machine = self._machines[token]
        if pressed != machine.rex or (not pressed and not machine.rex_armed):
            self._update(tx, token, machine.on_rex(pressed, now), now, None)

    # --- time (a timer of the ledger)

    def next_deadline(self) -> int | None:
        deadlines = [due for machine in self._machines.values() if (due := machine.next_deadline()) is not None]
        deadlines += self._beats.values()
        begin, end = self._span
        wall = self._clock.wall_ns()
        if not begin <= wall < end:
            deadlines.append(0)
        elif end < FAR:
            deadlines.append(self._clock.mono_ns() + end - wall)
        return min(deadlines, default=None)

    def advance(self, tx: Transaction, now: Instant) -> None:
        for token, machine in self._machines.items():
            due = machine.next_deadline()
            if due is not None and due <= now.mono_ns:
                self._update(tx, token, machine.advance(now.mono_ns), due, None)
        begin, end = self._span
        if not begin <= now.wall_ns < end:
            self._follow(tx)
        for token, beat in self._beats.items():
            if beat <= now.mono_ns:
                self._announce_door(tx, token)

    # --- inside

    def _setup(self, token: str) -> Setup:
        configured = self._configured
        door = configured.doors[token]
        priorities = configured.priorities.get(door.priority_configuration, STANDARD_PRIORITIES)
        return Setup(door, configured.door_configurations.get(token) or DoorConfiguration(token=token), priorities)

    def _place(self, tx: Transaction) -> None:
        """Give doors that have none a place, and all of them their lines."""
        before = {token: int(raw) for token, raw in tx.items(PLACE)}
        configured = self._configured
        here = [token for token in configured.doors if not _elsewhere(configured.door_configurations.get(token))]
        places = terminals.placed(here, before, len(self.model.doors))
        for token in before.keys() - places.keys():
            tx.delete(PLACE, token)
        for token in places.keys() - before.keys():
            tx.put(PLACE, token, str(places[token]).encode())
        tx.assign(self, "_places", places)
        assigned = self._configured.table(IO_ASSIGNMENT)
        found = terminals.terminals(self.model, places, self._configured.doors, assigned)
        tx.assign(self, "_terminals", found)

    def _relays(self, token: str) -> dict[Which, str]:
        if (line := self._remote(token)) is not None:
            return {"lock": line}
        return terminals.relays(self._terminals[token], self._machines[token].setup)

    def _update(self, tx: Transaction, token: str, step: _Step, t_ns: int, correlation: str | None) -> None:
        before, (machine, outs) = self._machines[token], step
        tx.assign(self, "_machines", {**self._machines, token: machine})
        if machine.snapshot != before.snapshot:
            self._save(tx, token)
        for event in door_events(token, outs, t_ns):
            tx.publish(msgspec.structs.replace(event, correlation=correlation))
        self._tell_outcomes(tx, outs, t_ns)
        self._command(tx, token, correlation)

    def _tell_outcomes(self, tx: Transaction, outs: Sequence[Output], t_ns: int) -> None:
        for entry in outs:
            if isinstance(entry, Outcome):
                self.on_outcome(tx, entry.request, entry.taken, t_ns)

    def _save(self, tx: Transaction, token: str) -> None:
        raw = msgspec.json.encode(self._machines[token].snapshot)
        if tx.get(STATE, token) != raw:
            tx.put(STATE, token, raw, volatile=True)

    def _command(self, tx: Transaction, token: str, correlation: str | None) -> None:
        """Have the relays do what the machine wants, after the commit."""
        machine = self._machines[token]
        for which, line in self._relays(token).items():
            wanted = outputs.of_lock(machine) if which == "lock" else outputs.of_double_lock(machine)
            before = self._given.get(line, REST)
            if wanted != before:
                tx.assign(self, "_given", {**self._given, line: wanted})
                tx.after_commit(partial(self._do, line, before, wanted, correlation))

    def _repeat(self, tx: Transaction, token: str, correlation: str | None) -> None:
        """Tell the relays again what they were told."""
        for line in self._relays(token).values():
            tx.after_commit(partial(self._do, line, None, self._given.get(line, REST), correlation))

    def _do(self, line: str, before: Wanted | None, wanted: Wanted, correlation: str | None) -> None:
        assert self._lines is not None, "the board is not attached"
        try:
            now = self._clock.mono_ns()
            outputs.command(self._lines, line, wanted, before=before, now=now, correlation=correlation)
        except AxError as error:
            fault = NewEvent(topic=topics.SYSTEM_FAULT, data={"component": "doors", "reason": f"{line}: {error}"})

            def again(tx: Transaction) -> None:
                tx.publish(fault)
                self.renew(tx)

            self._submit(again)

    def _announce_door(self, tx: Transaction, token: str) -> None:
        machine = self._machines[token]
        for event in door_announcements(token, machine.state, tx.now.mono_ns):
            tx.publish(event)
        beats = {name: at for name, at in self._beats.items() if name != token}
        if machine.setup.door.heartbeat_ms:
            beats[token] = tx.now.mono_ns + machine.setup.door.heartbeat_ms * 1_000_000
        tx.assign(self, "_beats", beats)

    def _schedule(self, tx: Transaction, token: str) -> None:
        """What has become active by schedule since the last look."""
        asked, before = schedule.asked(self._configured, token, tx.now.wall_ns), self._scheduled.get(token, {})
        if asked == before:
            return
        tx.assign(self, "_scheduled", {**self._scheduled, token: asked})
        for level, action in asked.items():
            if before.get(level) != action:
                now = tx.now.mono_ns
                self._update(tx, token, self._machines[token].on_schedule(level, action, now), now, None)

    def _follow(self, tx: Transaction) -> None:
        """Look at all schedules now."""
        for token in self._machines:
            self._schedule(tx, token)
        self._look(tx)

    def _look(self, tx: Transaction) -> None:
        """For how long the present answers of the schedules count."""
        tx.assign(self, "_span", schedule.span(self._configured, self._machines, self._clock.wall_ns()))

    def _on_configuration(self, tx: Transaction, kind: str, token: str) -> None:
        """Doors, their hardware, priorities or schedules are others now."""
        if self._lines is None:
            return
        if kind == "pacs.schedule":
            self._follow(tx)
        if kind not in KINDS:
            return
        old = self.wires()
        known = self._configured.doors
        for gone in [name for name in self._machines if name not in known]:
            tx.delete(STATE, gone)
            tx.assign(self, "_machines", {name: door for name, door in self._machines.items() if name != gone})
            tx.assign(self, "_beats", {name: at for name, at in self._beats.items() if name != gone})
        self._place(tx)
        for name in known:
            setup, machine = self._setup(name), self._machines.get(name)
            if machine is None:
                door, _ = start(setup, tx.now.mono_ns)
                tx.assign(self, "_machines", {**self._machines, name: door})
                self._save(tx, name)
                self._announce_door(tx, name)
            elif machine.setup != setup:
                self._update(tx, name, machine.configured(setup, tx.now.mono_ns), tx.now.mono_ns, None)
                if setup.door.heartbeat_ms != machine.setup.door.heartbeat_ms:
                    self._announce_door(tx, name)
        self._rewire(tx, old)
        if kind in ("pacs.door_configuration", "pacs.door_schedule_configuration"):  # what is set counts from now on
            kept = {name: held for name, held in self._scheduled.items() if not self._follows(name, token)}
            tx.assign(self, "_scheduled", kept)
        self._follow(tx)

    def _follows(self, name: str, token: str) -> bool:
        """Whether a door is this one, or has this schedule configuration."""
        hardware = self._configured.door_configurations.get(name)
        return name == token or (hardware is not None and hardware.schedule_configuration == token)

    def _rest(self, tx: Transaction, line: str) -> None:
        before = self._given.get(line, REST)
        tx.assign(self, "_given", {name: held for name, held in self._given.items() if name != line})
        tx.after_commit(partial(self._do, line, before, REST, None))

    def _rewire(self, tx: Transaction, old: Wires) -> None:
        """Configure the lines whose normal state or target is another one, then take in what they show."""
        new, lines = self.wires(), self._lines
        assert lines is not None
        for line in sorted(old.outputs.keys() - new.outputs.keys()):
            self._rest(tx, line)
        for line in sorted({*new.outputs, *old.outputs}):
            circuit = new.outputs.get(line, "open")
            if old.outputs.get(line, "open") != circuit:
                tx.assign(self, "_given", {name: held for name, held in self._given.items() if name != line})
                tx.after_commit(partial(lines.configure_output, line, circuit))
        for line in sorted({*new.inputs, *old.inputs}):
            circuit = new.inputs.get(line, "open")
            if old.inputs.get(line, "open") != circuit:
                tx.after_commit(partial(lines.configure_input, line, circuit))
        for line in sorted({*new.rex, *old.rex}):
            if new.rex.get(line) != old.rex.get(line):
                tx.after_commit(partial(lines.configure_input, line, "open", new.rex.get(line)))
        for token in self._machines:
            self._command(tx, token, None)
        tx.after_commit(self._look_again)

    def _look_again(self) -> None:
        self._submit(self._refresh_all)

    def _refresh_all(self, tx: Transaction) -> None:
        for token in self._machines:
            self.refresh(tx, token)


def _elsewhere(hardware: DoorConfiguration | None) -> bool:
    """Whether a door needs no terminals: its lock is a relay of a module, or at a hub."""
    return hardware is not None and hardware.lock.type in ("RemoteIO", "RS485HD") and hardware.monitor.type == "None"
