"""``/config/rest/audio/v1/settings``: microphone, loudspeaker, and what is done to their sound. Needs an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from axcore.interfaces.http.rest.envelope import BASE, RestRoute, arguments, read_object, rest, success
from axcore.model.accounts import Role
from axcore.model.audio import AudioSettings

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

PATH: Final = f"{BASE}/audio/v1/settings"


async def get_settings(request: Request, ctx: Context) -> web.Response:
    """What is set."""
    arguments(request)
    return success(ctx.audio.settings)


async def patch_settings(request: Request, ctx: Context) -> web.Response:
    """Change what the body names."""
    patch = await read_object(request)
    return success(await ctx.ledger.run(lambda tx: ctx.audio.set(tx, patch), actor=request.identity.name))


ROUTES: Final = (
    RestRoute(
        method="GET", safe=True, path=PATH, role=Role.OPERATOR, name="audio.settings.get", handler=rest(get_settings),
        summary="Gain, mute and types of microphone and loudspeaker", data=AudioSettings,
    ),
    RestRoute(
        method="PATCH", path=PATH, role=Role.OPERATOR, name="audio.settings.update", handler=rest(patch_settings),
        summary="Change microphone and loudspeaker", body=AudioSettings, partial=True, data=AudioSettings,
    ),
)  # fmt: skip
