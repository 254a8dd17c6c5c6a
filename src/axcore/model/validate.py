"""From msgspec's errors to ours: the field that a user got wrong, by its dotted path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from axcore.errors import InputError

T = TypeVar("T")
_AT = re.compile(r"^(?P<reason>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_FIELD = re.compile(r"(?:missing required|unknown) field `(?P<field>[^`]*)`")


def convert(value: Any, kind: type[T], prefix: str = "") -> T:
    """``value`` (plain dicts, lists, strings ...) as a ``kind``; ``InputError`` naming the field under ``prefix``."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise input_error(error, prefix) from None


def patched(current: T, patch: Mapping[str, Any], prefix: str = "") -> T:
    """``current`` (a struct) with the fields of ``patch`` replaced; ``InputError`` names the field under ``prefix``."""
    plain = msgspec.to_builtins(current)
    plain.update(patch)
    return convert(plain, type(current), prefix)


def input_error(error: msgspec.ValidationError, prefix: str = "") -> InputError:
    """The ``InputError`` for a validation error of msgspec."""
    match = _AT.match(str(error))
    assert match is not None
    reason, path = match["reason"], (match["path"] or "").removeprefix("$").lstrip(".")
    named = _FIELD.search(reason)
    parts = [part for part in (prefix, path, named["field"] if named else "") if part]
    return InputError(".".join(parts) or "body", reason)
