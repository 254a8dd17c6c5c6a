"""``playclip.cgi`` and ``stopclip.cgi``: play and stop audio clips, for viewers (VAPIX Media clip API).

Answers are text: ``OK`` and what was done, or 400 and why not.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from aiohttp import web

from axcore.errors import InputError
from axcore.interfaces.http.routes import Route
from axcore.model.accounts import Role

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request
    from axcore.interfaces.http.forms import Form

PLAY_ARGUMENTS: Final = ("clip", "location", "repeat", "volume", "audiooutput", "audiodeviceid", "audiooutputid")
_NUMBER = re.compile(r"-?[0-9]{1,9}", re.ASCII)


def done(what: str) -> web.Response:
    """The answer of a success."""
    return web.Response(text=f"OK\n{what}\n", content_type="text/plain")


def refused(error: InputError) -> web.Response:
    """The answer of a refusal; whatever is wrong, it is a bad request."""
    return web.Response(status=400, text=f"400 Bad Request\n{error}\n", content_type="text/plain")


def check_arguments(query: Form, known: Collection[str]) -> None:
    """InputError names an argument that there is not."""
    for name, _ in query.fields:
        if name not in known:
            raise InputError(name[:40], "unknown argument")


def number(query: Form, name: str, default: int | None = None) -> int:
    """An argument that is a whole number. InputError."""
    text = query.get(name)
    if text is None or text == "":
        if default is None:
            raise InputError(name, "is missing")
        return default
    if not _NUMBER.fullmatch(text):
        raise InputError(name, "must be a whole number")
    return int(text)


def check_output(query: Form) -> None:
    """There is one output, and it is asked for in one way. InputError."""
    device, output = query.get("audiodeviceid"), query.get("audiooutputid")
    if (device is None) != (output is None):
        raise InputError("audiodeviceid", "goes together with audiooutputid")
    if device is not None and "audiooutput" in query:
        raise InputError("audiooutput", "cannot be used together with audiodeviceid")
    for name, only in (("audiodeviceid", (0,)), ("audiooutputid", (0,)), ("audiooutput", (0, 1))):
        if number(query, name, only[-1]) not in only:
            raise InputError(name, f"there is one audio output: {only[-1]}")


async def play(query: Form, ctx: Context, actor: str) -> web.Response:
    """Play what the arguments say. InputError."""
    check_output(query)
    volume, repeat = number(query, "volume", 100), number(query, "repeat", 0)
    location, clips = query.get("location"), ctx.clips
    wanted = None if location else number(query, "clip")

    def job(tx: object) -> int:
        clip = clips.find(location, "location") if wanted is None else clips.clip(wanted)
        clips.play(tx, clip, volume=volume, repeat=repeat)
        found: int = clip.id
        return found

    return done(f"playing={await ctx.ledger.run(job, actor=actor)}")


async def stop(ctx: Context, actor: str) -> web.Response:
    """Stop what plays; nothing playing is no error."""
    await ctx.ledger.run(ctx.clips.stop, actor=actor)
    return done("stopping")


async def playclip_cgi(request: Request, ctx: Context) -> web.Response:
    """GET /axis-cgi/playclip.cgi?clip=0[&repeat=-1..][&volume=0..1000] or ?location=... (viewer)."""
    try:
        query = request.arguments()
        check_arguments(query, PLAY_ARGUMENTS)
        return await play(query, ctx, request.identity.name)
    except InputError as error:
        return refused(error)


async def stopclip_cgi(request: Request, ctx: Context) -> web.Response:
    """GET /axis-cgi/stopclip.cgi (viewer)."""
    try:
        check_arguments(request.arguments(), ())
    except InputError as error:
        return refused(error)
    return await stop(ctx, request.identity.name)


ROUTES: Final = (
    Route(method="GET", path="/axis-cgi/playclip.cgi", role=Role.VIEWER, handler=playclip_cgi, name="playclip"),
    Route(method="GET", path="/axis-cgi/stopclip.cgi", role=Role.VIEWER, handler=stopclip_cgi, name="stopclip"),
)
