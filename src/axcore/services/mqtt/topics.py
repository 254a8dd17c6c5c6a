"""MQTT topic names and filters (MQTT 3.1.1 and 5, section 4.7): validity and matching."""

from __future__ import annotations

from axcore.errors import InputError

MAX_OCTETS = 1024
"""Of a name or filter that we send. The standard allows 65,535; brokers allow less."""


def check_name(topic: str, field: str) -> str:
    """A topic that can be published to. Raises InputError."""
    _check(topic, field)
    if "+" in topic or "#" in topic:
        raise InputError(field, "must not contain the wildcards + and #")
    return topic


def check_filter(text: str, field: str) -> str:
    """A filter that can be subscribed to. Raises InputError."""
    _check(text, field)
    levels = text.split("/")
    for number, level in enumerate(levels):
        if ("+" in level and level != "+") or ("#" in level and level != "#"):
            raise InputError(field, "a wildcard (+ or #) stands for a whole level: a/+/b, a/#")
        if level == "#" and number != len(levels) - 1:
            raise InputError(field, "# can only be the last level")
    if levels[0] == "$share" and (len(levels) < 3 or not levels[1] or "+" in levels[1]):
        raise InputError(field, "a shared subscription is $share/<name>/<filter>")
    return text


def matches(pattern: str, topic: str) -> bool:
    """Whether messages to ``topic`` belong to the filter ``pattern`` (both valid)."""
    if pattern.startswith("$share/"):
        pattern = pattern.split("/", 2)[2]
    if pattern == topic:
        return True
    if topic.startswith("$") and pattern[:1] in ("+", "#"):
        return False
    wanted, found = pattern.split("/"), topic.split("/")
    for number, level in enumerate(wanted):
        if level == "#":
            return True
        if number >= len(found) or level not in ("+", found[number]):
            return False
    return len(wanted) == len(found)


def _check(text: str, field: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise InputError(field, "is not text that can be encoded") from None
    if not 1 <= size <= MAX_OCTETS:
        raise InputError(field, f"must be 1..{MAX_OCTETS} octets")
    if any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text):
        raise InputError(field, "must not contain control characters")
