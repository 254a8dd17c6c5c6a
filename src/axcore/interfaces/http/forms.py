"""Strict reading of urlencoded arguments (WHATWG URL, application/x-www-form-urlencoded) and of percent escapes.

What does not decode is refused, never repaired: a lenient reader and a strict one would see two different requests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from .errors import BadRequestError

MAX_FIELDS = 1000
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Form:
    """Arguments in the order in which they came."""

    fields: tuple[tuple[str, str], ...]

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of an argument. Raises BadRequestError if it was given twice with different values."""
        values = {value for key, value in self.fields if key == name}
        if len(values) > 1:
            raise BadRequestError(f"argument {name} is given twice")
        return values.pop() if values else default

    def __contains__(self, name: object) -> bool:
        return any(key == name for key, _ in self.fields)


def decode_component(text: str) -> str:
    """One percent-encoded name or value. Raises BadRequestError for bad escapes, bad UTF-8 and NUL."""
    if "%" not in text and "+" not in text:
        return text
    if _BAD_ESCAPE.search(text):
        raise BadRequestError("bad percent escape")
    try:
        value = unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequestError("arguments are UTF-8 text") from None
    if "\0" in value:
        raise BadRequestError("NUL in an argument")
    return value


def parse_urlencoded(text: str) -> Form:
    """``a=1&b=2`` as a form. Raises BadRequestError."""
    if not text:
        return Form(())
    parts = text.split("&")
    if len(parts) > MAX_FIELDS:
        raise BadRequestError(f"more than {MAX_FIELDS} arguments")
    fields = []
    for part in parts:
        if part:
            name, _, value = part.partition("=")
            fields.append((decode_component(name), decode_component(value)))
    return Form(tuple(fields))
