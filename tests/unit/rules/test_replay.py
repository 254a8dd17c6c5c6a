"""Replaying logs as devices keep them, and which events actions cause."""

from __future__ import annotations

import pytest

from axcore.errors import InputError
from axcore.model import events
from axcore.model.actions import MqttPublish, VirtualInputOnce
from axcore.model.events import NewEvent
from axcore.model.rules import Condition, Rule, ToggleIoWhileActive
from axcore.rules import (
    Kind,
    Recorded,
    RuleDef,
    action_effects,
    check,
    define,
    mqtt_covers,
    mqtt_effects,
    replay,
)

KINDS = {
    "pulse": Kind(stateful=False),
    "state": Kind(stateful=True, match={"on": "1"}),
    events.SCHEDULE_INTERVAL: Kind(stateful=True, match={"active": "1"}),
    events.IO_VIRTUAL_INPUT: Kind(stateful=True, match={"active": "1"}),
    "mqtt": Kind(stateful=False),
}
S = 1_000_000_000


def rule(rule_id: str, *conditions: Condition, action: object = None, wait: float = 0) -> Rule:
    action = action or VirtualInputOnce(input=9)
    return Rule(id=rule_id, name="r", conditions=conditions, action=action, wait=wait)  # type: ignore[arg-type]


def pulse(seconds: float, time: str = "") -> Recorded:
    return Recorded(topic="pulse", t_ns=round(seconds * S), time=time)


def state(seconds: float, on: str, time: str = "") -> Recorded:
    return Recorded(topic="state", data={"on": on}, is_property=True, t_ns=round(seconds * S), time=time)


def boot(seconds: float, time: str) -> Recorded:
    data = {"ready": "0"}
    return Recorded(topic=events.SYSTEM_READY, data=data, is_property=True, t_ns=round(seconds * S), time=time)


WAITS = rule("1", Condition(topic="pulse"), wait=60)


def fired(log: list[Recorded], *rules: Rule) -> list[tuple[int | None, str]]:
    return [(one.event, one.what) for one in replay(rules or (WAITS,), log, KINDS)]


def test_waits_are_monotonic_whatever_the_wall_clock_does() -> None:
    log = [pulse(10, "2026-01-01T00:00:00Z"), pulse(40, "2026-01-02T00:00:00Z"), pulse(70, "2025-01-01T00:00:00Z")]
    assert fired(log) == [(0, "fire"), (2, "fire")]
    found = replay([WAITS], log, KINDS)
    assert [one.time[:19] for one in found] == ["2026-01-01T00:00:00", "2025-01-01T00:00:00"]


def test_a_restart_forgets_waits_and_takes_as_long_as_the_wall_clock_says() -> None:
    log = [pulse(1000, "2026-01-01T00:00:00Z"), pulse(5, "2026-01-01T00:00:30Z"), pulse(20, "2026-01-01T00:00:45Z")]
    assert fired(log) == [(0, "fire")]
    log.insert(1, boot(4, "2026-01-01T00:00:29Z"))
    assert fired(log) == [(0, "fire"), (2, "fire")]


def test_states_that_a_start_announces_are_no_triggers_but_satisfy() -> None:
    edge = rule("1", Condition(topic="state", trigger=True))
    level = rule("2", Condition(topic="state"))
    now = "2026-01-01T00:00:00Z"
    log = [state(1, "0", now), state(2, "1", now), boot(1, now), state(1, "0", now), state(1, "1", now)]
    assert [(one.rule, one.event) for one in replay([edge, level], log, KINDS)] == [
        ("1", 1), ("2", 1), ("2", 4),
    ]  # fmt: skip


def test_an_event_that_was_told_late_does_not_turn_time_back() -> None:
    log = [pulse(100), pulse(99), pulse(160)]
    assert fired(log) == [(0, "fire"), (2, "fire")]


def test_without_monotonic_times_the_wall_clock_counts() -> None:
    log = [Recorded(topic="pulse", time=f"2026-01-01T00:0{minute}:00Z") for minute in (0, 1, 0, 2)]
    assert fired(log) == [(0, "fire"), (1, "fire"), (3, "fire")]
    assert replay([WAITS], log, KINDS)[1].time == "2026-01-01T00:01:00.000000Z"


def test_a_wait_that_ends_after_the_log() -> None:
    level = rule("1", Condition(topic="state"), wait=60)
    log = [state(1, "1"), state(2, "0"), state(3, "1")]
    found = replay([level], log, KINDS)
    assert [(one.event, one.t_ns // S) for one in found] == [(0, 1), (None, 61)]


def test_a_schedule_comes_before_the_end_of_a_wait() -> None:
    interval = Condition(topic=events.SCHEDULE_INTERVAL)
    level = rule("1", Condition(topic="state"), interval, wait=60, action=ToggleIoWhileActive(port="4"))

    def edge(seconds: float, active: str) -> Recorded:
        topic, data = events.SCHEDULE_INTERVAL, {"active": active}
        return Recorded(topic=topic, data=data, is_property=True, t_ns=round(seconds * S))

    log = [edge(0.5, "1"), state(1, "1"), state(2, "0"), state(3, "1"), edge(61, "0")]
    assert fired(log, level) == [(1, "start"), (2, "stop")]


def test_nothing_comes_of_nothing() -> None:
    assert fired([]) == []
    with pytest.raises(InputError) as raised:
        fired([pulse(1, "2026-01-01T00:00:00Z"), pulse(2, "noon")])
    assert raised.value.field == "log[1].time"


# --- effects


def test_a_loop_through_a_virtual_input() -> None:
    def pulls(number: str, one: int, other: int) -> Rule:
        condition = Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": str(one)})
        return rule(number, condition, action=VirtualInputOnce(input=other))

    assert [w.rules for w in check([pulls("1", 1, 2), pulls("2", 2, 1), pulls("3", 3, 1)], KINDS)] == [("1", "2")]
    assert check([pulls("1", 1, 2)], KINDS) == ()


def test_a_loop_through_mqtt() -> None:
    def effects(found: RuleDef) -> list[NewEvent]:
        return [*action_effects(found), *mqtt(found)]

    heard = [("house/+/bell", NewEvent(topic="mqtt", source={"subscription": "1"}))]
    mqtt = mqtt_effects(lambda: heard, lambda: "house")
    condition = Condition(topic="mqtt", source={"subscription": "1"})
    own = rule("1", condition, action=MqttPublish(topic="door/bell", device_prefix=True))
    other = rule("2", condition, action=MqttPublish(topic="door/bell"))
    assert [(w.kind, w.rules) for w in check([own, other], KINDS, effects=effects)] == [("loop", ("1",))]
    assert list(mqtt(define(own, KINDS))) == [heard[0][1]]


@pytest.mark.parametrize(
    ("wanted", "topic", "covers"),
    [
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("#", "a", True),
        ("#", "/", True),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("#", "$SYS/a", False),
        ("+/monitor/Clients", "$SYS/monitor/Clients", False),
        ("$SYS/#", "$SYS/a", True),
        ("a/b", "a/b", True),
        ("a/b", "a/B", False),
        ("a/b/c", "a/b", False),
        ("$share/group/a/+", "a/b", True),
    ],
)
def test_topic_filters(wanted: str, topic: str, covers: bool) -> None:
    """MQTT 3.1.1, 4.7.1 to 4.7.3, its own examples."""
    assert mqtt_covers(wanted, topic) is covers
