"""The operations of the simulated board: what each takes, and typed errors that name the field.

One operation is one JSON object ``{"op": NAME, ...}``. The same structs serve ``board.sock``, command line and REST.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from axcore.errors import ArgumentError, ConflictError, InputError, LimitError, NotFoundError, QueueFullError
from axcore.model.convert import convert

MAX_CORRELATION = 64
MAX_EDGES = 4096
MAX_PRESS = 3600.0
MAX_STALL = 60.0
MAX_STEP = 4e9
MAX_BITS = 256
"""Of a card at a wireless lock."""
MAX_MILLIVOLT = 30_000
"""Inputs stand 30 V."""
MAX_SECURE = 32
MAX_POWER = 100.0
"""Volt, ampere."""
KEYS = "0123456789*#C"


class OpError(InputError):
    """An operation is refused. ``code`` is one of unknown_operation, unknown_field, missing_field, wrong_type, ..."""

    def __init__(self, code: str, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.code = code


class Op(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="op"):
    """What every operation has."""

    correlation: str | None = None


class CardOp(Op, frozen=True, kw_only=True, tag="card"):
    """Swipe a card: its bits, a number with its length, or a format with its fields."""

    bits: str | None = None
    hex: str | None = None
    length: int | None = None
    format: str | None = None
    facility: int | None = None
    card: int | None = None
    pulse_us: float = 50.0
    interval_us: float = 2000.0
    reader: int = 0


class EdgesOp(Op, frozen=True, kw_only=True, tag="edges"):
    """Play edges ``[t_ns, line, level]`` on a reader's lines; times count from the first."""

    edges: list[tuple[int, int, int]]
    reader: int = 0


class KeysOp(Op, frozen=True, kw_only=True, tag="keys"):
    """Press keys one after the other: 0-9, *, # and C (call)."""

    keys: str
    reader: int = 0
    """Of a door controller."""


class ButtonOp(Op, frozen=True, kw_only=True, tag="button"):
    """The call button, on a siren the control button: press for ``duration`` seconds, or bring it to ``active``."""

    duration: float | None = None
    active: bool | None = None


class RexOp(Op, frozen=True, kw_only=True, tag="rex"):
    """The REX button: press for ``duration`` seconds, or bring it to ``active``."""

    duration: float | None = None
    active: bool | None = None
    door: int = 1
    """Of a door controller."""


InputName = Literal[
    "1", "2", "3", "4", "casing", "control", "tamper", "alarm", "input1", "input2", "input3", "door1", "door2", "door3",
    "door4",
]  # fmt: skip


class InputOp(Op, frozen=True, kw_only=True, tag="input"):
    """Bring an input to or from its normal state."""

    port: Literal[1, 2, 3, 4] | InputName
    active: bool


class DoorOp(Op, frozen=True, kw_only=True, tag="door"):
    """Open or close a door of a controller by hand; its lock does not hinder it."""

    door: int = 1
    open: bool


class CircuitOp(Op, frozen=True, kw_only=True, tag="circuit"):
    """Put a voltage at a supervised input, or the resistance of a state of its connection."""

    line: str
    state: Literal["open", "closed", "short", "cut"] | None = None
    millivolt: int | None = None


class LinkOp(Op, frozen=True, kw_only=True, tag="link"):
    """Cut or mend the line to the hardware of a door."""

    door: int = 1
    up: bool


class ReaderOp(Op, frozen=True, kw_only=True, tag="reader"):
    """Switch a reader of a controller on or off, open or close its housing."""

    reader: int = 0
    online: bool | None = None
    tampered: bool | None = None


class PowerOp(Op, frozen=True, kw_only=True, tag="power"):
    """Draw a current from an output, or feed an input of the power supply."""

    name: str
    volt: float | None = None
    ampere: float | None = None


class WirelessOp(Op, frozen=True, kw_only=True, tag="wireless"):
    """Switch the hub of wireless locks on or off, or show a card (its bits) at a lock."""

    up: bool | None = None
    lock: str = ""
    bits: str = ""


class AudioOp(Op, frozen=True, kw_only=True, tag="audio"):
    """Say something to the microphone."""

    samples: bytes
    """16 bits, low byte first, one channel, 16 kHz; in JSON as base64."""


class QrOp(Op, frozen=True, kw_only=True, tag="qr"):
    """Show a QR code."""

    text: str


class ChipOp(Op, frozen=True, kw_only=True, tag="chip"):
    """Hold a card to a card module that tells the chip, its serial number and the secure data that was read."""

    type: str
    csn: str
    """Hexadecimal, first byte first."""
    secure: dict[str, str] = {}
    """Hexadecimal, by data set."""


