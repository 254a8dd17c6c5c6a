"""What a door station has besides: it is a reader of a door controller, and may have a reader of its own. Composition.

Imported for models that have a reader and no doors: others load nothing of it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec

from axcore.devices.models import DeviceModel
from axcore.devices.reader import ReaderSinks, ReaderStatus
from axcore.drivers.beeper import Beeper
from axcore.drivers.board import Board
from axcore.drivers.desk import Desk
from axcore.drivers.osdp_bus import OsdpBus
from axcore.drivers.osdp_reader import OsdpOutput, OutputSinks
from axcore.drivers.speaker import Loudspeaker
from axcore.drivers.tone_check import SimulatedRoom, ToneCheck
from axcore.drivers.wiegand_output import WiegandOutput
from axcore.model.config import Config
from axcore.model.credentials import CredentialRead
from axcore.runtime.ledger import Job, Ledger, Transaction
from axcore.runtime.outbox import Outbox
from axcore.services.access import AccessService
from axcore.services.indicators import IndicatorService
from axcore.services.reader import CONTROLLER, EXTERNAL, ReaderService, ReaderSettings
from axcore.services.reader.lamp import Beep
from axcore.services.reader.vapix import Request, VapixOutput
from axcore.services.speaker_test import SpeakerTestService

from .serial_ports import SerialPorts, lost

log = logging.getLogger(__name__)

RS485, SECOND = "rs485", "external"
"""The reader connector, on a simulated board also the link in the data directory to its far end; a line of its own for
an external reader."""
VAPIX_BOX = 64
EXTERNAL_READER = 1
"""Number of the external reader; the built-in one is 0."""


class Station:
    """The station's part of a device (``services.reader.Wires``)."""

    def __init__(
        self, model: DeviceModel, ledger: Ledger, *, indicators: IndicatorService, access: AccessService, config: Config
    ) -> None:
        self.service = ReaderService(indicators)
        self.speaker_test = SpeakerTestService(ledger.post, model.id) if model.speaker_test else None
        self.room: SimulatedRoom | None = None
        """Where a simulated loudspeaker and microphone are."""
        self.requests: Outbox[Request] = Outbox(VAPIX_BOX)
        """For the client of a controller on the network."""
        self.osdp: OsdpOutput | None = None
        self.wiegand: WiegandOutput | None = None
        self.vapix: VapixOutput | None = None
        serial = config.serial
        devices = {RS485: serial.rs485} | ({SECOND: serial.external} if serial.external else {})
        self.ports = SerialPorts(devices, kernel_rs485=serial.kernel_rs485)
        tests: tuple[Job[None], ...] = () if self.speaker_test is None else (self.speaker_test.load,)
        self.loaders: tuple[Job[None], ...] = (self.service.load, *tests)
        self.timers: tuple[Any, ...] = (self.service, self.ports)
        self._ledger = ledger
        self._access = access
        self._sound = config.sound
        self._board: Board | None = None
        self._external: OsdpBus | None = None
        self._beeper: Beeper | None = None
        self._connected: ReaderSettings | None = None
        access.controller = self.service
        self.service.shared_pins = serial.external in ("", serial.rs485)

    def attach(self, board: Board, *, simulated: bool, data_dir: Path) -> None:
        """Lines are there; nothing is connected yet."""
        self._board = board
        self.ports.attach(board, simulated=simulated, data_dir=data_dir)
        self.service.attach(self)
        if self.speaker_test is not None:
            self.room = SimulatedRoom() if simulated and not self._sound.device else None
            card = ToneCheck.on_card(self._sound.device, self._sound.microphone)
            self.speaker_test.attach(card if self.room is None else ToneCheck(self.room.card))

    def join(self, speaker: Loudspeaker, desk: Desk | None) -> None:
        """The beeper sounds on the loudspeaker, or where ``desk`` takes it during a call."""
        self._beeper = Beeper(speaker) if desk is None else Beeper(speaker, desk.beep)

    @property
    def far_end(self) -> str:
        """The other end of the reader connector's line, for those who connect something; empty on a real one."""
        return self.ports.far_ends.get(RS485, "")

    def start(self) -> None:
        """After the board: poll and answer from here on."""
        self.ports.start()
        self.service.connect()

    def stop(self) -> None:
        """Before the board and the loudspeaker."""
        if self._beeper is not None:
            self._beeper.stop()
        self.ports.stop()

    def jobs(self) -> list[Job[Any]]:
        """What the lines saw (ledger thread)."""
        return self.ports.jobs()

    def on_read(self, tx: Transaction, read: CredentialRead) -> None:
        """The built-in reader has read something."""
        accepted = self.service.accept(read)
        if accepted is not None:
            self._access.on_read(tx, accepted)

    def on_input(self, tx: Transaction, line: str, role: str, active: bool) -> None:
        """An input changed."""
        if role == "calibrate" and self.speaker_test is not None:
            self.speaker_test.on_button(tx, active)
        elif role == "rex":
            self.service.on_rex(tx, active)
        elif role == "casing":
            self.service.on_casing(tx, active)
        elif role == "port":
            self.service.on_port(tx, int(line.removeprefix("port")), active)

    def mutes(self, line: str) -> bool:
        """Whether nothing is told of this input: it is the reader's."""
        return line.startswith("port") and int(line.removeprefix("port")) in self.service.taken_ports

    # --- services.reader.Wires

    def beep(self, beep: Beep | None) -> None:
        """Have the beeper sound so; any thread."""
        if self._beeper is None:
            return
        if beep is None:
            self._beeper.silence()
        else:
            self._beeper.sound(beep.on_ms, beep.off_ms)

    def connect(self, settings: ReaderSettings) -> None:
        """Make those connections anew whose settings changed. Ledger thread, after the commit."""
        before = self._connected or ReaderSettings()
        self._connected = settings
        way = settings.protocol
        changed = before.protocol != way or (way == "osdp" and before.osdp != settings.osdp)
        changed |= way == "vapix" and before.vapix != settings.vapix
        moved = before.external != settings.external
        if changed:
            self._let_go(self.osdp, CONTROLLER)
            self.osdp = None
        if moved:
            self._let_go(self._external, EXTERNAL)
            self._external = None
        if changed:
            self._connect_controller(settings)
        if moved:
            self._connect_external(settings)

    def _let_go(self, end: OsdpOutput | OsdpBus | None, side: str) -> None:
        """Both ends may be of one line: what goes comes before what is new."""
        if end is not None:
            self.ports.lines.remove(end)
        self._ledger.post(lambda tx: self.service.on_status(tx, ReaderStatus(), side))

    def _connect_controller(self, settings: ReaderSettings) -> None:
        assert self._board is not None
        self.wiegand = WiegandOutput(self._board) if settings.protocol == "wiegand" else None
        self.vapix = VapixOutput(self.requests) if settings.protocol == "vapix" else None
        if self.vapix is not None:
            self.vapix.look()
        if settings.protocol != "osdp":
            return
        line = self.ports.line(RS485, settings.osdp.baud)
        if line is None:
            log.error("the reader connector has no serial line: set rs485 in [serial] of axcore.toml")
            return
        osdp = settings.osdp
        key = bytes.fromhex(osdp.key) if osdp.key else None
        sinks = OutputSinks(
            on_led=self.service.on_led,
            on_buzzer=self.service.on_buzzer,
            on_text=self.service.on_text,
            on_status=self.service.on_status,
            on_key_set=self._key_set,
            on_attack=self.service.on_attack,
            on_install=self.service.on_install,
            on_lost=lost,
        )
        self.osdp = OsdpOutput(line, sinks, address=osdp.address, key=key, inputs=1)
        for name in ("casing", "rex"):
            if self._board.input_active(name):
                self.osdp.tamper(True) if name == "casing" else self.osdp.input(0, True)
        self.ports.lines.add(self.osdp)

    def _connect_external(self, settings: ReaderSettings) -> None:
        external, service = settings.external, self.service
        if not external.enabled:
            return
        line = self.ports.line(SECOND if SECOND in self.ports else RS485, external.baud)
        if line is None:
            log.error("there is no serial line for an external reader: set external in [serial] of axcore.toml")
            return
        sinks = ReaderSinks(
            on_read=self._access.on_read,
            on_keys=self._keys,
            on_status=lambda tx, index, status: service.on_status(tx, status, EXTERNAL),
            on_inputs=_nothing,
            on_attack=lambda tx, index, kind, code: service.on_attack(tx, kind, code, EXTERNAL),
            on_key_set=lambda tx, index, key: service.on_key_set(tx, key, EXTERNAL),
            on_install=lambda tx, index, is_open, done: service.on_install(tx, is_open, done, EXTERNAL),
            on_moved=_nothing,
            on_lost=lost,
        )
        self._external = OsdpBus(line, sinks, baud=external.baud)
        key = bytes.fromhex(external.key) if external.key else None
        self._external.add(EXTERNAL_READER, external.address, key=key)
        self.ports.lines.add(self._external)

    def _key_set(self, tx: Transaction, key: bytes) -> None:
        self.service.on_key_set(tx, key)
        connected = self._connected
        if connected is not None:  # it is in use: nothing has to be made anew for it
            self._connected = msgspec.structs.replace(connected, osdp=self.service.settings.osdp)

    def _keys(self, tx: Transaction, index: int, keys: str, t_ns: int) -> None:
        for key in keys:
            if key in "0123456789*#":
                self._access.on_key(tx, key, t_ns, None, keypad=index)


def _nothing(*_: object) -> None:
    """Inputs of an external reader, and where it moved, are not used."""
