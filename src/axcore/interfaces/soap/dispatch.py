"""The one table of operations. Every module of a service names its own in ``OPERATIONS``; nothing else is served.

An operation is found by the namespace and name of the body's element; the action of the request is not trusted. It has
a least role, as a route has. Handlers give the answer's element and change state in one ledger job, so that a fault
leaves nothing behind.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from axcore.errors import InputError, LimitError, NotFoundError, QueueFullError, StoreError
from axcore.model.accounts import Role

from . import envelope, names
from .envelope import Call, Fault
from .xmlio import Xml, XmlError

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

log = logging.getLogger(__name__)
Handler = Callable[[Call, "Request", "Context"], Awaitable[Xml]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that a service does."""

    namespace: str
    name: str
    role: Role
    """Least role."""
    handler: Handler


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    content_type: str
    body: bytes


class Table:
    """Operations by element. Raises ValueError if one is there twice."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._operations: dict[tuple[str, str], Operation] = {}
        for operation in operations:
            key = (operation.namespace, operation.name)
            if key in self._operations:
                raise ValueError(f"operation {operation.name} of {operation.namespace} is there twice")
            self._operations[key] = operation

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._operations.values())

    def find(self, call: Call) -> Operation:
        """The operation that a request asks for. Raises Fault."""
        found = self._operations.get((call.body.namespace, call.body.name))
        if found is not None:
            return found
        known = any(namespace == call.body.namespace for namespace, _ in self._operations)
        what = "operation" if known else "service"
        raise Fault(f"there is no such {what}: {call.body.name[:60]}", "ter:ActionNotSupported", code="Receiver")


def table() -> Table:
    """Every operation of the device."""
    from . import action1, entry, event1, pullpoint, recipients

    modules = (entry, event1, action1, recipients, pullpoint)
    return Table(operation for module in modules for operation in module.OPERATIONS)


async def serve(table: Table, request: Request, ctx: Context) -> Answer:
    """Answer one request. HttpError (not logged in, not allowed) is left to the server."""
    version, headers = names.SOAP12, Xml("")
    status = 200
    try:
        data = await request.read()
        call = envelope.read(data, request.headers.get("Content-Type", ""), request.headers.get("SOAPAction", ""))
        version, headers = call.version, envelope.addressing(call)
        operation = table.find(call)
        request.require(operation.role)
        body = envelope.reply(version, await operation.handler(call, request, ctx), headers)
    except (Fault, XmlError, InputError, StoreError, QueueFullError) as error:
        fault = as_fault(error)
        status, body = envelope.status(fault, version), envelope.fault_reply(version, fault, headers)
    return Answer(status=status, content_type=envelope.content_type(version), body=body)


def as_fault(error: Exception) -> Fault:
    """The fault that an exception deserves."""
    match error:
        case Fault():
            return error
        case XmlError():
            return Fault(error.reason, "ter:WellFormed")
        case LimitError():
            return Fault(str(error), "ter:CapabilityViolated", "ter:TooMany")
        case NotFoundError():
            return Fault(str(error), "ter:InvalidArgVal", "ter:NotFound")
        case InputError():
            return Fault(str(error), "ter:InvalidArgVal")
        case _:
            log.error("a SOAP call failed: %s", error)
            reason = "too much at once, try again" if isinstance(error, QueueFullError) else "nothing could be stored"
            return Fault(reason, "ter:Action", code="Receiver")
