"""Structs on the wire, as JSON and as XML, both ways, from one description: the fields of the struct.

A field is called as its attribute in CamelCase, unless ``NAMES`` says otherwise; a time in milliseconds is an
``xs:duration`` and loses its ``_ms``. In XML a token is an attribute, and so are all parts of ``ATTRIBUTES``; both are
read as elements too, of whatever namespace. An empty element of a list is no entry, but says that the list was given:
a profile without schedules must not come back as one for always. Order on reading does not matter; what is written has
the order of the struct. A list may be given as its one entry; null counts as not given. What does not fit is an
``ArgumentError`` that names the field.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec

from axcore.errors import InputError
from axcore.interfaces.soap.xmlio import Element, Xml, join, tag
from axcore.model import doors, pacs
from axcore.model.durations import duration, parse_duration


class ArgumentError(InputError):
    """An argument is missing, not known, or not of its type (``ter:InvalidArgs``)."""


class Arguments(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation is given. Its tokens are called ``Token``, not ``token`` as those of records."""


NAMES: dict[type[Any], dict[str, str]] = {
    pacs.User: {"attributes": "Attribute"},
    pacs.Credential: {
        "attributes": "Attribute", "authentication_profiles": "AuthenticationProfile",
        "access_profiles": "CredentialAccessProfile",
    },
    pacs.Area: {"attributes": "Attribute"},
    pacs.AccessPolicy: {"schedules": "Schedule"},
    pacs.AccessProfile: {
        "schedules": "Schedule", "authentication_profiles": "AuthenticationProfile", "attributes": "Attribute",
        "policies": "AccessPolicy",
    },
    pacs.IdFactor: {"operator": "IdMatchOperatorName"},
    pacs.AuthenticationProfile: {"id_factors": "IdFactor", "schedules": "Schedule"},
    pacs.IdPointDevice: {"device_uuid": "DeviceUUID"},
    pacs.AccessPoint: {
        "door_device_uuid": "DoorDeviceUUID", "id_points": "IdPointDevice", "attributes": "Attribute",
        "authentication_profiles": "AuthenticationProfile", "action_arguments": "ActionArgument",
    },
    pacs.AccessController: {"access_points": "AccessPoint"},
    pacs.IdPoint: {"min_pin_size": "MinPINSize", "max_pin_size": "MaxPINSize", "end_of_pin": "EndOfPIN",
                   "heartbeat_ms": "HeartbeatInterval"},
    pacs.IdDataConfiguration: {"input_bit_length": "InputBitlength", "fields": "IdDataFieldMap"},
    pacs.IdPointConfiguration: {
        "device_uuid": "DeviceUUID", "settings": "Configuration", "id_data_configurations": "IdDataConfiguration",
    },
    pacs.ScheduleText: {
        "definition": "ScheduleDefinition", "exception": "ExceptionScheduleDefinition", "attributes": "Attribute",
    },
    pacs.EncryptionKey: {"modified": "ModificationTime"},
    pacs.Attribute: {"type": "type"},
    doors.Door: {
        "access_ms": "AccessTime", "open_too_long_ms": "OpenTooLongTime", "pre_alarm_ms": "PreAlarmTime",
        "extended_access_ms": "ExtendedAccessTime", "extended_open_too_long_ms": "ExtendedOpenTooLongTime",
        "heartbeat_ms": "HeartbeatInterval",
    },
    doors.PriorityAction: {"level": "PriorityLevel", "action": "DoorAction"},
    doors.PriorityConfiguration: {"actions": "DoorPriorityAction"},
    doors.ScheduledState: {"schedules": "ScheduleToken"},
    doors.DoorSchedule: {"level": "PriorityLevel", "states": "ScheduledState"},
    doors.DoorScheduleConfiguration: {"schedules": "DoorSchedule"},
}  # fmt: skip
"""Names that do not follow from the attribute."""
OTHER_NAMES: dict[str, str] = {"EndOfPin": "EndOfPIN"}
"""Spellings that are read too (the documentation has both)."""
ATTRIBUTES: frozenset[type[Any]] = frozenset((pacs.Attribute, pacs.IdData))
"""Structs whose parts are all attributes in XML."""

TOKEN_ELEMENTS: set[type[Any]] = set()
"""Structs whose token is an element in XML."""

XML_SPACE = " \t\r\n"
"""White space of XML; what else is blank belongs to the text."""
SlotKind = Literal["text", "flag", "number", "time", "texts", "one", "many"]


