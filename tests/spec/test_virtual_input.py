"""Virtual inputs as the manual uses them (strobe siren: activate and deactivate by two addresses), and as their API
describes them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from stubs import Device, FakeRequest

from axcore.interfaces.http.vapix.virtualinput import activate_cgi, deactivate_cgi, schemaversions_cgi
from axcore.model.events import IO_VIRTUAL_INPUT

NS = "{http://www.axis.com/vapix/http_cgi/virtualinput1}"


class VirtualInputs:
    """A client of the three CGIs."""

    def __init__(self) -> None:
        self.device = Device()

    async def get(self, cgi: str, query: str) -> ET.Element:
        handler = {"activate": activate_cgi, "deactivate": deactivate_cgi, "versions": schemaversions_cgi}[cgi]
        response = await handler(FakeRequest(query), self.device)  # type: ignore[arg-type]
        assert response.status == 200
        assert response.content_type == "text/xml"
        root = ET.fromstring(response.text or "")
        assert root.tag == f"{NS}VirtualInputResponse"
        assert root.get("SchemaVersion") == "1.1"
        return root

    async def changed(self, cgi: str, query: str) -> str | None:
        root = await self.get(cgi, query)
        return root.findtext(f"{NS}Success/{NS}{cgi.capitalize()}Success/{NS}StateChanged")

    async def error(self, cgi: str, query: str) -> str | None:
        return (await self.get(cgi, query)).findtext(f"{NS}Error/{NS}GeneralError/{NS}ErrorCode")

    def pass_time(self, seconds: float) -> None:
        self.device.ledger.advance(seconds)

    def active(self, port: int) -> bool:
        return self.device.ports.virtual_inputs()[port - 1]

    @property
    def events(self) -> list[tuple[str, str]]:
        return [(e.source["port"], e.data["active"]) for e in self.device.store.events if e.topic == IO_VIRTUAL_INPUT]


@pytest.fixture
def inputs() -> VirtualInputs:
    return VirtualInputs()


async def test_activate_and_deactivate_tell_whether_the_state_changed(inputs: VirtualInputs) -> None:
    query = "schemaversion=1&port=10"
    assert await inputs.changed("activate", query) == "true"
    assert await inputs.changed("activate", query) == "false"
    assert inputs.active(10)
    assert await inputs.changed("deactivate", query) == "true"
    assert await inputs.changed("deactivate", query) == "false"
    assert inputs.events == [("10", "1"), ("10", "0")]


async def test_there_are_64(inputs: VirtualInputs) -> None:
    assert await inputs.changed("activate", "schemaversion=1&port=1") == "true"
    assert await inputs.changed("activate", "schemaversion=1&port=64") == "true"
    assert await inputs.error("activate", "schemaversion=1&port=0") == "20"
    assert await inputs.error("activate", "schemaversion=1&port=65") == "20"


async def test_duration_ends_by_itself_and_again_restarts_it(inputs: VirtualInputs) -> None:
    query = "schemaversion=1&port=3&duration=5"
    assert await inputs.changed("activate", query) == "true"
    inputs.pass_time(4)
    assert await inputs.changed("activate", query) == "false"
    inputs.pass_time(4.9)
    assert inputs.active(3)
    inputs.pass_time(0.1)
    assert not inputs.active(3)


async def test_duration_zero_is_a_pulse(inputs: VirtualInputs) -> None:
    assert await inputs.changed("activate", "schemaversion=1&port=3&duration=0") == "true"
    assert inputs.events == [("3", "1"), ("3", "0")]


@pytest.mark.parametrize(
    ("query", "code"),
    [("", "10"), ("schemaversion=1", "10"), ("port=1", "10"), ("schemaversion=2&port=1", "30"),
     ("schemaversion=x&port=1", "30"), ("schemaversion=1&port=x", "20"), ("schemaversion=1&port=1&duration=-1", "50"),
     ("schemaversion=1&port=1&duration=1.5", "50"), ("schemaversion=1&port=1&duration=99999999999", "50"),
     ("schemaversion=1&port=1&duration=", "50")],
)  # fmt: skip
async def test_errors_change_nothing(inputs: VirtualInputs, query: str, code: str) -> None:
    before = inputs.device.snapshot()
    assert await inputs.error("activate", query) == code
    assert inputs.device.snapshot() == before


async def test_schema_versions(inputs: VirtualInputs) -> None:
    root = await inputs.get("versions", "")
    version = root.find(f"{NS}Success/{NS}GetSchemaVersionsSuccess/{NS}SchemaVersion")
    assert version is not None
    assert [child.text for child in version] == ["1", "1", "false"]
