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
LineRole = Literal[
    "port", "rex", "casing", "callbutton", "control", "calibrate", "monitor", "tamper", "alarm", "reader_tamper"
]  # fmt: skip
"""``control``: the control button; ``calibrate``: one that calibrates the speaker test; ``monitor``: that of a door or
of a lock; ``tamper``, ``alarm``: the inputs for external devices."""


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
    kind: Literal["temperature", "storage", "sound", "shock", "supervised", "power", "motion", "light"]
    nice_name: str
    low: float = 0.0
    """Temperature: degrees Celsius below which it is too cold."""
    high: float = 0.0
    """Temperature: degrees Celsius above which it is too hot."""


class DoorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The terminals of a door: lines of the board by name."""

    lock: str
    """Relay of the lock: energised when COM is connected to NO."""
    monitor: str
    """Door monitor. A closed circuit is active; it can be supervised."""
    rex: str
    double_lock: str | None = None
    """Relay of a second lock."""
    lock_monitor: str | None = None


class ReaderSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A place for a reader: an address on an RS-485 line, or the Wiegand lines."""

    name: str
    door: int
    """Number (1..) of the door that it is for as delivered."""
    port: int
    """Number (1..) of the reader connector."""
    address: int
    """OSDP address as delivered (multi-drop: the readers of one connector have different ones)."""
    wiegand: int | None = None
    """Pair of reader lines (0-based), when the connector can be used for Wiegand instead."""
    lines: tuple[str, str, str, str] | None = None
    """Then its red LED, green LED, buzzer (outputs) and tamper (input)."""


class PowerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A current that the device measures, with the limits of its connector."""

    name: str
    nice_name: str
    side: Literal["in", "out"]
    volt: float
    """Nominal."""
    max_ampere: float
    min_volt: float
    """Less is under-voltage. An input without any is not connected."""
    led: str = ""
    """The manual's over-current LED that shows its faults."""


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
    doors: tuple[DoorSpec, ...] = ()
    """Doors of a controller, with modes, monitors and alarms of their own."""
    reader_places: tuple[ReaderSpec, ...] = ()
    """Readers of a controller; ``readers`` counts the pairs of Wiegand lines."""
    power: tuple[PowerSpec, ...] = ()
    floors: int = 0
    """Most floors of an elevator (with expansion modules)."""
    expansions: int = 0
    """Most expansion modules (A9910)."""
    network_readers: int = 0
    wireless_locks: int = 0
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

WIEGAND_OUTPUT = ("data0", "data1")
"""DATA0 and DATA1 of the reader connector: idle high, a bit is a pulse to ground."""
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
    SensorSpec(name="light", kind="light", nice_name="Light sensor"),
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
        *(OutputLine(name=name, kind="open_drain") for name in WIEGAND_OUTPUT),
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
    inputs=(*DOOR_STATION.inputs, InputLine(name="control", role="calibrate", debounce_ns=20 * MS)),
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

_READER_LINES = ("reader1led1", "reader1led2", "reader1buzzer", "reader1tamper")
_CONTROLLER_SENSORS = (
    SensorSpec(name="temperature", kind="temperature", nice_name="Core temperature", low=-40.0, high=85.0),
    SensorSpec(name="storage", kind="storage", nice_name="Internal storage"),
    SensorSpec(name="motion", kind="motion", nice_name="Device motion"),
)
_EXTERNAL = (
    InputLine(name="tamper", role="tamper"),
    InputLine(name="alarm", role="alarm"),
    InputLine(name="casing", role="casing"),
)


def _aux(first: int) -> tuple[PortSpec, ...]:
    """The configurable pins 3 and 4 of the auxiliary connector."""
    return tuple(
        msgspec.structs.replace(
            _CONFIGURABLE[n], id=first + n, name=f"AUX {n + 1}", aliases=(f"I/O {n + 1}", f"port{n + 1}")
        )
        for n in range(2)
    )


DOOR_CONTROLLER = DeviceModel(
    id="a1610",
    prod_nbr="A1610",
    prod_full_name="AXIS A1610 Network Door Controller",
    prod_short_name="AXIS A1610",
    prod_type="Network Door Controller",
    name="Door controller",
    inputs=(
        InputLine(name="door1", role="monitor"),
        InputLine(name="rex1", role="rex", debounce_ns=5 * MS),
        *(InputLine(name=f"port{n}", role="port") for n in (1, 2)),
        *_EXTERNAL,
        InputLine(name="reader1tamper", role="reader_tamper"),
    ),
    outputs=(
        OutputLine(name="relay1", kind="relay"),
        *(OutputLine(name=f"port{n}", kind="open_drain") for n in (1, 2)),
        *(OutputLine(name=name, kind="open_drain") for name in _READER_LINES[:3]),
    ),
    ports=(
        *_aux(0),
        PortSpec(id=2, name="Relay 1", aliases=("relay1",), direction="output", output="relay1"),
    ),
    readers=1,
    keypad=False,
    max_holders=0,
    leds=(LedSpec(name="status", nice_name="Status LED", colors=("green", "amber", "red")),),
    sensors=(
        *(SensorSpec(name=f"port{n}", kind="supervised", nice_name=f"I/O {n}") for n in (1, 2)),
        *_CONTROLLER_SENSORS,
    ),
    doors=(DoorSpec(lock="relay1", monitor="door1", rex="rex1"),),
    reader_places=(
        ReaderSpec(name="reader1", door=1, port=1, address=0, wiegand=0, lines=_READER_LINES),
        ReaderSpec(name="reader2", door=1, port=1, address=1),
    ),
    power=(
        PowerSpec(name="poe", nice_name="PoE", side="in", volt=48.0, max_ampere=0.6, min_volt=37.0),
        PowerSpec(name="dc", nice_name="DC", side="in", volt=12.0, max_ampere=3.0, min_volt=10.5),
        PowerSpec(name="reader1", nice_name="Reader", side="out", volt=12.0, max_ampere=0.5, min_volt=10.5),
        PowerSpec(name="relay1", nice_name="Relay", side="out", volt=12.0, max_ampere=1.6, min_volt=10.5),
        PowerSpec(name="aux", nice_name="AUX", side="out", volt=12.0, max_ampere=0.05, min_volt=10.5),
    ),
)

