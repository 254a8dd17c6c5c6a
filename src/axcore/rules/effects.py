"""Which events the action of a rule causes, for the check for loops. A data value ``*`` stands for any.

``action_effects`` knows what stays inside the device. What goes out and may come back (MQTT) is added by whoever knows
the subscriptions: ``mqtt_effects``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from axcore.model import events
from axcore.model.actions import MqttPublish, VirtualInputOnce, VirtualInputWhileActive
from axcore.model.events import NewEvent
from axcore.model.rules import Rule, ToggleIoOnce, ToggleIoWhileActive

from .definition import RuleDef

Effects = Callable[[RuleDef], Iterable[NewEvent]]
"""The events that the action of a rule causes."""


def port_effects(rule: RuleDef) -> Iterable[NewEvent]:
    """The events of the actions that toggle a port."""
    action = rule.rule.action if isinstance(rule.rule, Rule) else None
    if isinstance(action, ToggleIoOnce | ToggleIoWhileActive):
        state = {"state": "*"}
        yield NewEvent(topic=events.IO_OUTPUT_PORT, source={"port": action.port}, data=state, is_property=True)
        relay = {"LogicalState": "*"}
        yield NewEvent(topic=events.RELAY, source={"RelayToken": action.port}, data=relay, is_property=True)


def virtual_input_effects(rule: RuleDef) -> Iterable[NewEvent]:
    """The events of the actions that set a virtual input."""
    action = rule.rule.action if isinstance(rule.rule, Rule) else None
    if isinstance(action, VirtualInputOnce | VirtualInputWhileActive):
        source, data = {"port": str(action.input)}, {"active": "*"}
        yield NewEvent(topic=events.IO_VIRTUAL_INPUT, source=source, data=data, is_property=True)


def action_effects(rule: RuleDef) -> Iterable[NewEvent]:
    """Everything that an action causes inside the device."""
    yield from port_effects(rule)
    yield from virtual_input_effects(rule)


def mqtt_effects(
    subscriptions: Callable[[], Iterable[tuple[str, NewEvent]]], prefix: Callable[[], str] = str
) -> Effects:
    """Effects of *Send MQTT publish message*, where the device hears its own messages.

    ``subscriptions`` gives topic filters and the event that a message to each of them becomes; ``prefix`` the device
    topic prefix, without the slash behind it.
    """

    def effects(rule: RuleDef) -> Iterable[NewEvent]:
        action = rule.rule.action if isinstance(rule.rule, Rule) else None
        if isinstance(action, MqttPublish):
            topic = f"{prefix()}/{action.topic}" if action.device_prefix and prefix() else action.topic
            for wanted, event in subscriptions():
                if mqtt_covers(wanted, topic):
                    yield event

    return effects


def mqtt_covers(wanted: str, topic: str) -> bool:
    """Whether a message to ``topic`` reaches a subscription to ``wanted`` (MQTT 3.1.1, 4.7; MQTT 5, 4.8.2)."""
    if wanted.startswith("$share/"):
        wanted = wanted.split("/", 2)[-1]
    filters, levels = wanted.split("/"), topic.split("/")
    if topic.startswith("$") and filters[0] in {"+", "#"}:
        return False
    for number, level in enumerate(filters):
        if level == "#":
            return True
        if number >= len(levels) or level not in {"+", levels[number]}:
            return False
    return len(filters) == len(levels)
