"""The server as a whole: dispatch, limits, errors, stop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from axcore.model.accounts import Role
from axcore.testing.http import HttpDevice


@pytest_asyncio.fixture
async def device(tmp_path: Path) -> AsyncIterator[HttpDevice]:
    async with HttpDevice(tmp_path) as device:
        for name, role in (("root", Role.ADMIN), ("oper", Role.OPERATOR), ("view", Role.VIEWER)):
            device.add_account(name, "pass", role)
        yield device


async def test_smoke(device: HttpDevice) -> None:
    reply = await device.request("GET", "/axis-cgi/usergroup.cgi", user="root")
    assert (reply.status, reply.text) == (200, "root\r\nviewer operator admin\r\n")
    reply = await device.request("GET", "/axis-cgi/usergroup.cgi", user="view", digest=True, secure=False)
    assert (reply.status, reply.text) == (200, "view\r\nviewer\r\n")
