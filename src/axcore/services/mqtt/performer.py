"""MQTT > Send MQTT publish message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from axcore.errors import InputError
from axcore.model.actions import Action, MqttPublish
from axcore.model.mqtt import MAX_MESSAGE, Message
from axcore.services.events.performers import ActionType, Run

from .topics import check_name

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction


class Sender(Protocol):
    """What the action needs of the MQTT service."""

    @property
    def active(self) -> bool: ...
    @property
    def prefix(self) -> str: ...
    def send(self, message: Message) -> bool: ...


class MqttPerformer:
    """Publishes. A message waits in the client's queue while the broker cannot be reached."""

    kinds = (MqttPublish,)

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def describe(self) -> Iterable[ActionType]:
        fields: dict[str, dict[str, Any]] = {
            "topic": {"type": "string", "title": "Topic"},
            "payload": {"type": "string", "title": "Payload", "default": ""},
            "qos": {"type": "integer", "title": "QoS", "enum": [0, 1, 2], "default": 0},
            "retain": {"type": "boolean", "title": "Retain", "default": False},
            "device_prefix": {"type": "boolean", "title": "Use device topic prefix", "default": False},
        }
        return (
            ActionType(
                type="mqtt_publish",
                group="MQTT",
                name="Send MQTT publish message",
                fields=fields,
                unavailable="" if self._sender.active else "the MQTT client is not activated",
            ),
        )

    def check(self, action: Any) -> Action:
        check_name(action.topic, "topic")
        try:
            size = len(action.payload.encode())
        except UnicodeEncodeError:
            raise InputError("payload", "is not text that can be encoded") from None
        if size > MAX_MESSAGE:
            raise InputError("payload", f"must be at most {MAX_MESSAGE} octets")
        checked: Action = action
        return checked

    def start(self, tx: Transaction, action: Any, run: Run) -> None:
        if not self._sender.active:
            raise InputError("mqtt", "the MQTT client is not activated")
        topic = f"{self._sender.prefix}/{action.topic}" if action.device_prefix else action.topic
        message = Message(topic, action.payload.encode(), action.qos, action.retain)

        def send() -> None:
            if not self._sender.send(message):
                run.failed("the queue of messages to the MQTT broker is full")

        tx.after_commit(send)

    def stop(self, tx: Transaction, action: Any, run: Run) -> None:
        """It ends by itself."""