class SensorOp(Op, frozen=True, kw_only=True, tag="sensor"):
    """Have a sensor feel something: ``temperature`` (degrees C), ``storage`` (ok, low, disrupted), ``microphone``
    (0..100), ``shock`` (hit), ``light`` (lux), ``port1`` .. ``port4`` (supervised connection: open, close, short, cut),
    ``poe`` (class 3, 4).
    """

    name: str
    value: float | str


class FaultOp(Op, frozen=True, kw_only=True, tag="fault"):
    """Break or mend a part: ``light1`` .. ``light12`` (a section of the light) or ``siren``; of a door station
    ``speaker``, ``microphone`` (covered), ``quiet`` (it is too noisy)."""

    part: str
    broken: bool


class StateOp(Op, frozen=True, kw_only=True, tag="state"):
    """Tell the state of all lines."""


class StallOp(Op, frozen=True, kw_only=True, tag="stall"):
    """Block the loop."""

    seconds: float


class ClockOp(Op, frozen=True, kw_only=True, tag="clock"):
    """Step the wall clock by so many seconds."""

    step: float


class DropOp(Op, frozen=True, kw_only=True, tag="drop"):
    """Kill a service; the supervisor brings it back."""

    service: str


AnyOp = (
    CardOp | EdgesOp | KeysOp | ButtonOp | RexOp | InputOp | QrOp | ChipOp | SensorOp | FaultOp | StateOp | StallOp
    | ClockOp | DropOp | DoorOp | CircuitOp | LinkOp | ReaderOp | PowerOp
    | WirelessOp | AudioOp
)  # fmt: skip
NAMES = (
    "card", "edges", "keys", "button", "rex", "input", "qr", "sensor", "fault", "state", "stall", "clock", "drop",
    "chip", "door", "circuit", "link", "reader", "power", "wireless", "audio",
)  # fmt: skip


def parse(value: Any) -> AnyOp:
    """The operation that ``value`` (decoded JSON) is; ``OpError`` otherwise."""
    if not isinstance(value, dict):
        raise OpError("wrong_type", "body", "an operation is an object")
    name = value.get("op")
    if name is None:
        raise OpError("missing_field", "op", "names the operation")
    if name not in NAMES:
        raise OpError("unknown_operation", "op", f"{str(name)[:40]!r} is not one of {', '.join(NAMES)}")
    try:
        op: AnyOp = convert(value, AnyOp)  # type: ignore[arg-type]
    except InputError as error:
        raise OpError(_code(error.reason), error.field, error.reason) from None
    if op.correlation is not None and len(op.correlation) > MAX_CORRELATION:
        raise OpError("too_long", "correlation", f"has more than {MAX_CORRELATION} characters")
    _check(op)
    return op


def parse_line(line: bytes) -> AnyOp:
    """The operation in one line of JSON."""
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise OpError("bad_json", "body", str(error)) from None
    return parse(value)


def error_reply(error: Exception) -> dict[str, Any]:
    """The reply for a refused operation."""
    field, code = getattr(error, "field", ""), getattr(error, "code", None)
    message = getattr(error, "reason", None) or str(error) or type(error).__name__
    if code is None:
        kinds = ((NotFoundError, "not_found"), (ConflictError, "conflict"), (LimitError, "limit"))
        code = next((name for kind, name in kinds if isinstance(error, kind)), None)
    if code is None:
        if isinstance(error, QueueFullError):
            code = "busy"
        else:
            code = "invalid_value" if isinstance(error, InputError | ArgumentError) else "internal"
    return {"status": "error", "error": {"code": code, "message": message, "field": field}}


def _code(reason: str) -> str:
    if reason == "is not a known field":
        return "unknown_field"
    if reason == "is required":
        return "missing_field"
    return "wrong_type" if reason.startswith("Expected") else "invalid_value"


def _check(op: AnyOp) -> None:
    match op:
        case CardOp():
            _check_card(op)
        case EdgesOp():
            _check_edges(op)
        case KeysOp():
            if not op.keys or len(op.keys) > 64 or any(key not in KEYS for key in op.keys):
                raise OpError("invalid_value", "keys", "must be 1..64 of 0-9, *, # and C")
        case ButtonOp() | RexOp():
            if op.duration is not None and op.active is not None:
                raise OpError("invalid_value", "active", "give duration or active, not both")
            if op.duration is not None:
                _range("duration", op.duration, 0.001, MAX_PRESS)
        case QrOp() | ChipOp() | AudioOp():
            _check_shown(op)
        case StallOp() | ClockOp():
            _check_hurt(op)
        case CircuitOp() | ReaderOp() | PowerOp() | WirelessOp():
            _check_controller(op)
        case _:
            pass