class Slot(msgspec.Struct, frozen=True):
    """A field on the wire."""

    wire: str
    attr: str
    kind: SlotKind
    struct: type[Any] | None
    choices: tuple[str, ...]
    required: bool
    blank: bool
    """No entries are not what is taken when it is left out: in XML, an empty element says so."""


class Shape(msgspec.Struct, frozen=True):
    """A struct on the wire."""

    struct: type[Any]
    slots: tuple[Slot, ...]
    by_wire: Mapping[str, Slot]


def wire_name(struct: type[Any], attr: str) -> str:
    """What a field is called on the wire."""
    named = NAMES.get(struct, {}).get(attr)
    if named is not None:
        return named
    if attr == "token" and not issubclass(struct, Arguments):
        return attr
    return "".join(part[:1].upper() + part[1:] for part in attr.removesuffix("_ms").split("_"))


def shape(struct: type[Any]) -> Shape:
    """The description of a struct. TypeError for a field of a type that the wire does not have."""
    described: Shape = _shape(struct)  # type: ignore[arg-type]
    return described


@lru_cache(maxsize=256)
def _shape(struct: Any) -> Shape:
    hints = typing.get_type_hints(struct)
    slots = []
    for field in msgspec.structs.fields(struct):
        hint = hints[field.name]
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        if type(None) in typing.get_args(hint) and len(options) == 1:
            hint = options[0]
        kind, inner, choices = _kind(field.name, hint)
        blank = kind in ("texts", "many") and field.default != ()
        slots.append(Slot(wire_name(struct, field.name), field.name, kind, inner, choices, field.required, blank))
    return Shape(struct, tuple(slots), {slot.wire: slot for slot in slots})


def _kind(name: str, hint: Any) -> tuple[SlotKind, type[Any] | None, tuple[str, ...]]:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return "text", None, tuple(args)
    if origin is tuple:
        inner = args[0]
        return ("texts", None, ()) if inner is str else ("many", inner, ())
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return "one", hint, ()
    if hint is int:
        return ("time" if name.endswith("_ms") else "number"), None, ()
    if hint in (str, bool):
        return ("text" if hint is str else "flag"), None, ()
    raise TypeError(f"{name}: {hint} has no form on the wire")


# --- reading


def from_json(struct: type[Any], value: Any, path: str = "") -> Any:
    """A struct from a JSON object. ArgumentError names the field."""
    if not isinstance(value, dict):
        raise ArgumentError(path or "body", "must be an object")
    described, found = shape(struct), {}
    for name, given in value.items():
        key = str(name)
        slot = described.by_wire.get(OTHER_NAMES.get(key, key))
        at = f"{path}.{key}" if path else key
        if slot is None:
            raise ArgumentError(at[:200], "is not a known field")
        if given is not None:
            found[slot.attr] = _json_value(slot, given, at)
    return _made(described, found, path)


def _json_value(slot: Slot, given: Any, at: str) -> Any:
    if slot.kind in ("texts", "many"):
        entries = given if isinstance(given, list) else [given]
        if slot.kind == "texts":
            return tuple(_text(entry, f"{at}[{n}]") for n, entry in enumerate(entries) if entry != "")
        return tuple(from_json(slot.struct, entry, f"{at}[{n}]") for n, entry in enumerate(entries))  # type: ignore[arg-type]
    if slot.kind == "one":
        return from_json(slot.struct, given, at)  # type: ignore[arg-type]
    if slot.kind == "flag":
        if not isinstance(given, bool):
            raise ArgumentError(at, "must be true or false")
        return given
    if slot.kind == "number":
        if not isinstance(given, int) or isinstance(given, bool) or abs(given) > 1 << 62:
            raise ArgumentError(at, "must be a whole number")
        return given
    return _scalar(slot, _text(given, at), at)


def from_xml(struct: type[Any], element: Element, path: str = "") -> Any:
    """A struct from an element: its attributes and children. ArgumentError names the field."""
    described = shape(struct)
    given: dict[str, list[Element | str]] = {}
    for name, value in element.attributes.items():
        if not name.startswith("{"):
            given.setdefault(OTHER_NAMES.get(name, name), []).append(value)
    for child in element:
        given.setdefault(OTHER_NAMES.get(child.name, child.name), []).append(child)
    found = {}
    for name, values in given.items():
        at = f"{path}.{name}" if path else name
        slot = described.by_wire.get(name)
        if slot is None:
            raise ArgumentError(at[:200], "is not a known field")
        if slot.kind not in ("texts", "many") and len(values) > 1:
            raise ArgumentError(at, f"is there {len(values)} times")
        value = _xml_value(slot, values, at)
        if value is not None:
            found[slot.attr] = value
    return _made(described, found, path)


