"""The MQTT service over a ledger: messages become events and fire rules, states are kept, the log is not flooded."""

from __future__ import annotations

from typing import Any

import pytest
from stubs import Device

from axcore.errors import InputError
from axcore.model import events
from axcore.model.actions import MqttPublish
from axcore.model.mqtt import ClientRequest, Message, Server, Subscription, Subscriptions
from axcore.model.rules import Condition, RuleSpec, ToggleIoOnce, ToggleIoWhileActive
from axcore.services.mqtt.incoming import Arrival
from axcore.services.mqtt.service import LOG_BURST

STATE = Subscription(topic_filter="Motion", is_state_data=True)
PULSE = Subscription(topic_filter="ring/+")


@pytest.fixture
def device() -> Device:
    found = Device()
    found.ledger.do(lambda tx: found.mqtt.set_subscriptions(tx, Subscriptions(mqtt_filter_list=(STATE, PULSE))))
    return found


def activate(device: Device) -> None:
    device.ledger.do(lambda tx: device.mqtt.configure(tx, ClientRequest(server=Server(host="h"))))
    device.ledger.do(device.mqtt.activate)


def state(device: Device, payload: str, topic: str = "Motion") -> None:
    device.ledger.do(lambda tx: device.mqtt.on_messages(tx, [Arrival("Motion", True, topic, payload)]))


def pulse(device: Device, payload: str, topic: str = "ring/a") -> None:
    device.ledger.do(lambda tx: device.mqtt.on_messages(tx, [Arrival("ring/+", False, topic, payload)]))


def add_rule(device: Device, condition: Condition, action: Any) -> None:
    device.ledger.do(lambda tx: device.events.add_rule(tx, RuleSpec(name="r", conditions=(condition,), action=action)))


def of(device: Device, topic: str) -> list[dict[str, str]]:
    return [event.data for event in device.ledger.events if event.topic == topic]


def test_a_level_rule_follows_the_payload(device: Device) -> None:
    condition = Condition(topic=events.MQTT_STATEFUL, source={"topicFilter": "Motion"}, data={"payload": "On"})
    add_rule(device, condition, ToggleIoWhileActive(port="Door"))
    for payload in ("On", "On", "Off", "anything"):
        state(device, payload)
    assert device.lines.told == [("hold", "relay1", True, True), ("hold", "relay1", False, True)]
    assert [data["payload"] for data in of(device, events.MQTT_STATEFUL)] == ["On", "Off", "anything"]


def test_an_inverted_condition_waits_for_a_state(device: Device) -> None:
    condition = Condition(
        topic=events.MQTT_STATEFUL, source={"topicFilter": "Motion"}, data={"payload": "On"}, invert=True
    )
    add_rule(device, condition, ToggleIoWhileActive(port="Door"))
    assert device.lines.told == []
    state(device, "Off")
    assert device.lines.told == [("hold", "relay1", True, True)]


def test_a_pulse_rule_fires_for_each_message(device: Device) -> None:
    condition = Condition(topic=events.MQTT_STATELESS, source={"topicFilter": "ring/+"}, data={"payload": "Open"})
    add_rule(device, condition, ToggleIoOnce(port="Door", duration=1.0))
    for payload in ("Open", "Close", "Open"):
        pulse(device, payload)
    assert [told[0] for told in device.lines.told] == ["pulse", "pulse"]
    assert of(device, events.MQTT_STATELESS)[0] == {"topic": "ring/a", "payload": "Open"}


def test_a_pulse_can_ask_for_the_topic(device: Device) -> None:
    condition = Condition(topic=events.MQTT_STATELESS, source={"topicFilter": "ring/+"}, data={"topic": "ring/back"})
    add_rule(device, condition, ToggleIoOnce(port="Door", duration=1.0))
    pulse(device, "x", "ring/front")
    pulse(device, "x", "ring/back")
    assert len(device.lines.told) == 1


