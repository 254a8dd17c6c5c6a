"""mqtt/client.cgi and mqtt/event.cgi: every method, every error, and that a refused request changes nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stubs import Device, FakeRequest

from axcore.interfaces.http.vapix import mqtt_client, mqtt_event
from axcore.model.accounts import Role

SERVER = {"host": "broker.example", "protocol": "ssl", "port": 8884}
SECRET = "correct horse"


@pytest.fixture
def device() -> Device:
    return Device()


async def send(device: Device, api: Any, body: bytes, role: Role = Role.ADMIN) -> dict[str, Any]:
    route = next(route for route in api.ROUTES if route.method == "POST")
    response = await route.handler(FakeRequest(body=body, role=role), device)
    reply: dict[str, Any] = msgspec.json.decode(response.body)
    return reply


async def call(device: Device, method: str, params: Any = None, role: Role = Role.ADMIN, **more: Any) -> dict[str, Any]:
    api = mqtt_client if method in CLIENT_METHODS else mqtt_event
    version = api.API.versions[-1]
    body = {"apiVersion": version, "context": "c", "method": method, "params": params or {}, **more}
    return await send(device, api, msgspec.json.encode(body), role)


CLIENT_METHODS = ("configureClient", "activateClient", "deactivateClient", "getClientStatus")
EVENT_METHODS = (
    "configureEventPublication", "getEventPublicationConfig", "configureMqttSubscription", "getMqttSubscriptionConfig",
)  # fmt: skip


async def code(device: Device, method: str, params: Any = None, **more: Any) -> int:
    before = (device.mqtt.settings, device.store.records(), len(device.store.events))
    reply = await call(device, method, params, **more)
    assert (device.mqtt.settings, device.store.records(), len(device.store.events)) == before
    found: int = reply["error"]["code"]
    return found


async def test_the_life_of_a_client(device: Device) -> None:
    status = (await call(device, "getClientStatus"))["data"]["status"]
    assert status == {"state": "inactive", "connectionStatus": "not connected"}
    assert (await call(device, "configureClient", {"server": SERVER}))["data"] == {}
    assert (await call(device, "activateClient"))["data"] == {}
    status = (await call(device, "getClientStatus"))["data"]["status"]
    assert status == {"state": "active", "connectionStatus": "disconnected"}
    device.mqtt.connected_as = device.mqtt.settings.generation
    assert (await call(device, "getClientStatus"))["data"]["status"]["connectionStatus"] == "connected"
    assert (await call(device, "deactivateClient"))["data"] == {}
    status = (await call(device, "getClientStatus"))["data"]["status"]
    assert status == {"state": "inactive", "connectionStatus": "not connected"}


async def test_the_status_has_the_whole_configuration(device: Device) -> None:
    given = {
        "server": {**SERVER, "basepath": "b", "alpnProtocol": "mqtt"}, "username": "u", "clientId": "id",
        "keepAliveInterval": 20, "connectTimeout": 30, "cleanSession": False, "autoReconnect": False,
        "activateOnReboot": False, "deviceTopicPrefix": "hall/door",
        "lastWillTestament": {"useDefault": False, "topic": "lwt", "message": "gone", "retain": True, "qos": 1},
        "connectMessage": {"useDefault": False, "topic": "on", "message": "here", "retain": False, "qos": 2},
        "disconnectMessage": {"useDefault": False, "topic": "", "message": "", "retain": False, "qos": 0},
        "ssl": {"validateServerCert": True, "CACertID": "", "clientCertID": ""},
        "httpProxy": "http://proxy:3128", "httpsProxy": "", "protocolVersion": "5",
    }  # fmt: skip
    await call(device, "configureClient", {**given, "password": SECRET})
    assert (await call(device, "getClientStatus"))["data"]["config"] == given


async def test_the_password_is_write_only_and_kept_on_wish(device: Device) -> None:
    config = {"server": SERVER, "username": "u"}
    await call(device, "configureClient", {**config, "password": SECRET})
    assert SECRET not in str(await call(device, "getClientStatus"))
    assert SECRET not in str(device.store.events)
    await call(device, "configureClient", {**config, "keepExistingPassword": True})
    assert device.mqtt.settings.password == SECRET
    await call(device, "configureClient", config)
    assert device.mqtt.settings.password == ""


async def test_a_restart_remembers(device: Device) -> None:
    await call(device, "configureClient", {"server": SERVER, "password": SECRET})
    await call(device, "configureEventPublication", {"eventFilterList": [{"topicFilter": "onvif:Device//."}]})
    await call(device, "configureMqttSubscription", {"mqttFilterList": [{"topicFilter": "a/#", "isStateData": True}]})
    from axcore.services.mqtt import MqttService

    again = MqttService(device.certificates)
    device.ledger.do(again.load)
    now = device.mqtt.settings
    assert again.settings == now._replace(active=True, generation=1)
    assert again.settings.password == SECRET


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"server": {"host": ""}}, "server.host"), ({"server": {"host": "a b"}}, "server.host"),
        ({"server": {"host": "h" * 254}}, "server.host"), ({"server": {"host": "h", "port": 0}}, "server.port"),
        ({"server": {"host": "h", "port": 65536}}, "server.port"),
        ({"server": {"host": "h", "protocol": "udp"}}, "server.protocol"),
        ({"server": {"host": "h", "basepath": "a\nb"}}, "server.basepath"),
        ({"server": {"host": "h", "alpnProtocol": "x" * 256}}, "server.alpnProtocol"),
        ({"username": "a\0"}, "username"), ({"clientId": "x" * 1025}, "clientId"), ({"password": "\r\n"}, "password"),
        ({"keepAliveInterval": 0}, "keepAliveInterval"), ({"keepAliveInterval": 65536}, "keepAliveInterval"),
        ({"keepAliveInterval": 1.5}, "keepAliveInterval"), ({"connectTimeout": 0}, "connectTimeout"),
        ({"connectTimeout": 121}, "connectTimeout"), ({"deviceTopicPrefix": "a/#"}, "deviceTopicPrefix"),
        ({"deviceTopicPrefix": "/a"}, "deviceTopicPrefix"), ({"cleanSession": "yes"}, "cleanSession"),
        ({"lastWillTestament": {"useDefault": False, "topic": "a/+"}}, "lastWillTestament.topic"),
        ({"connectMessage": {"qos": 3}}, "connectMessage.qos"),
        ({"disconnectMessage": {"message": "x" * 16385}}, "disconnectMessage.message"),
        ({"ssl": {"CACertID": "nobody"}}, "ssl.CACertID"), ({"ssl": {"clientCertID": "nobody"}}, "ssl.clientCertID"),
        ({"httpProxy": "ftp://h"}, "httpProxy"), ({"httpsProxy": "http://" + "h" * 250}, "httpsProxy"),
        ({"httpProxy": "http://h:99999"}, "httpProxy"), ({"protocolVersion": "3.1"}, "protocolVersion"),
        ({"unheard": 1}, "params"),
    ],
)  # fmt: skip
async def test_bad_client_configurations(device: Device, patch: dict[str, Any], field: str) -> None:
    params = {"server": SERVER, **patch}
    assert await code(device, "configureClient", params) == 2104
    assert field in (await call(device, "configureClient", params))["error"]["message"]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("configureEventPublication", {"eventFilterList": [{"topicFilter": ""}]}),
        ("configureEventPublication", {"eventFilterList": [{"topicFilter": "onvif:Device//./x"}]}),
        ("configureEventPublication", {"eventFilterList": [{"topicFilter": "onvif:Device", "retain": "some"}]}),
        ("configureEventPublication", {"eventFilterList": [{"topicFilter": "onvif:Device", "qos": 3}]}),
        ("configureEventPublication", {"eventFilterList": [{"topicFilter": "onvif:Device"}] * 101}),
        ("configureEventPublication", {"topicPrefix": "custom"}),
        ("configureEventPublication", {"topicPrefix": "custom", "customTopicPrefix": "a/#"}),
        ("configureMqttSubscription", {"mqttFilterList": [{"topicFilter": "a/#/b"}]}),
        ("configureMqttSubscription", {"mqttFilterList": [{"topicFilter": "a+"}]}),
        ("configureMqttSubscription", {"mqttFilterList": [{"topicFilter": "a"}, {"topicFilter": "a"}]}),
        ("configureMqttSubscription", {"mqttFilterList": [{"topicFilter": "a", "qos": -1}]}),
        ("configureMqttSubscription", {"mqttFilterList": [{"topicFilter": f"a{n}"} for n in range(101)]}),
        ("configureMqttSubscription", {"mqttFilterList": [{"topicFilter": "$SYS/a", "useDeviceTopicPrefix": True}]}),
        ("configureMqttSubscription", {"mqttFilterList": "a"}),
    ],
)
async def test_bad_lists(device: Device, method: str, params: dict[str, Any]) -> None:
    assert await code(device, method, params) == 2104


async def test_what_is_missing(device: Device) -> None:
    assert await code(device, "configureClient", {}) == 2103
    assert await code(device, "configureClient", {"server": {}}) == 2103
    assert await code(device, "configureMqttSubscription", {"mqttFilterList": [{}]}) == 2103
    assert await code(device, "activateClient") == 2200


@pytest.mark.parametrize("api", [mqtt_client, mqtt_event])
async def test_general_errors(device: Device, api: Any) -> None:
    async def error(body: bytes, role: Role = Role.ADMIN) -> int:
        found: int = (await send(device, api, body, role))["error"]["code"]
        return found

    assert (
        await error(b'{"apiVersion":"9.0","method":"getClientStatus"}'.replace(b"getClientStatus", _read(api))) == 2100
    )
    assert await error(b"{") == 2101
    assert await error(b'{"apiVersion":"1.0","method":"no"}') == 2102
    assert await error(b"{}") == 2103
    assert await error(b'{"apiVersion":"1.0","method":"' + _read(api) + b'"}', Role.OPERATOR) == 2105
    assert await error(b" " * 65_537) == 2106
    versions = await send(device, api, b'{"method":"getSupportedVersions"}')
    assert versions["data"]["apiVersions"] == list(api.API.versions)


def _read(api: Any) -> bytes:
    return b"getClientStatus" if api is mqtt_client else b"getEventPublicationConfig"


async def test_the_lists_come_back(device: Device) -> None:
    assert (await call(device, "getEventPublicationConfig"))["data"]["eventPublicationConfig"] == {
        "topicPrefix": "default", "customTopicPrefix": "", "appendEventTopic": True, "includeTopicNamespaces": True,
        "includeSerialNumberInPayload": False, "eventFilterList": [],
    }  # fmt: skip
    filters = [{"topicFilter": "onvif:Device/axis:IO//.", "qos": 2, "retain": "property"}]
    await call(device, "configureEventPublication", {"eventFilterList": filters, "appendEventTopic": False})
    found = (await call(device, "getEventPublicationConfig"))["data"]["eventPublicationConfig"]
    assert found["eventFilterList"] == filters
    assert not found["appendEventTopic"]
    given = [{"topicFilter": "Motion", "qos": 1, "isStateData": True}]
    await call(device, "configureMqttSubscription", {"mqttFilterList": given})
    found = (await call(device, "getMqttSubscriptionConfig"))["data"]["mqttSubscriptionConfig"]["mqttFilterList"]
    assert found == [{**given[0], "useDeviceTopicPrefix": False}]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from(CLIENT_METHODS + EVENT_METHODS), _JSON)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
async def test_any_params_get_an_answer(device: Device, method: str, params: Any) -> None:
    reply = await call(device, method, params)
    assert ("data" in reply) != ("error" in reply)
    assert reply.get("error", {}).get("code", 2103) in (2103, 2104, 2200)
