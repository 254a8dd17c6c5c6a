"""The MQTT service: its configuration, what becomes of messages, and what others see of the client.

State changes only in ledger jobs (methods that take ``tx``). The client itself is a service of the loop (``client.py``)
that follows the snapshot ``settings``; nothing of it is imported unless it is activated. Everything else may be called
from any thread.

What users get:

* the client is on after a start if ``activateOnReboot``; ``activateClient`` and ``deactivateClient`` turn it on, off;
* a change of the configuration of an active client makes it connect anew;
* a stateful subscription is one property (source ``topicFilter``, data ``topic`` and ``payload``): its state is the
  payload that came last. It keeps it when the broker is lost, and has none after a start until a message comes. The
  same payload again is no event. A subscription that is removed ends with an empty payload;
* a stateless one is a pulse per message. Retained messages are no pulses (see ``incoming.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from axcore.errors import ConflictError
from axcore.model import events
from axcore.model.events import NewEvent
from axcore.model.mqtt import ClientConfig, ClientRequest, Message, Publication, Subscription, Subscriptions
from axcore.services.events.conditions import ConditionType, Item

from .check import check_client, check_password, check_publication, check_subscriptions
from .incoming import Arrival
from .outgoing import Outgoing

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction
    from axcore.services.certificates import CertificateStore

KIND = "mqtt"
LOG_PER_S = 10.0
"""Messages that the event log keeps, on average: who publishes a lot must not push the doors out of it."""
LOG_BURST = 200.0
State = Literal["active", "inactive"]
Connection = Literal["connected", "disconnected", "not connected"]


class Settings(NamedTuple):
    """A snapshot of everything that the client needs."""

    active: bool = False
    client: ClientConfig | None = None
    password: str = ""
    publication: Publication = Publication()
    subscriptions: Subscriptions = Subscriptions()
    generation: int = 0
    """Rises whenever the client is to connect anew."""


class MqttService:
    """See the module's text."""

    def __init__(self, certificates: CertificateStore) -> None:
        self.settings = Settings()
        self.outgoing = Outgoing()
        self.connected_as: int | None = None
        """Generation of the settings with which the client is connected; set by the client."""
        self.changed: Callable[[], None] | None = None
        """Called by the ledger thread after the settings have changed; set by the client."""
        self.certificates = certificates
        self._serial = ""
        self._states: dict[str, tuple[str, str]] = {}
        self._log_room = LOG_BURST
        self._log_ns = 0

    # --- life

    def load(self, tx: Transaction) -> None:
        """Read the stored configuration. After a failed commit nothing is read: ``assign`` puts everything back."""
        if self.settings.generation:
            return
        client = _stored(tx, "client", ClientConfig)
        self.settings = Settings(
            active=client is not None and client.activate_on_reboot,
            client=client,
            password=(tx.get(KIND, "password") or b"").decode(),
            publication=_stored(tx, "publication", Publication) or Publication(),
            subscriptions=_stored(tx, "subscriptions", Subscriptions) or Subscriptions(),
            generation=1,
        )

    def announce(self, tx: Transaction) -> None:
        """Publish the initial state."""
        tx.publish(_status(False), logged=False)

    def identify(self, serial: str) -> None:
        """Tell who the device is, before the client starts."""
        self._serial = serial

    # --- what others see

    @property
    def active(self) -> bool:
        return self.settings.active

    @property
    def serial(self) -> str:
        return self._serial

    @property
    def prefix(self) -> str:
        """The device topic prefix."""
        client = self.settings.client
        return (client.device_topic_prefix if client is not None else "") or f"axis/{self._serial}"

    @property
    def state(self) -> State:
        return "active" if self.settings.active else "inactive"

    @property
    def connection(self) -> Connection:
        if not self.settings.active:
            return "not connected"
        return "connected" if self.connected_as == self.settings.generation else "disconnected"

    def client_config(self) -> ClientConfig:
        """The configuration with its defaults filled in (without the password); also while there is none."""
        client = self.settings.client
        if client is None:
            return msgspec.convert({"server": {"host": ""}, "deviceTopicPrefix": self.prefix}, ClientConfig)
        return msgspec.structs.replace(client, device_topic_prefix=self.prefix)

    def effective(self, subscription: Subscription) -> str:
        """The filter that is subscribed to."""
        if subscription.use_device_topic_prefix:
            return f"{self.prefix}/{subscription.topic_filter}"
        return subscription.topic_filter

    def hears(self) -> Iterable[tuple[str, NewEvent]]:
        """Every filter that is subscribed to, and the event that a message to it becomes (with any payload)."""
        for each in self.settings.subscriptions.mqtt_filter_list:
            topic = events.MQTT_STATEFUL if each.is_state_data else events.MQTT_STATELESS
            source, data = {"topicFilter": each.topic_filter}, {"payload": "*", "topic": "*"}
            event = NewEvent(topic=topic, source=source, data=data, is_property=each.is_state_data)
            yield self.effective(each), event

    def send(self, message: Message) -> bool:
        """Publish a message when the broker can be reached; False if there is no room for it, or the client is off."""
        return self.settings.active and self.outgoing.post(message)

    def conditions(self) -> Iterable[ConditionType]:
        """Conditions for rules: ``MQTT > Stateless``, ``MQTT > Stateful``, ``MQTT > Client connected``."""
        filters = self.settings.subscriptions.mqtt_filter_list

        def chosen(stateful: bool) -> tuple[Item, ...]:
            values = tuple(each.topic_filter for each in filters if each.is_state_data == stateful)
            return (Item(name="topicFilter", nice_name="Subscription filter", values=values),)

        data = (Item(name="payload", nice_name="Payload"), Item(name="topic", nice_name="Topic"))
        connected = (Item(name="connected", nice_name="Connected", values=("0", "1")),)
        return (
            ConditionType(
                topic=events.MQTT_STATELESS,
                group="MQTT",
                name="Stateless",
                stateful=False,
                source=chosen(False),
                data=data,
            ),
            ConditionType(
                topic=events.MQTT_STATEFUL, group="MQTT", name="Stateful", stateful=True, source=chosen(True), data=data
            ),
            ConditionType(
                topic=events.MQTT_CLIENT_STATUS,
                group="MQTT",
                name="Client connected",
                stateful=True,
                data=connected,
                match={"connected": "1"},
            ),
        )

    # --- settings

    def using(self, certificate: str) -> Iterable[str]:
        """Whether the client needs a certificate (alias)."""
        client = self.settings.client
        if client is not None and certificate in (client.ssl.ca_cert_id, client.ssl.client_cert_id):
            yield "the MQTT client"

    def configure(self, tx: Transaction, request: ClientRequest) -> None:
        """Keep a new configuration. InputError names the field; nothing is half-stored."""
        fields = {name: getattr(request, name) for name in ClientConfig.__struct_fields__}
        client = check_client(ClientConfig(**fields), self.certificates.has)
        password = self.settings.password if request.keep_existing_password else check_password(request.password)
        tx.put(KIND, "client", msgspec.json.encode(client))
        tx.put(KIND, "password", password.encode())
        self._change(tx, client=client, password=password, generation=self.settings.generation + 1)
        self._told(tx, "client")

    def activate(self, tx: Transaction) -> None:
        """Turn the client on. Raises ConflictError without a configuration."""
        if self.settings.client is None:
            raise ConflictError("client", "is not configured; call configureClient first")
        self._change(tx, active=True, generation=self.settings.generation + 1)

    def deactivate(self, tx: Transaction) -> None:
        """Turn the client off; messages that wait are forgotten."""
        self._change(tx, active=False, generation=self.settings.generation + 1)

    def set_publication(self, tx: Transaction, config: Publication) -> None:
        """Choose which events are published. InputError names the field."""
        check_publication(config)
        tx.put(KIND, "publication", msgspec.json.encode(config))
        self._change(tx, publication=config)
        self._told(tx, "publication")

    def set_subscriptions(self, tx: Transaction, config: Subscriptions) -> None:
        """Choose which messages become events. InputError names the field."""
        check_subscriptions(config)
        tx.put(KIND, "subscriptions", msgspec.json.encode(config))
        self._change(tx, subscriptions=config)
        self._told(tx, "subscriptions")
        kept = {each.topic_filter for each in config.mqtt_filter_list if each.is_state_data}
        gone = [name for name in self._states if name not in kept]
        tx.assign(self, "_states", {name: state for name, state in self._states.items() if name in kept})
        for name in gone:
            tx.publish(_stateful(Arrival(name, True, "", "")))

    # --- jobs of the client

    def on_messages(self, tx: Transaction, arrivals: Sequence[Arrival]) -> None:
        """Messages came: each becomes an event, and rules run."""
        known = {(each.topic_filter, each.is_state_data) for each in self.settings.subscriptions.mqtt_filter_list}
        for arrival in arrivals:
            if (arrival.topic_filter, arrival.stateful) not in known:
                continue
            if arrival.stateful:
                if self._states.get(arrival.topic_filter, ("", None))[1] == arrival.payload:
                    continue
                state = (arrival.topic, arrival.payload)
                tx.assign(self, "_states", {**self._states, arrival.topic_filter: state})
            event = _stateful(arrival) if arrival.stateful else _stateless(arrival)
            tx.publish(event, logged=self._log(tx.now.mono_ns))

    def on_connection(self, tx: Transaction, connected: bool) -> None:
        """The client is connected, or is not any more."""
        tx.publish(_status(connected))

    def on_loss(self, tx: Transaction, component: str, count: int) -> None:
        """Messages were lost."""
        data = {"count": str(count), "component": component}
        tx.publish(NewEvent(topic=events.EVENTS_DROPPED, data=data), lazy=True)

    # --- inside

    def _log(self, now_ns: int) -> bool:
        """Whether the log has room for one event more (a token bucket; that it is not undone with a job is no harm)."""
        passed = (now_ns - self._log_ns) / 1e9
        self._log_ns = now_ns
        self._log_room = min(LOG_BURST, self._log_room + passed * LOG_PER_S)
        if self._log_room < 1.0:
            return False
        self._log_room -= 1.0
        return True

    def _change(self, tx: Transaction, **fields: Any) -> None:
        tx.assign(self, "settings", self.settings._replace(**fields))
        tx.after_commit(self._tell)

    def _tell(self) -> None:
        if not self.settings.active:
            self.outgoing.clear()
        if self.changed is not None:
            self.changed()

    def _told(self, tx: Transaction, key: str) -> None:
        data = {"kind": KIND, "key": key, "action": "update"}
        tx.publish(NewEvent(topic=events.CONFIGURATION_CHANGED, data=data))


def _stored(tx: Transaction, key: str, kind: type[Any]) -> Any:
    value = tx.get(KIND, key)
    return None if value is None else msgspec.json.decode(value, type=kind)


def _status(connected: bool) -> NewEvent:
    data = {"connected": "1" if connected else "0"}
    return NewEvent(topic=events.MQTT_CLIENT_STATUS, data=data, is_property=True)


def _stateless(arrival: Arrival) -> NewEvent:
    source = {"topicFilter": arrival.topic_filter}
    return NewEvent(
        topic=events.MQTT_STATELESS, source=source, data={"topic": arrival.topic, "payload": arrival.payload}
    )


def _stateful(arrival: Arrival) -> NewEvent:
    source, data = {"topicFilter": arrival.topic_filter}, {"topic": arrival.topic, "payload": arrival.payload}
    return NewEvent(topic=events.MQTT_STATEFUL, source=source, data=data, is_property=True)


__all__ = ["Connection", "MqttService", "Settings", "State"]
