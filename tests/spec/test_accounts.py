"""Accounts, as the manual tells it (Create an administrator account; System > Accounts) and as VAPIX answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from axcore.model.accounts import Role
from axcore.model.events import CONFIGURATION_CHANGED
from axcore.runtime.ledger import Transaction
from axcore.testing.http import HttpDevice, Reply

PWDGRP = "/axis-cgi/pwdgrp.cgi"
FIRST = {"action": "add", "user": "root", "pwd": "pass", "grp": "root", "sgrp": "admin:operator:viewer:ptz"}


@pytest_asyncio.fixture
async def blank(tmp_path: Path) -> AsyncIterator[HttpDevice]:
    async with HttpDevice(tmp_path) as device:
        yield device


@pytest_asyncio.fixture
async def device(blank: HttpDevice) -> HttpDevice:
    blank.add_account("root", "pass")
    return blank


async def post(device: HttpDevice, login: str = "root", **fields: str) -> Reply:
    return await device.request("POST", PWDGRP, user=login, data=fields)


async def test_there_is_no_default_account(blank: HttpDevice) -> None:
    """The device has no default account."""
    assert blank.accounts.accounts() == ()
    for user, password in (("root", "pass"), ("root", ""), ("admin", "admin"), ("root", "root")):
        reply = await blank.request("GET", "/axis-cgi/usergroup.cgi", user=user, password=password)
        assert reply.status == 401


async def test_only_these_answer_before_the_first_admin(blank: HttpDevice) -> None:
    ready = await blank.request(
        "POST", "/axis-cgi/systemready.cgi", json={"apiVersion": "1.0", "method": "systemready"}
    )
    assert b'"needsetup":"yes"' in ready.body
    for path, method in (("apidiscovery", "getApiList"), ("basicdeviceinfo", "getAllUnrestrictedProperties")):
        reply = await blank.request("POST", f"/axis-cgi/{path}.cgi", json={"apiVersion": "1.0", "method": method})
        assert reply.status == 200
        assert b'"data"' in reply.body
    for route in blank.ctx.routes or ():
        if route.role > Role.ANONYMOUS:
            reply = await blank.request(route.method, route.path.replace("{", "").replace("}", ""))
            assert reply.status == 401, route
            assert "initial admin user must be created first." in reply.text, route


async def test_the_first_administrator_is_created_without_login(blank: HttpDevice) -> None:
    """The first time you log in to your device, you must create an administrator account."""
    reply = await blank.request("POST", PWDGRP, data=FIRST)
    assert (reply.status, reply.text.strip()) == (200, "Created account root.")
    assert reply.headers["Content-Type"].startswith("text/html")
    again = await blank.request("POST", PWDGRP, data={**FIRST, "user": "other"})
    assert again.status == 401, "open only once"
    me = await blank.request("GET", "/axis-cgi/usergroup.cgi", user="root")
    assert me.text == "root\r\nviewer operator admin ptz\r\n"


async def test_the_first_account_is_an_administrator(blank: HttpDevice) -> None:
    reply = await blank.request("POST", PWDGRP, data={**FIRST, "grp": "users", "sgrp": "viewer"})
    assert reply.text.startswith("Error: ")
    assert blank.accounts.needs_setup


async def test_the_first_administrator_by_get_and_by_text_plain(blank: HttpDevice, tmp_path: Path) -> None:
    query = "&".join(f"{key}={value}" for key, value in FIRST.items())
    reply = await blank.request("GET", f"{PWDGRP}?{query}", secure=False)
    assert reply.text.strip() == "Created account root."
    body = "action=add&user=view&pwd=a%20b&grp=users&sgrp=viewer"
    reply = await blank.request("POST", PWDGRP, user="root", data=body, headers={"Content-Type": "text/plain"})
    assert reply.text.strip() == "Created account view."
    assert (await blank.request("GET", "/axis-cgi/usergroup.cgi", user="view", password="a b")).status == 200


async def test_add_update_get_remove(device: HttpDevice) -> None:
    made = await post(
        device, action="add", user="joe", pwd="one", grp="users", sgrp="viewer:operator", comment="Joe Doe"
    )
    assert made.text.strip() == "Created account joe."
    listed = await post(device, action="get")
    assert (
        listed.text == 'admin="root"\r\noperator="joe,root"\r\nviewer="joe,root"\r\nptz=""\r\ndigusers="joe,root"\r\n'
    )
    changed = await post(device, action="update", user="joe", pwd="two", sgrp="viewer:ptz")
    assert changed.text.strip() == "Modified account joe."
    assert (await device.request("GET", "/axis-cgi/usergroup.cgi", user="joe", password="one")).status == 401
    me = await device.request("GET", "/axis-cgi/usergroup.cgi", user="joe", password="two")
    assert me.text == "joe\r\nviewer ptz\r\n"
    gone = await post(device, action="remove", user="joe")
    assert gone.text.strip() == "Removed account joe."
    assert (await device.request("GET", "/axis-cgi/usergroup.cgi", user="joe", password="two")).status == 401
    told = [event.data for event in device.ledger.events if event.topic == CONFIGURATION_CHANGED][1:]
    assert [(data["key"], data["action"], data["user"]) for data in told] == [
        ("joe", "add", "root"),
        ("joe", "update", "root"),
        ("joe", "remove", "root"),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"user": ""},
        {"user": "a" * 15},
        {"user": "a b"},
        {"user": "jöe"},
        {"user": "a:b"},
        {"user": "a\nb"},
        {"user": "<b>"},
        {"pwd": ""},
        {"pwd": "x" * 65},
        {"pwd": "pässword"},
        {"pwd": "tab\t"},
        {"sgrp": "admin"},
        {"sgrp": "operator"},
        {"sgrp": "viewer:viewer"},
        {"sgrp": "ptz"},
        {"sgrp": ""},
        {"sgrp": "viewer:root"},
        {"grp": "wheel"},
        {"comment": "a\nb"},
        {"comment": "c" * 129},
        {"user": "root"},
    ],
)
async def test_bad_values_change_nothing(device: HttpDevice, fields: dict[str, str]) -> None:
    """Passwords must be 1 to 64 characters long. Only ASCII printable characters (code 32 to 126) are allowed."""
    good = {"action": "add", "user": "joe", "pwd": "one", "grp": "users", "sgrp": "viewer"}
    before = device.accounts.accounts()
    reply = await post(device, **{**good, **fields})
    assert reply.status == 200
    assert reply.text.startswith("Error: ")
    assert "<b>" not in reply.text
    assert device.accounts.accounts() == before
    assert (await post(device, **{**good, "pwd": " ~" * 32, "user": "A" * 14})).text.startswith("Created")


async def test_at_most_100_accounts(device: HttpDevice) -> None:
    """You can add up to 100 accounts."""
    secrets = device.accounts.derive("user", "x")

    def fill(tx: Transaction) -> None:
        for number in range(99):
            device.accounts.add(tx, f"user{number}", secrets, Role.VIEWER)

    device.ledger.do(fill)
    reply = await post(device, action="add", user="more", pwd="one", grp="users", sgrp="viewer")
    assert reply.text.startswith("Error: ")
    assert "100" in reply.text
    assert len(device.accounts.accounts()) == 100


async def test_the_last_administrator_stays(device: HttpDevice) -> None:
    """You can't delete the root account."""
    assert (await post(device, action="remove", user="root")).text.startswith("Error: ")
    assert (await post(device, action="update", user="root", sgrp="viewer")).text.startswith("Error: ")
    device.add_account("second", "pass", Role.ADMIN)
    assert (await post(device, action="remove", user="root")).text.startswith("Error: ")
    assert (await post(device, action="update", user="root", sgrp="viewer")).text.startswith("Modified")
    assert (await post(device, login="second", action="remove", user="second")).text.startswith("Error: ")
    assert not device.accounts.needs_setup


async def test_only_administrators_manage_accounts(device: HttpDevice) -> None:
    """Administrators can also add, update, and remove other accounts."""
    device.add_account("oper", "pass", Role.OPERATOR)
    for action in ("add", "update", "remove", "get"):
        assert (await post(device, login="oper", action=action)).status == 403
    assert (await device.request("GET", f"{PWDGRP}?action=get")).status == 401


async def test_passwords_are_kept_as_hashes_only(device: HttpDevice) -> None:
    await post(device, action="add", user="joe", pwd="Canary-4711", grp="users", sgrp="viewer")
    stored = repr(device.ledger.store.records()) + repr(device.ledger.events) + repr(device.accounts.accounts())
    assert "Canary" not in stored
