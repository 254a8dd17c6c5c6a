"""SOAP of a started device, with real clients: zeep, Home Assistant's library, and plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx
import pytest
import requests
import zeep
from axis.device import AxisDevice
from axis.models.configuration import Configuration
from lxml import etree
from requests.auth import HTTPDigestAuth
from zeep.transports import Transport

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Instance
from axcore.interfaces.soap.names import ACTION1, EVENT1
from axcore.model import events
from tests.unit.interfaces.soap.rig import RFID, VIRTUAL, envelope, filter_xml, item
from tests.unit.interfaces.soap.xml_attacks import SECRET, attacks

TIMEOUT = 120.0
CARD = {"format": "H10301", "facility": 7, "card": 4711, "interval_us": 200, "pulse_us": 40}


def post(instance: Instance, body: str, path: str = "/vapix/services", header: str = "") -> Any:
    """The element of the answer's body."""
    reply = httpx.post(
        instance.running.http + path,
        content=envelope(body, header),
        headers={"Content-Type": "application/soap+xml"},
        auth=httpx.DigestAuth(instance.user, instance.password),
        timeout=60.0,
    )
    assert reply.status_code == 200, reply.text
    return ElementTree.fromstring(reply.content).find("{*}Body")[0]  # type: ignore[index]


# --- the client library of Home Assistant ----------------------------------------------------------------------------


async def test_the_client_library_lists_the_events(instance: Instance) -> None:
    url = httpx.URL(instance.running.http)
    async with httpx.AsyncClient(verify=False) as session:
        device = AxisDevice(
            Configuration(session, url.host, port=url.port or 80, username=instance.user, password=instance.password)
        )
        found = await device.vapix.event_instances.get_event_instances()
    assert found[events.IO_PORT].stateful
    assert found[events.RFID].stateless
    assert found[events.IO_VIRTUAL_INPUT].source["Value"][:2] == ["1", "2"]


# --- zeep ------------------------------------------------------------------------------------------------------------

PARAMETER = """<xs:complexType><xs:sequence><xs:element name="Parameter" maxOccurs="unbounded"><xs:complexType>
<xs:attribute name="Name" type="xs:string"/><xs:attribute name="Value" type="xs:string"/></xs:complexType></xs:element>
</xs:sequence></xs:complexType>"""
CONDITION = """<xs:complexType><xs:sequence><xs:element name="Condition" maxOccurs="unbounded"><xs:complexType>
<xs:sequence><xs:any maxOccurs="unbounded" processContents="lax"/></xs:sequence></xs:complexType></xs:element>
</xs:sequence></xs:complexType>"""


def element(name: str, kind: str = "xs:string", more: str = "") -> str:
    return f'<xs:element name="{name}" type="{kind}" minOccurs="0" {more}/>'


def complex_element(name: str, *inside: str) -> str:
    """An element with a sequence of others, or with a type given as such."""
    if len(inside) == 1 and inside[0].startswith("<xs:complexType"):
        return f'<xs:element name="{name}" minOccurs="0">{inside[0]}</xs:element>'
    sequence = f"<xs:complexType><xs:sequence>{''.join(inside)}</xs:sequence></xs:complexType>"
    return f'<xs:element name="{name}" minOccurs="0">{sequence}</xs:element>'


CONFIGURATION = (element("TemplateToken"), element("Name"), complex_element("Parameters", PARAMETER))
RULE = (
    element("Name"), element("Enabled", "xs:boolean"), complex_element("Conditions", CONDITION),
    element("PrimaryAction"),
)  # fmt: skip
SHOWN = complex_element("ActionRules", complex_element("ActionRule", element("RuleID"), *RULE).replace(
    'name="ActionRule" minOccurs="0"', 'name="ActionRule" minOccurs="0" maxOccurs="unbounded"'))  # fmt: skip
OPERATIONS = {
    "AddActionConfiguration": (complex_element("NewActionConfiguration", *CONFIGURATION), element("ConfigurationID")),
    "AddActionRule": (complex_element("NewActionRule", *RULE), element("RuleID")),
    "GetActionRules": ("", SHOWN),
    "RemoveActionRule": (element("RuleID"), ""),
    "RemoveActionConfiguration": (element("ConfigurationID"), ""),
}


