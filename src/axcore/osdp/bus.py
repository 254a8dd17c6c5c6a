"""The controller of a line with asyncio: readers, commands that can be awaited, events."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

from axcore._native.osdp import key_is_weak
from axcore._native.osdp_line import ControlPanel, Event
from axcore.errors import AxError, FormatError, InputError
from axcore.osdp import events as told
from axcore.osdp import messages
from axcore.osdp.codes import AttackKind, EventKind, LinkState, Reply, Why
from axcore.osdp.messages import Message
from axcore.osdp.pump import Pump, Write, fd_writer, now_ns

_MAX_EVENTS = 10_000
Answer = Message | tuple[Message, ...]


class _At(NamedTuple):
    reader: int
    t_ns: int


_TOLD: dict[int, Callable[[_At, Event], told.BusEvent]] = {
    EventKind.LINK: lambda at, event: told.LinkChanged(*at, LinkState(event.a), Why(event.b)),
    EventKind.ATTACK: lambda at, event: told.AttackRefused(*at, AttackKind(event.a), event.code),
    EventKind.KEY: lambda at, _: told.KeyChanged(*at),
    EventKind.INSTALL: lambda at, event: told.InstallWindow(*at, bool(event.a), bool(event.b)),
    EventKind.FILE: lambda at, event: told.FileProgress(*at, event.a, event.b),
    EventKind.COMSET: lambda at, event: told.LineChanged(*at, event.a, event.b),
    EventKind.LOST: lambda at, event: told.EventsLost(*at, event.a),
}


class CommandError(AxError):
    """The device did not carry out a command. ``why`` tells the reason; ``detail`` is the code of a NAK or a status."""

    def __init__(self, command: int, why: Why, detail: int) -> None:
        super().__init__(f"command {command:#04x}: {why.name.lower()} {detail or ''}".rstrip())
        self.command = command
        self.why = why
        self.detail = detail


class Reader:
    """One device on a bus. Made by ``Bus.add_reader``."""

    def __init__(self, bus: Bus, index: int, address: int) -> None:
        self._bus = bus
        self.index = index
        self.address = address
        self.id: messages.PdId | None = None
        self.capabilities: tuple[messages.PdCap, ...] = ()

    @property
    def link(self) -> LinkState:
        """How the line to this device stands."""
        return LinkState(self._bus.engine.link(self.index))

    @property
    def stats(self) -> dict[str, int]:
        """Frames, retries, NAKs, delays ... since it was added."""
        return self._bus.engine.stats(self.index)

    async def command(self, message: Message | tuple[Message, ...]) -> Answer:
        """Send a command (or records of one kind) and give the reply. ``CommandError`` when it was not carried out."""
        code, data = messages.pack(message)
        return await self._bus._ask(lambda token: self._bus.engine.command(self.index, code, data, token))

    async def led(self, *records: messages.Led) -> None:
        """Set LEDs."""
        await self.command(tuple(records))

    async def buzzer(self, *records: messages.Buzzer) -> None:
        """Sound."""
        await self.command(tuple(records))

    async def output(self, *records: messages.Output) -> Answer:
        """Set outputs; the device acknowledges or tells their states."""
        return await self.command(tuple(records))

    async def text(self, text: str, **fields: int) -> None:
        """Show a text. Fields as in ``messages.Text``."""
        await self.command(messages.Text(text=text.encode("latin-1", "replace"), **fields))

    async def comset(self, address: int, baud: int) -> None:
        """Move the device; a ``LineChanged`` event follows."""
        await self.command(messages.Comset(address, baud))

    async def keyset(self, key: bytes) -> None:
        """Give the device a new base key over the secure channel; the session starts anew under it."""
        await self._bus._ask(lambda token: self._bus.engine.keyset(self.index, key, token))

    def install(self, key: bytes | None, seconds: float = 60) -> None:
        """Open the install window: set ``key`` under the published key. None closes it. At most 10 minutes."""
        duration = round(seconds * 1e9) if key is not None else 0
        self._bus.engine.install(self.index, self._bus.now_ns(), duration, key)
        self._bus.poll()

    async def send_file(
        self, data: bytes, *, type: int = 1, offset: int = 0, progress: Callable[[int, int], object] | None = None
    ) -> int:
        """Transfer a file from ``offset`` on; gives back how many bytes the device has. Cancelling stops the transfer.

        ``CommandError.detail`` tells how far it got, or the status of the device (as u16): resume with ``offset``.
        """
        self._bus._progress[self.index] = progress
        try:
            await self._bus._ask(lambda token: self._bus.engine.file(self.index, data, type, offset, token))
            return len(data)
        except asyncio.CancelledError:
            self._bus.engine.file_stop(self.index)
            self._bus.poll()
            raise
        finally:
            self._bus._progress.pop(self.index, None)


class Bus(Pump):
    """The controller of one line. ``write`` takes bytes to send; give received bytes to ``feed``.

    With ``Bus.open_fd`` a file descriptor (a serial line, a pty, a socket) is read and written by the running loop.
    ``baud`` is used for time only: 0 for lines on which bytes take none.
    """

    def __init__(
        self, write: Write, *, baud: int = 9600, clock: Callable[[], int] = now_ns, nonces: bytes | None = None
    ) -> None:
        self.engine = ControlPanel(baud=baud, nonces=nonces)
        super().__init__(self.engine, write, clock)
        self.now_ns = clock
        self.readers: dict[int, Reader] = {}
        self._events: deque[told.BusEvent] = deque(maxlen=_MAX_EVENTS)
        self._more = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._progress: dict[int, Callable[[int, int], object] | None] = {}
        self._token = 0

    @classmethod
    def open_fd(cls, fd: int, *, baud: int = 9600) -> Bus:
        """A bus on an open descriptor. Needs a running loop."""
        bus = cls(fd_writer(fd), baud=baud)
        bus._attach(fd)
        return bus

    def add_reader(
        self, address: int, *, key: bytes | None = None, require_secure: bool = True, poll_ms: float | None = None
    ) -> Reader:
        """Add a device. With a key everything goes over the secure channel, whatever the device says. Without one and
        with ``require_secure`` it waits for ``install`` or ``set_key``. poll_ms None: as fast as the line allows, fair.
        """
        poll_ns = round((poll_ms or 0) * 1e6)
        index = self.engine.open(address, key=key, secure=require_secure, poll_ns=poll_ns)
        reader = self.readers[index] = Reader(self, index, address)
        self.poll()
        return reader

    def remove_reader(self, reader: Reader) -> None:
        """Its commands fail."""
        self.engine.close(reader.index)
        del self.readers[reader.index]

    async def events(self) -> AsyncIterator[told.BusEvent]:
        """Everything that happens, until ``close``. One consumer."""
        while True:
            while self._events:
                yield self._events.popleft()
            if self._closed:
                return
            self._more.clear()
            await self._more.wait()

    def take_events(self) -> list[told.BusEvent]:
        """What has happened so far, without waiting."""
        found = list(self._events)
        self._events.clear()
        return found

    def close(self) -> None:
        super().close()
        for future in self._waiting.values():
            future.cancel()
        self._more.set()

    async def _ask(self, submit: Callable[[int], None]) -> Answer:
        self._token = self._token % 0xFFFFFFFF + 1
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        submit(self._token)
        self._waiting[self._token] = future
        token = self._token
        try:
            self.poll()
            return await future
        finally:
            self._waiting.pop(token, None)

    def _on_events(self) -> None:
        for event in self.engine.events():
            happened = self._translate(event)
            if happened is not None:
                self._events.append(happened)
                self._more.set()

    def _settle(self, event: Event, result: Answer | Exception) -> bool:
        future = self._waiting.get(event.token)
        if future is None or future.done():
            return False
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
        return True

    def _translate(self, event: Event) -> told.BusEvent | None:
        reader = self.readers.get(event.reader)
        at = _At(reader.address if reader else -1, event.t_ns)
        make = _TOLD.get(event.kind)
        if event.kind == EventKind.REPLY:
            return self._reply(event, reader, at)
        if event.kind == EventKind.DONE:
            self._settle(event, messages.Ack())
        elif event.kind == EventKind.FAILED:
            self._settle(event, CommandError(event.code, Why(event.a), event.b))
        elif event.kind == EventKind.COMSET and reader:
            reader.address = event.a
        elif event.kind == EventKind.FILE and (progress := self._progress.get(event.reader)):
            progress(event.a, event.b)
        return make(at, event) if make else None

    def _reply(self, event: Event, reader: Reader | None, at: _At) -> told.BusEvent | None:
        try:
            message: Any = messages.unpack(True, event.code, event.data)
            value = message.value if isinstance(message, messages.Raw) else 0
        except FormatError as error:
            self._settle(event, error)
            return told.Malformed(*at, event.code, event.data, str(error))
        secure = event.link == LinkState.SECURE
        if event.token:
            self._settle(event, message)
        elif isinstance(message, messages.Raw):
            return told.CardRead(*at, message.bits, value, message.data, message.format, message.reader, secure)
        elif isinstance(message, messages.Keypad):
            return told.KeysPressed(*at, message.text, message.reader, secure)
        elif reader and event.code == Reply.PDID:
            reader.id = message
        elif reader and event.code == Reply.PDCAP:
            reader.capabilities = message
        else:
            return told.ReplyReceived(*at, message, secure)
        return None


def check_key(key: bytes) -> bytes:
    """The key, if it may be used. ``InputError`` when it is no key or a weak one."""
    if not isinstance(key, bytes) or len(key) != 16:
        raise InputError("key", "must have 16 bytes")
    if key_is_weak(key):
        raise InputError("key", "is weak: equal bytes, a ramp, or the published default key")
    return key