DOOR_CONTROLLER_4 = DeviceModel(
    id="a1710-b",
    prod_nbr="A1710-B",
    prod_full_name="AXIS A1710-B Network Door Controller",
    prod_short_name="AXIS A1710-B",
    prod_type="Network Door Controller",
    name="Door controller for four doors",
    inputs=(
        *(InputLine(name=f"door{n}", role="monitor") for n in range(1, 5)),
        *(InputLine(name=f"rex{n}", role="rex", debounce_ns=5 * MS) for n in range(1, 5)),
        *(InputLine(name=f"port{n}", role="port") for n in (1, 2)),
        *(InputLine(name=f"input{n}", role="port") for n in range(1, 4)),
        *_EXTERNAL,
    ),
    outputs=(
        *(OutputLine(name=f"relay{n}", kind="relay") for n in range(1, 5)),
        *(OutputLine(name=f"auxrelay{n}", kind="relay") for n in range(1, 5)),
        OutputLine(name="relay5", kind="relay"),
        *(OutputLine(name=f"port{n}", kind="open_drain") for n in (1, 2)),
        *(OutputLine(name=f"output{n}", kind="open_drain") for n in range(1, 4)),
    ),
    ports=(
        *_aux(0),
        *(
            PortSpec(id=n + 1, name=f"Input {n}", aliases=(f"input{n}",), direction="input", input=f"input{n}")
            for n in range(1, 4)
        ),
        *(
            PortSpec(id=n + 4, name=f"Output {n}", aliases=(f"output{n}",), direction="output", output=f"output{n}")
            for n in range(1, 4)
        ),
        PortSpec(id=8, name="Relay", aliases=("relay5",), direction="output", output="relay5"),
        *(
            PortSpec(id=n + 8, name=f"Door relay {n}", aliases=(f"relay{n}",), direction="output", output=f"relay{n}")
            for n in range(1, 5)
        ),
        *(
            PortSpec(
                id=n + 12, name=f"AUX relay {n}", aliases=(f"auxrelay{n}",), direction="output", output=f"auxrelay{n}"
            )
            for n in range(1, 5)
        ),
    ),
    readers=0,
    keypad=False,
    max_holders=0,
    leds=(LedSpec(name="status", nice_name="Status LED", colors=("green", "amber", "red")),),
    sensors=(
        *(SensorSpec(name=f"port{n}", kind="supervised", nice_name=f"I/O {n}") for n in (1, 2)),
        *_CONTROLLER_SENSORS,
    ),
    doors=tuple(
        DoorSpec(lock=f"relay{n}", monitor=f"door{n}", rex=f"rex{n}", double_lock=f"auxrelay{n}") for n in range(1, 5)
    ),
    reader_places=tuple(
        ReaderSpec(name=f"reader{n}", door=(n + 1) // 2, port=(n + 1) // 2, address=(n + 1) % 2) for n in range(1, 9)
    ),
    power=(
        PowerSpec(name="poe", nice_name="PoE", side="in", volt=48.0, max_ampere=0.6, min_volt=37.0),
        PowerSpec(name="dc", nice_name="DC", side="in", volt=12.0, max_ampere=3.0, min_volt=10.5),
        PowerSpec(name="dc14", nice_name="DC Door 1-4", side="in", volt=12.0, max_ampere=8.0, min_volt=10.5),
        PowerSpec(
            name="readers", nice_name="Readers of doors 1-4", side="out", volt=12.0, max_ampere=2.0, min_volt=10.5,
            led="OC READER",
        ),
        PowerSpec(
            name="relays", nice_name="Relays of doors 1-4", side="out", volt=12.0, max_ampere=3.8, min_volt=10.5,
            led="OC RELAY",
        ),
        PowerSpec(name="doors", nice_name="Door connectors", side="out", volt=12.0, max_ampere=0.4, min_volt=10.5),
        PowerSpec(name="relay5", nice_name="Relay", side="out", volt=12.0, max_ampere=1.9, min_volt=10.5),
        PowerSpec(name="input", nice_name="Input connector", side="out", volt=12.0, max_ampere=0.19, min_volt=10.5),
        PowerSpec(name="aux", nice_name="AUX", side="out", volt=12.0, max_ampere=0.25, min_volt=10.5),
    ),
    floors=16,
    expansions=16,
    network_readers=16,
    wireless_locks=16,
)  # fmt: skip

MODELS: dict[str, DeviceModel] = {
    entry.id: entry for entry in (DOOR_STATION, DOOR_STATION_MK2, DOOR_CONTROLLER, DOOR_CONTROLLER_4, STROBE_SIREN_MK2)
}


def model(model_id: str) -> DeviceModel:
    """The capability table of ``model_id``; ``NotFoundError`` lists the models that exist."""
    try:
        return MODELS[model_id]
    except KeyError:
        raise NotFoundError("model", f"unknown model {model_id!r} (models: {', '.join(sorted(MODELS))})") from None
