"""Readers on an OSDP line, as a door controller has them: a bus, and a ``ReaderPort`` for each reader on it.

The line is polled by the native thread (``drivers.osdp_lines``). Commands may be given from any thread; what readers
saw becomes ledger jobs. A reader with a key is never used without its secure channel.
"""

from __future__ import annotations

import logging
import threading
from functools import partial

import msgspec

from axcore._native.io import monotonic_ns
from axcore._native.osdp_line import ControlPanel, Event
from axcore.devices.reader import (
    BeepSignal,
    LedSignal,
    ReaderFeedback,
    ReaderIdentity,
    ReaderLink,
    ReaderSign,
    ReaderSignal,
    ReaderSinks,
    ReaderStatus,
)
from axcore.errors import AxError, FormatError, QueueFullError
from axcore.model.credentials import CardValue, CredentialRead
from axcore.osdp import AttackKind, Color, Command, EventKind, LinkState, Reply, Why, messages

from .osdp_lines import Job
from .serial import Line

__all__ = ["LINKS", "OsdpBus", "OsdpReader", "led_record"]

log = logging.getLogger(__name__)

LINKS: dict[int, ReaderLink] = {
    LinkState.OFFLINE: "offline",
    LinkState.CLEAR: "clear",
    LinkState.SECURE: "secure",
    LinkState.INSTALL: "install",
}
MAX_TEXT = 32
_TENTH = 10
_KEYSET = 1
"""A token; the event KEY tells the outcome."""
_MAX_TIMER, _MAX_STEP = 0xFFFF, 0xFF


class OsdpReader:
    """One reader (``devices.reader.ReaderPort``). Made by ``OsdpBus.add``."""

    def __init__(self, bus: OsdpBus, index: int, slot: int, address: int) -> None:
        self.index = index
        self.slot = slot
        """Its number on the bus."""
        self.address = address
        self.status = ReaderStatus()
        self.id: messages.PdId | None = None
        self.capabilities: tuple[messages.PdCap, ...] = ()
        self._bus = bus
        self._feedback = ReaderFeedback()
        self._shown: dict[int, LedSignal] = {}
        self._text: messages.Text | None = None
        self._since_ns = monotonic_ns()
        self._new_key: bytes | None = None

    def show(self, signal: ReaderSignal) -> None:
        sign: ReaderSign = getattr(self._feedback, signal)
        if sign.led is not None:
            self.led(sign.led)
        if sign.beep is not None:
            self.beep(sign.beep)

    def set_feedback(self, feedback: ReaderFeedback) -> None:
        """How answers are shown from now on; the LED at rest changes at once."""
        self._feedback = feedback
        if feedback.idle is None:
            self._shown.pop(0, None)
        else:
            self.led(LedSignal(color=feedback.idle))

    def led(self, signal: LedSignal) -> None:
        if signal.seconds == 0:
            self._shown[signal.led] = signal
        self._send(led_record(signal))

    def beep(self, signal: BeepSignal) -> None:
        tone = 2 if signal.on > 0 else 1
        self._send(
            messages.Buzzer(
                tone=tone, on=_tenths(signal.on), off=_tenths(signal.off), count=min(signal.count, _MAX_STEP)
            )
        )

    def text(self, text: str, seconds: float = 0.0) -> None:
        shown = text.encode("latin-1", "replace")[:MAX_TEXT]
        lasting = seconds <= 0
        message = messages.Text(
            command=1 if lasting else 3, seconds=0 if lasting else max(1, min(_MAX_STEP, round(seconds))), text=shown
        )
        if lasting:
            self._text = message
        self._send(message)

    def output(self, output: int, active: bool, seconds: float = 0.0, *, abort: bool = True) -> None:
        """Set an output of the reader; with ``seconds`` for so long. Without ``abort`` what was timed goes on first."""
        control = (2 if active else 1) if seconds <= 0 else (5 if active else 6)
        if seconds <= 0 and not abort:
            control += 2
        self._send(messages.Output(output, control, min(_MAX_TIMER, round(seconds * _TENTH))))

    def set_key(self, key: bytes) -> None:
        """Give the reader a new base key over its secure channel; ``on_key_set`` tells when it has it.

        Raises RangeError for a weak key, StateError or QueueFullError when it cannot be queued.
        """
        self._new_key = key
        self._bus.engine.keyset(self.slot, key, _KEYSET)

    def know_key(self, key: bytes) -> None:
        """The key was put into the reader by other means; the session starts anew."""
        self._bus.engine.set_key(self.slot, key)

    def install(self, key: bytes | None, seconds: float = 60.0) -> None:
        """Open the install window: set ``key`` under the published key. None closes it. At most 10 minutes."""
        self._new_key = key
        duration = round(seconds * 1e9) if key is not None else 0
        self._bus.engine.install(self.slot, monotonic_ns(), duration, key)

    def move(self, address: int, baud: int) -> None:
        """Give the reader another address and speed (COMSET); ``on_moved`` tells when it has them."""
        code, data = messages.pack(messages.Comset(address, baud))
        self._bus.engine.command(self.slot, code, data)

    @property
    def identity(self) -> ReaderIdentity | None:
        """What it says of itself; None: it has not answered yet."""
        told = self.id
        if told is None:
            return None
        firmware = f"{told.firmware_major}.{told.firmware_minor}.{told.firmware_build}"
        return ReaderIdentity(
            vendor=told.oui.hex(), model=told.model, version=told.version, serial=told.serial, firmware=firmware
        )

    @property
    def stats(self) -> dict[str, int]:
        """Frames, retries, NAKs, delays since it was added."""
        return self._bus.engine.stats(self.slot)

    def _send(self, message: messages.Message | tuple[messages.Message, ...]) -> None:
        if not self.status.online:
            return
        code, data = messages.pack(message)
        try:
            self._bus.engine.command(self.slot, code, data)
        except QueueFullError:
            log.warning("reader %d: too much feedback waits; some is dropped", self.index)

    def _resume(self) -> None:
        """It is back: what its state is, and what it shows."""
        for command in (Command.LSTAT, Command.ISTAT):
            if command == Command.LSTAT or self._has_inputs:
                self._bus.engine.command(self.slot, command)
        for signal in self._shown.values():
            self._send(led_record(signal))
        if self._text is not None:
            self._send(self._text)

    @property
    def _has_inputs(self) -> bool:
        return any(entry.function == 1 and entry.count for entry in self.capabilities)


