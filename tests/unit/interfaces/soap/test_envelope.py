"""Envelopes: both versions, actions, headers, faults; and the dispatcher's table."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError, QueueFullError, StoreError
from axcore.interfaces.http.vapix.services import TABLE
from axcore.interfaces.soap import envelope, names
from axcore.interfaces.soap.dispatch import Operation, Table, as_fault
from axcore.interfaces.soap.envelope import Fault, fault_reply, read, reply, status
from axcore.interfaces.soap.xmlio import XmlError, tag
from axcore.model.accounts import Role
from tests.unit.interfaces.soap import rig

CALL = rig.envelope("<aev:GetEventInstances/>")


@pytest.mark.parametrize("version", [names.SOAP11, names.SOAP12])
def test_both_versions_are_read(version: str) -> None:
    call = read(rig.envelope("<aev:GetEventInstances/>", "<wsa:MessageID>m</wsa:MessageID>", version))
    assert (call.version, call.body.namespace, call.body.name) == (version, names.EVENT1, "GetEventInstances")
    assert call.header(names.WSA, "MessageID") == "m"
    assert call.header(names.WSA, "To") == ""


@pytest.mark.parametrize(
    ("content_type", "soap_action", "action"),
    [
        ("application/soap+xml; action=http://a/B; Charset=UTF-8", "", "http://a/B"),
        ('application/soap+xml; charset=utf-8; action="http://a/B"', "x", "http://a/B"),
        ("text/xml; charset=utf-8", '"http://a/B"', "http://a/B"),
        ("text/plain; charset=utf-8", "", ""),
        ("", "http://a/B", "http://a/B"),
    ],
)
def test_where_the_action_stands(content_type: str, soap_action: str, action: str) -> None:
    assert read(CALL, content_type, soap_action).action == action


@pytest.mark.parametrize("content_type", ["application/json", "multipart/related", "text/xml; charset=utf-16"])
def test_other_bodies_are_refused(content_type: str) -> None:
    with pytest.raises(Fault):
        read(CALL, content_type)


def test_a_version_that_is_not_spoken() -> None:
    with pytest.raises(Fault) as refused:
        read(CALL.replace(names.SOAP12.encode(), b"http://www.w3.org/2001/12/soap-envelope"))
    assert refused.value.code == "VersionMismatch"


@pytest.mark.parametrize("must", ["1", "true"])
def test_a_header_that_must_be_understood(must: str) -> None:
    known = f'<wsa:Action xmlns:s="{names.SOAP12}" s:mustUnderstand="{must}">x</wsa:Action>'
    assert read(rig.envelope("<aev:A/>", known)).headers[0].name == "Action"
    with pytest.raises(Fault) as refused:
        read(rig.envelope("<aev:A/>", known.replace("wsa:", "tt:")))
    assert refused.value.code == "MustUnderstand"
    assert read(rig.envelope("<aev:A/>", known.replace("wsa:", "tt:").replace(f'"{must}"', '"0"')))


def test_a_fault_of_1_2() -> None:
    fault = Fault("bad <value>", "ter:InvalidArgVal", "ter:NotFound", detail="aa:InvalidFilterFault")
    root = ElementTree.fromstring(fault_reply(names.SOAP12, fault))
    space = f"{{{names.SOAP12}}}"
    values = [found.text for found in root.iter(f"{space}Value")]
    assert values == ["SOAP-ENV:Sender", "ter:InvalidArgVal", "ter:NotFound"]
    (text,) = root.iter(f"{space}Text")
    assert (text.text, text.attrib) == ("bad <value>", {"{http://www.w3.org/XML/1998/namespace}lang": "en"})
    (detail,) = root.iter(f"{space}Detail")
    assert [child.tag for child in detail] == [f"{{{names.ACTION1}}}InvalidFilterFault"]
    assert status(fault, names.SOAP12) == 400


def test_a_fault_of_1_1() -> None:
    fault = Fault("no", "ter:InvalidArgVal", detail="aa:InvalidFilterFault")
    root = ElementTree.fromstring(fault_reply(names.SOAP11, fault))
    (found,) = root.iter(f"{{{names.SOAP11}}}Fault")
    assert [(child.tag, child.text) for child in found][:2] == [
        ("faultcode", "SOAP-ENV:Client"), ("faultstring", "no"),
    ]  # fmt: skip
    assert found[2].tag == "detail"
    assert status(fault, names.SOAP11) == 500
    assert envelope.content_type(names.SOAP11) == "text/xml; charset=utf-8"
    assert envelope.content_type(names.SOAP12) == "application/soap+xml; charset=utf-8"


def test_every_prefix_that_is_used_is_declared() -> None:
    body = "".join(tag(f"{prefix}:a") for prefix in names.PREFIXES)
    root = ElementTree.fromstring(reply(names.SOAP12, tag("tt:x", envelope.Xml(body))))
    assert len(root[0][0]) == len(names.PREFIXES)


@pytest.mark.parametrize(
    ("error", "subcodes", "code"),
    [
        (InputError("a", "b"), ("ter:InvalidArgVal",), "Sender"),
        (ConflictError("a", "b"), ("ter:InvalidArgVal",), "Sender"),
        (NotFoundError("a", "b"), ("ter:InvalidArgVal", "ter:NotFound"), "Sender"),
        (LimitError("a", "b"), ("ter:CapabilityViolated", "ter:TooMany"), "Sender"),
        (XmlError("x"), ("ter:WellFormed",), "Sender"),
        (StoreError("/secret/path", "disk full"), ("ter:Action",), "Receiver"),
        (QueueFullError("full"), ("ter:Action",), "Receiver"),
    ],
)
def test_exceptions_become_faults(error: Exception, subcodes: tuple[str, ...], code: str) -> None:
    fault = as_fault(error)
    assert (fault.subcodes, fault.code) == (subcodes, code)
    assert "secret" not in fault.reason
    assert status(fault, names.SOAP12) == (500 if code == "Receiver" else 400)


def test_an_operation_is_there_once_and_has_a_role() -> None:
    operation = Operation(namespace="urn:a", name="B", role=Role.VIEWER, handler=None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="twice"):
        Table([operation, operation])
    assert all(found.role >= Role.VIEWER for found in TABLE)


def test_changing_operations_need_an_operator() -> None:
    for operation in TABLE:
        if operation.name.startswith(("Add", "Remove", "Change", "Create", "Pull")):
            assert operation.role >= Role.OPERATOR, operation.name


@pytest.mark.parametrize("body", ["<aev:Nothing/>", "<tt:GetEventInstances/>", "<GetEventInstances/>"])
def test_what_is_not_there(body: str) -> None:
    with pytest.raises(Fault) as refused:
        TABLE.find(read(rig.envelope(body)))
    assert refused.value.subcodes == ("ter:ActionNotSupported",)
