"""From plain dicts, as interfaces get them, to structs: every refusal is an ``InputError`` that names the field."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from axcore.errors import InputError

T = TypeVar("T")

_PATH = re.compile(r"^(?P<reason>.*?)(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?$", re.DOTALL)
_NAMED = re.compile(r"(?P<what>missing required|contains unknown) field `(?P<name>[^`]*)`")


def convert(value: object, kind: type[T], prefix: str = "") -> T:
    """``msgspec.convert``; raises InputError with the dotted path of what does not fit (below ``prefix``)."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _input_error(str(error), prefix) from None


def patched(current: msgspec.Struct, patch: object, kind: type[T], prefix: str = "") -> T:
    """``current`` with the members of ``patch`` in place of its own, as a ``kind``. Raises InputError."""
    if not isinstance(patch, dict):
        raise InputError(prefix or "data", "must be an object")
    fields: dict[str, Any] = msgspec.to_builtins(current)
    return convert({**fields, **patch}, kind, prefix)


def patched_groups(current: msgspec.Struct, patch: object, kind: type[T]) -> T:
    """``patched``, and a group (a member that is an object) is patched too: what the patch leaves out of it stays."""
    if not isinstance(patch, dict):
        raise InputError("data", "must be an object")
    fields: dict[str, Any] = msgspec.to_builtins(current)
    merged = dict(patch)
    for name, value in patch.items():
        kept = fields.get(name)
        if isinstance(kept, dict) and isinstance(value, dict):
            merged[name] = {**kept, **value}
    return patched(current, merged, kind)


def _input_error(message: str, prefix: str) -> InputError:
    match = _PATH.match(message)
    reason, path = (match["reason"], match["path"] or "") if match else (message, "")
    parts = [part for part in (prefix, path.lstrip(".")) if part]
    if named := _NAMED.search(reason):
        parts.append(named["name"])
        reason = "is required" if named["what"] == "missing required" else "is not a known field"
    return InputError(".".join(parts) or "data", reason)
