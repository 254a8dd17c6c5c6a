"""The JSON paths of physical access control (``/vapix/doorcontrol``, ``/vapix/pacs`` ...): any method on any of them.

The same operations are served as SOAP at ``/vapix/services``. Devices without doors have none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from axcore.interfaces.http.routes import ApiEntry, Route
from axcore.interfaces.pacs import serve
from axcore.interfaces.pacs.table import PATHS
from axcore.model.accounts import Role

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

MAX_BODY: Final = 4 << 20
"""Octets: some 10,000 credentials."""


async def call(request: Request, ctx: Context) -> web.Response:
    """POST of ``{"prefix:Method": {...}}``."""
    status, body = await serve.answer_json(await request.read(), request, ctx)
    return web.Response(status=status, body=body, content_type="application/json")


ROUTES: Final = tuple(
    Route(
        method="POST",
        path=path,
        role=Role.ADMIN,
        handler=call,
        name=f"pacs.{path.removeprefix('/vapix/')}",
        max_body=MAX_BODY,
        roles={f"{service}:{operation.name}": Role.ADMIN for service, operation in serve.table()},
    )
    for path in PATHS
)
APIS: Final[tuple[ApiEntry, ...]] = ()
