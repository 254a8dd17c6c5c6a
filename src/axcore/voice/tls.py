"""TLS 1.2 and 1.3 for SIP (RFC 3261 section 26, RFC 5922): contexts out of settings. 1.0 and 1.1 are never spoken."""

from __future__ import annotations

import os
import ssl
from typing import Final

from axcore.model.voice import TlsSettings, TlsVersion

_VERSIONS: Final[dict[TlsVersion, tuple[ssl.TLSVersion, ssl.TLSVersion]]] = {
    "auto": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED),
    "1.2": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
    "1.3": (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3),
}


def client(settings: TlsSettings) -> ssl.SSLContext:
    """For who calls. ssl.SSLError: certificates cannot be used; ValueError: this library has no such version."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    _prepare(context, settings, ssl.Purpose.SERVER_AUTH)
    return context


def server(settings: TlsSettings) -> ssl.SSLContext:
    """For who is called. Errors as above."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if settings.verify:
        context.verify_mode = ssl.CERT_REQUIRED
    _prepare(context, settings, ssl.Purpose.CLIENT_AUTH)
    return context


def _prepare(context: ssl.SSLContext, settings: TlsSettings, purpose: ssl.Purpose) -> None:
    context.minimum_version, context.maximum_version = _VERSIONS[settings.version]
    if settings.verify and settings.ca:
        context.load_verify_locations(cadata=settings.ca)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a self-signed certificate is its own authority
    elif settings.verify:
        context.load_default_certs(purpose)
    if settings.certificate:
        _load_chain(context, settings.certificate)


def _load_chain(context: ssl.SSLContext, pem: str) -> None:
    """``load_cert_chain`` takes files only: one in memory, that nobody else can open."""
    number = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(number, pem.encode())
        context.load_cert_chain(f"/proc/self/fd/{number}")
    finally:
        os.close(number)
