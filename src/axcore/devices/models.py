"""Capability tables of the device models (manuals: Product overview, Connectors, System > Accessories > I/O ports).

A model is data: electrical lines with their names and debounce times, the ports that users see over them, readers and
keypad, and the product names that identify it on the network. Times are nanoseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from axcore.errors import NotFoundError
from axcore.model.ports import Direction

MS = 1_000_000
LineRole = Literal["port", "rex", "casing", "callbutton", "control"]


class InputLine(msgspec.Struct, frozen=True, kw_only=True):
    """An input of the board. An open circuit is pulled up: its raw level is high."""

    name: str
    """Name on the board surface and in the GPIO configuration."""
    role: LineRole
    debounce_ns: int = 10 * MS


class OutputLine(msgspec.Struct, frozen=True, kw_only=True):
    """An output of the board. A high level closes the circuit (energised relay, driven open-drain transistor)."""

    name: str
    kind: Literal["relay", "open_drain"]


class PortSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A port as users see it: one or two lines (a configurable port has the same pin as input and as output)."""

    id: int
    """0-based, as in portmanagement.cgi."""
    name: str
    """Name as delivered."""
    aliases: tuple[str, ...] = ()
    direction: Direction
    """Direction as delivered; it can be changed only if ``configurable``."""
    configurable: bool = False
    input: str | None = None
    output: str | None = None


class LedSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator that rules and interfaces can light."""

    name: str
    nice_name: str
    colors: tuple[str, ...]


class SensorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the device feels besides its inputs."""

    name: str
    """Name on the board surface, and source of its events."""
    kind: Literal["temperature", "storage", "sound", "shock", "supervised", "power"]
    nice_name: str
    low: float = 0.0
    """Temperature: degrees Celsius below which it is too cold."""
    high: float = 0.0
    """Temperature: degrees Celsius above which it is too hot."""


class DeviceModel(msgspec.Struct, frozen=True, kw_only=True):
    """One device model."""

    id: str
    prod_nbr: str
    prod_full_name: str
    prod_short_name: str
    prod_type: str
    name: str
    inputs: tuple[InputLine, ...]
    outputs: tuple[OutputLine, ...]
    ports: tuple[PortSpec, ...]
    readers: int
    keypad: bool
    rex_input: str | None = None
    rex_port: int | None = None
    """Port (an output) that REX opens as delivered."""
    max_holders: int = 50
    virtual_inputs: int = 64
    leds: tuple[LedSpec, ...] = ()
    sensors: tuple[SensorSpec, ...] = ()
    doors: int = 0
    """Doors of a controller, with modes, monitors and alarms of their own."""
    calls: bool = False
    """It calls and is called (intercom)."""
    siren: bool = False
    """It has a signaling light and a siren, with profiles."""
    speaker: bool = False
    """It has a loudspeaker, and plays audio clips."""
    secure_card_data: bool = False
    speaker_test: bool = False

    def input_index(self, name: str) -> int:
        """Position of an input line in the native configuration; ``NotFoundError`` if there is none."""
        return _index(self.inputs, name, "input")

    def output_index(self, name: str) -> int:
        """Position of an output line in the native configuration; ``NotFoundError`` if there is none."""
        return _index(self.outputs, name, "output")


def _index(lines: Sequence[InputLine | OutputLine], name: str, field: str) -> int:
    for position, line in enumerate(lines):
        if line.name == name:
            return position
    raise NotFoundError(field, f"there is no line {name!r} (lines: {', '.join(line.name for line in lines)})")


_CONFIGURABLE = tuple(
    PortSpec(
        id=n,
        name=f"Port {n + 1}",
        aliases=(f"I/O {n + 1}", f"port{n + 1}"),
        direction="input",
        configurable=True,
        input=f"port{n + 1}",
        output=f"port{n + 1}",
    )
    for n in range(4)
)

