"""The hardware settings of a reader (id point): which names there are, and what they may be (VAPIX *IdPoint service*).

Names that are left out have their defaults; ``with_defaults`` gives all of them. A name that nobody knows is refused:
a reader that is set up wrong reads nothing, and nobody would know why.
"""

from __future__ import annotations

import re

import msgspec

from axcore.errors import ConflictError, InputError
from axcore.model.pacs import IdDataConfiguration, IdPointConfiguration, Setting
from axcore.services.pacs.check import check_named

MAX_BITS = 512
ENCODINGS = (
    "BinLE2hex", "BinLEIBO2hex", "BinBE2hex", "BinBEIBO2hex", "Bin2Base64", "BinIBO2Base64", "BinLE2Int",
    "BinLEIBO2Int", "BinBE2Int", "BinBEIBO2Int",
)  # fmt: skip
"""LE and BE: least or most significant octet first; IBO: inverse byte order (*Available data encodings*)."""
_LINE = ("None", "ActiveLow", "ActiveHigh")
_SUPERVISED = (*_LINE, "SupervisedActiveLow", "SupervisedActiveHigh")
_CHOICES: dict[str, tuple[str, ...]] = {
    "IdPoint.Reader.Type": ("None", "Wiegand", "RS-485FD", "RS-485HD", "TCPIP"),
    "IdPoint.RS-485HD.Protocol": ("None", "AADP", "OSDP", "HADP"),
    "IdPoint.TCPIP.Protocol": ("", "SmartIntego"),
    "IdPoint.LED.Type": ("None", "SingleLED", "DualLED"),
    "IdPoint.LED.ActiveLevel": ("ActiveLow", "ActiveHigh"),
    "IdPoint.Beeper.Type": _LINE,
    "IdPoint.Tampering.Type": _SUPERVISED,
    "IdPoint.REX.Type": (*_SUPERVISED, "RS-485HD"),
    "IdPoint.Keypress.Types": ("Auto", "4bit", "6bitEData", "8bit", "8bitInvLow", "8bitInvHigh", "8bitDF750"),
    "IdPoint.Hardware.DetectionMode": ("Auto", "Manual"),
    "IdPoint.SecureChannel.KeyType": ("None", "KeyBase", "KeyMaster"),
}
"""The first one is the default."""
_HEX = re.compile(r"(?:0x)?[0-9A-Fa-f]{0,8}")
_ANY = re.compile(r"[\x20-\x7e]{0,128}")
_MV = re.compile(r"\d{1,5}", re.ASCII)
_TEXTS: dict[str, tuple[str, re.Pattern[str], str]] = {
    "IdPoint.TCPIP.Address": ("", re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){3})?", re.ASCII), "must be dotted decimal"),
    "IdPoint.TCPIP.Port": ("", re.compile(r"\d{0,5}", re.ASCII), "must be a port number"),
    "IdPoint.Hardware.Address": ("", _HEX, "must be hexadecimal"),
    "IdPoint.Hardware.Id": ("", _ANY, "must be printable ASCII, 0..128 characters"),
    "IdPoint.Hub.Hardware.Address": ("", _HEX, "must be hexadecimal"),
    "IdPoint.SecureChannel.KeyToken": ("", _ANY, "must be printable ASCII, 0..128 characters"),
    "IdPoint.Whitelist.IdData.Name": ("Card", _ANY, "must be printable ASCII, 0..128 characters"),
    **{
        f"IdPoint.{what}.Supervised{level}": (default, _MV, "must be a voltage in mV")
        for what in ("Tampering", "REX")
        for level, default in (("Cut", "2796"), ("High", "1336"), ("Low", "864"), ("Short", "0"))
    },
}
_DEFAULTS = {
    **{name: choices[0] for name, choices in _CHOICES.items()},
    **{name: text[0] for name, text in _TEXTS.items()},
}
_CHUNK = re.compile(r"(?P<first>\d{1,3})(?:-(?P<last>\d{1,3}))?|b[01]{1,64}|x[0-9A-Fa-f]{1,16}", re.ASCII)
"""Bit N, bits M-N, constant bits, constant hexadecimal digits (*Available data field formats*)."""


