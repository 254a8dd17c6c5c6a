"""A controller for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.unit.interfaces.pacs.rig import Controller


@pytest_asyncio.fixture
async def device(tmp_path: Path) -> AsyncIterator[Controller]:
    async with Controller(tmp_path) as found:
        yield found
