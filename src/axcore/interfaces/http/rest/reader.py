"""``/config/rest/reader/v1``: the device as a reader of a door controller. Needs an administrator.

Manual: Reader > Connection, Output format, Chip types. Keys and passwords come in and never go out; a PATCH that leaves
them out keeps them. Groups of settings are patched field by field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from aiohttp import web

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
from axcore.services.reader.settings import (
    CHIP_TYPES,
    ChipSettings,
    ReaderProtocol,
    ReaderSettings,
    ReaderState,
    WiegandReader,
)
from axcore.services.reader.vapix import IdPoint
from axcore.services.recipients import DeliveryError
from axcore.wiegand import OutputFormat

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request
    from axcore.services.reader import ReaderService

API: Final = f"{BASE}/reader/v1"


class VapixView(msgspec.Struct, frozen=True, kw_only=True):
    """``VapixReader`` as it can be read."""

    scheme: Literal["https", "http"]
    host: str
    port: int | None
    username: str
    password_set: bool
    verify_certificate: bool
    ca_certificate: str
    reader: str
    access_controller: str


class OsdpView(msgspec.Struct, frozen=True, kw_only=True):
    """``OsdpReader`` as it can be read."""

    address: int
    baud: int
    key_set: bool


class ExternalView(OsdpView, frozen=True, kw_only=True):
    """``ExternalReader`` as it can be read."""

    enabled: bool


class ReaderView(msgspec.Struct, frozen=True, kw_only=True):
    """The settings as they can be read."""

    protocol: ReaderProtocol
    vapix: VapixView
    osdp: OsdpView
    wiegand: WiegandReader
    external: ExternalView
    output: OutputFormat
    chips: ChipSettings


class InstallWindow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how long the published key is accepted, and a key set under it; 0 ends it."""

    seconds: float


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of *Connect*: the readers to choose from."""

    connected: bool
    reason: str = ""
    readers: list[IdPoint] = []
    access_controllers: list[IdPoint] = []


def view(settings: ReaderSettings) -> ReaderView:
    """The settings without their secrets."""
    fields: dict[str, Any] = msgspec.structs.asdict(settings)
    vapix: dict[str, Any] = msgspec.structs.asdict(settings.vapix)
    fields["vapix"] = VapixView(password_set=bool(vapix.pop("password")), **vapix)
    for name, kind in (("osdp", OsdpView), ("external", ExternalView)):
        part: dict[str, Any] = msgspec.structs.asdict(fields[name])
        fields[name] = kind(key_set=bool(part.pop("key")), **part)
    return ReaderView(**fields)


def _service(ctx: Context) -> ReaderService:
    if ctx.reader is None:
        raise NotFoundError("reader", "this device has no reader")
    service: ReaderService = ctx.reader
    return service


async def get_settings(request: Request, ctx: Context) -> web.Response:
    """The settings."""
    arguments(request)
    return success(view(_service(ctx).settings))


async def patch_settings(request: Request, ctx: Context) -> web.Response:
    """Change what the body names; connections whose settings changed are made anew."""
    service, patch = _service(ctx), await read_object(request)
    return success(view(await ctx.ledger.run(lambda tx: service.set_settings(tx, patch))))


async def get_state(request: Request, ctx: Context) -> web.Response:
    """How the connections stand."""
    arguments(request)
    return success(_service(ctx).state())


async def get_chip_types(request: Request, ctx: Context) -> web.Response:
    """The chip types that can be active."""
    arguments(request)
    _service(ctx)
    return success(list(CHIP_TYPES))


async def install(request: Request, ctx: Context) -> web.Response:
    """Open or end the install window of the OSDP connection."""
    service = _service(ctx)
    window = convert(await read_data(request), InstallWindow)
    try:
        await ctx.ledger.run(lambda tx: service.install(tx, window.seconds))
    except StateError as error:
        raise RestError(409, "conflict", str(error)) from None
    return success()


async def connect(request: Request, ctx: Context) -> web.Response:
    """*Connect*: ask the controller of the stored settings for its readers."""
    service = _service(ctx)
    try:
        readers = await ctx.reader_client.readers(service.settings.vapix)
        controllers = await ctx.reader_client.access_controllers(service.settings.vapix)
    except DeliveryError as error:
        return success(Connected(connected=False, reason=error.reason))
    return success(Connected(connected=True, readers=readers, access_controllers=controllers))


def _routes() -> tuple[RestRoute, ...]:
    admin = Role.ADMIN
    return (
        RestRoute(
            method="GET", safe=True, path=f"{API}/settings", role=admin, name="reader.settings",
            handler=rest(get_settings), summary="How the device is a reader", data=ReaderView,
        ),
        RestRoute(
            method="PATCH", path=f"{API}/settings", role=admin, name="reader.configure", handler=rest(patch_settings),
            summary="Change how the device is a reader", body=ReaderSettings, partial=True, data=ReaderView,
        ),
        RestRoute(
            method="GET", safe=True, path=f"{API}/state", role=admin, name="reader.state", handler=rest(get_state),
            summary="How the connections stand", data=ReaderState,
        ),
        RestRoute(
            method="GET", safe=True, path=f"{API}/chip-types", role=admin, name="reader.chip-types",
            handler=rest(get_chip_types), summary="Chip types that can be active", data=list[str],
        ),
        RestRoute(
            method="POST", path=f"{API}/install", role=admin, name="reader.install", handler=rest(install),
            summary="Let the controller set a key under the published one", body=InstallWindow,
        ),
        RestRoute(
            method="POST", path=f"{API}/connect", role=admin, name="reader.connect", handler=rest(connect),
            summary="Connect to the door controller and list its readers", data=Connected,
        ),
    )  # fmt: skip


ROUTES: Final = _routes()
