"""Pull points: initial states, changes, filters, ends on the virtual clock, bounds, and one address each."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from axis.models.event import Event as AxisEvent

from axcore.interfaces.soap.subscriptions import MAX_PULL_POINTS, MAX_QUEUE
from axcore.interfaces.streams.notification import NAMESPACES, notification_xml
from axcore.model.accounts import Role
from axcore.model.events import Event
from tests.unit.interfaces.soap.rig import PORT, RFID, VIRTUAL, Answer, Rig, filter_xml, item


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as rig:
        yield rig


async def create(rig: Rig, asked: str = "", end: str = "PT60S", user: str = "oper") -> Answer:
    given = f"<tev:Filter>{asked}</tev:Filter>" if asked else ""
    term = f"<tev:InitialTerminationTime>{end}</tev:InitialTerminationTime>" if end else ""
    return await rig.soap(
        f"<tev:CreatePullPointSubscription>{given}{term}</tev:CreatePullPointSubscription>", user=user
    )


def path_of(created: Answer) -> str:
    return urlsplit(created.one("SubscriptionReference/Address")).path


async def pull(rig: Rig, path: str, limit: int = 100, timeout: str = "PT0S", **options: str) -> Answer:  # noqa: ASYNC109
    body = (
        f"<tev:PullMessages><tev:Timeout>{timeout}</tev:Timeout><tev:MessageLimit>{limit}</tev:MessageLimit>"
        "</tev:PullMessages>"
    )
    return await rig.soap(body, path=path, **options)


async def until(condition: Callable[[], bool]) -> None:
    """Turn the loop until something holds; the test's own time limit is the only one."""
    for _ in itertools.count():
        if condition():
            return
        await asyncio.sleep(0)


def messages(answer: Answer) -> list[tuple[str, str, dict[str, str], dict[str, str]]]:
    """(topic, operation, source, data) of each."""
    found = []
    for message in answer.body.findall("{*}NotificationMessage"):
        inner = message.find("{*}Message/{*}Message")
        assert inner is not None

        def items(part: str, inner: object = inner) -> dict[str, str]:
            return {i.attrib["Name"]: i.attrib["Value"] for i in inner.findall(f"{{*}}{part}/{{*}}SimpleItem")}  # type: ignore[attr-defined]

        topic = message.findtext("{*}Topic") or ""
        found.append((topic, inner.attrib.get("PropertyOperation", ""), items("Source"), items("Data")))
    return found


async def test_states_first_then_what_changes(rig: Rig) -> None:
    path = path_of(await create(rig, filter_xml(f"{VIRTUAL}|{RFID}")))
    first = messages(await pull(rig, path))
    assert len(first) == MODEL_VIRTUAL_INPUTS
    assert {(topic, operation) for topic, operation, _, _ in first} == {(VIRTUAL, "Initialized")}
    assert messages(await pull(rig, path)) == []
    rig.ledger.do(lambda tx: rig.ports.set_virtual_input(tx, 3, True))
    rig.publish(RFID, {"card": "1"}, reader="0")
    assert messages(await pull(rig, path)) == [
        (VIRTUAL, "Changed", {"port": "3"}, {"active": "1"}),
        (RFID, "", {"reader": "0"}, {"card": "1"}),
    ]


MODEL_VIRTUAL_INPUTS = 64


async def test_the_message_limit_is_kept_and_nothing_is_lost(rig: Rig) -> None:
    path = path_of(await create(rig, filter_xml(VIRTUAL)))
    sizes = [len(messages(await pull(rig, path, 30))) for _ in range(4)]
    assert sizes == [30, 30, 4, 0]


async def test_a_content_filter_counts(rig: Rig) -> None:
    path = path_of(await create(rig, filter_xml(VIRTUAL, item("port", "5"))))
    assert [source for _, _, source, _ in messages(await pull(rig, path))] == [{"port": "5"}]
    for port in (4, 5):
        rig.ledger.do(lambda tx, port=port: rig.ports.set_virtual_input(tx, port, True))
    assert [source for _, _, source, _ in messages(await pull(rig, path))] == [{"port": "5"}]


async def test_a_pull_waits_for_the_first_message(rig: Rig) -> None:
    path = path_of(await create(rig, filter_xml(RFID)))
    waiting = asyncio.ensure_future(pull(rig, path, timeout="PT60S"))
    await until(lambda: any(point._waiting for point in rig.ctx.pull_points._points.values()))
    rig.publish(PORT, {"state": "1"}, state=True, port="0")
    rig.publish(RFID, {"card": "1"})
    assert len(messages(await waiting)) == 1


async def test_a_second_pull_ends_the_first_and_loses_nothing(rig: Rig) -> None:
    path = path_of(await create(rig, filter_xml(RFID)))
    (point,) = rig.ctx.pull_points._points.values()
    first = asyncio.ensure_future(pull(rig, path, timeout="PT60S"))
    await until(lambda: point._waiting is not None)
    before = point._waiting
    second = asyncio.ensure_future(pull(rig, path, timeout="PT60S"))
    assert messages(await first) == []
    await until(lambda: point._waiting not in (None, before))
    rig.publish(RFID, {"card": "1"})
    assert len(messages(await second)) == 1


