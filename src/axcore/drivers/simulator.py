"""The simulated board: operations become stimuli of the native I/O thread.

``perform`` may be called from any thread (board.sock, REST); what must happen later (letting a button go) is left to
the ``Scheduler``, which the board thread provides and which does not depend on the loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from axcore._native.io import monotonic_ns
from axcore.errors import InputError, NotFoundError, QueueFullError
from axcore.model.credentials import ChipData
from axcore.model.doors import LineState
from axcore.wiegand import EDGE, FORMATS, Bits, Timing, schedule

from .board import Board
from .board_ops import (
    AnyOp,
    AudioOp,
    ButtonOp,
    CardOp,
    ChipOp,
    CircuitOp,
    ClockOp,
    DoorOp,
    DropOp,
    EdgesOp,
    FaultOp,
    InputOp,
    KeysOp,
    LinkOp,
    OpError,
    PowerOp,
    QrOp,
    ReaderOp,
    RexOp,
    SensorOp,
    StallOp,
    StateOp,
    WirelessOp,
    parse,
)

DEFAULT_PRESS = 0.2
"""Seconds."""
DEFAULT_FORMAT = "H10301"


class Scheduler(Protocol):
    """Runs something later, in the board thread."""

    def later(self, seconds: float, action: Callable[[], None]) -> None: ...


class Hurt(Protocol):
    """What the operations that go past the lines act on: sensors, and what hurts the device."""

    def feel(self, name: str, value: float | str, correlation: str | None) -> None:
        """A sensor has a value; ``InputError`` if it cannot."""

    def stall(self, action: Callable[[], None]) -> None:
        """Run ``action``, which blocks, on the loop."""

    def step(self, seconds: float) -> None:
        """Step the wall clock."""

    def drop(self, service: str) -> None:
        """Kill a service; ``NotFoundError`` if there is none of this name."""


class Parts(Protocol):
    """Parts that can be broken: light and siren (``drivers.signal``), loudspeaker and microphone (``tone_check``)."""

    def fault(self, part: str, broken: bool) -> None:
        """Break or mend a part; ``NotFoundError`` if there is none of this name."""

    def state(self) -> dict[str, Any]:
        """What is seen and heard."""


class Ears(Protocol):
    """A loudspeaker that can be heard (``drivers.speaker``)."""

    def heard(self) -> float:
        """Loudness, 0..1."""


class Mouth(Protocol):
    """Somebody who can say something (``drivers.visitor``)."""

    def say(self, samples: bytes) -> float:
        """Say samples; seconds until it is over. ConflictError, LimitError."""


class ControllerParts(Protocol):
    """What a door controller has besides lines: readers on a bus, voltages, currents."""

    def pair(self, reader: int) -> int | None:
        """The Wiegand lines of a reader; None: it is on a bus. InputError if there is no such reader."""

    def card(self, reader: int, bits: Bits, correlation: str | None) -> None:
        """A reader on a bus has read a card."""

    def reader(self, reader: int, *, online: bool | None, tampered: bool | None, correlation: str | None) -> None:
        """A reader is there or not, open or closed."""

    def circuit(self, line: str, state: LineState | None, millivolt: int | None, correlation: str | None) -> int:
        """Put a voltage at a supervised input; gives it (mV). NotFoundError if there is none."""

    def link(self, door: int, up: bool, correlation: str | None) -> None:
        """The line to a door's hardware is there or not."""

    def wireless(self, up: bool | None, lock: str, bits: Bits | None, correlation: str | None) -> None:
        """The hub of wireless locks is there or not, or a card is shown at a lock. NotFoundError if there is none."""

    def power(self, name: str, volt: float | None, ampere: float | None, correlation: str | None) -> None:
        """Feed or load a connector."""

    def state(self) -> dict[str, Any]:
        """What is seen of the doors."""


