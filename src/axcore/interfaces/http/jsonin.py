"""Strict reading of JSON bodies (RFC 8259, I-JSON rules of RFC 7493).

Refused are: NaN and infinities, numbers out of range, lone surrogates, bad UTF-8, duplicate keys (two readers would
see two different requests) and nesting that no API needs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from axcore.errors import InputError

MAX_DEPTH = 64
T = TypeVar("T")


class MissingFieldError(InputError):
    """A required field is not there."""


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _depth(body: bytes) -> int:
    """Upper bound of the nesting: brackets in strings count too, which only matters for absurd texts."""
    deepest = depth = 0
    for octet in body:
        if octet in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif octet in b"]}":
            depth -= 1
    return deepest


def parse_json(body: bytes) -> Any:
    """The value of a JSON text. Raises InputError (field ``body``) for anything that is not strict JSON."""
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(body) > MAX_DEPTH:
        raise InputError("body", f"nested deeper than {MAX_DEPTH}")
    try:
        value = msgspec.json.decode(body)
        json.loads(body, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise InputError("body", f"not valid JSON: {error}") from None
    return value


def convert(value: Any, kind: type[T], field: str = "params") -> T:
    """A JSON value as a typed struct. Raises MissingFieldError or InputError with the dotted path of the field."""
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        path = field + path.rstrip("`")
        if reason.startswith("Object missing required field `"):
            name = reason.partition("`")[2].rstrip("`")
            raise MissingFieldError(f"{path}.{name}", "is required") from None
        raise InputError(path, reason) from None
