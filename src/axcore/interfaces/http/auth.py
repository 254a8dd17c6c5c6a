"""Who makes a request: basic (RFC 7617) and digest (RFC 7616) logins, as the authentication policy allows.

| policy | HTTP | HTTPS |
|---|---|---|
| Basic | basic | basic |
| Digest | digest | digest |
| Basic_Digest | both | both |
| Recommended | digest | both |

A password is verified with scrypt in one worker thread; what was right is remembered for a minute under an HMAC of the
credentials, so that polling stays cheap. Names that do not exist take the same time as wrong passwords.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from axcore.model.accounts import Identity, Role

from . import digest
from .errors import BadRequestError, HttpError, UnauthorizedError
from .throttle import Throttle

if TYPE_CHECKING:
    from axcore.services.accounts import AccountService

    from .context import Request

T = TypeVar("T")
CACHE_NS: Final = 60 * 1_000_000_000
MAX_CACHED: Final = 256
POLICIES: Final = ("Basic", "Digest", "Basic_Digest", "Recommended")


class Authenticator:
    """Verifies logins. ``policy`` is asked each time, so that a changed parameter works at once. Lives on the loop."""

    def __init__(
        self, accounts: AccountService, mono_ns: Callable[[], int], policy: Callable[[], str], throttle: Throttle
    ) -> None:
        self._accounts = accounts
        self._mono_ns = mono_ns
        self._policy = policy
        self._throttle = throttle
        self._nonces = digest.Nonces(mono_ns)
        self._key = secrets.token_bytes(32)
        self._cache: OrderedDict[bytes, tuple[str, int]] = OrderedDict()
        self._generation = -1
        self._running: dict[bytes, asyncio.Future[Role | None]] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="password")

    def close(self) -> None:
        """End the worker thread; a verification that runs is waited for (tens of milliseconds)."""
        self._worker.shutdown(cancel_futures=True)

    async def slow(self, work: Callable[[], T]) -> T:
        """Run password work (16 MiB, tens of milliseconds) in the one thread for it."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    # --- challenges --------------------------------------------------------------------------------------------------

    def schemes(self, *, secure: bool) -> tuple[str, ...]:
        """The schemes that are accepted over this kind of connection, strongest first."""
        policy = self._policy()
        if policy == "Basic":
            return ("basic",)
        if policy == "Basic_Digest" or (policy == "Recommended" and secure):
            return ("digest", "basic")
        return ("digest",)

    def challenges(self, *, secure: bool, stale: bool = False) -> list[str]:
        """The WWW-Authenticate values of a 401."""
        realm, values = self._accounts.realm, []
        for scheme in self.schemes(secure=secure):
            if scheme == "digest":
                nonce = self._nonces.make()
                values += [digest.challenge(realm, nonce, algorithm, stale=stale) for algorithm in digest.ALGORITHMS]
            else:
                values.append(f'Basic realm="{realm}"')
        return values

    # --- logins ------------------------------------------------------------------------------------------------------

    async def identify(self, request: Request, *, secure: bool) -> Identity | None:
        """Who sent ``request``; None without credentials.

        Raises UnauthorizedError (wrong, or a scheme that is not accepted), BadRequestError, and HttpError 429 while the
        address is blocked: then nothing is evaluated, right or wrong.
        """
        headers = request.headers.getall("Authorization", None)
        if not headers:
            return None
        if len(headers) > 1:
            raise BadRequestError("more than one Authorization header")
        scheme, _, rest = headers[0].strip().partition(" ")
        scheme = scheme.lower()
        if scheme not in self.schemes(secure=secure):
            raise UnauthorizedError
        address = request.remote or ""
        wait = self._throttle.blocked(address)
        if wait:
            raise HttpError(429, "Too many failed logins; wait.", headers={"Retry-After": str(wait)})
        if scheme == "basic":
            name = await self._basic(rest.strip(), address)
        else:
            name = self._digest(request, rest, address)
        account = self._accounts.get(name)
        if account is None:
            raise UnauthorizedError
        return Identity(name=name, role=account.role, address=address)

    async def identify_rtsp(self, header: str, method: str, nonce: str, address: str) -> tuple[Identity, str]:
        """Who sent an RTSP request, and the uri of the digest ("" for a basic login); shares the throttle with HTTP.

        ``nonce`` is the only one of its connection, so that nothing can be replayed on another one. Raises as
        ``identify`` does.
        """
        scheme, _, rest = header.strip().partition(" ")
        scheme = scheme.lower()
        if scheme not in self.schemes(secure=False):
            raise UnauthorizedError
        wait = self._throttle.blocked(address)
        if wait:
            raise HttpError(429, "Too many failed logins; wait.", headers={"Retry-After": str(wait)})
        uri = ""
        if scheme == "basic":
            name = await self._basic(rest.strip(), address)
        else:
            name, uri = self._digest_without_qop(rest, method, nonce, address)
        account = self._accounts.get(name)
        if account is None:
            raise UnauthorizedError
        return Identity(name=name, role=account.role, address=address), uri

    def _digest_without_qop(self, text: str, method: str, nonce: str, address: str) -> tuple[str, str]:
        try:
            fields = digest.parse_credentials(text)
        except ValueError as error:
            raise BadRequestError(str(error)) from None
        if not all(fields.get(name) for name in ("username", "realm", "nonce", "uri", "response")):
            raise UnauthorizedError
        if digest.algorithm_of(fields) != "MD5" or fields["realm"] != self._accounts.realm:
            raise UnauthorizedError
        name = fields["username"]
        expected = digest.response_without_qop(self._accounts.ha1(name, "MD5"), method, fields)
        right = hmac.compare_digest(expected.encode(), fields["response"].lower().encode("utf-8", "replace"))
        if not right or self._accounts.get(name) is None:
            self._throttle.failed(address)
            raise UnauthorizedError
        if not hmac.compare_digest(fields["nonce"].encode("utf-8", "replace"), nonce.encode()):
            raise UnauthorizedError(stale=True)
        self._throttle.passed(address)
        return name, fields["uri"]

    async def _basic(self, encoded: str, address: str) -> str:
        try:
            name, colon, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            raise BadRequestError("Basic credentials are base64 of UTF-8 name:password") from None
        if not colon:
            raise BadRequestError("Basic credentials are name:password")
        key = hmac.digest(self._key, encoded.encode("ascii", "replace"), "sha256")
        if self._generation != self._accounts.generation:
            self._generation = self._accounts.generation
            self._cache.clear()
        cached = self._cache.get(key)
        if cached is not None and self._mono_ns() < cached[1]:
            return cached[0]
        if await self._verify(key, name, password, address) is None:
            raise UnauthorizedError
        return name

    async def _verify(self, key: bytes, name: str, password: str, address: str) -> Role | None:
        running = self._running.get(key)
        if running is not None:
            return await asyncio.shield(running)
        generation = self._accounts.generation
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._worker, self._accounts.verify_basic, name, password)
        self._running[key] = running
        self._throttle.begin(address)
        running.add_done_callback(lambda done: self._verified(key, name, address, generation, done))
        return await asyncio.shield(running)

    def _verified(
        self, key: bytes, name: str, address: str, generation: int, done: asyncio.Future[Role | None]
    ) -> None:
        self._running.pop(key, None)
        self._throttle.end(address)
        if done.cancelled() or done.exception() is not None:
            return
        if done.result() is None:
            self._throttle.failed(address)
            return
        self._throttle.passed(address)
        if generation == self._accounts.generation == self._generation:
            self._cache[key] = (name, self._mono_ns() + CACHE_NS)
            while len(self._cache) > MAX_CACHED:
                self._cache.popitem(last=False)

    def _digest(self, request: Request, text: str, address: str) -> str:
        try:
            fields = digest.parse_credentials(text)
        except ValueError as error:
            raise BadRequestError(str(error)) from None
        algorithm = digest.algorithm_of(fields)
        if algorithm is None or not digest.well_formed(fields) or fields["realm"] != self._accounts.realm:
            raise UnauthorizedError
        if fields["uri"] != request.raw_target:
            raise BadRequestError("the uri of the digest is not that of the request")
        name = fields["username"]
        expected = digest.response(algorithm, self._accounts.ha1(name, algorithm), request.method, fields)
        right = hmac.compare_digest(expected.encode(), fields["response"].lower().encode("utf-8", "replace"))
        if not right or self._accounts.get(name) is None:
            self._throttle.failed(address)
            raise UnauthorizedError
        if not self._nonces.fresh(fields["nonce"]) or not self._nonces.use(fields["nonce"], int(fields["nc"], 16)):
            raise UnauthorizedError(stale=True)
        self._throttle.passed(address)
        return name
