"""Attributes of the Call service: settings without a field of their own in the API, as texts by name.

Which there are is told by ``GetSupported...Attributes``, with type and default. Others are ignored, as the API says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec

from axcore.errors import InputError

from .arguments import Args

Kind = Literal["string", "int", "bool"]
FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}", re.ASCII)


class Attribute(msgspec.Struct, frozen=True):
    """One that there is."""

    name: str
    field: str
    """Of the model."""
    kind: Kind
    inverted: bool = False
    """A flag that says the opposite of the model's."""

    def told(self, record: msgspec.Struct) -> str:
        """Its value as a text."""
        value = getattr(record, self.field)
        return str(value) if self.kind != "bool" else "true" if value is not self.inverted else "false"

    def taken(self, text: str, where: str) -> Any:
        """A text as the model has it. InputError (``where``)."""
        if self.kind == "bool":
            if text not in FLAGS:
                raise InputError(where, f"must be true or false: {self.name} is a bool")
            return FLAGS[text] is not self.inverted
        if self.kind == "int":
            if not _NUMBER.fullmatch(text):
                raise InputError(where, f"must be a whole number: {self.name} is an int")
            return int(text)
        return text


class AttributeArgs(Args, frozen=True, kw_only=True):
    """One as it comes; null is the empty text."""

    Name: str
    Value: str | None


def infos(table: Iterable[Attribute], defaults: msgspec.Struct) -> list[dict[str, str]]:
    """``AttributeInfo``."""
    return [{"Name": each.name, "Type": each.kind, "Default": each.told(defaults)} for each in table]


def told(table: Iterable[Attribute], record: msgspec.Struct) -> list[dict[str, str]]:
    """``Attribute`` of settings or of an account."""
    return [{"Name": each.name, "Value": each.told(record)} for each in table]


def taken(
    table: Iterable[Attribute], wanted: Iterable[AttributeArgs], where: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """A patch of the model, and what its fields are called here (below ``where``). InputError names the attribute."""
    known = {each.name: each for each in table}
    patch: dict[str, Any] = {}
    names: dict[str, str] = {}
    for position, attribute in enumerate(wanted):
        found = known.get(attribute.Name)
        if found is None:
            continue
        if found.field in patch:
            raise InputError(f"{where}.Attribute[{position}].Name", f"{found.name} is there twice")
        patch[found.field] = found.taken(attribute.Value or "", f"{where}.Attribute[{position}].Value")
        names[found.field] = f"Attribute[{position}].Value"
    return patch, names
