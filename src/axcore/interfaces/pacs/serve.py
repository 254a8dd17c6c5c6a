"""The operations as JSON calls and as SOAP operations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from axcore.errors import AxError, InputError, QueueFullError, StoreError
from axcore.interfaces.http.jsonin import parse_json
from axcore.interfaces.soap.dispatch import Operation as SoapOperation
from axcore.interfaces.soap.dispatch import Table as SoapTable
from axcore.interfaces.soap.envelope import Call, Fault
from axcore.interfaces.soap.xmlio import Xml, join, tag
from axcore.model.accounts import Role

from . import access, doors, eventlog, idpoints, people, wiring
from .codec import from_json, from_xml, to_json, to_xml
from .table import SERVICES, Answer, Caller, Operation, Table, fault_of, json_fault

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

MODULES: Final = (doors, access, people, idpoints, wiring, eventlog)
LARGE: Final = 100_000
"""Octets of a body that is read in a thread, so that the loop goes on."""


@lru_cache(1)
def table() -> Table:
    """Every operation of the services."""
    return Table(operation for module in MODULES for operation in module.operations())


# --- JSON


async def answer_json(body: bytes, request: Request, ctx: Context) -> tuple[int, bytes]:
    """Status and body of the answer to ``{"prefix:Method": {...}}``."""
    try:
        operation, given = await _off_loop(len(body), _read, body)
        answer = await operation.handler(given, Caller(ctx, request.identity.name))
        return 200, await _off_loop(_size(answer), _written, answer)
    except (Fault, InputError, StoreError, QueueFullError) as error:
        fault = fault_of(error)
        status = 500 if isinstance(error, (StoreError, QueueFullError)) else 400
        return status, msgspec.json.encode(json_fault(fault))


def _read(body: bytes) -> tuple[Operation, Any]:
    value = parse_json(body)
    if not isinstance(value, dict) or len(value) != 1:
        raise Fault("the body must be an object with one member: the method", "ter:InvalidArgs")
    method, arguments = next(iter(value.items()))
    operation = table().find(method)
    return operation, from_json(operation.arguments, {} if arguments is None else arguments)


def _written(answer: Answer) -> bytes:
    return msgspec.json.encode(to_json(dict(answer)))


def _size(answer: Answer) -> int:
    return max((len(part) * 1_000 for part in answer.values() if isinstance(part, list)), default=0)


async def _off_loop(size: int, work: Any, *given: Any) -> Any:
    return await asyncio.to_thread(work, *given) if size >= LARGE else work(*given)


# --- SOAP


def soap_operations() -> Iterator[SoapOperation]:
    """The same operations, by the namespaces of their services."""
    for service, operation in table():
        yield SoapOperation(
            namespace=SERVICES[service][0], name=operation.name, role=Role.ADMIN, handler=_soap(service, operation)
        )


def _soap(service: str, operation: Operation) -> Any:
    async def handler(call: Call, request: Request, ctx: Context) -> Xml:
        try:
            given = from_xml(operation.arguments, call.body)
            answer = await operation.handler(given, Caller(ctx, request.identity.name))
        except AxError as error:
            raise fault_of(error) from None
        return soap_answer(service, operation.name, answer)

    return handler


def soap_answer(service: str, name: str, answer: Answer) -> Xml:
    """``<prefix:NameResponse>`` with the parts of an answer."""
    parts = join([to_xml(service, key, value) for key, value in answer.items()])
    return tag(f"{service}:{name}Response", parts, **{f"xmlns__{service}": SERVICES[service][0]})


@lru_cache(1)
def soap_table(basic: SoapTable) -> SoapTable:
    """The operations of every device, and these."""
    return SoapTable((*basic, *soap_operations()))
