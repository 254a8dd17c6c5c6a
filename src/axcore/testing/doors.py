"""A door on the bench: the state machine in virtual time, with its lock, its monitors and everything it has told."""

from __future__ import annotations

from typing import Any

from axcore.devices.door import DoorMachine, start
from axcore.devices.door_parts import Change, LockCommand, Outcome, Output, Setup, Snapshot
from axcore.model.doors import (
    STANDARD_PRIORITIES,
    Door,
    DoorConfiguration,
    DoorMonitor,
    LineState,
    LockConfiguration,
    PriorityAction,
    PriorityConfiguration,
)

NS = 1_000_000_000


def setup(
    *,
    lock: dict[str, Any] | None = None,
    double_lock: dict[str, Any] | None = None,
    monitor: dict[str, Any] | None = None,
    levels: dict[str, str] | None = None,
    **door: Any,
) -> Setup:
    """A door with a relay lock and a door monitor, unless said otherwise; ``levels`` are priority levels."""
    priorities = STANDARD_PRIORITIES
    if levels is not None:
        actions = tuple(PriorityAction(level=name, action=action) for name, action in levels.items())  # type: ignore[arg-type]
        priorities = PriorityConfiguration(token="levels", actions=actions)
    hardware = DoorConfiguration(
        token="door",
        lock=LockConfiguration(**{"type": "Relay", **(lock or {})}),
        double_lock=LockConfiguration(**(double_lock or {})),
        monitor=DoorMonitor(**{"type": "Standard", **(monitor or {})}),
    )
    return Setup(Door(token="door", **door), hardware, priorities)


class Bench:
    """Every method of the machine, without its time; ``wait`` lets time pass."""

    def __init__(self, configured: Setup | None = None, snapshot: Snapshot | None = None, **given: Any) -> None:
        self.setup = configured or setup(**given)
        self.now = 0
        self.outputs: list[Output] = []
        self.machine: DoorMachine
        self.machine, outputs = start(self.setup, self.now, snapshot)
        self.outputs += outputs
        if snapshot is None and self.setup.has_monitor:
            self.closed()

    def do(self, name: str, *arguments: Any, **keywords: Any) -> list[Output]:
        """Call an input or a command of the machine at the present time."""
        given = (*arguments, self.now) if name.startswith("on_") else (self.now, *arguments)
        if name in ("on_rex", "on_lock_monitor") and len(arguments) > 1:
            given = (arguments[0], self.now, *arguments[1:])
        outputs: list[Output]
        self.machine, outputs = getattr(self.machine, name)(*given, **keywords)
        self.outputs += outputs
        return outputs

    def wait(self, seconds: float) -> list[Output]:
        """Let time pass."""
        self.now += round(seconds * NS)
        self.machine, outputs = self.machine.advance(self.now)
        self.outputs += outputs
        return outputs

    def line(self, state: LineState) -> list[Output]:
        """The circuit of the door monitor."""
        return self.do("on_monitor", state)

    def open(self) -> list[Output]:
        """Somebody opens the door."""
        return self.line("open")

    def closed(self) -> list[Output]:
        """The door closes."""
        return self.line("closed")

    def restart(self) -> Bench:
        """The same door after a restart."""
        return Bench(self.setup, self.machine.snapshot)

    @property
    def mode(self) -> str:
        return self.machine.mode

    @property
    def alarm(self) -> str:
        return self.machine.alarm

    @property
    def locked(self) -> bool:
        """What the lock was told last."""
        return self.machine.lock.locked

    @property
    def relay(self) -> str:
        """The state of the lock's relay: COM to NO ``Open`` or ``Closed``."""
        commands = [entry for entry in self.outputs if isinstance(entry, LockCommand) and entry.which == "lock"]
        return commands[-1].output

    def told(self, what: str) -> list[str]:
        """Every value of a state that was told, oldest first."""
        return [entry.value for entry in self.outputs if isinstance(entry, Change) and entry.what == what]

    def outcomes(self) -> list[tuple[str, bool]]:
        """Every access that was used or not."""
        return [(entry.request, entry.taken) for entry in self.outputs if isinstance(entry, Outcome)]
