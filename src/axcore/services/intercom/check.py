"""Whether settings, accounts and contacts can be. Every refusal names its field."""

from __future__ import annotations

import math
import re

import msgspec

from axcore.errors import ConflictError, InputError, LimitError
from axcore.model.intercom import (
    CODECS,
    MAX_LEGS,
    MAX_NAME,
    MAX_NOTES,
    MAX_PROXIES,
    MAX_SEQUENCE,
    MAX_SEQUENCES,
    MAX_SOURCES,
    VMS_CALL,
    CallButton,
    ContactSpec,
    DtmfConfigurationSpec,
    DtmfEventSpec,
    DtmfSequenceSpec,
    GroupSpec,
    SipAccountSpec,
    SipProxy,
    SipSettings,
)
from axcore.model.sip import check_host, parse_address, parse_source

LEAST_PORT, MOST_PORT = 1024, 65535
MEDIA_PORTS = 96
"""RTP ports from the first one on that the device may use: two for each leg, and as many for NAT traversal."""
DYNAMIC_TYPES = 96, 127
"""RFC 3551 section 6."""
_SEQUENCE = re.compile(r"[0-9A-D*#]*")
_DIAL = re.compile(r"[0-9]{1,10}")
_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/%]{1,64}")


def text(field: str, value: str, most: int = MAX_NAME, *, least: int = 0) -> str:
    """Printable characters without quotation marks that could end a header early."""
    value = value.strip()
    if not least <= len(value) <= most or (value and not value.isprintable()):
        raise InputError(field, f"must be {least}..{most} printable characters")
    return value


def number(field: str, value: int, least: int, most: int, *, zero: bool = False, unit: str = "") -> None:
    """InputError unless a number is within its bounds (or 0, where that means something)."""
    if not (least <= value <= most or (zero and value == 0)):
        raise InputError(field, f"must be {least}..{most}{unit}{', or 0' if zero else ''}")


def settings(new: SipSettings) -> SipSettings:
    """InputError names the field."""
    number("port", new.port, LEAST_PORT, MOST_PORT, zero=True)
    number("tls_port", new.tls_port, LEAST_PORT, MOST_PORT, zero=True)
    if new.port and new.port == new.tls_port:
        raise ConflictError("tls_port", "must be another one than the SIP port")
    number("rtp_start_port", new.rtp_start_port, LEAST_PORT, MOST_PORT - MEDIA_PORTS)
    number("calling_timeout", new.calling_timeout, 1, 600, unit=" s")
    number("incoming_duration", new.incoming_duration, 1, 600, unit=" s")
    number("call_duration", new.call_duration, 1, 3600, zero=True, unit=" s")
    number("register_interval", new.register_interval, 30, 86400, unit=" s")
    number("max_retransmissions", new.max_retransmissions, 1, 100)
    number("fallback_interval", new.fallback_interval, 10, 86400, unit=" s")
    number("t1", new.t1, 50, 5000, unit=" ms")
    number("t2", new.t2, new.t1, 60_000, unit=" ms")
    number("dtmf_payload_type", new.dtmf_payload_type, *DYNAMIC_TYPES)
    if new.audio_direction == "inactive":
        raise InputError("audio_direction", "must be sendrecv, sendonly or recvonly")
    new = _servers(new)
    if not new.codecs:
        raise InputError("codecs", "at least one is needed")
    for position, codec in enumerate(new.codecs):
        if codec not in CODECS or codec in new.codecs[:position]:
            raise InputError(f"codecs[{position}]", f"{codec[:20]!r} is none of {', '.join(CODECS)}, or there twice")
    if len(new.access_list) > MAX_SOURCES:
        raise LimitError("access_list", f"at most {MAX_SOURCES}")
    sources = []
    for position, source in enumerate(new.access_list):
        parse_source(source, f"access_list[{position}]")
        sources.append(source.strip())
    return msgspec.structs.replace(new, access_list=tuple(sources))


def ports(new: SipSettings, old: SipSettings) -> None:
    """InputError names the port that was changed so that one of SIP is among those of RTP: it could not be bound."""
    start = new.rtp_start_port
    for name, what in (("port", "SIP"), ("tls_port", "SIP by TLS")):
        port = getattr(new, name)
        changed = next((one for one in ("rtp_start_port", name) if getattr(new, one) != getattr(old, one)), "")
        if changed and start <= port < start + MEDIA_PORTS:
            reason = f"RTP may use the ports {start}..{start + MEDIA_PORTS - 1}, and {port} is that of {what}"
            raise InputError(changed, reason)


def _servers(new: SipSettings) -> SipSettings:
    """STUN and TURN. InputError names the field."""
    for name in ("stun", "turn"):
        field, server = f"{name}_server", getattr(new, f"{name}_server").strip()
        if server:
            new = msgspec.structs.replace(new, **{field: check_host(server, field)})
        elif getattr(new, name):
            raise InputError(field, f"is needed for {name.upper()}")
    for field in ("turn_user", "turn_password"):
        text(field, getattr(new, field), 128)
        if new.turn and not getattr(new, field):
            raise InputError(field, "is needed for TURN")
    return new


