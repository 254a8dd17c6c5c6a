"""The MQTT client: connection, publication of events, subscriptions. As they are stored, and as ``mqtt/client.cgi`` and
``mqtt/event.cgi`` spell them (VAPIX MQTT client API, MQTT event bridge API).

Fields that VAPIX has not: ``protocolVersion`` (3.1.1 is the default), ``httpProxy`` and ``httpsProxy`` (the manual has
them, the public API does not name them), ``useDeviceTopicPrefix`` of a subscription. The password is kept apart.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Protocol = Literal["tcp", "ssl", "ws", "wss"]
ProtocolVersion = Literal["3.1.1", "5"]
Qos = Literal[0, 1, 2]
Retain = Literal["none", "property", "all"]
TopicPrefix = Literal["default", "custom"]
DEFAULT_PORTS: dict[Protocol, int] = {"tcp": 1883, "ssl": 8883, "ws": 80, "wss": 443}

MAX_HOST = 253
MAX_PROXY = 255
"""Octets of a proxy URL (manual)."""
MAX_TEXT = 1024
"""Characters of user name, password, client id, a topic."""
MAX_MESSAGE = 16_384
"""Octets of the payload of a message that is sent on connect, disconnect or loss."""
MAX_FILTERS = 100
"""Entries of either list."""


class _Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    pass


class Server(_Wire, frozen=True, kw_only=True):
    """The broker."""

    host: str
    protocol: Protocol = "tcp"
    port: int | None = None
    """1..65535; none = the protocol's own (1883, 8883, 80, 443)."""
    basepath: str = ""
    """Path of the web socket; empty = ``/mqtt``."""
    alpn_protocol: str = ""
    """Offered in the TLS handshake (``ssl``, ``wss``); empty = no ALPN."""


class StatusMessage(_Wire, frozen=True, kw_only=True):
    """What is sent on connect, on disconnect, or by the broker when the client is lost (last will and testament).

    ``useDefault``: topic ``<prefix>/event/connection``, payload ``{"connected": true|false, "Description": ...}``,
    retained. Otherwise the fields say what; an empty ``topic`` = nothing is sent.
    """

    use_default: bool = True
    topic: str = ""
    message: str = ""
    retain: bool = False
    qos: Qos = 0


class Tls(_Wire, frozen=True, kw_only=True):
    """Who is trusted and who we are, by alias in the certificate store."""

    validate_server_cert: bool = False
    ca_cert_id: str = msgspec.field(name="CACertID", default="")
    """CA (or self-signed server) certificate; empty = the CAs of the system."""
    client_cert_id: str = msgspec.field(name="clientCertID", default="")
    """Certificate with a private key; empty = none is sent."""


class ClientConfig(_Wire, frozen=True, kw_only=True):
    """Everything about the connection but the password."""

    server: Server
    username: str = ""
    client_id: str = ""
    """Empty = ``axis-<serial>``: brokers tie a session to it, so it has to last."""
    keep_alive_interval: int = 60
    """Seconds, 1..65535."""
    connect_timeout: int = 60
    """Seconds for the whole of a connect, 1..120."""
    clean_session: bool = True
    auto_reconnect: bool = True
    activate_on_reboot: bool = True
    device_topic_prefix: str = ""
    """Empty = ``axis/<serial>``."""
    last_will_testament: StatusMessage = StatusMessage()
    connect_message: StatusMessage = StatusMessage()
    disconnect_message: StatusMessage = StatusMessage()
    ssl: Tls = Tls()
    http_proxy: str = ""
    """``http://[user:password@]host:port``, for ``tcp`` and ``ws``; max. 255 octets."""
    https_proxy: str = ""
    """The same for ``ssl`` and ``wss``."""
    protocol_version: ProtocolVersion = "3.1.1"


class ClientRequest(ClientConfig, frozen=True, kw_only=True):
    """What ``configureClient`` takes."""

    password: str = ""
    keep_existing_password: bool = False


class EventFilter(_Wire, frozen=True, kw_only=True):
    """Which events are published, and how."""

    topic_filter: str
    """ONVIF topic expression: ``onvif:Device/axis:IO//.``."""
    qos: Qos = 0
    retain: Retain = "none"


class Publication(_Wire, frozen=True, kw_only=True):
    """Which events of the device are published. Nothing is, while ``eventFilterList`` is empty."""

    topic_prefix: TopicPrefix = "default"
    custom_topic_prefix: str = ""
    append_event_topic: bool = True
    include_topic_namespaces: bool = True
    include_serial_number_in_payload: bool = False
    event_filter_list: tuple[EventFilter, ...] = ()


class Subscription(_Wire, frozen=True, kw_only=True):
    """MQTT messages that become events: pulses, or (``isStateData``) the state of a property."""

    topic_filter: str
    qos: Qos = 0
    is_state_data: bool = False
    use_device_topic_prefix: bool = False


class Subscriptions(_Wire, frozen=True, kw_only=True):
    """What ``configureMqttSubscription`` takes."""

    mqtt_filter_list: tuple[Subscription, ...] = ()


class Message(msgspec.Struct, frozen=True):
    """A message to be published."""

    topic: str
    payload: bytes
    qos: Qos = 0
    retain: bool = False

    @property
    def size(self) -> int:
        """Octets, roughly as on the wire."""
        return len(self.topic) + len(self.payload) + 8
