"""The methods of the VAPIX Call service, over the same accounts, sequences and calls as REST.

A method takes and gives plain dicts; ``simple``, ``soap`` and JSON are forms of these. Of what is not there:
``ter:NotFound``; of what cannot be done now: ``ter:Failure``. Video is not there yet; NAT traversal,
secondary servers and the ways in which an account takes keys are set over REST alone.

Passwords are told as empty texts. So an empty or missing ``Password`` in ``SetSIPAccount`` keeps what is stored, and an
empty or missing ``Username`` of a proxy that of the proxy at the same address: what was read can be sent back. A
password is not kept for another server than it was for. It is cleared over REST (``"password": ""``), or by removing
the proxy or account and adding it again.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from axcore.errors import AxError, ConflictError, InputError, LimitError, NotFoundError
from axcore.interfaces.http.jsonin import convert
from axcore.model.accounts import Role
from axcore.model.intercom import CODECS, CallStatus, SipAccount, SipAccountSpec, SipProxy

from . import dtmf, vms

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

PREFIX: Final = "axcall:"
Method = Callable[[dict[str, Any], "Context"], Awaitable[dict[str, Any]]]
ENCRYPTION: Final = {"none": "None", "best_effort": "SRTPBestEffort", "mandatory": "SRTPMandatory"}
SETTINGS: Final = {
    "SIPEnabled": "enabled",
    "SIPPort": "port",
    "SIPTLSPort": "tls_port",
    "AllowIncomingCalls": "allow_incoming",
    "RTPStartPort": "rtp_start_port",
    "CallingTimeout": "calling_timeout",
    "ApplyAccessList": "use_access_list",
    "AccessList": "access_list",
    "AccessListPolicy": "access_list_policy",
}
ACCOUNT: Final = {
    "Name": "name",
    "UserId": "user_id",
    "PublicDomain": "domain",
    "Registrar": "registrar",
    "Password": "password",
    "AuthenticationId": "authentication_id",
    "CallerId": "caller_id",
    "Transport": "transport",
    "DTMFConfigurationId": "dtmf_configuration",
}


_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")


class _Args(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of a method."""


class CallArgs(_Args, frozen=True, kw_only=True):
    """``Call``."""

    To: str
    SIPAccountId: str = ""


class CallIdArgs(_Args, frozen=True, kw_only=True):
    """``TerminateCall``, ``GetCallStatus``."""

    CallId: str


class IdArgs(_Args, frozen=True, kw_only=True):
    """What is about one record."""

    Id: str


class CodecArgs(_Args, frozen=True, kw_only=True):
    """``SetAudioCodecs``."""

    AudioCodecs: tuple[str, ...]


class ProxyArgs(_Args, frozen=True, kw_only=True):
    """One of ``SIPProxies``."""

    Address: str
    Username: str = ""
    Password: str = ""


def status(call: CallStatus) -> dict[str, Any]:
    """A call in the words of the API."""
    found: dict[str, Any] = {
        "CallId": call.id,
        "Source": "API",
        "CallState": call.state,
        "CallStateReason": call.reason,
        "StartTime": call.started,
        "Direction": call.direction,
        "DeviceURI": call.device_uri,
        "RemoteURI": call.remote_uri,
        "CallType": call.type,
        "SIPAccountId": call.account,
    }
    if call.stopped:
        found["StopTime"] = call.stopped
    if call.codec:
        found["AudioCodec"] = call.codec
    return found


def account(one: SipAccount, default: str) -> dict[str, Any]:
    """An account in the words of the API; passwords are not told."""
    return {
        "Id": one.id,
        **{name: getattr(one, field) for name, field in ACCOUNT.items() if field != "password"},
        "Password": "",
        "SIPProxies": [{"Address": proxy.address, "Username": proxy.username, "Password": ""} for proxy in one.proxies],
        "IsDefault": one.id == default,
        "Active": one.active,
        "AutoAnswer": one.auto_answer,
        "SIPSEnabled": one.sips,
        "MediaEncryption": ENCRYPTION[one.encryption],
    }


