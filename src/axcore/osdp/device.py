"""A device on a line with asyncio: a reader or keypad emulator, or the OSDP output of a door station."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from axcore._native.osdp_line import Event, PeripheralDevice
from axcore.errors import AxError, FormatError, StateError
from axcore.osdp import messages
from axcore.osdp.codes import AttackKind, Command, EventKind, LinkState, NakReason, Policy, Reply, Why
from axcore.osdp.messages import Message
from axcore.osdp.pump import Pump, Write, fd_writer, now_ns

Payload = Message | tuple[Message, ...]
Handler = Callable[[Any], Payload | Awaitable[Payload | None] | None]
DEFAULT_CAPABILITIES = tuple(
    messages.PdCap(*values)
    for values in (
        (1, 1, 1),
        (2, 1, 1),
        (3, 1, 1),
        (4, 4, 1),
        (5, 2, 1),
        (8, 1, 0),
        (9, 1, 1),
        (10, 0xA0, 5),
        (11, 0xA0, 5),
    )
)


class RefusalError(AxError):
    """Raised by a handler: the command is answered with this NAK."""

    def __init__(self, reason: NakReason = NakReason.RECORD) -> None:
        super().__init__(reason.name)
        self.reason = reason


class DeviceEvent(msgspec.Struct, frozen=True):
    """What happened on the line to this device: kind and its two numbers (see ``EventKind``)."""

    t_ns: int
    kind: EventKind
    a: int
    b: int
    data: bytes

    @property
    def attack(self) -> AttackKind | None:
        """What was refused, for ATTACK."""
        return AttackKind(self.a) if self.kind is EventKind.ATTACK else None

    @property
    def link(self) -> tuple[LinkState, Why] | None:
        """State and reason, for LINK."""
        return (LinkState(self.a), Why(self.b)) if self.kind is EventKind.LINK else None


class FileReceiver:
    """Puts the parts of a file together. A part that was seen before is taken for what it is; offset 0 starts anew."""

    def __init__(self, on_file: Callable[[int, bytes], object], *, limit: int = 1 << 24, part: int = 0) -> None:
        self._on_file = on_file
        self._limit = limit
        self._part = part
        self._type = -1
        self._data = bytearray()

    @property
    def received(self) -> int:
        """Bytes of the present file."""
        return len(self._data)

    def take(self, message: messages.FileTransfer) -> messages.FileStatus:
        """The answer to one part: status -3 for what does not belong here, 1 when the file was taken."""
        if message.size > self._limit or message.offset + len(message.data) > message.size:
            return messages.FileStatus(status=-3)
        if message.offset == 0 and (message.type != self._type or len(self._data) > len(message.data)):
            self._type, self._data = message.type, bytearray()
        if self._type not in (message.type, -1):
            return messages.FileStatus(status=-3)
        self._type = message.type
        if message.offset > len(self._data):
            return messages.FileStatus(status=-3)
        self._data[message.offset :] = message.data
        if len(self._data) < message.size:
            return messages.FileStatus(size=self._part)
        data, self._data, self._type = bytes(self._data), bytearray(), -1
        self._on_file(message.type, data)
        return messages.FileStatus(status=1)


class Device(Pump):
    """One device. Handlers are set with ``on``; cards and keys are queued for the next poll.

    ``Device.open_fd`` reads and writes a descriptor by the running loop; otherwise give bytes to ``feed``.
    """

    def __init__(
        self,
        write: Write,
        address: int = 0,
        *,
        key: bytes | None = None,
        require_secure: bool = False,
        id: messages.PdId | None = None,
        capabilities: tuple[messages.PdCap, ...] = DEFAULT_CAPABILITIES,
        clock: Callable[[], int] = now_ns,
        nonces: bytes | None = None,
    ) -> None:
        self.engine = PeripheralDevice(address, key=key, secure=require_secure, nonces=nonces)
        super().__init__(self.engine, write, clock)
        self.now_ns = clock
        self._handlers: dict[int, Handler] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_event: Callable[[DeviceEvent], object] | None = None
        self.store(id or messages.PdId())
        self.store(capabilities)

    @classmethod
    def open_fd(cls, fd: int, address: int = 0, **options: Any) -> Device:
        """A device on an open descriptor. Needs a running loop."""
        device = cls(fd_writer(fd), address, **options)
        device._attach(fd)
        return device

    @property
    def link(self) -> LinkState:
        """How the line to the controller stands."""
        return LinkState(self.engine.link)

    @property
    def stats(self) -> dict[str, int]:
        """Commands, repeats, NAKs ..."""
        return self.engine.stats

    def on(self, command: Command) -> Callable[[Handler], Handler]:
        """Decorator: this function gets the command, may give the reply, or raise ``RefusalError``.

        A coroutine may take its time: the controller is told BUSY. Records come as a tuple.
        """

        def register(handler: Handler) -> Handler:
            self._handlers[command] = handler
            self.engine.set_policy(command, Policy.ASK)
            return handler

        return register

    def receive_files(self, on_file: Callable[[int, bytes], object], **options: int) -> FileReceiver:
        """Take files: ``on_file(type, data)`` is called for each that is complete."""
        receiver = FileReceiver(on_file, **options)
        self.on(Command.FILETRANSFER)(receiver.take)
        return receiver

    def store(self, message: Payload) -> None:
        """What ID, CAP and the status commands are answered with: PdId, PdCap records, *StatusReport, ExtendedId."""
        code, data = messages.pack(message)
        self.engine.store(code, data)

    def post(self, message: Payload) -> None:
        """Queue a reply for the next poll. ``QueueFullError`` when nobody polls."""
        code, data = messages.pack(message)
        self.engine.post(code, data)

    def card(self, value: int, bits: int, *, format: int = 1, reader: int = 0) -> None:
        """A card of ``bits`` bits was read."""
        size = (bits + 7) // 8
        self.post(messages.Raw(reader, format, bits, (value << (size * 8 - bits)).to_bytes(size, "big")))

    def keys(self, text: str, *, reader: int = 0) -> None:
        """Keys were pressed: digits, ``*`` and ``#``."""
        self.post(messages.Keypad(reader, text.replace("*", "\x7f").replace("#", "\r").encode("ascii")))

    def install(self, seconds: float) -> None:
        """Accept the published key, and a KEYSET under it, for so long (at most 10 minutes; 0 closes the window)."""
        self.engine.install(self.now_ns(), round(seconds * 1e9))
        self._run(b"")

    def set_key(self, key: bytes) -> None:
        """A new base key, out of band."""
        self.engine.set_key(key, self.now_ns())
        self._run(b"")

    def _on_events(self) -> None:
        for event in self.engine.events():
            if event.kind == EventKind.COMMAND:
                self._command(event)
            elif self.on_event is not None:
                self.on_event(DeviceEvent(event.t_ns, EventKind(event.kind), event.a, event.b, event.data))

    def _command(self, event: Event) -> None:
        handler = self._handlers.get(event.code)
        if handler is None:
            return
        try:
            result = handler(messages.unpack(False, event.code, event.data))
        except RefusalError as refusal:
            self._answer(messages.Nak(refusal.reason))
            return
        except FormatError:
            self._answer(messages.Nak(NakReason.LENGTH))
            return
        if not inspect.isawaitable(result):
            self._answer(result)
            return
        task = asyncio.ensure_future(self._later(result))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _later(self, result: Awaitable[Payload | None]) -> None:
        try:
            answer = await result
        except RefusalError as refusal:
            answer = messages.Nak(refusal.reason)
        self._answer(answer)
        self._run(b"")

    def _answer(self, message: Payload | None) -> None:
        code, data = messages.pack(message) if message is not None else (int(Reply.ACK), b"")
        try:
            self.engine.answer(code, data)
        except StateError:
            return  # the controller gave up or went on
