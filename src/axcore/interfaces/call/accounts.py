"""``SIPAccount``: the accounts that REST has, and how they are registered.

An account registers with ``Registrar``, or else with ``PublicDomain``; with neither of them it is a peer-to-peer
account. One that registers otherwise by REST does so until one of the two changes. Of what clients leave out an account
that there is keeps its own, and a new one gets what is delivered; null is as good as an empty text or list, and says
nothing where a flag, a choice or a name is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec import UNSET, UnsetType

from axcore.errors import InputError, NotFoundError
from axcore.interfaces.http.jsonin import MissingFieldError, convert
from axcore.model.accounts import Role
from axcore.model.intercom import SipAccount, SipAccountSpec, SipProxy
from axcore.model.voice import Registration, TlsVersion

from . import attributes
from .arguments import Args, Methods, NoArgs, Text, given, in_words, read, some
from .attributes import Attribute, AttributeArgs

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context
    from axcore.runtime.ledger import Transaction
    from axcore.services.intercom import SipAccounts

WHERE: Final = "SIPAccount"
TEXTS: Final = {
    "UserId": "user_id",
    "AuthenticationId": "authentication_id",
    "CallerId": "caller_id",
    "Registrar": "registrar",
    "PublicDomain": "domain",
    "SecondaryRegistrar": "secondary_server",
    "Certificate": "certificate",
    "DTMFConfigurationId": "dtmf_configuration",
}
"""An empty one clears what is stored."""
FLAGS: Final = {
    "Enabled": "active",
    "AutoAnswerEnabled": "auto_answer",
    "SIPSEnabled": "sips",
    "VerifyServerCertificate": "verify_server",
}
ATTRIBUTES: Final = (
    Attribute("CACertificate", "ca_certificate", "string"),
    Attribute("UseRTP", "rtp_keys", "bool"),
    Attribute("UseSIPINFO", "info_keys", "bool"),
)
"""Under names of the manual (SIP > Accounts, SIP > DTMF > Protocols)."""
NAMES: Final = {
    **{field: name for name, field in (*TEXTS.items(), *FLAGS.items())},
    **{each.field: each.name for each in ATTRIBUTES},
    "name": "Name",
    "password": "Password",
    "transport": "Transport",
    "encryption": "MediaEncryption",
    "tls_version": "EncryptionProtocols",
    "proxies": "SIPProxies",
    "address": "Server",
    "username": "Username",
    "realm": "Realm",
    "id": "Id",
    "sip_account": "Id",
}
"""Of fields of the model, in errors."""
ENCRYPTION: Final = {"none": "None", "best_effort": "SRTPBestEffort", "mandatory": "SRTPMandatory"}
PROTOCOLS: Final[dict[TlsVersion, str]] = {"auto": "TLSv12,TLSv13", "1.2": "TLSv12", "1.3": "TLSv13"}
DEFAULT_NAME: Final = "SIP account"
DISABLED, NOT_REGISTERING, TRYING, DONE = "SIP disabled", "Does not register", "Trying", "OK"
"""``StatusText`` without an answer of a registrar, and with one that has no phrase."""
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")


class ProxyArgs(Args, frozen=True, kw_only=True):
    """One of ``SIPProxies``."""

    Server: str
    Username: str | None = None
    Password: str | None = None


class AccountArgs(Args, frozen=True, kw_only=True):
    """``SIPAccount`` as it comes."""

    Id: str | None = None
    Enabled: bool | None = None
    Name: str | None = None
    UserId: Text = UNSET
    Password: str | None = None
    AuthenticationId: Text = UNSET
    CallerId: Text = UNSET
    Registrar: Text = UNSET
    SecondaryRegistrar: Text = UNSET
    DTMFConfigurationId: Text = UNSET
    PublicDomain: Text = UNSET
    SecondaryPublicDomain: str | None = None
    SIPProxies: tuple[ProxyArgs, ...] | UnsetType | None = UNSET
    SecondarySIPProxies: tuple[ProxyArgs, ...] | None = None
    IsDefault: bool | None = None
    AutoAnswerEnabled: bool | None = None
    SIPSEnabled: bool | None = None
    Transport: Literal["udp", "tcp", "tls", ""] | None = None
    PrioritizeIPv6: bool | None = None
    StreamParameters: str | None = None
    AllowMWI: bool | None = None
    MediaEncryption: Literal["None", "SRTPBestEffort", "SRTPMandatory", ""] | None = None
    Certificate: Text = UNSET
    EncryptionProtocols: str | None = None
    VerifyServerCertificate: bool | None = None
    Attribute: tuple[AttributeArgs, ...] | None = None


class SetArgs(Args, frozen=True, kw_only=True):
    """``SetSIPAccount``."""

    SIPAccount: AccountArgs


class SetAllArgs(Args, frozen=True, kw_only=True):
    """``SetSIPAccounts``."""

    SIPAccount: tuple[AccountArgs, ...]


class IdArgs(Args, frozen=True, kw_only=True):
    """About one account."""

    SIPAccountId: str


class SomeArgs(Args, frozen=True, kw_only=True):
    """About some accounts, or all."""

    SIPAccountId: tuple[str, ...] | None = None


class IdsArgs(Args, frozen=True, kw_only=True):
    """About these accounts."""

    SIPAccountId: tuple[str, ...]


def told(one: SipAccount, default: str) -> dict[str, Any]:
    """An account in the words of the API; passwords are not told. There is no video, and no IPv6 before IPv4."""
    return {
        "Id": one.id,
        "Name": one.name,
        **{name: getattr(one, field) for name, field in (*TEXTS.items(), *FLAGS.items())},
        "Password": "",
        "SecondaryPublicDomain": "",
        "SIPProxies": [{"Server": proxy.address, "Username": proxy.username, "Password": ""} for proxy in one.proxies],
        "SecondarySIPProxies": [],
        "IsDefault": one.id == default,
        "Transport": one.transport,
        "PrioritizeIPv6": False,
        "StreamParameters": "",
        "AllowMWI": False,
        "MediaEncryption": ENCRYPTION[one.encryption],
        "EncryptionProtocols": PROTOCOLS[one.tls_version],
        "Attribute": attributes.told(ATTRIBUTES, one),
    }


# --- what is set


def patch_of(wanted: AccountArgs, old: SipAccount | None, where: str) -> tuple[dict[str, Any], dict[str, str]]:
    """A patch of an account (of a new one without ``old``), and what its fields are called in errors. InputError."""
    patch, names = attributes.taken(ATTRIBUTES, wanted.Attribute or (), where)
    patch |= given({field: getattr(wanted, name) for name, field in TEXTS.items()})
    patch |= {field: flag for name, field in FLAGS.items() if (flag := getattr(wanted, name)) is not None}
    for field, text in (("name", wanted.Name), ("password", wanted.Password), ("transport", wanted.Transport)):
        if text:
            patch[field] = text
    if wanted.SIPSEnabled:
        patch["transport"] = "tls"
    if wanted.MediaEncryption:
        patch["encryption"] = next(field for field, word in ENCRYPTION.items() if word == wanted.MediaEncryption)
    if wanted.EncryptionProtocols:
        patch["tls_version"] = tls_version(wanted.EncryptionProtocols, f"{where}.EncryptionProtocols")
    if not isinstance(wanted.SIPProxies, UnsetType):
        patch["proxies"] = [_proxy(one, () if old is None else old.proxies) for one in wanted.SIPProxies or ()]
    patch |= _secondary(wanted, where)
    _refuse_missing(wanted, where)
    patch |= _kind(patch, old)
    registers = patch.get("kind", "" if old is None else old.kind) == "registered"
    if registers and "user_id" not in patch and (old is None or not old.user_id):
        raise MissingFieldError(f"{where}.UserId", "is needed to register")
    return patch, {**NAMES, **names}


def tls_version(text: str, where: str) -> TlsVersion:
    """A list of protocols as the model has it. InputError (``where``)."""
    wanted = {name for part in text.split(",") if (name := part.strip())}
    for version, names in PROTOCOLS.items():
        if wanted == {*names.split(",")}:
            return version
    other = next(iter(sorted(wanted - {"TLSv12", "TLSv13"})), "none of them")
    raise InputError(where, f"must be TLSv12, TLSv13 or both, with a comma: {other[:20]} is not spoken here")


def status(
    account: SipAccount, *, on: bool, uri: str, registrar: str, answer: Registration | None, default: bool
) -> dict[str, Any]:
    """How an account is registered, in the words of the API."""
    registers = on and account.active and account.kind == "registered"
    active = registers and answer is not None and answer.active
    code, text = 0, TRYING if registers else NOT_REGISTERING if on else DISABLED
    if registers and answer is not None and (answer.active or answer.code // 100 != 2):
        code, text = answer.code, answer.reason or (DONE if active else text)
    return {
        "SIPAccountId": account.id,
        "SIPURI": uri,
        "IsDefault": default,
        "RegURI": f"sip:{registrar}" if active else "",
        "Status": code,
        "StatusText": text,
    }


def _secondary(wanted: AccountArgs, where: str) -> dict[str, str]:
    """The secondary server, where its domain names it. InputError for what there is none of: only one server is."""
    if wanted.SecondarySIPProxies:
        raise InputError(f"{where}.SecondarySIPProxies", "are not there: SIPProxies lead to both registrars")
    domain = (wanted.SecondaryPublicDomain or "").strip().lower()
    if not domain:
        return {}
    if not wanted.SecondaryRegistrar:
        return {"secondary_server": domain}
    known = {text.strip().lower() for text in (wanted.SecondaryRegistrar, wanted.PublicDomain) if isinstance(text, str)}
    if domain not in known:
        reason = "must be empty or the SecondaryRegistrar: addresses keep their PublicDomain"
        raise InputError(f"{where}.SecondaryPublicDomain", reason)
    return {}


def _refuse_missing(wanted: AccountArgs, where: str) -> None:
    """InputError for what this device does not have."""
    if wanted.StreamParameters:
        raise InputError(f"{where}.StreamParameters", "must be empty: there is no video in calls")
    if wanted.AllowMWI:
        raise InputError(f"{where}.AllowMWI", "must be false: waiting messages are not told here")


def _kind(patch: dict[str, Any], old: SipAccount | None) -> dict[str, str]:
    """Whether the account registers, if that is said: by where it would."""
    before = {"registrar": "", "domain": ""} if old is None else {"registrar": old.registrar, "domain": old.domain}
    after = {name: str(patch.get(name, text)).strip().lower() for name, text in before.items()}
    if after == before:
        return {}
    return {"kind": "registered" if any(after.values()) else "peer_to_peer"}


def _proxy(one: ProxyArgs, old: Iterable[SipProxy]) -> dict[str, str]:
    """A proxy of a patch; what it leaves empty is that of the stored one at the same address (its password:
    ``SipAccounts.update_account``)."""
    address, user = one.Server.strip().lower(), one.Username or ""
    like = (proxy for proxy in old if proxy.address == address and user in ("", proxy.username))
    found = next(like, SipProxy(address=one.Server, username=user))
    password = {"password": one.Password} if one.Password else {}
    return {"address": found.address, "username": found.username, "realm": found.realm, **password}


def _save(tx: Transaction, accounts: SipAccounts, wanted: AccountArgs, where: str) -> str:
    """Change an account, or add one where there is none of its id. The id; InputError."""
    key = wanted.Id or ""
    if key and not _ID.fullmatch(key):
        raise InputError(f"{where}.Id", "must be 1..40 letters, digits, - and _")
    old = accounts.accounts.get(key)
    patch, names = patch_of(wanted, old, where)
    with in_words(names, where):
        if old is None:
            spec = convert({"name": DEFAULT_NAME, **patch}, SipAccountSpec, where)
            made = accounts.add_account(tx, spec, key=key)
        else:
            made = accounts.update_account(tx, key, patch)
        if wanted.IsDefault:
            accounts.make_default(tx, made.id)
    return made.id


def _find(accounts: SipAccounts, key: str) -> SipAccount:
    """NotFoundError; an empty id is none."""
    if key not in accounts.accounts:
        raise NotFoundError("SIPAccountId", f"there is no SIP account {key[:40]!r}")
    return accounts.accounts[key]


def _remove(tx: Transaction, accounts: SipAccounts, keys: Sequence[str]) -> None:
    """Those that are there. ConflictError."""
    with in_words({"id": "SIPAccountId"}):
        for key in keys:
            if key in accounts.accounts:
                accounts.remove_account(tx, key)


# --- methods


async def get_attributes(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    read(args, NoArgs, "GetSupportedSIPAccountAttributes")
    return {"AttributeInfo": attributes.infos(ATTRIBUTES, SipAccountSpec(name=DEFAULT_NAME))}


async def get_encryption(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    read(args, NoArgs, "GetSupportedMediaEncryptionModes")
    return {"MediaEncryption": list(ENCRYPTION.values())}


async def get(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    accounts = ctx.intercom.accounts
    found = _find(accounts, read(args, IdArgs, "GetSIPAccount").SIPAccountId)
    return {WHERE: told(found, accounts.default)}


async def get_some(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    accounts = ctx.intercom.accounts
    found = some(read(args, SomeArgs, "GetSIPAccounts").SIPAccountId, accounts.accounts)
    return {WHERE: [told(one, accounts.default) for one in found]}


async def set_one(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Without ``Id``, or with one that is not there yet, a new account. Empty passwords: see ``methods``."""
    wanted = read(args, SetArgs, "SetSIPAccount").SIPAccount
    return {"SIPAccountId": await ctx.ledger.run(lambda tx: _save(tx, ctx.intercom.accounts, wanted, WHERE))}


