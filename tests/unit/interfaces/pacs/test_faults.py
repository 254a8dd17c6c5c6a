"""Every fault that the services have, as JSON and as SOAP: its codes, what it names, and that nothing has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from axcore.errors import QueueFullError, StoreError
from axcore.services.pacs import kinds
from tests.unit.interfaces.pacs.rig import SOAP12, Controller

SENDER, RECEIVER = "env:Sender", "env:Receiver"
FAULTS: list[tuple[str, Any, str, tuple[str, str, str | None]]] = [
    ("nothing:Known", {}, "nothing", (RECEIVER, "ter:ActionNotSupported", None)),
    ("GetServiceCapabilities", {}, "GetServiceCapabilities", (SENDER, "ter:InvalidArgs", None)),
    ("axtdc:SetDoor", {}, "Door:", (SENDER, "ter:InvalidArgs", None)),
    ("axtdc:SetDoor", {"Door": [{"Name": 3}]}, "Door[0].Name:", (SENDER, "ter:InvalidArgs", None)),
    ("axtdc:SetDoor", {"Door": [{"Colour": "red"}]}, "Door[0].Colour:", (SENDER, "ter:InvalidArgs", None)),
    ("axtdc:SetDoor", {"Door": [{"Name": "x" * 65}]}, "Door[0].Name:", (SENDER, "ter:InvalidArgVal", None)),
    ("axtdc:SetDoor", {"Door": [{"AccessTime": "1 s"}]}, "Door[0].AccessTime:", (SENDER, "ter:InvalidArgVal", None)),
    (
        "axtdc:SetDoor", {"Door": [{"PriorityConfiguration": "none"}]}, "Door[0].PriorityConfiguration:",
        (SENDER, "ter:InvalidArgVal", "ter:NotFound"),
    ),
    ("axtdc:RemoveDoor", {"Token": ["none"]}, "Token:", (SENDER, "ter:InvalidArgVal", "ter:NotFound")),
    ("tdc:GetDoorState", {"Token": "none"}, "Token:", (SENDER, "ter:InvalidArgVal", "ter:NotFound")),
    ("tdc:AccessDoor", {"Token": "closed"}, "", (RECEIVER, "ter:Action", "ter:Failure")),
    ("axtdc:GetDoorList", {"StartReference": "there"}, "StartReference:",
     (SENDER, "ter:InvalidArgVal", "ter:InvalidStartReference")),
    ("axtdc:GetDoor", {"Token": [str(n) for n in range(5_001)]}, "Token:",
     (SENDER, "ter:InvalidArgs", "ter:TooManyItems")),
    ("axsch:RemoveSchedule", {"Token": ["standard_always"]}, "Token:",
     (SENDER, "ter:InvalidArgVal", "ter:ReferenceInUse")),
    ("axloc:SetIgnoreFilter", {"Filter": [{"KeyValues": [{"Key": str(n)}]} for n in range(65)]}, "Filter:",
     (SENDER, "ter:CapabilityViolated", "ter:MaxIgnoreFilters")),
    ("axlog:FetchEvents", {"Start": "soon"}, "Start:", (SENDER, "ter:InvalidArgVal", "ter:InvalidStartTime")),
    ("axlog:FetchEvents", {"Stop": "late"}, "Stop:", (SENDER, "ter:InvalidArgVal", "ter:InvalidStopTime")),
    ("axlog:RemoveLoggedAlarm", {"Token": ["none"]}, "Token:", (SENDER, "ter:InvalidArgVal", "ter:NotFound")),
    ("axloc:EnableGlobalDistribution", {}, "events", (RECEIVER, "ter:ActionNotSupported", "ter:NotSupported")),
    ("axtid:FeedbackMessage", {"Token": "reader", "Message": "AccessGranted"}, "there are no readers",
     (RECEIVER, "ter:ActionNotSupported", None)),
    ("axhbt:Heartbeat", {"Duration": 0}, "Duration:", (SENDER, "ter:InvalidArgVal", None)),
    ("axkey:SetEncryptionKey", {"EncryptionKey": [{"Key": "00" * 16}]}, "EncryptionKey[0].Key:",
     (SENDER, "ter:InvalidArgVal", None)),
    ("axisio:SetIoAssignment", {"IoAssignment": [{"IoName": "none"}]}, "IoAssignment[0].IoName:",
     (SENDER, "ter:InvalidArgVal", "ter:NotFound")),
]  # fmt: skip
"""Method, arguments, how the message begins, and fault, code and subcode."""
JSON_ONLY = ("Door[0].Name:",)
"""XML has texts only; and its documents are smaller."""


async def prepare(device: Controller) -> None:
    """A door that is locked down, a reader, and a schedule in use."""
    await device.make_door("closed")
    await device.json("tdc:LockDownDoor", {"Token": "closed"})
    await device.json("axtid:SetIdPoint", {"IdPoint": [{"token": "reader", "Name": "Reader"}]})
    profile = {"token": "staff", "Schedule": ["standard_always"]}
    await device.json("pacsaxis:SetAccessProfile", {"AccessProfile": [profile]})


def state(device: Controller) -> dict[str, Any]:
    return {kind: dict(device.pacs.table(kind)) for kind in kinds.ALL}


@pytest.mark.parametrize(("method", "arguments", "begins", "codes"), FAULTS, ids=lambda value: str(value)[:40])
async def test_a_fault_has_its_codes_and_changes_nothing(
    device: Controller, method: str, arguments: Any, begins: str, codes: tuple[str, str, str | None]
) -> None:
    await prepare(device)
    before = state(device)
    fault = await device.fault(method, arguments)
    assert (fault["Fault"], fault["FaultCode"], fault["FaultSubCode"]) == codes
    assert fault["FaultReason"] != "Error"
    assert begins in fault["FaultMsg"][: len(begins) + 40]
    if begins.endswith(":"):
        assert fault["FaultMsg"].startswith(begins)
    assert state(device) == before
    if ":" not in method or method.startswith("nothing") or begins in JSON_ONLY or "5000" in str(arguments):
        return
    code, subcodes = soap_fault(await device.soap(xml(method, arguments), 400))
    assert f"env:{code}" == codes[0]
    assert subcodes == [name for name in codes[1:] if name is not None]
    assert state(device) == before


def xml(method: str, arguments: Any) -> str:
    """The same arguments as elements."""
    prefix = method.partition(":")[0]

    def inside(value: Any) -> str:
        if not isinstance(value, dict):
            return str(value)
        return "".join(
            f"<{prefix}:{name}>{inside(entry)}</{prefix}:{name}>"
            for name, held in value.items()
            for entry in (held if isinstance(held, list) else [held])
        )

    return f"<{method}>{inside(arguments)}</{method}>"


def soap_fault(fault: ElementTree.Element) -> tuple[str, list[str]]:
    """Code and subcodes."""

    def values(element: ElementTree.Element) -> Iterator[str]:
        for child in element:
            if child.tag == f"{{{SOAP12}}}Value":
                yield (child.text or "").strip()
            elif child.tag == f"{{{SOAP12}}}Subcode":
                yield from values(child)

    code = fault.find(f"{{{SOAP12}}}Code")
    assert code is not None
    first, *more = values(code)
    return first.rpartition(":")[2], more


@pytest.mark.parametrize("error", [StoreError("store", "disk full"), QueueFullError("ring full")])
async def test_what_cannot_be_stored_is_the_devices_fault(
    device: Controller, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(job: Any, **_: Any) -> Any:
        raise error

    monkeypatch.setattr(device.ledger, "run", run)
    reply = await device.post("/vapix/pacs", msgspec.json.encode({"axudb:SetUser": {"User": [{"Name": "Ann"}]}}))
    assert reply.status == 500
    fault = msgspec.json.decode(reply.body)
    assert (fault["Fault"], fault["FaultCode"]) == (RECEIVER, "ter:Action")
    assert "disk full" not in fault["FaultMsg"]


async def test_a_limit_is_told_with_what_there_may_be(tmp_path: Path) -> None:
    async with Controller(tmp_path) as device:
        records = [{"token": f"c{n}", "Name": "x"} for n in range(65)]
        fault = await device.fault("pacsaxis:SetAccessController", {"AccessController": records})
        assert fault["FaultSubCode"] == "ter:MaxAccessControllers"
        assert "64" in fault["FaultMsg"]
        assert not any(token.startswith("c") for token in device.pacs.table("pacs.access_controller"))
