"""Conditions of rules as ONVIF filters, and back.

A condition of the catalogue becomes a topic and a content filter that names each of its source and data items; one that
is inverted says ``not(...)`` around its data. A filter of just that shape is read back as the condition of the
catalogue, so that REST shows it by name; every other filter is kept as it came. Reading what was written gives the same
condition: where the filter alone would not (quotes of both kinds in a value, an inverted filter), an attribute
``axcore:Condition`` carries the condition too, and counts as long as the filter beside it has not been changed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from axcore.errors import InputError
from axcore.model.rules import Condition
from axcore.model.topics import AXIS_NAMESPACE, ONVIF_NAMESPACE
from axcore.rules import FilterError, asked_by, canonical, check_content_dialect, parse_filter
from axcore.rules.filters import CONCRETE, CONCRETE_SET, ITEM_FILTER, Attribute, Item, Logic
from axcore.services.events import ConditionType
from axcore.services.events.catalogue import check_condition

from .envelope import Fault, invalid
from .names import AXCORE
from .xmlio import EMPTY, Element, Xml, join, representable, tag

Types = Mapping[str, ConditionType]
EXACT: Final = f"{{{AXCORE}}}Condition"
_PREFIX: Final = re.compile(r"([^\W\d][\w.-]*):(?=[^\W\d])")
_SPELLINGS: Final = {
    "tns1": ONVIF_NAMESPACE,
    "onvif": ONVIF_NAMESPACE,
    "tnsaxis": AXIS_NAMESPACE,
    "axis": AXIS_NAMESPACE,
}
_ALWAYS: Final = 'not(boolean(//SimpleItem[@Name=""]))'
_DECLARED: Final = {ONVIF_NAMESPACE: "tns1", AXIS_NAMESPACE: "tnsaxis"}


class Texts(NamedTuple):
    """A filter as its two texts."""

    topic: str
    content: str = ""
    dialect: str = CONCRETE_SET


# --- out -----------------------------------------------------------------------------------------------------------


def write(name: str, condition: Condition, types: Types, *, start: bool) -> Xml:
    """A condition as the element ``name`` (``aa:Condition`` or ``aa:StartEvent``)."""
    texts = to_texts(condition, types)
    same = False
    with contextlib.suppress(Fault, InputError):
        seen = Texts(_seen(texts.topic), _seen(texts.content))
        same = from_texts(seen, types, start=start) == plain(condition, types, start=start)
    exact = None if same else msgspec.json.encode(condition).decode()
    return tag(name, write_filter(texts), axcore__Condition=exact)


def write_filter(texts: Texts) -> Xml:
    """``wsnt:TopicExpression`` and ``wsnt:MessageContent``."""
    topic = tag("wsnt:TopicExpression", texts.topic, Dialect=texts.dialect) if texts.topic.strip() else EMPTY
    content = tag("wsnt:MessageContent", texts.content, Dialect=ITEM_FILTER) if texts.content.strip() else EMPTY
    return join([topic, content])


def plain(condition: Condition, types: Types, *, start: bool) -> Condition:
    """The condition without a trigger flag that its place says already."""
    return msgspec.structs.replace(condition, trigger=start and _stateful(condition, types))


def _stateful(condition: Condition, types: Types) -> bool:
    return asked_by(condition, types)[0]


def to_texts(condition: Condition, types: Types) -> Texts:
    """The filter of a condition, as well as a filter can say it."""
    kind = types.get(condition.topic)
    if kind is None or condition.content:
        return Texts(condition.topic, condition.content)
    source = [_item(name, value) for name, value in condition.source.items()]
    data = [_item(name, value) for name, value in kind.match.items() if name not in condition.data]
    for name, value in condition.data.items():
        data.append(_item(name, value, "Data/" if kind.match.get(name) == value else ""))
    data = [item for item in data if item]
    if condition.invert and data:
        data = [f"not({' and '.join(data)})"]
    return Texts(condition.topic, " and ".join([item for item in source if item] + data))


def _item(name: str, value: str, part: str = "") -> str:
    quoted = _quoted(value)
    return f'boolean(//{part}SimpleItem[@Name="{name}" and @Value={quoted}])' if quoted else ""


def _quoted(value: str) -> str:
    return f'"{value}"' if '"' not in value else f"'{value}'" if "'" not in value else ""


# --- in ------------------------------------------------------------------------------------------------------------


def read(element: Element, types: Types, *, start: bool) -> Condition:
    """The condition that a ``Condition`` or ``StartEvent`` element asks for. Raises Fault.

    A condition that is not the start has to be about exactly one property (``InvalidConditionFilterFault``).
    """
    texts = read_filter(element)
    condition = _exact(element, texts, types, start) or from_texts(texts, types, start=start)
    if not start:
        asked = condition if condition.content else _as_filter(condition, types)
        try:
            check_condition(dict(types), asked, False, "Condition")
        except InputError as error:
            raise _refused(error.reason, start) from None
    return condition


def _as_filter(condition: Condition, types: Types) -> Condition:
    """A condition as a content filter, so that its properties are counted."""
    texts = to_texts(condition, types)
    return Condition(topic=texts.topic, content=texts.content or _ALWAYS)


def _exact(element: Element, texts: Texts, types: Types, start: bool) -> Condition | None:
    given = element.attributes.get(EXACT)
    if given is None:
        return None
    try:
        found = plain(msgspec.json.decode(given, type=Condition), types, start=start)
    except (msgspec.DecodeError, InputError, ValueError):
        return None
    said = to_texts(found, types)
    return found if (_seen(said.topic), _seen(said.content)) == (texts.topic, texts.content) else None


def _seen(text: str) -> str:
    """A text as it comes back from a document."""
    return representable(text).strip()


def read_filter(element: Element, family: str = "aa") -> Texts:
    """The texts of a filter, its prefixes made those of declarations, and understood. Raises Fault.

    ``family`` is the prefix of the fault details: each service has its own set of the same names.
    """
    for name in ("TopicExpression", "MessageContent"):
        if len(element.all(name)) > 1:
            raise invalid(f"{element.name}: more than one {name}", detail=f"{family}:InvalidFilterFault")
    topic, content = element.first("TopicExpression"), element.first("MessageContent")
    if topic is None and content is None:
        reason = f"{element.name}: neither TopicExpression nor MessageContent"
        raise invalid(reason, detail=f"{family}:InvalidFilterFault")
    expression, dialect, text = "", CONCRETE_SET, ""
    if topic is not None:
        dialect = topic.attributes.get("Dialect", CONCRETE_SET).strip()
        if dialect not in (CONCRETE, CONCRETE_SET):
            reason = f"the dialect {dialect[:120]!r} is not known, only Concrete and ConcreteSet"
            raise invalid(reason, detail=f"{family}:TopicExpressionDialectUnknownFault")
        expression = _spelled(topic, family)
    try:
        if content is not None:
            check_content_dialect(content.attributes.get("Dialect", ITEM_FILTER).strip())
            text = content.text.strip()
        parse_filter(expression, text, dialect=dialect)
    except FilterError as error:
        kind = "Topic" if error.field == "topic" else "MessageContent"
        raise invalid(f"{kind}Expression: {error.reason}", detail=f"{family}:Invalid{kind}ExpressionFault") from None
    return Texts(expression, text, dialect)


def _spelled(topic: Element, family: str) -> str:
    """A topic expression whose prefixes are those that rules use, whatever the document calls them."""

    def spelling(match: re.Match[str]) -> str:
        prefix = match[1]
        uri = topic.resolve(prefix)
        if uri is None and prefix in _SPELLINGS:
            return match[0]
        if uri not in _DECLARED:
            reason = f"TopicExpression: the prefix {prefix[:60]!r} does not stand for a namespace of topics"
            raise invalid(reason, detail=f"{family}:InvalidTopicExpressionFault")
        return match[0] if _SPELLINGS.get(prefix) == uri else f"{_DECLARED[uri]}:"

    return _PREFIX.sub(spelling, topic.text.strip())


def from_texts(texts: Texts, types: Types, *, start: bool) -> Condition:
    """The condition that a filter means. Raises Fault, FilterError."""
    asked = parse_filter(texts.topic, texts.content, dialect=texts.dialect)
    kind = None
    if len(asked.topics) == 1 and not asked.topics[0].subtree:
        by_path = {canonical(topic): kind for topic, kind in types.items()}
        kind = by_path.get(asked.topics[0].path)
    if kind is not None and (found := _catalogued(kind, asked.content)) is not None:
        return plain(found, types, start=start)
    content = texts.content
    if not content and kind is not None:
        content = f'boolean(//SimpleItem[@Name="{next(iter(kind.match))}"])'
    found = Condition(topic=texts.topic, content=content)
    try:
        stateful = _stateful(found, types)
    except InputError as error:
        raise _refused(error.reason, start) from None
    if start and stateful and not texts.content:
        raise _refused("a start event that is a state needs a MessageContent that says which value starts", start)
    return msgspec.structs.replace(found, trigger=start and stateful)


def _refused(reason: str, start: bool) -> Fault:
    name, detail = ("StartEvent", "aa:InvalidFilterFault") if start else ("Condition", "aa:InvalidConditionFilterFault")
    return invalid(f"{name}: {reason}", detail=detail)


def _catalogued(kind: ConditionType, content: Item | Logic | None) -> Condition | None:
    """The condition of the catalogue that a content filter spells out item by item; None if it says something else."""
    source: dict[str, str] = {}
    data: dict[str, tuple[str, str]] = {}
    invert = False
    for part in _conjunction(content):
        negated = isinstance(part, Logic) and part.op == "not"
        inner = _conjunction(part.parts[0]) if isinstance(part, Logic) and negated else [part]
        if negated and (invert or data or not kind.stateful):
            return None
        for each in inner:
            pair = _pair(each)
            if pair is None:
                return None
            place, name, value = pair
            if not negated and place != "Data" and name in {item.name for item in kind.source} and name not in source:
                source[name] = value
            elif place != "Source" and name in {item.name for item in kind.data} and name not in data:
                if invert and not negated:
                    return None
                data[name] = (place, value)
            else:
                return None
        invert = invert or negated
    if any(name not in data for name in kind.match) or (content is None and kind.match):
        return None
    explicit = {
        name: value for name, (place, value) in data.items() if place == "Data" or kind.match.get(name) != value
    }
    return Condition(topic=kind.topic, source=source, data=explicit, invert=invert)


def _conjunction(content: object) -> list[object]:
    if content is None:
        return []
    if isinstance(content, Logic) and content.op == "and":
        return [piece for part in content.parts for piece in _conjunction(part)]
    return [content]


def _pair(content: object) -> tuple[str, str, str] | None:
    if not isinstance(content, Item) or not isinstance(content.test, Logic) or content.test.op != "and":
        return None
    attributes = [part for part in content.test.parts if isinstance(part, Attribute)]
    found = {part.name: part.value for part in attributes}
    if len(attributes) != 2 or len(content.test.parts) != 2 or len(found) != 2:
        return None
    return content.part, found["Name"], found["Value"]


__all__ = ["Texts", "from_texts", "plain", "read", "read_filter", "to_texts", "write", "write_filter"]
