"""The board of a device over the native I/O thread: names instead of indices, correlation texts instead of tokens.

Commands may be given from any thread. What the thread saw is turned into jobs by ``jobs``, which the ledger thread
calls. Levels: an input that is open is high (pulled up); an output that is high closes its circuit.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from axcore._native.io import (
    KIND_DROPPED,
    KIND_FRAME,
    KIND_INPUT,
    KIND_KEY,
    KIND_LABEL,
    KIND_OUTPUT,
    KIND_SEQUENCE_END,
    GpioConfig,
    GpioLine,
    InputConfig,
    IoEvent,
    IoThread,
    LightConfig,
    OutputConfig,
    ReaderConfig,
    monotonic_ns,
)
from axcore.devices import DeviceModel
from axcore.errors import InputError, QueueFullError
from axcore.model.config import BoardConfig, GpioPin, WiegandConfig
from axcore.model.credentials import CardValue, ChipData, CredentialRead
from axcore.model.ports import Circuit
from axcore.wiegand import Bits, Timing

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

log = logging.getLogger(__name__)

Job = Callable[["Transaction"], Any]
SECOND = 1_000_000_000
READER_ERRORS = ("none", "overlap", "short", "long", "pulse", "gap", "stuck", "order")
"""Names of ``enum ax_wiegand_result``, as in the data of the event READER_FAULT."""
GPIO_FLAGS = {"active_low": 1, "pull_up": 2, "pull_down": 4, "bias_off": 8, "open_drain": 16}
"""``enum ax_gpio_flag``."""
SETTLE_LOOKS, SETTLE_STEP = 10, 0.00002
"""At most 0.2 ms of the ledger thread's time, when a stronger claim hides what was set."""
FIFO_PRIORITY = 20
"""The I/O thread goes before ordinary threads, where the system allows it: REX does not wait for a busy machine."""
CODE_NS = SECOND // 30
"""A camera looks 30 times a second: QR codes do not come faster ..."""
CODE_BURST = 4
"""... but for so many at once."""
MAX_CHIPS = 64
"""Readings of a card module that are on their way."""
MAX_TOKENS = 4096
"""Correlations that can be on their way at once; the oldest are forgotten first."""


@dataclass(frozen=True, kw_only=True)
class Sinks:
    """Who is told what the board saw; each is a job's body (``correlation`` last, if nothing else is said)."""

    on_read: Callable[[Transaction, CredentialRead], object]
    on_key: Callable[[Transaction, str, int, str | None, int], object]
    """Its reader or keypad comes last."""
    on_input: Callable[[Transaction, str, bool, int, str | None], object]
    on_output: Callable[[Transaction, str, bool, int, str | None], object]
    on_sequence_end: Callable[[Transaction, str], object]
    on_reader_fault: Callable[[Transaction, ReaderFault], object]
    on_lost: Callable[[Transaction, int], object]
    """So many events were lost; the state of the lines must be read again."""


@dataclass(frozen=True, kw_only=True)
class ReaderFault:
    """A frame that was refused."""

    reader: int
    error: str
    bits: int
    glitches: int
    t_ns: int
    correlation: str | None


@dataclass(frozen=True, kw_only=True)
class LineSettings:
    """How the lines start: normal states by name, which of the shared pins are outputs, what REX opens."""

    inputs: dict[str, Circuit]
    outputs: dict[str, Circuit]
    driven: frozenset[str]
    rex: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    """By REX input: the output that it opens and for how long (s)."""


class Tokens:
    """Correlation texts on their way through the native thread, which carries numbers. Any thread."""

    def __init__(self, size: int = MAX_TOKENS) -> None:
        self._size = size
        self._texts: OrderedDict[int, str] = OrderedDict()
        self._next = itertools.count(1)
        self._lock = threading.Lock()

    def number(self, text: str | None) -> int:
        """A token for ``text``; 0 for None."""
        if text is None:
            return 0
        with self._lock:
            token = next(self._next)
            self._texts[token] = text
            if len(self._texts) > self._size:
                self._texts.popitem(last=False)
        return token

    def text(self, token: int) -> str | None:
        """The text of a token; None if it has none or is forgotten."""
        return self._texts.get(token) if token else None


