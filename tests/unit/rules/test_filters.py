"""ONVIF topic expressions and content filters: what they mean, and where they are wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.errors import InputError
from axcore.model import events
from axcore.rules import Filter, FilterError, canonical, check_content_dialect, describe, parse_filter
from axcore.rules.filters import CONCRETE, ITEM_FILTER, Attribute, Item, Logic
from axcore.rules.parser import MAX_DEPTH

PORT = 'boolean(//SimpleItem[@Name="port" and @Value="1"])'
ON = 'boolean(//SimpleItem[@Name="state" and @Value="1"])'


@pytest.mark.parametrize(
    ("expression", "topic", "covers"),
    [
        ("onvif:Device/axis:IO/axis:VirtualInput", events.IO_VIRTUAL_INPUT, True),
        ("tns1:Device/tnsaxis:IO/VirtualInput", events.IO_VIRTUAL_INPUT, True),
        ("onvif:Device/axis:IO", events.IO_VIRTUAL_INPUT, False),
        ("onvif:Device/axis:IO//.", events.IO_VIRTUAL_INPUT, True),
        ("onvif:Device/axis:IO//.", "tns1:Device/tnsaxis:IO", True),
        ("onvif:Device/axis:IO//.", "tns1:Device/tnsaxis:IOX", False),
        ("onvif:Device/onvif:Trigger/onvif:Relay", events.RELAY, True),
        ("onvif:Device/axis:Trigger/axis:Relay", events.RELAY, False),
        (" onvif:Device//. | axis:Call/State ", events.CASING_OPEN, True),
        ("onvif:AccessControl//.|tnsaxis:Call/State", "tnsaxis:Call/State", True),
        ("", "anything", True),
    ],
)
def test_topics(expression: str, topic: str, covers: bool) -> None:
    assert parse_filter(expression).matches(topic, {}, {}) is covers


def test_declared_topics_are_canonical() -> None:
    topics = [value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)]
    assert topics
    assert [topic for topic in topics if canonical(topic) != topic] == []


@pytest.mark.parametrize(
    ("content", "source", "data", "holds"),
    [
        (PORT, {"port": "1"}, {}, True),
        (PORT, {"port": "2"}, {"state": "1"}, False),
        (PORT, {}, {"port": "1"}, True),
        (f"{PORT} and {ON}", {"port": "1"}, {"state": "1"}, True),
        (f"{PORT} and {ON}", {"port": "1"}, {"state": "0"}, False),
        (f"{PORT} or {ON}", {"port": "1"}, {"state": "0"}, True),
        (f"{ON} or {ON} and {PORT}", {"port": "0"}, {"state": "1"}, True),
        (f"({ON} or {ON}) and {PORT}", {"port": "0"}, {"state": "1"}, False),
        (f"not({PORT})", {"port": "0"}, {}, True),
        (f"not ( {PORT} ) and not({ON})", {"port": "0"}, {"state": "1"}, False),
        ("boolean(//tt:SimpleItem[@Name='a' and (@Value='1' or @Value='2')])", {"a": "2"}, {}, True),
        ("boolean(//tt:SimpleItem[not(@Name='a')])", {"a": "2"}, {}, False),
        ("boolean(//tt:Source/tt:SimpleItem[@Name='a'])", {}, {"a": "2"}, False),
        ("boolean(//Data/SimpleItem[@Name='a'])", {}, {"a": "2"}, True),
        ("boolean(//Data/SimpleItem[@Name='a'])", {"a": "2"}, {}, False),
        ("boolean(//SimpleItem[@Value='and'])", {"or": "and"}, {}, True),
    ],
)
def test_contents(content: str, source: dict[str, str], data: dict[str, str], holds: bool) -> None:
    asked = parse_filter("", content)
    assert asked.matches("t", source, data) is holds
    if holds:
        assert asked.could(source)


@pytest.mark.parametrize(
    ("source", "could"), [({"port": "1"}, True), ({"port": "2"}, False), ({}, True), ({"state": "0"}, False)]
)
def test_what_a_source_can_still_become(source: dict[str, str], could: bool) -> None:
    assert parse_filter("", f"{PORT} and {ON}").could(source) is could


@pytest.mark.parametrize(
    ("topic", "content", "field", "position"),
    [
        ("a/", "", "topic", 2),
        ("/a", "", "topic", 0),
        ("a//b", "", "topic", 2),
        ("a|", "", "topic", 2),
        ("a| b c", "", "topic", 4),
        ("a/*", "", "topic", 2),
        ("a:b:c", "", "topic", 3),
        ("1a", "", "topic", 0),
        ("//.", "", "topic", 0),
        ("x" * 5000, "", "topic", 4096),
        ("", "true", "content", 0),
        ("", "boolean", "content", 7),
        ("", "boolean()", "content", 8),
        ("", "boolean(//ElementItem[@Name='a'])", "content", 8),
        ("", "boolean(//SimpleItem)", "content", 20),
        ("", "boolean(//SimpleItem[])", "content", 21),
        ("", "boolean(//SimpleItem[@Name])", "content", 26),
        ("", "boolean(//SimpleItem[@Name=a])", "content", 27),
        ("", "boolean(//SimpleItem[@Name='a])", "content", 27),
        ("", "boolean(//SimpleItem[@Name='a' @Value='b'])", "content", 31),
        ("", "boolean(//SimpleItem[@Other='a'])", "content", 21),
        ("", f"{PORT} {ON}", "content", len(PORT) + 1),
        ("", f"{PORT} and", "content", len(PORT) + 4),
        ("", f"({PORT}", "content", len(PORT) + 1),
        ("", f"{PORT} ; x", "content", len(PORT) + 1),
        ("", "(" * 99, "content", MAX_DEPTH),
        ("", "not(" * 99, "content", MAX_DEPTH * 4),
    ],
)
def test_errors_name_the_position(topic: str, content: str, field: str, position: int) -> None:
    with pytest.raises(FilterError) as raised:
        parse_filter(topic, content)
    assert (raised.value.field, raised.value.position) == (field, position)
    assert isinstance(raised.value, InputError)


@pytest.mark.parametrize("topic", ["a|b", "a//."])
def test_the_dialect_concrete_has_no_sets(topic: str) -> None:
    with pytest.raises(FilterError):
        parse_filter(topic, dialect=CONCRETE)
    assert parse_filter("a/b", dialect=CONCRETE) == parse_filter("a/b")


def test_unknown_dialects_are_refused() -> None:
    with pytest.raises(FilterError):
        parse_filter("a", dialect="urn:other")
    with pytest.raises(FilterError):
        check_content_dialect("urn:other")
    check_content_dialect(ITEM_FILTER)


@given(st.text(alphabet="abolen()/ []@=\"'|.:NameVlunodtrSipIt", max_size=60), st.text(max_size=30))
def test_any_text_is_a_filter_or_a_filter_error(content: str, topic: str) -> None:
    position = 0
    try:
        assert describe(parse_filter(topic, content))
    except FilterError as error:
        position = error.position
    assert 0 <= position <= max(len(topic), len(content))


names = st.sampled_from(["a", "b", "c"])
attributes = st.builds(Attribute, st.sampled_from(["Name", "Value"]), names)


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def more(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        pairs = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(
            st.builds(Logic, st.sampled_from(["and", "or"]), pairs), inner.map(lambda one: Logic("not", (one,)))
        )

    return st.recursive(leaves, more, max_leaves=5)


items = st.builds(Item, st.sampled_from(["", "Source", "Data"]), nested(attributes))


@given(nested(items), st.dictionaries(names, names, max_size=2), st.dictionaries(names, names, max_size=2))
def test_could_is_never_wrong_about_holds(content: Any, source: dict[str, str], data: dict[str, str]) -> None:
    asked = Filter(content=content)
    only_data = {name: value for name, value in data.items() if name not in source}
    if asked.holds(source, only_data):
        assert asked.could(source)
