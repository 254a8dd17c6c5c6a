"""What is kept of a password: a scrypt hash (RFC 7914) and one HA1 per digest algorithm (RFC 7616).

An HA1 is as good as the password for digest logins to this realm, so the store that holds it is readable by its owner
only. scrypt with N = 2**14, r = 8, p = 1 takes 16 MiB and tens of milliseconds: call ``derive`` and ``verify`` in a
worker thread, never on the loop or the ledger thread. hashlib releases the GIL meanwhile.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

import msgspec

LOG_N, R, P = 14, 8, 1
_MAXMEM = 128 * R * (1 << LOG_N) * 2


class Secrets(msgspec.Struct, frozen=True):
    """What is derived from one password, for one account name and realm."""

    scrypt: str
    ha1_md5: str
    ha1_sha256: str

    def __repr__(self) -> str:
        return "Secrets(...)"


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << LOG_N, r=R, p=P, maxmem=_MAXMEM, dklen=32)


def derive(realm: str, name: str, password: str) -> Secrets:
    """The secrets of a new password (slow: worker thread)."""
    salt = secrets.token_bytes(16)
    encoded = (base64.b64encode(part).decode() for part in (salt, _scrypt(password, salt)))
    a1 = f"{name}:{realm}:{password}".encode()
    return Secrets(
        scrypt="$".join(("scrypt", str(LOG_N), str(R), str(P), *encoded)),
        ha1_md5=hashlib.md5(a1, usedforsecurity=False).hexdigest(),
        ha1_sha256=hashlib.sha256(a1).hexdigest(),
    )


def verify(stored: str, password: str) -> bool:
    """Whether ``password`` is the one behind a stored scrypt hash (slow: worker thread). Constant time in the hash."""
    _, log_n, r, p, salt, expected = stored.split("$")
    n = 1 << int(log_n)
    found = hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=base64.b64decode(salt),
        n=n,
        r=int(r),
        p=int(p),
        maxmem=256 * int(r) * n,
        dklen=32,
    )
    return hmac.compare_digest(found, base64.b64decode(expected))


NOBODY = Secrets(
    scrypt=f"scrypt${LOG_N}${R}${P}${base64.b64encode(bytes(16)).decode()}${base64.b64encode(bytes(32)).decode()}",
    ha1_md5="0" * 32,
    ha1_sha256="0" * 64,
)
"""Verified in place of an account that does not exist, so that time does not tell which names do. No password fits."""
