"""Which lines of the board belong to which door, and how they rest. Pure functions.

A door of the configuration has a *place*: the number (1..) of its terminals. A door without one is a door all the
same, on no terminals. Lines that are assigned to somebody (VAPIX *I/O assignment service*) are his, wherever they are;
of the others each door has those of its place. A request to exit belongs to whom the relay beside it belongs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from axcore.devices import DeviceModel, DoorSpec
from axcore.devices.door_parts import Setup, Which
from axcore.model.doors import LineState
from axcore.model.ports import Circuit
from axcore.services.doors import outputs
from axcore.services.pacs.io import IoAssignment

NOTHING = DoorSpec(lock="", monitor="", rex="")
USAGES = {
    "Lock_Standard": "lock", "Lock_Relay": "lock", "DoubleLock_Standard": "double_lock",
    "DoubleLock_Relay": "double_lock", "DoorOpenMonitor": "monitor", "DoorClosedMonitor": "monitor",
    "LockMonitor": "lock_monitor",
}  # fmt: skip
"""What a line of a door is used for, and the terminal that it is then."""


class Wires(NamedTuple):
    """What the board must know of the doors."""

    inputs: dict[str, Circuit]
    """Normal states."""
    outputs: dict[str, Circuit]
    rex: dict[str, tuple[str, float]]
    """What each request to exit opens, and for how long (s)."""


def placed(known: Iterable[str], before: Mapping[str, int], count: int) -> dict[str, int]:
    """Places of the doors: those that have one keep it, others get what is free, in the order of their tokens."""
    tokens = sorted(known)
    places = {token: before[token] for token in tokens if before.get(token, count + 1) <= count}
    free = [number for number in range(1, count + 1) if number not in places.values()]
    for token in tokens:
        if token not in places and free:
            places[token] = free.pop(0)
    return places


def terminals(
    model: DeviceModel, places: Mapping[str, int], tokens: Iterable[str], assigned: Mapping[str, IoAssignment]
) -> dict[str, DoorSpec]:
    """The lines of each door; "" and None: it has none for that. What a door had that is gone is nobody's."""
    known = frozenset(tokens)
    explicit: dict[str, dict[str, str]] = {}
    for line in sorted(assigned):
        for user in assigned[line].users:
            if user.type == "doorcontrol" and user.usage in USAGES and user.token in known:
                explicit.setdefault(user.token, {})[USAGES[user.usage]] = line
    found = {}
    for token in sorted(known):
        base = model.doors[places[token] - 1] if token in places else NOTHING
        lines: dict[str, Any] = {}
        for field, none in (("lock", ""), ("monitor", ""), ("double_lock", None), ("lock_monitor", None)):
            line = getattr(base, field)
            lines[field] = explicit.get(token, {}).get(field, none if line in assigned else line)
        found[token] = DoorSpec(**lines, rex="")
    for place, spec in enumerate(model.doors, 1):
        owner = next((token for token, lines in found.items() if lines.lock == spec.lock), None)
        owner = owner or next((token for token, number in places.items() if number == place), None)
        if owner is not None and not found[owner].rex:
            found[owner] = msgspec.structs.replace(found[owner], rex=spec.rex)
    return found


def relays(spec: DoorSpec, setup: Setup) -> dict[Which, str]:
    """The relays of a door. A virtual lock has none."""
    found = dict[Which, str]()
    if spec.lock and setup.hardware.lock.type in ("Standard", "Relay"):
        found["lock"] = spec.lock
    if setup.has_double and spec.double_lock:
        found["double_lock"] = spec.double_lock
    return found


def wires(specs: Mapping[str, DoorSpec], setups: Mapping[str, Setup]) -> Wires:
    """The lines of all doors."""
    found = Wires({}, {}, {})
    for token, spec in specs.items():
        setup = setups[token]
        if spec.monitor:
            found.inputs[spec.monitor] = monitor_normal(setup)
        for which, line in relays(spec, setup).items():
            double = which == "double_lock"
            lock = setup.hardware.double_lock if double else setup.hardware.lock
            found.outputs[line] = outputs.normal(lock, double=double)
            if not double and spec.rex:
                found.rex[spec.rex] = (line, setup.door.access_ms / 1000)
    return found


def monitor_normal(setup: Setup) -> Circuit:
    """The circuit of the monitor of a closed door: what is active is a door that stands open."""
    monitor = setup.hardware.monitor
    if monitor.type == "None":
        return "open"
    return "open" if monitor.value_when_closed.endswith("Open") else "closed"


def circuit(normal: Circuit, active: bool) -> LineState:
    """The circuit of a line."""
    return "closed" if (normal == "closed") != active else "open"
