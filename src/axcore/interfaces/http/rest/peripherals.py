"""``/config/rest/doors/v1``: expansion modules, floors, network readers, wireless locks of a controller.

Changes need an administrator, relays an operator. The encryption key goes out once, when it is generated; passwords
never.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from axcore.devices.reader import ReaderIdentity, ReaderLink
from axcore.errors import InputError, StateError
from axcore.interfaces.http.rest.envelope import (
    BASE,
    RestError,
    RestRoute,
    arguments,
    read_data,
    read_object,
    rest,
    success,
)
from axcore.model.accounts import Role
from axcore.model.convert import convert
from axcore.services.doors.expansion import Floor, Module
from axcore.services.doors.network_readers import NetworkReader, ReaderKind
from axcore.services.doors.wireless import Hub, WirelessLock

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/doors/v1"


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """The encryption key of expansion modules: whether there is one."""

    key_set: bool


class NewKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The encryption key, 32 hexadecimal digits; empty: generate one, which the answer tells once."""

    key: str = ""


class ModuleView(Module, frozen=True, kw_only=True):
    """An expansion module as it is."""

    link: ReaderLink
    inputs: list[bool]
    identity: ReaderIdentity | None
    """With its software version; None: it has not answered yet."""


class InstallBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how long the encryption key is set under the published one; 0 ends it."""

    seconds: float


class OutputBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A relay of a module; ``seconds`` 0: for good."""

    relay: int
    active: bool
    seconds: float = 0.0


class NetworkReaderView(msgspec.Struct, frozen=True, kw_only=True):
    """``NetworkReader`` as it can be read."""

    token: str
    name: str
    kind: ReaderKind
    host: str
    username: str
    password_set: bool
    verify_certificate: bool


class HubView(Hub, frozen=True, kw_only=True):
    """The communication hub as it is."""

    up: bool


def _module(ctx: Context, module: Module) -> ModuleView:
    service = ctx.controller.expansion
    return ModuleView(
        **msgspec.structs.asdict(module), link=service.status(module.token).link,
        inputs=list(service.inputs(module.token)), identity=service.identity(module.token),
    )  # fmt: skip


def _network(reader: NetworkReader) -> NetworkReaderView:
    fields: dict[str, Any] = msgspec.structs.asdict(reader)
    return NetworkReaderView(password_set=bool(fields.pop("password")), **fields)


def _hub(ctx: Context) -> HubView:
    service = ctx.controller.wireless
    return HubView(up=service.up, **msgspec.structs.asdict(service.hub))


async def _run(request: Request, ctx: Context, job: Any) -> Any:
    try:
        return await ctx.ledger.run(job, actor=request.identity.name)
    except StateError as error:
        raise RestError(409, "conflict", str(error)) from None


async def _new(request: Request, kind: type[Any]) -> Any:
    """A record without its token, which the controller gives."""
    data = await read_object(request)
    if "token" in data:
        raise InputError("token", "is given by the controller")
    return convert(data, kind)


async def get_key(request: Request, ctx: Context) -> web.Response:
    """Whether there is an encryption key."""
    arguments(request)
    return success(KeyView(key_set=ctx.controller.expansion.key_set))


async def set_key(request: Request, ctx: Context) -> web.Response:
    """*Add encryption key*: it is told once, to be saved."""
    body, service = convert(await read_data(request), NewKey), ctx.controller.expansion
    return success(NewKey(key=await _run(request, ctx, lambda tx: service.set_key(tx, body.key))))


async def list_modules(request: Request, ctx: Context) -> web.Response:
    """Every expansion module."""
    arguments(request)
    return success([_module(ctx, module) for module in ctx.controller.expansion.modules.values()])


async def add_module(request: Request, ctx: Context) -> web.Response:
    """*Add AXIS A9910*."""
    body, service = await _new(request, Module), ctx.controller.expansion
    return success(_module(ctx, await _run(request, ctx, lambda tx: service.add(tx, body))), status=201)


async def remove_module(request: Request, ctx: Context) -> web.Response:
    """Remove a module."""
    token, service = request.path_params["id"], ctx.controller.expansion
    await _run(request, ctx, lambda tx: service.remove(tx, token))
    return success()


async def install_module(request: Request, ctx: Context) -> web.Response:
    """Give a new module the encryption key."""
    body, token = convert(await read_data(request), InstallBody), request.path_params["id"]
    service = ctx.controller.expansion
    await _run(request, ctx, lambda tx: service.install(tx, token, body.seconds))
    return success()


async def set_output(request: Request, ctx: Context) -> web.Response:
    """Set a relay of a module."""
    body, token = convert(await read_data(request), OutputBody), request.path_params["id"]
    service = ctx.controller.expansion
    await _run(request, ctx, lambda tx: service.output(tx, token, body.relay, body.active, body.seconds))
    return success()


async def list_floors(request: Request, ctx: Context) -> web.Response:
    """Every floor."""
    arguments(request)
    return success(list(ctx.controller.expansion.floors.values()))


async def add_floor(request: Request, ctx: Context) -> web.Response:
    """A floor, with a door of its own."""
    body, service = await _new(request, Floor), ctx.controller.expansion
    return success(await _run(request, ctx, lambda tx: service.add_floor(tx, body)), status=201)


