"""Filters as text: ONVIF topic expressions and message content filters. ``parse_filter`` is the only door.

Recursive descent over short text: at most ``MAX_LENGTH`` characters and ``MAX_DEPTH`` nested parentheses. Errors name
the position. The grammar is that of the ONVIF Core Specification, section "Message content filter", with the steps of
XPath that devices are sent in practice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeVar

from .filters import CONCRETE, CONCRETE_SET, ITEM_FILTER, Attribute, Filter, FilterError, Item, Logic, Topic, canonical

MAX_LENGTH = 4096
MAX_DEPTH = 32

_NAME = re.compile(r"(?:[^\W\d][\w.-]*:)?[^\W\d][\w.-]*")
_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(
    r"(?P<path>//[^\[\]()=\"'|\s]*)|(?P<word>@?[^\W\d][\w.:-]*)|(?P<string>\"[^\"]*\"|'[^']*')|(?P<mark>[()\[\]=])"
)
_STEPS = re.compile(r"//(?:(?:\w+:)?(?P<part>Source|Data)/{1,2})?(?:\w+:)?SimpleItem")
_ATTRIBUTES: dict[str, Literal["Name", "Value"]] = {"@Name": "Name", "@Value": "Value"}

T = TypeVar("T", Item | Logic, Attribute | Logic)


def parse_filter(topic: str = "", content: str = "", *, dialect: str = CONCRETE_SET) -> Filter:
    """A filter from its two texts; an empty one asks nothing. ``dialect`` is that of the topic expression.

    FilterError names ``topic`` or ``content`` and the position.
    """
    if dialect not in (CONCRETE, CONCRETE_SET):
        raise FilterError("topic", 0, f"the dialect {dialect!r} is not supported, only Concrete and ConcreteSet")
    for field, text in (("topic", topic), ("content", content)):
        if len(text) > MAX_LENGTH:
            raise FilterError(field, MAX_LENGTH, f"more than {MAX_LENGTH} characters")
    topics = _topics(topic, dialect == CONCRETE_SET) if topic.strip() else ()
    return Filter(topics=topics, content=_Content(content).parse() if content.strip() else None)


def check_content_dialect(dialect: str) -> None:
    """FilterError unless the dialect of a content filter is the one that is understood."""
    if dialect != ITEM_FILTER:
        raise FilterError("content", 0, f"the dialect {dialect!r} is not supported, only ItemFilter")


def _topics(text: str, is_set: bool) -> tuple[Topic, ...]:
    found: list[Topic] = []
    at = 0
    for part in text.split("|"):
        if found and not is_set:
            raise FilterError("topic", at - 1, "alternatives need the dialect ConcreteSet")
        topic = _topic(part, at, is_set)
        if topic not in found:
            found.append(topic)
        at += len(part) + 1
    return tuple(found)


def _topic(part: str, at: int, is_set: bool) -> Topic:
    path = part.strip()
    at += len(part) - len(part.lstrip())
    subtree = path.endswith("//.")
    if subtree:
        path = path[:-3]
        if not is_set:
            raise FilterError("topic", at + len(path), "'//.' needs the dialect ConcreteSet")
    for name in path.split("/"):
        match = _NAME.match(name)
        if match is None or match.end() != len(name):
            where = match.end() if match else 0
            said = f"{name[where]!r} cannot stand here" if where < len(name) else "a name is missing"
            raise FilterError("topic", at + where, said)
        at += len(name) + 1
    return Topic(canonical(path), subtree)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


class _Content:
    """The tokens of a content filter and where we are in them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split()
        self._next = 0
        self._depth = 0

    def parse(self) -> Item | Logic:
        """The whole text."""
        found = self._either(self._test)
        if self._peek().kind != "end":
            raise self._wrong("'and', 'or' or the end")
        return found

    # --- expressions: or, and, not, parentheses; `one` reads what they are about

    def _either(self, one: Callable[[], T]) -> T:
        return self._chain("or", lambda: self._chain("and", lambda: self._unary(one)))

    def _chain(self, op: Literal["and", "or"], one: Callable[[], T]) -> T:
        parts = [one()]
        while self._peek().text == op:
            self._next += 1
            parts.append(one())
        return parts[0] if len(parts) == 1 else Logic(op, tuple(parts))

    def _unary(self, one: Callable[[], T]) -> T:
        token = self._peek()
        if token.text not in ("(", "not"):
            return one()
        self._next += 1
        if token.text == "not":
            self._take("(")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FilterError("content", token.at, f"more than {MAX_DEPTH} parentheses inside each other")
        found = self._either(one)
        self._depth -= 1
        self._take(")")
        return Logic("not", (found,)) if token.text == "not" else found

    def _test(self) -> Item | Logic:
        self._take("boolean")
        self._take("(")
        path = self._peek()
        steps = _STEPS.fullmatch(path.text) if path.kind == "path" else None
        if steps is None:
            raise self._wrong("'//SimpleItem'")
        self._next += 1
        self._take("[")
        test = self._either(self._attribute)
        self._take("]")
        self._take(")")
        part: Literal["", "Source", "Data"] = steps["part"] or ""  # type: ignore[assignment]
        return Item(part, test)

    def _attribute(self) -> Attribute | Logic:
        token = self._peek()
        name = _ATTRIBUTES.get(token.text)
        if name is None:
            raise self._wrong("'@Name' or '@Value'")
        self._next += 1
        self._take("=")
        value = self._peek()
        if value.kind != "string":
            raise self._wrong("text in quotes")
        self._next += 1
        return Attribute(name, value.text[1:-1])

    # --- tokens

    def _split(self) -> list[_Token]:
        tokens: list[_Token] = []
        at = self._skip(0)
        while at < len(self._text):
            match = _TOKEN.match(self._text, at)
            if match is None:
                said = "the quote is not closed" if self._text[at] in "\"'" else f"{self._text[at]!r} cannot stand here"
                raise FilterError("content", at, said)
            tokens.append(_Token(match.lastgroup or "", match[0], at))
            at = self._skip(match.end())
        return [*tokens, _Token("end", "", len(self._text))]

    def _skip(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        return match.end() if match else at

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, text: str) -> None:
        token = self._peek()
        if token.kind == "string" or token.text != text:
            raise self._wrong(repr(text))
        self._next += 1

    def _wrong(self, wanted: str) -> FilterError:
        token = self._peek()
        return FilterError("content", token.at, f"expected {wanted}, not {token.text or 'the end'!r}")
