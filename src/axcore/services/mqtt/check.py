"""Is a configuration of the MQTT client one that can work? Every refusal names the field as the wire spells it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from axcore.errors import InputError, LimitError
from axcore.model import mqtt
from axcore.model.mqtt import ClientConfig, Publication, StatusMessage, Subscriptions
from axcore.rules import parse_filter

from .topics import check_filter, check_name

MAX_TIMEOUT = 120
MAX_PREFIX = 512


def check_client(config: ClientConfig, has_certificate: Callable[[str, bool], bool]) -> ClientConfig:
    """The configuration, with its port. ``has_certificate(alias, with_key)`` asks the certificate store."""
    server = config.server
    _text(server.host, "server.host", mqtt.MAX_HOST)
    if not server.host or any(letter.isspace() or letter in "/@?#" for letter in server.host):
        raise InputError("server.host", "must be a host name or an IP address")
    if server.port is not None and not 1 <= server.port <= 65535:
        raise InputError("server.port", "must be 1..65535")
    _text(server.basepath, "server.basepath", 255)
    if any(not 32 < ord(letter) < 127 for letter in server.basepath):
        raise InputError("server.basepath", "must be a path of printable ASCII characters")
    if server.alpn_protocol and not (server.alpn_protocol.isascii() and len(server.alpn_protocol) <= 255):
        raise InputError("server.alpnProtocol", "must be at most 255 ASCII characters")
    for name in ("username", "client_id"):
        _text(getattr(config, name), {"client_id": "clientId"}.get(name, name), mqtt.MAX_TEXT)
    if not 1 <= config.keep_alive_interval <= 65535:
        raise InputError("keepAliveInterval", "must be 1..65535 s")
    if not 1 <= config.connect_timeout <= MAX_TIMEOUT:
        raise InputError("connectTimeout", f"must be 1..{MAX_TIMEOUT} s")
    if config.device_topic_prefix:
        check_prefix(config.device_topic_prefix, "deviceTopicPrefix")
    for field in ("lastWillTestament", "connectMessage", "disconnectMessage"):
        _status_message(_by_wire_name(config, field), field)
    _proxy(config.http_proxy, "httpProxy")
    _proxy(config.https_proxy, "httpsProxy")
    for alias, key, field in (
        (config.ssl.ca_cert_id, False, "ssl.CACertID"),
        (config.ssl.client_cert_id, True, "ssl.clientCertID"),
    ):
        if alias and not has_certificate(alias, key):
            raise InputError(
                field, f"there is no such certificate{' with a private key' if key else ''}: {alias!r:.80}"
            )
    port = server.port or mqtt.DEFAULT_PORTS[server.protocol]
    return msgspec.structs.replace(config, server=msgspec.structs.replace(server, port=port))


def check_password(password: str) -> str:
    """Raises InputError that does not repeat it."""
    _text(password, "password", mqtt.MAX_TEXT)
    return password


def check_publication(config: Publication) -> Publication:
    """Topic filters must be ONVIF topic expressions; a custom prefix must be there when it is asked for."""
    if len(config.event_filter_list) > mqtt.MAX_FILTERS:
        raise LimitError("eventFilterList", f"must have at most {mqtt.MAX_FILTERS} entries")
    for number, entry in enumerate(config.event_filter_list):
        field = f"eventFilterList[{number}].topicFilter"
        if not entry.topic_filter.strip():
            raise InputError(field, "must not be empty")
        try:
            parse_filter(entry.topic_filter)
        except InputError as error:
            raise InputError(field, error.reason) from None
    if config.topic_prefix == "custom" or config.custom_topic_prefix:
        check_prefix(config.custom_topic_prefix, "customTopicPrefix")
    return config


def check_subscriptions(config: Subscriptions) -> Subscriptions:
    """Filters must be valid MQTT, and each be there once."""
    if len(config.mqtt_filter_list) > mqtt.MAX_FILTERS:
        raise LimitError("mqttFilterList", f"must have at most {mqtt.MAX_FILTERS} entries")
    seen: set[tuple[str, bool]] = set()
    for number, entry in enumerate(config.mqtt_filter_list):
        field = f"mqttFilterList[{number}].topicFilter"
        check_filter(entry.topic_filter, field)
        if entry.use_device_topic_prefix and entry.topic_filter.startswith("$"):
            raise InputError(field, "a filter that begins with $ cannot have the device topic prefix before it")
        key = (entry.topic_filter, entry.is_state_data)
        if key in seen:
            raise InputError(field, "is there twice")
        seen.add(key)
    return config


def check_prefix(prefix: str, field: str) -> str:
    """A topic prefix: no wildcard, no empty level at its ends."""
    check_name(prefix, field)
    if len(prefix.encode()) > MAX_PREFIX or prefix.startswith(("/", "$")) or prefix.endswith("/"):
        raise InputError(field, f"must be at most {MAX_PREFIX} octets, not begin with / or $, not end with /")
    return prefix


def _status_message(message: StatusMessage, field: str) -> None:
    if message.topic:
        check_name(message.topic, f"{field}.topic")
    try:
        size = len(message.message.encode())
    except UnicodeEncodeError:
        raise InputError(f"{field}.message", "is not text that can be encoded") from None
    if size > mqtt.MAX_MESSAGE:
        raise InputError(f"{field}.message", f"must be at most {mqtt.MAX_MESSAGE} octets")


def _by_wire_name(config: ClientConfig, name: str) -> StatusMessage:
    names = {field.encode_name: field.name for field in msgspec.structs.fields(config)}
    found: StatusMessage = getattr(config, names[name])
    return found


def _proxy(url: str, field: str) -> None:
    if not url:
        return
    _text(url, field, mqtt.MAX_PROXY)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InputError(field, "is not a URL") from None
    if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/") or parts.query or port == 0:
        raise InputError(field, "must be http://host:port (a proxy that is asked to CONNECT)")


def _text(text: str, field: str, limit: int) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise InputError(field, "is not text that can be encoded") from None
    if size > limit:
        raise InputError(field, f"must be at most {limit} octets")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise InputError(field, "must not contain control characters")
