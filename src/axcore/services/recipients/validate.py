"""Whether a target can be: addresses, ports, fingerprints, names. Errors name the field below ``target``."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from axcore.errors import InputError
from axcore.model.recipients import (
    MAX_NAME,
    EmailTarget,
    HttpsTarget,
    HttpTarget,
    NetworkShareTarget,
    Proxy,
    RecipientSpec,
    SftpTarget,
    Target,
)

MAX_TEXT = 255
MAX_URL = 2048
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:_-]*[A-Za-z0-9])?|[A-Fa-f0-9:.]+(?:%[A-Za-z0-9]+)?")
_EMAIL = re.compile(r"[^@\s,<>\x00-\x1f\x7f]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_MD5 = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){15}")
_SHA256 = re.compile(r"[A-Za-z0-9+/]{43}=?")


def check_spec(spec: RecipientSpec) -> None:
    """InputError for a name or a target that cannot be."""
    name = spec.name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InputError("name", f"must be 1..{MAX_NAME} printable characters")
    try:
        check_target(spec.target)
    except InputError as error:
        raise InputError(f"target.{error.field}", error.reason) from None


def check_target(target: Target) -> None:
    """InputError for a field that cannot be."""
    if isinstance(target, HttpTarget | HttpsTarget):
        check_url(target.url, "https" if isinstance(target, HttpsTarget) else "http")
        if target.proxy is not None:
            _check_host(target.proxy, "proxy.")
            _check_texts(target.proxy, ("username", "password"), "proxy.")
    else:
        _check_host(target)
    _check_texts(target, ("username", "password", "folder", "share", "pop_host"))
    if isinstance(target, SftpTarget):
        _check_fingerprints(target)
    elif isinstance(target, NetworkShareTarget):
        if not target.share.strip("/\\"):
            raise InputError("share", "names the share on the host")
    elif isinstance(target, EmailTarget):
        check_addresses("send_to", target.send_to, most=20)
        check_addresses("send_from", target.send_from, most=1)
        if target.pop_host and not _HOST.fullmatch(target.pop_host):
            raise InputError("pop_host", "must be a host name or an IP address")
    folder = getattr(target, "folder", "")
    if any(part == ".." for part in re.split(r"[/\\]", folder)):
        raise InputError("folder", "must not lead upwards (..)")


def check_url(url: str, scheme: str) -> None:
    """InputError unless ``url`` is one of ``scheme`` with a host and without a login in it."""
    if not url or len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise InputError("url", f"must be an address of 1..{MAX_URL} ASCII characters without spaces")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InputError("url", f"is not an address: {error}") from None
    if parts.scheme != scheme:
        raise InputError("url", f"must begin with {scheme}://")
    if not parts.hostname or not _HOST.fullmatch(parts.hostname) or port == 0:
        raise InputError("url", "has no host, or a port that cannot be")
    if "@" in parts.netloc:
        raise InputError("url", "has a login in it: use username and password")
    if parts.fragment:
        raise InputError("url", "has a fragment (#), which is never sent")


def check_addresses(field: str, text: str, *, most: int) -> tuple[str, ...]:
    """Email addresses with commas between them."""
    found = tuple(part.strip() for part in text.split(","))
    for address in found:
        if len(address) > MAX_TEXT - 1 or not _EMAIL.fullmatch(address):
            raise InputError(field, f"{address[:60]!r} is not an email address")
    if len(found) > most:
        raise InputError(field, f"has {len(found)} addresses; at most {most}")
    return found


def _check_host(target: Target | Proxy, prefix: str = "") -> None:
    host, port = getattr(target, "host", ""), getattr(target, "port", 1)
    if not host or len(host) > MAX_TEXT or not _HOST.fullmatch(host):
        raise InputError(f"{prefix}host", "must be a host name or an IP address")
    if not 1 <= port <= 65535:
        raise InputError(f"{prefix}port", "must be 1..65535")


def _check_texts(target: Any, fields: tuple[str, ...], prefix: str = "") -> None:
    for field in fields:
        text = getattr(target, field, "")
        if len(text) > MAX_TEXT or (text and not text.isprintable()):
            raise InputError(f"{prefix}{field}", f"must be at most {MAX_TEXT} printable characters")


def _check_fingerprints(target: SftpTarget) -> None:
    if not target.host_key_md5 and not target.host_key_sha256:
        raise InputError("host_key_sha256", "the fingerprint of the server's key is needed, SHA-256 or MD5")
    if target.host_key_md5 and not _MD5.fullmatch(target.host_key_md5):
        raise InputError("host_key_md5", "must be 32 hexadecimal digits")
    if target.host_key_sha256 and not _SHA256.fullmatch(target.host_key_sha256.removeprefix("SHA256:")):
        raise InputError("host_key_sha256", "must be 43 characters of base64")
