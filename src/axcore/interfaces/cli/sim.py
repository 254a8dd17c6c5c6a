"""``axcore sim``: act on the simulated board of a running device, as a person at the door would."""

from __future__ import annotations

import argparse
import base64
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from axcore.errors import InputError
from axcore.interfaces.cli import recording
from axcore.interfaces.cli.board import Board
from axcore.interfaces.cli.output import CliError, add_json, print_json
from axcore.interfaces.cli.paths import add_data_dir, find_data_dir

Fields = dict[str, Any]

MOST_SAID_S = 20.0
"""What one line for the board holds of sound."""


def configure(parser: argparse.ArgumentParser) -> None:
    """One sub-command per operation."""
    ops = parser.add_subparsers(dest="op", metavar="OPERATION", required=True)
    for name, (text, arguments, _) in OPERATIONS.items():
        op = ops.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False)
        arguments(op)
        add_data_dir(op)
        op.add_argument("--correlation", help="text that comes back on each event this causes")
        add_json(op)
    for name, (text, arguments) in RECORDINGS.items():
        op = ops.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False)
        arguments(op)
        add_data_dir(op)
        add_json(op)


def run(args: argparse.Namespace) -> int:
    """Do the operation and print what the board says."""
    if args.op in RECORDINGS:
        return _record(args)
    fields = OPERATIONS[args.op][2](args)
    if args.correlation is not None:
        fields["correlation"] = args.correlation
    with Board(find_data_dir(args.data_dir), timeout=30.0) as board:
        data = board.call(fields.pop("op", args.op), **fields)
    if args.json:
        print_json(data)
    elif args.op == "state" or data:
        for key, value in _flat(data):
            print(f"{key} {value}")
    return 0


def _record(args: argparse.Namespace) -> int:
    write = recording.write_picture if args.op == "picture" else recording.write_sound
    told = write(args, find_data_dir(args.data_dir), time.monotonic_ns())
    if args.json:
        print_json(told)
    else:
        print(*(f"{key} {value}" for key, value in told.items()), sep="\n")
    return 0


def read_trace(text: str, name: str = "trace") -> list[list[int]]:
    """Edges of a trace file (``axcore.wiegand.parse_trace``). CliError names file and line."""
    from axcore import wiegand

    try:
        edges = [list(edge) for edge in wiegand.EDGE.iter_unpack(wiegand.parse_trace(text))]
    except InputError as error:
        raise CliError(
            f"{name}:{error.field.removeprefix('line ')}: {error.reason}", "t_ns, line, level a line", 2
        ) from error
    if not edges:
        raise CliError(f"{name}: no edges", "one t_ns, line, level a line", 2)
    return edges


def _flat(data: Any, prefix: str = "") -> Iterable[tuple[str, object]]:
    if not isinstance(data, dict):
        yield prefix, data
        return
    for key, value in data.items():
        yield from _flat(value, f"{prefix}.{key}" if prefix else str(key))


def _card_arguments(p: argparse.ArgumentParser) -> None:
    what = p.add_mutually_exclusive_group(required=True)
    what.add_argument("--bits", help="the frame as 0 and 1, first bit first")
    what.add_argument("--hex", dest="hex_", metavar="HEX", help="the frame as a number; with --length")
    what.add_argument("--card", type=int, metavar="NUMBER", help="card number; with --facility and --format")
    p.add_argument("--length", type=int, help="bits of --hex")
    p.add_argument("--facility", type=int, default=1, help="facility code (default 1)")
    p.add_argument("--format", default="H10301", help="card format (default H10301, 26 bits)")
    p.add_argument("--pulse-us", type=float, help="pulse width in microseconds (default 50)")
    p.add_argument("--interval-us", type=float, help="time between pulses in microseconds (default 2000)")
    p.add_argument("--reader", type=int)


def _card(args: argparse.Namespace) -> Fields:
    fields: Fields = {}
    if args.bits is not None:
        fields["bits"] = args.bits
    elif args.hex_ is not None:
        if args.length is None:
            raise CliError("--hex needs --length", "e.g. --hex 02004fcb --length 26", 2)
        fields.update(hex=args.hex_, length=args.length)
    else:
        fields.update(format=args.format, facility=args.facility, card=args.card)
    for name in ("pulse_us", "interval_us", "reader"):
        if (value := getattr(args, name)) is not None:
            fields[name] = int(value) if float(value).is_integer() else value
    return fields