async def remove_floor(request: Request, ctx: Context) -> web.Response:
    """Remove a floor and its door."""
    token, service = request.path_params["id"], ctx.controller.expansion
    await _run(request, ctx, lambda tx: service.remove_floor(tx, token))
    return success()


async def list_network(request: Request, ctx: Context) -> web.Response:
    """Every reader on the network."""
    arguments(request)
    return success([_network(reader) for reader in ctx.controller.network_readers.readers.values()])


async def add_network(request: Request, ctx: Context) -> web.Response:
    """Add a reader on the network, with an id point of its own."""
    body, service = await _new(request, NetworkReader), ctx.controller.network_readers
    return success(_network(await _run(request, ctx, lambda tx: service.add(tx, body))), status=201)


async def patch_network(request: Request, ctx: Context) -> web.Response:
    """Change a reader on the network."""
    patch, token, service = await read_object(request), request.path_params["id"], ctx.controller.network_readers
    return success(_network(await _run(request, ctx, lambda tx: service.configure(tx, token, patch))))


async def remove_network(request: Request, ctx: Context) -> web.Response:
    """Remove a reader on the network and its id point."""
    token, service = request.path_params["id"], ctx.controller.network_readers
    await _run(request, ctx, lambda tx: service.remove(tx, token))
    return success()


async def get_hub(request: Request, ctx: Context) -> web.Response:
    """The communication hub."""
    arguments(request)
    return success(_hub(ctx))


async def set_hub(request: Request, ctx: Context) -> web.Response:
    """*Connect communication hub*."""
    body, service = convert(await read_data(request), Hub), ctx.controller.wireless
    await _run(request, ctx, lambda tx: service.configure(tx, body))
    return success(_hub(ctx))


async def list_locks(request: Request, ctx: Context) -> web.Response:
    """Every wireless lock."""
    arguments(request)
    return success(list(ctx.controller.wireless.locks.values()))


async def add_lock(request: Request, ctx: Context) -> web.Response:
    """Add a wireless lock: a door and a reader in one."""
    body, service = await _new(request, WirelessLock), ctx.controller.wireless
    return success(await _run(request, ctx, lambda tx: service.add(tx, body)), status=201)


async def remove_lock(request: Request, ctx: Context) -> web.Response:
    """Remove a wireless lock, its door and its reader."""
    token, service = request.path_params["id"], ctx.controller.wireless
    await _run(request, ctx, lambda tx: service.remove(tx, token))
    return success()


def _routes() -> tuple[RestRoute, ...]:
    def get(path: str, name: str, handler: Any, summary: str, data: Any) -> RestRoute:
        return RestRoute(
            method="GET", safe=True, role=Role.VIEWER, path=f"{API}/{path}", name=f"doors.{name}",
            handler=rest(handler), summary=summary, data=data,
        )  # fmt: skip

    def change(method: Any, path: str, name: str, handler: Any, summary: str, **more: Any) -> RestRoute:
        more = {"role": Role.ADMIN, **more}
        return RestRoute(
            method=method, path=f"{API}/{path}", name=f"doors.{name}", handler=rest(handler), summary=summary, **more
        )

    return (
        get("expansion-key", "expansion-key", get_key, "Whether modules have an encryption key", KeyView),
        change("POST", "expansion-key", "expansion-key.set", set_key, "Set or generate it", body=NewKey, data=NewKey),
        get("expansions", "expansions", list_modules, "All expansion modules", list[ModuleView]),
        change("POST", "expansions", "expansions.add", add_module, "Add one", body=Module, data=ModuleView),
        change("DELETE", "expansions/{id}", "expansions.remove", remove_module, "Remove one"),
        change(
            "POST", "expansions/{id}/install", "expansions.install", install_module, "Give a new module the key",
            body=InstallBody,
        ),
        change(
            "POST", "expansions/{id}/outputs", "expansions.output", set_output, "Set a relay", body=OutputBody,
            role=Role.OPERATOR,
        ),
        get("floors", "floors", list_floors, "All floors of the elevator", list[Floor]),
        change("POST", "floors", "floors.add", add_floor, "Add a floor", body=Floor, data=Floor),
        change("DELETE", "floors/{id}", "floors.remove", remove_floor, "Remove a floor"),
        get("network-readers", "network-readers", list_network, "All network readers", list[NetworkReaderView]),
        change(
            "POST", "network-readers", "network-readers.add", add_network, "Add a network reader", body=NetworkReader,
            data=NetworkReaderView,
        ),
        change(
            "PATCH", "network-readers/{id}", "network-readers.update", patch_network, "Change a network reader",
            body=NetworkReader, partial=True, data=NetworkReaderView,
        ),
        change("DELETE", "network-readers/{id}", "network-readers.remove", remove_network, "Remove a network reader"),
        get("wireless-hub", "wireless-hub", get_hub, "The hub of wireless locks", HubView),
        change("POST", "wireless-hub", "wireless-hub.set", set_hub, "Connect it", body=Hub, data=HubView),
        get("wireless-locks", "wireless-locks", list_locks, "All wireless locks", list[WirelessLock]),
        change(
            "POST", "wireless-locks", "wireless-locks.add", add_lock, "Add a wireless lock", body=WirelessLock,
            data=WirelessLock,
        ),
        change("DELETE", "wireless-locks/{id}", "wireless-locks.remove", remove_lock, "Remove a wireless lock"),
    )  # fmt: skip


ROUTES: Final = _routes()
