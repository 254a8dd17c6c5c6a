"""The door station as a reader of a door controller (manual: Reader > Connection, Output format, Chip types).

What cards and keys the entry list leaves to the controller is brought into the configured form and sent by OSDP, on
DATA0 and DATA1, or over the network; what the controller wants shown goes to the indicator stripe. Sending is an effect
of the commit that has the read on record. Methods that take ``tx`` are jobs of the ledger thread; ``settings`` and
``state`` may be read from any thread. Record: ``reader/settings``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.devices.reader import ReaderStatus
from axcore.errors import InputError, StateError
from axcore.model import events as topics
from axcore.model.convert import patched_groups
from axcore.model.credentials import CredentialRead
from axcore.model.events import NewEvent
from axcore.osdp import messages
from axcore.services.indicators import IndicatorService
from axcore.services.stored import load_settings

from .lamp import STEADY, Beep, Lamp, beep
from .settings import Connection, ReaderSettings, ReaderState, check
from .shape import accepted, key_frames, shaped
from .wires import Wires

if TYPE_CHECKING:
    from axcore.runtime.clock import Instant
    from axcore.runtime.ledger import Transaction

log = logging.getLogger(__name__)

STRIPE = "stripe"
OWNER = "door controller"
CONTROLLER, EXTERNAL = "controller", "external"
MAX_INSTALL = 600.0
OFFLINE = "the door controller is not there"
_RECORD = ("reader", "settings")


class ReaderService:
    """See the module's text. ``attach`` gives it the wires before the start."""

    def __init__(self, indicators: IndicatorService) -> None:
        self.settings = ReaderSettings()
        self._indicators = indicators
        self._wires: Wires | None = None
        self._lamp = Lamp()
        self._beep: Beep | None = None
        self._inputs: dict[int, bool] = {}
        self._told: dict[str, ReaderStatus] = {}
        self._window: dict[str, bool] = {}
        self._sent = self._dropped = 0
        self.shared_pins = False
        """DATA0 and DATA1 are also the RS-485 pins of an external reader: one or the other. Set before the start."""
        self.is_input: Callable[[int], bool] = lambda port: True
        """Whether an I/O port (1 to 4) is an input now. Set before the start."""

    def attach(self, wires: Wires) -> None:
        """The connections; they are made by ``connect``."""
        self._wires = wires

    # --- settings

    def load(self, tx: Transaction) -> None:
        """Read what is stored."""
        self.settings = load_settings(tx, _RECORD, ReaderSettings)

    def connect(self) -> None:
        """Make the connections that the settings ask for."""
        if self._wires is not None:
            self._wires.connect(self.settings)

    def using(self, certificate: str) -> Iterable[str]:
        """Whether the door controller is trusted by a certificate (alias)."""
        if certificate == self.settings.vapix.ca_certificate:
            yield "the connection of the reader to its door controller"

    def set_settings(self, tx: Transaction, patch: dict[str, Any]) -> ReaderSettings:
        """Change the given settings, group by group; secrets that are left out stay. Raises InputError."""
        settings = check(patched_groups(self.settings, patch, ReaderSettings))
        if self.shared_pins and settings.external.enabled and settings.protocol in ("osdp", "wiegand"):
            field = "external.enabled" if "external" in patch else "protocol"
            raise InputError(field, f"an external reader and {settings.protocol} need the same pins of the connector")
        for port in sorted(settings.wiegand.taken) if settings.protocol == "wiegand" else ():
            if not self.is_input(port):
                raise InputError("wiegand", f"I/O port {port} is an output; make it an input first")
        if settings != self.settings:
            if settings.protocol != self.settings.protocol:
                tx.assign(self, "_lamp", Lamp())
                self._sound(tx, None)
                self._indicators.release(tx, STRIPE, OWNER)
            self._keep(tx, settings)
            tx.after_commit(self.connect)
            self._show_inputs(tx, settings)
        return settings

    def install(self, tx: Transaction, seconds: float, side: str = CONTROLLER) -> None:
        """Let the other end set a key under the published one for so long; 0 ends it. Raises InputError, StateError."""
        if not 0 <= seconds <= MAX_INSTALL:
            raise InputError("seconds", f"must be 0 to {MAX_INSTALL:.0f}")
        wire = None if self._wires is None else self._wires.osdp
        if wire is None or side != CONTROLLER:
            raise StateError("there is no OSDP connection to a door controller")
        tx.after_commit(lambda: wire.install(seconds))

    def state(self) -> ReaderState:
        """How the connections stand."""
        near, far = self._told.get(CONTROLLER, ReaderStatus()), self._told.get(EXTERNAL, ReaderStatus())
        protocol = self.settings.protocol
        connection: Connection = "not_connected"
        if protocol == "wiegand":
            connection = "connected"  # nothing comes back on these lines
        elif protocol != "none":
            connection = "connected" if near.online else "connecting"
        external: Connection = "not_connected"
        if self.settings.external.enabled:
            external = "connected" if far.online else "connecting"
        return ReaderState(
            protocol=protocol,
            connection=connection,
            secure=near.link == "secure",
            reason=near.why,
            install_window=self._window.get(CONTROLLER, False),
            external=external,
            external_secure=far.link == "secure",
            external_tamper=far.tamper,
            sent=self._sent,
            dropped=self._dropped,
        )

    @property
    def taken_ports(self) -> frozenset[int]:
        """I/O ports (1 to 4) that are inputs of the Wiegand reader: events of theirs stop."""
        return self.settings.wiegand.taken if self.settings.protocol == "wiegand" else frozenset()

    # --- services.access.Controller

    def accept(self, read: CredentialRead) -> CredentialRead | None:
        """What is used of a card at the built-in reader: chip types and data sets. None: silently ignored."""
        return accepted(read, self.settings.chips)

    def forward(self, tx: Transaction, read: CredentialRead) -> bool:  # noqa: PLR0911 - one return a way
        """Send a card or a QR code in the configured form; False when it cannot be sent, or nobody is there."""
        wires, protocol = self._wires, self.settings.protocol
        if wires is None or protocol == "none":
            return False
        bits = shaped(read, self.settings)
        if protocol == "vapix" and (vapix := wires.vapix) is not None:
            return self._send(tx, read.kind, lambda: vapix.card(read, bits))
        if bits is None:
            return self._cannot(read.kind, "it is too long")
        if protocol == "osdp" and (osdp := wires.osdp) is not None:
            if not osdp.status.online:
                return self._cannot(read.kind, OFFLINE)
            wiegand = self.settings.output.format != "Raw"
            return self._send(tx, read.kind, lambda: osdp.card(bits, wiegand=wiegand))
        if protocol == "wiegand" and (lines := wires.wiegand) is not None:
            return self._send(tx, read.kind, lambda: lines.send([bits]))
        return False

    def forward_key(self, tx: Transaction, key: str) -> bool:
        """Send a key, where keys go one by one."""
        wires, protocol = self._wires, self.settings.protocol
        if wires is None:
            return False
        if protocol == "osdp" and (osdp := wires.osdp) is not None:
            return self._send(tx, "key", lambda: osdp.keys(key))
        if protocol == "wiegand" and (lines := wires.wiegand) is not None and self._by_key:
            frames = key_frames(key, self.settings)
            return self._send(tx, "key", lambda: lines.send(frames))
        return False

    def forward_pin(  # noqa: PLR0911 - one return a way
        self, tx: Transaction, digits: str, *, as_typed: bool
    ) -> bool:
        """Send a whole PIN, unless its keys were sent as they were pressed."""
        wires, protocol = self._wires, self.settings.protocol
        if wires is None or protocol == "none" or not digits:
            return False
        if protocol == "osdp" and (osdp := wires.osdp) is not None:
            if as_typed:
                return True
            if not osdp.status.online:
                return self._cannot("pin", OFFLINE)
            return self._send(tx, "pin", lambda: osdp.keys(f"{digits}#"))
        if protocol == "wiegand" and (lines := wires.wiegand) is not None:
            if as_typed and self._by_key:
                return True
            try:
                frames = key_frames(digits if not self._by_key else f"{digits}#", self.settings)
            except InputError as error:
                log.info("a PIN cannot be sent: %s", error.reason)
                return False
            return self._send(tx, "pin", lambda: lines.send(frames))
        if protocol == "vapix" and (vapix := wires.vapix) is not None:
            return self._send(tx, "pin", lambda: vapix.pin(digits))
        return False

    # --- what else the controller is told

    def on_rex(self, tx: Transaction, active: bool) -> None:
        """The request to exit: an input of the OSDP reader, an activity of the VAPIX reader."""
        wires, protocol = self._wires, self.settings.protocol
        if wires is None:
            return
        if protocol == "osdp" and (osdp := wires.osdp) is not None:
            tx.after_commit(lambda: osdp.input(0, active))
        elif protocol == "vapix" and active and (vapix := wires.vapix) is not None:
            self._send(tx, "rex", vapix.rex)

    def on_casing(self, tx: Transaction, is_open: bool) -> None:
        """The casing was opened or closed."""
        if self._wires is not None and (osdp := self._wires.osdp) is not None:
            tx.after_commit(lambda: osdp.tamper(is_open))

    def on_port(self, tx: Transaction, number: int, active: bool) -> None:
        """An I/O port (1 to 4) has a state: with Wiegand it may light the stripe or sound the beeper."""
        if self._inputs.get(number) == active:
            return
        tx.assign(self, "_inputs", {**self._inputs, number: active})
        wiegand = self.settings.wiegand
        if self.settings.protocol == "wiegand" and wiegand.beeper and number == wiegand.beeper_input:
            data = {"on": "0", "off": "0", "count": "0", "active": str(int(active))}
            tx.publish(NewEvent(topic=topics.READER_BUZZER, data=data))
            self._sound(tx, STEADY if active else None)
        self._show_inputs(tx, self.settings)

    # --- what the controller wants (drivers.osdp_reader.OutputSinks, and the VAPIX client)

    def on_led(self, tx: Transaction, records: tuple[messages.Led, ...]) -> None:
        """The stripe is the only LED: number 0 of reader 0."""
        lamp = self._lamp.advance(tx.now.mono_ns)
        for record in records:
            if record.reader == 0 and record.led == 0:
                lamp = lamp.command(record, tx.now.mono_ns)
        self._light(tx, lamp)

    def on_buzzer(self, tx: Transaction, records: tuple[messages.Buzzer, ...]) -> None:
        for record in records:
            on, off = (record.on * 100, record.off * 100) if record.tone > 1 else (0, 0)
            data = {"on": str(on), "off": str(off), "count": str(record.count), "active": str(int(record.tone > 1))}
            tx.publish(NewEvent(topic=topics.READER_BUZZER, data=data))
            self._sound(tx, beep(record, tx.now.mono_ns))

    def on_text(self, tx: Transaction, text: messages.Text) -> None:
        shown = "".join(char if char.isprintable() else " " for char in text.text.decode("latin-1"))
        seconds = text.seconds if text.command in (3, 4) else 0
        tx.publish(NewEvent(topic=topics.READER_TEXT, data={"text": shown, "seconds": str(seconds)}))

    def on_status(self, tx: Transaction, status: ReaderStatus, side: str = CONTROLLER) -> None:
        """A connection stands in another way."""
        before = self._told.get(side)
        if status == before:
            return
        tx.assign(self, "_told", {**self._told, side: status})
        if side == EXTERNAL and (before is None or before.tamper != status.tamper):
            data = {"active": str(int(status.tamper))}
            tx.publish(NewEvent(topic=topics.READER_TAMPER, data=data, is_property=True))
        tx.publish(_connection(side, status))
        if side == CONTROLLER and not status.online:
            self._light(tx, Lamp())
            self._sound(tx, None)

    def on_key_set(self, tx: Transaction, key: bytes, side: str = CONTROLLER) -> None:
        """A new base key is in use: keep it."""
        part = "osdp" if side == CONTROLLER else "external"
        self._keep(tx, check(patched_groups(self.settings, {part: {"key": key.hex()}}, ReaderSettings)))
        tx.publish(NewEvent(topic=topics.READER_KEY, source={"side": side}))

    def on_attack(self, tx: Transaction, kind: str, code: int, side: str = CONTROLLER) -> None:
        """Something that must not be was refused."""
        data = {"kind": kind, "code": f"{code:#04x}"}
        tx.publish(NewEvent(topic=topics.READER_ATTACK, source={"side": side}, data=data), lazy=True)

    def on_install(self, tx: Transaction, is_open: bool, installed: bool, side: str = CONTROLLER) -> None:
        tx.assign(self, "_window", {**self._window, side: is_open})
        data = {"open": str(int(is_open)), "installed": str(int(installed))}
        tx.publish(NewEvent(topic=topics.READER_INSTALL, source={"side": side}, data=data, is_property=True))

    def on_answer(self, tx: Transaction, granted: bool) -> None:
        """The controller on the network has decided."""
        self._indicators.light(tx, STRIPE, "green" if granted else "red", owner=OWNER, seconds=2.0 if granted else 1.0)

    def announce(self, tx: Transaction) -> None:
        """Publish how the connections stand (start)."""
        for side in (CONTROLLER, EXTERNAL):
            tx.publish(_connection(side, self._told.get(side, ReaderStatus())), logged=False)
        self._show_inputs(tx, self.settings)

    # --- time (a timer of the ledger)

    def next_deadline(self) -> int | None:
        until = (self._lamp.deadline_ns, None if self._beep is None else self._beep.until_ns)
        return min((t_ns for t_ns in until if t_ns is not None), default=None)

    def advance(self, tx: Transaction, now: Instant) -> None:
        self._light(tx, self._lamp.advance(now.mono_ns))
        if self._beep is not None and self._beep.until_ns is not None and self._beep.until_ns <= now.mono_ns:
            self._sound(tx, None)

    # --- inside

    @property
    def _by_key(self) -> bool:
        return self.settings.wiegand.keypress.format in ("FourBit", "EightBitZeroPadded", "EightBitInvertPadded")

    def _send(self, tx: Transaction, kind: str, send: Callable[[], bool]) -> bool:
        def effect() -> None:
            if send():
                self._sent += 1
            else:
                self._cannot(kind, OFFLINE)

        tx.after_commit(effect)
        return True

    def _cannot(self, kind: str, reason: str) -> bool:
        self._dropped += 1
        log.warning("a credential (%s) was not sent: %s", kind, reason)
        return False

    def _light(self, tx: Transaction, lamp: Lamp) -> None:
        if lamp == self._lamp:
            return
        tx.assign(self, "_lamp", lamp)
        if lamp == Lamp():
            self._indicators.release(tx, STRIPE, OWNER)
        else:
            self._indicators.light(tx, STRIPE, lamp.shown.color, lamp.shown.interval_ms, owner=OWNER)

    def _sound(self, tx: Transaction, wanted: Beep | None) -> None:
        wires = self._wires
        if wanted != self._beep and wires is not None:
            tx.assign(self, "_beep", wanted)
            tx.after_commit(lambda: wires.beep(wanted))

    def _show_inputs(self, tx: Transaction, settings: ReaderSettings) -> None:
        """With Wiegand the ports light the stripe: an active input is low."""
        if settings.protocol != "wiegand":
            return
        wiegand = settings.wiegand
        low1, low2 = (self._inputs.get(port or 0, False) for port in (wiegand.led1_input, wiegand.led2_input))
        color = wiegand.idle_color
        if wiegand.led_inputs == 1:
            color = wiegand.low_color if low1 else wiegand.high_color
        elif wiegand.led_inputs == 2 and (low1 or low2):
            color = wiegand.both_color if low1 and low2 else wiegand.led1_color if low1 else wiegand.led2_color
        self._indicators.light(tx, STRIPE, color, owner=OWNER)

    def _keep(self, tx: Transaction, settings: ReaderSettings) -> None:
        tx.put(*_RECORD, msgspec.json.encode(settings))
        tx.assign(self, "settings", settings)
        data = {"kind": "reader", "key": "settings", "action": "update"}
        tx.publish(NewEvent(topic=topics.CONFIGURATION_CHANGED, data=data))


def _connection(side: str, status: ReaderStatus) -> NewEvent:
    data = {"state": "connected" if status.online else "not_connected", "secure": str(int(status.link == "secure"))}
    if status.why:
        data["reason"] = status.why
    return NewEvent(topic=topics.READER_CONNECTION, source={"side": side}, data=data, is_property=True)
