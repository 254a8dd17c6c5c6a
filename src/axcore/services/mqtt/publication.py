"""Events as MQTT messages: which ones, where to, retained or not, and their JSON (VAPIX MQTT event bridge API)."""

from __future__ import annotations

import msgspec

from axcore.model import events
from axcore.model.events import Event
from axcore.model.mqtt import EventFilter, Message, Publication
from axcore.model.topics import filter_form, plain_form
from axcore.rules import Filter, canonical, parse_filter
from axcore.runtime.clock import parse_rfc3339

RECEIVED = frozenset({events.MQTT_STATELESS, events.MQTT_STATEFUL})
"""Never published: what came by MQTT and went out by MQTT would come again, for ever."""


class Publisher:
    """One configuration of the publication. ``prefix`` is the device topic prefix."""

    def __init__(self, config: Publication, prefix: str, serial: str) -> None:
        self.config = config
        self._serial = serial
        self._base = (prefix if config.topic_prefix == "default" else config.custom_topic_prefix) + "/event"
        self._filters: list[tuple[Filter, EventFilter]] = [
            (parse_filter(each.topic_filter), each) for each in config.event_filter_list
        ]
        self._found: dict[str, EventFilter | None] = {}

    def message(self, event: Event) -> Message | None:
        """The message of an event; None if it is not published. The first filter that matches says how."""
        rule = self._rule(event.topic)
        if rule is None:
            return None
        retain = rule.retain == "all" or (rule.retain == "property" and event.is_property)
        return Message(self._topic(event.topic), self.payload(event), rule.qos, retain)

    def payload(self, event: Event) -> bytes:
        """``{"topic", "timestamp" (ms), "serial"?, "message": {"source", "key", "data"}}``."""
        value: dict[str, object] = {
            "topic": filter_form(event.topic),
            "timestamp": parse_rfc3339(event.time) // 1_000_000,
        }
        if self.config.include_serial_number_in_payload:
            value["serial"] = self._serial
        value["message"] = {"source": event.source, "key": {}, "data": event.data}
        return msgspec.json.encode(value)

    def _topic(self, topic: str) -> str:
        if not self.config.append_event_topic:
            return self._base
        spell = filter_form if self.config.include_topic_namespaces else plain_form
        return f"{self._base}/{spell(topic)}"

    def _rule(self, topic: str) -> EventFilter | None:
        try:
            return self._found[topic]
        except KeyError:
            path = canonical(topic)
            found = None
            if topic not in RECEIVED:
                found = next((rule for question, rule in self._filters if question.covers(path)), None)
            self._found[topic] = found
            return found
