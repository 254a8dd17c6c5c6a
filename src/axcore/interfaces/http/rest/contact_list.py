"""``/config/rest/contact-list/v1``: contacts, groups and their pictures, import and export, the call button.

People are seen and changed by operators; whom the button calls as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from axcore.errors import InputError
from axcore.interfaces.http.rest.envelope import (
    BASE,
    RestError,
    RestRoute,
    arguments,
    read_data,
    read_object,
    rest,
    shelf,
    success,
)
from axcore.interfaces.http.vapix.mediaclip import file_of
from axcore.model.accounts import Role
from axcore.model.convert import convert
from axcore.model.images import MAX_IMAGE, parse_image
from axcore.model.intercom import CallButton, Contact, ContactSpec, Group, GroupSpec
from axcore.services.intercom import ContactFile

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/contact-list/v1"
IMAGE_TYPES: Final = ("image/png", "image/jpeg")
MAX_UPLOAD: Final = 2 * MAX_IMAGE
MAX_FILE: Final = 7_000_000
"""Of an import: people, and their pictures in base64."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """The picture of a contact or group; the file itself is got by GET."""

    type: str
    width: int
    height: int
    size: int
    """Bytes."""


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
    """Remove a contact, from groups and the call button too; 409 for one that a rule calls."""
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
    """Remove a group, from the call button too; 409 for one that a rule calls."""
    key = request.path_params["id"]
    await ctx.ledger.run(lambda tx: ctx.intercom.contacts.remove_group(tx, key))
    return success()


async def get_image(request: Request, ctx: Context) -> web.Response:
    """The file."""
    arguments(request)
    image, data = ctx.intercom.contacts.pictures.get(request.path_params["id"])
    return web.Response(body=data, content_type=image.type)


async def put_image(request: Request, ctx: Context) -> web.Response:
    """A PNG or JPEG file as the body, or as the part of a multipart body."""
    key, kind = request.path_params["id"], request.content_type
    if kind not in (*IMAGE_TYPES, "multipart/form-data"):
        raise RestError(415, "unsupported_media_type", f"the body must be {' or '.join(IMAGE_TYPES)}")
    data = await file_of(request) if kind == "multipart/form-data" else await request.read()
    if kind in IMAGE_TYPES and parse_image(data).type != kind:
        raise InputError("image", f"is no {kind}")
    contacts = ctx.intercom.contacts
    image = await ctx.ledger.run(lambda tx: contacts.set_picture(tx, key, data), actor=request.identity.name)
    return success(Picture(type=image.type, width=image.width, height=image.height, size=len(data)))


async def delete_image(request: Request, ctx: Context) -> web.Response:
    """Forget a picture."""
    key, pictures = request.path_params["id"], ctx.intercom.contacts.pictures
    pictures.get(key)
    await ctx.ledger.run(lambda tx: pictures.remove(tx, key), actor=request.identity.name)
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
    for path, name, what in (("contacts", "contacts", "contact"), ("groups", "groups", "group")):
        image = f"{API}/{path}/{{id}}/image"
        yield RestRoute(
            method="GET", safe=True, path=image, role=Role.OPERATOR, name=f"{name}.image.get", handler=rest(get_image),
            summary=f"The picture of a {what}, a PNG or JPEG file",
        )  # fmt: skip
        yield RestRoute(
            method="PUT", path=image, role=Role.OPERATOR, name=f"{name}.image.put", handler=rest(put_image),
            summary=f"Upload the picture of a {what} (image/png or image/jpeg)", data=Picture, max_body=MAX_UPLOAD,
        )  # fmt: skip
        yield RestRoute(
            method="DELETE", path=image, role=Role.OPERATOR, name=f"{name}.image.remove", handler=rest(delete_image),
            summary=f"Remove the picture of a {what}",
        )  # fmt: skip
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
