"""``/vapix/ws-data-stream``: events over a websocket; ``/axis-cgi/wssession.cgi``: tokens for it (VAPIX, event
streaming over websocket).

The client sends ``events:configure`` with a list of filters, is answered, is sent the present state of every property
that matches, and then what happens. Only the latest list applies; what matches two of its filters is sent twice; an
empty list asks for nothing. Messages come with the envelope of the JSON CGIs, their errors included.

The stream is always on: clients find it by its id in API discovery, and whether to use it is a setting of theirs. It
needs a viewer; events that tell of people need an operator (``streams.follow.may_see``). A page of another origin
cannot open it. Who does not read is dropped, whose account changes is sent away.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from axcore.errors import InputError
from axcore.interfaces.http.context import HEADERS, Context, Request
from axcore.interfaces.http.errors import BadRequestError, HttpError
from axcore.interfaces.http.routes import Route
from axcore.interfaces.http.vapix.ajr import GEN3, AjrApi, AjrError, Call
from axcore.interfaces.streams.follow import MAX_FILTERS, Follower, Login, read_filters
from axcore.interfaces.streams.notification import notification_json
from axcore.model.accounts import Identity, Role
from axcore.rules.filters import Filter, FilterError

log = logging.getLogger(__name__)

PATH: Final = "/vapix/ws-data-stream"
MAX_MESSAGE: Final = 64 * 1024
"""Octets of a message that is read; up to MAX_TAKEN it is answered with an error, beyond that the client goes."""
MAX_TAKEN: Final = 256 * 1024
CLOSE_TIMEOUT: Final = 1.0
TOO_LARGE: Final = 2107

API = AjrApi(
    api_id="event-streaming-over-websocket",
    name="Event Streaming over WebSocket",
    path=PATH,
    versions=("1.0",),
    codes=GEN3,
)


class _FilterSpec(msgspec.Struct, rename="camel"):
    topic_filter: str = ""
    content_filter: str = ""


class _Configure(msgspec.Struct, rename="camel"):
    event_filter_list: list[_FilterSpec]


@API.method("events:configure", Role.VIEWER, safe=True)
async def configure(call: Call) -> Any:
    """Take the filters; they apply from the reply on."""
    specs = call.read(_Configure).event_filter_list
    if len(specs) > MAX_FILTERS:
        raise InputError("params.eventFilterList", f"at most {MAX_FILTERS} filters")
    for at, spec in enumerate(specs):
        try:
            read_filters([(spec.topic_filter, spec.content_filter)])
        except FilterError as error:
            raise InputError(f"params.eventFilterList[{at}].{error.field}Filter", error.reason) from None
    stream: _Stream = call.request.stream
    stream.wanted = read_filters((spec.topic_filter, spec.content_filter) for spec in specs)
    return {}


class _Stream:
    """One client."""

    def __init__(self, request: Request, ctx: Context, socket: web.WebSocketResponse) -> None:
        self._request, self._ctx, self._socket = request, ctx, socket
        self._name = f"event stream of {request.identity.name} at {request.remote}"
        self._lock = asyncio.Lock()
        self._login = Login(ctx.accounts, request.identity)
        self.wanted: tuple[Filter, ...] | None = None
        """Filters that were accepted and do not apply yet."""

    async def run(self) -> None:
        """Serve the client to the end."""
        ctx, hub = self._ctx, self._ctx.hub
        follower = Follower(ctx.bus, self._request.identity, self._name)
        ctx.streams.add(follower.subscription)
        sender = asyncio.create_task(self._send(follower))
        receiver = asyncio.create_task(self._receive(follower))
        reason, code = "stop", WSCloseCode.GOING_AWAY
        try:
            done, _ = await asyncio.wait((sender, receiver), return_when=asyncio.FIRST_COMPLETED)
            reason, code = (sender if sender in done else receiver).result()
        finally:
            ctx.streams.discard(follower.subscription)
            follower.close()
            hub.dropped += follower.dropped
            hub.ended[reason] += 1
            for task in (sender, receiver):
                task.cancel()
            await asyncio.gather(sender, receiver, return_exceptions=True)
            if reason not in ("client", "stop"):
                log.warning("%s ended: %s", self._name, reason)
        if reason == "slow":
            transport = self._request.transport
            if transport is not None:
                transport.abort()
        else:
            with suppress(ConnectionError):
                await self._socket.close(code=code, message=reason.encode())

    async def _send(self, follower: Follower) -> tuple[str, WSCloseCode]:
        while await follower.ready():
            if not self._login.holds():
                return "account", WSCloseCode.POLICY_VIOLATION
            async with self._lock:
                found = follower.take()
                if found is None:
                    continue
                params = {"notification": notification_json(found.event)}
                text = msgspec.json.encode({"apiVersion": "1.0", "method": "events:notify", "params": params}).decode()
                for _ in range(found.copies):
                    if failure := await self._write(text):
                        return failure, WSCloseCode.ABNORMAL_CLOSURE
                    self._ctx.hub.sent += 1
        return "stop", WSCloseCode.GOING_AWAY

    async def _receive(self, follower: Follower) -> tuple[str, WSCloseCode]:
        while True:
            message = await self._socket.receive()
            if message.type is WSMsgType.ERROR:
                silent = isinstance(message.data, TimeoutError)
                return "silent" if silent else "protocol", WSCloseCode.PROTOCOL_ERROR
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
                return "client", WSCloseCode.OK
            if message.type is not WSMsgType.TEXT:
                return "protocol", WSCloseCode.UNSUPPORTED_DATA
            if not self._login.holds():
                return "account", WSCloseCode.POLICY_VIOLATION
            reply = await self._answer(message.data.encode())
            async with self._lock:
                if failure := await self._write(reply):
                    return failure, WSCloseCode.ABNORMAL_CLOSURE
                if self.wanted is not None:
                    follower.configure(self.wanted)
                    self.wanted = None

    async def _answer(self, body: bytes) -> str:
        if len(body) > MAX_MESSAGE:
            error = AjrError(TOO_LARGE, f"Message too large: at most {MAX_MESSAGE} octets")
            reply: dict[str, Any] = {"apiVersion": "1.0", "error": {"code": error.code, "message": error.message}}
        else:
            reply, _ = await API.answer(body, self._request, self._ctx)
        return msgspec.json.encode(reply).decode()

    async def _write(self, text: str) -> str:
        """Send one message; gives why it cannot be sent, or nothing."""
        try:
            async with asyncio.timeout(self._ctx.hub.send_timeout):
                await self._socket.send_str(text)
        except TimeoutError:
            return "slow"
        except ConnectionError:
            return "silent" if isinstance(self._socket.exception(), TimeoutError) else "client"
        return ""


async def serve(request: Request, ctx: Context) -> web.StreamResponse:
    """Upgrade, and stay until one of the two ends it."""
    hub = ctx.hub
    if request.method != "GET" or not request.arguments().get("sources"):
        raise BadRequestError("a websocket with ?sources=events is opened here by GET")
    sources = set((request.arguments().get("sources") or "").split(","))
    if sources != {"events"}:
        raise BadRequestError("sources: only events can be streamed")
    if request.body_exists:
        raise BadRequestError("an upgrade has no body", close=True)
    socket = web.WebSocketResponse(
        timeout=CLOSE_TIMEOUT, heartbeat=hub.heartbeat, max_msg_size=MAX_TAKEN, compress=True
    )  # fmt: skip
    if not socket.can_prepare(request):
        raise HttpError(426, "a websocket (version 13) is opened here", headers={"Upgrade": "websocket"})
    if hub.clients >= hub.limit:
        hub.ended["refused"] += 1
        raise HttpError(503, f"{hub.limit} clients follow events already", headers={"Retry-After": "10"})
    socket.headers.update(HEADERS)
    hub.clients += 1
    try:
        request.stream = stream = _Stream(request, ctx, socket)
        await socket.prepare(request)
        await stream.run()
    finally:
        hub.clients -= 1
    return socket


def redeem(request: Request, ctx: Context) -> Identity | None:
    """The login that a ``wssession`` token stands for."""
    token = request.arguments().get("wssession")
    return ctx.hub.tokens.redeem(token, ctx.clock.mono_ns()) if token else None


async def wssession(request: Request, ctx: Context) -> web.Response:
    """A token as plain text: 15 seconds, one connection."""
    return web.Response(text=ctx.hub.tokens.issue(request.identity, ctx.clock.mono_ns()), content_type="text/plain")


ROUTES = (
    Route(method="GET", path=PATH, role=Role.VIEWER, handler=serve, name=API.id, login=redeem),
    Route(method="GET", path="/axis-cgi/wssession.cgi", role=Role.VIEWER, handler=wssession, name="wssession"),
)
APIS = (API.entry(),)
