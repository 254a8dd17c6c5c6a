"""The HTTP and HTTPS server: connections with limits, sound framing, login, dispatch by the one table of routes.

Built on aiohttp's low-level server (no router, no middleware stack) and its llhttp parser. A request is served only
when its head passed ``framing.check`` and its whole body has come; then the order is: route, set-up gate, origin,
login, role, handler. Lives on the loop; ``start`` and ``stop`` bracket its life.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from aiohttp import http_parser, web

from axcore.errors import ConflictError, InputError, NotFoundError, QueueFullError, StoreError
from axcore.interfaces.soap.envelope import content_type, http_fault
from axcore.interfaces.soap.names import SOAP12

from . import framing
from .auth import Authenticator
from .connection import ConnectionLimits, ConnectionServer
from .context import ANONYMOUS, HEADERS, Context, Request
from .errors import HttpError, UnauthorizedError
from .rest.envelope import CODES
from .routes import MAX_BODY, Route, RouteTable, collect
from .throttle import Limits, Throttle
from .tls import server_context

log = logging.getLogger(__name__)

DISCARD: Final = 256 * 1024
"""Octets of a body that is too large which are taken before the connection ends (or twice what the route takes) ..."""
DISCARD_TIMEOUT: Final = 2.0
"""... and the seconds that they get."""
SOAP_PATHS: Final = ("/vapix/services", "/onvif/")
SETUP_TEXT: Final = "Error: initial admin user must be created first."


@dataclass(frozen=True, kw_only=True)
class HttpOptions:
    """Where to listen and what to bear. A port of 0 takes any free one, None turns that listener off."""

    data_dir: Path
    """Holds the certificate and its key."""
    host: str = "127.0.0.1"
    http_port: int | None = 8080
    https_port: int | None = 8443
    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    body_timeout: float = 20.0
    """Seconds for a whole request body."""
    stop_timeout: float = 2.0
    """Seconds that requests under way get when the server stops, and as much again to be cancelled."""


class HttpServer:
    """The network face of a device. ``ctx.routes`` is set here; ``routes`` replaces the collected table in tests."""

    def __init__(self, ctx: Context, options: HttpOptions, routes: RouteTable | None = None) -> None:
        if not hasattr(http_parser, "HttpRequestParserC"):
            raise RuntimeError("aiohttp was built without its C parser; the Python one is not strict enough")
        self._ctx = ctx
        self._options = options
        if routes is None:
            routes = collect(exclude=absent(ctx))
        self._routes = ctx.routes = routes
        throttle = Throttle(ctx.clock.mono_ns, self._limits)
        self.auth = ctx.auth = Authenticator(ctx.accounts, ctx.clock.mono_ns, self._policy, throttle)
        self._servers: list[asyncio.Server] = []
        self._connections: ConnectionServer | None = None
        self.urls: tuple[str, ...] = ()
        """Base addresses, HTTPS first, once started."""
        self.requests = 0

    # --- life --------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bind the ports. Raises OSError (address in use), ssl.SSLError (damaged certificate file)."""
        loop = asyncio.get_running_loop()
        self._connections = ConnectionServer(self.serve, self._options.limits, loop)
        urls = []
        try:
            if self._options.https_port is not None:
                name = self._ctx.system.serial or "axcore"
                context = await asyncio.to_thread(server_context, self._options.data_dir, name)
                urls.append("https://" + await self._listen(self._options.https_port, context))
            if self._options.http_port is not None:
                urls.append("http://" + await self._listen(self._options.http_port, None))
        except BaseException:
            await self.stop()
            raise
        self.urls = tuple(urls)

    async def _listen(self, port: int, context: ssl.SSLContext | None) -> str:
        assert self._connections is not None
        extra: dict[str, Any] = {"ssl_handshake_timeout": 10.0, "ssl_shutdown_timeout": 1.0} if context else {}
        loop, host = asyncio.get_running_loop(), self._options.host
        server = await loop.create_server(self._connections, host, port, ssl=context, backlog=256, **extra)
        self._servers.append(server)
        bound = server.sockets[0].getsockname()
        return f"[{bound[0]}]:{bound[1]}" if ":" in bound[0] else f"{bound[0]}:{bound[1]}"

    async def stop(self) -> None:
        """Close the ports, let requests under way end (``stop_timeout``), then end every connection."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        for stream in tuple(self._ctx.streams):
            stream.close()
        if self._connections is not None:
            self._connections.pre_shutdown()
            await self._connections.shutdown(self._options.stop_timeout)
            self._connections = None
        self.auth.close()

    def _policy(self) -> str:
        return self._ctx.params.text("Network.HTTP.AuthenticationPolicy")

    def _limits(self) -> Limits:
        params = self._ctx.params
        group = "System.PreventDoSAttack"
        return Limits(
            active=params.flag(f"{group}.ActivatePasswordThrottling"),
            period=params.number(f"{group}.DoSBlockingPeriod"),
            page_count=params.number(f"{group}.DoSPageCount"),
            page_interval=params.number(f"{group}.DoSPageInterval"),
            site_count=params.number(f"{group}.DoSSiteCount"),
            site_interval=params.number(f"{group}.DoSSiteInterval"),
        )

    # --- one request -------------------------------------------------------------------------------------------------

    async def serve(self, request: Request) -> web.StreamResponse:
        """Answer one request; no exception but cancellation and a lost connection leaves here."""
        self.requests += 1
        try:
            response = await self._answer(request)
        except HttpError as error:
            response = self._refusal(request, error)
        except framing.FramingError as error:
            response = self._refusal(request, HttpError(error.status, error.reason, close=True))
        except InputError as error:
            response = self._refusal(request, HttpError(_status(error), f"Error: {error}"))
        except (asyncio.CancelledError, ConnectionError):
            raise
        except (StoreError, QueueFullError) as error:
            log.error("%s %s: %s", request.method, request.path, error)
            response = self._refusal(request, HttpError(503, "Service Unavailable", headers={"Retry-After": "1"}))
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            response = self._refusal(request, HttpError(500, "Internal Server Error"))
        if not response.prepared:
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    async def _answer(self, request: Request) -> web.StreamResponse:
        framing.check(request.message)
        path = framing.path_of(request.raw_target)
        match = self._routes.find(request.method, path)
        route = match.route
        if route is None or not route.endless:
            await self._read_body(request, route.max_body if route else MAX_BODY)
        if route is None:
            if not match.allowed:
                raise HttpError(404, "Not Found")
            allowed = [*match.allowed, "HEAD"] if "GET" in match.allowed else match.allowed
            raise HttpError(405, "Method Not Allowed", headers={"Allow": ", ".join(allowed)})
        request.route, request.path_params = route, match.params
        if self._ctx.accounts.needs_setup:
            if not route.before_setup:
                raise UnauthorizedError(SETUP_TEXT)
            request.identity = ANONYMOUS
        else:
            identity = await self.auth.identify(request, secure=request.secure)
            if identity is None and route.login is not None:
                identity = route.login(request, self._ctx)
            request.identity = identity or ANONYMOUS
        check_origin(request, route)
        if not (self._ctx.accounts.needs_setup and route.before_setup):
            request.require(route.role)
        return await route.handler(request, self._ctx)

    async def _read_body(self, request: Request, limit: int) -> None:
        if not request.body_exists:
            return
        length = request.content_length
        if length is not None and length > limit:
            await self._discard(request, max(DISCARD, 2 * limit))
            raise HttpError(413, "Content Too Large", close=True)
        await request.welcome()
        request.limit_body(limit)
        connection: Any = request.protocol
        connection.reading = True
        try:
            async with asyncio.timeout(self._options.body_timeout):
                await request.read()
        except TimeoutError:
            raise HttpError(408, "Request Timeout", close=True) from None
        except web.HTTPRequestEntityTooLarge:
            raise HttpError(413, "Content Too Large", close=True) from None
        except web.RequestPayloadError:
            raise HttpError(400, "Bad Request", close=True) from None
        finally:
            connection.reading = False

    async def _discard(self, request: Request, left: int) -> None:
        """Take some of a body that is too large: closing amid it would take the answer away from an honest client."""
        connection: Any = request.protocol
        connection.reading = True
        try:
            async with asyncio.timeout(DISCARD_TIMEOUT):
                while left > 0 and (part := await request.content.readany()):
                    left -= len(part)
        except (TimeoutError, web.RequestPayloadError):
            pass
        finally:
            connection.reading = False

    def _refusal(self, request: Request, error: HttpError) -> web.Response:
        if isinstance(error, UnauthorizedError) and self._ctx.accounts.needs_setup:
            error = UnauthorizedError(SETUP_TEXT)
        response = error_response(request.raw_target, error)
        if isinstance(error, UnauthorizedError):
            secure = request.secure
            for value in self.auth.challenges(secure=secure, stale=error.stale):
                response.headers.add("WWW-Authenticate", value)
        return response


def absent(ctx: Context) -> tuple[str, ...]:
    """Route modules that this device does without."""
    siren = ("siren", "siren_and_light", "lightcontrol", "findmydevice") if ctx.siren is None else ()
    clips = ("audio", "playclip", "mediaclip") if ctx.clips is None else ()
    two_way = ("audioformats", "audiostream", "audiodevicecontrol", "audio_settings") if ctx.two_way is None else ()
    calls = ("contact_list", "sip", "calls", "call") if ctx.intercom is None else ()
    doors = ("doors", "pacs", "peripherals", "reader_buses", "supervisedio") if ctx.controller is None else ()
    tests = ("speaker_test", "axast") if ctx.speaker_test is None else ()
    return (*siren, *clips, *two_way, *calls, *doors, *tests, *(("board",) if ctx.board is None else ()))


def error_response(target: str, error: HttpError) -> web.Response:
    """An error as its family words it: REST as JSON, SOAP as a fault, everything else as one line of text."""
    if target.startswith("/config/rest/"):
        code = CODES.get(error.status, "invalid")
        message = {"status": "error", "error": {"code": code, "message": error.text}}
        response = web.Response(status=error.status, body=msgspec.json.encode(message), content_type="application/json")
    elif target.startswith(SOAP_PATHS):
        response = web.Response(status=error.status, body=http_fault(error.status, error.text))
        response.headers["Content-Type"] = content_type(SOAP12)
    else:
        response = web.Response(status=error.status, text=error.text + "\r\n", content_type="text/plain")
    response.headers.update(error.headers)
    if error.close:
        response.force_close()
    return response


def check_origin(request: Request, route: Route) -> None:
    """Refuse what a page of another origin makes a browser send (cross-site request forgery). Raises HttpError 403."""
    if route.safe:
        return
    headers = request.headers
    if headers.get("Sec-Fetch-Site", "none").lower() in ("cross-site", "same-site"):
        raise HttpError(403, "Forbidden: request of another site")
    origin = headers.get("Origin") or headers.get("Referer")
    if origin is None:
        return
    scheme = "https" if request.secure else "http"
    if _authority(origin) != _authority(f"{scheme}://{headers.get('Host', '')}"):
        raise HttpError(403, "Forbidden: request of another origin")


def _authority(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    if not parts.hostname or port is None:
        return None
    return parts.scheme, parts.hostname, port


def _status(error: InputError) -> int:
    if isinstance(error, NotFoundError):
        return 404
    return 409 if isinstance(error, ConflictError) else 400
