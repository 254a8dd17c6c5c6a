"""What a handler gets: the request with who made it, and the services of the device.

``async def handler(request: Request, ctx: Context) -> web.StreamResponse``. Handlers run on the loop. They read the
immutable snapshots of the services and change state only by ``await ctx.ledger.run(job)``, so that a 2xx answer follows
its fsync.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from aiohttp import web

from axcore.interfaces.streams.hub import Hub
from axcore.model.accounts import Identity, Role
from axcore.model.events import Event

from .errors import BadRequestError, ForbiddenError, UnauthorizedError
from .forms import Form, parse_urlencoded

if TYPE_CHECKING:
    from aiohttp.http_parser import RawRequestMessage

    from axcore.runtime.bus import Subscription
    from axcore.runtime.clock import Clock
    from axcore.runtime.ledger import Transaction
    from axcore.services.accounts import AccountService
    from axcore.services.params import ParamService
    from axcore.services.system import SystemService

    from .auth import Authenticator
    from .routes import Route, RouteTable

T = TypeVar("T")
HEADERS: Final = {
    "Server": "axcore",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every response."""
ANONYMOUS = Identity(name="", role=Role.ANONYMOUS)


class Runner(Protocol):
    """The part of the ledger that handlers use."""

    async def run(self, job: Callable[[Transaction], T], *, lazy: bool = False, actor: str = "") -> T:
        """Run a job on the ledger thread; returns after the fsync of its commit. Raises what the job raised.

        ``actor`` is the name of who asks, for the audit events.
        """
        ...

    @property
    def last_id(self) -> int:
        """Number of the last commit; no event has a higher id yet."""
        ...

    def events_after(self, number: int, limit: int = 1000) -> list[Event]:
        """Committed events with an id above ``number``, oldest first; reads the disk, so call it in a thread."""
        ...


@dataclass(kw_only=True)
class Context:
    """The services of one device, as interfaces see them."""

    ledger: Runner
    clock: Clock
    accounts: AccountService
    params: ParamService
    system: SystemService
    bus: Any = None
    access: Any = None
    ports: Any = None
    events: Any = None
    siren: Any = None
    """Light and siren; None for devices without."""
    clips: Any = None
    """Audio clips; None for devices without a loudspeaker."""
    speaker_test: Any = None
    """None for devices without."""
    uploads: Any = None
    """Makes clips of files."""
    intercom: Any = None
    """Calls, contacts and SIP accounts; None for devices that make no calls."""
    audio: Any = None
    """Settings of microphone and loudspeaker; None for devices without, and ..."""
    two_way: Any = None
    """... sound to and from clients without a call."""
    controller: Any = None
    """Doors, readers and access control; None for devices without."""
    configurations: Any = None
    """Action configurations of SOAP rules."""
    pull_points: Any = None
    """Subscriptions of ONVIF clients."""
    recipients: Any = None
    deliveries: Any = None
    """Delivers to recipients; here for *Test*."""
    schedules: Any = None
    mqtt: Any = None
    reader: Any = None
    """The device as a reader of a door controller; None for devices without a reader."""
    reader_client: Any = None
    """Talks to a controller on the network."""
    certificates: Any = None
    board: Any = None
    """Operations of the simulated board; None on real hardware."""
    auth: Authenticator | None = None
    """Set by the server."""
    routes: RouteTable | None = None
    """Set by the server."""
    hub: Hub = field(default_factory=Hub)
    """Clients that follow events over websockets."""
    streams: set[Subscription] = field(default_factory=set)
    """What open answers follow; the server closes them when it stops."""

    @contextmanager
    def follow(self, maxsize: int, prefix: str | None = None) -> Iterator[Subscription]:
        """A subscription to the bus for an answer that waits for events; ends early when the server stops."""
        with self.bus.subscribe(maxsize, prefix) as stream:
            self.streams.add(stream)
            try:
                yield stream
            finally:
                self.streams.discard(stream)


class Request(web.Request):
    """An HTTP request whose framing is sound and whose body has been read, unless its route is endless."""

    ATTRS = web.Request.ATTRS | frozenset({"identity", "path_params", "route", "stream", "_form", "_query_form"})

    identity: Identity = ANONYMOUS
    path_params: dict[str, str]
    """Values of the ``{id}`` parts of the route's path."""
    route: Route
    stream: Any = None
    """What an upgraded connection keeps with its request."""
    _form: Form | None = None
    _query_form: Form | None = None

    @property
    def message(self) -> RawRequestMessage:
        """The head as it was parsed."""
        return self._message

    async def welcome(self) -> None:
        """Tell a client that waits for it to send its body."""
        if self.headers.get("Expect"):
            await self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.writer.output_size = 0

    def limit_body(self, octets: int) -> None:
        """Let ``read`` raise ``HTTPRequestEntityTooLarge`` beyond this size."""
        self._client_max_size = octets

    @property
    def raw_target(self) -> str:
        """The request target exactly as it was sent."""
        return self._message.path

    @property
    def raw_query(self) -> str:
        return self._message.path.partition("?")[2]

    def arguments(self) -> Form:
        """Arguments of the query. Raises BadRequestError if they are not well-formed UTF-8 text."""
        if self._query_form is None:
            self._query_form = parse_urlencoded(self.raw_query)
        return self._query_form

    async def form(self) -> Form:
        """Arguments of the query and of an urlencoded body (as form or, as client libraries send it, as text/plain)."""
        if self._form is None:
            fields = list(self.arguments().fields)
            body = await self.read()
            if body and self.method in ("POST", "PUT"):
                kind = self.content_type
                if kind not in ("application/x-www-form-urlencoded", "text/plain", "application/octet-stream"):
                    raise BadRequestError(f"a body of type {kind[:60]} is not understood here")
                try:
                    text = body.decode("ascii")
                except UnicodeDecodeError:
                    raise BadRequestError("an urlencoded body is ASCII text") from None
                fields += parse_urlencoded(text.strip("\r\n")).fields
            self._form = Form(tuple(fields))
        return self._form

    def require(self, role: Role) -> None:
        """Ask for a role beyond that of the route. Raises UnauthorizedError (nobody) or ForbiddenError (too little)."""
        if self.identity.role >= role:
            return
        if self.identity.role is Role.ANONYMOUS:
            raise UnauthorizedError
        raise ForbiddenError
