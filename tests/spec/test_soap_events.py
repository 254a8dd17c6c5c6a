"""SOAP at /vapix/services: entry service, event service, who may call, and what is no call. VAPIX documentation.

Refusals leave everything as it was: every test of one compares what is stored before and after.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from axis.models.event_instance import ListEventInstancesRequest, ListEventInstancesResponse

from axcore.interfaces.soap import envelope, names
from axcore.interfaces.soap.event1 import basic_times
from axcore.model.actions import ToggleIoWhileActive
from axcore.model.rules import Condition
from axcore.rules.schedule import Schedule
from tests.unit.interfaces.soap import rig as rigs
from tests.unit.interfaces.soap.rig import (
    PORT,
    VIRTUAL,
    Answer,
    Rig,
    refused,
)
from tests.unit.interfaces.soap.xml_attacks import SECRET, attacks


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path, everything=True) as rig:
        yield rig


# --- Entry service ---------------------------------------------------------------------------------------------------


async def test_get_services_lists_namespace_port_type_address_and_version(rig: Rig) -> None:
    listed = await rig.soap("<ae:GetServices/>", user="view")
    assert {names.EVENT1, names.ACTION1, names.TEV} <= set(listed.all("Services/Service/Namespace"))
    assert set(listed.all("Services/Service/XAddr")) == {f"{rig.device.https}/vapix/services"}
    assert len(listed.all("Services/Service/Version/Major")) == len(listed.all("Services/Service/PortType")) == 4
    assert listed.all("Services/Service/Capabilities") == []
    more = await rig.soap("<ae:GetServices><ae:IncludeCapabilities>true</ae:IncludeCapabilities></ae:GetServices>")
    assert len(more.all("Services/Service/Capabilities")) == 4
    assert (await rig.soap("<ae:GetServiceCapabilities/>")).status == 200


# --- Events ----------------------------------------------------------------------------------------------------------


async def test_list_events_over_http_as_the_client_library_does(rig: Rig) -> None:
    """List events using HTTP."""
    request = ListEventInstancesRequest()
    reply = await rig.post(request.content, "view", **request.headers)
    assert reply.headers["Content-Type"] == "application/soap+xml; charset=utf-8"
    found = ListEventInstancesResponse.decode(reply.body).data
    assert set(found) == {kind.topic for kind in rig.events.conditions()}
    for kind in rig.events.conditions():
        event = found[kind.topic]
        assert (event.stateful, event.name, event.is_available) == (kind.stateful, kind.name, True)
        for part, items in (("source", kind.source), ("data", kind.data)):
            given = getattr(event, part)
            listed = given if isinstance(given, list) else [given] if given else []
            assert [each["@Name"] for each in listed] == [each.name for each in items]
            for each, known in zip(listed, items, strict=True):
                values = each.get("Value", [])
                given_values = values if isinstance(values, list) else [values]
                texts = [value["#text"] if isinstance(value, dict) else value for value in given_values]
                assert tuple(texts) == known.values
                assert each["@Type"].startswith("xsd:")


async def test_the_action_may_stand_in_the_content_type(rig: Rig) -> None:
    """List events using HTTP: Content-Type with action."""
    kind = "application/soap+xml; action=http://www.axis.com/vapix/ws/event1/GetEventInstances; Charset=UTF-8"
    reply = await rig.post(rigs.envelope("<aev:GetEventInstances/>"), Content_Type=kind)
    assert reply.status == 200


async def test_one_boolean_item_of_a_stateful_event_is_its_state(rig: Rig) -> None:
    """Event topic tree syntax: isProperty and isPropertyState, both omitted for a stateless event."""
    listed = await rig.soap("<aev:GetEventInstances/>")
    aev = f"{{{names.EVENT1}}}"
    stateful = 0
    for message in listed.body.iter(f"{aev}MessageInstance"):
        states = [found for found in message.iter(f"{aev}SimpleItemInstance") if "isPropertyState" in found.attrib]
        if message.attrib.get(f"{aev}isProperty") == "true":
            stateful += 1
            assert [found.attrib["isPropertyState"] for found in states] == ["true"]
        else:
            assert states == []
    assert stateful == sum(kind.stateful for kind in rig.events.conditions())


async def test_topics_stand_in_their_namespaces(rig: Rig) -> None:
    listed = await rig.soap("<aev:GetEventInstances/>")
    path = "{http://docs.oasis-open.org/wsn/t-1}TopicSet/{http://www.onvif.org/ver10/topics}Device"
    (found,) = listed.body.findall(f"{path}/{{http://www.axis.com/2009/event/topics}}IO/VirtualInput")
    assert found.attrib["{http://docs.oasis-open.org/wsn/t-1}topic"] == "true"
    assert found.attrib[f"{{{names.EVENT1}}}NiceName"] == "Virtual input"


# --- Virtual input events --------------------------------------------------------------------------------------------


async def test_change_virtual_input_state_emits_a_stateful_event(rig: Rig) -> None:
    def change(port: str, active: str) -> str:
        return (
            f"<aev:ChangeVirtualInputState><aev:port>{port}</aev:port><aev:active>{active}</aev:active>"
            "</aev:ChangeVirtualInputState>"
        )

    assert (await rig.soap(change("3", "1"))).one("stateChanged") == "true"
    assert (await rig.soap(change("3", "true"))).one("stateChanged") == "false"
    last = rig.ledger.events[-1]
    assert (last.topic, last.source, last.data, last.is_property) == (VIRTUAL, {"port": "3"}, {"active": "1"}, True)
    await refused(rig, change("65", "1"), "NotFound", "port")
    await refused(rig, change("-1", "1"), "InvalidArgVal", "port")
    await refused(rig, change("3", "maybe"), "InvalidArgVal", "active")
    assert (await rig.soap(change("3", "0"), user="view")).status == 403


# --- Scheduled events ------------------------------------------------------------------------------------------------


def schedule(name: str, text: str) -> str:
    return (
        f"<aev:AddScheduledEvent><aev:NewScheduledEvent><aev:Name>{name}</aev:Name><aev:Schedule><aev:ICalendar>{text}"
        "</aev:ICalendar></aev:Schedule></aev:NewScheduledEvent></aev:AddScheduledEvent>"
    )


WEEK = "DTSTART:20111212T06:00 DTEND:20111212T09:00 RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"


async def test_scheduled_events_are_added_listed_and_removed(rig: Rig) -> None:
    assert (await rig.soap(schedule("My schedule", WEEK))).one("EventID") == "1"
    assert (await rig.soap(schedule("Hourly", "DTSTART:20111212T06:00 RRULE:FREQ=HOURLY"))).one("EventID") == "2"
    listed = await rig.soap("<aev:GetScheduledEvents/>")
    assert listed.all("ScheduledEvents/ScheduledEvent/Name") == ["My schedule", "Hourly"]
    assert listed.all("ScheduledEvents/ScheduledEvent/Schedule/ICalendar")[0] == (
        "DTSTART:20111212T060000 DTEND:20111212T090000 RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
    )
    for wanted, expected in (("Interval", ["1"]), ("Pulse", ["2"])):
        filtered = await rig.soap(
            f"<aev:GetScheduledEvents><aev:ScheduleFilter><aev:ScheduleType>{wanted}</aev:ScheduleType>"
            "</aev:ScheduleFilter></aev:GetScheduledEvents>"
        )
        assert filtered.all("ScheduledEvents/ScheduledEvent/EventID") == expected
    gone = "<aev:RemoveScheduledEvent><aev:EventID>1</aev:EventID></aev:RemoveScheduledEvent>"
    assert (await rig.soap(gone)).status == 200
    await refused(rig, gone, "ScheduledEventNotFoundFault", "EventID")
    await refused(rig, schedule("x", "RRULE:FREQ=HOURLY"), "InvalidScheduleFault", "icalendar")
    await refused(rig, schedule("", WEEK), "InvalidArgVal", "name")
    await refused(rig, "<aev:AddScheduledEvent/>", "InvalidArgVal", "NewScheduledEvent")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("DTSTART:20111212T06:00:30", "DTSTART:20111212T060030"),
        ("DTSTART:2011-12-12T06:00", "DTSTART:20111212T060000"),
        ("DTSTART:20111212T060000\nEXDATE:20111213T06:00,20111214T060000", None),
        ("DTSTART:noon", "DTSTART:noon"),
    ],
)
def test_times_are_iso_8601(given: str, kept: str | None) -> None:
    """Both date and time are required and should be specified according to ISO 8601."""
    expected = kept or "DTSTART:20111212T060000\nEXDATE:20111213T060000,20111214T060000"
    assert basic_times(given) == expected
    if "noon" not in given:
        assert not Schedule(expected).stateful  # it is understood


async def test_a_device_without_schedules_says_so(rig: Rig) -> None:
    rig.ctx.schedules = None
    await refused(rig, "<aev:GetScheduledEvents/>", "ActionNotSupported")


# --- who may, and what is not SOAP -----------------------------------------------------------------------------------


async def test_who_is_not_logged_in_gets_a_fault_and_the_challenges(rig: Rig) -> None:
    """Also who sends the password digest of WS-Security only: it cannot be checked, since no password is kept."""
    token = (
        f'<w:Security xmlns:w="{names.WSSE}"><w:UsernameToken><w:Username>root</w:Username>'
        '<w:Password Type="PasswordDigest">eA==</w:Password></w:UsernameToken></w:Security>'
    )
    for header in ("", token):
        answer = await rig.soap("<aev:GetEventInstances/>", user=None, header=header)
        assert (answer.status, answer.fault) == (401, "NotAuthorized")
        assert "Digest" in " ".join(answer.reply.headers.getall("WWW-Authenticate"))
        assert answer.reply.headers["Content-Type"] == envelope.content_type(names.SOAP12)


async def test_roles(rig: Rig) -> None:
    assert (await rig.soap("<aev:GetEventInstances/>", user="view")).status == 200
    answer = await rig.soap("<aa:GetActionRules/>", user="view")
    assert (answer.status, answer.fault) == (403, "NotAuthorized")


async def test_digest_login(rig: Rig) -> None:
    data = rigs.envelope("<aev:GetEventInstances/>")
    reply = await rig.device.request("POST", "/vapix/services", user="oper", digest=True, secure=False, data=data)
    assert reply.status == 200


async def test_every_attack_gets_a_clean_fault(rig: Rig, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    condition = Condition(topic=PORT, source={"port": "1"})
    rig.add_rule(ToggleIoWhileActive(port="4"), condition)
    before = rig.snapshot()
    for name, data in attacks(str(secret)).items():
        answer = Answer(await rig.post(data))
        assert answer.status in (400, 413), name
        assert answer.body.tag.endswith("}Fault"), name
        assert SECRET not in answer.text, name
        assert len(answer.reply.body) < 4096, name
    assert rig.snapshot() == before


async def test_a_get_is_refused(rig: Rig) -> None:
    reply = await rig.device.request("GET", "/vapix/services", user="oper")
    assert (reply.status, reply.headers["Allow"]) == (405, "POST")
