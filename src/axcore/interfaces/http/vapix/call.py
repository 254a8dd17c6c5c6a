"""``/vapix/call``: the VAPIX Call service, one method a request, as JSON and in the simple form.

``{"axcall:Call": {"To": "sip:..."}}`` by POST, or ``?format=simple&action=axcall:Call&To=sip:...`` by GET or POST (then
arguments may be in an urlencoded body too). A fault is HTTP 400 with ``Fault``, ``FaultCode``, ``FaultSubCode``,
``FaultReason`` and ``FaultMsg``. The same methods are SOAP at ``/vapix/services`` (``interfaces.call``), and each asks
for the role that it needs. They are loaded with the first request: they take half a megabyte, and many devices are
never asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from axcore.interfaces.http.routes import ApiEntry, Route
from axcore.model.accounts import Role

if TYPE_CHECKING:
    from aiohttp import web

    from axcore.interfaces.http.context import Context, Request


async def serve(request: Request, ctx: Context) -> web.Response:
    """One method."""
    from axcore.interfaces.call.serve import serve as serve_call

    return await serve_call(request, ctx)


ROUTES: Final = (
    Route(method="GET", path="/vapix/call", role=Role.OPERATOR, handler=serve, name="call-service.simple"),
    Route(method="POST", path="/vapix/call", role=Role.OPERATOR, handler=serve, name="call-service"),
)
APIS: Final = (ApiEntry(id="call-service", name="Call service", version="2.0"),)
