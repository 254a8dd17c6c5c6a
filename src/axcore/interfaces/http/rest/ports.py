"""``/config/rest/io/v1``: ports, virtual inputs, request to exit. Viewers read, operators change, admins change REX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from axcore.errors import InputError, NotFoundError
from axcore.interfaces.http.rest.envelope import BASE, RestRoute, arguments, read_object, rest, success
from axcore.model.accounts import Role
from axcore.model.convert import convert
from axcore.model.ports import Circuit, Direction, Port, RexConfig

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request
    from axcore.runtime.ledger import Transaction

API: Final = f"{BASE}/io/v1"
_SETTINGS: Final = ("name", "usage", "direction", "normal_state")


class PortView(msgspec.Struct, frozen=True, kw_only=True):
    """A port. ``active`` means that the state of the circuit differs from the normal state."""

    id: int
    name: str
    usage: str
    direction: Direction
    normal_state: Circuit
    state: Circuit
    active: bool
    configurable: bool
    readonly: bool


class PortPatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be changed on a port; ``active`` (outputs only) is applied after the settings."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    usage: str | msgspec.UnsetType = msgspec.UNSET
    direction: Direction | msgspec.UnsetType = msgspec.UNSET
    normal_state: Circuit | msgspec.UnsetType = msgspec.UNSET
    active: bool | msgspec.UnsetType = msgspec.UNSET


def port_view(port: Port) -> PortView:
    """What a read shows of a port."""
    return PortView(
        id=port.id,
        name=port.config.name,
        usage=port.config.usage,
        direction=port.config.direction,
        normal_state=port.config.normal_state,
        state=port.state,
        active=port.active,
        configurable=port.configurable,
        readonly=port.readonly,
    )


def find(ports: tuple[Port, ...], key: str) -> Port:
    """The port with this id. Raises NotFoundError."""
    for port in ports:
        if key == str(port.id):
            return port
    raise NotFoundError("id", "there is no such port")


async def list_ports(request: Request, ctx: Context) -> web.Response:
    """All ports."""
    arguments(request)
    return success([port_view(port) for port in ctx.ports.ports()])


async def get_port(request: Request, ctx: Context) -> web.Response:
    """One port."""
    return success(port_view(find(ctx.ports.ports(), request.path_params["id"])))


async def patch_port(request: Request, ctx: Context) -> web.Response:
    """Change settings and, of an output, whether it is active; all of it or nothing."""
    patch = convert(await read_object(request), PortPatch)
    number = find(ctx.ports.ports(), request.path_params["id"]).id
    settings = {name: getattr(patch, name) for name in _SETTINGS if getattr(patch, name) is not msgspec.UNSET}

    def job(tx: Transaction) -> None:
        if settings:
            ctx.ports.configure(tx, number, settings)
        if patch.active is not msgspec.UNSET:
            if find(ctx.ports.ports(), str(number)).config.direction != "output":
                raise InputError("active", "an input cannot be set")
            ctx.ports.set_active(tx, number, patch.active)

    await ctx.ledger.run(job)
    return success(port_view(find(ctx.ports.ports(), str(number))))


async def list_virtual_inputs(request: Request, ctx: Context) -> web.Response:
    """The state of virtual input 1, 2, ..."""
    states: list[dict[str, Any]] = [
        {"port": number, "active": active} for number, active in enumerate(ctx.ports.virtual_inputs(), start=1)
    ]
    return success(states)


async def get_rex(request: Request, ctx: Context) -> web.Response:
    """What the REX input does."""
    arguments(request)
    return success(ctx.ports.rex)


async def patch_rex(request: Request, ctx: Context) -> web.Response:
    """Change how long REX opens, and which output."""
    patch = await read_object(request)
    return success(await ctx.ledger.run(lambda tx: ctx.ports.set_rex(tx, patch)))


ROUTES: Final = (
    RestRoute(
        method="GET", safe=True, path=f"{API}/ports", role=Role.VIEWER, name="io.ports", handler=rest(list_ports),
        summary="All I/O ports", data=list[PortView],
    ),
    RestRoute(
        method="GET", safe=True, path=f"{API}/ports/{{id}}", role=Role.VIEWER, name="io.port", handler=rest(get_port),
        summary="One I/O port", data=PortView,
    ),
    RestRoute(
        method="PATCH", path=f"{API}/ports/{{id}}", role=Role.OPERATOR, name="io.port.update",
        handler=rest(patch_port), summary="Change an I/O port", body=PortPatch, partial=True, data=PortView,
    ),
    RestRoute(
        method="GET", safe=True, path=f"{API}/virtual-inputs", role=Role.VIEWER, name="io.virtual-inputs",
        handler=rest(list_virtual_inputs), summary="State of the virtual inputs", data=list[dict[str, Any]],
    ),
    RestRoute(
        method="GET", safe=True, path=f"{API}/rex", role=Role.VIEWER, name="io.rex", handler=rest(get_rex),
        summary="What request to exit opens, and for how long", data=RexConfig,
    ),
    RestRoute(
        method="PATCH", path=f"{API}/rex", role=Role.ADMIN, name="io.rex.update", handler=rest(patch_rex),
        summary="Change what request to exit does", body=RexConfig, partial=True, data=RexConfig,
    ),
)  # fmt: skip