def wsdl(address: str) -> str:
    """A description of the part of the action service that is called here."""

    def root(name: str, inside: str) -> str:
        return complex_element(name, inside).replace(' minOccurs="0"', "", 1)

    types = "".join(root(n, given) + root(f"{n}Response", back) for n, (given, back) in OPERATIONS.items())
    messages = ports = bindings = ""
    for name in OPERATIONS:
        for part in (name, f"{name}Response"):
            messages += f'<message name="{part}"><part name="parameters" element="t:{part}"/></message>'
        both = f'<input message="t:{name}"/><output message="t:{name}Response"/>'
        ports += f'<operation name="{name}">{both}</operation>'
        literal = '<input><s:body use="literal"/></input><output><s:body use="literal"/></output>'
        action = f'<s:operation soapAction="{ACTION1}/{name}"/>'
        bindings += f'<operation name="{name}">{action}{literal}</operation>'
    return (
        '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap12/" '
        f'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="{ACTION1}" targetNamespace="{ACTION1}"><types>'
        f'<xs:schema targetNamespace="{ACTION1}" elementFormDefault="qualified">{types}</xs:schema></types>{messages}'
        f'<portType name="Action">{ports}</portType><binding name="ActionBinding" type="t:Action">'
        f'<s:binding transport="http://schemas.xmlsoap.org/soap/http"/>{bindings}</binding>'
        '<service name="Action"><port name="Action" binding="t:ActionBinding">'
        f'<s:address location="{address}"/></port></service></definitions>'
    )


@pytest.fixture
def action(instance: Instance, tmp_path: Path) -> Iterator[Any]:
    described = tmp_path / "action.wsdl"
    described.write_text(wsdl(f"{instance.running.http}/vapix/services"))
    with requests.Session() as session:
        session.auth = HTTPDigestAuth(instance.user, instance.password)
        yield zeep.Client(str(described), transport=Transport(session=session, timeout=60)).service


def wildcards(text: str) -> list[Any]:
    """Elements for ``xs:any``."""
    return list(etree.fromstring(envelope(text))[0])


def toggle(action: Any) -> str:
    parameters = {"Parameter": [{"Name": "port", "Value": "4"}, {"Name": "state", "Value": "high"}]}
    made = action.AddActionConfiguration(
        {"TemplateToken": "com.axis.action.unlimited.io.toggle", "Name": "Door", "Parameters": parameters}
    )
    return str(made)


def test_zeep_adds_a_rule_that_moves_the_relay(instance: Instance, action: Any) -> None:
    primary = toggle(action)
    holds = filter_xml(VIRTUAL, f"{item('port', '9')} and {item('active', '1')}")
    conditions = {"Condition": [{"_value_1": wildcards(holds)}]}
    rule = action.AddActionRule({"Name": "Nine", "Enabled": True, "Conditions": conditions, "PrimaryAction": primary})
    (shown,) = [each for each in action.GetActionRules() if each["RuleID"] == rule]
    assert (shown["Name"], shown["Enabled"], shown["PrimaryAction"]) == ("Nine", True, primary)
    rest = instance.client().rest("GET", net.RULES)
    (same,) = [each for each in rest if each["id"] == rule]
    assert same["conditions"][0]["source"] == {"port": "9"}
    assert same["action"] == {"type": "toggle_io_while_active", "port": "4", "state": True}
    for active in ("1", "0"):
        changed = f"<aev:port>9</aev:port><aev:active>{active}</aev:active>"
        post(instance, f"<aev:ChangeVirtualInputState>{changed}</aev:ChangeVirtualInputState>")
        instance.tap.expect("relay1", active == "1", TIMEOUT)
    with pytest.raises(zeep.exceptions.Fault, match="Nine") as refused:
        action.RemoveActionConfiguration(primary)
    assert refused.value.detail[0].tag == f"{{{ACTION1}}}ActionConfigurationIsInUseFault"
    action.RemoveActionRule(rule)
    action.RemoveActionConfiguration(primary)


