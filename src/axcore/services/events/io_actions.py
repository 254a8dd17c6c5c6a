"""Actions on ports and virtual inputs: Toggle I/O once, while active; virtual input once, while active."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from axcore.errors import InputError
from axcore.model.actions import (
    MAX_DURATION,
    MIN_DURATION,
    Action,
    ToggleIoOnce,
    ToggleIoWhileActive,
    VirtualInputOnce,
    VirtualInputWhileActive,
)
from axcore.model.ports import Port

from .performers import ActionType, Run

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction


class Actuator(Protocol):
    """What the actions need of the ports."""

    def ports(self) -> tuple[Port, ...]: ...
    def virtual_inputs(self) -> tuple[bool, ...]: ...
    def resolve_output(self, name: str) -> int: ...
    def pulse(
        self,
        tx: Transaction,
        port: int,
        active: bool,
        seconds: float,
        correlation: str | None = None,
        *,
        failed: Callable[[str], None] | None = None,
    ) -> None: ...
    def hold(
        self,
        tx: Transaction,
        port: int,
        on: bool,
        active: bool = True,
        correlation: str | None = None,
        *,
        owner: str = "",
        failed: Callable[[str], None] | None = None,
    ) -> None: ...
    def set_virtual_input(
        self, tx: Transaction, port: int, active: bool, duration: float | None = None, correlation: str | None = None
    ) -> bool: ...


class PortPerformer:
    """Toggles outputs. A rule keeps the id of its port, so that renaming the port does not take the door away."""

    kinds = (ToggleIoOnce, ToggleIoWhileActive)

    def __init__(self, ports: Actuator) -> None:
        self._ports = ports

    def describe(self) -> Iterable[ActionType]:
        outputs = [(port.id, port.config.name) for port in self._ports.ports() if port.config.direction == "output"]
        port: dict[str, Any] = {
            "type": "string",
            "title": "Port",
            "enum": [str(number) for number, _ in outputs],
            "names": [name for _, name in outputs],
        }
        state = {"type": "boolean", "title": "State", "default": True, "names": {"true": "Active", "false": "Inactive"}}
        duration = {
            "type": "number",
            "title": "Duration",
            "unit": "s",
            "default": 0,
            "minimum": MIN_DURATION,
            "maximum": MAX_DURATION,
            "zero": "stays there",
        }
        fields: dict[str, dict[str, Any]] = {"port": port, "state": state}
        while_active = "Toggle I/O while the rule is active"
        return (
            ActionType(
                type="toggle_io_once", group="I/O", name="Toggle I/O once", fields={**fields, "duration": duration}
            ),
            ActionType(type="toggle_io_while_active", group="I/O", name=while_active, fields=fields),
        )

    def check(self, action: Any) -> Action:
        if isinstance(action, ToggleIoOnce) and action.duration != 0:
            check_duration(action.duration, zero="stay there")
        checked: Action = msgspec.structs.replace(action, port=str(self._ports.resolve_output(action.port)))
        return checked

    def start(self, tx: Transaction, action: Any, run: Run) -> None:
        port = self._ports.resolve_output(action.port)
        if isinstance(action, ToggleIoOnce):
            self._ports.pulse(tx, port, action.state, action.duration, run.correlation, failed=run.failed)
        else:
            self._hold(tx, port, True, action, run)

    def stop(self, tx: Transaction, action: Any, run: Run) -> None:
        self._hold(tx, self._ports.resolve_output(action.port), False, action, run)

    def _hold(self, tx: Transaction, port: int, on: bool, action: ToggleIoWhileActive, run: Run) -> None:
        self._ports.hold(tx, port, on, action.state, run.correlation, owner=run.rule, failed=run.failed)


class VirtualInputPerformer:
    """Sets virtual inputs."""

    kinds = (VirtualInputOnce, VirtualInputWhileActive)

    def __init__(self, ports: Actuator) -> None:
        self._ports = ports

    def describe(self) -> Iterable[ActionType]:
        number = {"type": "integer", "title": "Virtual input", "minimum": 1, "maximum": self._count}
        state = {"type": "boolean", "title": "State", "default": True, "names": {"true": "Active", "false": "Inactive"}}
        duration = {"type": "number", "title": "Duration", "unit": "s", "minimum": 0, "maximum": MAX_DURATION}
        once = {"input": number, "state": state, "duration": duration}
        while_active = "Virtual input active while the rule is active"
        return (
            ActionType(type="virtual_input_once", group="I/O", name="Set virtual input", fields=once),
            ActionType(type="virtual_input_while_active", group="I/O", name=while_active, fields={"input": number}),
        )

    def check(self, action: Any) -> Action:
        if not 1 <= action.input <= self._count:
            raise InputError("input", f"must be 1..{self._count}")
        if isinstance(action, VirtualInputOnce) and action.duration is not None:
            if not action.state:
                raise InputError("duration", "only an input that is activated has one")
            if action.duration != 0:
                check_duration(action.duration, zero="a pulse")
        checked: Action = action
        return checked

    def start(self, tx: Transaction, action: Any, run: Run) -> None:
        once = isinstance(action, VirtualInputOnce)
        state, duration = (action.state, action.duration) if once else (True, None)
        self._ports.set_virtual_input(tx, action.input, state, duration, run.correlation)

    def stop(self, tx: Transaction, action: Any, run: Run) -> None:
        self._ports.set_virtual_input(tx, action.input, False, None, run.correlation)

    @property
    def _count(self) -> int:
        return len(self._ports.virtual_inputs())


def check_duration(seconds: float, *, zero: str = "") -> None:
    """InputError unless a duration is one that an action can have; ``zero`` says what 0 would mean."""
    if not math.isfinite(seconds) or not MIN_DURATION <= seconds <= MAX_DURATION:
        rest = f", or 0 to {zero}" if zero.startswith("stay") else f", or 0 for {zero}" if zero else ""
        raise InputError("duration", f"must be {MIN_DURATION}..{MAX_DURATION:.0f} s{rest}")