def _xml_value(slot: Slot, values: list[Element | str], at: str) -> Any:
    if slot.kind == "texts":
        return tuple(text for text in (_content(value, at) for value in values) if text)
    if slot.kind in ("one", "many"):
        elements = []
        for n, value in enumerate(values):
            if isinstance(value, str):
                raise ArgumentError(f"{at}[{n}]", "must be an element")
            if value.children or value.attributes:  # an empty one stands for none
                elements.append(from_xml(slot.struct, value, f"{at}[{n}]" if slot.kind == "many" else at))  # type: ignore[arg-type]
        return tuple(elements) if slot.kind == "many" else (elements[0] if elements else None)
    text = _content(values[0], at)
    if slot.kind in ("flag", "number") and not text:
        return None
    if slot.kind == "flag":
        if text not in ("true", "false", "1", "0"):
            raise ArgumentError(at, "must be true or false")
        return text in ("true", "1")
    if slot.kind == "number":
        if not re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
            raise ArgumentError(at, "must be a whole number")
        return int(text)
    return _scalar(slot, text, at)


def _content(value: Element | str, at: str) -> str:
    if isinstance(value, str):
        return value
    if value.children:
        raise ArgumentError(at, "must be a text")
    return value.text.strip(XML_SPACE)


def _scalar(slot: Slot, text: str, at: str) -> Any:
    if slot.kind == "time":
        return parse_duration(at, text) if text else None
    if slot.choices and text not in slot.choices:
        if not text:
            return None
        raise InputError(at, f"must be one of {', '.join(choice for choice in slot.choices if choice)}")
    return text


def _text(value: Any, at: str) -> str:
    if not isinstance(value, str):
        raise ArgumentError(at, "must be a text")
    return value


def _made(described: Shape, found: dict[str, Any], path: str) -> Any:
    for slot in described.slots:
        if slot.required and found.get(slot.attr) is None:
            if slot.attr == "token" and not issubclass(described.struct, Arguments):
                found["token"] = ""  # a new one is made
            else:
                raise ArgumentError(f"{path}.{slot.wire}" if path else slot.wire, "is required")
    return described.struct(**{attr: value for attr, value in found.items() if value is not None})


def wire_path(struct: type[Any], path: str) -> str:
    """The path of a field as it is on the wire: ``[0].id_data[1].value`` -> ``[0].IdData[1].Value``."""
    found, at = [], struct
    for part in path.split("."):
        name, bracket, index = part.partition("[")
        described = shape(at) if at is not None else None
        slot = next((slot for slot in described.slots if slot.attr == name), None) if described and name else None
        found.append((slot.wire if slot else name) + bracket + index)
        if name:
            at = slot.struct if slot else None  # type: ignore[assignment]
    return ".".join(found)


# --- writing


def to_json(value: Any) -> Any:
    """A struct, or anything made of structs, lists, dicts and plain values. Fields that are None are left out."""
    if isinstance(value, msgspec.Struct):
        found = {}
        for slot in shape(type(value)).slots:
            held = getattr(value, slot.attr)
            if held is not None:
                found[slot.wire] = duration(held) if slot.kind == "time" else to_json(held)
        return found
    if isinstance(value, dict):
        return {key: to_json(held) for key, held in value.items() if held is not None}
    if isinstance(value, (list, tuple)):
        return [to_json(held) for held in value]
    return value


def to_xml(prefix: str, name: str, value: Any) -> Xml:
    """The elements of a value: one, or one for each entry of a list. None is no element."""
    if value is None:
        return Xml("")
    if isinstance(value, (list, tuple)):
        return join([to_xml(prefix, name, entry) for entry in value])
    if isinstance(value, dict):
        return tag(f"{prefix}:{name}", join([to_xml(prefix, key, held) for key, held in value.items()]))
    if not isinstance(value, msgspec.Struct):
        return tag(f"{prefix}:{name}", _xml_text(value))
    attributes: dict[str, str | None] = {}
    children = []
    for slot in shape(type(value)).slots:
        held = getattr(value, slot.attr)
        if held is not None and slot.kind == "time":
            held = duration(held)
        named = slot.wire == "token" and type(value) not in TOKEN_ELEMENTS
        if held is not None and (named or type(value) in ATTRIBUTES):
            attributes[slot.wire] = _xml_text(held)
        else:
            children.append(to_xml(prefix, slot.wire, "" if slot.blank and not held else held))
    return _element(f"{prefix}:{name}", attributes, join(children))


def _element(name: str, attributes: dict[str, str | None], content: Xml) -> Xml:
    return tag(name, content, **attributes)


def _xml_text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
