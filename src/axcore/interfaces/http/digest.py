"""HTTP digest access authentication, server side (RFC 7616): MD5 and SHA-256, qop=auth.

Nonces carry their time and an HMAC, so that none is stored until somebody proves to know a password with it. From
then on its request counters (nc) are remembered in a window, so that a request cannot be replayed; parallel
connections may use them out of order. When the bounded memory forgets a nonce, all nonces as old as that one are
stale.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, Literal

Algorithm = Literal["MD5", "SHA-256"]
ALGORITHMS: Final[tuple[Algorithm, ...]] = ("MD5", "SHA-256")
"""Order of the challenges: clients that take the first one they see know MD5."""
NONCE_SECONDS: Final = 300
MAX_NONCES: Final = 2048
WINDOW: Final = 128
"""How far behind the highest one a request counter may come in."""

_TOKEN = "[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_PARAM = re.compile(rf'\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))\s*(?:,|$)')
_ESCAPE = re.compile(r"\\(.)")
_NC = re.compile(r"[0-9a-fA-F]{8}", re.ASCII)


def parse_credentials(text: str) -> dict[str, str]:
    """The parameters after ``Digest``: tokens and quoted strings (which may hold commas). Raises ValueError."""
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _PARAM.match(text, position)
        if match is None:
            raise ValueError("digest parameters are not well-formed")
        name = match[1].lower()
        if name in found:
            raise ValueError(f"digest parameter {name} is there twice")
        found[name] = _ESCAPE.sub(r"\1", match[2]) if match[2] is not None else match[3]
        position = match.end()
    return found


def digest_hash(algorithm: Algorithm, text: str) -> str:
    """Hex hash of a text, with the algorithm of the challenge."""
    data = text.encode("utf-8", "surrogateescape")
    if algorithm == "MD5":
        return hashlib.md5(data, usedforsecurity=False).hexdigest()
    return hashlib.sha256(data).hexdigest()


def response(algorithm: Algorithm, ha1: str, method: str, fields: Mapping[str, str]) -> str:
    """The response that fits (RFC 7616, section 3.4.1) for qop=auth. ``fields``: uri, nonce, nc, cnonce."""
    ha2 = digest_hash(algorithm, f"{method}:{fields['uri']}")
    middle = f"{fields['nonce']}:{fields['nc']}:{fields['cnonce']}:auth"
    return digest_hash(algorithm, f"{ha1}:{middle}:{ha2}")


def response_without_qop(ha1: str, method: str, fields: Mapping[str, str]) -> str:
    """The MD5 response of a client that was offered no qop (RFC 2069): as RTSP clients do. ``fields``: uri, nonce."""
    ha2 = digest_hash("MD5", f"{method}:{fields['uri']}")
    return digest_hash("MD5", f"{ha1}:{fields['nonce']}:{ha2}")


def algorithm_of(fields: Mapping[str, str]) -> Algorithm | None:
    """The algorithm that a client chose; MD5 if it names none; None if this server does not offer it."""
    name = fields.get("algorithm", "MD5").upper()
    return name if name in ALGORITHMS else None


def well_formed(fields: Mapping[str, str]) -> bool:
    """All parameters that qop=auth needs are there and have their form."""
    needed = ("username", "realm", "nonce", "uri", "response", "cnonce", "nc", "qop")
    return all(fields.get(name) for name in needed) and fields["qop"] == "auth" and bool(_NC.fullmatch(fields["nc"]))


class Nonces:
    """Makes nonces and remembers the request counters used with them. Not thread-safe: belongs to the loop."""

    def __init__(self, mono_ns: Callable[[], int]) -> None:
        self._mono_ns = mono_ns
        self._key = secrets.token_bytes(32)
        self._used: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._stale_before = 0

    def make(self) -> str:
        """A nonce that was never given before."""
        return self._sign(f"{self._mono_ns() // 1_000_000:012x}{secrets.token_hex(8)}")

    def _sign(self, text: str) -> str:
        return text + hmac.digest(self._key, text.encode(), "sha256").hex()[:24]

    def fresh(self, nonce: str) -> bool:
        """The nonce is ours and young enough."""
        if not nonce.isascii() or len(nonce) != 52 or not hmac.compare_digest(self._sign(nonce[:28]), nonce):
            return False
        made = int(nonce[:12], 16)
        age = self._mono_ns() // 1_000_000 - made
        return age <= NONCE_SECONDS * 1000 and (made > self._stale_before or nonce in self._used)

    def use(self, nonce: str, nc: int) -> bool:
        """Note that a right response came with this counter; False if it came before (a replay) or is too old."""
        highest, seen = self._used.get(nonce, (0, 0))
        if nc > highest:
            highest, seen = nc, (seen << (nc - highest) | 1) & ((1 << WINDOW) - 1) if nc - highest < WINDOW else 1
        else:
            behind = highest - nc
            if nc == 0 or behind >= WINDOW or seen >> behind & 1:
                return False
            seen |= 1 << behind
        self._used[nonce] = (highest, seen)
        self._used.move_to_end(nonce)
        while len(self._used) > MAX_NONCES:
            old, _ = self._used.popitem(last=False)
            self._stale_before = max(self._stale_before, int(old[:12], 16))
        return True


def challenge(realm: str, nonce: str, algorithm: Algorithm, *, stale: bool) -> str:
    """A WWW-Authenticate value. Realm first, nonce second: there are clients that count on it."""
    flag = "TRUE" if stale else "FALSE"
    return f'Digest realm="{realm}", nonce="{nonce}", algorithm={algorithm}, stale={flag}, qop="auth"'


def challenge_without_qop(realm: str, nonce: str, *, stale: bool) -> str:
    """A WWW-Authenticate value for RTSP: realm, nonce, and stale at the end, which clients cut out of the line."""
    return f'Digest realm="{realm}", nonce="{nonce}", stale={"TRUE" if stale else "FALSE"}'
