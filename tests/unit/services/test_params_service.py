"""The parameter tree without HTTP."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.errors import InputError, NotFoundError, StoreError
from axcore.model.accounts import Role
from axcore.model.ports import Port, PortConfig
from axcore.services.params import STREAM_PROFILES, ParamError, ParamService, Setting, ioport
from axcore.testing import MemoryLedger, MemoryStore

SETTINGS = (
    Setting(name="A.Number", default="5", kind="int", low=-10, high=10),
    Setting(name="A.Flag", default="off", kind="bool", choices=("on", "off"), write=Role.OPERATOR),
    Setting(name="A.Word", default="", read=Role.ADMIN),
)


class Ports:
    """A port service with two ports."""

    def __init__(self) -> None:
        self._ports = {
            0: Port(id=0, config=PortConfig(name="Port 1"), state="open", configurable=True),
            10: Port(id=10, config=PortConfig(name="Door", direction="output"), state="open", configurable=False),
        }

    def ports(self) -> tuple[Port, ...]:
        return tuple(self._ports.values())

    def configure(self, tx: Any, port_id: int, patch: dict[str, Any]) -> Port:
        if patch.get("name") == "taken":
            raise InputError("name", "is taken")
        port = self._ports[port_id]
        changed = msgspec.structs.replace(port, config=msgspec.structs.replace(port.config, **patch))
        tx.assign(self, "_ports", {**self._ports, port_id: changed})
        return changed


def make(store: MemoryStore | None = None) -> tuple[MemoryLedger, ParamService]:
    ledger = MemoryLedger(store=store)
    params = ParamService(SETTINGS, (ioport(Ports()),), (STREAM_PROFILES,))
    ledger.load(params.load)
    return ledger, params


def update(ledger: MemoryLedger, params: ParamService, changes: dict[str, str], role: Role = Role.ADMIN) -> None:
    ledger.do(lambda tx: params.update(tx, changes, role=role))


def test_types_and_defaults() -> None:
    ledger, params = make()
    assert (params.number("A.Number"), params.flag("A.Flag"), params.text("A.Word")) == (5, False, "")
    update(ledger, params, {"A.Number": "-07", "root.A.Flag": "ON", "A.Word": "ä b"})
    assert (params.number("A.Number"), params.flag("A.Flag"), params.text("A.Word")) == (-7, True, "ä b")
    with pytest.raises(KeyError):
        params.text("A.Other")


@pytest.mark.parametrize("value", ["", "x", "11", "-11", "5.0", "0x5", "\u0665", "1" * 5000, "1\n"])
def test_bad_numbers(value: str) -> None:
    ledger, params = make()
    with pytest.raises(ParamError) as caught:
        update(ledger, params, {"A.Number": value})
    assert (caught.value.name, caught.value.value) == ("A.Number", value)
    assert params.number("A.Number") == 5


def test_values_survive_a_restart_and_bad_ones_fall_back() -> None:
    ledger, params = make()
    update(ledger, params, {"A.Number": "3", "A.Word": "x"})
    ledger.do(lambda tx: tx.put("param", "A.Flag", b"\xff"))
    ledger.do(lambda tx: tx.put("param", "A.Gone", b"1"))
    _, again = make(ledger.store)
    assert (again.number("A.Number"), again.text("A.Word"), again.flag("A.Flag")) == (3, "x", False)


def test_a_failed_commit_leaves_the_old_value() -> None:
    ledger, params = make()
    ledger.store.broken = "disk is full"
    with pytest.raises(StoreError):
        update(ledger, params, {"A.Number": "3"})
    assert params.number("A.Number") == 5
    with pytest.raises(StoreError):
        ledger.do(lambda tx: params.add(tx, "streamprofile", "StreamProfile", {"Name": "x"}))
    assert dict(params.list(["StreamProfile"])) == {"StreamProfile.MaxGroups": "26"}


def test_ports_are_parameters() -> None:
    ledger, params = make()
    assert params.list(["IOPort.I0"]) == [
        ("IOPort.I0.Configurable", "yes"),
        ("IOPort.I0.Direction", "input"),
        ("IOPort.I0.Input.Name", "Port 1"),
        ("IOPort.I0.Input.Trig", "closed"),
        ("IOPort.I0.Usage", ""),
    ]
    assert params.list(["IOPort.I10.Output"]) == [
        ("IOPort.I10.Output.Active", "closed"),
        ("IOPort.I10.Output.Name", "Door"),
    ]
    assert params.list(["Input", "Output"]) == [("Input.NbrOfInputs", "1"), ("Output.NbrOfOutputs", "1")]
    update(ledger, params, {"IOPort.I0.Input.Trig": "open", "IOPort.I0.Input.Name": "Bell"}, Role.OPERATOR)
    assert params.list(["IOPort.I0.Input"]) == [("IOPort.I0.Input.Name", "Bell"), ("IOPort.I0.Input.Trig", "open")]
    with pytest.raises(ParamError):
        update(ledger, params, {"IOPort.I10.Direction": "input"})
    with pytest.raises(ParamError, match="taken"):
        update(ledger, params, {"IOPort.I0.Usage": "Button", "IOPort.I0.Input.Name": "taken"})
    assert params.list(["IOPort.I0.Usage"]) == [("IOPort.I0.Usage", "")], "all or nothing across owners"


def test_roles_hide_and_protect() -> None:
    ledger, params = make()
    assert "A.Word" not in dict(params.list(role=Role.OPERATOR))
    with pytest.raises(NotFoundError):
        params.list(["A.Word"], Role.OPERATOR)
    update(ledger, params, {"A.Flag": "on"}, Role.OPERATOR)
    for name in ("A.Number", "A.Word", "A.Nothing"):
        with pytest.raises(ParamError):
            update(ledger, params, {name: "1"}, Role.OPERATOR)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_name_and_value(name: str, value: str) -> None:
    ledger, params = make()
    with contextlib.suppress(NotFoundError):
        params.list([name])
    try:
        update(ledger, params, {name: value, "A.Word": value})
    except ParamError:
        assert params.text("A.Word") == ""
    else:
        assert params.text("A.Word") == value
