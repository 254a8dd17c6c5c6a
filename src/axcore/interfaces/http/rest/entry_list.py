"""``/config/rest/entry-list/v1``: credential holders, settings and *Get latest*.

Manual: Reader > Entry list, Reader > PIN. PINs are write-only: an answer only says whether one is set. All calls
need an operator; credentials are not shown to viewers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from axcore.interfaces.http.rest.envelope import BASE, RestRoute, arguments, read_object, rest, success
from axcore.model.accounts import Role
from axcore.model.credentials import (
    AccessSettings,
    CardValue,
    CredentialKind,
    CredentialRead,
    Holder,
    HolderSpec,
    Validity,
)

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/entry-list/v1"


class HolderView(msgspec.Struct, frozen=True, kw_only=True):
    """A credential holder as it can be read."""

    id: str
    first_name: str
    last_name: str
    card: CardValue | None
    pin_set: bool
    qr: str | None
    event_condition: str
    validity: Validity
    enabled: bool
    remaining: int | None
    """Uses left; null unless the validity is a number of times."""


class LatestView(msgspec.Struct, frozen=True, kw_only=True):
    """The credential that was presented last; null card and qr for a PIN, which is never shown."""

    kind: CredentialKind
    card: CardValue | None
    qr: str | None
    reader: int
    correlation: str | None


def holder_view(holder: Holder) -> HolderView:
    """What a read shows of a holder."""
    return HolderView(
        id=holder.id,
        first_name=holder.first_name,
        last_name=holder.last_name,
        card=holder.card,
        pin_set=holder.pin is not None,
        qr=holder.qr,
        event_condition=holder.event_condition,
        validity=holder.validity,
        enabled=holder.enabled,
        remaining=holder.remaining,
    )


def latest_view(read: CredentialRead | None) -> LatestView | None:
    """What *Get latest* shows."""
    if read is None:
        return None
    return LatestView(kind=read.kind, card=read.card, qr=read.qr, reader=read.reader, correlation=read.correlation)


async def list_holders(request: Request, ctx: Context) -> web.Response:
    """All holders."""
    arguments(request)
    return success([holder_view(holder) for holder in ctx.access.holders()])


async def add_holder(request: Request, ctx: Context) -> web.Response:
    """Add a holder; 409 for the 51st and for a first name that is taken."""
    spec = await read_object(request)
    holder = await ctx.ledger.run(lambda tx: ctx.access.add_holder(tx, spec))
    response = success(holder_view(holder), 201)
    response.headers["Location"] = f"{API}/holders/{holder.id}"
    return response


async def get_holder(request: Request, ctx: Context) -> web.Response:
    """One holder."""
    return success(holder_view(ctx.access.holder(request.path_params["id"])))


async def patch_holder(request: Request, ctx: Context) -> web.Response:
    """Change what the body names; null takes a credential away."""
    patch = await read_object(request)
    key = request.path_params["id"]
    holder = await ctx.ledger.run(lambda tx: ctx.access.update_holder(tx, key, patch))
    return success(holder_view(holder))


async def delete_holder(request: Request, ctx: Context) -> web.Response:
    """Remove a holder."""
    key = request.path_params["id"]
    await ctx.ledger.run(lambda tx: ctx.access.remove_holder(tx, key))
    return success()


async def get_settings(request: Request, ctx: Context) -> web.Response:
    """The settings."""
    return success(ctx.access.settings)


async def patch_settings(request: Request, ctx: Context) -> web.Response:
    """Change what the body names."""
    patch = await read_object(request)
    return success(await ctx.ledger.run(lambda tx: ctx.access.set_settings(tx, patch)))


async def get_latest(request: Request, ctx: Context) -> web.Response:
    """The credential presented last, null if none was since the start; of what is committed."""
    return success(latest_view(await ctx.ledger.run(lambda tx: ctx.access.latest)))


def _routes() -> tuple[RestRoute, ...]:
    one = f"{API}/holders/{{id}}"
    operator = Role.OPERATOR
    return (
        RestRoute(
            method="GET", safe=True, path=f"{API}/holders", role=operator, name="entry-list.holders",
            handler=rest(list_holders), summary="All credential holders", data=list[HolderView],
        ),
        RestRoute(
            method="POST", path=f"{API}/holders", role=operator, name="entry-list.add", handler=rest(add_holder),
            summary="Add a credential holder", body=HolderSpec, data=HolderView, status=201,
        ),
        RestRoute(
            method="GET", safe=True, path=one, role=operator, name="entry-list.get", handler=rest(get_holder),
            summary="One credential holder", data=HolderView,
        ),
        RestRoute(
            method="PATCH", path=one, role=operator, name="entry-list.update", handler=rest(patch_holder),
            summary="Change a credential holder", body=HolderSpec, partial=True, data=HolderView,
        ),
        RestRoute(
            method="DELETE", path=one, role=operator, name="entry-list.remove", handler=rest(delete_holder),
            summary="Remove a credential holder",
        ),
        RestRoute(
            method="GET", safe=True, path=f"{API}/settings", role=operator, name="entry-list.settings",
            handler=rest(get_settings), summary="Settings of entry list and PIN", data=AccessSettings,
        ),
        RestRoute(
            method="PATCH", path=f"{API}/settings", role=operator, name="entry-list.configure",
            handler=rest(patch_settings), summary="Change the settings", body=AccessSettings, partial=True,
            data=AccessSettings,
        ),
        RestRoute(
            method="GET", safe=True, path=f"{API}/latest", role=operator, name="entry-list.latest",
            handler=rest(get_latest), summary="Get latest: the credential presented last", data=LatestView | None,
        ),
    )  # fmt: skip


ROUTES: Final = _routes()
