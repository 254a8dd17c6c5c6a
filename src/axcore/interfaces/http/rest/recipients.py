"""``/config/rest/recipients/v1``: who can be told and sent files, with *Test*. Needs an administrator.

Passwords come in and never go out; a PATCH that leaves them out keeps them, unless it
changes the place that they are for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from axcore.interfaces.http.rest.envelope import BASE, RestRoute, arguments, read_object, rest, shelf, success
from axcore.model.accounts import Role
from axcore.model.convert import convert
from axcore.model.recipients import RecipientSpec, RecipientView
from axcore.services.recipients import DeliveryError, view
from axcore.services.recipients.validate import check_spec

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/recipients/v1"


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of *Test*."""

    delivered: bool
    reason: str = ""
    """Why not."""


async def list_recipients(request: Request, ctx: Context) -> web.Response:
    """All recipients."""
    arguments(request)
    return success([view(entry) for entry in ctx.recipients.recipients()])


async def add_recipient(request: Request, ctx: Context) -> web.Response:
    """Add a recipient; 409 for the 21st and for a name that is taken."""
    spec = convert(await read_object(request), RecipientSpec)
    return success(view(await ctx.ledger.run(lambda tx: ctx.recipients.add(tx, spec))), 201)


async def get_recipient(request: Request, ctx: Context) -> web.Response:
    """One recipient."""
    return success(view(ctx.recipients.recipient(request.path_params["id"])))


async def patch_recipient(request: Request, ctx: Context) -> web.Response:
    """Change what the body names; passwords that it leaves out stay."""
    patch, key = await read_object(request), request.path_params["id"]
    return success(view(await ctx.ledger.run(lambda tx: ctx.recipients.update(tx, key, patch))))


async def delete_recipient(request: Request, ctx: Context) -> web.Response:
    """Remove a recipient; actions that name it fail from now on."""
    key = request.path_params["id"]
    await ctx.ledger.run(lambda tx: ctx.recipients.remove(tx, key))
    return success()


async def copy_recipient(request: Request, ctx: Context) -> web.Response:
    """Copy a recipient under another name."""
    key = request.path_params["id"]
    return success(view(await ctx.ledger.run(lambda tx: ctx.recipients.copy(tx, key))), 201)


async def test_recipient(request: Request, ctx: Context) -> web.Response:
    """Deliver something small to a recipient."""
    return await _test(ctx, ctx.recipients.recipient(request.path_params["id"]).target)


async def test_unsaved(request: Request, ctx: Context) -> web.Response:
    """Deliver something small to a recipient that is not saved."""
    spec = convert(await read_object(request), RecipientSpec)
    check_spec(spec)
    return await _test(ctx, spec.target)


async def _test(ctx: Context, target: Any) -> web.Response:
    try:
        await ctx.deliveries.test(target)
    except DeliveryError as error:
        return success(Tested(delivered=False, reason=error.reason))
    return success(Tested(delivered=True))


def _routes() -> tuple[RestRoute, ...]:
    one, admin = f"{API}/recipients/{{id}}", Role.ADMIN
    recipients = (list_recipients, add_recipient, get_recipient, patch_recipient, delete_recipient)
    return (
        *shelf(f"{API}/recipients", "recipients", "recipient", (RecipientSpec, RecipientView), recipients, role=admin),
        RestRoute(
            method="POST", path=f"{one}/copy", role=admin, name="recipients.copy", handler=rest(copy_recipient),
            summary="Copy a recipient", data=RecipientView, status=201,
        ),
        RestRoute(
            method="POST", path=f"{one}/test", role=admin, name="recipients.test", handler=rest(test_recipient),
            summary="Test a recipient", data=Tested,
        ),
        RestRoute(
            method="POST", path=f"{API}/test", role=admin, name="recipients.test-unsaved",
            handler=rest(test_unsaved), summary="Test a recipient before it is saved", body=RecipientSpec, data=Tested,
        ),
    )  # fmt: skip


ROUTES: Final = _routes()