async def set_some(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """All of them or none."""
    wanted, accounts = read(args, SetAllArgs, "SetSIPAccounts").SIPAccount, ctx.intercom.accounts

    def job(tx: Transaction) -> list[str]:
        return [_save(tx, accounts, one, f"{WHERE}[{position}]") for position, one in enumerate(wanted)]

    return {"SIPAccountId": await ctx.ledger.run(job)}


async def remove(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """One that is not there is as good as removed."""
    key = read(args, IdArgs, "RemoveSIPAccount").SIPAccountId
    await ctx.ledger.run(lambda tx: _remove(tx, ctx.intercom.accounts, (key,)))
    return {}


async def remove_some(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """All of them or none; an empty list removes nothing."""
    keys = read(args, IdsArgs, "RemoveSIPAccounts").SIPAccountId
    await ctx.ledger.run(lambda tx: _remove(tx, ctx.intercom.accounts, keys))
    return {}


def _status(account: SipAccount, ctx: Context) -> dict[str, Any]:
    intercom = ctx.intercom
    return status(
        account,
        on=intercom.accounts.settings.enabled,
        uri=intercom.accounts.address(account),
        registrar=intercom.servers.route(account).registrar,
        answer=intercom.registrations.get(account.id),
        default=account.id == intercom.accounts.default,
    )


async def get_status(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    key = read(args, IdArgs, "GetSIPAccountStatus").SIPAccountId
    return {"SIPAccountStatus": _status(_find(ctx.intercom.accounts, key), ctx)}


async def get_statuses(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    wanted = read(args, SomeArgs, "GetSIPAccountStatuses").SIPAccountId
    return {"SIPAccountStatus": [_status(one, ctx) for one in some(wanted, ctx.intercom.accounts.accounts)]}


METHODS: Final[Methods] = {
    "GetSupportedMediaEncryptionModes": (Role.ADMIN, get_encryption),
    "GetSupportedSIPAccountAttributes": (Role.ADMIN, get_attributes),
    "GetSIPAccount": (Role.ADMIN, get),
    "GetSIPAccounts": (Role.ADMIN, get_some),
    "SetSIPAccount": (Role.ADMIN, set_one),
    "SetSIPAccounts": (Role.ADMIN, set_some),
    "RemoveSIPAccount": (Role.ADMIN, remove),
    "RemoveSIPAccounts": (Role.ADMIN, remove_some),
    "GetSIPAccountStatus": (Role.ADMIN, get_status),
    "GetSIPAccountStatuses": (Role.ADMIN, get_statuses),
}
