"""A door controller on the bench: its services on a ledger in memory, with a board that only remembers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from axcore.devices import MODELS
from axcore.model.credentials import CardValue
from axcore.model.doors import Door, DoorConfiguration, DoorMonitor, LineState, LockConfiguration
from axcore.model.events import Event
from axcore.model.pacs import AccessPolicy, AccessProfile, Credential, CredentialAccessProfile, IdData
from axcore.model.ports import Circuit
from axcore.services.doors import (
    AccessController,
    AlarmService,
    BusService,
    DoorService,
    ExpansionService,
    NetworkReaders,
    PowerService,
    ReaderService,
    ReaderSetup,
    RoutedLines,
    Signal,
    SupervisionService,
    WirelessService,
    deliver,
)
from axcore.services.pacs.service import PacsService
from axcore.testing.clock import VirtualClock
from axcore.testing.memory import MemoryLedger, MemoryStore

T = TypeVar("T")
NS = 1_000_000_000
CARD = CardValue(bits=26, value="02004fcb")
OTHER = CardValue(bits=26, value="02004fc8")


class MemoryLines:
    """The board's lines: claims on relays as the I/O thread keeps them, levels of inputs as they are set."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.commands: list[tuple[Any, ...]] = []
        self.inputs: dict[str, bool] = {}
        """Active inputs."""
        self.normals: dict[str, Circuit] = {}
        self.rex: dict[str, tuple[str, float] | None] = {}
        self.base: dict[str, bool] = {}
        self.pulses: dict[str, int] = {}

    def set(self, line: str, active: bool, correlation: str | None) -> None:
        self.commands.append(("set", line, active))
        self.base[line] = active

    def pulse(self, line: str, active: bool, seconds: float, correlation: str | None) -> None:
        self.commands.append(("pulse", line, active, round(seconds, 3)))
        self.pulses[line] = self._clock.mono_ns() + round(seconds * NS)

    def end(self, line: str, correlation: str | None) -> None:
        self.commands.append(("end", line))
        self.pulses.pop(line, None)

    def input_active(self, line: str) -> bool:
        return self.inputs.get(line, False)

    def configure_input(
        self, line: str, normal: Circuit, rex: tuple[str, float] | None = None, debounce_ns: int | None = None
    ) -> None:
        self.normals[line] = normal
        self.rex[line] = rex

    def configure_output(self, line: str, normal: Circuit) -> None:
        self.normals[line] = normal
        self.base.pop(line, None)
        self.pulses.pop(line, None)

    def active(self, line: str) -> bool:
        """Whether an output is active now."""
        return self.base.get(line, False) or self.pulses.get(line, 0) > self._clock.mono_ns()


class Panel:
    """A reader's lights and sound."""

    def __init__(self) -> None:
        self.shown: list[Signal] = []

    def show(self, signal: Signal) -> None:
        self.shown.append(signal)


