"""Modifiers in messages and file names: ``%`` dates and ``#`` things of the device and of the event.

``%`` letters are those of strftime that do not depend on a language: ``%F`` is 2026-01-31, ``%X`` and ``%T`` 12:00:00.
``#`` modifiers: ``#s`` serial number, ``#i`` IP address, ``#n`` host name, ``#r`` name of the rule, ``#t`` topic of
the event, ``#{name}`` an item of its source or data. What is not known stays as it is; ``%%`` and ``##`` are the sign
itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

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


def expand(text: str, facts: Facts) -> str:
    """``text`` with its modifiers replaced."""

    def replaced(found: re.Match[str]) -> str:
        date, sign, item = found.groups()
        if date is not None:
            return "%" if date == "%" else facts.local.strftime(f"%{_ALIAS.get(date, date)}")
        if item is not None:
            return facts.items.get(item, found[0])
        values = {
            "s": facts.serial,
            "i": facts.address,
            "n": facts.hostname,
            "r": facts.rule,
            "t": facts.topic,
            "#": "#",
        }
        return values[sign]

    return _PATTERN.sub(replaced, text)[:MAX_RESULT]


def one_line(text: str) -> str:
    """``text`` for a header or a command: no control characters, so that nothing can be added to it."""
    return "".join(c if c.isprintable() else " " for c in text)


def file_part(text: str) -> str:
    """``text`` as one part of a path: no separators, no leading dots, 1..128 characters."""
    safe = re.sub(r"[^\w.,=+@()\[\] -]|[\x00-\x1f\x7f]", "_", text, flags=re.ASCII).strip(" ").lstrip(".")
    return safe[:128] or "_"
