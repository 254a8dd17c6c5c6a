"""``/config/rest/audio/v1``: audio clips: list, add, rename, gain, download, remove, play, stop. Needs an operator.

A file is added as multipart/form-data with the part ``file``, and ``name`` as a query argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec
from aiohttp import web

from axcore.errors import InputError, NotFoundError
from axcore.interfaces.http.rest.envelope import (
    BASE,
    RestError,
    RestRoute,
    arguments,
    read_object,
    rest,
    success,
    whole_number,
)
from axcore.interfaces.http.vapix.mediaclip import MAX_UPLOAD, download, file_of
from axcore.model.accounts import Role
from axcore.model.clips import MAX_REPEAT, MAX_VOLUME, AudioClip, Playing
from axcore.model.convert import convert

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/audio/v1"
SECOND_NS: Final = 1_000_000_000
_NAME: Final = {"name": "what the clip is called; without it the device finds a name"}
_LINK: Final = {"volume": "percent, 0..1000", "repeat": "how often again; -1 = until stopped"}


class Clip(AudioClip, frozen=True, kw_only=True):
    """A clip, and what rules call it."""

    path: str


class ClipPatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be changed of a clip."""

    name: str | None = None
    gain: float | None = None


class Play(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a clip is played: volume in percent, and how often again (-1: until it is stopped)."""

    volume: int = 100
    repeat: int = 0
    to_call: bool = False
    """Whoever is talked to hears it too."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What plays."""

    clip: int | None = None
    name: str = ""
    seconds_left: float | None = None
    """None: nothing plays, or until it is stopped."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """An address that plays a clip when it is used."""

    path: str


def _shown(clip: AudioClip) -> Clip:
    fields = {name: getattr(clip, name) for name in AudioClip.__struct_fields__}
    return Clip(**fields, path=clip.location)


def _number(request: Request) -> int:
    text = request.path_params["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise NotFoundError("id", f"there is no clip {text[:40]!r}")
    return int(text)


async def list_clips(request: Request, ctx: Context) -> web.Response:
    """All clips."""
    arguments(request)
    return success([_shown(clip) for clip in ctx.clips.clips()])


async def add_clip(request: Request, ctx: Context) -> web.Response:
    """Add a clip from a file."""
    name = arguments(request, _NAME).get("name", "")
    if request.content_type != "multipart/form-data":
        raise RestError(415, "unsupported_media_type", "the body must be multipart/form-data with a part file")
    clip = await ctx.uploads.add(await file_of(request), name=name, actor=request.identity.name)
    return success(_shown(clip), 201)


async def get_clip(request: Request, ctx: Context) -> web.Response:
    """One clip."""
    return success(_shown(ctx.clips.clip(_number(request))))


async def patch_clip(request: Request, ctx: Context) -> web.Response:
    """Another name or gain."""
    number, patch = _number(request), convert(await read_object(request), ClipPatch)
    clip = await ctx.ledger.run(
        lambda tx: ctx.clips.change(tx, number, name=patch.name, gain=patch.gain), actor=request.identity.name
    )
    return success(_shown(clip))


async def delete_clip(request: Request, ctx: Context) -> web.Response:
    """Forget a clip; 409 while a rule uses it."""
    number = _number(request)
    await ctx.ledger.run(lambda tx: ctx.clips.remove(tx, number), actor=request.identity.name)
    return success()


async def get_file(request: Request, ctx: Context) -> web.Response:
    """The sound as an Audio file (.au, 48 kHz, 16 bits)."""
    arguments(request)
    return await download(_number(request), ctx)


async def get_link(request: Request, ctx: Context) -> web.Response:
    """The address that plays a clip."""
    clip, asked = ctx.clips.clip(_number(request)), arguments(request, _LINK)
    volume = whole_number(asked, "volume", 100, 0, MAX_VOLUME)
    repeat = -1 if asked.get("repeat") == "-1" else whole_number(asked, "repeat", 0, 0, MAX_REPEAT)
    location = quote(clip.location, safe="/")
    return success(Link(path=f"/axis-cgi/playclip.cgi?location={location}&repeat={repeat}&volume={volume}"))


async def play_clip(request: Request, ctx: Context) -> web.Response:
    """Play a clip, in place of the one that plays."""
    number, how, clips = _number(request), convert(await read_object(request), Play), ctx.clips

    def job(tx: Any) -> Playing:
        wanted = {"volume": how.volume, "repeat": how.repeat, "to_call": how.to_call}
        playing: Playing = clips.play(tx, clips.clip(number), **wanted)
        return playing

    playing = await ctx.ledger.run(job, actor=request.identity.name)
    return success(_status(playing, ctx.clock.mono_ns()))


async def stop_clip(request: Request, ctx: Context) -> web.Response:
    """Stop the clip that plays."""
    if await request.read():
        raise InputError("body", "must be empty")
    await ctx.ledger.run(ctx.clips.stop, actor=request.identity.name)
    return success()


async def get_status(request: Request, ctx: Context) -> web.Response:
    """What plays."""
    arguments(request)
    return success(_status(ctx.clips.playing, ctx.clock.mono_ns()))


def _status(playing: Playing | None, now_ns: int) -> Status:
    if playing is None:
        return Status()
    left = None if playing.until_ns is None else round(max(0, playing.until_ns - now_ns) / SECOND_NS, 3)
    return Status(clip=playing.clip, name=playing.name, seconds_left=left)


_CLIPS: Final = f"{API}/clips"
_ONE: Final = f"{_CLIPS}/{{id}}"
_ROLE: Final = Role.OPERATOR
ROUTES: Final = (
    RestRoute(
        method="GET", safe=True, path=_CLIPS, role=_ROLE, name="clips.list", handler=rest(list_clips),
        summary="All audio clips", data=list[Clip],
    ),
    RestRoute(
        method="POST", path=_CLIPS, role=_ROLE, name="clips.add", handler=rest(add_clip), query=_NAME, data=Clip,
        summary="Add an audio clip (multipart/form-data, part file)", status=201, max_body=MAX_UPLOAD,
    ),
    RestRoute(
        method="GET", safe=True, path=_ONE, role=_ROLE, name="clips.get", handler=rest(get_clip),
        summary="One audio clip", data=Clip,
    ),
    RestRoute(
        method="PATCH", path=_ONE, role=_ROLE, name="clips.update", handler=rest(patch_clip), body=ClipPatch,
        partial=True, data=Clip, summary="Change the name or the gain of an audio clip",
    ),
    RestRoute(
        method="DELETE", path=_ONE, role=_ROLE, name="clips.remove", handler=rest(delete_clip),
        summary="Remove an audio clip",
    ),
    RestRoute(
        method="GET", safe=True, path=f"{_ONE}/file", role=_ROLE, name="clips.download", handler=rest(get_file),
        summary="The sound of an audio clip, as an .au file",
    ),
    RestRoute(
        method="GET", safe=True, path=f"{_ONE}/link", role=_ROLE, name="clips.link", handler=rest(get_link),
        summary="An address that plays an audio clip", query=_LINK, data=Link,
    ),
    RestRoute(
        method="POST", path=f"{_ONE}/play", role=_ROLE, name="clips.play", handler=rest(play_clip), body=Play,
        partial=True, data=Status, summary="Play an audio clip",
    ),
    RestRoute(
        method="POST", path=f"{API}/stop", role=_ROLE, name="clips.stop", handler=rest(stop_clip),
        summary="Stop the audio clip that plays",
    ),
    RestRoute(
        method="GET", safe=True, path=f"{API}/status", role=_ROLE, name="clips.status", handler=rest(get_status),
        summary="The audio clip that plays", data=Status,
    ),
)  # fmt: skip