class OsdpBus:
    """The controller of one line (an ``End`` of ``OsdpLines``)."""

    def __init__(self, line: Line, sinks: ReaderSinks, *, baud: int = 9600) -> None:
        self.line = line
        self.baud = baud
        self.engine = ControlPanel(baud=baud)
        self.readers: dict[int, OsdpReader] = {}
        self._sinks = sinks
        self._lock = threading.Lock()

    def add(
        self, index: int, address: int, *, key: bytes | None = None, require_secure: bool = False, poll_ms: float = 0.0
    ) -> OsdpReader:
        """Add the reader that is number ``index`` of the device. ``poll_ms`` 0: as fast as the line allows, fair.

        Raises ArgumentError (an address that is none, or taken), RangeError (a weak key).
        """
        with self._lock:
            slot = self.engine.open(address, key=key, secure=require_secure, poll_ns=round(poll_ms * 1e6))
            reader = OsdpReader(self, index, slot, address)
            self.readers = {**self.readers, slot: reader}
        return reader

    def remove(self, reader: OsdpReader) -> None:
        """Poll it no more."""
        with self._lock:
            self.engine.close(reader.slot)
            self.readers = {slot: other for slot, other in self.readers.items() if other is not reader}

    def jobs(self) -> list[Job]:
        """What happened since the last call. Ledger thread."""
        jobs: list[Job] = []
        for event in self.engine.events():
            reader = self.readers.get(event.reader)
            if event.kind == EventKind.LOST:
                jobs.append(self._lost(event.a))
            elif reader is not None and event.t_ns >= reader._since_ns:  # not of who was here before
                try:
                    jobs += self._jobs(event, reader)
                except FormatError as error:
                    log.warning("reader %d: reply %#04x makes no sense: %s", reader.index, event.code, error)
        return jobs

    def _lost(self, count: int) -> Job:
        return lambda tx: self._sinks.on_lost(tx, count)

    def _jobs(self, event: Event, reader: OsdpReader) -> list[Job]:  # noqa: PLR0911 - one return a kind
        sinks, index = self._sinks, reader.index
        match event.kind:
            case EventKind.REPLY:
                return self._reply(event, reader)
            case EventKind.LINK:
                why = Why(event.b).name.lower() if event.b else ""
                status = msgspec.structs.replace(reader.status, link=LINKS[event.a], why=why)
                return [self._status(reader, status), partial(_resume, reader)]
            case EventKind.ATTACK:
                kind = AttackKind(event.a).name.lower()
                return [lambda tx: sinks.on_attack(tx, index, kind, event.code)]
            case EventKind.KEY:
                key = reader._new_key
                return [] if key is None else [lambda tx: sinks.on_key_set(tx, index, key)]
            case EventKind.INSTALL:
                return [lambda tx: sinks.on_install(tx, index, bool(event.a), bool(event.b))]
            case EventKind.COMSET:
                reader.address = event.a
                self._follow(event.b)
                return [lambda tx: sinks.on_moved(tx, index, event.a, event.b)]
            case EventKind.FAILED:
                log.info("reader %d: command %#04x: %s %d", index, event.code, Why(event.a).name.lower(), event.b)
        return []

    def _reply(self, event: Event, reader: OsdpReader) -> list[Job]:
        sinks, index, t_ns = self._sinks, reader.index, event.t_ns
        message = messages.unpack(True, event.code, event.data)
        match message:
            case messages.Raw() if message.bits:
                digits = (message.bits + 7) // 8 * 2
                card = CardValue(bits=message.bits, value=f"{message.value:0{digits}x}")
                read = CredentialRead(kind="card", card=card, reader=index, t_ns=t_ns)
                return [lambda tx: sinks.on_read(tx, read)]
            case messages.Keypad():
                keys = message.text
                return [lambda tx: sinks.on_keys(tx, index, keys, t_ns)]
            case messages.LocalStatusReport():
                tamper, power = bool(message.tamper), bool(message.power)
                return [self._status(reader, msgspec.structs.replace(reader.status, tamper=tamper, power_fault=power))]
            case messages.InputStatusReport():
                inputs = tuple(value != 0 for value in message.inputs)
                return [lambda tx: sinks.on_inputs(tx, index, inputs)]
            case messages.ReaderStatusReport() if message.readers:
                tamper = message.readers[0] == 2
                return [self._status(reader, msgspec.structs.replace(reader.status, tamper=tamper))]
            case messages.PdId():
                reader.id = message
            case tuple() if event.code == Reply.PDCAP:
                reader.capabilities = tuple(entry for entry in message if isinstance(entry, messages.PdCap))
        return []

    def _status(self, reader: OsdpReader, status: ReaderStatus) -> Job:
        changed, reader.status = status != reader.status, status
        sinks = self._sinks
        return lambda tx: sinks.on_status(tx, reader.index, status) if changed else None

    def _follow(self, baud: int) -> None:
        """The line takes the speed that a reader on it has taken."""
        if baud == self.baud:
            return
        try:
            self.line.set_baud(baud)
            self.engine.set_baud(baud)
            self.baud = baud
        except (OSError, AxError) as error:
            log.error("serial line %s does not take %d baud: %s", self.line.path, baud, error)


def led_record(signal: LedSignal) -> messages.Led:
    """The record of a signal: for a while, or for good."""
    on_color, off_color = Color[signal.color.upper()], Color[signal.off_color.upper()]
    blinks = signal.on > 0 and signal.off > 0
    on, off = (_tenths(signal.on), _tenths(signal.off)) if blinks else (1, 0)
    if signal.seconds > 0:
        timer = max(1, min(_MAX_TIMER, round(signal.seconds * _TENTH)))
        return messages.Led(
            led=signal.led,
            temp_control=2,
            temp_on=on,
            temp_off=off,
            temp_on_color=on_color,
            temp_off_color=off_color,
            temp_timer_100ms=timer,
        )
    return messages.Led(
        led=signal.led, temp_control=1, control=1, on=on, off=off, on_color=on_color, off_color=off_color
    )


def _tenths(seconds: float) -> int:
    return max(0, min(_MAX_STEP, round(seconds * _TENTH)))


def _resume(reader: OsdpReader, tx: object) -> None:
    if reader.status.online:
        reader._resume()
