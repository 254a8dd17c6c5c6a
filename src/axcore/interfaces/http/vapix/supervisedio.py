"""``supervisedio.cgi`` (2.0): which inputs of a controller are supervised, and at which voltages they are what.

Ports are those of the I/O port API that are inputs, counted from 0 and named by strings. ``params`` is a list with one
entry for each port that is meant; none given, all of them are. ``setSupervised`` does all of it or nothing, and its
error names every port that is at fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from axcore.errors import InputError
from axcore.interfaces.http.vapix.ajr import GEN3, AjrApi, AjrError, Call
from axcore.model.accounts import Role

if TYPE_CHECKING:
    from axcore.devices.supervised import Range
    from axcore.services.doors.supervision import SupervisionService

MAX_ITEMS: Final = 64
MISSING: Final = 2103
INVALID: Final = 2104
NOT_SUPERVISABLE: Final = 2200
_MESSAGES: Final = {
    MISSING: "Required parameter missing", INVALID: "Invalid parameter value specified",
    NOT_SUPERVISABLE: "The port cannot be supervised",
}  # fmt: skip
_TO_WIRE: Final = {"open": "open", "closed": "close", "short": "short", "cut": "cut"}
_FROM_WIRE: Final = {word: state for state, word in _TO_WIRE.items()}


class Fault(NamedTuple):
    """What is wrong with an entry."""

    port: str
    code: int
    reason: str


class FaultError(InputError):
    """An entry that cannot be done."""

    def __init__(self, port: str, code: int, reason: str) -> None:
        super().__init__("params", reason)
        self.fault = Fault(port, code, reason)


API: Final = AjrApi(
    api_id="supervised-io", name="Supervised I/O", path="/axis-cgi/supervisedio.cgi", versions=("2.0",), codes=GEN3
)


def _lines(call: Call) -> dict[str, str]:
    """The inputs by the numbers of their ports."""
    return {str(spec.id): spec.input for spec in call.ctx.ports.model.ports if spec.input is not None}


def _entries(call: Call) -> list[Mapping[str, Any]]:
    """``params``: a list of objects; one object counts as its list. AjrError."""
    params = call.params
    entries = params if isinstance(params, list) else [params] if params else []
    if len(entries) > MAX_ITEMS or not all(isinstance(entry, dict) for entry in entries):
        raise AjrError(INVALID, f"{_MESSAGES[INVALID]}: params is a list of at most {MAX_ITEMS} objects")
    return entries


def _port(entry: Mapping[str, Any], lines: Mapping[str, str]) -> str:
    """The number of the port that is meant."""
    given = entry.get("port")
    if given is None:
        raise FaultError("", MISSING, "port is required")
    text = str(given) if isinstance(given, (str, int)) and not isinstance(given, bool) else ""
    if text not in lines:
        raise FaultError(text[:16], INVALID, f"port must be one of {', '.join(lines)}")
    return text


def _asked(call: Call) -> list[str]:
    """The ports that are asked for."""
    lines, entries = _lines(call), _entries(call)
    try:
        return [_port(entry, lines) for entry in entries] or list(lines)
    except FaultError as error:
        raise _answer([error.fault]) from None


def _answer(faults: list[Fault]) -> AjrError:
    errors = [{"port": port, "code": code, "message": f"{_MESSAGES[code]}: {why}"} for port, code, why in faults]
    return AjrError(faults[0].code, f"{_MESSAGES[faults[0].code]}: {faults[0].reason}", errors=errors)


def _supervision(call: Call) -> SupervisionService:
    service: SupervisionService = call.ctx.controller.supervision
    return service


def _patch(entry: Mapping[str, Any], port: str) -> dict[str, Any]:
    """The change that an entry asks for."""
    for name in entry:
        if name not in ("port", "supervised", "ranges"):
            raise FaultError(port, INVALID, f"{str(name)[:40]} is not a known field")
    patch: dict[str, Any] = {}
    if "supervised" in entry:
        if not isinstance(entry["supervised"], bool):
            raise FaultError(port, INVALID, "supervised must be true or false")
        patch["enabled"] = entry["supervised"]
    if "ranges" in entry:
        if not isinstance(entry["ranges"], list) or len(entry["ranges"]) > len(_TO_WIRE):
            raise FaultError(port, INVALID, f"ranges must be a list of at most {len(_TO_WIRE)}")
        patch["ranges"] = [_range(given, f"ranges[{at}]", port) for at, given in enumerate(entry["ranges"])]
    if not patch:
        raise FaultError(port, MISSING, "supervised or ranges is required")
    return patch


def _range(given: Any, path: str, port: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise FaultError(port, INVALID, f"{path} must be an object")
    for name in ("state", "lowerlimit", "upperlimit"):
        if name not in given:
            raise FaultError(port, MISSING, f"{path}.{name} is required")
    state = given["state"]
    if not isinstance(state, str) or state not in _FROM_WIRE:
        raise FaultError(port, INVALID, f"{path}.state must be one of {', '.join(_FROM_WIRE)}")
    for name in ("lowerlimit", "upperlimit"):
        if type(given[name]) is not int:
            raise FaultError(port, INVALID, f"{path}.{name} must be a whole number of mV")
    return {"state": _FROM_WIRE[state], "lower_mv": given["lowerlimit"], "upper_mv": given["upperlimit"]}


@API.method("getNumberOfPorts", Role.OPERATOR, safe=True)
async def get_number_of_ports(call: Call) -> Any:
    """How many ports there are, inputs and outputs."""
    return {"numberOfPorts": len(call.ctx.ports.model.ports)}


@API.method("isSupervisable", Role.OPERATOR, safe=True)
async def is_supervisable(call: Call) -> Any:
    """Which ports can be supervised."""
    lines, settings = _lines(call), _supervision(call).settings
    return {"items": [{"port": port, "supervisable": lines[port] in settings} for port in _asked(call)]}


@API.method("getSupportedStates", Role.OPERATOR, safe=True)
async def get_supported_states(call: Call) -> Any:
    """The states that an input may have."""
    return {"items": [{"port": port, "states": list(_FROM_WIRE)} for port in _asked(call)]}


@API.method("getSupervised", Role.OPERATOR, safe=True)
async def get_supervised(call: Call) -> Any:
    """Which ports are supervised, and what was measured there (mV)."""
    service, lines = _supervision(call), _lines(call)
    seen = {state.line: state for state in service.states()}
    items = []
    for port in _asked(call):
        line = lines[port]
        held = service.settings.get(line)
        item: dict[str, Any] = {
            "port": port, "supervised": held is not None and held.enabled, "supervisable": held is not None,
        }  # fmt: skip
        if line in seen:
            item |= {"state": _TO_WIRE[seen[line].state], "level": seen[line].millivolt}
        items.append(item)
    return {"items": items}


@API.method("getSupervisedRanges", Role.OPERATOR, safe=True)
async def get_supervised_ranges(call: Call) -> Any:
    """The voltages of each state (mV)."""
    service, lines = _supervision(call), _lines(call)

    def shown(entry: Range) -> dict[str, Any]:
        return {"state": _TO_WIRE[entry.state], "lowerlimit": entry.lower_mv, "upperlimit": entry.upper_mv}

    ranges = {port: service.ranges(lines[port]) for port in _asked(call) if lines[port] in service.settings}
    return {"items": [{"port": port, "ranges": [shown(entry) for entry in held]} for port, held in ranges.items()]}


@API.method("setSupervised", Role.OPERATOR)
async def set_supervised(call: Call) -> Any:
    """Supervise ports, or not; at these voltages. All of it, or nothing."""
    service, lines, entries = _supervision(call), _lines(call), _entries(call)
    if not entries:
        raise AjrError(MISSING, f"{_MESSAGES[MISSING]}: params")
    faults: list[Fault] = []
    changes: dict[str, dict[str, Any]] = {}
    for entry in entries:
        try:
            port = _port(entry, lines)
            if lines[port] not in service.settings:
                raise FaultError(port, NOT_SUPERVISABLE, f"{port} has no supervised input")
            if port in changes:
                raise FaultError(port, INVALID, "the port stands twice")
            changes[port] = _patch(entry, port)
        except FaultError as error:
            faults.append(error.fault)

    def job(tx: Any) -> None:
        for port, patch in changes.items():
            try:
                service.configure(tx, lines[port], patch)
            except InputError as error:
                raise FaultError(port, INVALID, str(error)) from None

    if not faults:
        try:
            await call.ctx.ledger.run(job)
        except FaultError as error:
            faults.append(error.fault)
    if faults:
        raise _answer(faults)
    return {"items": [{"port": port} for port in changes]}


ROUTES: Final = API.routes()
APIS: Final = (API.entry(),)
