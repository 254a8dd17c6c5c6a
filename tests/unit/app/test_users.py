"""What a whole device uses cannot be removed under it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from axcore.app.device import Device
from axcore.errors import ConflictError
from axcore.model.actions import MakeCall
from axcore.model.events import CALL_BUTTON, CALL_DTMF
from axcore.model.intercom import ContactSpec, DtmfEventSpec, GroupSpec
from axcore.model.mqtt import ClientConfig, ClientRequest, Server, Tls
from axcore.model.rules import Condition, RuleSpec
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


def test_a_contact_or_group_that_a_rule_calls(tmp_path: Path) -> None:
    device = Device("a8207-ve-mk2", tmp_path / "data")
    assert device.intercom is not None
    contacts = device.intercom.service.contacts
    device.start()
    try:

        def do(job):  # type: ignore[no-untyped-def]
            return device.ledger.submit(job).result(10)

        ada = do(lambda tx: contacts.add_contact(tx, ContactSpec(first_name="Ada", sip_address="sip:ada@10.0.0.2"))).id
        front = do(lambda tx: contacts.add_group(tx, GroupSpec(name="Front", recipients=(ada,)))).id
        rules = [
            do(
                lambda tx, to=to: device.events.add_rule(
                    tx, RuleSpec(name=f"Call {to}", conditions=(Condition(topic=CALL_BUTTON),), action=MakeCall(to=to))
                )
            ).id
            for to in ("ada", "front")
        ]
        file = contacts.export()
        for change, message in (
            (lambda tx: contacts.remove_contact(tx, ada), "id: the contact 'Ada' is used by the rule 'Call ada'"),
            (lambda tx: contacts.remove_group(tx, front), "id: the group 'Front' is used by the rule 'Call front'"),
            (
                lambda tx: contacts.update_group(tx, front, {"group_calls": False}),
                "group_calls: the group 'Front' is used by the rule 'Call front'",
            ),
            (
                lambda tx: contacts.replace(tx, msgspec.structs.replace(file, groups=())),
                "groups: the group 'Front' is used by the rule 'Call front'",
            ),
        ):
            with pytest.raises(ConflictError, match=message):
                do(change)
        assert contacts.export() == file
        assert do(lambda tx: contacts.replace(tx, file)) == file
        for rule in rules:
            do(lambda tx, rule=rule: device.events.remove_rule(tx, rule))
        do(lambda tx: contacts.remove_contact(tx, ada))
        do(lambda tx: contacts.remove_group(tx, front))
    finally:
        device.stop()


def test_a_dtmf_event_that_a_rule_waits_for(tmp_path: Path) -> None:
    device = Device("a8207-ve-mk2", tmp_path / "data")
    assert device.intercom is not None
    dtmf = device.intercom.service.accounts.dtmf
    device.start()
    try:

        def do(job):  # type: ignore[no-untyped-def]
            return device.ledger.submit(job).result(10)

        key = do(lambda tx: dtmf.add_event(tx, DtmfEventSpec(name="Unlock door"))).id
        condition = Condition(topic=CALL_DTMF, data={"DTMFEventId": key})
        spec = RuleSpec(name="Open", conditions=(condition,), action=MakeCall(to="sip:ada@10.0.0.2"))
        rule = do(lambda tx: device.events.add_rule(tx, spec)).id
        with pytest.raises(ConflictError, match="id: the DTMF event 'Unlock door' is used by the rule 'Open'"):
            do(lambda tx: dtmf.remove_event(tx, key))
        do(lambda tx: device.events.remove_rule(tx, rule))
        do(lambda tx: dtmf.remove_event(tx, key))
    finally:
        device.stop()
