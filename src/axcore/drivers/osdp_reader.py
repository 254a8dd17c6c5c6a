"""The device as a reader on an OSDP line: cards, keys and inputs go out, the controller's commands come in.

Polls, repeats and the secure channel are answered by the native thread (``drivers.osdp_lines``) within microseconds;
what the controller wants shown becomes ledger jobs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from axcore._native.io import monotonic_ns
from axcore._native.osdp_line import Event, PeripheralDevice
from axcore.devices.reader import ReaderStatus
from axcore.errors import AxError, FormatError, QueueFullError
from axcore.osdp import AttackKind, Command, EventKind, Policy, Reply, Why, messages
from axcore.wiegand import Bits

from .osdp_bus import LINKS
from .osdp_lines import Job
from .serial import Line

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

__all__ = ["OsdpOutput", "OutputSinks"]

log = logging.getLogger(__name__)

REFUSED = (Command.OUT, Command.COMSET, Command.ABORT)
"""What a door station does not do: it has no outputs of the controller, and its address is set by its owner."""
INPUTS, CARDS, LEDS, BUZZER, TEXT, CHECK, SECURITY, RECEIVE, COMBINED, READERS = 1, 3, 4, 5, 6, 8, 9, 10, 11, 13
MAX_KEYS = 32
OUI = b"\x00\x40\x8c"
"""As in the addresses of such devices on the network."""


@dataclass(frozen=True, kw_only=True)
class OutputSinks:
    """Who is told what the controller wants; each is a job's body."""

    on_led: Callable[[Transaction, tuple[messages.Led, ...]], object]
    on_buzzer: Callable[[Transaction, tuple[messages.Buzzer, ...]], object]
    on_text: Callable[[Transaction, messages.Text], object]
    on_status: Callable[[Transaction, ReaderStatus], object]
    on_key_set: Callable[[Transaction, bytes], object]
    """The controller has set a new base key, which is in use already: keep it."""
    on_attack: Callable[[Transaction, str, int], object]
    on_install: Callable[[Transaction, bool, bool], object]
    on_lost: Callable[[Transaction, int], object]


