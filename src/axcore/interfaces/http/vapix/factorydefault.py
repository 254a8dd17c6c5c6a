"""``factorydefault.cgi`` (keeps the network settings) and ``hardfactorydefault.cgi`` (keeps nothing); admin.

Both only note the wish: the process stops in order, and the state is erased while nothing uses it. Accounts,
credentials and private keys are gone in both cases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from aiohttp import web

from axcore.interfaces.http.routes import Handler, Method, Route
from axcore.interfaces.http.vapix.restart import page, refuse_arguments
from axcore.model.accounts import Role

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request


async def _default(request: Request, ctx: Context, mode: Literal["soft", "hard"]) -> web.Response:
    refuse_arguments(request)
    ctx.system.request_factory_default(mode)
    kept = "Network settings are kept." if mode == "soft" else "Nothing is kept."
    return page("Factory default", f"The device is reset to factory default and restarts. {kept}")


async def factorydefault_cgi(request: Request, ctx: Context) -> web.Response:
    """GET or POST /axis-cgi/factorydefault.cgi: all but the network settings."""
    return await _default(request, ctx, "soft")


async def hardfactorydefault_cgi(request: Request, ctx: Context) -> web.Response:
    """GET or POST /axis-cgi/hardfactorydefault.cgi: everything."""
    return await _default(request, ctx, "hard")


_HANDLERS: Final[dict[str, Handler]] = {
    "factorydefault": factorydefault_cgi,
    "hardfactorydefault": hardfactorydefault_cgi,
}
_METHODS: Final[tuple[Method, ...]] = ("GET", "POST")
ROUTES: Final = tuple(
    Route(
        method=method, path=f"/axis-cgi/{name}.cgi", role=Role.ADMIN, handler=handler, name=f"{name}.{method.lower()}"
    )
    for name, handler in _HANDLERS.items()
    for method in _METHODS
)
