"""``/config/rest/doors/v1/readers`` and ``reader-ports``: readers of a controller, how they are connected and set up.

Changes need an administrator, feedback an operator. Keys come in and never go out; a PATCH that leaves a key out keeps
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from axcore.devices.reader import ReaderFeedback, ReaderIdentity, ReaderLink, ReaderSignal
from axcore.errors import NotFoundError, StateError
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
from axcore.services.doors.bus_settings import BusReader, PortProtocol, PortSettings
from axcore.services.doors.readers import ReaderState

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request
    from axcore.services.doors import BusService

API: Final = f"{BASE}/doors/v1"


class ReaderView(ReaderState, frozen=True, kw_only=True):
    """A reader as it is."""

    protocol: PortProtocol
    polled: bool
    """It is set up on a bus."""
    link: ReaderLink
    """``secure``: over a channel with a key of its own. Wiegand and readers that are not polled: ``offline``."""
    reason: str
    """What brought it there."""
    power_fault: bool
    install_window: bool
    identity: ReaderIdentity | None
    """What it says of itself; None: nothing yet."""


class PortView(PortSettings, frozen=True, kw_only=True):
    """A reader connector."""

    port: int
    readers: list[str]


class BusReaderView(msgspec.Struct, frozen=True, kw_only=True):
    """``BusReader`` as it can be read."""

    enabled: bool
    address: int
    key_set: bool
    secure_only: bool
    feedback: ReaderFeedback


class KeyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new base key."""

    key: str
    """32 hexadecimal digits."""


class InstallBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how long the published key is used to set one; 0 ends it."""

    seconds: float
    key: str = ""
    """Empty: a random one, which nobody sees."""


class MoveBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a reader goes."""

    address: int
    baud: int


class FeedbackBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reader shows, as it does after a card."""

    signal: ReaderSignal


def _buses(ctx: Context) -> BusService:
    service: BusService = ctx.controller.buses
    return service


def view(ctx: Context, state: ReaderState) -> ReaderView:
    """A reader with its connection."""
    service = _buses(ctx)
    status = service.status(state.name)
    return ReaderView(
        **msgspec.structs.asdict(state), protocol=service.port(state.port).protocol,
        polled=service.is_polled(state.name), link=status.link, reason=status.why, power_fault=status.power_fault,
        install_window=service.install_window(state.name), identity=service.identity(state.name),
    )  # fmt: skip


def _settings(ctx: Context, name: str) -> BusReaderView:
    fields: dict[str, Any] = msgspec.structs.asdict(_buses(ctx).reader(name))
    return BusReaderView(key_set=bool(fields.pop("key")), **fields)


def _port_view(ctx: Context, number: int) -> PortView:
    settings = _buses(ctx).port(number)
    names = [state.name for state in ctx.controller.readers.states() if state.port == number]
    return PortView(port=number, readers=names, **msgspec.structs.asdict(settings))


def _number(request: Request) -> int:
    text = request.path_params["id"]
    if not text.isascii() or not text.isdigit() or len(text) > 3:
        raise NotFoundError("port", f"there is no reader port {text[:40]!r}")
    return int(text)


async def list_readers(request: Request, ctx: Context) -> web.Response:
    """Every place for a reader."""
    arguments(request)
    return success([view(ctx, state) for state in ctx.controller.readers.states()])


async def list_ports(request: Request, ctx: Context) -> web.Response:
    """Every reader connector."""
    arguments(request)
    return success([_port_view(ctx, number) for number in _buses(ctx).ports])


async def patch_port(request: Request, ctx: Context) -> web.Response:
    """Change a connector; its readers are connected anew."""
    patch, number, service = await read_object(request), _number(request), _buses(ctx)
    await ctx.ledger.run(lambda tx: service.configure_port(tx, number, patch), actor=request.identity.name)
    return success(_port_view(ctx, number))


async def get_settings(request: Request, ctx: Context) -> web.Response:
    """How a reader is set up."""
    arguments(request)
    return success(_settings(ctx, request.path_params["id"]))


async def patch_settings(request: Request, ctx: Context) -> web.Response:
    """Set a reader up; it is connected anew when its connection changed."""
    patch, name, service = await read_object(request), request.path_params["id"], _buses(ctx)
    await ctx.ledger.run(lambda tx: service.configure(tx, name, patch), actor=request.identity.name)
    return success(_settings(ctx, name))


async def _act(request: Request, ctx: Context, job: Any) -> web.Response:
    """Do what needs a reader that is there."""
    try:
        await ctx.ledger.run(job, actor=request.identity.name)
    except StateError as error:
        raise RestError(409, "conflict", str(error)) from None
    return success()


async def set_key(request: Request, ctx: Context) -> web.Response:
    """Give a reader a new key over its secure channel; an event tells when it has it."""
    body, name, service = convert(await read_data(request), KeyBody), request.path_params["id"], _buses(ctx)
    return await _act(request, ctx, lambda tx: service.set_key(tx, name, body.key))


async def install(request: Request, ctx: Context) -> web.Response:
    """Open or end the install window of a reader that has no key."""
    body, name, service = convert(await read_data(request), InstallBody), request.path_params["id"], _buses(ctx)
    return await _act(request, ctx, lambda tx: service.install(tx, name, body.seconds, body.key))


async def move(request: Request, ctx: Context) -> web.Response:
    """Give a reader another address and speed."""
    body, name, service = convert(await read_data(request), MoveBody), request.path_params["id"], _buses(ctx)
    return await _act(request, ctx, lambda tx: service.move(tx, name, body.address, body.baud))


async def feedback(request: Request, ctx: Context) -> web.Response:
    """Light and sound at a reader."""
    body, name = convert(await read_data(request), FeedbackBody), request.path_params["id"]
    readers = ctx.controller.readers
    return await _act(request, ctx, lambda tx: readers.signal(tx, name, body.signal))


def _routes() -> tuple[RestRoute, ...]:
    viewer, operator, admin = Role.VIEWER, Role.OPERATOR, Role.ADMIN
    one = f"{API}/readers/{{id}}"
    return (
        RestRoute(
            method="GET", safe=True, path=f"{API}/readers", role=viewer, name="doors.readers",
            handler=rest(list_readers), summary="All readers", data=list[ReaderView],
        ),
        RestRoute(
            method="GET", safe=True, path=f"{one}/settings", role=admin, name="doors.readers.settings",
            handler=rest(get_settings), summary="How a reader is set up", data=BusReaderView,
        ),
        RestRoute(
            method="PATCH", path=f"{one}/settings", role=admin, name="doors.readers.configure",
            handler=rest(patch_settings), summary="Set a reader up", body=BusReader, partial=True, data=BusReaderView,
        ),
        RestRoute(
            method="POST", path=f"{one}/key", role=admin, name="doors.readers.key", handler=rest(set_key),
            summary="Give a reader a new base key over its secure channel", body=KeyBody,
        ),
        RestRoute(
            method="POST", path=f"{one}/install", role=admin, name="doors.readers.install", handler=rest(install),
            summary="Set a key under the published one, for a while", body=InstallBody,
        ),
        RestRoute(
            method="POST", path=f"{one}/move", role=admin, name="doors.readers.move", handler=rest(move),
            summary="Give a reader another address and speed", body=MoveBody,
        ),
        RestRoute(
            method="POST", path=f"{one}/feedback", role=operator, name="doors.readers.feedback",
            handler=rest(feedback), summary="Light and sound at a reader", body=FeedbackBody,
        ),
        RestRoute(
            method="GET", safe=True, path=f"{API}/reader-ports", role=viewer, name="doors.reader-ports",
            handler=rest(list_ports), summary="All reader connectors", data=list[PortView],
        ),
        RestRoute(
            method="PATCH", path=f"{API}/reader-ports/{{id}}", role=admin, name="doors.reader-ports.update",
            handler=rest(patch_port), summary="Set a reader connector up", body=PortSettings, partial=True,
            data=PortView,
        ),
    )  # fmt: skip


ROUTES: Final = _routes()
