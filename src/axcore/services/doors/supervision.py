"""Supervised inputs of a controller: from voltages to states, with the connection that is set for each input (manual:
I/Os and relays > Supervised; External tamper > Supervised input).

What can be set is kept as records of kind ``supervision``, by line. A door monitor is supervised by the configuration
of its door (``DoorMonitor.Supervised*``), which names the voltages. Methods with ``tx`` are jobs of the ledger thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.devices import DeviceModel
from axcore.devices.supervised import (
    SUPPLY_MV,
    Connection,
    Range,
    Targets,
    check_ranges,
    classify,
    classify_ranges,
    ranges_of,
    resistance,
    targets,
    voltage,
)
from axcore.errors import ConflictError, NotFoundError
from axcore.model import events as topics
from axcore.model.convert import patched
from axcore.model.doors import LineState
from axcore.model.events import NewEvent

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

KIND = "supervision"
ROLES = ("port", "monitor", "tamper", "alarm")
"""Inputs that can be supervised."""
WORDS: dict[LineState, str] = {"open": "open", "closed": "close", "short": "short", "cut": "cut"}
"""States in the event of a supervised port."""
OnState = Callable[["Transaction", str, LineState, "str | None"], object]
"""Told the line, its state and the correlation."""


class Supervision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is set for an input."""

    enabled: bool = False
    connection: Connection = "parallel"
    """``parallel``: parallel first with 22 kOhm and 4.7 kOhm. ``serial_1k`` .. ``serial_10k``: serial first."""
    ranges: tuple[Range, ...] = ()
    """The voltages of each state; empty: those of the connection."""


class SupervisedState(msgspec.Struct, frozen=True, kw_only=True):
    """A supervised input as it is."""

    line: str
    millivolt: int
    state: LineState


class SupervisionService:
    """``of_monitor`` gives the voltages of a door monitor that is supervised by its door."""

    def __init__(self, model: DeviceModel, of_monitor: Callable[[str], Targets | None], on_state: OnState) -> None:
        self._roles = {line.name: line.role for line in model.inputs if line.role in ROLES}
        self._ports = {spec.input: str(spec.id) for spec in model.ports if spec.input}
        self._of_monitor = of_monitor
        self._on_state = on_state
        self._settings: Mapping[str, Supervision] = {}
        self._seen: Mapping[str, SupervisedState] = {}

    def load(self, tx: Transaction) -> None:
        """Read the settings; also after a failed commit."""
        stored = {line: msgspec.json.decode(raw, type=Supervision) for line, raw in tx.items(KIND)}
        self._settings = {line: stored.get(line, Supervision()) for line in self._roles}

    @property
    def settings(self) -> Mapping[str, Supervision]:
        """By line."""
        return self._settings

    def state(self, line: str) -> LineState | None:
        """What a supervised input shows; None: it has not been measured, or is not supervised."""
        seen = self._seen.get(line)
        return None if seen is None or self._targets(line) is None else seen.state

    def states(self) -> tuple[SupervisedState, ...]:
        """What was measured."""
        return tuple(seen for line, seen in self._seen.items() if self._targets(line) is not None)

    def ranges(self, line: str) -> tuple[Range, ...]:
        """The voltages of each state of an input, as it is set. NotFoundError."""
        self.check(line)
        setting = self._settings[line]
        return setting.ranges or ranges_of(self._targets(line) or targets(setting.connection))

    def configure(self, tx: Transaction, line: str, patch: Mapping[str, Any]) -> Supervision:
        """Change what is set for an input. NotFoundError, InputError; ConflictError: its door says it."""
        self.check(line)
        if self._roles[line] == "monitor":
            raise ConflictError("line", f"{line} is a door monitor: set DoorMonitor.* of its door")
        new = patched(self._settings[line], patch, Supervision)
        check_ranges(new.ranges)
        tx.put(KIND, line, msgspec.json.encode(new))
        tx.publish(NewEvent(topic=topics.CONFIGURATION_CHANGED, data={"kind": KIND, "key": line, "action": "update"}))
        tx.assign(self, "_settings", {**self._settings, line: new})
        tx.assign(self, "_seen", {name: seen for name, seen in self._seen.items() if name != line})
        return new

    def check(self, line: str) -> None:
        """NotFoundError, if this input cannot be supervised."""
        if line not in self._roles:
            raise NotFoundError("line", f"{line[:40]!r} cannot be supervised (these can: {', '.join(self._roles)})")

    def millivolt(self, line: str, state: LineState) -> int:
        """The voltage that an input sees in a state, with the resistors that are set for it."""
        self.check(line)
        found = self._targets(line)
        for entry in self._settings[line].ranges if found is not None else ():
            if entry.state == state:
                return (entry.lower_mv + entry.upper_mv) // 2
        if self._roles[line] == "monitor" and found is not None:
            return int(getattr(found, state))
        if found is None:
            return 0 if state in ("short", "closed") else SUPPLY_MV
        return voltage(resistance(self._settings[line].connection, state))

    def measured(self, tx: Transaction, line: str, millivolt: int, correlation: str | None = None) -> LineState | None:
        """A voltage was measured; None: the input is not supervised, and the voltage says no more than its level."""
        found = self._targets(line)
        if found is None:
            return None
        before = self._seen.get(line)
        ranges, was = self._settings[line].ranges, None if before is None else before.state
        state = classify_ranges(millivolt, ranges, was) if ranges else classify(millivolt, found, was)
        tx.assign(self, "_seen", {**self._seen, line: SupervisedState(line=line, millivolt=millivolt, state=state)})
        if before is not None and before.state == state:
            return state
        if line in self._ports:
            event = NewEvent(
                topic=topics.SUPERVISED_PORT, source={"port": self._ports[line]}, data={"state": WORDS[state]},
                is_property=True, correlation=correlation,
            )  # fmt: skip
            tx.publish(event)
        self._on_state(tx, line, state, correlation)
        return state

    def _targets(self, line: str) -> Targets | None:
        if self._roles.get(line) == "monitor":
            return self._of_monitor(line)
        setting = self._settings.get(line)
        return targets(setting.connection) if setting is not None and setting.enabled else None
