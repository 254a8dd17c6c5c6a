"""A rule as the matcher sees it: tests, whether the first one is a start event, wait, whether the action lasts.

``define`` makes one of a ``model.rules.Rule``; whoever has conditions as ONVIF filters (SOAP rules) builds it from
``parse_filter`` directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from axcore.errors import InputError
from axcore.model.rules import MAX_CONDITIONS, Condition, Rule, RuleSpec

from .filters import Filter, FilterError, Topic, canonical
from .parser import parse_filter

SECOND = 1_000_000_000


class KindLike(Protocol):
    """What a topic is: ``stateful`` (a property) or not (a pulse). ``match`` are the data items of a condition that
    names none of them.
    """

    @property
    def stateful(self) -> bool: ...
    @property
    def match(self) -> Mapping[str, str]: ...


class Kind(msgspec.Struct, frozen=True):
    """The plainest ``KindLike``."""

    stateful: bool
    match: dict[str, str] = {}


Kinds = Mapping[str, KindLike]
"""topic -> what it is"""


class Test(msgspec.Struct, frozen=True):
    """A condition: a filter and whether its opposite is meant."""

    __test__ = False

    filter: Filter
    invert: bool = False


class RuleDef(msgspec.Struct, frozen=True):
    """A rule, checked and ready to be compiled."""

    id: str
    tests: tuple[Test, ...]
    edge: bool = False
    """The first test is a start event; it need not stay true."""
    lasting: bool = False
    """The action starts and stops with the rule."""
    wait_ns: int = 0
    rule: Any = None
    """What the caller wants to find again in each step: the ``Rule`` that it was made of."""


def lasts(rule: RuleSpec) -> bool:
    """Whether the rule's action runs while the rule is active."""
    return type(rule.action).while_active


def define(rule: Rule, kinds: Kinds) -> RuleDef:
    """The definition of a rule. InputError names the condition that cannot be."""
    edge, filters = _checked(rule, kinds)
    tests = tuple([Test(asked, item.invert) for item, asked in zip(rule.conditions, filters, strict=True)])
    return RuleDef(rule.id, tests, edge, lasts(rule), round(rule.wait * SECOND), rule)


def filter_of(condition: Condition, match: Mapping[str, str]) -> Filter:
    """The filter of a condition of the catalogue; ``match`` fills in data items that it does not name."""
    data = {**match, **condition.data} if condition.data else match
    return Filter(
        (_topic(condition.topic),), tuple(condition.source.items()) if condition.source else (), tuple(data.items())
    )


def asked_by(condition: Condition, kinds: Kinds) -> tuple[bool, Filter]:
    """Whether a condition is about states, and its filter.

    A topic of ``kinds`` without ``content`` is a condition of the catalogue, everything else an ONVIF filter; that one
    is about states if all that it covers are. InputError names the member that is wrong.
    """
    kind = kinds.get(condition.topic)
    if kind is not None and not condition.content:
        return kind.stateful, filter_of(condition, kind.match)
    if condition.source or condition.data:
        member = "source" if condition.source else "data"
        if kind is None and not condition.content:
            raise InputError("topic", f"there is no condition {condition.topic!r}")
        raise InputError(member, "stands beside a content filter, which says it already")
    try:
        asked = parse_filter(condition.topic, condition.content)
    except FilterError as error:
        raise InputError(error.field, error.reason) from None
    covered = [kind for topic, kind in kinds.items() if asked.covers(canonical(topic))]
    if not covered:
        raise InputError("topic", f"there is no condition {condition.topic!r}")
    return all(kind.stateful for kind in covered), asked


def check_conditions(rule: RuleSpec, kinds: Kinds) -> bool:
    """Whether the first condition starts the rule; InputError names what cannot be.

    1..16 conditions; the first alone may be a pulse or carry the trigger flag; a pulse has no opposite; an action that
    lasts needs a condition that ends it.
    """
    return _checked(rule, kinds)[0]


def _checked(rule: RuleSpec, kinds: Kinds) -> tuple[bool, list[Filter]]:
    if not 1 <= len(rule.conditions) <= MAX_CONDITIONS:
        raise InputError("conditions", f"must be 1..{MAX_CONDITIONS}, not {len(rule.conditions)}")
    edge, filters = False, []
    for number, condition in enumerate(rule.conditions):
        field = f"conditions[{number}]"
        try:
            stateful, asked = asked_by(condition, kinds)
        except InputError as error:
            raise InputError(f"{field}.{error.field}", error.reason) from None
        filters.append(asked)
        if condition.invert and not stateful:
            raise InputError(f"{field}.invert", "what only happens has no state that could be inverted")
        if number == 0:
            edge = condition.trigger or not stateful
        elif condition.trigger:
            raise InputError(f"{field}.trigger", "only the first condition can be the trigger")
        elif not stateful:
            raise InputError(f"{field}.topic", "what only happens can be the first condition, not a further one")
    if edge and len(rule.conditions) == 1 and lasts(rule):
        raise InputError("action.type", "the action has no end: it needs a condition that lasts")
    return edge, filters


_TOPICS: dict[str, Topic] = {}


def _topic(text: str) -> Topic:
    topic = _TOPICS.get(text)
    if topic is None:
        if len(_TOPICS) >= 1024:
            _TOPICS.clear()
        topic = _TOPICS[text] = Topic(canonical(text))
    return topic
