"""SIP addresses (RFC 3261 sections 19.1 and 25.1, RFC 3986 for hosts, RFC 3966 for telephone numbers): parsed once,
compared by their parts.

What is not an address is refused, never repaired. Nothing here looks up a name.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote, unquote

import msgspec

from axcore.errors import InputError

MAX_URI = 255
"""Characters of an address."""
_UNRESERVED = r"A-Za-z0-9\-_.!~*'()"
_USER = re.compile(rf"(?:[{_UNRESERVED}&=+$,;?/]|%[0-9A-Fa-f]{{2}})+")
_USER_SAFE = "-_.!~*'()&=+$,;?/"
"""What stands for itself in a user name, beside letters and digits."""
_PARAM = rf"(?:[{_UNRESERVED}\[\]/:&+$]|%[0-9A-Fa-f]{{2}})+"
_PARAMS = re.compile(rf"(?:;{_PARAM}(?:={_PARAM})?)*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_NUMERIC = re.compile(r"[0-9.]+")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_EXTENSION = re.compile(r"[0-9*#+][0-9*#+\-]{0,63}|[A-Za-z][A-Za-z0-9_\-]{0,63}")
_TEL = re.compile(rf"tel:(\+?[0-9A-F*#\-.()]*[0-9A-F*#][\-.()]*)({_PARAMS.pattern})", re.ASCII | re.IGNORECASE)
_TO_THE_EYE = str.maketrans("", "", "-.()")
_NAME_ADDR = re.compile(r'\s*(?:"(?:[^"\\]|\\.)*"|[^<>"]*)\s*<(?P<uri>[^<>]*)>.*', re.DOTALL)


class SipUri(msgspec.Struct, frozen=True, kw_only=True):
    """``sip:user@host:port;params``; of somebody who calls perhaps ``tel:user;params``."""

    host: str
    """Lower case; an IPv6 address without brackets, in its shortest form. Empty: ``user`` is a telephone number."""
    user: str = ""
    """With percent escapes decoded; empty = none."""
    port: int | None = None
    secure: bool = False
    """``sips``."""
    params: str = ""
    """With their leading semicolon, as they came."""

    def __str__(self) -> str:
        if not self.host:
            return f"tel:{self.user}{self.params}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{_escaped(self.user)}@" if self.user else ""
        port = "" if self.port is None else f":{self.port}"
        return f"sip{'s' if self.secure else ''}:{user}{host}{port}{self.params}"


def parse_uri(text: str, field: str = "uri") -> SipUri:
    """An address with its scheme. InputError names ``field``; a password and headers are refused."""
    if not 1 <= len(text) <= MAX_URI:
        raise InputError(field, f"must have 1..{MAX_URI} characters")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise InputError(field, "must be printable ASCII without spaces")
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.lower() not in ("sip", "sips"):
        raise InputError(field, "must begin with sip: or sips:")
    head, at, place = rest.rpartition("@")
    if at and not _USER.fullmatch(head):
        reason = "has a password in it" if ":" in head else f"{head[:40]!r} is not a user name"
        raise InputError(field, reason)
    if "?" in place:
        raise InputError(field, "has headers (?), which are not sent")
    where, semicolon, params = place.partition(";")
    if not _PARAMS.fullmatch(semicolon + params):
        raise InputError(field, f"{(semicolon + params)[:40]!r} are not parameters")
    host, port = _host_port(where, field)
    user = unquote(head)
    if not user.isprintable():
        raise InputError(field, "has a user name with unprintable characters")
    return SipUri(host=host, user=user, port=port, secure=scheme.lower() == "sips", params=semicolon + params)


def parse_address(text: str, domain: str = "", field: str = "sip_address") -> SipUri:
    """What a user enters: an address with or without scheme, an IP address, or an extension of ``domain``.

    An extension (``1001``) needs a domain; a single word is one too, a name with a dot is a host.
    """
    text = text.strip()
    if not text:
        raise InputError(field, "is empty")
    if text.partition(":")[0].lower() in ("sip", "sips"):
        return parse_uri(text, field)
    if "@" in text:
        return parse_uri(f"sip:{text}", field)
    if _EXTENSION.fullmatch(text):
        if text.lower() == "localhost":
            return parse_uri(f"sip:{text}", field)
        if not domain:
            raise InputError(field, f"{text[:40]!r} is an extension: it needs an account with a domain or registrar")
        return parse_uri(f"sip:{_escaped(text)}@{domain}", field)
    if _is_ipv6(text):
        text = f"[{text}]"
    return parse_uri(f"sip:{text}", field)


def parse_name_addr(text: str, field: str = "from") -> SipUri:
    """The address of a From or To header: ``"Name" <sip:...>;tag=...`` or the address alone, or a ``tel:`` number."""
    found = _NAME_ADDR.fullmatch(text)
    uri = found["uri"].strip() if found else text.strip().partition(";")[0]
    number = _TEL.fullmatch(uri) if len(uri) <= MAX_URI else None
    if number is not None:
        return SipUri(host="", user=_dialled(number[1]), params=number[2])
    return parse_uri(uri, field)


def identity(text: str, field: str = "uri") -> str:
    """Who an address or a From or To header means, ``sip:user@host`` or ``tel:number``: what rules compare. InputError.

    Port, parameters and ``sips`` say how somebody is reached, and not who it is.
    """
    uri = parse_name_addr(text, field)
    return str(SipUri(host=uri.host, user=uri.user))


def check_host(text: str, field: str, *, port: bool = True) -> str:
    """A host, and perhaps ``:port``, as it is kept. InputError."""
    text = text.strip()
    if _is_ipv6(text):
        text = f"[{text}]"
    host, number = _host_port(text, field)
    if number is not None and not port:
        raise InputError(field, "has a port, which does not belong here")
    shown = f"[{host}]" if ":" in host else host
    return shown if number is None else f"{shown}:{number}"


def host_of(address: str) -> str:
    """The host of ``address:port``, from where something came; empty if that is none."""
    try:
        return _host_port(address, "source")[0]
    except InputError:
        return ""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the access list: a caller id, a host, or both."""

    user: str = ""
    host: str = ""

    @property
    def place(self) -> bool:
        """An IP address: it means where requests come from, whatever they say of who calls."""
        return not self.user and (_NUMERIC.fullmatch(self.host) is not None or ":" in self.host)

    def matches(self, caller: SipUri) -> bool:
        """Whether a call from this address is meant. Hosts without regard to case, users exactly."""
        if not caller.host:
            return not self.host and _dialled(self.user) == caller.user
        if self.user and self.host:
            return (self.user, self.host) == (caller.user, caller.host)
        return self.user == caller.user if self.user else self.host == caller.host


