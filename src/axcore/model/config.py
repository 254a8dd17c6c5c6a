"""The configuration file ``axcore.toml``: what an operator decides before a device starts.

What a user can change at run time is not here: it lives in the store. Errors name file, line and key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterable
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec

from axcore.errors import ConfigError

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Pin = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Micros = Annotated[float, msgspec.Meta(ge=0, le=10_000_000)]
Bits = Annotated[int, msgspec.Meta(ge=0, le=256)]
MAX_PORTS = 4
"""Reader ports of a door controller."""
MAX_LEDS = 16
"""Directories of the LED class."""


class DeviceConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[device]``."""

    model: str | None = None
    simulate: bool = False
    data_dir: str | None = None


class NetworkConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[network]``. A port of 0 takes a free one; HTTPS cannot be turned off.

    ``rtsp_port``: ``"off"``, or ``"auto"``: 554 where that is allowed, 8554 otherwise and with a simulated board, any
    free one if that is taken.
    """

    bind: str = "127.0.0.1"
    http_port: Port = 8080
    https_port: Port = 8443
    rtsp_port: Port | Literal["auto", "off"] = "auto"


class ReaderPins(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[board.reader]``: GPIO line offsets of DATA0 and DATA1."""

    d0: Pin
    d1: Pin


class GpioPin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A GPIO line with its electrical settings, in place of the usual ones of its kind."""

    offset: Pin
    flags: tuple[Literal["active_low", "pull_up", "pull_down", "bias_off", "open_drain"], ...] = ()


class BoardConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[board]``: where inputs and outputs are. With ``gpio``, ``chip`` is a GPIO character device."""

    driver: Literal["simulated", "gpio"] = "simulated"
    chip: str = ""
    reader: ReaderPins | None = None
    lines: dict[str, Pin | GpioPin] = {}
    """Line name (``relay1``, ``rex`` ...) to GPIO line offset."""


class WiegandConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[wiegand]``: the windows of the reader's decoder (microseconds, bits)."""

    min_pulse_us: Micros = 10.0
    max_pulse_us: Micros = 400.0
    glitch_us: Micros = 5.0
    min_interval_us: Micros = 82.5
    max_interval_us: Micros = 24_000.0
    frame_gap_us: Micros = 25_000.0
    min_bits: Bits = 4
    max_bits: Bits = 128
    expect_bits: Bits = 0
    """Length of the only active format: a frame ends with its last bit; 0 = after the gap."""


class LedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[light]``: the signaling light. ``apa102`` and ``ws2812`` are on an SPI device, ``class`` are LEDs of Linux.

    What is configured is used beside a simulated board as well.
    """

    driver: Literal["none", "apa102", "ws2812", "class"] = "none"
    device: str = ""
    """SPI device, e.g. ``/dev/spidev0.0``."""
    leds: tuple[str, ...] = ()
    """Directories of the LED class (``/sys/class/leds/...``, multicolour), one for each section of the light."""
    speed_hz: Annotated[int, msgspec.Meta(ge=0, le=50_000_000)] = 0
    """SPI clock; 0 = the usual one."""
    current: Annotated[int, msgspec.Meta(ge=0, le=31)] = 31
    """Of APA102, in 31sts."""


class SerialConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[serial]``: RS-485 lines by device (``/dev/ttyS1``). Empty: a pty on a simulated board, none on a real one."""

    rs485: str = ""
    """The reader connector: this device as a reader of a door controller."""
    external: str = ""
    """A line of its own for an OSDP reader that is connected to this device; empty: the reader connector."""
    ports: tuple[str, ...] = ()
    """The reader ports of a door controller, in order; an empty name: none there."""
    kernel_rs485: bool = True
    """The kernel switches the transmitter (TIOCSRS485)."""


class SoundConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[sound]``: the loudspeaker, a sound card by its ALSA name (``default``, ``hw:0``); empty = none.

    ``microphone`` is that of a door station, likewise; empty = that of the loudspeaker's card. ``line_in`` and
    ``line_out`` are its line connector, for who chooses that as the input or output; empty = there is none."""

    device: str = ""
    microphone: str = ""
    line_in: str = ""
    line_out: str = ""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    device: DeviceConfig = DeviceConfig()
    network: NetworkConfig = NetworkConfig()
    board: BoardConfig = BoardConfig()
    wiegand: WiegandConfig = WiegandConfig()
    light: LedConfig = LedConfig()
    sound: SoundConfig = SoundConfig()
    serial: SerialConfig = SerialConfig()


def parse(files: Iterable[tuple[str, str]], lines: Callable[[str | None], Collection[str]] | None = None) -> Config:
    """Parse ``(name, text)`` of axcore.toml and of conf.d/*.toml in their order; a later file wins key by key.

    ``lines`` tells the names of the lines of a model (None = of any). Raises ConfigError (``file:line: key: reason``).
    """
    merged: dict[str, Any] = {}
    sources = list(files)
    for name, text in sources:
        try:
            tree = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise _syntax(name, text, str(error)) from error
        try:
            msgspec.convert(tree, Config)
        except msgspec.ValidationError as error:
            raise _invalid(name, text, tree, str(error)) from error
        _merge(merged, tree)
    config = msgspec.convert(merged, Config)
    known = lines(config.device.model) if lines is not None else config.board.lines
    for key, reason in _contradictions(config, known):
        raise _located(sources, key, reason)
    return config


def _merge(into: dict[str, Any], tree: dict[str, Any]) -> None:
    for key, value in tree.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _contradictions(config: Config, known: Collection[str]) -> Iterable[tuple[str, str]]:
    """Keys whose values do not fit to others, with the reason."""
    board, windows = config.board, config.wiegand
    for name in board.lines:
        if name not in known:
            yield f"board.lines.{name}", f"is no line of the device ({', '.join(sorted(known))})"
    if board.driver == "gpio":
        if not board.chip:
            yield "board.chip", "the gpio driver needs a GPIO character device, e.g. /dev/gpiochip0"
        pins = [
            (f"board.lines.{name}", pin.offset if isinstance(pin, GpioPin) else pin)
            for name, pin in board.lines.items()
        ]
        if board.reader is not None:
            pins += [("board.reader.d0", board.reader.d0), ("board.reader.d1", board.reader.d1)]
        taken: dict[int, str] = {}
        for key, pin in pins:
            if pin in taken:
                yield key, f"line {pin} is {taken[pin]} already"
            taken[pin] = key
    light = config.light
    if light.driver == "class" and not 1 <= len(light.leds) <= MAX_LEDS:
        yield "light.leds", f"the class driver needs 1 to {MAX_LEDS} directories, one for each section"
    if light.driver in ("apa102", "ws2812") and not light.device:
        yield "light.device", f"the {light.driver} driver needs an SPI device, e.g. /dev/spidev0.0"
    yield from _serial_contradictions(config.serial)
    rising = ("glitch_us", "min_pulse_us", "max_pulse_us"), ("min_interval_us", "max_interval_us", "frame_gap_us")
    for low, high in [pair for names in rising for pair in pairwise(names)] + [("min_bits", "max_bits")]:
        if getattr(windows, low) > getattr(windows, high):
            yield f"wiegand.{high}", f"must not be less than {low}"
    if windows.expect_bits > windows.max_bits:
        yield "wiegand.expect_bits", "must not be more than max_bits"


def _serial_contradictions(serial: SerialConfig) -> Iterable[tuple[str, str]]:
    """Lines that are given twice."""
    if len(serial.ports) > MAX_PORTS:
        yield "serial.ports", f"at most {MAX_PORTS} ports"
    used = {serial.rs485, serial.external} - {""}
    for path in filter(None, serial.ports):
        if path in used:
            yield "serial.ports", f"{path} is used twice"
        used.add(path)


def _located(sources: list[tuple[str, str]], key: str, reason: str) -> ConfigError:
    """The error at the last file that has the key, or its table, or at the first file."""
    for name, text in reversed(sources):
        if (line := find_line(text, key)) > 1 or text.lstrip().startswith(key):
            return ConfigError(name, line, key, reason)
    return ConfigError(sources[0][0] if sources else "axcore.toml", 1, key, reason)


def _syntax(name: str, text: str, message: str) -> ConfigError:
    at = re.search(r"\(at line (\d+), column \d+\)", message)
    line = int(at[1]) if at else max(1, len(text.splitlines()))
    reason = re.sub(r"\s*\(at .*\)", "", message)
    lines = text.splitlines()
    key = lines[line - 1].partition("=")[0].strip()[:40] if line <= len(lines) else "end of file"
    return ConfigError(name, line, key or "syntax", reason)


def _invalid(name: str, text: str, tree: dict[str, Any], message: str) -> ConfigError:
    reason, _, path = message.partition(" - at ")
    key = path.strip("`").removeprefix("$").removeprefix(".")
    if "lines[...]" in key:  # msgspec does not tell which
        key = key.replace("[...]", f".{_wrong_line(tree)}", 1)
    if unknown := re.search(r"unknown field `([^`]*)`", reason):
        key = f"{key}.{unknown[1]}".strip(".")
        reason = "no such setting"
    elif missing := re.search(r"missing required field `([^`]*)`", reason):
        key = f"{key}.{missing[1]}".strip(".")
        reason = "is required"
    place = key
    while (line := find_line(text, place)) == 1 and "." in place:
        place = place.rpartition(".")[0]
    return ConfigError(name, line, key, reason)


def _wrong_line(tree: dict[str, Any]) -> str:
    """The first entry of ``[board.lines]`` that is not a line."""
    for name, value in tree["board"]["lines"].items():
        try:
            msgspec.convert({name: value}, dict[str, Pin | GpioPin])
        except msgspec.ValidationError:
            return str(name)
    return "?"


def find_line(text: str, key: str) -> int:
    """The 1-based line that sets the dotted ``key`` (or opens its table); 1 if it cannot be told."""
    table = key.rpartition(".")[0]
    current, fallback = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if header := re.fullmatch(r"\[\s*([^\[\]]+?)\s*\](\s*#.*)?", stripped):
            current = header[1].replace('"', "").replace(" ", "")
            if current == key:
                return number
            if current == table:
                fallback = number
        elif pair := re.match(r"([A-Za-z0-9_.\"'-]+)\s*=", stripped):
            name = pair[1].replace('"', "").replace("'", "")
            if (f"{current}.{name}" if current else name) == key or (not current and name == table):
                return number
    return fallback
