"""Certificates by alias: CA certificates, and client certificates with their private keys.

Kept as records, so that a factory default erases them. Keys are never given back. ``context`` makes what TLS clients of
the device need. Methods that take ``tx`` are jobs of the ledger thread, the rest may be called from any.
"""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

import msgspec

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError
from axcore.services.users import Users, refuse_if_used

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from axcore.runtime.ledger import Transaction

KIND = "certificate"
MAX_CERTIFICATES = 64
MAX_ALIAS = 64
MAX_PEM = 32_768
"""Octets of a certificate (with its chain) or key."""
MAX_CHAIN = 8


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A record."""

    alias: str
    certificate: str
    """PEM, the certificate first, then its chain."""
    key: str = ""
    """PEM without a passphrase; empty = somebody else's certificate."""


class CertificateInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What can be read of a certificate."""

    alias: str
    subject: str
    issuer: str
    not_after: str
    """RFC 3339, UTC."""
    has_key: bool
    certificate: str


class CertificateStore:
    """See the module's text."""

    def __init__(self) -> None:
        self._stored: dict[str, Stored] = {}
        self.users = Users[str]()
        """Asked by alias before a certificate is removed."""

    def load(self, tx: Transaction) -> None:
        """Read the stored certificates."""
        found = [msgspec.json.decode(value, type=Stored) for _, value in tx.items(KIND)]
        self._stored = {each.alias: each for each in found}

    def has(self, alias: str, with_key: bool = False) -> bool:
        """Whether there is a certificate of this name (and its key)."""
        found = self._stored.get(alias)
        return found is not None and (bool(found.key) or not with_key)

    def pem(self, alias: str, *, with_key: bool = False) -> str:
        """A certificate with its chain, after its key if that is asked for: for the device's own TLS. NotFoundError."""
        found = self._find(alias)
        return f"{found.key}\n{found.certificate}" if with_key else found.certificate

    def certificates(self) -> tuple[CertificateInfo, ...]:
        """All of them, by alias."""
        return tuple(_info(self._stored[alias]) for alias in sorted(self._stored))

    def add(self, tx: Transaction, alias: str, certificate: str, key: str = "") -> CertificateInfo:
        """Keep a certificate (PEM), with its private key if it is our own. InputError names the field."""
        if not 1 <= len(alias) <= MAX_ALIAS or not alias.isprintable():
            raise InputError("alias", f"must be 1..{MAX_ALIAS} printable characters")
        if alias in self._stored:
            raise ConflictError("alias", "is taken; remove the certificate first")
        if len(self._stored) >= MAX_CERTIFICATES:
            raise LimitError("alias", f"there are {MAX_CERTIFICATES} certificates already; remove one first")
        chain = _certificates(certificate)
        if key:
            _check_key(key, chain[0])
        stored = Stored(alias=alias, certificate=certificate, key=key)
        tx.put(KIND, alias, msgspec.json.encode(stored))
        tx.assign(self, "_stored", {**self._stored, alias: stored})
        return _info(stored)

    def remove(self, tx: Transaction, alias: str) -> None:
        """Forget a certificate. NotFoundError; ConflictError names who uses it."""
        if alias not in self._stored:
            raise NotFoundError("alias", f"there is no certificate {alias[:MAX_ALIAS]!r}")
        refuse_if_used("alias", f"the certificate {alias!r}", self.users.of(alias))
        tx.delete(KIND, alias)
        tx.assign(self, "_stored", {name: each for name, each in self._stored.items() if name != alias})

    def context(self, *, verify: bool, ca: str = "", client: str = "", alpn: str = "") -> ssl.SSLContext:
        """What a TLS client needs (TLS 1.2 or newer). ``ca`` and ``client`` are aliases. Raises NotFoundError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif ca:
            context.load_verify_locations(cadata=self._find(ca).certificate)
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a self-signed server certificate is its own CA
        else:
            context.load_default_certs()
        if client:
            _load_chain(context, self._find(client))
        if alpn:
            context.set_alpn_protocols([alpn])
        return context

    def _find(self, alias: str) -> Stored:
        try:
            return self._stored[alias]
        except KeyError:
            raise NotFoundError("alias", f"there is no certificate {alias!r} any more") from None


def _certificates(text: str) -> list[Certificate]:
    from cryptography import x509

    if len(text) > MAX_PEM:
        raise InputError("certificate", f"must be at most {MAX_PEM} characters")
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except (ValueError, UnicodeEncodeError):
        raise InputError("certificate", "must be one or more certificates in PEM form") from None
    if len(found) > MAX_CHAIN:
        raise InputError("certificate", f"must be at most {MAX_CHAIN} certificates")
    return found


def _check_key(text: str, certificate: Certificate) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    if len(text) > MAX_PEM:
        raise InputError("key", f"must be at most {MAX_PEM} characters")
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm, UnicodeEncodeError):
        raise InputError("key", "must be a private key in PEM form without a passphrase") from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != certificate.public_key().public_bytes(*form):
        raise InputError("key", "does not belong to the certificate")


def _load_chain(context: ssl.SSLContext, stored: Stored) -> None:
    """``load_cert_chain`` takes files only: one in memory, that nobody else can open."""
    number = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(number, f"{stored.key}\n{stored.certificate}".encode())
        context.load_cert_chain(f"/proc/self/fd/{number}")
    finally:
        os.close(number)


def _info(stored: Stored) -> CertificateInfo:
    first = _certificates(stored.certificate)[0]
    return CertificateInfo(
        alias=stored.alias,
        subject=first.subject.rfc4514_string(),
        issuer=first.issuer.rfc4514_string(),
        not_after=first.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        has_key=bool(stored.key),
        certificate=stored.certificate,
    )