async def test_stopping_the_server_ends_a_waiting_pull(rig: Rig) -> None:
    path = path_of(await create(rig, filter_xml(RFID)))
    waiting = asyncio.ensure_future(pull(rig, path, timeout="PT60S"))
    await until(lambda: any(point._waiting for point in rig.ctx.pull_points._points.values()))
    for stream in tuple(rig.ctx.streams):
        stream.close()
    assert messages(await waiting) == []
    assert (await pull(rig, path)).fault == "ResourceUnknownFault"


async def test_it_ends_when_its_time_is_over(rig: Rig) -> None:
    path = path_of(await create(rig, filter_xml(RFID), "PT30S"))
    rig.ledger.advance(29)
    assert (await pull(rig, path)).status == 200  # and lives 30 s more
    rig.ledger.advance(29)
    assert (await pull(rig, path)).status == 200
    rig.ledger.advance(30)
    gone = await pull(rig, path)
    assert (gone.status, gone.fault) == (400, "ResourceUnknownFault")
    assert not rig.ctx.streams
    assert len(rig.ctx.pull_points) == 0


async def test_renew_and_unsubscribe(rig: Rig) -> None:
    created = await create(rig, filter_xml(RFID), "PT10S")
    path = path_of(created)
    assert created.one("CurrentTime") == "2026-03-01T12:00:00.000000Z"
    assert created.one("TerminationTime") == "2026-03-01T12:00:10.000000Z"

    async def renew(time: str) -> Answer:
        return await rig.soap(
            f"<wsnt:Renew><wsnt:TerminationTime>{time}</wsnt:TerminationTime></wsnt:Renew>", path=path
        )

    assert (await renew("PT5M")).one("TerminationTime") == "2026-03-01T12:05:00.000000Z"
    assert (await renew("2026-03-01T13:30:00Z")).one("TerminationTime") == "2026-03-01T13:30:00.000000Z"
    assert (await renew("2026-03-01T13:30:00")).one("TerminationTime") == "2026-03-01T13:30:00.000000Z"
    assert (await renew("P9999D")).one("TerminationTime") == "2026-03-02T12:00:00.000000Z"
    for bad in ("2026-03-01T11:00:00Z", "PT0S", "soon", "-PT5S", "P", "PT", "PT1e9S", "P1Y"):
        refused = await renew(bad)
        assert refused.fault == "UnacceptableTerminationTimeFault", bad
    assert (await rig.soap("<wsnt:Unsubscribe/>", path=path)).status == 200
    assert (await rig.soap("<wsnt:Unsubscribe/>", path=path)).fault == "ResourceUnknownFault"
    assert not rig.ctx.streams


async def test_a_wall_clock_step_ends_nothing(rig: Rig) -> None:
    path = path_of(await create(rig, filter_xml(RFID), "PT30S"))
    rig.device.clock.step(86_400 * 365)
    assert (await pull(rig, path)).status == 200


async def test_a_synchronization_point_tells_the_states_again(rig: Rig) -> None:
    path = path_of(await create(rig, filter_xml(VIRTUAL, item("port", "1"))))
    await pull(rig, path)
    rig.ledger.do(lambda tx: rig.ports.set_virtual_input(tx, 1, True))
    assert (await rig.soap("<tev:SetSynchronizationPoint/>", path=path)).status == 200
    assert messages(await pull(rig, path)) == [(VIRTUAL, "Initialized", {"port": "1"}, {"active": "1"})]
    assert messages(await pull(rig, path)) == []


async def test_three_ways_to_say_which_subscription(rig: Rig) -> None:
    created = await create(rig, filter_xml(VIRTUAL, item("port", "1")))
    key = created.one("SubscriptionReference/ReferenceParameters/SubscriptionId")
    address = created.one("SubscriptionReference/Address")
    assert address == f"{rig.device.https}/vapix/services/pullpoint/{key}"
    plain = "/vapix/services"
    by_header = await pull(rig, plain, 1, header=f"<dom0:SubscriptionId>{key}</dom0:SubscriptionId>")
    assert len(messages(by_header)) == 1
    for path in (plain, "/onvif/event_service"):
        assert (await pull(rig, path, header=f"<wsa:To>{address}</wsa:To>")).status == 200
        assert (await pull(rig, path)).fault == "ResourceUnknownFault"


async def test_a_subscription_belongs_to_its_account(rig: Rig) -> None:
    path = path_of(await create(rig, user="root"))
    assert (await pull(rig, path, user="oper")).fault == "ResourceUnknownFault"
    assert (await pull(rig, path, user="root")).status == 200