async def capabilities(_: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """``SIP``: whether it can be turned on, or is."""
    sip = not ctx.intercom.accounts.unavailable()
    return {"Capabilities": {"SIP": sip, "DTMF": True, "AudioCodec": True}}


async def call(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    wanted = convert(args, CallArgs, "Call")
    made = await ctx.ledger.run(lambda tx: ctx.intercom.call(tx, wanted.To, wanted.SIPAccountId))
    return {"CallId": made.id}


async def terminate(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    key = convert(args, CallIdArgs, "TerminateCall").CallId
    await ctx.ledger.run(lambda tx: ctx.intercom.hang_up(tx, key))
    return {}


async def get_status(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    key = convert(args, CallIdArgs, "GetCallStatus").CallId
    return {"CallStatus": status(await ctx.ledger.run(lambda tx: ctx.intercom.status(key)))}


async def get_statuses(_: dict[str, Any], ctx: Context) -> dict[str, Any]:
    calls = await ctx.ledger.run(lambda tx: ctx.intercom.calls())
    return {"CallStatus": [status(one) for one in calls]}


async def get_configuration(_: dict[str, Any], ctx: Context) -> dict[str, Any]:
    settings = ctx.intercom.accounts.settings
    found = {name: getattr(settings, field) for name, field in SETTINGS.items()}
    return {"SIPConfiguration": {**found, "AccessListPolicy": settings.access_list_policy.capitalize()}}


async def set_configuration(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """What is left out stays, so ``KeepCurrent`` can only be true."""
    given = _object(args, "SIPConfiguration")
    patch = {field: given.pop(name) for name, field in SETTINGS.items() if name in given}
    if not convert(given.pop("KeepCurrent", True), bool, "SIPConfiguration.KeepCurrent"):
        raise InputError("SIPConfiguration.KeepCurrent", "must be true: what is left out stays as it is")
    _refuse_rest(given, "SIPConfiguration")
    if isinstance(patch.get("access_list_policy"), str):
        patch["access_list_policy"] = patch["access_list_policy"].lower()
    await ctx.ledger.run(lambda tx: ctx.intercom.accounts.set_settings(tx, patch))
    return {}


async def get_account(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    accounts = ctx.intercom.accounts
    return {"SIPAccount": account(accounts.account(convert(args, IdArgs, "Get").Id, "Id"), accounts.default)}


async def get_accounts(_: dict[str, Any], ctx: Context) -> dict[str, Any]:
    accounts = ctx.intercom.accounts
    return {"SIPAccount": [account(one, accounts.default) for one in accounts.accounts.values()]}


async def set_account(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Without ``Id``, or with one that is not there yet, a new account. Empty passwords: see the module's text."""
    given, accounts = _object(args, "SIPAccount"), ctx.intercom.accounts
    key = convert(given.pop("Id", ""), str, "SIPAccount.Id")
    default = convert(given.pop("IsDefault", False), bool, "SIPAccount.IsDefault")
    if key and not _ID.fullmatch(key):
        raise InputError("SIPAccount.Id", "must be 1..40 letters, digits, - and _")
    patch: dict[str, Any] = {field: given.pop(name) for name, field in ACCOUNT.items() if name in given}
    for name, field in (("Active", "active"), ("AutoAnswer", "auto_answer"), ("SIPSEnabled", "sips")):
        if name in given:
            patch[field] = given.pop(name)
    if "MediaEncryption" in given:
        words = {word: field for field, word in ENCRYPTION.items()}
        patch["encryption"] = words.get(str(given.pop("MediaEncryption")), "?")
    proxies = None
    if "SIPProxies" in given:
        proxies = convert(given.pop("SIPProxies"), tuple[ProxyArgs, ...], "SIPAccount.SIPProxies")
    _refuse_rest(given, "SIPAccount")
    if patch.get("password") in ("", None):
        patch.pop("password", None)

    def job(tx: Any) -> str:
        old = accounts.accounts.get(key)
        if proxies is not None:
            patch["proxies"] = [_proxy(one, () if old is None else old.proxies) for one in proxies]
        if "registrar" in patch and patch["registrar"] != ("" if old is None else old.registrar):
            patch["kind"] = "registered" if patch["registrar"] else "peer_to_peer"
        if old is not None:
            made: SipAccount = accounts.update_account(tx, key, patch)
        else:
            spec = convert({"name": "SIP account", **patch}, SipAccountSpec, "SIPAccount")
            made = accounts.add_account(tx, spec, key=key)
        if default:
            accounts.make_default(tx, made.id)
        return made.id

    return {"Id": await ctx.ledger.run(job)}


async def remove_account(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    key = convert(args, IdArgs, "RemoveSIPAccount").Id
    await ctx.ledger.run(lambda tx: ctx.intercom.accounts.remove_account(tx, key))
    return {}


async def account_statuses(_: dict[str, Any], ctx: Context) -> dict[str, Any]:
    intercom = ctx.intercom
    found = []
    for one in intercom.accounts.accounts.values():
        told = intercom.registrations.get(one.id)
        state = "Registered" if told is not None and told.active else "NotRegistered"
        found.append({"Id": one.id, "State": state, "Reason": "" if told is None else told.reason})
    return {"SIPAccountStatus": found}


async def account_status(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    key = ctx.intercom.accounts.account(convert(args, IdArgs, "GetSIPAccountStatus").Id, "Id").id
    found = await account_statuses({}, ctx)
    return {"SIPAccountStatus": next(one for one in found["SIPAccountStatus"] if one["Id"] == key)}


async def get_codecs(_: dict[str, Any], ctx: Context) -> dict[str, Any]:
    return {"AudioCodecs": list(ctx.intercom.accounts.settings.codecs)}


async def supported_codecs(_: dict[str, Any], ctx: Context) -> dict[str, Any]:
    return {"AudioCodecs": list(CODECS)}


async def set_codecs(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    codecs = list(convert(args, CodecArgs, "SetAudioCodecs").AudioCodecs)
    await ctx.ledger.run(lambda tx: ctx.intercom.accounts.set_settings(tx, {"codecs": codecs}))
    return {}


METHODS: Final[dict[str, tuple[Role, Method]]] = {
    "GetServiceCapabilities": (Role.OPERATOR, capabilities),
    "Call": (Role.OPERATOR, call),
    "TerminateCall": (Role.OPERATOR, terminate),
    "GetCallStatus": (Role.OPERATOR, get_status),
    "GetCallStatuses": (Role.OPERATOR, get_statuses),
    "GetSIPConfiguration": (Role.ADMIN, get_configuration),
    "SetSIPConfiguration": (Role.ADMIN, set_configuration),
    "GetSIPAccount": (Role.ADMIN, get_account),
    "GetSIPAccounts": (Role.ADMIN, get_accounts),
    "SetSIPAccount": (Role.ADMIN, set_account),
    "RemoveSIPAccount": (Role.ADMIN, remove_account),
    "GetSIPAccountStatuses": (Role.ADMIN, account_statuses),
    "GetSIPAccountStatus": (Role.ADMIN, account_status),
    "GetDefaultAudioCodecs": (Role.ADMIN, supported_codecs),
    "GetAudioCodecs": (Role.ADMIN, get_codecs),
    "GetSupportedAudioCodecs": (Role.ADMIN, supported_codecs),
    "SetAudioCodecs": (Role.ADMIN, set_codecs),
    **dtmf.METHODS,
    **vms.METHODS,
}


class CallFault(msgspec.Struct, frozen=True, kw_only=True):
    """Why a method did nothing, in the words of the service."""

    code: str
    subcode: str | None = None
    reason: str
    sender: bool = True
    """It is the caller's; else the device cannot do it now."""

    def told(self) -> dict[str, str | None]:
        """As JSON and the simple form tell it."""
        return {
            "Fault": "env:Sender" if self.sender else "env:Receiver",
            "FaultCode": self.code,
            "FaultSubCode": self.subcode,
            "FaultReason": self.reason,
            "FaultMsg": None,
        }


def fault_of(error: AxError) -> CallFault:
    """The fault that an exception deserves: the same in every form."""
    match error:
        case UnknownMethodError():
            return CallFault(code="ter:ActionNotSupported", reason=error.reason)
        case NotFoundError():
            return CallFault(code="ter:InvalidArgVal", subcode="ter:NotFound", reason=str(error))
        case ConflictError() | LimitError():
            return CallFault(code="ter:Action", subcode="ter:Failure", reason=str(error), sender=False)
        case InputError():
            return CallFault(code="ter:InvalidArgVal", reason=str(error))
        case _:
            reason = "nothing was changed, try again"
            return CallFault(code="ter:Action", subcode="ter:Failure", reason=reason, sender=False)


class UnknownMethodError(InputError):
    """There is no such method."""


async def run(name: str, args: Any, request: Request, ctx: Context) -> dict[str, Any]:
    """Do what a method (with its prefix) says. InputError, QueueFullError, StoreError; HttpError: not allowed."""
    found = METHODS.get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
    if found is None:
        raise UnknownMethodError("method", f"there is no method {name[:60]!r}")
    role, method = found
    request.require(role)
    if not isinstance(args, dict):
        raise InputError(name[:60], "must be an object")
    return await method(args, ctx)


def _proxy(one: ProxyArgs, old: Iterable[SipProxy]) -> dict[str, str]:
    """A proxy of a patch; what it leaves empty is that of the stored one at the same address (its password:
    ``SipAccounts.update_account``)."""
    address = one.Address.strip().lower()
    like = (proxy for proxy in old if proxy.address == address and one.Username in ("", proxy.username))
    found = next(like, SipProxy(address=one.Address, username=one.Username))
    password = {"password": one.Password} if one.Password else {}
    return {"address": found.address, "username": found.username, "realm": found.realm, **password}


def _object(args: dict[str, Any], name: str) -> dict[str, Any]:
    """The only argument, which is an object; a copy."""
    value = args.get(name)
    if not isinstance(value, dict):
        raise InputError(name, "is required, and an object")
    _refuse_rest({key: one for key, one in args.items() if key != name}, "")
    return dict(value)


def _refuse_rest(given: dict[str, Any], where: str) -> None:
    for name in given:
        raise InputError(f"{where}.{name[:60]}".lstrip("."), "is not known here")
