"""``/vapix/services``: every SOAP operation, and an address per pull point. It is the event service of ONVIF too.

Who calls is told by the HTTP login, as everywhere. The password digest of WS-Security cannot be checked: it is made of
the password itself, which is not kept. Who sends only that is answered like who sends none: 401, the challenges, and a
``ter:NotAuthorized`` fault.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from aiohttp import web

from axcore.interfaces.http.routes import ApiEntry, Route
from axcore.interfaces.soap import dispatch
from axcore.model.accounts import Role

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

TABLE: Final = dispatch.table()
PATHS: Final = (
    ("/vapix/services", "soap"),
    ("/vapix/services/pullpoint/{id}", "soap.pull-point"),
    ("/onvif/event_service", "soap.onvif-events"),
)


def table(ctx: Context) -> dispatch.Table:
    """The operations of this device: a controller has those of access control too, an intercom those of calls."""
    if ctx.controller is not None:
        from axcore.interfaces.pacs.serve import soap_table

        return soap_table(TABLE)
    return TABLE if ctx.intercom is None else _with_calls()


@lru_cache(1)
def _with_calls() -> dispatch.Table:
    from axcore.interfaces.call import soap

    return soap.table(TABLE)


async def services(request: Request, ctx: Context) -> web.Response:
    """POST of a SOAP envelope. The body's element says what is to be done, and has a least role of its own."""
    answer = await dispatch.serve(table(ctx), request, ctx)
    response = web.Response(status=answer.status, body=answer.body)
    response.headers["Content-Type"] = answer.content_type
    return response


ROUTES: Final = tuple(
    Route(
        method="POST",
        path=path,
        role=Role.VIEWER,
        handler=services,
        name=name,
        roles={operation.name: operation.role for operation in TABLE},
    )
    for path, name in PATHS
)
APIS: Final[tuple[ApiEntry, ...]] = ()
