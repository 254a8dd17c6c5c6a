"""A device with its real HTTP server, but a ledger in memory and virtual time: for tests of handlers and of clients.

>>> async with HttpDevice(data_dir) as device:
...     device.add_account("root", "pass", Role.ADMIN)
...     reply = await device.request("GET", "/axis-cgi/usergroup.cgi", user="root", password="pass")
"""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import aiohttp

from axcore.interfaces.http.connection import ConnectionLimits
from axcore.interfaces.http.context import Context
from axcore.interfaces.http.routes import RouteTable
from axcore.interfaces.http.server import HttpOptions, HttpServer
from axcore.interfaces.http.tls import FILE, self_signed
from axcore.model.accounts import Role
from axcore.services import time as zones
from axcore.services.accounts import AccountService, Secrets, derive
from axcore.services.params import STREAM_PROFILES, ParamService, Source, brand, network, properties, settings
from axcore.services.system import ResetMode, SystemService
from axcore.testing.memory import MemoryLedger


@lru_cache(1)
def _certificate() -> bytes:
    return self_signed("axcore test")


@lru_cache(1)
def _trust() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(64)
def _secrets(realm: str, name: str, password: str) -> Secrets:
    return derive(realm, name, password)


@dataclass(frozen=True)
class Product:
    """A device model by name only."""

    id: str = "a8207-ve"
    prod_nbr: str = "A8207-VE"
    prod_full_name: str = "AXIS A8207-VE Network Video Door Station"
    prod_short_name: str = "AXIS A8207-VE"
    prod_type: str = "Network Video Door Station"


@dataclass
class Wishes:
    """A lifecycle that only notes what was asked for."""

    restarts: int = 0
    resets: list[ResetMode] = field(default_factory=list)

    def restart(self) -> None:
        self.restarts += 1

    def factory_default(self, mode: ResetMode) -> None:
        self.resets.append(mode)


@dataclass(frozen=True)
class Reply:
    """A response with its body read."""

    status: int
    headers: Any
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class HttpDevice:
    """``ctx`` and ``server`` of a small device; both protocols on free ports of 127.0.0.1."""

    def __init__(
        self,
        data_dir: Path,
        *,
        routes: RouteTable | None = None,
        sources: tuple[Source, ...] = (),
        limits: ConnectionLimits | None = None,
        **services: Any,
    ) -> None:
        self.data_dir = data_dir
        self.ledger = MemoryLedger()
        self.clock = self.ledger.virtual_clock
        self.wishes = Wishes()
        self.system = SystemService(Product(), self.clock.mono_ns, self.wishes)
        self.accounts = AccountService(lambda: self.system.realm)
        own = (brand(self.system), properties(self.system), network(self.system, lambda: self.server.urls))
        self.params = ParamService(settings(zones.check_zone), (*own, *sources), (STREAM_PROFILES,))
        self.ledger.load(self.system.load, self.accounts.load, self.params.load)
        self.ctx = Context(
            ledger=self.ledger,
            clock=self.clock,
            accounts=self.accounts,
            params=self.params,
            system=self.system,
            bus=self.ledger.bus,
            **services,
        )
        options = HttpOptions(data_dir=data_dir, http_port=0, https_port=0, limits=limits or ConnectionLimits())
        self.server = HttpServer(self.ctx, options, routes)

    async def __aenter__(self) -> HttpDevice:
        """Start the server; with a certificate that all devices of this process share unless ``data_dir`` has one."""
        certificate = self.data_dir / FILE
        if not certificate.exists():
            certificate.write_bytes(_certificate())
        await self.server.start()
        self.system.ready = True
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.server.stop()

    @property
    def https(self) -> str:
        """Base address over TLS."""
        return self.server.urls[0]

    @property
    def http(self) -> str:
        """Base address in clear."""
        return self.server.urls[1]

    def add_account(self, name: str, password: str, role: Role = Role.ADMIN, *, ptz: bool = False) -> None:
        """Create an account directly."""
        secrets = _secrets(self.accounts.realm, name, password)

        def job(tx: Any) -> None:
            self.accounts.add(tx, name, secrets, role, ptz=ptz)

        self.ledger.do(job)

    async def request(
        self,
        method: str,
        path: str,
        *,
        user: str | None = None,
        password: str = "pass",
        digest: bool = False,
        secure: bool = True,
        **options: Any,
    ) -> Reply:
        """One request on a connection of its own, with a basic or digest login if ``user`` is given."""
        headers = dict(options.pop("headers", {}))
        middlewares: tuple[Any, ...] = ()
        if user is not None and digest:
            middlewares = (aiohttp.DigestAuthMiddleware(user, password),)
        elif user is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        base = self.https if secure else self.http
        connector = aiohttp.TCPConnector(ssl=_trust(), force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector, middlewares=middlewares) as session,
            session.request(method, base + path, headers=headers, **options) as response,
        ):
            return Reply(response.status, response.headers, await response.read())
