"""``mediaclip.cgi``: play, stop, upload, remove, rename and download audio clips, for operators (VAPIX Media clip API).

What the clips are is told by param.cgi, group ``MediaClip``. Answers are those of ``playclip``.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import web

from axcore.errors import InputError
from axcore.interfaces.http.multipart import parts
from axcore.interfaces.http.routes import Route
from axcore.model.accounts import Role
from axcore.model.clips import MAX_BYTES

from .playclip import PLAY_ARGUMENTS, check_arguments, done, number, play, refused, stop

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request
    from axcore.interfaces.http.forms import Form

MAX_UPLOAD: Final = MAX_BYTES + 65_536
"""Octets of a body: the largest file, and what stands around it."""
ARGUMENTS: Final = {
    "play": PLAY_ARGUMENTS,
    "stop": (),
    "upload": ("media", "name"),
    "remove": ("clip",),
    "update": ("clip", "name"),
    "download": ("clip",),
}


async def file_of(request: Request) -> bytes:
    """The file in a multipart body: the first part that has a file name, else the only part. InputError."""
    found = parts(request.headers.get("Content-Type", ""), await request.read())
    files = [part for part in found if part.filename is not None] or found
    if not files:
        raise InputError("body", "has no file in it")
    return bytes(files[0].body)


async def download(number: int, ctx: Context) -> web.Response:
    """A clip as an Audio file. NotFoundError."""
    clips = ctx.clips
    clip = clips.clip(number)

    def read() -> bytes:
        from axcore.audio.clips import RATE, au

        return au(clips.samples(clip), RATE)

    try:
        body = await asyncio.to_thread(read)
    except (OSError, ValueError) as error:
        raise InputError("clip", f"cannot be read: {error}") from error
    headers = {"Content-Disposition": f'attachment; filename="MediaClip.M{number}.au"'}
    return web.Response(body=body, content_type="audio/basic", headers=headers)


async def _do(action: str, query: Form, request: Request, ctx: Context) -> web.Response:
    actor, clips = request.identity.name, ctx.clips
    if action == "play":
        return await play(query, ctx, actor)
    if action == "stop":
        return await stop(ctx, actor)
    if action == "upload":
        if query.get("media", "audio") != "audio":
            raise InputError("media", "must be audio")
        clip = await ctx.uploads.add(await file_of(request), name=query.get("name") or "", actor=actor)
        return done(f"uploaded={clip.id}")
    wanted = number(query, "clip")
    if action == "download":
        return await download(wanted, ctx)
    if action == "remove":
        await ctx.ledger.run(lambda tx: clips.remove(tx, wanted), actor=actor)
        return done(f"removed={wanted}")
    name = query.get("name")
    if name is None:
        raise InputError("name", "is missing")
    await ctx.ledger.run(lambda tx: clips.change(tx, wanted, name=name), actor=actor)
    return done(f"updated={wanted}")


async def mediaclip_cgi(request: Request, ctx: Context) -> web.Response:
    """GET /axis-cgi/mediaclip.cgi?action=..., POST for ``upload`` (operator)."""
    try:
        query = request.arguments()
        action = query.get("action") or ""
        if action not in ARGUMENTS:
            raise InputError("action", f"must be one of {', '.join(ARGUMENTS)}")
        if (action == "upload") != (request.method == "POST"):
            raise InputError("action", "upload goes by POST, everything else by GET")
        check_arguments(query, ("action", *ARGUMENTS[action]))
        return await _do(action, query, request, ctx)
    except InputError as error:
        return refused(error)


_PATH: Final = "/axis-cgi/mediaclip.cgi"
ROUTES: Final = (
    Route(method="GET", path=_PATH, role=Role.OPERATOR, handler=mediaclip_cgi, name="mediaclip"),
    Route(
        method="POST", path=_PATH, role=Role.OPERATOR, handler=mediaclip_cgi, name="mediaclip.upload",
        max_body=MAX_UPLOAD,
    ),
)  # fmt: skip
