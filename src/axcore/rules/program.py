"""One compiled generation of rules: the native core, and what its numbers mean.

A program is made for a list of definitions and never gets other ones; what it learns later are events and properties.
Ids of events that the caller interned count up from 0 and are the same in every generation; ids of events that were met
in passing count down from the top.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from axcore._native import rules as native
from axcore.errors import QueueFullError

from .definition import RuleDef
from .filters import Filter, Pairs, canonical

PULSE, SET, INIT, DELETE = native.PULSE, native.SET, native.INIT, native.DELETE
_RULE = struct.Struct("=QIHH")
MAX_TOPICS = 4096
"""Topics whose tests are remembered."""

Key = tuple[str, int, Pairs, Pairs]


class Shape(NamedTuple):
    """An event that can happen again: what an id stands for."""

    topic: str
    kind: int
    source: Mapping[str, str]
    data: Mapping[str, str]

    @property
    def key(self) -> Key:
        return self.topic, self.kind, tuple(self.source.items()), tuple(self.data.items())


class Property(NamedTuple):
    """A property that is or was known, and the tests that could hold for it."""

    topic: str
    source: Mapping[str, str]
    tests: tuple[int, ...]


class TopicTests:
    """The tests that look at a topic, and, for pulses, which items make a difference to them."""

    __slots__ = ("_all", "_data", "_source", "tests")

    def __init__(self, tests: list[tuple[int, Filter]]) -> None:
        self.tests = tests
        self._all = any(test.content is not None for _, test in tests)
        self._source = tuple({name for _, test in tests for name, _ in test.source})
        self._data = tuple({name for _, test in tests for name, _ in test.data})

    def key(self, topic: str, source: Mapping[str, str], data: Mapping[str, str]) -> Key:
        """The key of a pulse: only the items that make a difference, so that few different pulses have to be known."""
        if self._all:
            return topic, PULSE, tuple(source.items()), tuple(data.items())
        return topic, PULSE, _some(self._source, source), _some(self._data, data)


def _some(names: tuple[str, ...], items: Mapping[str, str]) -> Pairs:
    return tuple([(name, items[name]) for name in names if name in items]) if names else ()


class FullError(QueueFullError):
    """The tables of a program are full: of ``what``, "events" or "links". Another one must be compiled."""

    def __init__(self, what: str) -> None:
        super().__init__(f"no room for more {what}")
        self.what = what


class Program:
    """See the module's text.

    ``pinned`` are interned shapes, ``values`` says how many properties are known already, ``spare`` how many events
    there shall be room for besides, ``links`` how many entries all lists of tests have room for.
    """

    def __init__(
        self, defs: Sequence[RuleDef], pinned: Sequence[Shape] = (), values: int = 0, spare: int = 64, links: int = 256
    ) -> None:
        self.defs = tuple(defs)
        self.tests: list[Filter] = []
        self.shapes: dict[int, Shape] = {}
        self.ids: dict[Key, int] = {}
        self.pins = 0
        self.properties: list[Property] = []
        self._numbers: dict[tuple[str, Pairs], int] = {}
        self._topics: dict[str, TopicTests] = {}
        self._exact: dict[str, list[tuple[int, Filter]]] = {}
        self._wide: list[tuple[int, Filter]] = []
        known = max(values, len({(shape.topic, *shape.source.items()) for shape in pinned}))
        self._instances_left = min(known + max(16, spare // 2), native.MAX_EVENTS)
        self._links_left = links
        more = len(pinned) // 8  # room for pins to come, each with a short cut in the core
        self._top = min(len(pinned) + more + values + spare, native.MAX_EVENTS)
        self.core = self._compile(self._instances_left, self._top, links, min(len(pinned) + more, self._top))
        for number, test in enumerate(self.tests):
            if len(test.topics) == 1 and not test.topics[0].subtree:
                self._exact.setdefault(test.topics[0].path, []).append((number, test))
            else:
                self._wide.append((number, test))
        self.pin(pinned)

    def _compile(self, instances: int, events: int, links: int, masks: int) -> native.RuleCore:
        tests: dict[Filter, int] = {}
        rules = bytearray()
        conditions = array("H")
        for rule in self.defs:
            flags = native.EDGE * rule.edge | native.WHILE * rule.lasting
            rules += _RULE.pack(rule.wait_ns, len(conditions) // 2, len(rule.tests), flags)
            for test in rule.tests:
                conditions.append(tests.setdefault(test.filter, len(tests)))
                conditions.append(test.invert)
        self.tests = list(tests)
        return native.RuleCore(rules, conditions, len(tests), instances, events, links, masks)

    # --- meaning of events

    def topic(self, topic: str) -> TopicTests:
        """The tests of a topic."""
        found = self._topics.get(topic)
        if found is None:
            if len(self._topics) >= MAX_TOPICS:  # names that somebody else makes up
                self._topics.clear()
            path = canonical(topic)
            tests = self._exact.get(path, []) + [(n, test) for n, test in self._wide if test.covers(path)]
            found = self._topics[topic] = TopicTests(sorted(tests, key=lambda item: item[0]))
        return found

    def pin(self, shapes: Iterable[Shape]) -> None:
        """Bind interned shapes that this program does not know yet, in their order. FullError."""
        for shape in shapes:
            self._bind(self.pins, shape)
            self.ids.setdefault(shape.key, self.pins)
            self.pins += 1

    def learn(self, shape: Shape) -> int:
        """The id of a shape that was met in passing. FullError."""
        found = self.ids.get(shape.key)
        if found is not None:
            return found
        self._bind(self._top - 1, shape)
        self._top -= 1
        self.ids[shape.key] = self._top
        return self._top

    def property(self, topic: str, source: Mapping[str, str]) -> int | None:
        """The number of a property that was met."""
        return self._numbers.get((topic, tuple(sorted(source.items()))))

    def _bind(self, event: int, shape: Shape) -> None:
        if self.pins >= self._top:
            raise FullError("events")
        tests = self.topic(shape.topic).tests
        number = 0 if shape.kind == PULSE else self._instance(shape)
        holds = [] if shape.kind == DELETE else [n for n, test in tests if test.holds(shape.source, shape.data)]
        self._take_links(len(holds))
        self.core.bind(event, shape.kind, number, array("H", holds))
        self.shapes[event] = shape

    def _instance(self, shape: Shape) -> int:
        key = shape.topic, tuple(sorted(shape.source.items()))
        number = self._numbers.get(key)
        if number is None:
            if not self._instances_left:
                raise FullError("events")
            tests = tuple([n for n, test in self.topic(shape.topic).tests if test.could(shape.source)])
            self._take_links(len(tests))
            number = self._numbers[key] = self.core.add_instance(array("H", tests))
            self._instances_left -= 1
            self.properties.append(Property(shape.topic, shape.source, tests))
        return number

    def _take_links(self, count: int) -> None:
        if count > self._links_left:
            raise FullError("links")
        self._links_left -= count

    def values(self) -> list[Shape]:
        """What every property that is known is, oldest property first."""
        events = (self.core.value(number) for number in range(len(self.properties)))
        return [self.shapes[event] for event in events if event is not None]
