"""The SOAP form of the Call service, at ``/vapix/services``.

``<axcall:Call><axcall:To>sip:...</axcall:To></axcall:Call>`` gives ``<axcall:CallResponse>`` with a ``CallId``.
An array is its element as often as it has entries. The namespace is not in the public documents; of those that clients
could mean by its prefix each is understood, and answers have that of the request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from axcore.errors import AxError, InputError
from axcore.interfaces.soap.dispatch import Operation, Table
from axcore.interfaces.soap.envelope import Call, Fault
from axcore.interfaces.soap.xmlio import EMPTY, Element, Xml, join, tag

from .methods import METHODS, PREFIX, CallFault, UnknownMethodError, fault_of, run
from .simple import is_list, scalar

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

NAMESPACES: Final = (
    "http://www.axis.com/vapix/ws/call",
    "http://www.axis.com/vapix/ws/Call",
    "http://www.axis.com/vapix/ws/call1",
)


def arguments(element: Element) -> dict[str, Any]:
    """Children as arguments. InputError names what cannot be, or is there twice."""
    found: dict[str, Any] = {}
    for child in element:
        if is_list(child.name, element.name):
            empty = not child.children and not child.text.strip()
            entries = found.setdefault(child.name, [])
            entries += [] if empty else [_value(child)]
        elif child.name in found:
            raise InputError(child.name[:60], "is there twice")
        else:
            found[child.name] = _value(child)
    return found


def _value(element: Element) -> Any:
    return arguments(element) if element.children else scalar(element.name, element.text.strip())


def answer(name: str, value: Any) -> Xml:
    """A part of an answer as elements."""
    if value is None:
        return EMPTY
    if isinstance(value, (list, tuple)):
        return join([answer(name, entry) for entry in value])
    if isinstance(value, dict):
        return tag(f"{PREFIX}{name}", join([answer(key, entry) for key, entry in value.items()]))
    return tag(f"{PREFIX}{name}", ("true" if value else "false") if isinstance(value, bool) else str(value))


def operations() -> Iterator[Operation]:
    """Each method of the service."""
    for namespace in NAMESPACES:
        for name, (role, _) in METHODS.items():
            yield Operation(namespace=namespace, name=name, role=role, handler=_handler(namespace, name))


def _handler(namespace: str, name: str) -> Any:
    async def handler(call: Call, request: Request, ctx: Context) -> Xml:
        try:
            found = await run(f"{PREFIX}{name}", arguments(call.body), request, ctx)
        except AxError as error:
            raise _fault(fault_of(error)) from None
        parts = join([answer(key, value) for key, value in found.items()])
        return tag(f"{PREFIX}{name}Response", parts, xmlns__axcall=namespace)

    return handler


class CallTable(Table):
    """A table that knows of methods that there are not, as the service tells of them."""

    def find(self, call: Call) -> Operation:
        """The operation that a request asks for. Raises Fault."""
        if call.body.namespace in NAMESPACES and call.body.name not in METHODS:
            raise _fault(fault_of(UnknownMethodError(call.body.name)))
        return super().find(call)


def table(basic: Table) -> Table:
    """The operations of every device, and these."""
    return CallTable((*basic, *operations()))


def _fault(fault: CallFault) -> Fault:
    codes = (fault.code,) if fault.subcode is None else (fault.code, fault.subcode)
    return Fault(fault.reason, *codes, code="Sender" if fault.sender else "Receiver")
