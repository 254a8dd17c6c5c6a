"""``audio/receive.cgi`` and ``audio/transmit.cgi``: hear the microphone, talk by the loudspeaker (VAPIX Audio API).

*receive* (GET, viewer): endless; codec, parts and source as the arguments say (``audioformats``), otherwise as
``AudioSource.A0.AudioEncoding`` and ``Audio.A0.HTTPMessageType`` do. A client that reads too slowly loses what is older
than half a second. *transmit* (POST, viewer): the body is the sound, of the type of ``Content-Type``, as long as it
comes; what comes faster than it is said waits in the connection. One client talks at a time, and has ended when nothing
comes from it for ``Audio.ReceiverTimeout`` milliseconds (0: for ``IDLE_S``). Errors are text: 400 bad value, 405 not in
this duplex mode, 415 unknown type, 503 somebody else talks, a call is under way, ``Audio.MaxListeners`` or all for whom
there is room listen, or audio is off.

``Audio.DuplexMode``: ``full``; ``half``: nobody hears the microphone while somebody talks; ``get``: receive only;
``post``: transmit only. ``Audio.A0.Enabled=no`` or ``AudioSource.A0.AudioSupport=no``: nobody hears and nobody talks
here, and who does has ended; calls by SIP go on. Clients of both are counted: by their streams software answers a call
that is offered to it, begins one and hangs up (``services/intercom/vms.py``).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from axcore.errors import QueueFullError, StateError, StoreError
from axcore.interfaces.http.context import HEADERS
from axcore.interfaces.http.errors import HttpError
from axcore.interfaces.http.routes import Route
from axcore.interfaces.http.vapix.audioformats import (
    TRANSMIT,
    Codec,
    check_transmit_arguments,
    from_wire,
    receive_arguments,
    to_wire,
)
from axcore.model.accounts import Role
from axcore.model.intercom import VMS_CALL, StreamKind

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

MODE: Final = "Audio.DuplexMode"
SWITCHES: Final = ("Audio.A0.Enabled", "AudioSource.A0.AudioSupport")
PACKET_S: Final = 0.02
PACKETS_A_SECOND: Final = 50
BOUNDARY: Final = "myboundary"
KEPT: Final = 25
"""Packets that wait for a client that reads slowly: half a second."""
AHEAD: Final = 5
"""Packets that are there before the first one is said, and again after a gap."""
IDLE_S: Final = 30.0
"""A listener who takes nothing for so long is gone, and so is a talker whom ``Audio.ReceiverTimeout`` does not end."""
PUMP_S: Final = 0.02
AGAIN_S: Final = 1.0
"""After which the end of a stream is told again that the ledger did not take."""


def _refused(status: int, text: str, **headers: str) -> HttpError:
    return HttpError(status, f"Error: {text}", headers=headers, close=True)


def _mode(ctx: Context, never: str, what: str, other: str) -> str:
    mode = str(ctx.params.text(MODE))
    if mode == never:
        raise _refused(405, f"{what} is off: {MODE} is {mode}", Allow=other)
    return mode


def _is_off(ctx: Context) -> str:
    """The parameter by which nobody hears or talks, if there is one."""
    return next((name for name in SWITCHES if not ctx.params.flag(name)), "")


def _check_on(ctx: Context) -> None:
    name = _is_off(ctx)
    if name:
        raise _refused(503, f"audio is off: {name} is no")


# --- the microphone ------------------------------------------------------------------------------------------------


async def receive(request: Request, ctx: Context) -> web.StreamResponse:
    """GET /axis-cgi/audio/receive.cgi (viewer)."""
    codec, parts = receive_arguments(
        request.arguments().fields,
        encoding=ctx.params.text("AudioSource.A0.AudioEncoding"),
        http_type=ctx.params.text("Audio.A0.HTTPMessageType"),
    )
    mode = _mode(ctx, "post", "receive", "POST")
    _check_on(ctx)
    if not ctx.audio.settings.input.enabled:
        raise _refused(503, "the audio input is off")
    try:
        listener = ctx.two_way.listen(codec.name, codec.rate, most=ctx.params.number("Audio.MaxListeners"))
    except QueueFullError as error:
        raise _refused(503, str(error)) from None
    with listener:
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}" if parts else codec.content_type
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": kind})
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        async with counted(ctx, "audio_to_network", request.identity.name):
            await response.prepare(request)
            notice_death(request.transport)
            kept: deque[bytes] = deque(maxlen=KEPT)
            pump = asyncio.create_task(_pump(listener, kept, ctx, half=mode == "half"))
            try:
                with contextlib.suppress(ConnectionError):
                    await _send(response, kept, codec, lambda: _listens(request, ctx), parts=parts)
            finally:
                pump.cancel()
    return response


@contextlib.asynccontextmanager
async def counted(ctx: Context, kind: StreamKind, actor: str) -> AsyncIterator[None]:
    """A stream counts while this is open, and no longer, whatever becomes of its client and of this task."""
    stream = object()
    try:
        await ctx.ledger.run(lambda tx: ctx.intercom.on_stream(tx, kind, stream, started=True), actor=actor)
        yield
    finally:  # a job that was asked for is done, also where nobody waits for it any more; jobs keep their order
        await asyncio.shield(_uncounted(ctx, kind, stream, actor))


async def _uncounted(ctx: Context, kind: StreamKind, stream: object, actor: str) -> None:
    """Tell of the end until it is told: a call must not last for ever because the ledger was full for a moment."""
    while True:
        try:
            await ctx.ledger.run(lambda tx: ctx.intercom.on_stream(tx, kind, stream, started=False), actor=actor)
        except (QueueFullError, StoreError):
            await asyncio.sleep(AGAIN_S)
        except StateError:  # the device stops
            return
        else:
            return


def notice_death(transport: asyncio.BaseTransport | None) -> None:
    """A client that is cut off, or takes nothing, is gone after ``IDLE_S``: TCP alone would wait a quarter of an hour,
    and it would count meanwhile."""
    of = None if transport is None else transport.get_extra_info("socket")
    if of is not None:
        of.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(IDLE_S * 1000))


async def _pump(listener: Any, kept: deque[bytes], ctx: Context, *, half: bool) -> None:
    """Fetch what was said, whatever the client does; the oldest goes when there is too much."""
    while True:
        packets = listener.take()
        if not (half and ctx.two_way.talking):
            kept.extend(packets)
        await asyncio.sleep(PUMP_S)


def _listens(request: Request, ctx: Context) -> bool:
    """Whether audio is on and the client is there; where there is nothing to send, no write would tell."""
    return request.transport is not None and not request.transport.is_closing() and not _is_off(ctx)


async def _send(
    response: web.StreamResponse, kept: deque[bytes], codec: Codec, goes_on: Callable[[], bool], *, parts: bool
) -> None:
    """Blocks as they fill."""
    block = bytearray()
    while goes_on():
        while kept and len(block) < codec.block:
            block += to_wire(kept.popleft(), codec)
        if len(block) < codec.block:
            await asyncio.sleep(PUMP_S)
            continue
        data = bytes(block[: codec.block])
        del block[: codec.block]
        await response.write(part(data, codec) if parts else data)


def part(data: bytes, codec: Codec) -> bytes:
    """One part of a multipart answer."""
    head = f"--{BOUNDARY}\r\nContent-Type: {codec.content_type}\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data + b"\r\n"


# --- the loudspeaker -----------------------------------------------------------------------------------------------


async def transmit(request: Request, ctx: Context) -> web.StreamResponse:
    """POST /axis-cgi/audio/transmit.cgi (viewer)."""
    check_transmit_arguments(request.arguments().fields)
    codec = TRANSMIT.get(request.content_type.lower())
    if codec is None:
        raise _refused(415, f"Content-Type must be one of {', '.join(TRANSMIT)}")
    _mode(ctx, "get", "transmit", "GET, HEAD")
    _check_on(ctx)
    if _in_call(ctx):
        raise _refused(503, "a call is under way")
    try:
        talker = ctx.two_way.talk(codec.name, codec.rate)
    except QueueFullError as error:
        raise _refused(503, str(error)) from None
    with talker:
        async with counted(ctx, "audio_from_network", request.identity.name):
            try:
                await request.welcome()
                with contextlib.suppress(ConnectionError, web.RequestPayloadError):
                    await _say(request, talker, codec, ctx)
            finally:
                talker.close()  # before it is told that he is gone: who takes that up finds the place free
    response = web.Response(text="OK\n", content_type="text/plain")
    response.force_close()
    return response


def _patience(ctx: Context) -> float:
    """Seconds without data after which a talker has ended."""
    return ctx.params.number("Audio.ReceiverTimeout") / 1000 or IDLE_S


def _in_call(ctx: Context) -> bool:
    """Whether somebody is talked to by telephone."""
    call = ctx.intercom.live
    winner = None if call is None else call.leg(call.winner)
    return winner is not None and winner.target.uri != VMS_CALL


async def _say(request: Request, talker: Any, codec: Codec, ctx: Context) -> None:
    """Packets at their pace, until the body ends or stays away, a telephone call begins to be talked, or audio is
    switched off."""
    loop, waiting, start, said = asyncio.get_running_loop(), bytearray(), 0.0, 0
    ended = False
    while not (_in_call(ctx) or _is_off(ctx)):
        wanted = codec.octets * (1 if said else AHEAD)
        while len(waiting) < wanted and not ended:
            try:
                async with asyncio.timeout(_patience(ctx)):
                    data = await request.content.read(PACKETS_A_SECOND // 2 * codec.octets)
            except TimeoutError:  # what has come before is said
                data, ended = b"", True
            else:
                ended = not data and request.content.at_eof()
            waiting += data
        if not waiting:
            return
        now = loop.time()
        if not said or now > start + (said + AHEAD) * PACKET_S:  # the first one, or the first after a gap
            start, said = now, 0
        await asyncio.sleep(max(0.0, start + said * PACKET_S - now))
        piece = bytes(waiting[: codec.octets])
        del waiting[: codec.octets]
        talker.offer(from_wire(piece, codec))
        said += 1


ROUTES: Final = (
    Route(
        method="GET", path="/axis-cgi/audio/receive.cgi", role=Role.VIEWER, handler=receive, name="audio.receive",
        safe=True,
    ),
    Route(
        method="POST", path="/axis-cgi/audio/transmit.cgi", role=Role.VIEWER, handler=transmit, name="audio.transmit",
        endless=True,
    ),
)  # fmt: skip