class SimulatedBoard:
    """The operations of ``board_ops`` on a board. Any thread.

    ``signal`` of a device with a light and a siren, ``speaker`` of one with a loudspeaker, ``visitor`` of one with a
    microphone, ``controller`` of one with doors.
    """

    def __init__(
        self,
        board: Board,
        hurt: Hurt,
        scheduler: Scheduler,
        *,
        signal: Parts | None = None,
        speaker: Ears | None = None,
        visitor: Mouth | None = None,
        controller: ControllerParts | None = None,
    ) -> None:
        self._signal = signal
        self._speaker = speaker
        self._visitor = visitor
        self._controller = controller
        self.board = board
        self._hurt = hurt
        self._scheduler = scheduler

    def perform(self, op: dict[str, Any]) -> dict[str, Any]:
        """Do ``{"op": NAME, ...}`` and return its data; ``InputError`` (``OpError``) names the wrong field."""
        return self.run(parse(op))

    def run(self, op: AnyOp) -> dict[str, Any]:
        """Do a parsed operation."""
        try:
            return self._run(op)
        except QueueFullError:
            raise OpError("busy", "op", "the board has no room for more now; try again later") from None

    def _run(self, op: AnyOp) -> dict[str, Any]:  # noqa: PLR0911, PLR0912 - one return an operation
        match op:
            case CardOp():
                return self._card(op)
            case EdgesOp():
                first = op.edges[0][0]
                packed = b"".join(EDGE.pack(t_ns - first, line, level) for t_ns, line, level in op.edges)
                pair = op.reader if self._controller is None else self._controller.pair(op.reader)
                if pair is None:
                    raise OpError("invalid_value", "reader", f"reader {op.reader} is on a bus: it has no D0 and D1")
                return {"t_ns": self.board.feed_edges(pair, packed, op.correlation), "edges": len(op.edges)}
            case KeysOp():
                if self._controller is not None:
                    self._controller.pair(op.reader)
                for key in op.keys:
                    self.board.feed_key(key, op.correlation, op.reader)
                return {"t_ns": monotonic_ns()}
            case ButtonOp():
                return self._press(self._button, op)
            case RexOp():
                return self._press(self.board.model.rex_input or f"rex{op.door}", op)
            case InputOp():
                line = f"port{op.port}" if str(op.port).isdigit() else str(op.port)
                return self._feed(line, op.active, op.correlation)
            case DoorOp():
                return self._feed(f"door{op.door}", op.open, op.correlation)
            case CircuitOp() | LinkOp() | ReaderOp() | PowerOp() | WirelessOp():
                return self._at_controller(op)
            case AudioOp():
                if self._visitor is None:
                    raise NotFoundError("op", "this device has no microphone that is simulated")
                return {"t_ns": monotonic_ns(), "seconds": self._visitor.say(op.samples)}
            case QrOp():
                self.board.feed_qr(op.text, op.correlation)
                return {"t_ns": monotonic_ns()}
            case ChipOp():
                secure = {name: bytes.fromhex(text) for name, text in op.secure.items()}
                chip = ChipData(chip_type=op.type, csn=bytes.fromhex(op.csn), secure=secure)
                self.board.feed_chip(chip, op.correlation)
                return {"t_ns": monotonic_ns()}
            case SensorOp():
                self._hurt.feel(op.name, op.value, op.correlation)
                return {"t_ns": monotonic_ns()}
            case FaultOp():
                if self._signal is None:
                    raise NotFoundError("part", "this device has no part that could break")
                self._signal.fault(op.part, op.broken)
                return {"t_ns": monotonic_ns(), "part": op.part, "broken": op.broken}
            case StateOp():
                return self._state()
            case StallOp():
                self._hurt.stall(lambda: time.sleep(op.seconds))
                return {"t_ns": monotonic_ns(), "seconds": op.seconds}
            case ClockOp():
                self._hurt.step(op.step)
                return {"t_ns": monotonic_ns(), "step": op.step}
            case DropOp():
                self._hurt.drop(op.service)
                return {"t_ns": monotonic_ns(), "service": op.service}

    @property
    def _button(self) -> str:
        """The button that people press: to call, or that of a device which does not call."""
        roles = {line.role: line.name for line in self.board.model.inputs}
        return roles.get("callbutton") or roles.get("control", "callbutton")

    def _at_controller(self, op: CircuitOp | LinkOp | ReaderOp | PowerOp | WirelessOp) -> dict[str, Any]:
        parts = self._controller
        if parts is None:
            raise NotFoundError("op", "this device is no door controller")
        told: dict[str, Any] = {}
        match op:
            case CircuitOp():
                told = {"line": op.line, "millivolt": parts.circuit(op.line, op.state, op.millivolt, op.correlation)}
            case LinkOp():
                parts.link(op.door, op.up, op.correlation)
            case ReaderOp():
                parts.reader(op.reader, online=op.online, tampered=op.tampered, correlation=op.correlation)
            case WirelessOp():
                parts.wireless(op.up, op.lock, Bits(op.bits) if op.lock else None, op.correlation)
            case PowerOp():
                parts.power(op.name, op.volt, op.ampere, op.correlation)
        return {"t_ns": monotonic_ns(), **told}

    def _card(self, op: CardOp) -> dict[str, Any]:
        bits = frame(op)
        timing = Timing(pulse_ns=round(op.pulse_us * 1000), interval_ns=round(op.interval_us * 1000))
        pair = op.reader if self._controller is None else self._controller.pair(op.reader)
        if pair is None:
            assert self._controller is not None
            last = monotonic_ns()
            self._controller.card(op.reader, bits, op.correlation)
        else:
            last = self.board.feed_edges(pair, schedule(bits, timing=timing), op.correlation)
        return {"t_ns": last, "length": bits.nbits, "hex": bits.hex(), "bits": f"{bits.value:0{bits.nbits}b}"}

    def _press(self, line: str, op: ButtonOp | RexOp) -> dict[str, Any]:
        if op.active is not None:
            return self._feed(line, op.active, op.correlation)
        reply = self._feed(line, True, op.correlation)
        duration = DEFAULT_PRESS if op.duration is None else op.duration
        self._scheduler.later(duration, lambda: self.board.feed_input(line, False, op.correlation))
        return reply

    def _feed(self, line: str, active: bool, correlation: str | None) -> dict[str, Any]:
        known = [entry.name for entry in self.board.model.inputs]
        if line not in known:
            raise NotFoundError("port", f"this device has no line {line} (there are: {', '.join(known)})")
        t_ns = monotonic_ns()
        self.board.feed_input(line, active, correlation)
        return {"t_ns": t_ns, "line": line, "active": active}

    def _state(self) -> dict[str, Any]:
        board = self.board
        return {
            "t_ns": monotonic_ns(),
            "model": board.model.id,
            "inputs": {line.name: board.input_active(line.name) for line in board.model.inputs},
            "outputs": {line.name: board.output_active(line.name) for line in board.model.outputs},
            **({} if self._signal is None else self._signal.state()),
            **({} if self._speaker is None else {"speaker": {"rms": round(self._speaker.heard(), 4)}}),
            **({} if self._controller is None else self._controller.state()),
        }


def frame(op: CardOp) -> Bits:
    """The frame of a card."""
    if op.bits is not None:
        return Bits(op.bits)
    if op.hex is not None and op.length is not None:
        return Bits(int(op.hex, 16), op.length)
    name = op.format or DEFAULT_FORMAT
    layout = FORMATS.get(name)
    if layout is None:
        raise OpError("invalid_value", "format", f"{name[:40]!r} is not one of {', '.join(FORMATS)}")
    try:
        return layout.encode(facility=op.facility or 0, card=op.card or 0)
    except InputError as error:
        raise OpError("invalid_value", error.field, error.reason) from None
