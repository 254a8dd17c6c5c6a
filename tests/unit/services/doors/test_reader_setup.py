"""Readers set up over the access control API: their connectors, addresses and keys follow, and keys are never lost."""

from __future__ import annotations

import pytest

from axcore.devices.reader import ReaderStatus
from axcore.errors import InputError
from axcore.model.pacs import EncryptionKey, IdPoint, IdPointConfiguration, Setting
from axcore.services.doors.reader_setup import Channel
from axcore.services.pacs.io import IoAssignment, IoUser
from axcore.testing.controller import ControllerBench
from tests.unit.services.doors.test_buses import Wires

KEY, OTHER = "6b1f0c93d2a8475e90b3c6d4e1f72a58", "00112233445566778899aabbccddee0f"
OSDP = {"Reader.Type": "RS-485HD", "RS-485HD.Protocol": "OSDP"}
SECURE = {"SecureChannel.KeyType": "KeyBase", "SecureChannel.KeyToken": "front"}


def bench_of(model: str = "a1610") -> tuple[ControllerBench, Wires]:
    bench, wires = ControllerBench(model), Wires()
    bench.buses.attach(wires)
    return bench, wires


def hardware(bench: ControllerBench, token: str, settings: dict[str, str]) -> None:
    held = tuple(Setting(f"IdPoint.{name}", value) for name, value in settings.items())
    record = IdPointConfiguration(token=token, settings=held)
    bench.do(lambda tx: bench.pacs.set(tx, "pacs.id_point_configuration", (record,)))


def key(bench: ControllerBench, value: str, token: str = "front") -> None:
    bench.do(lambda tx: bench.pacs.set(tx, "pacs.encryption_key", (EncryptionKey(token=token, key=value),)))


def test_a_connector_becomes_an_osdp_line_and_a_wiegand_line_again() -> None:
    bench, wires = bench_of()
    assert bench.reader_setup.channel("reader1") is None
    hardware(bench, "reader1", OSDP)
    assert bench.buses.port(1).protocol == "osdp"
    held = bench.buses.reader("reader1")
    assert (held.enabled, held.address, held.key, held.secure_only) == (True, 0, "", False)
    assert bench.reader_setup.channel("reader1") == Channel("offline", False)
    hardware(bench, "reader2", {**OSDP, "Hardware.Address": "5"})
    assert bench.buses.addresses(1) == {"reader1": 0, "reader2": 5}
    assert "connect" in [done[0] for done in wires.done]
    bench.do(lambda tx: bench.buses.configure(tx, "reader2", {"enabled": False}))
    hardware(bench, "reader1", {"Reader.Type": "Wiegand"})
    assert bench.buses.port(1).protocol == "wiegand"


def test_a_reader_that_is_to_have_a_key_is_not_talked_to_without() -> None:
    bench, _ = bench_of()
    hardware(bench, "reader1", {**OSDP, **SECURE})
    assert bench.buses.reader("reader1").secure_only
    assert bench.reader_setup.channel("reader1") == Channel("offline", False)
    key(bench, KEY)  # in any order
    assert bench.buses.reader("reader1").key == KEY
    assert bench.reader_setup.channel("reader1") == Channel("offline", True)
    hardware(bench, "reader1", {"SecureChannel.KeyType": "None"})
    held = bench.buses.reader("reader1")
    assert (held.key, held.secure_only) == (KEY, True)  # never taken away


def test_a_connected_reader_gets_its_new_key_through_the_secure_channel() -> None:
    bench, wires = bench_of()
    key(bench, KEY)
    hardware(bench, "reader1", {**OSDP, **SECURE})
    bench.do(lambda tx: bench.buses.on_status(tx, "reader1", ReaderStatus(link="secure")))
    assert bench.reader_setup.channel("reader1") == Channel("secure", True)
    wires.done.clear()
    key(bench, OTHER)
    assert wires.done == [("set_key", OTHER)]
    assert bench.buses.reader("reader1").key == KEY  # until the reader says that it has it
    bench.do(lambda tx: bench.buses.on_key_set(tx, "reader1", bytes.fromhex(OTHER)))
    assert bench.buses.reader("reader1").key == OTHER
    wires.done.clear()
    key(bench, KEY, token="somebody")
    assert wires.done == []


def test_what_a_line_cannot_be_undoes_the_record() -> None:
    bench, _ = bench_of("a1710-b")
    before = bench.ledger.store.records()
    for settings, named in (
        ({"Reader.Type": "Wiegand"}, "Wiegand"), ({**OSDP, "SecureChannel.KeyType": "KeyMaster"}, "KeyBase"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=named) as raised:
            hardware(bench, "reader1", settings)
        assert raised.value.field.startswith("[0].settings")
        assert bench.ledger.store.records() == before
    hardware(bench, "reader1", {**OSDP, "Hardware.Address": "3"})
    with pytest.raises(InputError, match="3"):
        hardware(bench, "reader2", {**OSDP, "Hardware.Address": "3"})
    assert "reader2" not in bench.pacs.table("pacs.id_point_configuration")


def test_the_line_of_an_id_point_that_is_assigned_follows_it() -> None:
    bench, _ = bench_of()
    bench.do(lambda tx: bench.pacs.set(tx, "pacs.id_point", (IdPoint(token="post"),)))
    hardware(bench, "post", OSDP)
    assert bench.buses.port(1).protocol == "wiegand"  # it is on no line
    user = IoUser(type="idpoint", token="post", usage="RS-485HD")
    entry = IoAssignment(token="Ser0hd", mode="rs485hd", users=(user,))
    bench.do(lambda tx: bench.pacs.set(tx, "pacs.io_assignment", (entry,)))
    assert bench.buses.port(1).protocol == "osdp"
    assert bench.buses.reader("reader1").enabled
    assert bench.reader_setup.channel("post") == Channel("offline", False)
