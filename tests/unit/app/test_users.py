"""What a whole device uses cannot be removed under it."""

from __future__ import annotations

from pathlib import Path

import pytest

from axcore.app.device import Device
from axcore.errors import ConflictError
from axcore.model.mqtt import ClientConfig, ClientRequest, Server, Tls
from axcore.testing.mosquitto import Authority


def test_a_certificate_that_calls_mqtt_or_the_reader_need(tmp_path: Path) -> None:
    device, authority = Device("a8207-ve-mk2", tmp_path / "data"), Authority()
    assert device.intercom is not None
    assert device.station is not None
    accounts, reader = device.intercom.service.accounts, device.station.service
    device.start()
    try:

        def do(job):  # type: ignore[no-untyped-def]
            return device.ledger.submit(job).result(10)

        for alias in ("sip", "account", "broker", "controller", "spare"):
            do(lambda tx, alias=alias: device.certificates.add(tx, alias, authority.client, authority.client_key))
        do(lambda tx: accounts.set_settings(tx, {"certificate": "sip"}))
        do(lambda tx: accounts.update_account(tx, next(iter(accounts.accounts)), {"ca_certificate": "account"}))
        do(lambda tx: reader.set_settings(tx, {"vapix": {"ca_certificate": "controller"}}))
        client = ClientConfig(server=Server(host="h", protocol="ssl"), ssl=Tls(ca_cert_id="broker"))
        fields = {name: getattr(client, name) for name in ClientConfig.__struct_fields__}
        do(lambda tx: device.mqtt.configure(tx, ClientRequest(**fields)))
        for alias, user in (
            ("sip", "the settings of SIP"),
            ("account", "the SIP account 'Peer-to-peer'"),
            ("broker", "the MQTT client"),
            ("controller", "the connection of the reader to its door controller"),
        ):
            with pytest.raises(ConflictError, match=f"'{alias}' is used by {user}; change that first"):
                do(lambda tx, alias=alias: device.certificates.remove(tx, alias))
        do(lambda tx: device.certificates.remove(tx, "spare"))
        do(lambda tx: accounts.set_settings(tx, {"certificate": ""}))
        do(lambda tx: device.certificates.remove(tx, "sip"))
    finally:
        device.stop()
