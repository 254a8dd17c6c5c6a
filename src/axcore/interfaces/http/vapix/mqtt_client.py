"""``mqtt/client.cgi`` (id ``mqtt-client``, 1.0): configure the MQTT client, turn it on and off, ask how it is.

The password is write-only. ``configureClient`` replaces the whole configuration: what is left out gets its default, the
password too unless ``keepExistingPassword`` is true.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from axcore.errors import ConflictError
from axcore.interfaces.http.routes import Route
from axcore.interfaces.http.vapix.ajr import GEN3, AjrApi, AjrError, Call
from axcore.model.accounts import Role
from axcore.model.mqtt import ClientRequest

if TYPE_CHECKING:
    from aiohttp import web

    from axcore.interfaces.http.context import Context, Request

MAX_BODY: Final = 65_536
"""Octets; more is answered with TOO_LARGE ..."""
MAX_READ: Final = 1 << 20
"""... and what is beyond this with HTTP 413."""
TOO_LARGE: Final = 2106
NOT_CONFIGURED: Final = 2200

API: Final = AjrApi(
    api_id="mqtt-client", name="MQTT Client API", path="/axis-cgi/mqtt/client.cgi", versions=("1.0",), codes=GEN3
)


@API.method("configureClient", Role.ADMIN)
async def configure_client(call: Call) -> Any:
    """Replace the configuration; an active client connects anew."""
    request = call.read(ClientRequest)
    service = call.ctx.mqtt
    await call.ctx.ledger.run(lambda tx: service.configure(tx, request), actor=call.request.identity.name)


@API.method("activateClient", Role.ADMIN)
async def activate_client(call: Call) -> Any:
    """Turn the client on; it connects from now on."""
    try:
        await call.ctx.ledger.run(call.ctx.mqtt.activate, actor=call.request.identity.name)
    except ConflictError as error:
        raise AjrError(NOT_CONFIGURED, f"The client {error.reason}") from None


@API.method("deactivateClient", Role.ADMIN)
async def deactivate_client(call: Call) -> Any:
    """Turn the client off."""
    await call.ctx.ledger.run(call.ctx.mqtt.deactivate, actor=call.request.identity.name)


@API.method("getClientStatus", Role.ADMIN, safe=True)
async def get_client_status(call: Call) -> Any:
    """Configuration and state."""
    service = call.ctx.mqtt
    status = {"state": service.state, "connectionStatus": service.connection}
    return {"config": msgspec.to_builtins(service.client_config()), "status": status}


def bounded(api: AjrApi) -> tuple[Route, ...]:
    """The routes of an API that answers a body that is too large in its own words."""

    async def serve(request: Request, ctx: Context) -> web.Response:
        if len(await request.read()) > MAX_BODY:
            return api.refuse(AjrError(TOO_LARGE, f"The request is larger than {MAX_BODY} octets"))
        return await api.serve(request, ctx)

    return tuple(replace(route, handler=serve, max_body=MAX_READ) for route in api.routes())


ROUTES: Final = bounded(API)
APIS: Final = (API.entry(),)
