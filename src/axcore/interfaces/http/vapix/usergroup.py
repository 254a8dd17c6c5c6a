"""``usergroup.cgi``: name and groups of the account that asks, as two lines of text (viewer)."""

from __future__ import annotations

from aiohttp import web

from axcore.interfaces.http.context import Context, Request
from axcore.interfaces.http.errors import UnauthorizedError
from axcore.interfaces.http.routes import Route
from axcore.interfaces.http.vapix.pwdgrp import group_names
from axcore.model.accounts import Role


async def usergroup_cgi(request: Request, ctx: Context) -> web.Response:
    """GET /axis-cgi/usergroup.cgi."""
    account = ctx.accounts.get(request.identity.name)
    if account is None:
        raise UnauthorizedError
    body = f"{account.name}\r\n{' '.join(group_names(account))}\r\n"
    return web.Response(text=body, content_type="text/plain", charset="utf-8")


ROUTES = (
    Route(
        method="GET",
        path="/axis-cgi/usergroup.cgi",
        role=Role.VIEWER,
        handler=usergroup_cgi,
        name="usergroup",
        safe=True,
    ),
)