class ControllerBench:
    """Controller ``model``; give a former bench's ``store`` to play a restart."""

    def __init__(
        self,
        model: str = "a1610",
        store: MemoryStore | None = None,
        before: Callable[[ControllerBench, Any], None] | None = None,
    ) -> None:
        self.model = MODELS[model]
        self.clock = VirtualClock()
        self.ledger = MemoryLedger(self.clock, store=store)
        self.pacs = PacsService(self.ledger.bus)
        self.doors = DoorService(self.model, self.pacs, self.clock, self.ledger.post)
        self.controller = AccessController(self.pacs, self.doors)
        self.readers = ReaderService(self.model, self.pacs, self.controller)
        self.buses = BusService(self.model, self.readers)
        self.reader_setup = ReaderSetup(self.pacs, self.readers, self.buses)
        self.expansion = ExpansionService(self.model, self.pacs, self.buses, self.doors)
        self.buses.modules_at = self.expansion.addresses
        self.wireless = WirelessService(self.model, self.pacs, self.doors, self.controller)
        self.network_readers = NetworkReaders(self.model, self.pacs)
        self.supervision = SupervisionService(self.model, self.doors.supervised_by, self._on_state)
        self.alarms = AlarmService()
        self.power = PowerService(self.model)
        self.lines = MemoryLines(self.clock)
        self.panel = Panel()
        self.ledger.load(lambda tx: deliver(tx, self.model))
        if before is not None:
            self.ledger.load(lambda tx: before(self, tx))
        more = (self.expansion.load, self.wireless.load, self.network_readers.load)
        loaders = (self.pacs.load, self.supervision.load, self.alarms.load, self.buses.load, *more, self.doors.load)
        self.ledger.load(*loaders)
        for loader in (*loaders, self.doors.renew):
            self.ledger.on_reload(loader)
        for timer in (self.doors, self.readers, self.pacs):
            self.ledger.add_timer(timer)
        routed = RoutedLines(self.lines, (self.expansion, self.wireless))
        self.doors.attach(routed, self.supervision.state, routed.of_door)
        self.readers.attach("reader1", self.panel)
        self.lines.normals.update(self.doors.wires().outputs)
        self.last = self.ledger.store.last_id
        self.ledger.do(self.doors.announce)

    def _on_state(self, tx: Any, line: str, state: LineState, correlation: str | None) -> None:
        if line in ("tamper", "alarm"):
            self.alarms.on_supervised(tx, line, state, correlation)  # type: ignore[arg-type]
        else:
            self.doors.on_supervised(tx, line, state, 0, correlation)

    def do(self, job: Callable[[Any], T]) -> T:
        """Run a job of the ledger."""
        return self.ledger.do(job)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.ledger.advance(seconds)

    def restart(self) -> ControllerBench:
        """The same store with a new process."""
        return ControllerBench(self.model.id, self.ledger.store)

    # what people do

    def let_in(self, card: CardValue = CARD, reader: str = "reader1", pin: str = "", **credential: Any) -> None:
        """Give somebody a credential for a reader."""
        data = (IdData("Card", card.value), *((IdData("PIN", pin),) if pin else ()))
        profile = AccessProfile(token=f"{reader}profile", policies=(AccessPolicy(f"{reader}access"),))
        person = Credential(
            token=f"card{card.value}", id_data=data,
            access_profiles=(CredentialAccessProfile(profile.token),), **credential,
        )  # fmt: skip
        self.do(lambda tx: self.pacs.set(tx, "pacs.access_profile", (profile,)))
        self.do(lambda tx: self.pacs.set(tx, "pacs.credential", (person,)))

    def configure(
        self,
        token: str = "door1",
        lock: dict[str, Any] | None = None,
        double_lock: dict[str, Any] | None = None,
        monitor: dict[str, Any] | None = None,
        **door: Any,
    ) -> None:
        """Set a door and its hardware."""
        hardware = DoorConfiguration(
            token=token,
            lock=LockConfiguration(**{"type": "Relay", **(lock or {})}),
            double_lock=LockConfiguration(**(double_lock or {})),
            monitor=DoorMonitor(**{"type": "Standard", **(monitor or {})}),
        )
        self.do(lambda tx: self.pacs.set(tx, "pacs.door_configuration", (hardware,)))
        self.do(lambda tx: self.pacs.set(tx, "pacs.door", (Door(token=token, **door),)))

    def swipe(self, card: CardValue = CARD, reader: str = "reader1") -> None:
        """Show a card."""
        self.do(lambda tx: self.readers.on_card(tx, reader, card))

    def keys(self, keys: str, reader: str = "reader1") -> None:
        """Type on the keypad of a reader."""
        for key in keys:
            self.do(lambda tx, key=key: self.readers.on_key(tx, reader, key))  # type: ignore[misc]

    def input(self, line: str, active: bool) -> None:
        """An input of a door changes."""
        self.lines.inputs[line] = active
        self.do(lambda tx: self.doors.on_input(tx, line, active))

    def command(self, name: str, token: str = "door1", level: str = "") -> None:
        """A command of a client."""
        self.do(lambda tx: self.doors.command(tx, token, name, level))

    # what is seen

    @property
    def open(self) -> bool:
        """Whether the lock of the first door is open."""
        return self.lines.active("relay1")

    def mode(self, token: str = "door1") -> str:
        return self.doors.state(token).mode

    def events(self) -> list[Event]:
        """What was logged since the last call."""
        found = self.ledger.store.events_after(self.last)
        self.last = self.ledger.store.last_id
        return found

    def told(self, topic: str) -> list[Event]:
        """Of these, those of a topic (or below it)."""
        return [event for event in self.events() if event.topic.startswith(topic)]
