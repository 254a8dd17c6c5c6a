"""``restart.cgi``: start again (admin).

The request is noted and answered; then the device stops in order and replaces its own process by a new one
(``axcore.app``), so that it works with and without a service manager.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from axcore.errors import InputError
from axcore.interfaces.http.routes import Method, Route
from axcore.model.accounts import Role

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

PAGE: Final = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    "<body><p>{text}</p></body></html>\n"
)


def page(title: str, text: str) -> web.Response:
    """The short page that maintenance CGIs answer with; the connection ends with it."""
    response = web.Response(text=PAGE.format(title=title, text=text), content_type="text/html", charset="utf-8")
    response.force_close()
    return response


def refuse_arguments(request: Request) -> None:
    """Maintenance CGIs take no arguments; a mistyped one must not start them. Raises InputError."""
    for name, _ in request.arguments().fields:
        raise InputError(name[:40], "this request takes no arguments")


async def restart_cgi(request: Request, ctx: Context) -> web.Response:
    """GET or POST /axis-cgi/restart.cgi (admin)."""
    refuse_arguments(request)
    ctx.system.request_restart()
    return page("Restarting", "The device restarts now.")


_METHODS: Final[tuple[Method, ...]] = ("GET", "POST")
ROUTES: Final = tuple(
    Route(
        method=method, path="/axis-cgi/restart.cgi", role=Role.ADMIN, handler=restart_cgi,
        name=f"restart.{method.lower()}",
    )
    for method in _METHODS
)  # fmt: skip