def test_zeep_gets_the_declared_fault(instance: Instance, action: Any) -> None:
    primary = toggle(action)
    conditions = {"Condition": [{"_value_1": wildcards(filter_xml(RFID))}]}
    with pytest.raises(zeep.exceptions.Fault) as refused:
        action.AddActionRule({"Name": "x", "Conditions": conditions, "PrimaryAction": primary})
    assert refused.value.detail[0].tag == f"{{{ACTION1}}}InvalidConditionFilterFault"
    assert refused.value.code.endswith("Sender")
    action.RemoveActionConfiguration(primary)


# --- plain HTTP ------------------------------------------------------------------------------------------------------


def test_a_card_comes_out_of_a_pull_point(instance: Instance) -> None:
    asked = f"<tev:Filter>{filter_xml(RFID)}</tev:Filter>"
    made = post(instance, f"<tev:CreatePullPointSubscription>{asked}</tev:CreatePullPointSubscription>")
    path = urlsplit(made.findtext("{*}SubscriptionReference/{*}Address")).path
    with instance.board() as board:
        board.call("card", **CARD)
    pull = (
        "<tev:PullMessages><tev:Timeout>PT20S</tev:Timeout><tev:MessageLimit>10</tev:MessageLimit></tev:PullMessages>"
    )
    pulled = post(instance, pull, path)
    (message,) = pulled.findall("{*}NotificationMessage")
    assert message.findtext("{*}Topic") == RFID
    post(instance, "<wsnt:Unsubscribe/>", path)


def test_rules_of_soap_outlive_a_restart(device: Instance) -> None:
    device.start()
    device.create_admin()
    values = '<aa:Parameter Name="port" Value="4"/><aa:Parameter Name="state" Value="high"/>'
    token = "<aa:TemplateToken>com.axis.action.unlimited.io.toggle</aa:TemplateToken>"
    given = f"<aa:NewActionConfiguration>{token}<aa:Parameters>{values}</aa:Parameters></aa:NewActionConfiguration>"
    post(device, f"<aa:AddActionConfiguration>{given}</aa:AddActionConfiguration>")
    holds = filter_xml(VIRTUAL, f"{item('port', '9')} and {item('active', '1')}")
    rule = f"<aa:Name>Nine</aa:Name><aa:Conditions><aa:Condition>{holds}</aa:Condition></aa:Conditions>"
    post(
        device,
        f"<aa:AddActionRule><aa:NewActionRule>{rule}<aa:PrimaryAction>1</aa:PrimaryAction></aa:NewActionRule>"
        "</aa:AddActionRule>",
    )
    before = ElementTree.tostring(post(device, "<aa:GetActionRules/>"))
    device.stop()
    device.start()
    assert ElementTree.tostring(post(device, "<aa:GetActionRules/>")) == before
    listed = post(device, "<aa:GetActionConfigurations/>")
    assert [found.text for found in listed.iter(f"{{{ACTION1}}}ConfigurationID")] == ["1"]


def test_attacks_leave_the_device_as_it_was(instance: Instance, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    memory = Path(f"/proc/{instance.pid}/status")

    def resident() -> int:
        return next(int(line.split()[1]) for line in memory.read_text().splitlines() if line.startswith("VmRSS"))

    with httpx.Client(auth=httpx.DigestAuth(instance.user, instance.password), timeout=60.0) as client:
        kinds = {"Content-Type": "application/soap+xml"}
        found = attacks(str(secret))

        def attack() -> None:
            for name, data in found.items():
                reply = client.post(f"{instance.running.http}/vapix/services", content=data, headers=kinds)
                assert reply.status_code in (400, 413), name
                assert SECRET not in reply.text, name
                assert "Fault" in reply.text, name

        attack()  # what is loaded once
        before = resident()
        for _ in range(3):
            attack()
    assert resident() - before < 2048  # KiB
    listed = post(instance, f'<GetEventInstances xmlns="{EVENT1}"/>')
    assert listed.tag == f"{{{EVENT1}}}GetEventInstancesResponse"
