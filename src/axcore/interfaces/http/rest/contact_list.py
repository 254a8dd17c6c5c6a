"""``/config/rest/contact-list/v1``: contacts, groups, import and export, the call button.

People are seen and changed by operators; whom the button calls as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from aiohttp import web

from axcore.interfaces.http.rest.envelope import (
    BASE,
    RestRoute,
    arguments,
    read_data,
    read_object,
    rest,
    shelf,
    success,
)
from axcore.model.accounts import Role
from axcore.model.convert import convert
from axcore.model.intercom import CallButton, Contact, ContactSpec, Group, GroupSpec
from axcore.services.intercom import ContactFile

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/contact-list/v1"
MAX_FILE: Final = 1_000_000


async def list_contacts(request: Request, ctx: Context) -> web.Response:
    """All contacts."""
    arguments(request)
    return success(list(ctx.intercom.contacts.book.contacts.values()))


async def add_contact(request: Request, ctx: Context) -> web.Response:
    """Add a contact."""
    spec = convert(await read_object(request), ContactSpec)
    return success(await ctx.ledger.run(lambda tx: ctx.intercom.contacts.add_contact(tx, spec)), 201)


async def get_contact(request: Request, ctx: Context) -> web.Response:
    """One contact."""
    return success(ctx.intercom.contacts.contact(request.path_params["id"]))


async def patch_contact(request: Request, ctx: Context) -> web.Response:
    """Change what the body names."""
    patch, key = await read_object(request), request.path_params["id"]
    return success(await ctx.ledger.run(lambda tx: ctx.intercom.contacts.update_contact(tx, key, patch)))


async def delete_contact(request: Request, ctx: Context) -> web.Response:
    """Remove a contact, from groups and the call button too."""
    key = request.path_params["id"]
    await ctx.ledger.run(lambda tx: ctx.intercom.contacts.remove_contact(tx, key))
    return success()


async def list_groups(request: Request, ctx: Context) -> web.Response:
    """All groups."""
    arguments(request)
    return success(list(ctx.intercom.contacts.book.groups.values()))


async def add_group(request: Request, ctx: Context) -> web.Response:
    """Add a group of contacts."""
    spec = convert(await read_object(request), GroupSpec)
    return success(await ctx.ledger.run(lambda tx: ctx.intercom.contacts.add_group(tx, spec)), 201)


async def get_group(request: Request, ctx: Context) -> web.Response:
    """One group."""
    return success(ctx.intercom.contacts.group(request.path_params["id"]))


async def patch_group(request: Request, ctx: Context) -> web.Response:
    """Change what the body names."""
    patch, key = await read_object(request), request.path_params["id"]
    return success(await ctx.ledger.run(lambda tx: ctx.intercom.contacts.update_group(tx, key, patch)))


async def delete_group(request: Request, ctx: Context) -> web.Response:
    """Remove a group."""
    key = request.path_params["id"]
    await ctx.ledger.run(lambda tx: ctx.intercom.contacts.remove_group(tx, key))
    return success()


async def export(request: Request, ctx: Context) -> web.Response:
    """The whole list, as it is imported."""
    arguments(request)
    response = success(ctx.intercom.contacts.export())
    response.headers["Content-Disposition"] = 'attachment; filename="contacts.json"'
    return response


async def replace(request: Request, ctx: Context) -> web.Response:
    """Import: the list becomes that of the file, or nothing changes."""
    file = convert(await read_data(request), ContactFile)
    return success(await ctx.ledger.run(lambda tx: ctx.intercom.contacts.replace(tx, file)))


async def get_button(request: Request, ctx: Context) -> web.Response:
    """What the call button does."""
    arguments(request)
    return success(ctx.intercom.contacts.button)


async def patch_button(request: Request, ctx: Context) -> web.Response:
    """Change what the body names."""
    patch = await read_object(request)
    return success(await ctx.ledger.run(lambda tx: ctx.intercom.contacts.set_button(tx, patch)))


def _routes() -> Iterator[RestRoute]:
    contacts = (list_contacts, add_contact, get_contact, patch_contact, delete_contact)
    groups = (list_groups, add_group, get_group, patch_group, delete_group)
    yield from shelf(f"{API}/contacts", "contacts", "contact", (ContactSpec, Contact), contacts, role=Role.OPERATOR)
    yield from shelf(f"{API}/groups", "groups", "group", (GroupSpec, Group), groups, role=Role.OPERATOR)
    yield RestRoute(
        method="GET", safe=True, path=f"{API}/list", role=Role.OPERATOR, name="contact-list.export",
        handler=rest(export), summary="Download the contact list", data=ContactFile,
    )  # fmt: skip
    yield RestRoute(
        method="PUT", path=f"{API}/list", role=Role.OPERATOR, name="contact-list.import", handler=rest(replace),
        summary="Import a contact list", body=ContactFile, data=ContactFile, max_body=MAX_FILE,
    )  # fmt: skip
    yield RestRoute(
        method="GET", safe=True, path=f"{API}/button", role=Role.OPERATOR, name="call-button.get",
        handler=rest(get_button), summary="The call button", data=CallButton,
    )  # fmt: skip
    yield RestRoute(
        method="PATCH", path=f"{API}/button", role=Role.OPERATOR, name="call-button.update",
        handler=rest(patch_button), summary="Change the call button", body=CallButton, partial=True, data=CallButton,
    )  # fmt: skip


ROUTES: Final = tuple(_routes())
