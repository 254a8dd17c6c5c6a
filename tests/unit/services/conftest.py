"""An access service on a ledger in memory, with virtual time."""

from __future__ import annotations

import pytest

from axcore.testing.access import Door


@pytest.fixture
def door() -> Door:
    """A device with the entry list turned on and nobody in it."""
    door = Door()
    door.settings(use_entry_list=True)
    return door
