"""``/config/rest/calls/v1``: the call that there is and the last ones; call, answer, hang up; sounds. For operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from axcore.interfaces.http.rest.envelope import BASE, RestRoute, arguments, read_object, rest, success
from axcore.model.accounts import Role
from axcore.model.convert import convert
from axcore.model.intercom import CallSounds, CallStatus, VmsSettings

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

API: Final = f"{BASE}/calls/v1"


class CallRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to call."""

    to: str
    """SIP address, or id or name of a contact or group; ``VMS_CALL``: video management software."""
    account: str = ""
    """Id of the account to call from, for an address; empty = the default account."""


async def list_calls(request: Request, ctx: Context) -> web.Response:
    """The call that there is, and the last ones. Asked for as a job: what is told is committed."""
    arguments(request)
    return success(list(await ctx.ledger.run(lambda tx: ctx.intercom.calls())))


async def make_call(request: Request, ctx: Context) -> web.Response:
    """Call somebody; 409 when there is a call already, or SIP is off."""
    wanted = convert(await read_object(request), CallRequest)
    return success(await ctx.ledger.run(lambda tx: ctx.intercom.call(tx, wanted.to, wanted.account)), 201)


async def test_call(request: Request, ctx: Context) -> web.Response:
    """A test call: it ends when it is answered; ``answered`` and ``reason`` of the call tell what came of it."""
    wanted = convert(await read_object(request), CallRequest)
    return success(await ctx.ledger.run(lambda tx: ctx.intercom.call(tx, wanted.to, wanted.account, test=True)), 201)


async def get_vms(request: Request, ctx: Context) -> web.Response:
    """Calls to video management software."""
    arguments(request)
    return success(ctx.intercom.vms.settings)


async def patch_vms(request: Request, ctx: Context) -> web.Response:
    """Change what the body names."""
    patch = await read_object(request)
    return success(await ctx.ledger.run(lambda tx: ctx.intercom.vms.set(tx, patch), actor=request.identity.name))


async def get_call(request: Request, ctx: Context) -> web.Response:
    """One call."""
    key = request.path_params["id"]
    return success(await ctx.ledger.run(lambda tx: ctx.intercom.status(key)))


async def answer_call(request: Request, ctx: Context) -> web.Response:
    """Answer somebody who calls, or as the software that is called."""
    key = request.path_params["id"]
    return success(await ctx.ledger.run(lambda tx: ctx.intercom.answer(tx, key)))


async def end_call(request: Request, ctx: Context) -> web.Response:
    """Hang up; a call that is over stays over."""
    key = request.path_params["id"]
    await ctx.ledger.run(lambda tx: ctx.intercom.hang_up(tx, key))
    return success()


async def get_sounds(request: Request, ctx: Context) -> web.Response:
    """What calls sound like here."""
    arguments(request)
    return success(ctx.intercom.sounds.settings)


async def patch_sounds(request: Request, ctx: Context) -> web.Response:
    """Change what the body names; it counts from the next call on."""
    patch = await read_object(request)
    return success(await ctx.ledger.run(lambda tx: ctx.intercom.sounds.set(tx, patch), actor=request.identity.name))


ROUTES: Final = (
    RestRoute(
        method="GET", safe=True, path=f"{API}/calls", role=Role.OPERATOR, name="calls.list", handler=rest(list_calls),
        summary="All calls", data=list[CallStatus],
    ),
    RestRoute(
        method="POST", path=f"{API}/calls", role=Role.OPERATOR, name="calls.make", handler=rest(make_call),
        summary="Call somebody", body=CallRequest, data=CallStatus, status=201,
    ),
    RestRoute(
        method="GET", safe=True, path=f"{API}/calls/{{id}}", role=Role.OPERATOR, name="calls.get",
        handler=rest(get_call), summary="One call", data=CallStatus,
    ),
    RestRoute(
        method="POST", path=f"{API}/calls/{{id}}/answer", role=Role.OPERATOR, name="calls.answer",
        handler=rest(answer_call), summary="Answer a call", data=CallStatus,
    ),
    RestRoute(
        method="DELETE", path=f"{API}/calls/{{id}}", role=Role.OPERATOR, name="calls.end", handler=rest(end_call),
        summary="Hang up",
    ),
    RestRoute(
        method="POST", path=f"{API}/test", role=Role.OPERATOR, name="calls.test", handler=rest(test_call),
        summary="Make a test call, which ends when it is answered", body=CallRequest, data=CallStatus, status=201,
    ),
    RestRoute(
        method="GET", safe=True, path=f"{API}/vms", role=Role.OPERATOR, name="calls.vms.get", handler=rest(get_vms),
        summary="Calls to video management software", data=VmsSettings,
    ),
    RestRoute(
        method="PATCH", path=f"{API}/vms", role=Role.OPERATOR, name="calls.vms.update", handler=rest(patch_vms),
        summary="Change calls to video management software", body=VmsSettings, partial=True, data=VmsSettings,
    ),
    RestRoute(
        method="GET", safe=True, path=f"{API}/sounds", role=Role.OPERATOR, name="calls.sounds.get",
        handler=rest(get_sounds), summary="Ringtone, ringback and other sounds of calls", data=CallSounds,
    ),
    RestRoute(
        method="PATCH", path=f"{API}/sounds", role=Role.OPERATOR, name="calls.sounds.update",
        handler=rest(patch_sounds), summary="Choose clips and gains for the sounds of calls", body=CallSounds,
        partial=True, data=CallSounds,
    ),
)  # fmt: skip