def test_the_catalogue_names_the_subscriptions(device: Device) -> None:
    kinds = {kind.topic: kind for kind in device.events.conditions() if kind.group == "MQTT"}
    assert kinds[events.MQTT_STATEFUL].source[0].values == ("Motion",)
    assert kinds[events.MQTT_STATELESS].source[0].values == ("ring/+",)
    with pytest.raises(InputError, match="topicFilter"):
        add_rule(device, Condition(topic=events.MQTT_STATEFUL, source={"topicFilter": "no"}), ToggleIoOnce(port="Door"))


def test_a_subscription_that_is_removed_ends_its_state(device: Device) -> None:
    condition = Condition(topic=events.MQTT_STATEFUL, source={"topicFilter": "Motion"}, data={"payload": "On"})
    add_rule(device, condition, ToggleIoWhileActive(port="Door"))
    state(device, "On")
    device.ledger.do(lambda tx: device.mqtt.set_subscriptions(tx, Subscriptions()))
    assert device.lines.told[-1] == ("hold", "relay1", False, True)
    state(device, "On")  # on its way when the subscription ended
    assert len(device.lines.told) == 2


def test_a_flood_does_not_push_the_doors_out_of_the_log(device: Device) -> None:
    heard = 0

    def hear(*_: Any) -> None:
        nonlocal heard
        heard += 1

    device.bus.in_transaction(events.MQTT_STATELESS, hear)
    for number in range(1000):
        pulse(device, str(number))
    assert heard == 1000
    assert len(of(device, events.MQTT_STATELESS)) == LOG_BURST
    device.ledger.virtual_clock.advance(10)
    pulse(device, "later")
    assert of(device, events.MQTT_STATELESS)[-1]["payload"] == "later"


def test_a_failed_commit_changes_nothing(device: Device) -> None:
    before = device.mqtt.settings
    device.store.broken = "disk full"
    with pytest.raises(Exception, match="disk full"):
        activate(device)
    assert device.mqtt.settings == before
    device.store.broken = None


# --- the action


def publish(device: Device, action: MqttPublish) -> list[Message]:
    condition = Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": "1"}, data={"active": "1"})
    add_rule(device, condition, action)
    device.ledger.do(lambda tx: device.ports.set_virtual_input(tx, 1, True))
    return list(iter(device.mqtt.outgoing.take, None))


def test_the_action_publishes_after_the_commit(device: Device) -> None:
    activate(device)
    found = publish(device, MqttPublish(topic="Motion", payload="On", qos=2, retain=True))
    assert found == [Message("Motion", b"On", 2, True)]


def test_the_action_with_the_device_prefix(device: Device) -> None:
    activate(device)
    assert publish(device, MqttPublish(topic="Motion", device_prefix=True))[0].topic == "axis/B8A44F00A0B1/Motion"


def test_without_a_client_the_action_fails_and_tells(device: Device) -> None:
    assert publish(device, MqttPublish(topic="Motion")) == []
    assert "not activated" in of(device, events.ACTION_FAILED)[0]["reason"]


def test_a_full_queue_is_told(device: Device) -> None:
    activate(device)
    while device.mqtt.send(Message("t", b"", 1)):
        pass
    publish(device, MqttPublish(topic="Motion", qos=1))
    device.settle()
    assert "full" in of(device, events.ACTION_FAILED)[0]["reason"]


@pytest.mark.parametrize("action", [MqttPublish(topic="a/#"), MqttPublish(topic="t", payload="x" * 16385)])
def test_actions_that_cannot_be(device: Device, action: MqttPublish) -> None:
    with pytest.raises(InputError, match="action"):
        publish(device, action)


def test_deactivation_forgets_what_waits(device: Device) -> None:
    activate(device)
    assert device.mqtt.send(Message("t", b"", 1))
    device.ledger.do(device.mqtt.deactivate)
    assert len(device.mqtt.outgoing) == 0
    assert not device.mqtt.send(Message("t", b"", 1))