class Board:
    """Inputs, outputs and readers of one device. Start the I/O thread with ``start`` after services have loaded."""

    def __init__(
        self,
        model: DeviceModel,
        settings: LineSettings,
        *,
        readers: Sequence[ReaderConfig] | None = None,
        tap: str | None = None,
        gpio: BoardConfig | None = None,
        light: LightConfig | None = None,
    ) -> None:
        self.model = model
        self.tokens = Tokens()
        self._labels = Tokens()
        self._label_lock = threading.Lock()
        self._chips: dict[int, ChipData] = {}
        self._codes_until_ns = 0
        self._input = {line.name: n for n, line in enumerate(model.inputs)}
        self._output = {line.name: n for n, line in enumerate(model.outputs)}
        self._input_names = tuple(line.name for line in model.inputs)
        self._output_names = tuple(line.name for line in model.outputs)
        self._chip = "" if gpio is None else gpio.chip
        self._devices = ", ".join([*filter(None, [self._chip]), *(() if light is None else light.paths)])
        self._normal_high: dict[str, bool] = {}
        inputs = [
            self._input_config(name, settings.inputs.get(name, "open"), settings.rex.get(name))
            for name in self._input_names
        ]
        outputs = [OutputConfig(normal_high=settings.outputs.get(n, "open") == "closed") for n in self._output_names]
        self.io = IoThread(
            inputs,
            outputs,
            list(readers) if readers is not None else [ReaderConfig()] * model.readers,
            output_names=self._output_names,
            tap=tap,
            gpio=None if gpio is None else gpio_config(model, settings, gpio),
            light=light,
            fifo_priority=FIFO_PRIORITY,
        )

    def start(self) -> None:
        """Start the I/O thread: outputs are in their normal state from here on. OSError names the devices."""
        try:
            self.io.start()
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._devices or None) from error

    def stop(self) -> None:
        """Stop the I/O thread; outputs stay as their fault states say."""
        self.io.stop()

    # --- state

    def input_active(self, line: str) -> bool:
        """Debounced state of an input line."""
        return self.io.input_active(self._input[line])

    def output_active(self, line: str) -> bool:
        """State of an output line."""
        return self.io.output_active(self._output[line])

    # --- commands

    def set(self, line: str, active: bool, correlation: str | None = None) -> None:
        """Give the command, and a moment to the thread, so that who reads the state next sees it (usually)."""
        output = self._output[line]
        self.io.set(output, active, self.tokens.number(correlation))
        for _ in range(SETTLE_LOOKS):
            if self.io.output_active(output) == active:
                break
            time.sleep(SETTLE_STEP)

    def pulse(self, line: str, active: bool, seconds: float, correlation: str | None = None) -> None:
        self.io.pulse(self._output[line], active, round(seconds * SECOND), self.tokens.number(correlation))

    def hold(self, line: str, on: bool, active: bool, correlation: str | None = None) -> None:
        self.io.hold(self._output[line], on, active, self.tokens.number(correlation))

    def end(self, line: str, correlation: str | None = None) -> None:
        """End a pulse early, and a request to exit as soon as its button is let go."""
        self.io.end(self._output[line], self.tokens.number(correlation))

    def sequence(self, line: str, steps: Sequence[tuple[bool, float]], correlation: str | None = None) -> None:
        native = [(active, round(seconds * SECOND)) for active, seconds in steps]
        self.io.sequence(self._output[line], native, self.tokens.number(correlation))

    def send(self, lines: tuple[str, str], frames: Sequence[Bits], timing: Timing) -> None:
        """Send frames as pulses of two output lines, DATA0 and DATA1. QueueFullError, RangeError: none is sent."""
        data0, data1 = (self._output[line] for line in lines)
        native = [(frame.value, frame.nbits) for frame in frames]
        self.io.send(data0, data1, native, timing.pulse_ns, timing.interval_ns, timing.gap_ns)

    def configure_input(
        self, line: str, normal: Circuit, rex: tuple[str, float] | None = None, debounce_ns: int | None = None
    ) -> None:
        """``debounce_ns``: None = as the model says."""
        config = self._input_config(line, normal, rex)
        self.io.configure_input(
            self._input[line], config if debounce_ns is None else config._replace(debounce_ns=debounce_ns)
        )

    def configure_output(self, line: str, normal: Circuit) -> None:
        self.io.configure_output(self._output[line], OutputConfig(normal_high=normal == "closed"))

    def set_direction(self, line: str, output: bool) -> None:
        """A shared pin became an output or an input. GPIO lines are taken at start and change only then."""
        if self._chip:
            log.warning("%s becomes an %s at the next start", line, "output" if output else "input")

    # --- stimuli (simulated board)

    def feed_input(self, line: str, active: bool, correlation: str | None = None) -> None:
        """Bring an input line to or from its normal state."""
        level = self._normal_high[line] != active
        self.io.feed_input(self._input[line], level, self.tokens.number(correlation))

    def feed_level(self, line: str, level: bool, correlation: str | None = None) -> None:
        """Bring an input line to a raw level: high is an open circuit."""
        self.io.feed_input(self._input[line], level, self.tokens.number(correlation))

    def feed_edges(self, reader: int, edges: bytes, correlation: str | None = None) -> int:
        """Play edge records on a reader's lines; returns the monotonic time (ns) of the last one."""
        if not 0 <= reader < self.model.readers:
            raise InputError("reader", f"there is no reader {reader} (0..{self.model.readers - 1})")
        return self.io.feed_edges(reader, edges, 0, self.tokens.number(correlation))

    def feed_key(self, key: str, correlation: str | None = None, reader: int = 0) -> None:
        """Press a key: 0-9, *, # or C (call)."""
        self.io.feed_key(reader, key, self.tokens.number(correlation))

    def feed_qr(self, text: str, correlation: str | None = None) -> None:
        """Show a QR code. Raises QueueFullError when codes come faster than a camera can see them."""
        now = monotonic_ns()
        with self._label_lock:
            if self._codes_until_ns > now + (CODE_BURST - 1) * CODE_NS:
                raise QueueFullError("a camera sees at most 30 codes a second")
            self._codes_until_ns = max(self._codes_until_ns, now) + CODE_NS
        self.io.feed_label(self._labels.number(text), self.tokens.number(correlation))

    def feed_chip(self, chip: ChipData, correlation: str | None = None) -> None:
        """Hold a card to a card module that tells its chip. Raises QueueFullError, InputError without a reader."""
        if not self.model.readers:
            raise InputError("type", "this device has no reader")
        with self._label_lock:
            label = self._labels.number("")
            self._chips[label] = chip
            if len(self._chips) > MAX_CHIPS:
                self._chips.pop(next(iter(self._chips)))
        self.io.feed_label(label, self.tokens.number(correlation))

    # --- events

    def jobs(self, sinks: Sinks) -> list[Job]:
        """What the I/O thread saw since the last call, as jobs in order."""
        jobs: list[Job] = []
        for event in self.io.drain():
            job = self._job(event, sinks)
            if job is not None:
                jobs.append(job)
        return jobs

    def _job(self, event: IoEvent, sinks: Sinks) -> Job | None:  # noqa: PLR0911 - one return a kind
        kind, correlation = event.kind, self.tokens.text(event.token)
        if kind == KIND_FRAME:
            return self._frame(event, sinks, correlation)
        if kind == KIND_INPUT:
            name, active = self._input_names[event.index], bool(event.value)
            return lambda tx: sinks.on_input(tx, name, active, event.t_ns, correlation)
        if kind == KIND_OUTPUT:
            name, active = self._output_names[event.index], bool(event.value)
            return lambda tx: sinks.on_output(tx, name, active, event.t_ns, correlation)
        if kind == KIND_KEY:
            return lambda tx: sinks.on_key(tx, chr(event.value), event.t_ns, correlation, event.index)
        if kind == KIND_SEQUENCE_END:
            return lambda tx: sinks.on_sequence_end(tx, self._output_names[event.index])
        if kind == KIND_LABEL:
            text, chip = self._labels.text(event.value), self._chips.pop(event.value, None)
            if chip is not None:
                card = CardValue(bits=len(chip.csn) * 8, value=chip.csn.hex())
                read = CredentialRead(
                    kind="card", card=card, chip=chip, whole=False, t_ns=event.t_ns, correlation=correlation
                )
                return lambda tx: sinks.on_read(tx, read)
            if not text:
                return lambda tx: sinks.on_lost(tx, 1)
            read = CredentialRead(kind="qr", qr=text, t_ns=event.t_ns, correlation=correlation)
            return lambda tx: sinks.on_read(tx, read)
        if kind == KIND_DROPPED:
            return lambda tx: sinks.on_lost(tx, event.value)
        return None

    @staticmethod
    def _frame(event: IoEvent, sinks: Sinks, correlation: str | None) -> Job:
        if event.result:
            fault = ReaderFault(
                reader=event.index,
                error=READER_ERRORS[event.result] if event.result < len(READER_ERRORS) else str(event.result),
                bits=event.nbits,
                glitches=event.glitches,
                t_ns=event.t_ns,
                correlation=correlation,
            )
            return partial(_swap, sinks.on_reader_fault, fault)
        card = CardValue(bits=event.nbits, value=card_hex(event.bits, event.nbits))
        read = CredentialRead(kind="card", card=card, reader=event.index, t_ns=event.t_ns, correlation=correlation)
        return partial(_swap, sinks.on_read, read)

    def _input_config(self, name: str, normal: Circuit, rex: tuple[str, float] | None) -> InputConfig:
        line = self.model.inputs[self._input[name]]
        self._normal_high[name] = normal == "open"
        if rex is None:
            return InputConfig(debounce_ns=line.debounce_ns, normal_high=normal == "open")
        output, hold = rex
        return InputConfig(
            debounce_ns=line.debounce_ns,
            normal_high=normal == "open",
            rex_output=self._output[output],
            rex_hold_ns=round(hold * SECOND),
        )


