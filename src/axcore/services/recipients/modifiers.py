"""Modifiers in messages and file names: ``%`` dates and ``#`` things of the device and of the event.

``%`` letters are those of strftime that do not depend on a language: ``%F`` is 2026-01-31, ``%X`` and ``%T`` 12:00:00.
``#`` modifiers: ``#s`` serial number, ``#i`` IP address, ``#n`` host name, ``#r`` name of the rule, ``#t`` topic of
the event, ``#{name}`` an item of its source or data. What is not known stays as it is; ``%%`` and ``##`` are the sign
itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape as xml_escape

MAX_RESULT = 65_536
"""Characters; what is longer is cut."""
_PATTERN = re.compile(r"%([aAbBdDeFHIjmMpSTuUVwWXyYzZ%])|#(?:([sinrt#])|\{([A-Za-z_][A-Za-z0-9_:-]{0,63})\})")
_ALIAS = {"X": "T", "D": "m/%d/%y"}


class Facts(NamedTuple):
    """What the modifiers tell."""

    local: datetime
    """When, in the time zone of the device."""
    serial: str = ""
    address: str = ""
    hostname: str = ""
    rule: str = ""
    topic: str = ""
    items: Mapping[str, str] = {}
    """Source and data of the event."""


Escape = Callable[[str], str]
"""A value for the place that it is put in: names of cards and people come from outside, and end nothing there."""


def as_it_is(value: str) -> str:
    """For plain text."""
    return value


def in_query(value: str) -> str:
    """For a part of a query (RFC 3986)."""
    return quote(value, safe="")


def in_form(value: str) -> str:
    """For ``application/x-www-form-urlencoded``."""
    return quote_plus(value)


def in_json(value: str) -> str:
    """For the inside of a JSON string."""
    return json.dumps(value)[1:-1]


def in_xml(value: str) -> str:
    """For text and attributes of XML and HTML."""
    return xml_escape(value, {'"': "&quot;", "'": "&apos;"})


def escape_of(content_type: str) -> Escape:
    """What a media type needs."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return in_form
    if kind.endswith(("/json", "+json")):
        return in_json
    if kind.endswith(("/xml", "+xml", "/html")):
        return in_xml
    return as_it_is


def query_of(text: str, facts: Facts) -> str:
    """A query with its modifiers replaced; what a query cannot hold (spaces, control characters) is percent-encoded."""
    return quote(expand(text, facts, in_query), safe="%/?:@!$&'()*+,;=-._~[]")


def expand(text: str, facts: Facts, escape: Escape = as_it_is) -> str:
    """``text`` with its modifiers replaced; what is put in passes ``escape``."""

    def replaced(found: re.Match[str]) -> str:
        date, sign, item = found.groups()
        if date == "%" or sign == "#":
            return escape(date or sign)
        if date is not None:
            return escape(facts.local.strftime(f"%{_ALIAS.get(date, date)}"))
        if item is not None:
            return escape(facts.items[item]) if item in facts.items else found[0]
        values = {
            "s": facts.serial,
            "i": facts.address,
            "n": facts.hostname,
            "r": facts.rule,
            "t": facts.topic,
        }
        return escape(values[sign])

    return _PATTERN.sub(replaced, text)[:MAX_RESULT]


def one_line(text: str) -> str:
    """``text`` for a header or a command: no control characters, so that nothing can be added to it."""
    return "".join(c if c.isprintable() else " " for c in text)


def file_part(text: str) -> str:
    """``text`` as one part of a path: no separators, no leading dots, 1..128 characters."""
    safe = re.sub(r"[^\w.,=+@()\[\] -]|[\x00-\x1f\x7f]", "_", text, flags=re.ASCII).strip(" ").lstrip(".")
    return safe[:128] or "_"
