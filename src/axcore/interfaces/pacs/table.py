"""The one table of operations of physical access control, and how a call finds its own.

An operation has a service (its prefix), a name, the struct of its arguments and a handler, which gives the parts of the
answer by their names on the wire. The same entry is served as JSON on the paths of ``SERVICES`` and as SOAP at
``/vapix/services``. Every operation needs an administrator (VAPIX *Administrative users*).

Clients call doors on ``/vapix/pacs`` and mix ``tdc`` with ``axtdc``: any prefix is understood on every path, and a name
that only one service has is found without its prefix too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from axcore.errors import AxError, ConflictError, InputError, NotFoundError
from axcore.interfaces.soap.dispatch import as_fault
from axcore.interfaces.soap.envelope import Fault

from .codec import ArgumentError, Arguments

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context
    from axcore.runtime.transaction import Transaction
    from axcore.services.pacs.control import ChannelControl, DoorControl, ReaderControl
    from axcore.services.pacs.service import PacsService

T = TypeVar("T")

SERVICES: Final[dict[str, tuple[str, str]]] = {
    "tdc": ("http://www.onvif.org/ver10/doorcontrol/wsdl", "/vapix/doorcontrol"),
    "axtdc": ("http://www.axis.com/vapix/ws/DoorControl", "/vapix/doorcontrol"),
    "tac": ("http://www.onvif.org/ver10/accesscontrol/wsdl", "/vapix/pacs"),
    "pacsaxis": ("http://www.axis.com/vapix/ws/pacs", "/vapix/pacs"),
    "axudb": ("http://www.axis.com/vapix/ws/user", "/vapix/pacs"),
    "axtid": ("http://www.axis.com/vapix/ws/IdPoint", "/vapix/idpoint"),
    "axisio": ("http://www.axis.com/vapix/ws/AxisIo", "/vapix/pin"),
    "axsch": ("http://www.axis.com/vapix/ws/schedule", "/vapix/schedule"),
    "axkey": ("http://www.axis.com/vapix/ws/KeyStore", "/vapix/axkey"),
    "axlog": ("http://www.axis.com/vapix/ws/EventLogger", "/vapix/eventlogger"),
    "axloc": ("http://www.axis.com/vapix/ws/EventLoggerConfig", "/vapix/eventlogger"),
    "axhbt": ("http://www.axis.com/vapix/ws/Heartbeat", "/vapix/axhbt"),
}
"""Prefix -> namespace and path (VAPIX *Supported services and namespaces*, *Heartbeat service*)."""
PATHS: Final = tuple(dict.fromkeys(path for _, path in SERVICES.values()))
REASONS: Final = {
    "ter:NotFound": "Not found", "ter:InvalidArgVal": "Argument value invalid", "ter:InvalidArgs": "Invalid arguments",
    "ter:ActionNotSupported": "Optional action not implemented", "ter:Action": "Action failed",
    "ter:WellFormed": "Well-formed error", "ter:CapabilityViolated": "Capability violated",
}  # fmt: skip


class Caller:
    """Who calls, and what of the device an operation may use."""

    def __init__(self, ctx: Context, actor: str) -> None:
        self.ctx = ctx
        self.actor = actor

    @property
    def pacs(self) -> PacsService:
        """The records."""
        service: PacsService = self.ctx.controller.pacs
        return service

    @property
    def doors(self) -> DoorControl:
        """Who owns the doors."""
        control: DoorControl = self.ctx.controller.doors
        return control

    @property
    def readers(self) -> ReaderControl | None:
        """Who owns the readers; None on a device without."""
        control: ReaderControl | None = self.ctx.controller.readers
        return control

    @property
    def channels(self) -> ChannelControl | None:
        """Who owns the lines of readers; None on a device without."""
        control: ChannelControl | None = getattr(self.ctx.controller, "reader_setup", None)
        return control

    @property
    def serial(self) -> str:
        """Serial number of the device, in lower case."""
        return self.ctx.system.serial.lower()

    @property
    def device_uuid(self) -> str:
        """The identity that configurations are bound to (VAPIX *UUID*)."""
        from axcore.services.pacs.service import device_uuid

        return device_uuid(self.serial)

    async def run(self, job: Callable[[Transaction], T]) -> T:
        """Change something; returns after its commit."""
        return await self.ctx.ledger.run(job, actor=self.actor)


Answer = Mapping[str, Any]
"""Parts of an answer by name; None = left out."""
Handler = Callable[[Any, Caller], Awaitable[Answer]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that a service does."""

    service: str
    name: str
    arguments: type[Arguments]
    handler: Handler
    also: tuple[str, ...] = ()
    """Other services that have it under the same name and mean the same."""


class Empty(Arguments, frozen=True, kw_only=True):
    """No arguments."""


class One(Arguments, frozen=True, kw_only=True):
    """The record that is meant."""

    token: str


class Some(Arguments, frozen=True, kw_only=True):
    """The records that are meant."""

    token: tuple[str, ...] = ()


class Page(Arguments, frozen=True, kw_only=True):
    """Which part of a list."""

    limit: int | None = None
    start_reference: str = ""


class Table:
    """The operations by service and name. ValueError if one is there twice."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._operations: dict[tuple[str, str], Operation] = {}
        self._by_name: dict[str, list[Operation]] = {}
        for operation in operations:
            for service in (operation.service, *operation.also):
                if service not in SERVICES or (service, operation.name) in self._operations:
                    raise ValueError(f"{service}:{operation.name} is there twice, or of no service")
                self._operations[service, operation.name] = operation
            self._by_name.setdefault(operation.name, []).append(operation)

    def __iter__(self) -> Iterator[tuple[str, Operation]]:
        """Every operation, once for each of its services."""
        return iter([(service, operation) for (service, _), operation in self._operations.items()])

    def find(self, method: str) -> Operation:
        """The operation of ``prefix:Method`` or ``Method``. Raises Fault."""
        prefix, _, name = method.rpartition(":")
        found = self._operations.get((prefix, name))
        if found is not None:
            return found
        named = self._by_name.get(name, [])
        if len(named) == 1 and (not prefix or prefix in SERVICES):
            return named[0]
        if len(named) > 1 and not prefix:
            raise Fault(f"{name} is there several times: name the service", "ter:InvalidArgs")
        raise Fault(f"there is no operation {method[:80]!r}", "ter:ActionNotSupported", code="Receiver")


def fault_of(error: AxError) -> Fault:
    """The fault that an exception deserves."""
    if isinstance(error, ArgumentError):
        return Fault(str(error), "ter:InvalidArgs")
    if isinstance(error, InputError) and not error.field:
        return as_fault(type(error)("request", error.reason))
    return as_fault(error)


def failed(error: ConflictError) -> Fault:
    """A command that cannot be carried out now (``ter:Action/ter:Failure``)."""
    return Fault(str(error), "ter:Action", "ter:Failure", code="Receiver")


def unknown(field: str, token: str) -> NotFoundError:
    """A token of nothing."""
    return NotFoundError(field, f"there is no {token[:80]!r}")


def json_fault(fault: Fault) -> dict[str, str | None]:
    """A fault as the JSON services tell it."""
    code = fault.subcodes[0] if fault.subcodes else "ter:InvalidArgVal"
    subcode = fault.subcodes[1] if len(fault.subcodes) > 1 else None
    return {
        "Fault": f"env:{fault.code}",
        "FaultCode": code,
        "FaultSubCode": subcode,
        "FaultReason": REASONS.get(subcode or code) or REASONS.get(code, "Error"),
        "FaultMsg": fault.reason,
    }
