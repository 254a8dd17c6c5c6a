"""restart.cgi, factorydefault.cgi, hardfactorydefault.cgi: for admins, without arguments, and only on purpose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from axcore.model.accounts import Role
from axcore.testing.http import HttpDevice

CGIS = ("restart", "factorydefault", "hardfactorydefault")


@pytest_asyncio.fixture
async def device(tmp_path: Path) -> AsyncIterator[HttpDevice]:
    async with HttpDevice(tmp_path) as device:
        for name, role in (("root", Role.ADMIN), ("oper", Role.OPERATOR)):
            device.add_account(name, "pass", role)
        yield device


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_each_asks_for_its_own(device: HttpDevice, method: str) -> None:
    for cgi in CGIS:
        reply = await device.request(method, f"/axis-cgi/{cgi}.cgi", user="root")
        assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert device.wishes.restarts == 1
    assert device.wishes.resets == ["soft", "hard"]


@pytest.mark.parametrize("cgi", CGIS)
async def test_refused(device: HttpDevice, cgi: str) -> None:
    path = f"/axis-cgi/{cgi}.cgi"
    assert (await device.request("GET", path)).status == 401
    assert (await device.request("GET", path, user="oper")).status == 403
    reply = await device.request("GET", f"{path}?dry=1", user="root")
    assert (reply.status, reply.text) == (400, "Error: dry: this request takes no arguments\r\n")
    assert (await device.request("GET", path, user="root", headers={"Origin": "https://evil.example"})).status == 403
    assert device.wishes.restarts == 0
    assert device.wishes.resets == []
