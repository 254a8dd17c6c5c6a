"""Which lines of the board belong to which door, and how they rest. Pure functions.

A door of the configuration has a *place*: the number (1..) of its terminals. A door without one is a door all the
same, on no terminals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from axcore.devices import DeviceModel
from axcore.devices.door_parts import Setup, Which
from axcore.model.doors import LineState
from axcore.model.ports import Circuit
from axcore.services.doors import outputs


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


def relays(model: DeviceModel, place: int | None, setup: Setup) -> dict[Which, str]:
    """The relays of a door. A virtual lock has none."""
    if place is None:
        return {}
    spec, found = model.doors[place - 1], dict[Which, str]()
    if setup.hardware.lock.type in ("Standard", "Relay"):
        found["lock"] = spec.lock
    if setup.has_double and spec.double_lock is not None:
        found["double_lock"] = spec.double_lock
    return found


def wires(model: DeviceModel, places: Mapping[str, int], setups: Mapping[str, Setup]) -> Wires:
    """The lines of all doors."""
    found = Wires({}, {}, {})
    for token, place in places.items():
        spec, setup = model.doors[place - 1], setups[token]
        found.inputs[spec.monitor] = monitor_normal(setup)
        for which, line in relays(model, place, setup).items():
            double = which == "double_lock"
            lock = setup.hardware.double_lock if double else setup.hardware.lock
            found.outputs[line] = outputs.normal(lock, double=double)
            if not double:
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