def setting(configuration: IdPointConfiguration | None, name: str) -> str:
    """The value of a setting, or its default. KeyError for a name that there is not."""
    for held in () if configuration is None else configuration.settings:
        if held.name == name:
            return held.value
    return _DEFAULTS[name]


def choices(name: str) -> tuple[str, ...]:
    """What a setting may be; empty = a text."""
    return _CHOICES.get(name, ())


def with_defaults(configuration: IdPointConfiguration) -> tuple[Setting, ...]:
    """Every setting, in a fixed order."""
    return tuple(Setting(name, setting(configuration, name)) for name in _DEFAULTS)


def check_configuration(configuration: IdPointConfiguration) -> None:
    """Every name is known, stands once, and has a value that it may have."""
    check_named(configuration)
    seen: set[str] = set()
    for at, held in enumerate(configuration.settings):
        field = f"settings[{at}]"
        if held.name in seen:
            raise ConflictError(f"{field}.name", f"{held.name} stands twice")
        seen.add(held.name)
        if held.name in _CHOICES:
            if held.value == "KeyMaster":
                reason = "keys are not derived from a master key here; set the base key of the reader (KeyBase)"
                raise InputError(f"{field}.value", f"{held.name}: {reason}")
            if held.value not in _CHOICES[held.name]:
                raise InputError(f"{field}.value", f"{held.name} must be one of {', '.join(_CHOICES[held.name])}")
        elif held.name in _TEXTS:
            _, pattern, reason = _TEXTS[held.name]
            if pattern.fullmatch(held.value) is None:
                raise InputError(f"{field}.value", f"{held.name} {reason}")
        else:
            raise InputError(f"{field}.name", f"there is no setting {held.name[:80]!r}")


def merged(before: IdPointConfiguration, changes: IdPointConfiguration) -> IdPointConfiguration:
    """``changes`` with what it does not say as it was (*Configuration structure*: only what is given is replaced)."""
    names = {held.name for held in changes.settings}
    kept = tuple(held for held in before.settings if held.name not in names)
    return msgspec.structs.replace(changes, settings=(*kept, *changes.settings))


def osdp_address(configuration: IdPointConfiguration) -> int:
    """The address of an OSDP reader, 0..7E; numbers outside of it count as 0 (*Available parameters*)."""
    text = setting(configuration, "IdPoint.Hardware.Address").removeprefix("0x")
    address = int(text, 16) if text else 0
    return address if address <= 0x7E else 0


def check_id_data(configuration: IdDataConfiguration) -> None:
    """The fields lie inside the bits, and their encodings are known."""
    check_named(configuration)
    bits = configuration.input_bit_length
    if not 1 <= bits <= MAX_BITS:
        raise InputError("input_bit_length", f"must be 1..{MAX_BITS}")
    names = [field.name for field in configuration.fields]
    for at, field in enumerate(configuration.fields):
        path = f"fields[{at}]"
        if not all(_lies_inside(chunk.strip(), bits) for chunk in field.map.split(",")):
            raise InputError(f"{path}.map", f"must be bits like 10-25, in 1..{bits}, or constants like b01 or xF7")
        if not field.name or len(field.name) > 64 or not field.name.isprintable():
            raise InputError(f"{path}.name", "must have 1..64 characters")
        if names.index(field.name) != at:
            raise ConflictError(f"{path}.name", f"{field.name} stands twice")
        if field.encoding not in ENCODINGS:
            raise InputError(f"{path}.encoding", f"must be one of {', '.join(ENCODINGS)}")


def _lies_inside(chunk: str, bits: int) -> bool:
    found = _CHUNK.fullmatch(chunk)
    if found is None:
        return False
    first = int(found["first"] or 1)
    return 1 <= first <= int(found["last"] or first) <= bits