def _edges_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("file", help="trace file (JSON lines or CSV of t_ns, line, level); - for standard input")
    p.add_argument("--reader", type=int)


def _edges(args: argparse.Namespace) -> Fields:
    if args.file == "-":
        edges = read_trace(sys.stdin.read(), "standard input")
    else:
        try:
            edges = read_trace(Path(args.file).read_text(encoding="utf-8"), args.file)
        except (OSError, UnicodeDecodeError) as error:
            raise CliError(f"{args.file}: {getattr(error, 'strerror', None) or 'not a text file'}", code=2) from error
    return {"edges": edges, **({} if args.reader is None else {"reader": args.reader})}


def _press_arguments(p: argparse.ArgumentParser) -> None:
    how = p.add_mutually_exclusive_group()
    how.add_argument("--duration", type=float, default=0.2, metavar="SECONDS", help="press this long (default 0.2)")
    how.add_argument("--on", dest="active", action="store_true", default=None, help="press and keep pressed")
    how.add_argument("--off", dest="active", action="store_false", help="let go")


def _press(args: argparse.Namespace) -> Fields:
    return {"duration": args.duration} if args.active is None else {"active": args.active}


def _keys_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("keys", help="0-9, *, # and C (call)")
    p.add_argument("--reader", type=int, help="of a door controller")


def _keys(args: argparse.Namespace) -> Fields:
    return {"keys": args.keys, **({} if args.reader is None else {"reader": args.reader})}


def _rex_arguments(p: argparse.ArgumentParser) -> None:
    _press_arguments(p)
    p.add_argument("--door", type=int, help="of a door controller: 1..4 (default 1)")


def _rex(args: argparse.Namespace) -> Fields:
    return {**_press(args), **({} if args.door is None else {"door": args.door})}


def _door_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("state", choices=["open", "close"])
    p.add_argument("--door", type=int, default=1, help="1..4 (default 1)")


def _door(args: argparse.Namespace) -> Fields:
    return {"door": args.door, "open": args.state == "open"}


def _circuit_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("line", help="door1 .. door4, 1, 2, input1 .. input3, tamper, alarm")
    p.add_argument("state", help="open, closed, short, cut, or a number of millivolts")


def _circuit(args: argparse.Namespace) -> Fields:
    line = f"port{args.line}" if args.line.isdigit() else args.line
    return {"line": line, **({"millivolt": int(args.state)} if args.state.isdigit() else {"state": args.state})}


def _link_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("state", choices=["up", "down"])
    p.add_argument("--door", type=int, default=1, help="1..4 (default 1)")


def _link(args: argparse.Namespace) -> Fields:
    return {"door": args.door, "up": args.state == "up"}


def _reader_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("state", choices=["online", "offline", "opened", "shut"])
    p.add_argument("--reader", type=int, default=0, help="0.. (default 0)")


def _reader(args: argparse.Namespace) -> Fields:
    name, value = {
        "online": ("online", True), "offline": ("online", False), "opened": ("tampered", True),
        "shut": ("tampered", False),
    }[args.state]  # fmt: skip
    return {"reader": args.reader, name: value}


def _power_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("name", help="as the power page names it: poe, dc, aux, relays ...")
    p.add_argument("--volt", type=float)
    p.add_argument("--ampere", type=float)


def _power(args: argparse.Namespace) -> Fields:
    return {"name": args.name, **{k: v for k in ("volt", "ampere") if (v := getattr(args, k)) is not None}}


def _wireless_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("what", help="up or down: the hub; or a lock (lock1 ..), where a card is shown")
    p.add_argument("--bits", default="", help="the card, as 0 and 1")


def _wireless(args: argparse.Namespace) -> Fields:
    if args.what in ("up", "down"):
        return {"up": args.what == "up"}
    return {"lock": args.what, "bits": args.bits}


def _input_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("port", help="1..4, casing, control; of a controller door1 .. door4, input1 .., tamper, alarm")
    p.add_argument("state", choices=["on", "off"])


def _input(args: argparse.Namespace) -> Fields:
    return {"port": int(args.port) if args.port.isdigit() else args.port, "active": args.state == "on"}


def _argument(name: str, kind: Callable[[str], Any], text: str) -> Callable[[argparse.ArgumentParser], None]:
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument(name, type=kind, help=text)

    return add