async def test_there_is_a_most(rig: Rig) -> None:
    for _ in range(MAX_PULL_POINTS):
        assert (await create(rig, filter_xml(RFID), "PT60S")).status == 200
    refused = await create(rig)
    assert (refused.status, refused.fault) == (400, "UnableToCreatePullPointFault")
    assert len(rig.ctx.streams) == MAX_PULL_POINTS
    rig.ledger.advance(60)
    assert (await create(rig)).status == 200


async def test_what_does_not_fit_is_dropped_and_counted(rig: Rig) -> None:
    path = path_of(await create(rig, filter_xml(RFID)))
    for _ in range(MAX_QUEUE + 7):
        rig.publish(RFID, {"card": "1"})
    answer = await pull(rig, path, 1)
    assert answer.body.attrib["{urn:axcore:rules}Dropped"] == "7"
    assert "{urn:axcore:rules}Dropped" not in (await pull(rig, path, 1)).body.attrib


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        (filter_xml("tns1:Device//", ""), "InvalidTopicExpressionFault"),
        (filter_xml("x:Device"), "InvalidTopicExpressionFault"),
        (filter_xml("", "boolean(//Foo)"), "InvalidMessageContentExpressionFault"),
        (
            "<wsnt:TopicExpression Dialect='urn:x'>tns1:Device</wsnt:TopicExpression>",
            "TopicExpressionDialectUnknownFault",
        ),
        ("<wsnt:MessageContent Dialect='urn:x'>a</wsnt:MessageContent>", "InvalidMessageContentExpressionFault"),
        ("<wsnt:ProducerProperties>x</wsnt:ProducerProperties>", "InvalidFilterFault"),
    ],
)
async def test_bad_filters(rig: Rig, asked: str, fault: str) -> None:
    refused = await create(rig, asked)
    assert (refused.status, refused.fault) == (400, fault)
    assert refused.all("Detail/*/Timestamp") == ["2026-03-01T12:00:00.000000Z"]
    assert not rig.ctx.streams


@pytest.mark.parametrize("end", ["PT0S", "2020-01-01T00:00:00Z", "never"])
async def test_bad_ends(rig: Rig, end: str) -> None:
    assert (await create(rig, "", end)).fault == "UnacceptableInitialTerminationTimeFault"


@pytest.mark.parametrize(("timeout", "limit"), [("x", "1"), ("PT1S", "0"), ("PT1S", "-1"), ("PT1S", "9" * 20)])
async def test_bad_pulls(rig: Rig, timeout: str, limit: str) -> None:  # noqa: ASYNC109
    path = path_of(await create(rig))
    refused = await pull(rig, path, limit, timeout)  # type: ignore[arg-type]
    assert refused.fault == "InvalidArgVal"


async def test_properties_and_capabilities(rig: Rig) -> None:
    properties = await rig.soap("<tev:GetEventProperties/>", user="view", path="/onvif/event_service")
    described = properties.body.find("{*}TopicSet/{*}Device/{*}IO/Port/{*}MessageDescription")
    assert described is not None
    assert described.attrib == {"IsProperty": "true"}
    names = [found.attrib["Name"] for found in described.iter() if "Name" in found.attrib]
    assert names == ["port", "state"]
    dialects = properties.all("TopicExpressionDialect")
    assert [dialect.rpartition("/")[2] for dialect in dialects] == ["Concrete", "ConcreteSet"]
    capabilities = await rig.soap("<tev:GetServiceCapabilities/>", user="view")
    found = capabilities.body.find("{*}Capabilities")
    assert found is not None
    assert (found.attrib["WSPullPointSupport"], found.attrib["MaxPullPoints"]) == ("true", str(MAX_PULL_POINTS))


async def test_a_viewer_may_not_follow_events(rig: Rig) -> None:
    assert (await create(rig, user="view")).status == 403
    assert rig.device.accounts.get("view").role is Role.VIEWER


# --- the message ---------------------------------------------------------------------------------------------------

EVENT = Event(
    id=1, time="2026-03-01T12:00:00.000000Z", topic=PORT, source={"port": "0"}, data={"state": "1"}, is_property=True
)


def test_the_message_is_one_that_home_assistant_reads() -> None:
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    inner = notification_xml(EVENT, "Initialized")
    document = f"<tt:MetadataStream {spaces}><tt:Event>{inner}</tt:Event></tt:MetadataStream>"
    event = AxisEvent.decode(document.encode())
    assert (event.topic, event.id, event.state, event.operation.value) == (PORT, "0", "1", "Initialized")


def test_values_are_escaped() -> None:
    odd = Event(id=1, time="t", topic="a<b", source={"<": '"'}, data={}, is_property=False)
    text = notification_xml(odd, "")
    assert "PropertyOperation" not in text
    assert '<tt:SimpleItem Name="&lt;" Value="&quot;"/>' in text
    assert "a&lt;b" in text
    assert "xmlns" not in text