def reader_config(windows: WiegandConfig) -> ReaderConfig:
    """The decoder's windows from the configuration file."""
    return ReaderConfig(
        min_pulse_ns=round(windows.min_pulse_us * 1000),
        max_pulse_ns=round(windows.max_pulse_us * 1000),
        glitch_ns=round(windows.glitch_us * 1000),
        min_interval_ns=round(windows.min_interval_us * 1000),
        max_interval_ns=round(windows.max_interval_us * 1000),
        frame_gap_ns=round(windows.frame_gap_us * 1000),
        min_bits=windows.min_bits,
        max_bits=windows.max_bits,
        expect_bits=windows.expect_bits,
    )


def gpio_config(model: DeviceModel, settings: LineSettings, board: BoardConfig) -> GpioConfig:
    """Which GPIO line is which of ours; ``InputError`` for a name that the device has not.

    A pin that is input and output by name (``port1``) is taken in its present direction. Without flags, inputs are
    pulled up, open-drain outputs pull down when active, relays are active high.
    """
    known = {line.name for line in model.inputs} | {line.name for line in model.outputs}
    for name in board.lines:
        if name not in known:
            raise InputError(f"board.lines.{name}", f"is no line of {model.id} ({', '.join(sorted(known))})")
    shared = {line.name for line in model.inputs} & {line.name for line in model.outputs}
    open_drain = {line.name for line in model.outputs if line.kind == "open_drain"}

    def line(name: str, output: bool) -> GpioLine | None:
        pin = board.lines.get(name)
        if pin is None or (name in shared and (name in settings.driven) != output):
            return None
        if isinstance(pin, GpioPin):
            return GpioLine(pin.offset, sum(GPIO_FLAGS[flag] for flag in pin.flags))
        if not output:
            return GpioLine(pin, GPIO_FLAGS["pull_up"])
        both = GPIO_FLAGS["active_low"] | GPIO_FLAGS["open_drain"]
        return GpioLine(pin, both if name in open_drain else 0)

    reader = board.reader
    pair = None if reader is None else (GpioLine(reader.d0, 0), GpioLine(reader.d1, 0))
    return GpioConfig(
        chip=board.chip,
        readers=[pair] + [None] * (model.readers - 1) if model.readers else [],
        inputs=[line(entry.name, False) for entry in model.inputs],
        outputs=[line(entry.name, True) for entry in model.outputs],
    )


def card_hex(bits: int, nbits: int) -> str:
    """A frame as ``CardValue`` keeps it: lower-case hex, right-aligned in whole bytes."""
    return f"{bits:0{(nbits + 7) // 8 * 2}x}"


def _swap(sink: Callable[[Any, Any], object], thing: object, tx: Transaction) -> None:
    sink(tx, thing)
