"""Schedules and pulses as conditions of rules, and which rules use one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from axcore.model import events
from axcore.model.rules import Condition, Rule
from axcore.model.schedules import Schedule
from axcore.rules import FilterError, canonical, parse_filter
from axcore.services.events.conditions import ConditionType, Item

GROUP = "Scheduled and recurring"
_TOPICS = {events.SCHEDULE_INTERVAL: True, events.SCHEDULE_PULSE: False}


def conditions(schedules: Sequence[Schedule]) -> tuple[ConditionType, ...]:
    """Schedule (an interval: a state) and Pulse, with the ids and names of ``schedules``."""
    return (
        ConditionType(
            topic=events.SCHEDULE_INTERVAL,
            group=GROUP,
            name="Schedule",
            stateful=True,
            source=(_choice("Schedule", [one for one in schedules if one.kind == "interval"]),),
            data=(Item(name="active", nice_name="Active", values=("0", "1")),),
            match={"active": "1"},
        ),
        ConditionType(
            topic=events.SCHEDULE_PULSE,
            group=GROUP,
            name="Pulse",
            stateful=False,
            source=(_choice("Pulse", [one for one in schedules if one.kind == "pulse"]),),
        ),
    )


def rules_using(rules: Iterable[Rule], schedule_id: str) -> list[str]:
    """The rules with a condition that names this schedule, in words."""
    return [f"rule {rule.id} ({rule.name})" for rule in rules if any(_names(c, schedule_id) for c in rule.conditions)]


def _choice(name: str, schedules: Sequence[Schedule]) -> Item:
    ids, names = tuple(one.id for one in schedules), tuple(one.name for one in schedules)
    return Item(name="id", nice_name=name, values=ids, nice_values=names, listed=True)


def _names(condition: Condition, schedule_id: str) -> bool:
    if not condition.content:
        return condition.topic in _TOPICS and condition.source.get("id") == schedule_id
    try:
        asked = parse_filter(condition.topic, condition.content)
    except FilterError:
        return False
    about = any(asked.covers(canonical(topic)) for topic in _TOPICS)
    return about and asked.could({"id": schedule_id}) and not asked.could({"id": ""})
