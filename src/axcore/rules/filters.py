"""Which events a condition is about: topics, source and data items, and ONVIF filters as text.

Topic expressions (WS-Topics ``Concrete``, ONVIF ``ConcreteSet``): ``tns1:Device/tnsaxis:IO/Port``, a subtree with
``//.`` at the end, alternatives with ``|``. The prefixes ``onvif:`` and ``axis:`` of filters are those of declarations,
``tns1:`` and ``tnsaxis:``; a name without a prefix has that of the name before it.

Content filters (ONVIF Core, ``ItemFilter``): ``boolean(//SimpleItem[@Name="port" and @Value="1"])`` with ``and``,
``or``, ``not(...)`` and parentheses, inside and outside. ``//Source/SimpleItem`` and ``//Data/SimpleItem`` look at one
part only. Values are compared as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from axcore.errors import InputError

CONCRETE = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete"
CONCRETE_SET = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
ITEM_FILTER = "http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter"

_PREFIXES = {"onvif": "tns1", "axis": "tnsaxis"}
Pairs = tuple[tuple[str, str], ...]


class FilterError(InputError):
    """A filter is not understood. ``field`` is ``topic`` or ``content``; ``position`` counts characters from 0."""

    def __init__(self, field: str, position: int, reason: str) -> None:
        super().__init__(field, f"at {position}: {reason}")
        self.position = position


class Attribute(msgspec.Struct, frozen=True):
    """``@Name="..."`` or ``@Value="..."``."""

    name: Literal["Name", "Value"]
    value: str

    def truth(self, name: str | None, value: str | None, absent: Mapping[str, str]) -> bool | None:
        """For one item; None where it cannot be told. A name that is None is not among ``absent``."""
        if self.name == "Name":
            if name is None:
                return False if self.value in absent else None
            return name == self.value
        return None if value is None else value == self.value


class Item(msgspec.Struct, frozen=True):
    """There is an item for which ``test`` holds."""

    part: Literal["", "Source", "Data"]
    test: Attribute | Logic

    def truth(self, source: Mapping[str, str], data: Mapping[str, str] | None) -> bool | None:
        """``data`` is None: not known yet; names are in the source or in the data, not in both."""
        if self.part != "Data" and any(self.test.truth(name, value, {}) for name, value in source.items()):
            return True
        if self.part == "Source":
            return False
        if data is not None:
            return any(self.test.truth(name, value, {}) for name, value in data.items())
        return False if self.test.truth(None, None, source) is False else None


class Logic(msgspec.Struct, frozen=True):
    """Three-valued ``and``, ``or``, ``not``."""

    op: Literal["and", "or", "not"]
    parts: tuple[Item | Attribute | Logic, ...]

    def truth(self, *given: object) -> bool | None:
        """Like that of the parts, with their arguments."""
        found = [part.truth(*given) for part in self.parts]  # type: ignore[arg-type]
        if self.op == "not":
            return None if found[0] is None else not found[0]
        decisive = self.op == "or"
        if decisive in found:
            return decisive
        return None if None in found else not decisive


class Topic(msgspec.Struct, frozen=True):
    """A node of the topic tree, in canonical spelling; with ``subtree``, everything below it too."""

    path: str
    subtree: bool = False

    def covers(self, topic: str) -> bool:
        """Whether ``topic`` (canonical) is meant."""
        return topic == self.path or (self.subtree and topic.startswith(self.path + "/"))


class Filter(msgspec.Struct, frozen=True):
    """A question about an event. Empty ``topics`` = any topic; all parts must hold."""

    topics: tuple[Topic, ...] = ()
    source: Pairs = ()
    data: Pairs = ()
    content: Item | Logic | None = None

    def covers(self, topic: str) -> bool:
        """Whether events of ``topic`` (canonical) are meant at all."""
        return not self.topics or any(node.covers(topic) for node in self.topics)

    def could(self, source: Mapping[str, str]) -> bool:
        """Whether a property of this source could match with some data. The topic is not looked at."""
        if not all(source.get(name) == value for name, value in self.source):
            return False
        return self.content is None or self.content.truth(source, None) is not False

    def holds(self, source: Mapping[str, str], data: Mapping[str, str]) -> bool:
        """Whether the items match. The topic is not looked at."""
        for name, value in self.source:
            if source.get(name) != value:
                return False
        for name, value in self.data:
            if data.get(name) != value:
                return False
        return self.content is None or self.content.truth(source, data) is True

    def matches(self, topic: str, source: Mapping[str, str], data: Mapping[str, str]) -> bool:
        """Whether an event matches; ``topic`` in any spelling."""
        return self.covers(canonical(topic)) and self.holds(source, data)


def canonical(topic: str) -> str:
    """The one spelling of a topic: declaration prefixes, and none that repeats the one before."""
    found: list[str] = []
    last = ""
    for name in topic.split("/"):
        prefix, colon, local = name.rpartition(":")
        prefix = _PREFIXES.get(prefix, prefix)
        found.append(local if not colon or prefix == last else f"{prefix}:{local}")
        last = prefix if colon else last
    return "/".join(found)
