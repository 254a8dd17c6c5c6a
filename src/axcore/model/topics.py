"""The three spellings of a topic: as declared (``tns1:Device/tnsaxis:IO/Port``), as in filters and on MQTT
(``onvif:Device/axis:IO/Port``), and plain (``Device/IO/Port``).

In a declaration a name without a prefix has that of the name before it.
"""

from __future__ import annotations

ONVIF_NAMESPACE = "http://www.onvif.org/ver10/topics"
"""Bound to ``tns1`` and ``onvif``."""
AXIS_NAMESPACE = "http://www.axis.com/2009/event/topics"
"""Bound to ``tnsaxis`` and ``axis``."""
_FILTER = {"tns1": "onvif", "tnsaxis": "axis"}


def filter_form(topic: str) -> str:
    """``tns1:Device/tnsaxis:IO/Port`` -> ``onvif:Device/axis:IO/Port``."""
    return "/".join([_renamed(part) for part in topic.split("/")])


def plain_form(topic: str) -> str:
    """``tns1:Device/tnsaxis:IO/Port`` -> ``Device/IO/Port``."""
    return "/".join([part.rpartition(":")[2] for part in topic.split("/")])


def segments(topic: str) -> tuple[tuple[str, str], ...]:
    """(prefix, name) of each segment of a declared topic, each with the prefix that it has or inherits."""
    found: list[tuple[str, str]] = []
    prefix = "tns1"
    for part in topic.split("/"):
        head, colon, name = part.rpartition(":")
        prefix = head if colon else prefix
        found.append((prefix, name))
    return tuple(found)


def _renamed(part: str) -> str:
    prefix, colon, name = part.rpartition(":")
    return f"{_FILTER.get(prefix, prefix)}:{name}" if colon else name
