"""The XML reader: what it gives, what it refuses, and that it stays small; the writer: what it escapes."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from axcore.interfaces.http.vapix.services import TABLE
from axcore.interfaces.soap import envelope, xmlio
from axcore.interfaces.soap.envelope import Fault
from axcore.interfaces.soap.xmlio import Xml, XmlError, parse, representable, tag
from tests.unit.interfaces.soap.xml_attacks import SECRET, attacks

ATTACKS = attacks("/etc/hostname")


def test_there_are_enough_of_them() -> None:
    assert len(ATTACKS) >= 60


def refusal(data: bytes) -> str:
    """Why a document is refused; empty if it is not."""
    try:
        call = envelope.read(data)
        TABLE.find(call)
        call.body.value("RuleID")
    except (Fault, XmlError) as error:
        return error.reason
    return ""


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_in_little_memory(name: str) -> None:
    data = ATTACKS[name][: xmlio.MAX_OCTETS]
    assert refusal(b"<a/>")  # whatever is loaded once
    tracemalloc.start()
    reason = refusal(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0 < len(reason) < 200
    assert peak < 65536


def test_a_file_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    for name, data in attacks(str(secret)).items():
        reason = refusal(data[: xmlio.MAX_OCTETS])
        assert reason, name
        assert SECRET not in reason, name


def test_what_is_accepted_is_small_too() -> None:
    worst = b"<a>" + b"".join(b"<%s/>" % (b"b%03d" % n + b"x" * 120) for n in range(198)) + b"</a>"
    tracemalloc.start()
    parse(worst)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 65536


def test_limits_are_inclusive() -> None:
    assert parse(b"<a>" * xmlio.MAX_DEPTH + b"</a>" * xmlio.MAX_DEPTH).name == "a"
    with pytest.raises(XmlError, match="inside each other"):
        parse(b"<a>" * (xmlio.MAX_DEPTH + 1) + b"</a>" * (xmlio.MAX_DEPTH + 1))
    assert len(parse(b"<a>" + b"<b/>" * (xmlio.MAX_ELEMENTS - 1) + b"</a>").children) == xmlio.MAX_ELEMENTS - 1
    with pytest.raises(XmlError, match="elements"):
        parse(b"<a>" + b"<b/>" * xmlio.MAX_ELEMENTS + b"</a>")
    full = " ".join(f'b{n}=""' for n in range(xmlio.MAX_ATTRIBUTES))
    assert len(parse(f"<a {full}/>".encode()).attributes) == xmlio.MAX_ATTRIBUTES
    with pytest.raises(XmlError, match="attributes"):
        parse(f'<a {full} c=""/>'.encode())
    assert len(parse(b"<a>" + b"x" * xmlio.MAX_TEXT + b"</a>").text) == xmlio.MAX_TEXT
    with pytest.raises(XmlError, match="octets"):
        parse(b"<a/>" + b" " * xmlio.MAX_OCTETS)


def test_names_namespaces_text() -> None:
    root = parse(
        b'<?xml version="1.0" encoding="utf-8"?><!-- c --><p:a xmlns:p="urn:p" xmlns="urn:d" x="1" p:y="2">'
        b"one<b xmlns:p='urn:q'><![CDATA[<&>]]></b>two&lt;&#65;</p:a>"
    )
    assert (root.namespace, root.name, root.text) == ("urn:p", "a", "onetwo<A")
    assert root.attributes == {"x": "1", "{urn:p}y": "2"}
    (child,) = root
    assert (child.namespace, child.name, child.text) == ("urn:d", "b", "<&>")
    assert (root.resolve("p"), child.resolve("p"), child.resolve(""), child.resolve("z")) == (
        "urn:p", "urn:q", "urn:d", None,
    )  # fmt: skip


def test_a_value_that_is_there_twice_is_refused() -> None:
    root = parse(b"<a><b>1</b><c> 2 </c><b>3</b></a>")
    assert root.value("c") == "2"
    assert root.value("d") is None
    with pytest.raises(XmlError, match="b is there 2 times"):
        root.value("b")


@settings(max_examples=300)
@given(st.binary(max_size=400))
@example(b"\xef\xbb\xbf<a/>")
@example(b"<a xmlns:b=''/>")
@example(b"<a\n>")
def test_octets_give_an_element_or_an_error(data: bytes) -> None:
    try:
        root = parse(data)
    except XmlError:
        return
    assert root.name == ElementTree.fromstring(data).tag.rpartition("}")[2]


MARKS = [
    "<a>", "</a>", "<a/>", "<!DOCTYPE a>", "<?x?>", "<![CDATA[", "]]>", "<!--", "-->", "&lt;", "&x;", "&#65;", "x", "'",
    '"', "<b c='1'/>", "<b c='", "<x:b xmlns:x='urn:x'>", "</x:b>", "<b xmlns='http://www.w3.org/2001/XInclude'/>",
    "\ufeff", "é", "\x00", "=",
]  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.sampled_from(MARKS), max_size=14).map("".join))
def test_pieces_of_markup_are_read_as_by_another_reader_or_refused(text: str) -> None:
    data = f"<r>{text}</r>".encode()
    try:
        root = parse(data)
    except XmlError:
        return
    other = ElementTree.fromstring(data)
    assert [child.name for child in root] == [child.tag.rpartition("}")[2] for child in other]
    assert root.text == (other.text or "") + "".join(child.tail or "" for child in other)
    assert "DOCTYPE" not in text or "<!--" in text or "CDATA" in text


@given(st.text(), st.text(), st.text())
def test_what_is_written_is_read(text: str, value: str, other: str) -> None:
    made = tag("a", tag("b", text, x=value, y=None), other)
    root = parse(made.encode())
    (child,) = root
    assert child.text == representable(text)
    assert child.attributes == {"x": representable(value)}
    assert root.text == representable(other)


def test_only_xml_goes_in_as_it_is() -> None:
    assert tag("a", "<b/>", Xml("<c/>")) == "<a>&lt;b/&gt;<c/></a>"
    assert tag("a", wstop__topic='"<&\n') == '<a wstop:topic="&quot;&lt;&amp;&#10;"/>'
    assert tag("a", "\x00\ud800\r") == "<a>\ufffd\ufffd&#13;</a>"
