"""The event logger and the heartbeat over JSON and SOAP."""

from __future__ import annotations

from typing import Any

import pytest

from axcore.model.events import NewEvent
from tests.unit.interfaces.pacs.rig import Controller

PATH = "/vapix/eventlogger"
AXLOG = "{http://www.axis.com/vapix/ws/EventLogger}"


def publish(device: Controller, topic: str, seconds: float = 1.0, **data: str) -> int:
    event = NewEvent(topic=topic, source={"DoorToken": "door"}, data=data, is_property=True)
    number = device.ledger.do(lambda tx: tx.publish(event)).id
    device.ledger.virtual_clock.advance(seconds)
    return int(number)


async def rows(device: Controller, method: str = "axlog:FetchEvents", **given: Any) -> list[int]:
    answer = await device.json(method, given, PATH)
    return [event["rowid"] for event in answer.get("Event", answer.get("Alarm"))]


MODE, OPEN = "tns1:Door/State/DoorMode", "tns1:Door/State/DoorPhysicalState"


async def test_an_event_has_its_parts_as_keys(device: Controller) -> None:
    number = publish(device, MODE, State="Locked")
    answer = await device.json("axlog:FetchEvents", {"Filters": [{"Key": "State", "Value": "Locked"}]}, PATH)
    (event,) = answer["Event"]
    assert answer["More"] is False
    assert (event["rowid"], event["UtcTime"]) == (number, "2026-03-01T12:00:00.000000Z")
    assert event["UUID"].endswith(device.http.system.serial.lower())
    assert {entry["Key"]: (entry["Value"], entry["Tags"]) for entry in event["KeyValues"]} == {
        "State": ("Locked", ["property-state", "onvif-data"]),
        "DoorToken": ("door", ["wstype:pt:ReferenceToken", "onvif-source"]),
        "topic0": ("Door", []), "topic1": ("State", []), "topic2": ("DoorMode", []),
    }  # fmt: skip
    assert "HumanReadableTime" not in event


async def test_filters_are_and_and_sets_are_or(device: Controller) -> None:
    locked = publish(device, MODE, State="Locked")
    opened = publish(device, OPEN, State="Open")
    unlocked = publish(device, MODE, State="Unlocked")
    mode, state = {"Key": "topic2", "Value": "DoorMode"}, {"Key": "State"}
    assert await rows(device, Filters=[mode, state]) == [locked, unlocked]
    assert await rows(device, Filters=[mode, {"Key": "State", "Value": "Locked"}]) == [locked]
    assert await rows(device, Filters=[{"Key": "State", "Value": "locked"}]) == []
    sets = [{"Filters": [{"Key": "topic2", "Value": "DoorPhysicalState"}]}, {"Filters": [mode, {"Key": "State", "Value": "Unlocked"}]}]  # fmt: skip  # noqa: E501
    assert await rows(device, "axlog:FetchEvents2", FilterSets=sets) == [opened, unlocked]
    assert await rows(device, "FetchEvents3", FilterSets=sets, Descending=True) == [unlocked, opened]
    both = {"FilterSets": sets, "Filters": [{"Key": "State", "Value": "Open"}]}
    assert await rows(device, "axlog:FetchEvents2", **both) == [opened]


async def test_times_limit_the_interval(device: Controller) -> None:
    numbers = [publish(device, MODE, 60, State=str(n)) for n in range(4)]
    door = [{"Key": "topic0", "Value": "Door"}]
    assert await rows(device, Filters=door, Start="2026-03-01T12:01:00", Stop="2026-03-01T12:02:00Z") == numbers[1:3]
    assert await rows(device, Filters=door, Start="2026-03-01T13:02:00+01:00") == numbers[2:]
    device.ledger.do(lambda tx: tx.put("param", "Time.TimeZone", b"Asia/Tokyo"))
    device.ledger.load(device.pacs.load)
    sets = [{"Start": "2026-03-01T21:03:00", "Filters": door}]
    given = {"FilterSets": sets, "ConvertFilterTimeFromLocal": True, "IncludeHumanReadableTime": True}
    answer = await device.json("axlog:FetchEvents3", given, PATH)
    assert [(event["rowid"], event["HumanReadableTime"]) for event in answer["Event"]] == [
        (numbers[3], "2026-03-01 21:03:00")
    ]
    for name in ("Start", "Stop"):
        fault = await device.fault("axlog:FetchEvents", {name: "yesterday"}, PATH)
        assert (fault["FaultCode"], fault["FaultSubCode"]) == ("ter:InvalidArgVal", f"ter:Invalid{name}Time")
        assert fault["FaultMsg"].startswith(f"{name}:")


@pytest.mark.parametrize("descending", [False, True])
async def test_pages_go_on_after_the_last_row(device: Controller, descending: bool) -> None:
    numbers = [publish(device, MODE, 0, State=str(n)) for n in range(25)]
    given: dict[str, Any] = {"Filters": [{"Key": "topic0", "Value": "Door"}], "Limit": 10, "Descending": descending}
    found: list[int] = []
    for more in (True, True, False):
        answer = await device.json("axlog:FetchEvents", given, PATH)
        assert answer["More"] is more
        found += [event["rowid"] for event in answer["Event"]]
        given["RowID"] = found[-1]
    assert found == sorted(numbers, reverse=descending)


async def test_at_most_a_thousand_at_once_and_thirty_thousand_in_all(device: Controller) -> None:
    def job(tx: Any) -> None:
        for n in range(2_500):
            tx.publish(NewEvent(topic=MODE, data={"State": str(n)}))

    device.ledger.do(job)
    answer = await device.json("axlog:FetchEvents", {"Limit": 5_000, "Descending": True}, PATH)
    assert (len(answer["Event"]), answer["More"]) == (1_000, True)
    from axcore.runtime.ledger import LOG_LIMIT

    assert LOG_LIMIT == 30_000


