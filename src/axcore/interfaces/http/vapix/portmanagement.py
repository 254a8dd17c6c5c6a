"""``io/portmanagement.cgi`` (id ``io-port-management``, 1.1): read, configure and switch I/O ports over JSON.

Ports are counted from 0 and named by strings. ``setPorts`` takes ``{"ports": [...]}`` and the bare list that older
client libraries send. A fault that concerns the whole request (a missing port id, an unknown port, the role) changes
nothing; a fault in one optional property leaves only that property as it was, and the answer names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from axcore.errors import ConflictError, InputError
from axcore.interfaces.http.vapix.ajr import GEN3, AjrApi, AjrError, Call
from axcore.model.accounts import Role
from axcore.model.ports import MAX_SEQUENCE, Circuit, Port

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction
    from axcore.services.ports import PortService

MAX_PORTS: Final = 256
MAX_STEP_MS: Final = 65_535

MISSING: Final = 2103
INVALID: Final = 2104
SEQUENCE_RUNS: Final = 2200
_MESSAGES: Final = {
    MISSING: "Required parameter missing",
    INVALID: "Invalid parameter value specified",
    SEQUENCE_RUNS: "State sequence already ongoing",
}
_CIRCUITS: Final = ("open", "closed")
_CONFIGURED: Final = {"direction": "direction", "normalState": "normal_state", "name": "name", "usage": "usage"}
"""Wire name to field, in the order of application; ``state`` comes last, so that it acts on the new normal state."""
_ECHOED: Final = frozenset({"configurable", "readonly"})
"""What getPorts tells and nobody can set: ignored, so that an answer of getPorts can be sent back."""


class PortFault(NamedTuple):
    """One entry of an error answer."""

    code: int
    port: str = ""
    property_name: str = ""

    def body(self) -> dict[str, Any]:
        """``code``, ``message`` and, where known, ``details``."""
        body: dict[str, Any] = {"code": self.code, "message": _MESSAGES[self.code]}
        details = {"port": self.port, "propertyName": self.property_name}
        if details := {name: value for name, value in details.items() if value}:
            body["details"] = details
        return body


class PortFaultError(Exception):
    """The request is answered with these faults, the first one in front."""

    def __init__(self, *faults: PortFault) -> None:
        super().__init__(faults)
        self.faults = faults


class PortChange(NamedTuple):
    """What ``setPorts`` asks of one port; ``unknown`` are property names that do not exist."""

    port: int
    config: dict[str, object]
    state: object
    unknown: tuple[str, ...]

    @property
    def only_state(self) -> bool:
        return not self.config and not self.unknown


# --- getPorts ------------------------------------------------------------------------------------------------------


def port_item(port: Port) -> dict[str, Any]:
    """One item of getPorts; ``readonly`` is there only when it is true."""
    item: dict[str, Any] = {
        "port": str(port.id),
        "state": port.state,
        "configurable": port.configurable,
        "usage": port.config.usage,
        "direction": port.config.direction,
        "name": port.config.name,
        "normalState": port.config.normal_state,
    }
    if port.readonly:
        item["readonly"] = True
    return item


def ports_data(ports: Sequence[Port]) -> dict[str, Any]:
    """``data`` of getPorts."""
    data: dict[str, Any] = {"numberOfPorts": len(ports)}
    if ports:
        data["items"] = [port_item(port) for port in ports]
    return data


# --- setPorts ------------------------------------------------------------------------------------------------------


def _port_id(entry: Mapping[str, object], ports: Iterable[Port]) -> int:
    if "port" not in entry:
        raise PortFaultError(PortFault(MISSING, property_name="port"))
    text = entry["port"]
    if isinstance(text, str):
        for port in ports:
            if text == str(port.id):
                return port.id
    raise PortFaultError(PortFault(INVALID, str(text)[:16], "port"))


def parse_set_ports(params: object, ports: Sequence[Port]) -> list[PortChange]:
    """The changes that a setPorts request asks for. Raises PortFaultError for a fault of the whole request."""
    if isinstance(params, Mapping):
        if "ports" not in params:
            raise PortFaultError(PortFault(MISSING, property_name="ports"))
        params = params["ports"]
    elif params is None:
        raise PortFaultError(PortFault(MISSING, property_name="ports"))
    if not isinstance(params, list) or len(params) > MAX_PORTS:
        raise PortFaultError(PortFault(INVALID, property_name="ports"))
    changes = []
    for entry in params:
        if not isinstance(entry, Mapping):
            raise PortFaultError(PortFault(INVALID, property_name="ports"))
        known = {"port", "state", *_CONFIGURED, *_ECHOED}
        changes.append(
            PortChange(
                port=_port_id(entry, ports),
                config={name: entry[name] for name in _CONFIGURED if name in entry},
                state=entry.get("state"),
                unknown=tuple(str(name)[:40] for name in entry if name not in known),
            )
        )
    return changes


def apply_changes(
    tx: Transaction, service: PortService, changes: Sequence[PortChange]
) -> tuple[list[str], list[PortFault]]:
    """The job of setPorts: property by property. Returns the ports that were touched and the faults."""
    touched: dict[str, None] = {}
    faults: list[PortFault] = []
    for change in changes:
        number = str(change.port)
        faults += [PortFault(INVALID, number, name) for name in change.unknown]
        for name, value in change.config.items():
            try:
                service.configure(tx, change.port, {_CONFIGURED[name]: value})
                touched[number] = None
            except InputError:
                faults.append(PortFault(INVALID, number, name))
        if change.state is None:
            continue
        try:
            _set_state(tx, service, change.port, change.state)
            touched[number] = None
        except InputError:
            faults.append(PortFault(INVALID, number, "state"))
    return list(touched), faults


def _set_state(tx: Transaction, service: PortService, number: int, state: object) -> None:
    port = service.port(number)
    if state not in _CIRCUITS or port.readonly:
        raise InputError("state", "open or closed, on a port that can be written")
    if port.config.direction != "output":
        if state != port.state:
            raise InputError("state", "an input cannot be set")
        return
    service.set_state(tx, number, "open" if state == "open" else "closed")


# --- setStateSequence ----------------------------------------------------------------------------------------------


def parse_sequence(params: object, ports: Sequence[Port]) -> tuple[int, list[tuple[Circuit, int]]]:
    """Port and steps (state, ms until the next) of a setStateSequence request. Raises PortFaultError."""
    if not isinstance(params, Mapping):
        raise PortFaultError(PortFault(MISSING if params is None else INVALID))
    number = _port_id(params, ports)
    if "sequence" not in params:
        raise PortFaultError(PortFault(MISSING, str(number), "sequence"))
    invalid = PortFaultError(PortFault(INVALID, str(number), "sequence"))
    steps = params["sequence"]
    if not isinstance(steps, list) or not 1 <= len(steps) <= MAX_SEQUENCE:
        raise invalid
    port = next(port for port in ports if port.id == number)
    if port.config.direction != "output" or port.readonly:
        raise PortFaultError(PortFault(INVALID, str(number), "port"))
    sequence: list[tuple[Circuit, int]] = []
    for step in steps:
        if not isinstance(step, Mapping):
            raise invalid
        if "state" not in step or "time" not in step:
            raise PortFaultError(PortFault(MISSING, str(number), "sequence"))
        state, wait = step["state"], step["time"]
        if state not in _CIRCUITS or type(wait) is not int or not 0 <= wait <= MAX_STEP_MS:
            raise invalid
        sequence.append(("open" if state == "open" else "closed", wait))
    return number, sequence


# --- the API -------------------------------------------------------------------------------------------------------

API: Final = AjrApi(
    api_id="io-port-management",
    name="I/O port management",
    path="/axis-cgi/io/portmanagement.cgi",
    versions=("1.1",),
    codes=GEN3,
)


def _answer(fault: PortFaultError) -> AjrError:
    first, *others = (entry.body() for entry in fault.faults)
    extra = {"details": first["details"]} if "details" in first else {}
    return AjrError(first["code"], first["message"], **extra, **({"errors": others} if others else {}))


@API.method("getPorts", Role.VIEWER, safe=True)
async def get_ports(call: Call) -> Any:
    """All ports."""
    return ports_data(call.ctx.ports.ports())


@API.method("setPorts", Role.VIEWER)
async def set_ports(call: Call) -> Any:
    """Configure (operator) and switch (viewer) ports."""
    service = call.ctx.ports
    try:
        changes = parse_set_ports(call.params, service.ports())
        if not all(change.only_state for change in changes):
            call.request.require(Role.OPERATOR)
        touched, faults = await call.ctx.ledger.run(lambda tx: apply_changes(tx, service, changes))
        if faults:
            raise PortFaultError(*faults)
    except PortFaultError as fault:
        raise _answer(fault) from None
    return {"ports": touched}


@API.method("setStateSequence", Role.VIEWER)
async def set_state_sequence(call: Call) -> Any:
    """Begin a sequence; returns as soon as it has begun."""
    service = call.ctx.ports
    try:
        number, sequence = parse_sequence(call.params, service.ports())
        try:
            await call.ctx.ledger.run(lambda tx: service.sequence(tx, number, sequence))
        except ConflictError:
            raise PortFaultError(PortFault(SEQUENCE_RUNS)) from None
    except PortFaultError as fault:
        raise _answer(fault) from None
    return {"port": str(number)}


ROUTES: Final = API.routes()
APIS: Final = (API.entry(),)
