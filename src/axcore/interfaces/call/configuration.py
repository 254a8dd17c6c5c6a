"""``SIPConfiguration``: the settings of SIP, the same ones as REST has.

One STUN and one TURN server can be had. What has no field in the API is an attribute. ``ApplyAllowedURIs`` and
``AllowedURIs`` are old names of an access list whose policy is *Allow*: they are told as what they mean, and taken
where they differ from what is told. The password of TURN is told as an empty text, and an empty or missing one keeps
what is stored for the same server and user; only with ``KeepCurrent`` false does a missing one forget it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from axcore.errors import InputError
from axcore.model.accounts import Role
from axcore.model.intercom import SipSettings
from axcore.model.sip import check_host

from . import attributes
from .arguments import Args, Methods, NoArgs, in_words, read
from .attributes import Attribute, AttributeArgs

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context
    from axcore.runtime.ledger import Transaction

WHERE: Final = "SIPConfiguration"
PLAIN: Final = {
    "SIPEnabled": "enabled",
    "SIPPort": "port",
    "SIPTLSPort": "tls_port",
    "STUNEnabled": "stun",
    "TURNEnabled": "turn",
    "ICEEnabled": "ice",
    "AllowIncomingCalls": "allow_incoming",
    "RTPStartPort": "rtp_start_port",
    "CallingTimeout": "calling_timeout",
    "ApplyAccessList": "use_access_list",
    "AccessList": "access_list",
}
"""Fields that are the same in the model."""
ATTRIBUTES: Final = (
    Attribute("DisableTCPSwitch", "udp_to_tcp", "bool", inverted=True),
    Attribute("MaxCallDuration", "call_duration", "int"),
    Attribute("RegistrationInterval", "register_interval", "int"),
    Attribute("IncomingCallDuration", "incoming_duration", "int"),
    Attribute("MaxRetransmissions", "max_retransmissions", "int"),
    Attribute("SecondsUntilFallback", "fallback_interval", "int"),
    Attribute("TimerT1", "t1", "int"),
    Attribute("TimerT2", "t2", "int"),
    Attribute("AudioDirection", "audio_direction", "string"),
    Attribute("DTMFPayloadType", "dtmf_payload_type", "int"),
    Attribute("AllowViaRewrite", "via_rewrite", "bool"),
    Attribute("AllowContactRewrite", "contact_rewrite", "bool"),
    Attribute("AllowTransfer", "allow_transfer", "bool"),
    Attribute("Certificate", "certificate", "string"),
    Attribute("VerifyClientCertificate", "verify_client", "bool"),
    Attribute("CACertificate", "ca_certificate", "string"),
)
"""Of the API, and under names of the manual (SIP > Settings)."""
NAMES: Final = {
    **{field: name for name, field in PLAIN.items()},
    "access_list_policy": "AccessListPolicy",
    "stun_server": "STUNServers[0].Server",
    "turn_server": "TURNServers[0].Server",
    "turn_user": "TURNServers[0].Username",
    "turn_password": "TURNServers[0].Password",
    **{each.field: each.name for each in ATTRIBUTES},
}
"""Of fields of the model, in errors."""
POLICIES: Final = {"allow": "Allow", "block": "Block"}
ACCESS: Final = ("ApplyAccessList", "AccessList", "AccessListPolicy")


class StunArgs(Args, frozen=True, kw_only=True):
    """One of ``STUNServers``."""

    Server: str


class TurnArgs(Args, frozen=True, kw_only=True):
    """One of ``TURNServers``."""

    Server: str
    Username: str | None = None
    Password: str | UnsetType | None = UNSET


class Configuration(Args, frozen=True, kw_only=True):
    """What is given; null is as if it were not, but for the policy."""

    SIPEnabled: bool | None = None
    SIPPort: int | None = None
    SIPTLSPort: int | None = None
    STUNEnabled: bool | None = None
    STUNServers: tuple[StunArgs, ...] | None = None
    TURNEnabled: bool | None = None
    TURNServers: tuple[TurnArgs, ...] | None = None
    ICEEnabled: bool | None = None
    AllowIncomingCalls: bool | None = None
    ApplyUserAuthentication: bool | None = None
    AllowedUsers: tuple[str, ...] | None = None
    ApplyAllowedURIs: bool | None = None
    AllowedURIs: tuple[str, ...] | None = None
    Attribute: tuple[AttributeArgs, ...] | None = None
    RTPStartPort: int | None = None
    CallingTimeout: int | None = None
    ApplyAccessList: bool | None = None
    AccessList: tuple[str, ...] | None = None
    AccessListPolicy: Literal["Allow", "Block"] | UnsetType | None = UNSET
    """Null is *Allow*."""


class ConfigurationArgs(Args, frozen=True, kw_only=True):
    """``SetSIPConfiguration``."""

    SIPConfiguration: Configuration
    KeepCurrent: bool | None = None
    """Null is true. False: what is not given becomes as delivered."""


def told(settings: SipSettings) -> dict[str, Any]:
    """The settings in the words of the API; without the password of TURN."""
    turn = {"Server": settings.turn_server, "Username": settings.turn_user, "Password": ""}
    return {
        **{name: getattr(settings, field) for name, field in PLAIN.items()},
        "STUNServers": [{"Server": settings.stun_server}] if settings.stun_server else [],
        "TURNServers": [turn] if settings.turn_server else [],
        "ApplyUserAuthentication": False,
        "AllowedUsers": [],
        **old_names(settings),
        "AccessList": list(settings.access_list),
        "AccessListPolicy": POLICIES[settings.access_list_policy],
        "Attribute": attributes.told(ATTRIBUTES, settings),
    }


def old_names(settings: SipSettings) -> dict[str, Any]:
    """What the access list is in the old names: an allow list, or none."""
    allows = settings.access_list_policy == "allow"
    listed = list(settings.access_list) if allows else []
    return {"ApplyAllowedURIs": allows and settings.use_access_list, "AllowedURIs": listed}


def patch_of(wanted: Configuration, old: SipSettings, *, keep: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """A patch of the settings, and what fields of the model are called in errors. InputError."""
    patch, names = attributes.taken(ATTRIBUTES, wanted.Attribute or (), WHERE)
    for name, field in PLAIN.items():
        if (value := getattr(wanted, name)) is not None:
            patch[field] = list(value) if isinstance(value, tuple) else value
    if not isinstance(wanted.AccessListPolicy, UnsetType):
        patch["access_list_policy"] = (wanted.AccessListPolicy or "Allow").lower()
    patch |= _servers(wanted, old)
    _refuse_reserved(wanted)
    if not keep:
        defaults = msgspec.to_builtins(SipSettings())
        forgets = "turn_password" in patch or not _has_login(wanted)
        patch = {field: defaults[field] for field in NAMES if forgets or field != "turn_password"} | patch
    access = _access(wanted, old, patch, keep=keep)
    if "access_list" in access:
        names["access_list"] = "AllowedURIs"
    return patch | access, {**NAMES, **names}


def _refuse_reserved(wanted: Configuration) -> None:
    for name in ("ApplyUserAuthentication", "AllowedUsers"):
        if getattr(wanted, name):
            raise InputError(f"{WHERE}.{name}", "is reserved: callers do not log in here; AccessList says who may call")


def _has_login(wanted: Configuration) -> bool:
    """Whether a TURN server comes with a password, if only with the empty one that was told."""
    return any(not isinstance(server.Password, UnsetType) for server in wanted.TURNServers or ())


def _servers(wanted: Configuration, old: SipSettings) -> dict[str, str]:
    """STUN and TURN: one of each."""
    for name in ("STUNServers", "TURNServers"):
        if len(getattr(wanted, name) or ()) > 1:
            raise InputError(f"{WHERE}.{name}", "one server is possible")
    patch: dict[str, str] = {}
    if wanted.STUNServers is not None:
        patch["stun_server"] = next((server.Server for server in wanted.STUNServers), "")
    if wanted.TURNServers is not None:
        turn = next(iter(wanted.TURNServers), None)
        patch |= {"turn_server": "", "turn_user": "", "turn_password": ""} if turn is None else _turn(turn, old)
    return patch


def _turn(turn: TurnArgs, old: SipSettings) -> dict[str, str]:
    """A TURN server; what it leaves empty is that of the stored one at the same address (its password: the service)."""
    address = check_host(turn.Server, f"{WHERE}.TURNServers[0].Server")
    user = turn.Username or (old.turn_user if address == old.turn_server else "")
    patch = {"turn_server": address, "turn_user": user}
    return {**patch, "turn_password": turn.Password} if isinstance(turn.Password, str) and turn.Password else patch


def _access(wanted: Configuration, old: SipSettings, patch: Mapping[str, Any], *, keep: bool) -> dict[str, Any]:
    """What the old names of the access list change. InputError where they say something else than the new ones.

    A client that sends back what it has read says nothing by them.
    """
    given: dict[str, Any] = {"ApplyAllowedURIs": wanted.ApplyAllowedURIs}
    given["AllowedURIs"] = None if wanted.AllowedURIs is None else [*wanted.AllowedURIs]
    fields = {name: patch.get(name, getattr(old, name)) for name in ("use_access_list", "access_list_policy")}
    listed = [source.strip() for source in patch.get("access_list", old.access_list)]
    new = msgspec.structs.replace(old, access_list=tuple(listed), **fields)
    named = any(getattr(wanted, name) not in (None, UNSET) for name in ACCESS) or wanted.AccessListPolicy is None
    read_back: dict[str, Any] = old_names(old) if keep or named else {}
    now = old_names(new)
    said = {name: value for name, value in given.items() if value not in (None, read_back.get(name), now[name])}
    if not said:
        return {}
    first = next(iter(said))
    if named and _list_of(new) != _list_of(old):
        raise InputError(f"{WHERE}.{first}", "contradicts the access list; say it by ApplyAccessList and AccessList")
    blocks = new.access_list_policy == "block"
    if blocks and new.use_access_list and not said.get("ApplyAllowedURIs"):
        raise InputError(f"{WHERE}.{first}", "is an allow list, and a list of who is blocked is used")
    changes: dict[str, Any] = {"access_list_policy": "allow"}
    if "ApplyAllowedURIs" in said:
        changes["use_access_list"] = said["ApplyAllowedURIs"]
    if "AllowedURIs" in said or blocks:  # who was blocked is not allowed by that
        changes["access_list"] = given["AllowedURIs"] or []
    return changes


def _list_of(settings: SipSettings) -> tuple[object, ...]:
    return settings.use_access_list, settings.access_list_policy, settings.access_list


async def get_attributes(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    read(args, NoArgs, "GetSupportedSIPConfigurationAttributes")
    return {"AttributeInfo": attributes.infos(ATTRIBUTES, SipSettings())}


async def get(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    read(args, NoArgs, "GetSIPConfiguration")
    return {WHERE: told(ctx.intercom.accounts.settings)}


async def set_some(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """What is given, or with ``KeepCurrent`` false everything."""
    wanted, accounts = read(args, ConfigurationArgs, "SetSIPConfiguration"), ctx.intercom.accounts

    def job(tx: Transaction) -> None:
        patch, names = patch_of(wanted.SIPConfiguration, accounts.settings, keep=wanted.KeepCurrent is not False)
        with in_words(names, WHERE):
            accounts.set_settings(tx, patch)

    await ctx.ledger.run(job)
    return {}


METHODS: Final[Methods] = {
    "GetSupportedSIPConfigurationAttributes": (Role.ADMIN, get_attributes),
    "GetSIPConfiguration": (Role.ADMIN, get),
    "SetSIPConfiguration": (Role.ADMIN, set_some),
}
