"""Conditions as filters and back: a rule that goes out and comes in again is the same rule."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axcore.devices import MODELS
from axcore.errors import InputError
from axcore.interfaces.soap import filters
from axcore.interfaces.soap.action1 import rule_spec, show_rule
from axcore.interfaces.soap.envelope import Fault
from axcore.interfaces.soap.filters import Texts, from_texts, to_texts
from axcore.interfaces.soap.xmlio import Xml, parse, tag
from axcore.model import events
from axcore.model.actions import ToggleIoOnce
from axcore.model.rules import Condition, Rule
from axcore.rules import asked_by, check_conditions
from axcore.services.events.catalogue import ConditionType, condition_types
from tests.unit.interfaces.soap.rig import PORT, RFID, SPACES, filter_xml, item

TYPES: dict[str, ConditionType] = {kind.topic: kind for kind in condition_types(MODELS["a8207-ve-mk2"])}
STATES = [kind for kind in TYPES.values() if kind.stateful]
PULSES = [kind for kind in TYPES.values() if not kind.stateful]
GRANTED = TYPES[events.ENTRY_GRANTED]
ANY_TEXT = st.text(max_size=8) | st.sampled_from(["it's", 'a "b"', "'\"", " x ", "\r\n", "\x00", "]]>", "&amp;"])


def element(inside: str, **attributes: str) -> Any:
    root = parse(f"<aa:X {SPACES}>{tag('aa:Condition', Xml(inside), **attributes)}</aa:X>".encode())
    return root.children[0]


@st.composite
def catalogued(draw: st.DrawFn, kinds: list[ConditionType]) -> Condition:
    kind = draw(st.sampled_from(kinds))

    def chosen(items: Any) -> dict[str, str]:
        picked = draw(st.lists(st.sampled_from(items), unique_by=lambda i: i.name)) if items else []
        return {i.name: draw(st.sampled_from(i.values) if i.values else ANY_TEXT) for i in picked}

    invert = kind.stateful and draw(st.booleans())
    return Condition(topic=kind.topic, source=chosen(kind.source), data=chosen(kind.data), invert=invert)


CONTENT = st.recursive(
    st.builds(item, st.sampled_from(["port", "state", "active", "x"]), st.sampled_from(["0", "1", "it's"])),
    lambda inner: st.one_of(
        inner.map(lambda one: f"not({one})"),
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(lambda three: "(" + "".join(three) + ")"),
    ),
    max_leaves=4,
)
TOPIC = st.sampled_from([PORT, "onvif:Device/axis:IO//.", f"{PORT}|{events.IO_VIRTUAL_INPUT}", "tns1:Device//."])
FILTERS = st.builds(
    lambda topic, content, invert: Condition(topic=topic, content=content, invert=invert), TOPIC, CONTENT, st.booleans()
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    first = draw(catalogued(STATES) | catalogued(PULSES) | FILTERS)
    if not first.invert and draw(st.booleans()):
        first = msgspec.structs.replace(first, trigger=True)
    further = draw(st.lists(catalogued(STATES), max_size=3))
    wait = draw(st.floats(0, 359_999) | st.integers(0, 3600)) if draw(st.booleans()) else 0
    name = draw(st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=20))
    return Rule(
        id="7", name=name, conditions=(first, *further), action=ToggleIoOnce(port="4"),
        enabled=draw(st.booleans()), wait=round(wait, 9),
    )  # fmt: skip


@settings(max_examples=300)
@given(rules())
def test_a_rule_goes_out_and_comes_in_as_it_was(rule: Rule) -> None:
    try:
        check_conditions(rule, TYPES)
    except InputError:
        return
    shown = show_rule(rule, "1", TYPES)
    root = parse(f"<aa:X {SPACES}>{shown}</aa:X>".encode())
    counted = filters.check_condition
    try:
        filters.check_condition = lambda types, condition, first, field: condition  # REST takes more than one port
        spec, start = rule_spec(root.children[0], rule.action, TYPES)
    finally:
        filters.check_condition = counted
    edge = rule.conditions[0].trigger or not asked_by(rule.conditions[0], TYPES)[0]
    assert start == edge
    same = [filters.plain(each, TYPES, start=edge and not n) for n, each in enumerate(rule.conditions)]
    assert msgspec.structs.asdict(spec) == {
        "name": rule.name, "enabled": rule.enabled, "wait": rule.wait, "action": rule.action, "conditions": tuple(same),
    }  # fmt: skip


@given(catalogued(STATES), st.data())
def test_the_filter_alone_means_the_same(condition: Condition, data: st.DataObject) -> None:
    """Who reads only the two texts, sees the condition (a value with quotes of both kinds is beyond a filter)."""
    if any("'" in v and '"' in v for v in (*condition.source.values(), *condition.data.values())):
        return
    kind = TYPES[condition.topic]
    texts = to_texts(condition, TYPES)
    _, wanted = asked_by(condition, TYPES)
    _, got = asked_by(Condition(topic=texts.topic, content=texts.content), TYPES)
    source = {i.name: data.draw(st.sampled_from(i.values or ("a",))) for i in kind.source}
    items = {i.name: data.draw(st.sampled_from(i.values or ("a",))) for i in kind.data}
    about = wanted.could(source)
    assert got.holds(source, items) == (about and wanted.holds(source, items) != condition.invert)


def test_a_filter_that_names_all_items_is_a_condition_of_the_catalogue() -> None:
    both = f"{item('port', '1')} and {item('state', '1')}"
    assert from_texts(Texts(PORT, both), TYPES, start=False) == Condition(topic=PORT, source={"port": "1"})
    assert from_texts(Texts("onvif:Device/axis:IO/Port", f"({both})"), TYPES, start=True) == Condition(
        topic=PORT, source={"port": "1"}, trigger=True
    )
    off = f"{item('port', '1')} and not({item('state', '1')})"
    assert from_texts(Texts(PORT, off), TYPES, start=False) == Condition(topic=PORT, source={"port": "1"}, invert=True)
    zero = f"{item('state', '0')} and {item('port', '1')}"
    assert from_texts(Texts(PORT, zero), TYPES, start=False).data == {"state": "0"}
    assert from_texts(Texts(RFID), TYPES, start=True) == Condition(topic=RFID)


@pytest.mark.parametrize(
    "content",
    [
        item("port", "1"),
        f"{item('port', '1')} or {item('state', '1')}",
        f"{item('port', '1')} and {item('state', '1')} and {item('other', '1')}",
        f"{item('state', '1')} and {item('state', '0')}",
        f"{item('state', '1')} and not({item('port', '1')})",
        f"not({item('state', '1')}) and not({item('state', '1')})",
        'boolean(//SimpleItem[@Name="state"])',
        'boolean(//Source/SimpleItem[@Name="state" and @Value="1"])',
    ],
)
def test_any_other_filter_is_kept_as_it_came(content: str) -> None:
    assert from_texts(Texts(PORT, content), TYPES, start=False) == Condition(topic=PORT, content=content)


def test_an_event_of_a_topic_with_any_data() -> None:
    """Without content a filter takes every event of its topic, a condition of the catalogue only the usual one."""
    found = from_texts(Texts(GRANTED.topic), TYPES, start=True)
    assert not found.trigger
    _, asked = asked_by(found, TYPES)
    assert asked.holds({}, {"condition": "Anything"})
    with pytest.raises(Fault, match="which value"):
        from_texts(Texts(PORT), TYPES, start=True)


def test_prefixes_are_those_of_the_document() -> None:
    spaces = 'xmlns:o="http://www.onvif.org/ver10/topics" xmlns:a="http://www.axis.com/2009/event/topics"'
    given = f"<c {spaces}>{filter_xml('o:Device/a:IO/Port|tnsaxis:X')}</c>"
    root = parse(f"<aa:X {SPACES}>{given}</aa:X>".encode())
    assert filters.read_filter(root.children[0]).topic == "tns1:Device/tnsaxis:IO/Port|tnsaxis:X"
    bare = parse(b"<c><TopicExpression>tns1:Device/tnsaxis:IO/Port</TopicExpression></c>")
    assert filters.read_filter(bare).topic == PORT
    for prefix in ("x", "tt"):
        with pytest.raises(Fault) as refused:
            filters.read_filter(element(filter_xml(f"{prefix}:Device")))
        assert refused.value.detail == "aa:InvalidTopicExpressionFault"
    bound = parse(b'<c xmlns:tns1="urn:other"><TopicExpression>tns1:Device</TopicExpression></c>')
    with pytest.raises(Fault):
        filters.read_filter(bound)


def test_what_a_filter_cannot_say_counts_only_beside_the_unchanged_filter() -> None:
    condition = Condition(topic=PORT, content=item("port", "1"), invert=True)
    shown = filters.write("aa:Condition", condition, TYPES, start=False)
    assert "axcore:Condition" in shown
    read = filters.read(parse(f"<aa:X {SPACES}>{shown}</aa:X>".encode()).children[0], TYPES, start=False)
    assert read == condition
    changed = shown.replace('@Value="1"]', '@Value="2"]')
    read = filters.read(parse(f"<aa:X {SPACES}>{changed}</aa:X>".encode()).children[0], TYPES, start=False)
    assert read == Condition(topic=PORT, content=item("port", "2"))
    for junk in ("{}", "x", '{"topic": 1}', '{"topic": "' + PORT + '", "nothing": 1}', "[" * 2000):
        broken = element(filter_xml(PORT, item("port", "1")), axcore__Condition=junk)
        assert filters.read(broken, TYPES, start=False) == Condition(topic=PORT, content=item("port", "1"))


def test_an_unusual_condition_only_carries_the_attribute_if_it_has_to() -> None:
    plain = Condition(topic=PORT, source={"port": "1"}, invert=True)
    assert "axcore" not in filters.write("aa:Condition", plain, TYPES, start=False)
    quotes = Condition(topic=GRANTED.topic, data={"holder": 'it\'s "B"'})
    assert "axcore" in filters.write("aa:StartEvent", quotes, TYPES, start=True)
