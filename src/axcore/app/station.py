"""What a door station has besides: it is a reader of a door controller, and may have a reader of its own. Composition.

Imported for models that have a reader and no doors: others load nothing of it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from axcore.devices.models import WIEGAND_OUTPUT, DeviceModel
from axcore.devices.reader import ReaderSinks, ReaderStatus
from axcore.drivers.board import Board
from axcore.drivers.osdp_bus import OsdpBus
from axcore.drivers.osdp_lines import OsdpLines
from axcore.drivers.osdp_reader import OsdpOutput, OutputSinks
from axcore.drivers.serial import KeptLine, Line, PtyLine, SerialLine
from axcore.drivers.tone_check import SimulatedRoom, ToneCheck
from axcore.drivers.wiegand_output import WiegandOutput
from axcore.model.config import Config, SerialConfig
from axcore.runtime.ledger import Job, Ledger, Transaction
from axcore.runtime.outbox import Outbox
from axcore.services.access import AccessService
from axcore.services.indicators import IndicatorService
from axcore.services.reader import EXTERNAL, ReaderService, ReaderSettings
from axcore.services.reader.vapix import Request, VapixOutput
from axcore.services.speaker_test import SpeakerTestService

log = logging.getLogger(__name__)

RS485, EXTERNAL_LINK = "rs485", "rs485-external"
"""Links in the data directory to the far ends of simulated lines."""
VAPIX_BOX = 64
EXTERNAL_READER = 1
"""Number of the external reader; the built-in one is 0."""


class Lines(NamedTuple):
    """The far ends of simulated lines, for those who connect something; empty on real ones."""

    rs485: str = ""
    external: str = ""


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
        self.lines: OsdpLines | None = None
        self.far_ends = Lines()
        tests: tuple[Job[None], ...] = () if self.speaker_test is None else (self.speaker_test.load,)
        self.loaders: tuple[Job[None], ...] = (self.service.load, *tests)
        self.timers: tuple[Any, ...] = (self.service, _Reopen(self))
        self._ledger = ledger
        self._access = access
        self._serial: SerialConfig = config.serial
        self._sound = config.sound
        self._board: Board | None = None
        self._ptys: dict[str, PtyLine] = {}
        self._external: OsdpBus | None = None
        self._connected: ReaderSettings | None = None
        access.controller = self.service

    def attach(self, board: Board, *, simulated: bool, data_dir: Path) -> None:
        """Lines are there; nothing is connected yet."""
        self._board = board
        self.lines = OsdpLines(board.io.event_fd)
        if simulated:
            for name, configured in ((RS485, self._serial.rs485), (EXTERNAL_LINK, self._serial.external)):
                if not configured:
                    self._ptys[name] = PtyLine(data_dir / name)
            self.far_ends = Lines(*(self._ptys[n].path if n in self._ptys else "" for n in (RS485, EXTERNAL_LINK)))
        self.service.attach(self)
        if self.speaker_test is not None:
            self.room = SimulatedRoom() if simulated and not self._sound.device else None
            card = ToneCheck.on_card(self._sound.device, self._sound.microphone)
            self.speaker_test.attach(card if self.room is None else ToneCheck(self.room.card))

    def start(self) -> None:
        """After the board: poll and answer from here on."""
        assert self.lines is not None
        self.lines.start()
        self.service.connect()

    def stop(self) -> None:
        """Before the board."""
        assert self.lines is not None
        self.lines.stop()
        for pty in self._ptys.values():
            pty.close()

    def jobs(self) -> list[Job[Any]]:
        """What the lines saw (ledger thread)."""
        assert self.lines is not None
        return list(self.lines.jobs())

    def ended(self, line: str) -> bool:
        """Whether a sequence that ended was of the data lines."""
        if line not in WIEGAND_OUTPUT:
            return False
        if self.wiegand is not None:
            self.wiegand.ended(line)
        return True

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

    # --- services.reader.Wires

    def connect(self, settings: ReaderSettings) -> None:
        """Make those connections anew whose settings changed. Ledger thread, after the commit."""
        before = self._connected or ReaderSettings()
        self._connected = settings
        way = settings.protocol
        changed = before.protocol != way or (way == "osdp" and before.osdp != settings.osdp)
        if changed or (way == "vapix" and before.vapix != settings.vapix):
            self._connect_controller(settings)
        if before.external != settings.external:
            self._connect_external(settings)

    def _connect_controller(self, settings: ReaderSettings) -> None:
        assert self.lines is not None
        assert self._board is not None
        if self.osdp is not None:
            self.lines.remove(self.osdp)
            self.osdp = None
            self._ledger.post(lambda tx: self.service.on_status(tx, ReaderStatus()))
        self.wiegand = WiegandOutput(self._board) if settings.protocol == "wiegand" else None
        self.vapix = VapixOutput(self.requests) if settings.protocol == "vapix" else None
        if settings.protocol != "osdp":
            return
        line = self._line(RS485, self._serial.rs485, settings.osdp.baud)
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
            on_lost=_lost,
        )
        self.osdp = OsdpOutput(line, sinks, address=osdp.address, key=key, inputs=1)
        for name in ("casing", "rex"):
            if self._board.input_active(name):
                self.osdp.tamper(True) if name == "casing" else self.osdp.input(0, True)
        self.lines.add(self.osdp)

    def _connect_external(self, settings: ReaderSettings) -> None:
        assert self.lines is not None
        external, service = settings.external, self.service
        if self._external is not None:
            self.lines.remove(self._external)
            self._external = None
            self._ledger.post(lambda tx: service.on_status(tx, ReaderStatus(), EXTERNAL))
        if not external.enabled:
            return
        line = self._line(EXTERNAL_LINK, self._serial.external, external.baud)
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
            on_lost=_lost,
        )
        self._external = OsdpBus(line, sinks, baud=external.baud)
        key = bytes.fromhex(external.key) if external.key else None
        self._external.add(EXTERNAL_READER, external.address, key=key)
        self.lines.add(self._external)

    def _line(self, name: str, device: str, baud: int) -> Line | None:
        if device:
            return SerialLine(path=device, baud=baud, rs485=self._serial.kernel_rs485)
        return KeptLine(self._ptys[name]) if name in self._ptys else None

    def _key_set(self, tx: Transaction, key: bytes) -> None:
        self.service.on_key_set(tx, key)
        connected = self._connected
        if connected is not None:  # it is in use: nothing has to be made anew for it
            self._connected = msgspec.structs.replace(connected, osdp=self.service.settings.osdp)

    def _keys(self, tx: Transaction, index: int, keys: str, t_ns: int) -> None:
        for key in keys:
            if key in "0123456789*#":
                self._access.on_key(tx, key, t_ns, None, keypad=index)


class _Reopen:
    """Looks after lines that failed: a timer of the ledger."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def next_deadline(self) -> int | None:
        lines = self._station.lines
        return None if lines is None else lines.next_deadline()

    def advance(self, tx: Transaction, now: Any) -> None:
        lines = self._station.lines
        if lines is not None:
            lines.advance(tx, now)


def _nothing(*_: object) -> None:
    """Inputs of an external reader, and where it moved, are not used."""


def _lost(tx: Transaction, count: int) -> None:
    log.warning("%d events of an OSDP line found no room", count)
