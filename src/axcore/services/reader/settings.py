"""The door station as a reader: how it is connected to a door controller, and what it sends (manual: Reader).

Secrets (the OSDP key, the password of the VAPIX reader) come in and never go out: views say whether they are set.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from axcore.errors import InputError
from axcore.osdp.keys import normal_key
from axcore.wiegand import DataSettings, OutputFormat
from axcore.wiegand.keypad import Keypress

ReaderProtocol = Literal["none", "vapix", "osdp", "wiegand"]
StripeColor = Literal["off", "red", "green", "blue", "amber", "white"]
Connection = Literal["connected", "connecting", "not_connected"]

CHIP_TYPES: tuple[str, ...] = (
    "Generic",
    "MIFARE Classic",
    "MIFARE Plus",
    "MIFARE Ultralight",
    "MIFARE DESFire",
    "MIFARE DESFire EV1",
    "MIFARE DESFire EV2",
    "MIFARE DESFire EV3",
    "HID iCLASS",
    "HID iCLASS SE",
    "HID Prox",
    "HID SEOS",
    "EM4x02",
    "HITAG",
    "LEGIC Advant",
    "LEGIC Prime",
    "NFC",
    "OPAL",
)
GENERIC = "Generic"
"""Frames of a card module that does not tell the chip: bits on the Wiegand lines."""
MAX_DATA_SETS = 32
MAX_TEXT = 255
MAX_PORT = 4
MAX_ADDRESS = 126
MIN_BAUD, MAX_BAUD = 9600, 460_800
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:_-]*[A-Za-z0-9])?|[A-Fa-f0-9:.]+(?:%[A-Za-z0-9]+)?")


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of settings."""


class VapixReader(_Part, frozen=True, kw_only=True):
    """A reader of a controller on the network."""

    scheme: Literal["https", "http"] = "https"
    host: str = ""
    port: int | None = None
    """None: that of the scheme."""
    username: str = ""
    password: str = ""
    verify_certificate: bool = True
    ca_certificate: str = ""
    """Name of an installed certificate whose owner signs the controller's; empty = those that the system trusts."""
    reader: str = ""
    """Token of the id point: the entrance reader of a door."""
    access_controller: str = ""
    """Token of the access controller. With it, access is requested at once and the answer is shown (RequestAccess);
    without, what was shown at the reader is told (IndicateRemoteActivities)."""


class OsdpReader(_Part, frozen=True, kw_only=True):
    """A peripheral device on the RS-485 pins."""

    address: int = 0
    baud: int = 9600
    key: str = ""
    """Base key of the secure channel, 32 hexadecimal digits; empty = none, until a controller sets one."""


class WiegandReader(_Part, frozen=True, kw_only=True):
    """A reader with DATA0 and DATA1."""

    beeper: bool = False
    beeper_input: int | None = None
    """I/O port 1 to 4 whose activation sounds the beeper."""
    led_inputs: Literal[0, 1, 2] = 0
    led1_input: int | None = None
    led2_input: int | None = None
    idle_color: StripeColor = "off"
    low_color: StripeColor = "off"
    """With one LED input: when it is low (active)."""
    high_color: StripeColor = "off"
    led1_color: StripeColor = "red"
    """With two LED inputs."""
    led2_color: StripeColor = "green"
    both_color: StripeColor = "amber"
    keypress: Keypress = Keypress()

    @property
    def taken(self) -> frozenset[int]:
        """I/O ports that are used."""
        leds = (self.led1_input, self.led2_input)[: self.led_inputs]
        ports = (*leds, self.beeper_input if self.beeper else None)
        return frozenset(port for port in ports if port is not None)


class ExternalReader(_Part, frozen=True, kw_only=True):
    """An OSDP reader connected to the door station."""

    enabled: bool = False
    address: int = 0
    baud: int = 9600
    key: str = ""


class ChipSettings(_Part, frozen=True, kw_only=True):
    """Which chips are read, and which of their data is used. ``use_as_authenticator`` of a data set is what the newer
    manual calls *Use as UID*."""

    active: tuple[str, ...] = CHIP_TYPES
    data: DataSettings = DataSettings()


