"""Calls: what the service can do, making and ending calls, what is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from axcore.devices.call import state_reason
from axcore.errors import InputError
from axcore.model.accounts import Role
from axcore.model.intercom import CALL_SOURCE, CallStatus
from axcore.model.sip import parse_name_addr

from .arguments import Args, Methods, NoArgs, in_words, read, some

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context

NAMES: Final = {"to": "To", "sip_address": "To", "account": "SIPAccountId"}


class CallArgs(Args, frozen=True, kw_only=True):
    """``Call``: without an account, from the default one."""

    To: str
    SIPAccountId: str | None = None


class CallIdArgs(Args, frozen=True, kw_only=True):
    """About one call."""

    CallId: str


class CallIdsArgs(Args, frozen=True, kw_only=True):
    """About some calls, or all."""

    CallId: tuple[str, ...] | None = None


def status(call: CallStatus) -> dict[str, Any]:
    """A call in the words of the API."""
    found: dict[str, Any] = {
        "CallId": call.id,
        "Source": CALL_SOURCE,
        "CallState": call.state,
        "CallStateReason": state_reason(call),
        "StartTime": call.started,
        "Direction": call.direction,
        "DeviceURI": _uri(call.device_uri),
        "RemoteURI": call.remote_uri,
        "CallType": call.type,
    }
    more = (("StopTime", call.stopped), ("AudioCodec", call.codec), ("SIPAccountId", call.account))
    return {**found, **{name: value for name, value in more if value}}


def _uri(text: str) -> str:
    """The address of a header; what is none stays as it came."""
    try:
        return str(parse_name_addr(text))
    except InputError:
        return text


async def capabilities(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """``SIP``: whether it can be turned on, or is."""
    read(args, NoArgs, "GetServiceCapabilities")
    sip = not ctx.intercom.accounts.unavailable()
    always = dict.fromkeys(("DTMF", "AudioCodec", "MediaEncryption", "Certificate", "Attribute"), True)
    return {"Capabilities": {"SIP": sip, **always}}


async def call(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """A contact or group by id or name is called too."""
    wanted = read(args, CallArgs, "Call")
    with in_words(NAMES):
        made = await ctx.ledger.run(lambda tx: ctx.intercom.call(tx, wanted.To, wanted.SIPAccountId or ""))
    return {"CallId": made.id}


async def terminate(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    key = read(args, CallIdArgs, "TerminateCall").CallId
    await ctx.ledger.run(lambda tx: ctx.intercom.hang_up(tx, key))
    return {}


async def get_status(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    key = read(args, CallIdArgs, "GetCallStatus").CallId
    return {"CallStatus": status(await ctx.ledger.run(lambda tx: ctx.intercom.status(key)))}


async def get_statuses(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """The call that there is, and the last ones."""
    wanted = read(args, CallIdsArgs, "GetCallStatuses").CallId
    calls = await ctx.ledger.run(lambda tx: ctx.intercom.calls())
    return {"CallStatus": [status(each) for each in some(wanted, {each.id: each for each in calls})]}


METHODS: Final[Methods] = {
    "GetServiceCapabilities": (Role.OPERATOR, capabilities),
    "Call": (Role.OPERATOR, call),
    "TerminateCall": (Role.OPERATOR, terminate),
    "GetCallStatus": (Role.OPERATOR, get_status),
    "GetCallStatuses": (Role.OPERATOR, get_statuses),
}
