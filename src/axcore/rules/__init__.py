"""Rules, complete and usable without the runtime: when conditions hold, something is to be done.

    >>> from axcore.model.events import NewEvent
    >>> from axcore.rules import Kind, Matcher, RuleDef, Test, parse_filter
    >>> port = parse_filter("onvif:Device/axis:IO/Port", 'boolean(//SimpleItem[@Name="state" and @Value="1"])')
    >>> matcher = Matcher([RuleDef("1", (Test(port),), lasting=True)])
    >>> event = NewEvent(topic="tns1:Device/tnsaxis:IO/Port", data={"state": "1"}, is_property=True)
    >>> [(step.what, step.rule.id) for step in matcher.feed(event, now=1_000)]
    [('start', '1')]

Nothing here reads a clock or does anything: times are arguments (ns, monotonic), what is to be done is the result.
Schedules are in ``axcore.rules.schedule``.
"""

from .check import RuleWarning, check
from .definition import Kind, Kinds, RuleDef, Test, asked_by, check_conditions, define, filter_of, lasts
from .effects import Effects, action_effects, mqtt_covers, mqtt_effects, port_effects
from .explain import ConditionState, Explanation, describe, explain
from .filters import Filter, FilterError, Topic, canonical
from .matcher import Matcher, Snapshot, Step
from .parser import check_content_dialect, parse_filter
from .simulate import SCHEDULED, Fired, Recorded, replay, simulate

__all__ = [
    "SCHEDULED",
    "ConditionState",
    "Effects",
    "Explanation",
    "Filter",
    "FilterError",
    "Fired",
    "Kind",
    "Kinds",
    "Matcher",
    "Recorded",
    "RuleDef",
    "RuleWarning",
    "Snapshot",
    "Step",
    "Test",
    "Topic",
    "action_effects",
    "asked_by",
    "canonical",
    "check",
    "check_conditions",
    "check_content_dialect",
    "define",
    "describe",
    "explain",
    "filter_of",
    "lasts",
    "mqtt_covers",
    "mqtt_effects",
    "parse_filter",
    "port_effects",
    "replay",
    "simulate",
]