def _field(name: str) -> Callable[[argparse.Namespace], Fields]:
    return lambda args: {name: getattr(args, name)}


def _audio(args: argparse.Namespace) -> Fields:
    from axcore.audio import clips
    from axcore.drivers.desk import RATE

    try:
        said = clips.load(args.file.read_bytes(), rate=RATE, max_seconds=MOST_SAID_S)
    except OSError as error:
        raise CliError(f"{args.file}: {error.strerror}", code=2) from error
    except ImportError as error:
        raise CliError(f"{args.file}: cannot be read: {error}", "pip install 'axcore[audio]'") from error
    except InputError as error:
        raise CliError(f"{args.file}: {error.reason}", f"a WAV file of {MOST_SAID_S:g} s at most", 2) from error
    samples = said.samples
    if sys.byteorder == "big":
        samples.byteswap()
    return {"samples": base64.b64encode(samples.tobytes()).decode()}


def _chip_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("type", help="chip type, for instance 'MIFARE DESFire EV2'")
    p.add_argument("csn", help="card serial number in hexadecimal")
    p.add_argument("--secure", action="append", default=[], metavar="SET=HEX", help="secure data of a data set")


def _chip(args: argparse.Namespace) -> Fields:
    fields: Fields = {"type": args.type, "csn": args.csn}
    if args.secure:
        fields["secure"] = dict(entry.partition("=")[::2] for entry in args.secure)
    return fields


def _sensor_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("name", help="temperature, storage, microphone, shock, light, port1 .. port4, poe")
    p.add_argument("value", help="degrees C; ok, low, disrupted; 0..100; hit; lux; open, close, short, cut; 3 or 4")


def _sensor(args: argparse.Namespace) -> Fields:
    try:
        return {"name": args.name, "value": float(args.value)}
    except ValueError:
        return {"name": args.name, "value": args.value}


def _light(args: argparse.Namespace) -> Fields:
    return {"op": "sensor", "name": "light", "value": args.lux}


def _fault_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("part", help="light1 .. light12 (a section of the light) or siren")
    p.add_argument("state", choices=["broken", "mended"])


def _fault(args: argparse.Namespace) -> Fields:
    return {"part": args.part, "broken": args.state == "broken"}


OPERATIONS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], Fields]]] = {
    "card": ("swipe a card", _card_arguments, _card),
    "edges": ("play recorded edges of the reader's lines", _edges_arguments, _edges),
    "keys": ("type on the keypad", _keys_arguments, _keys),
    "button": ("press the call button (on a siren the control button)", _press_arguments, _press),
    "door": ("open or close a door by hand", _door_arguments, _door),
    "circuit": ("put a state or a voltage at a supervised input", _circuit_arguments, _circuit),
    "link": ("cut or mend the line to a door", _link_arguments, _link),
    "reader": ("switch a reader, or open its housing", _reader_arguments, _reader),
    "power": ("load or feed a power connector", _power_arguments, _power),
    "wireless": ("switch the hub of wireless locks, or show a card at one", _wireless_arguments, _wireless),
    "input": ("switch an input port or the casing switch", _input_arguments, _input),
    "rex": ("press request to exit", _rex_arguments, _rex),
    "audio": (
        "say something to the microphone, during a call",
        _argument("file", Path, "WAV or another sound"),
        _audio,
    ),
    "qr": ("show a QR code to the camera", _argument("text", str, "what the code says"), _field("text")),
    "chip": ("hold a card to a card module that tells its chip", _chip_arguments, _chip),
    "sensor": ("have a sensor feel something", _sensor_arguments, _sensor),
    "light": ("have the light sensor see this much", _argument("lux", float, "0..200000; a dark street 5"), _light),
    "fault": ("break a part of the light or the siren", _fault_arguments, _fault),
    "state": ("show all lines", lambda p: None, lambda args: {}),
    "stall": ("block the loop", _argument("seconds", float, "how long"), _field("seconds")),
    "clock": ("step the wall clock", _argument("step", float, "seconds; may be negative"), _field("step")),
    "drop": ("kill a service", _argument("service", str, "http ..."), _field("service")),
}
RECORDINGS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "picture": ("write a picture of what the light did", recording.picture_arguments),
    "sound": ("write a recording of what was heard", recording.sound_arguments),
}
"""What is read from the device instead of done to it."""