class ReaderSettings(_Part, frozen=True, kw_only=True):
    """Reader > Connection, Output format, Chip types."""

    protocol: ReaderProtocol = "none"
    vapix: VapixReader = VapixReader()
    osdp: OsdpReader = OsdpReader()
    wiegand: WiegandReader = WiegandReader()
    external: ExternalReader = ExternalReader()
    output: OutputFormat = OutputFormat()
    chips: ChipSettings = ChipSettings()


class ReaderState(msgspec.Struct, frozen=True, kw_only=True):
    """How the connections stand now."""

    protocol: ReaderProtocol
    connection: Connection
    secure: bool = False
    """OSDP: a secure channel with a key of its own."""
    reason: str = ""
    """Why it is not connected, where that is known."""
    install_window: bool = False
    external: Connection = "not_connected"
    external_secure: bool = False
    external_tamper: bool = False
    sent: int = 0
    """Credentials sent since the start."""
    dropped: int = 0
    """Credentials that could not be sent."""


# --- checks --------------------------------------------------------------------------------------------------------


def check(settings: ReaderSettings) -> ReaderSettings:
    """The settings in their stored form (keys in lower case). InputError names the field."""
    for name, part in (("osdp", settings.osdp), ("external", settings.external)):
        if not 0 <= part.address <= MAX_ADDRESS:
            raise InputError(f"{name}.address", f"must be 0 to {MAX_ADDRESS}")
        if not MIN_BAUD <= part.baud <= MAX_BAUD:
            raise InputError(f"{name}.baud", f"must be {MIN_BAUD} to {MAX_BAUD}")
    _check_vapix(settings.vapix, needed=settings.protocol == "vapix")
    _check_wiegand(settings.wiegand)
    _check_chips(settings.chips)
    osdp = msgspec.structs.replace(settings.osdp, key=normal_key("osdp.key", settings.osdp.key))
    external = msgspec.structs.replace(settings.external, key=normal_key("external.key", settings.external.key))
    return msgspec.structs.replace(settings, osdp=osdp, external=external)


def _check_vapix(vapix: VapixReader, *, needed: bool) -> None:
    if needed and not vapix.host:
        raise InputError("vapix.host", "is needed: the address of the door controller")
    if vapix.host and (len(vapix.host) > MAX_TEXT or not HOST.fullmatch(vapix.host)):
        raise InputError("vapix.host", "must be a host name or an IP address")
    if vapix.port is not None and not 1 <= vapix.port <= 65535:
        raise InputError("vapix.port", "must be 1 to 65535")
    for field in ("username", "password", "reader", "access_controller", "ca_certificate"):
        value = getattr(vapix, field)
        if len(value) > MAX_TEXT or not value.isprintable():
            raise InputError(f"vapix.{field}", f"must be at most {MAX_TEXT} printable characters")


def _check_wiegand(wiegand: WiegandReader) -> None:
    used: dict[int, str] = {}
    wanted = {
        "beeper_input": wiegand.beeper,
        "led1_input": wiegand.led_inputs >= 1,
        "led2_input": wiegand.led_inputs == 2,
    }
    for field, needed in wanted.items():
        port = getattr(wiegand, field)
        if port is None:
            if needed:
                raise InputError(f"wiegand.{field}", "must be chosen")
            continue
        if not 1 <= port <= MAX_PORT:
            raise InputError(f"wiegand.{field}", f"must be an I/O port, 1 to {MAX_PORT}")
        if needed and port in used:
            raise InputError(f"wiegand.{field}", f"port {port} is {used[port]} already")
        if needed:
            used[port] = field


def _check_chips(chips: ChipSettings) -> None:
    for number, chip in enumerate(chips.active):
        if chip not in CHIP_TYPES:
            raise InputError(f"chips.active[{number}]", f"{chip[:40]!r} is not one of {', '.join(CHIP_TYPES)}")
        if chip in chips.active[:number]:
            raise InputError(f"chips.active[{number}]", f"{chip} is there twice")
    if len(chips.data.data_sets) > MAX_DATA_SETS:
        raise InputError("chips.data.data_sets", f"at most {MAX_DATA_SETS} data sets")
    for number, data_set in enumerate(chips.data.data_sets):
        if data_set.chip_type not in CHIP_TYPES:
            raise InputError(f"chips.data.data_sets[{number}].chip_type", f"must be one of {', '.join(CHIP_TYPES)}")