def parse_source(text: str, field: str = "source") -> Source:
    """``user@host``, ``host``, an extension, with or without ``sip:``. A word without a dot is a caller id."""
    text = text.strip()
    bare = text[text.find(":") + 1 :] if text.partition(":")[0].lower() in ("sip", "sips") else text
    if bare and _USER.fullmatch(bare) and (_EXTENSION.fullmatch(bare) or ("." not in bare and ":" not in bare)):
        if bare.lower() == "localhost":
            return Source(host="localhost")
        return Source(user=unquote(bare))
    uri = parse_address(text, field=field)
    return Source(user=uri.user, host=uri.host)


def _dialled(number: str) -> str:
    """A telephone number as it is compared (RFC 3966 section 4)."""
    return number.translate(_TO_THE_EYE).upper()


def _host_port(text: str, field: str) -> tuple[str, int | None]:
    if text.startswith("["):
        inner, bracket, rest = text[1:].partition("]")
        if not bracket or not _is_ipv6(inner):
            raise InputError(field, f"{text[:60]!r} is not a host")
        return str(ipaddress.IPv6Address(inner)), _port(rest, field)
    host, colon, rest = text.partition(":")
    if not _NAME.fullmatch(host) or len(host) > 253:
        raise InputError(field, f"{host[:60]!r} is not a host name or an IP address")
    if _NUMERIC.fullmatch(host) and not _IPV4.fullmatch(host):
        raise InputError(field, f"{host[:60]!r} is not an IP address")
    return host.lower(), _port(colon + rest, field)


def _port(text: str, field: str) -> int | None:
    if not text:
        return None
    digits = text[1:]
    if text[0] != ":" or not (digits.isdigit() and len(digits) <= 5) or not 1 <= int(digits) <= 65535:
        raise InputError(field, f"{text[:12]!r} is not a port (1..65535)")
    return int(digits)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text


def _escaped(user: str) -> str:
    return quote(user, safe=_USER_SAFE)
