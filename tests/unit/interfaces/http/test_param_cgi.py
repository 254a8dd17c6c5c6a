"""param.cgi over the real server."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from axcore.model.accounts import Role
from axcore.testing.http import HttpDevice

PARAM = "/axis-cgi/param.cgi"
POLICY = "Network.HTTP.AuthenticationPolicy"


@pytest_asyncio.fixture
async def device(tmp_path: Path) -> AsyncIterator[HttpDevice]:
    async with HttpDevice(tmp_path) as device:
        for name, role in (("root", Role.ADMIN), ("oper", Role.OPERATOR), ("view", Role.VIEWER)):
            device.add_account(name, "pass", role)
        yield device


async def get(device: HttpDevice, query: str, user: str = "root") -> str:
    reply = await device.request("GET", f"{PARAM}?{query}", user=user)
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("text/plain")
    return reply.text


def values(text: str) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in text.splitlines())


NEEDED = (
    "API.HTTP.Version",
    "API.Metadata.Metadata",
    "API.Metadata.Version",
    "Firmware.BuildDate",
    "Firmware.BuildNumber",
    "Firmware.Version",
    "System.SerialNumber",
)


async def test_what_client_libraries_need(device: HttpDevice) -> None:
    """The body comes urlencoded, but is called text/plain."""
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        reply = await device.request(
            "POST", PARAM, user="root", data="action=list&group=root.Properties", headers={"Content-Type": kind}
        )
        found = values(reply.text)
        assert {f"root.Properties.{name}" for name in NEEDED} <= set(found)
        assert not found["root.Properties.System.SerialNumber"].isdigit()
        assert not found["root.Properties.Firmware.Version"].replace(".", "", 1).isdigit()


async def test_groups_wildcards_and_lists(device: HttpDevice) -> None:
    everything = values(await get(device, "action=list"))
    assert everything == values(await get(device, "action=list&group=root"))
    assert list(everything) == sorted(everything, key=str.lower)
    brand = values(await get(device, "action=list&group=Brand"))
    assert brand == {name: value for name, value in everything.items() if name.startswith("root.Brand.")}
    assert values(await get(device, "action=list&group=root.Brand,root.Time")).keys() == {*brand, "root.Time.TimeZone"}
    assert await get(device, "action=list&group=Brand.Brand") == "root.Brand.Brand=AXIS\n"
    assert await get(device, "action=list&group=B*.Brand&responseformat=rfc") == "root.Brand.Brand=AXIS\n"
    assert len(values(await get(device, "action=list&group=Properties.*.Version"))) >= 3
    assert await get(device, "action=list&group=Bran") == "# Error: Error -1 getting param in group 'Bran'!\n"
    mixed = await get(device, "action=list&group=Brand.Brand,Nothing")
    assert mixed == "root.Brand.Brand=AXIS\n# Error: Error -1 getting param in group 'Nothing'!\n"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "action=",
        "action=fly",
        "action=list&group=%2e%2e%2fetc",
        "action=list&group=" + "*" * 300,
        "action=update",
        "action=list&group=a%0ab",
        "action=update&Nothing.Here=1",
        f"action=update&{POLICY}=Open",
        "action=update&Brand.Brand=x",
        f"action=update&{POLICY}=Digest&{POLICY}=Basic",
        "action=update&System.PreventDoSAttack.DoSPageCount=0",
        "action=update&System.PreventDoSAttack.DoSPageCount=1e3",
        "action=update&Time.TimeZone=../../etc/passwd",
        "action=update&Time.TimeZone=Mars/Phobos",
        f"action=update&{POLICY}=Basic%0d%0aX:y",
        "action=update&=x",
        "action=listdefinitions",
        "action=listdefinitions&listformat=xmlschema&group=No",
    ],
)
async def test_errors_are_told_in_text_and_change_nothing(device: HttpDevice, query: str) -> None:
    before = values(await get(device, "action=list"))
    text = await get(device, query)
    assert text.startswith("# Error: ")
    assert text.count("\n") == 1
    assert values(await get(device, "action=list")) == before


async def test_update(device: HttpDevice) -> None:
    assert await get(device, f"action=update&root.{POLICY}=basic_digest&Time.TimeZone=Europe/Stockholm") == "OK\n"
    assert await get(device, f"action=list&group={POLICY}") == f"root.{POLICY}=Basic_Digest\n"
    again = HttpDevice(Path("/nonexistent"))
    again.ledger.store._records.update(device.ledger.store._records)
    params = again.params
    restarted = type(again.ledger)(store=device.ledger.store)
    restarted.load(params.load)
    assert params.text(POLICY) == "Basic_Digest"
    again.server.auth.close()


async def test_an_update_is_all_or_nothing(device: HttpDevice) -> None:
    for bad in ("Nothing=1", "Brand.Brand=x", "Time.TimeZone=No/Where"):
        text = await get(device, f"action=update&{POLICY}=Digest&{bad}")
        name, _, value = bad.partition("=")
        assert text == f"# Error: Error setting '{name}' to '{value}'!\n"
        assert device.params.text(POLICY) == "Recommended"


async def test_roles(device: HttpDevice) -> None:
    seen = {user: values(await get(device, "action=list", user)) for user in ("view", "oper", "root")}
    assert set(seen["view"]) < set(seen["oper"]) < set(seen["root"])
    assert not any("PreventDoS" in name for name in seen["oper"])
    assert (await device.request("GET", f"{PARAM}?action=update&{POLICY}=Basic", user="view")).status == 403
    refused = await get(device, f"action=update&{POLICY}=Basic", "oper")
    assert refused == f"# Error: Error setting '{POLICY}' to 'Basic'!\n"
    assert (await device.request("GET", f"{PARAM}?action=list&usergroup=admin", user="view")).status == 403
    assert (await device.request("GET", f"{PARAM}?action=list&usergroup=viewer", user="view")).status == 200


ADD = "action=add&template=streamprofile&group=StreamProfile&StreamProfile.S.Name="


async def test_add_and_remove_groups(device: HttpDevice) -> None:
    assert await get(device, ADD + "one&StreamProfile.S.Parameters=fps%3D5") == "S0 OK\n"
    assert await get(device, ADD + "two") == "S1 OK\n"
    found = values(await get(device, "action=list&group=StreamProfile"))
    assert found["root.StreamProfile.S0.Parameters"] == "fps=5"
    assert found["root.StreamProfile.MaxGroups"] == "26"
    assert (
        await get(device, "action=update&StreamProfile.S1.Name=zwei&StreamProfile.S1.Description=d", "oper") == "OK\n"
    )
    assert device.params.list(["StreamProfile.S1"])[:2] == [
        ("StreamProfile.S1.Description", "d"),
        ("StreamProfile.S1.Name", "zwei"),
    ]
    assert (await get(device, "action=remove&group=root.StreamProfile.S0,StreamProfile.S7")).startswith(
        "# Request failed"
    )
    assert "StreamProfile.S0.Name" in dict(device.params.list(["StreamProfile"]))
    assert await get(device, "action=remove&group=root.StreamProfile.S0") == "OK\n"
    assert await get(device, ADD + "three") == "S0 OK\n"
    for n in range(2, 26):
        assert await get(device, ADD + str(n)) == f"S{n} OK\n"
    assert (await get(device, ADD + "more")).startswith("# Request failed: ")


@pytest.mark.parametrize(
    "query",
    [
        "action=add",
        "action=add&template=x&group=StreamProfile",
        "action=add&template=streamprofile&group=Brand",
        ADD + "x&StreamProfile.S.Wrong=1",
        ADD + "x&Other.S.Name=1",
        ADD + "x&StreamProfile.T.Name=y",
        ADD + "x%0ay",
        "action=remove",
        "action=remove&group=Brand",
        "action=remove&group=StreamProfile",
        "action=remove&group=StreamProfile.S0",
    ],
)
async def test_failed_requests(device: HttpDevice, query: str) -> None:
    text = await get(device, query)
    assert text.startswith("# Request failed: ")
    assert text.count("\n") == 1
    assert [name for name, _ in device.params.list(["StreamProfile"])] == ["StreamProfile.MaxGroups"]


@pytest.mark.parametrize("body", ["action=%zz", "action=%ff", "a=%00", "&".join(f"a{n}=1" for n in range(1500)), "ä=1"])
async def test_what_does_not_decode_is_refused(device: HttpDevice, body: str) -> None:
    reply = await device.request("POST", PARAM, user="root", data=body.encode(), headers={"Content-Type": "text/plain"})
    assert reply.status == 400


async def test_definitions(device: HttpDevice) -> None:
    reply = await device.request("GET", f"{PARAM}?action=listdefinitions&listformat=xmlschema", user="root")
    assert reply.headers["Content-Type"].startswith("text/xml")
    root = ET.fromstring(reply.text)
    namespace = "{http://www.axis.com/ParameterDefinitionsSchema}"
    assert root.tag == namespace + "parameterDefinitions"
    found = {node.get("name"): node for node in root.iter(namespace + "parameter")}
    policy = found["AuthenticationPolicy"]
    assert policy.get("value") == "Recommended"
    assert policy.get("securityLevel") == "7716"
    assert [node.get("value") for node in policy.iter(namespace + "entry")] == [
        "Basic",
        "Digest",
        "Basic_Digest",
        "Recommended",
    ]
