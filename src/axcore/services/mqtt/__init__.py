"""MQTT: the client, publication of events, subscriptions. Only the configuration is imported here."""

from __future__ import annotations

from .performer import MqttPerformer
from .service import MqttService, Settings

__all__ = ["MqttPerformer", "MqttService", "Settings"]
