"""REST: schedules, and advice about rules; the manual trigger's CGI."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stubs import Device, FakeRequest

from axcore.errors import InputError
from axcore.interfaces.http.rest import rule_advice, rules, schedules
from axcore.interfaces.http.vapix.manualtrigger import Switch, manual_trigger_cgi, parse_action
from axcore.model import events
from axcore.model.accounts import Role
from axcore.model.events import NewEvent

BY_NAME = {route.name: route for route in (*rules.ROUTES, *schedules.ROUTES, *rule_advice.ROUTES)}
MORNING = {"name": "Mornings", "icalendar": "DTSTART:20260101T080000 DTEND:20260101T120000 RRULE:FREQ=DAILY"}
DOOR = {"type": "toggle_io_once", "port": "Door", "state": True, "duration": 7}
RULE = {"name": "Open door", "conditions": [{"topic": events.ENTRY_GRANTED}], "action": DOOR}


@pytest.fixture
def device() -> Device:
    return Device()


async def ask(device: Device, name: str, data: Any = None, query: str = "", **path: str) -> tuple[int, Any]:
    raw = b"" if data is None else msgspec.json.encode({"data": data})
    response = await BY_NAME[name].handler(FakeRequest(query, body=raw, **path), device)  # type: ignore[arg-type]
    reply = msgspec.json.decode(response.body)  # type: ignore[attr-defined]
    assert reply["status"] == ("success" if response.status < 300 else "error")
    return response.status, reply.get("data") if response.status < 300 else reply["error"]


# --- schedules


async def test_life_of_a_schedule(device: Device) -> None:
    status, made = await ask(device, "schedules.add", MORNING)
    view = {**MORNING, "exception": "", "id": "1", "kind": "interval", "active": False}
    assert (status, made) == (201, view)
    assert await ask(device, "schedules.get", id="1") == (200, view)
    everything = (await ask(device, "schedules.list"))[1]
    assert [one["id"] for one in everything] == ["standard_always", "standard_office_hours", "standard_weekends", "1"]
    assert [one["active"] for one in everything] == [True, False, True, False]
    patch = {"icalendar": "DTSTART:20260101T080000 DTEND:20260101T130000 RRULE:FREQ=DAILY"}
    assert (await ask(device, "schedules.update", patch, id="1"))[1]["active"] is True
    assert await ask(device, "schedules.remove", id="1") == (200, None)
    assert (await ask(device, "schedules.get", id="1"))[0] == 404
    users = {event.data.get("user") for event in device.store.events if event.data.get("kind") == "schedule"}
    assert users == {"user"}


async def test_edges_are_shown_in_local_and_in_utc_time(device: Device) -> None:
    await ask(device, "schedules.add", MORNING)
    device.ledger.do(lambda tx: device.params.update(tx, {"Time.TimeZone": "Europe/Stockholm"}))
    query = "from=2026-03-28T10:00:00Z&count=3"
    assert (await ask(device, "schedules.edges", query=query, id="1"))[1] == [
        {"utc": "2026-03-28T11:00:00Z", "local": "2026-03-28T12:00:00+01:00", "active": False},
        {"utc": "2026-03-29T06:00:00Z", "local": "2026-03-29T08:00:00+02:00", "active": True},
        {"utc": "2026-03-29T10:00:00Z", "local": "2026-03-29T12:00:00+02:00", "active": False},
    ]
    assert len((await ask(device, "schedules.edges", id="1"))[1]) == 10
    assert await ask(device, "schedules.edges", id="standard_always") == (200, [])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("count=0", "count"), ("count=201", "count"), ("count=x", "count"), ("from=now", "from"),
        ("from=2026-03-28T10:00:00", "from"), ("from=9999-12-31T10:00:00Z", "from"), ("to=1", "to"),
        ("from=1960-01-01T00:00:00Z", "from"),
    ],
)  # fmt: skip
async def test_bad_questions_name_the_argument(device: Device, query: str, field: str) -> None:
    status, error = await ask(device, "schedules.edges", query=query, id="standard_weekends")
    assert (status, error["field"]) == (400, field)


@pytest.mark.parametrize(
    ("name", "data", "path", "refusal"),
    [
        ("schedules.add", {**MORNING, "icalendar": "DTSTART:1"}, {}, (400, "icalendar")),
        ("schedules.add", {**MORNING, "name": "weekends"}, {}, (409, "name")),
        ("schedules.add", {**MORNING, "id": "7"}, {}, (400, "id")),
        ("schedules.update", {"kind": "pulse"}, {"id": "standard_weekends"}, (400, "kind")),
        ("schedules.update", {"id": "7"}, {"id": "standard_weekends"}, (400, "id")),
        ("schedules.update", {"name": "x"}, {"id": "standard_always"}, (409, "id")),
        ("schedules.update", {"name": "x"}, {"id": "7"}, (404, "id")),
        ("schedules.remove", None, {"id": "standard_weekends"}, (409, "id")),
        ("schedules.remove", None, {"id": "7"}, (404, "id")),
        ("rules.explain", None, {"id": "7"}, (404, "id")),
        ("rules.simulate", {"after": -1}, {}, (400, "after")),
        ("rules.simulate", {"limit": 0}, {}, (400, "limit")),
        ("rules.simulate", {"limit": 30_001}, {}, (400, "limit")),
        ("rules.simulate", {"rules": [{"name": "r"}]}, {}, (400, "rules[0].conditions")),
        ("rules.simulate", {"rules": [RULE, {**RULE, "name": ""}]}, {}, (400, "rules[1].name")),
        ("rules.simulate", {"rules": [{**RULE, "action": {**DOOR, "port": "x"}}]}, {}, (404, "rules[0].action.port")),
        ("rules.simulate", {"log": [{"topic": "a", "time": "soon"}]}, {}, (400, "log[0].time")),
        ("rules.simulate", {"log": [{"topic": "a", "colour": 1}]}, {}, (400, "log[0].colour")),
    ],
)
async def test_refusals_change_nothing(
    device: Device, name: str, data: Any, path: dict[str, str], refusal: tuple[int, str]
) -> None:
    before = device.snapshot()
    answered, error = await ask(device, name, data, **path)
    assert (answered, error["field"]) == refusal
    assert device.snapshot() == before


TEXT = st.text(st.sampled_from("DTSTARTENRULEFQ:=;,0123456789-+MOWEXAI "), max_size=60)
BEGUN = st.tuples(st.dates(), TEXT).map(lambda two: f"DTSTART:{two[0]:%Y%m%d}T080000 {two[1]}")
SPEC = st.fixed_dictionaries(
    {"name": st.text(max_size=8), "icalendar": TEXT | BEGUN},
    optional={"exception": TEXT | BEGUN, "id": st.text(max_size=3)},
)


@given(SPEC)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_text_makes_a_schedule_fail(data: dict[str, Any]) -> None:
    device = Device()
    before = device.snapshot()
    status, answer = await ask(device, "schedules.add", data)
    assert status in (201, 400, 409)
    if status != 201:
        assert answer["field"]
        assert device.snapshot() == before


# --- advice


async def test_explain_says_what_is_missing(device: Device) -> None:
    condition = {"topic": events.SCHEDULE_INTERVAL, "source": {"id": "standard_office_hours"}}
    hold = {"type": "toggle_io_while_active", "port": "5"}
    await ask(device, "rules.add", {"name": "Hall", "conditions": [condition], "action": hold})
    status, found = await ask(device, "rules.explain", id="1")
    assert (status, found["name"], found["enabled"], found["active"]) == (200, "Hall", True, False)
    assert found["summary"] == "not active: condition 1 does not hold"
    assert found["conditions"][0]["reason"] == "it is not so: id=standard_office_hours, active=0"
    assert found["wait_left"] == 0
    device.ledger.advance(20 * 3600 + 5)
    found = (await ask(device, "rules.explain", id="1"))[1]
    assert (found["active"], found["summary"]) == (True, "active: its action runs")


async def test_explain_says_how_long_the_wait_goes_on(device: Device) -> None:
    await ask(device, "rules.add", {**RULE, "wait": 60})
    device.ledger.do(lambda tx: tx.publish(NewEvent(topic=events.ENTRY_GRANTED, data={"condition": "Access granted"})))
    device.clock.advance(20)
    assert (await ask(device, "rules.explain", id="1"))[1]["wait_left"] == 40


async def test_simulate_the_log_of_the_device(device: Device) -> None:
    await ask(device, "rules.add", {**RULE, "wait": 60})
    await ask(device, "rules.add", {**RULE, "enabled": False})
    grant = NewEvent(topic=events.ENTRY_GRANTED, data={"condition": "Access granted"})
    numbers = []
    for _ in range(3):
        numbers.append(device.ledger.do(lambda tx: tx.publish(grant)).id)
        device.ledger.advance(40)
    told = len(device.lines.told)
    _, found = await ask(device, "rules.simulate", {})
    assert [(one["rule"], one["name"], one["what"], one["event_id"]) for one in found["fired"]] == [
        ("1", "Open door", "fire", numbers[0]), ("1", "Open door", "fire", numbers[2]),
    ]  # fmt: skip
    assert found["fired"][0]["time"] == "2026-03-01T12:00:00.000000Z"
    _, found = await ask(device, "rules.simulate", {"after": numbers[0], "limit": 1})
    assert (found["events"], [one["event_id"] for one in found["fired"]]) == (1, [numbers[1]])
    _, found = await ask(device, "rules.simulate", {"rules": [{**RULE, "name": "What if"}]})
    assert [one["name"] for one in found["fired"]] == ["What if"] * 3
    log = [{"topic": events.ENTRY_GRANTED, "data": {"condition": "Access granted"}, "t_ns": 5}]
    _, found = await ask(device, "rules.simulate", {"log": log})
    assert [(one["t_ns"], one["event"], one["event_id"], one["time"]) for one in found["fired"]] == [(5, 0, None, "")]
    assert len(device.lines.told) == told


async def test_check_tells_of_loops(device: Device) -> None:
    for one, other in ((1, 2), (2, 1)):
        condition = {"topic": events.IO_VIRTUAL_INPUT, "source": {"port": str(one)}}
        action = {"type": "virtual_input_while_active", "input": other}
        await ask(device, "rules.add", {"name": "r", "conditions": [condition], "action": action})
    assert (await ask(device, "rules.check"))[1] == [
        {"kind": "loop", "rules": ["1", "2"], "text": "the rules set each other off: 1 -> 2 -> 1"}
    ]


# --- the manual trigger


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6:/", Switch(True, None)),
        ("6:\\", Switch(False, None)),
        ("6:/5000", Switch(True, 5.0)),
        ("6:/500\\", Switch(True, 0.5)),
    ],
)
def test_actions(text: str, expected: Switch) -> None:
    assert parse_action(text) == expected


@pytest.mark.parametrize(
    "query",
    ["", "action=", "action=6", "action=7:/", "action=6:|", "action=6:/0", "action=6:/86400001", "action=6:/5%5C5",
     "action=6:/&x=1", "action=6:%5C500", "action=:/"],
)  # fmt: skip
async def test_bad_actions_change_nothing(device: Device, query: str) -> None:
    before = device.snapshot()
    with pytest.raises(InputError):
        await manual_trigger_cgi(FakeRequest(query), device)  # type: ignore[arg-type]
    assert device.snapshot() == before


async def test_a_viewer_may_trigger(device: Device) -> None:
    await ask(device, "rules.add", {**RULE, "conditions": [{"topic": events.IO_VIRTUAL_PORT, "trigger": True}]})
    device.ledger.do(device.ports.manual.announce)
    request = FakeRequest("action=6:/2000%5C", role=Role.VIEWER)
    response = await manual_trigger_cgi(request, device)  # type: ignore[arg-type]
    assert (response.status, response.text) == (200, "")
    assert device.lines.told == [("pulse", "relay1", True, 7.0)]
    event = device.store.events[-1]
    assert (event.topic, event.source, event.data) == (events.IO_VIRTUAL_PORT, {"port": "5"}, {"state": "1"})
    device.ledger.advance(2)
    assert device.store.events[-1].data == {"state": "0"}
