"""What is set for the RS-485 ports of a controller and for each reader on them (manual: Reader connector; Peripherals >
Readers). Base keys come in and never go out: views say whether one is set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from axcore.devices import ReaderSpec
from axcore.devices.reader import BeepSignal, LedSignal, ReaderFeedback, ReaderSign
from axcore.errors import ConflictError, InputError
from axcore.osdp.keys import normal_key

PortProtocol = Literal["osdp", "wiegand", "none"]
MAX_ADDRESS = 126
BAUD_RATES = (9600, 19200, 38400, 57600, 115200, 230400)
"""OSDP 2.2, 5.2: these speeds."""
MAX_POLL_MS = 1000
MAX_STEP_S, MAX_SHOWN_S = 25.5, 6553.5
"""What the fields of an OSDP command hold, in steps of 0.1 s."""


class PortSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reader connector."""

    protocol: PortProtocol = "osdp"
    """``wiegand`` only where the connector has such lines, which are the same pins."""
    baud: int = 9600
    poll_ms: int = 20
    """Least time between polls of one reader; 0 = as fast as the line allows."""


class BusReader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An OSDP reader at its place."""

    enabled: bool = False
    """It is polled."""
    address: int = 0
    key: str = ""
    """Base key of the secure channel, 32 hexadecimal digits; empty = none, until one is set in an install window."""
    secure_only: bool = True
    """Without a key it is not talked to; with one never in clear, whatever this says."""
    feedback: ReaderFeedback = ReaderFeedback()


class KeptReader(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of a reader: its settings and the key that is on its way to it."""

    settings: BusReader
    next_key: str = ""
    """Sent, not confirmed: after a crash the reader may have this one or the former."""


def delivered_port(places: tuple[ReaderSpec, ...], port: int) -> PortSettings:
    """As delivered: Wiegand where there are such lines."""
    wiegand = any(spec.port == port and spec.wiegand is not None for spec in places)
    return PortSettings(protocol="wiegand" if wiegand else "osdp")


def check_port(settings: PortSettings, *, has_wiegand: bool) -> PortSettings:
    """InputError names the field."""
    if settings.protocol == "wiegand" and not has_wiegand:
        raise InputError("protocol", "this connector has no Wiegand lines (a converter makes OSDP of them)")
    if settings.baud not in BAUD_RATES:
        raise InputError("baud", f"must be one of {', '.join(map(str, BAUD_RATES))}")
    if not 0 <= settings.poll_ms <= MAX_POLL_MS:
        raise InputError("poll_ms", f"must be 0 to {MAX_POLL_MS}")
    return settings


def check_reader(settings: BusReader) -> BusReader:
    """The settings in their stored form (the key in lower case). InputError names the field."""
    if not 0 <= settings.address <= MAX_ADDRESS:
        raise InputError("address", f"must be 0 to {MAX_ADDRESS}")
    for name in ("granted", "denied", "more"):
        _check_sign(f"feedback.{name}", getattr(settings.feedback, name))
    return msgspec.structs.replace(settings, key=normal_key("key", settings.key))


def check_addresses(name: str, address: int, neighbours: Mapping[str, int]) -> None:
    """ConflictError, if another on the same line has this address."""
    for other, taken in neighbours.items():
        if other != name and taken == address:
            raise ConflictError("address", f"{address} is that of {other} on the same port")


def _check_sign(field: str, sign: ReaderSign) -> None:
    if sign.led is not None:
        _check_led(f"{field}.led", sign.led)
    if sign.beep is not None:
        _check_beep(f"{field}.beep", sign.beep)


def _check_led(field: str, led: LedSignal) -> None:
    _check_range(f"{field}.led", led.led, 255)
    for part in ("on", "off"):
        _check_range(f"{field}.{part}", getattr(led, part), MAX_STEP_S)
    _check_range(f"{field}.seconds", led.seconds, MAX_SHOWN_S)
    if led.seconds == 0:
        raise InputError(f"{field}.seconds", "must be more than 0: an answer ends")


def _check_beep(field: str, beep: BeepSignal) -> None:
    for part in ("on", "off"):
        _check_range(f"{field}.{part}", getattr(beep, part), MAX_STEP_S)
    _check_range(f"{field}.count", beep.count, 255)
    if beep.count == 0 and beep.on > 0:
        raise InputError(f"{field}.count", "must be 1 to 255: a sound ends")


def _check_range(field: str, value: float, most: float) -> None:
    if not 0 <= value <= most:  # also refuses what is not a number
        raise InputError(field, f"must be 0 to {most:g}")


def patched_reader(settings: BusReader, patch: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with what a patch names; ``feedback`` is patched member by member."""
    fields: dict[str, Any] = msgspec.to_builtins(settings)
    for name, value in patch.items():
        both = name == "feedback" and isinstance(value, dict)
        fields[name] = {**fields[name], **value} if both else value
    return fields
