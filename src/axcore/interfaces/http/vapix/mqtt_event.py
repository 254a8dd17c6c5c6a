"""``mqtt/event.cgi`` (id ``event-mqtt-bridge``, 1.1): which events are published, which MQTT messages become events."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from axcore.interfaces.http.vapix.ajr import GEN3, AjrApi, Call
from axcore.interfaces.http.vapix.mqtt_client import bounded
from axcore.model.accounts import Role
from axcore.model.mqtt import Publication, Subscriptions

API: Final = AjrApi(
    api_id="event-mqtt-bridge",
    name="MQTT Event Bridge",
    path="/axis-cgi/mqtt/event.cgi",
    versions=("1.1",),
    codes=GEN3,
)


@API.method("configureEventPublication", Role.ADMIN)
async def configure_event_publication(call: Call) -> Any:
    """Replace the publication; an empty list of filters ends it."""
    config = call.read(Publication)
    service = call.ctx.mqtt
    await call.ctx.ledger.run(lambda tx: service.set_publication(tx, config), actor=call.request.identity.name)


@API.method("getEventPublicationConfig", Role.ADMIN, safe=True)
async def get_event_publication_config(call: Call) -> Any:
    """The publication, all six fields."""
    return {"eventPublicationConfig": msgspec.to_builtins(call.ctx.mqtt.settings.publication)}


@API.method("configureMqttSubscription", Role.ADMIN)
async def configure_mqtt_subscription(call: Call) -> Any:
    """Replace the subscriptions."""
    config = call.read(Subscriptions)
    service = call.ctx.mqtt
    await call.ctx.ledger.run(lambda tx: service.set_subscriptions(tx, config), actor=call.request.identity.name)


@API.method("getMqttSubscriptionConfig", Role.ADMIN, safe=True)
async def get_mqtt_subscription_config(call: Call) -> Any:
    """The subscriptions."""
    return {"mqttSubscriptionConfig": msgspec.to_builtins(call.ctx.mqtt.settings.subscriptions)}


ROUTES: Final = bounded(API)
APIS: Final = (API.entry(),)