class OsdpOutput:
    """One peripheral device (an ``End`` of ``OsdpLines``). With a key nothing goes out in clear."""

    def __init__(
        self,
        line: Line,
        sinks: OutputSinks,
        *,
        address: int = 0,
        key: bytes | None = None,
        serial: int = 0,
        inputs: int = 0,
    ) -> None:
        """``inputs``: how many are told in ISTATR. Raises ArgumentError (address), RangeError (a weak key)."""
        self.line = line
        self.address = address
        self.status = ReaderStatus()
        self.engine = PeripheralDevice(address, key=key, cuid=serial.to_bytes(8, "little"))
        self._sinks = sinks
        self._inputs = [False] * inputs
        for command in REFUSED:
            self.engine.set_policy(command, Policy.REFUSE)
        self._store(messages.PdId(oui=OUI, version=1, serial=serial & 0xFFFFFFFF, firmware_major=1))
        self._store(_capabilities(inputs))
        self._store(messages.LocalStatusReport())
        self._store(messages.ReaderStatusReport(b"\0"))
        self._store(messages.InputStatusReport(bytes(inputs)))
        self._store(messages.OutputStatusReport())

    # --- what happened at the station; any thread

    def card(self, bits: Bits, *, wiegand: bool) -> bool:
        """A card, most significant bit first. False: nobody polls, and too many wait."""
        size = (bits.nbits + 7) // 8
        data = (bits.value << (size * 8 - bits.nbits)).to_bytes(size, "big")
        return self._post(messages.Raw(0, 1 if wiegand else 0, bits.nbits, data))

    def keys(self, text: str) -> bool:
        """Keys, as printed on them."""
        encoded = text[:MAX_KEYS].replace("*", "\x7f").replace("#", "\r").encode("ascii")
        return self._post(messages.Keypad(0, encoded))

    def input(self, number: int, active: bool) -> None:
        """An input (0 is the first) has a state; told with the next poll if it is new."""
        if self._inputs[number] == active:
            return
        self._inputs[number] = active
        report = messages.InputStatusReport(bytes(self._inputs))
        self._store(report)
        self._post(report)

    def tamper(self, active: bool) -> None:
        """The casing is open."""
        report = messages.LocalStatusReport(tamper=int(active))
        self._store(report)
        self._post(report)

    def set_key(self, key: bytes) -> None:
        """A base key by other means; the session ends. RangeError for a weak one."""
        self.engine.set_key(key, monotonic_ns())

    def install(self, seconds: float) -> None:
        """Accept the published key, and a key set under it, for so long (at most 10 minutes; 0 closes the window)."""
        self.engine.install(monotonic_ns(), round(seconds * 1e9))

    @property
    def stats(self) -> dict[str, int]:
        """Commands, repeats, NAKs ... since the start."""
        return self.engine.stats

    # --- what the controller did; ledger thread

    def jobs(self) -> list[Job]:
        """What happened since the last call."""
        jobs: list[Job] = []
        for event in self.engine.events():
            try:
                job = self._job(event)
            except FormatError as error:
                log.info("the controller's command %#04x makes no sense: %s", event.code, error)
                continue
            if job is not None:
                jobs.append(job)
        return jobs

    def _job(self, event: Event) -> Job | None:  # noqa: PLR0911 - one return a kind
        sinks = self._sinks
        match event.kind:
            case EventKind.COMMAND:
                return self._command(event)
            case EventKind.LINK:
                why = Why(event.b).name.lower() if event.b else ""
                self.status = status = msgspec.structs.replace(self.status, link=LINKS[event.a], why=why)
                return lambda tx: sinks.on_status(tx, status)
            case EventKind.KEY:
                return lambda tx: sinks.on_key_set(tx, event.data)
            case EventKind.ATTACK:
                kind = AttackKind(event.a).name.lower()
                return lambda tx: sinks.on_attack(tx, kind, event.code)
            case EventKind.INSTALL:
                return lambda tx: sinks.on_install(tx, bool(event.a), bool(event.b))
            case EventKind.LOST:
                return lambda tx: sinks.on_lost(tx, event.a)
        return None

    def _command(self, event: Event) -> Job | None:
        sinks = self._sinks
        if event.code not in (Command.LED, Command.BUZ, Command.TEXT):
            return None
        message = messages.unpack(False, event.code, event.data)
        if isinstance(message, messages.Text):
            return lambda tx: sinks.on_text(tx, message)
        records: Sequence[messages.Message] = message if isinstance(message, tuple) else (message,)
        if event.code == Command.LED:
            leds = tuple(record for record in records if isinstance(record, messages.Led))
            return lambda tx: sinks.on_led(tx, leds)
        tones = tuple(record for record in records if isinstance(record, messages.Buzzer))
        return lambda tx: sinks.on_buzzer(tx, tones)

    def _post(self, message: messages.Message) -> bool:
        if self.status.link == "offline":
            return False  # a card that was shown to nobody must not open a door when the line is back
        code, data = messages.pack(message)
        try:
            self.engine.post(code, data)
        except QueueFullError:
            return False
        return True

    def _store(self, message: messages.Message | tuple[messages.Message, ...]) -> None:
        code, data = messages.pack(message)
        try:
            self.engine.store(code, data)
        except AxError:
            log.exception("reply %s cannot be stored", Reply(code).name)


def _capabilities(inputs: int) -> tuple[messages.PdCap, ...]:
    entries = [
        (INPUTS, 1, inputs),
        (CARDS, 1, 1),
        (LEDS, 4, 1),
        (BUZZER, 2, 1),
        (TEXT, 1, 1),
        (CHECK, 1, 0),
        (SECURITY, 1, 1),
        (RECEIVE, 1440 & 0xFF, 1440 >> 8),
        (COMBINED, 1440 & 0xFF, 1440 >> 8),
        (READERS, 0, 1),
    ]
    return tuple(messages.PdCap(*entry) for entry in entries if entry[0] != INPUTS or inputs)