_ALL_COLORS = ("red", "green", "blue", "amber", "white")
_INDICATORS = (
    LedSpec(name="statusCall", nice_name="Call icon", colors=("blue",)),
    LedSpec(name="statusSpeak", nice_name="Speech icon", colors=("amber",)),
    LedSpec(name="statusDoor", nice_name="Door icon", colors=("green",)),
    LedSpec(name="stripe", nice_name="Card reader indicator stripe", colors=_ALL_COLORS),
    LedSpec(name="callButton", nice_name="Call button", colors=("white",)),
    LedSpec(name="backlight", nice_name="Keypad backlight", colors=("white",)),
    LedSpec(name="status", nice_name="Status LED", colors=("green", "amber", "red")),
)
_SENSORS = (
    *(SensorSpec(name=f"port{n}", kind="supervised", nice_name=f"I/O {n}") for n in range(1, 5)),
    SensorSpec(name="temperature", kind="temperature", nice_name="Device temperature", low=-40.0, high=75.0),
    SensorSpec(name="storage", kind="storage", nice_name="Internal storage"),
    SensorSpec(name="microphone", kind="sound", nice_name="Audio input 1"),
    SensorSpec(name="shock", kind="shock", nice_name="Shock detector"),
)

DOOR_STATION = DeviceModel(
    id="a8207-ve",
    prod_nbr="A8207-VE",
    prod_full_name="AXIS A8207-VE Network Video Door Station",
    prod_short_name="AXIS A8207-VE",
    prod_type="Network Video Door Station",
    name="Door station",
    inputs=(
        *(InputLine(name=f"port{n}", role="port") for n in range(1, 5)),
        InputLine(name="rex", role="rex", debounce_ns=5 * MS),
        InputLine(name="casing", role="casing"),
        InputLine(name="callbutton", role="callbutton"),
    ),
    outputs=(
        OutputLine(name="relay1", kind="relay"),
        OutputLine(name="relay2", kind="relay"),
        *(OutputLine(name=f"port{n}", kind="open_drain") for n in range(1, 5)),
    ),
    ports=(
        *_CONFIGURABLE,
        PortSpec(id=4, name="Door", aliases=("Relay 1", "relay1"), direction="output", output="relay1"),
        PortSpec(id=5, name="Relay 2", aliases=("relay2",), direction="output", output="relay2"),
    ),
    readers=1,
    keypad=True,
    rex_input="rex",
    rex_port=4,
    leds=_INDICATORS,
    sensors=_SENSORS,
    calls=True,
    speaker=True,
)

DOOR_STATION_MK2 = msgspec.structs.replace(
    DOOR_STATION,
    id="a8207-ve-mk2",
    prod_nbr="A8207-VE Mk II",
    prod_full_name="AXIS A8207-VE Mk II Network Video Door Station",
    prod_short_name="AXIS A8207-VE Mk II",
    secure_card_data=True,
    speaker_test=True,
)

STROBE_SIREN_MK2 = DeviceModel(
    id="d4100-ve-mk2",
    prod_nbr="D4100-VE Mk II",
    prod_full_name="AXIS D4100-VE Mk II Network Strobe Siren",
    prod_short_name="AXIS D4100-VE Mk II",
    prod_type="Network Strobe Siren",
    name="Strobe siren",
    inputs=(
        *(InputLine(name=f"port{n}", role="port") for n in range(1, 3)),
        InputLine(name="control", role="control", debounce_ns=20 * MS),
    ),
    outputs=tuple(OutputLine(name=f"port{n}", kind="open_drain") for n in range(1, 3)),
    ports=_CONFIGURABLE[:2],
    readers=0,
    keypad=False,
    max_holders=0,
    leds=(LedSpec(name="status", nice_name="Status LED", colors=("green", "amber")),),
    sensors=(
        *(SensorSpec(name=f"port{n}", kind="supervised", nice_name=f"I/O {n}") for n in range(1, 3)),
        SensorSpec(name="temperature", kind="temperature", nice_name="Device temperature", low=-40.0, high=75.0),
        SensorSpec(name="storage", kind="storage", nice_name="Internal storage"),
        SensorSpec(name="poe", kind="power", nice_name="Power over Ethernet"),
    ),
    siren=True,
    calls=True,
    speaker=True,
)

MODELS: dict[str, DeviceModel] = {entry.id: entry for entry in (DOOR_STATION, DOOR_STATION_MK2, STROBE_SIREN_MK2)}


def model(model_id: str) -> DeviceModel:
    """The capability table of ``model_id``; ``NotFoundError`` lists the models that exist."""
    try:
        return MODELS[model_id]
    except KeyError:
        raise NotFoundError("model", f"unknown model {model_id!r} (models: {', '.join(sorted(MODELS))})") from None