def account(new: SipAccountSpec, _: str = "") -> SipAccountSpec:
    """InputError names the field."""
    name = text("name", new.name, least=1)
    for field in ("password", "authentication_id"):
        text(field, getattr(new, field), 128)
    caller = text("caller_id", new.caller_id)
    if set(caller) & set('"\\<>'):
        raise InputError("caller_id", 'must not have " \\ < or > in it')
    if new.user_id and not _USER.fullmatch(new.user_id):
        raise InputError("user_id", "must be 1..64 characters of a SIP user name")
    domain, registrar = new.domain.strip(), new.registrar.strip()
    domain = check_host(domain, "domain") if domain else ""
    registrar = check_host(registrar, "registrar") if registrar else ""
    if new.kind == "registered":
        if not new.user_id:
            raise InputError("user_id", "is needed to register")
        if not (registrar or domain):
            raise InputError("registrar", "or a domain is needed to register")
    if new.encryption != "none" and new.transport != "tls":
        raise InputError("encryption", "of media is only possible with transport tls")
    if new.sips and new.transport != "tls":
        raise InputError("sips", "is only possible with transport tls")
    second = new.secondary_server.strip()
    second = check_host(second, "secondary_server") if second else ""
    if second and new.kind != "registered":
        raise InputError("secondary_server", "is only of use to a registered account")
    if second and second == (registrar or domain):
        raise InputError("secondary_server", "must be another one than the registrar")
    if len(new.proxies) > MAX_PROXIES:
        raise LimitError("proxies", f"at most {MAX_PROXIES}")
    proxies = tuple(_proxy(one, f"proxies[{position}].") for position, one in enumerate(new.proxies))
    return msgspec.structs.replace(
        new, name=name, caller_id=caller, domain=domain, registrar=registrar, secondary_server=second, proxies=proxies
    )


def _proxy(new: SipProxy, prefix: str) -> SipProxy:
    for field in ("username", "password", "realm"):
        text(f"{prefix}{field}", getattr(new, field), 128)
    if '"' in new.realm or "\\" in new.realm:
        raise InputError(f"{prefix}realm", 'must not have " or \\ in it')
    if new.password and not new.username:
        raise InputError(f"{prefix}username", "is needed with a password")
    return msgspec.structs.replace(new, address=check_host(new.address, f"{prefix}address"))


def sequence(new: DtmfSequenceSpec) -> DtmfSequenceSpec:
    """InputError names the field."""
    if new.configured and new.accounts:
        raise InputError("accounts", "must be empty: those take it whose DTMF configuration names it")
    description = text("description", new.description, least=0 if new.event else 1)
    return msgspec.structs.replace(
        new, sequence=keys(new.sequence, least=0 if new.configured else 1), description=description
    )


def keys(value: str, *, least: int = 0) -> str:
    """A sequence of keys as it is stored. InputError (``sequence``)."""
    found = value.strip().upper()
    if not least <= len(found) <= MAX_SEQUENCE or not _SEQUENCE.fullmatch(found):
        raise InputError("sequence", f"must be {least}..{MAX_SEQUENCE} of 0-9, A-D, * and #")
    return found


def event(new: DtmfEventSpec) -> DtmfEventSpec:
    """InputError names the field."""
    return msgspec.structs.replace(new, name=text("name", new.name, least=1))


def configuration(new: DtmfConfigurationSpec) -> DtmfConfigurationSpec:
    """InputError names the field; whether its triggers are there is not for here."""
    if len(new.triggers) > MAX_SEQUENCES:  # more than there can be: nobody waits while they are compared
        raise InputError("triggers", f"must be {MAX_SEQUENCES} at most")
    for position, trigger in enumerate(new.triggers):
        if trigger in new.triggers[:position]:
            raise InputError(f"triggers[{position}]", "is there twice")
    return msgspec.structs.replace(new, name=text("name", new.name, least=1))


def contact(new: ContactSpec) -> ContactSpec:
    """InputError names the field; whether other records are there is not for here."""
    first, last = text("first_name", new.first_name, least=1), text("last_name", new.last_name)
    return msgspec.structs.replace(
        new,
        first_name=first,
        last_name=last,
        speed_dial=speed_dial(new.speed_dial),
        sip_address=text("sip_address", new.sip_address, 255, least=1),
        notes=text("notes", new.notes, MAX_NOTES),
    )


def address(value: str, domain: str, field: str = "sip_address") -> str:
    """A SIP address as it is called. InputError."""
    return str(parse_address(value, domain, field))


def speed_dial(value: str) -> str:
    """InputError (``speed_dial``)."""
    value = value.strip()
    if value and not _DIAL.fullmatch(value):
        raise InputError("speed_dial", "must be 1..10 digits")
    return value


def group(new: GroupSpec) -> GroupSpec:
    """InputError names the field."""
    if len(new.recipients) > MAX_LEGS:
        raise LimitError("recipients", f"at most {MAX_LEGS}")
    if len(set(new.recipients)) != len(new.recipients):
        raise InputError("recipients", "has somebody twice")
    if not new.group_calls and (new.speed_dial or new.fallback):
        raise InputError("group_calls", "a group that is not called has no speed dial and no fallback")
    name, notes = text("name", new.name, least=1), text("notes", new.notes, MAX_NOTES)
    return msgspec.structs.replace(new, name=name, notes=notes, speed_dial=speed_dial(new.speed_dial))


def button(new: CallButton) -> CallButton:
    """InputError names the field."""
    if not math.isfinite(new.delay) or not 0 <= new.delay <= 60:
        raise InputError("delay", "must be 0..60 s")
    if len(new.recipients) - (VMS_CALL in new.recipients) > MAX_LEGS:
        raise LimitError("recipients", f"at most {MAX_LEGS}")
    if len(set(new.recipients)) != len(new.recipients):
        raise InputError("recipients", "has somebody twice")
    return new
