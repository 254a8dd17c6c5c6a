"""The serial lines of a device by name: devices of the configuration, on a simulated board ptys in their place, and the
native thread that runs OSDP on them. Shared by door stations and door controllers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axcore.drivers.board import Board
from axcore.drivers.osdp_lines import OsdpLines
from axcore.drivers.serial import KeptLine, Line, PtyLine, SerialLine
from axcore.runtime.ledger import Job, Transaction

if TYPE_CHECKING:
    from axcore.runtime.clock import Instant

log = logging.getLogger(__name__)


class SerialPorts:
    """``devices``: name of a line to its device, empty = none is configured. A timer of the ledger, which opens again
    what has failed."""

    def __init__(self, devices: Mapping[str, str], *, kernel_rs485: bool) -> None:
        self._devices = devices
        self._kernel_rs485 = kernel_rs485
        self._lines: OsdpLines | None = None
        self._ptys: dict[str, PtyLine] = {}

    def attach(self, board: Board, *, simulated: bool, data_dir: Path) -> None:
        """Make the thread and, on a simulated board, a pty for each line without a device, linked in ``data_dir``."""
        self._lines = OsdpLines(board.io.event_fd)
        if simulated:
            self._ptys = {name: PtyLine(data_dir / name) for name, device in self._devices.items() if not device}

    @property
    def lines(self) -> OsdpLines:
        """The thread. Only after ``attach``."""
        assert self._lines is not None, "the lines are not attached"
        return self._lines

    @property
    def far_ends(self) -> dict[str, str]:
        """Name of a simulated line to the device at its other end."""
        return {name: pty.path for name, pty in self._ptys.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._devices

    def line(self, name: str, baud: int) -> Line | None:
        """A line to put an end on; None: there is none of this name."""
        device = self._devices.get(name, "")
        if device:
            return SerialLine(path=device, baud=baud, rs485=self._kernel_rs485)
        return KeptLine(self._ptys[name]) if name in self._ptys else None

    def start(self) -> None:
        """Poll and answer from here on."""
        self.lines.start()

    def stop(self) -> None:
        """End the thread, close the lines."""
        self.lines.stop()
        for pty in self._ptys.values():
            pty.close()

    def jobs(self) -> list[Job[Any]]:
        """What the lines saw (ledger thread)."""
        return list(self.lines.jobs())

    def next_deadline(self) -> int | None:
        return None if self._lines is None else self._lines.next_deadline()

    def advance(self, tx: Transaction, now: Instant) -> None:
        if self._lines is not None:
            self._lines.advance(tx, now)


def lost(tx: Transaction, count: int) -> None:
    """The sink of events that found no room."""
    log.warning("%d events of an OSDP line found no room", count)