async def test_ignore_filters_hide_what_comes_after_and_alarms_win(device: Controller) -> None:
    before = publish(device, MODE, State="Locked")
    pair = {"KeyValues": [{"Key": "topic2", "Value": "DoorMode"}], "UUIDs": []}
    token = (await device.json("axloc:SetIgnoreFilter", {"Filter": [pair]}, PATH))["Token"][0]
    hidden = publish(device, MODE, State="Unlocked")
    door = [{"Key": "topic0", "Value": "Door"}]
    assert await rows(device, Filters=door) == [before]
    listed = await device.json("axloc:GetIgnoreFilterList", {}, PATH)
    assert listed == {"Filter": [{"token": token, **pair}]}
    alarm = {"KeyValues": [{"Key": "State", "Value": "Unlocked"}]}
    await device.json("axloc:SetAlarmFilter", {"Filter": [alarm]}, PATH)
    assert await rows(device, Filters=door) == [before, hidden]
    await device.json("axloc:RemoveIgnoreFilter", {"Token": [token]}, PATH)
    assert await rows(device, Filters=door) == [before, hidden]
    fault = await device.fault("axloc:SetAlarmFilter", {"Filter": [alarm, {"KeyValues": []}]}, PATH)
    assert fault["FaultMsg"].startswith("Filter[1].KeyValues:")
    assert len((await device.json("axloc:GetAlarmFilterList", {}, PATH))["Filter"]) == 1


async def test_alarms_are_kept_told_and_acknowledged(device: Controller) -> None:
    alarm = {"KeyValues": [{"Key": "State", "Value": "DoorForcedOpen"}]}
    await device.json("axloc:SetAlarmFilter", {"Filter": [alarm]}, PATH)
    publish(device, "tns1:Door/State/DoorAlarm", State="Normal")
    number = publish(device, "tns1:Door/State/DoorAlarm", State="DoorForcedOpen")
    answer = await device.json("axlog:FetchAlarms", {}, PATH)
    assert [entry["rowid"] for entry in answer["Alarm"]] == [number]
    told = [event for event in device.ledger.events if event.topic == "tnsaxis:EventLogger/Alarm"]
    assert [event.data for event in told] == [{"RowID": str(number)}]
    token = answer["Alarm"][0]["token"]
    fault = await device.fault("axlog:RemoveLoggedAlarm", {"Token": [token, "Axis-1:2.3"]}, PATH)
    assert fault["FaultSubCode"] == "ter:NotFound"
    assert await rows(device, "axlog:FetchAlarms") == [number]
    await device.json("axlog:RemoveLoggedAlarm", {"Token": [token]}, PATH)
    assert await rows(device, "axlog:FetchAlarms") == []
    assert number in await rows(device, Filters=[{"Key": "topic2", "Value": "DoorAlarm"}])


async def test_two_hundred_alarms_are_kept(device: Controller) -> None:
    await device.json("axloc:SetAlarmFilter", {"Filter": [{"KeyValues": [{"Key": "State"}]}]}, PATH)
    numbers = [publish(device, MODE, 0, State=str(n)) for n in range(203)]
    assert await rows(device, "axlog:FetchAlarms2") == numbers[3:]
    device.ledger.load(device.pacs.load)
    assert await rows(device, "axlog:FetchAlarms2", Limit=2, Descending=True) == numbers[:-3:-1]
    assert len(device.ledger.store.records()["pacs.alarm"]) == 200


async def test_events_as_soap(device: Controller) -> None:
    number = publish(device, MODE, State="Locked")
    answer = await device.soap(
        "<axlog:FetchEvents><Filters><Key>topic0</Key><Value>Door</Value></Filters><Limit>2</Limit></axlog:FetchEvents>"
    )
    event, more = answer
    assert more.text == "false"
    assert event.findtext(f"{AXLOG}rowid") == str(number)
    assert event.get("token", "").startswith("Axis-")
    assert len(event.findall(f"{AXLOG}KeyValues")) == 5


async def test_a_heartbeat_that_does_not_come_is_told_and_begins_a_new_session(device: Controller) -> None:
    path = "/vapix/axhbt"
    first = await device.json("axhbt:Heartbeat", {"Duration": 10_000}, path)
    device.ledger.advance(5)
    assert await device.json("axhbt:Heartbeat", {"Duration": 10_000}, path) == first
    device.ledger.advance(9.9)
    assert await device.json("axhbt:Heartbeat", {"Duration": 1_000}, path) == first
    device.ledger.advance(1.1)
    lost = [e.data["lost"] for e in device.ledger.events if e.topic == "tns1:Device/tnsaxis:Monitor/Heartbeat"]
    assert lost == ["0", "1"]
    assert await device.json("axhbt:Heartbeat", {"Duration": 1_000}, path) != first
    fault = await device.fault("axhbt:Heartbeat", {"Duration": 0}, path)
    assert fault["FaultMsg"].startswith("Duration")
    assert (await device.fault("axhbt:Heartbeat", {"Duration": "10"}, path))["FaultCode"] == "ter:InvalidArgs"


async def test_events_stay_on_this_device(device: Controller) -> None:
    config = await device.json("axloc:GetEventDistributionConfig", {}, PATH)
    assert config == {"EventDistributionConfig": [{"GlobalDistributionEnabled": False}]}
    assert (await device.fault("axloc:EnableGlobalDistribution", {}, PATH))["FaultSubCode"] == "ter:NotSupported"
    assert await device.json("axloc:DisableGlobalDistribution", {}, PATH) == {}