def _check_shown(op: QrOp | ChipOp | AudioOp) -> None:
    if isinstance(op, AudioOp):
        if not op.samples or len(op.samples) % 2:
            raise OpError("invalid_value", "samples", "must be samples of two bytes, one at least")
        return
    if isinstance(op, QrOp):
        if not op.text or len(op.text) > 4096:
            raise OpError("invalid_value", "text", "must be 1..4096 characters")
        return
    if not 1 <= len(op.type) <= MAX_CORRELATION:
        raise OpError("invalid_value", "type", f"must be 1..{MAX_CORRELATION} characters")
    if len(op.secure) > MAX_SECURE:
        raise OpError("limit", "secure", f"at most {MAX_SECURE} pieces")
    for field, digits in (("csn", op.csn), *((f"secure.{name[:40]}", text) for name, text in op.secure.items())):
        if not 2 <= len(digits) <= 64 or len(digits) % 2 or digits.lower().strip("0123456789abcdef"):
            raise OpError("invalid_value", field, "must be 1..32 bytes in hexadecimal")


def _check_hurt(op: StallOp | ClockOp) -> None:
    if isinstance(op, StallOp):
        _range("seconds", op.seconds, 0, MAX_STALL)
    else:
        _range("step", op.step, -MAX_STEP, MAX_STEP)


def _check_controller(op: CircuitOp | ReaderOp | PowerOp | WirelessOp) -> None:
    match op:
        case WirelessOp():
            if (op.up is None) == (not op.lock):
                raise OpError("invalid_value", "up", "give either up or a lock")
            if op.lock and not (1 <= len(op.bits) <= MAX_BITS and set(op.bits) <= {"0", "1"}):
                raise OpError("invalid_value", "bits", f"must be 1..{MAX_BITS} of 0 and 1")
        case CircuitOp():
            if (op.state is None) == (op.millivolt is None):
                raise OpError("invalid_value", "state", "give either a state or a voltage")
            if op.millivolt is not None:
                _range("millivolt", op.millivolt, 0, MAX_MILLIVOLT)
        case ReaderOp():
            if (op.online is None) == (op.tampered is None):
                raise OpError("invalid_value", "online", "give either online or tampered")
        case PowerOp():
            if op.volt is None and op.ampere is None:
                raise OpError("missing_field", "ampere", "or volt needed")
            for name in ("volt", "ampere"):
                if (value := getattr(op, name)) is not None:
                    _range(name, value, 0, MAX_POWER)


def _range(field: str, value: float, low: float, high: float) -> None:
    if not math.isfinite(value) or not low <= value <= high:
        raise OpError("invalid_value", field, f"must be {low:g}..{high:g}")


def _check_card(op: CardOp) -> None:
    given = [name for name in ("bits", "hex", "card") if getattr(op, name) is not None]
    if len(given) != 1:
        field, reason = (
            (given[1], "give only one of bits, hex and card") if given else ("bits", "or hex or card needed")
        )
        raise OpError("invalid_value" if given else "missing_field", field, reason)
    if op.bits is not None and (not 1 <= len(op.bits) <= 256 or op.bits.strip("01")):
        raise OpError("invalid_value", "bits", "must be 1..256 of 0 and 1")
    if op.hex is not None:
        if op.length is None:
            raise OpError("missing_field", "length", "hex needs its length in bits")
        if not 1 <= op.length <= 256:
            raise OpError("invalid_value", "length", "must be 1..256 bits")
        digits = op.hex.lower()
        if not digits or len(digits) > 64 or digits.strip("0123456789abcdef") or int(digits, 16) >> op.length:
            raise OpError("invalid_value", "hex", f"must be a hexadecimal number of at most {op.length} bits")
    elif op.length is not None:
        raise OpError("invalid_value", "length", "goes with hex")
    if op.card is None and (op.format is not None or op.facility is not None):
        raise OpError("invalid_value", "format" if op.format is not None else "facility", "goes with card")
    _range("pulse_us", op.pulse_us, 0.1, 100_000)
    _range("interval_us", op.interval_us, 1, 1_000_000)
    if op.interval_us <= op.pulse_us:
        raise OpError("invalid_value", "interval_us", "must be longer than the pulse")


def _check_edges(op: EdgesOp) -> None:
    if not op.edges:
        raise OpError("invalid_value", "edges", "must have at least one edge")
    if len(op.edges) > MAX_EDGES:
        raise OpError("limit", "edges", f"has {len(op.edges)} edges; at most {MAX_EDGES}")
    last = op.edges[0][0]
    for position, (t_ns, line, level) in enumerate(op.edges):
        if not last <= t_ns < 1 << 63:
            raise OpError("invalid_value", f"edges[{position}][0]", "times must not go back")
        if line not in (0, 1) or level not in (0, 1):
            raise OpError("invalid_value", f"edges[{position}][{1 if line not in (0, 1) else 2}]", "must be 0 or 1")
        last = t_ns
    if last - op.edges[0][0] > MAX_PRESS * 1e9:
        raise OpError("invalid_value", "edges", f"last longer than {MAX_PRESS:.0f} s")
