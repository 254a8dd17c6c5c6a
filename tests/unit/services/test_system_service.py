"""Identity, restart wishes, time zones."""

from __future__ import annotations

import re

import pytest

from axcore.errors import InputError
from axcore.services import time as zones
from axcore.services.system import SystemService
from axcore.testing import MemoryLedger
from axcore.testing.http import Product, Wishes


def make(ledger: MemoryLedger) -> SystemService:
    system = SystemService(Product(), ledger.virtual_clock.mono_ns, Wishes())
    ledger.load(system.load)
    return system


def test_the_serial_number_is_made_once() -> None:
    first = MemoryLedger()
    system = make(first)
    assert re.fullmatch("B8A44F[0-9A-F]{6}", system.serial)
    assert system.mac.replace(":", "") == system.serial
    assert system.realm == f"AXIS_{system.serial}"
    again = make(MemoryLedger(store=first.store))
    assert again.serial == system.serial
    assert again.boot_id != system.boot_id
    assert make(MemoryLedger()).serial != system.serial


def test_identity_uptime_and_wishes() -> None:
    ledger = MemoryLedger()
    system = make(ledger)
    assert system.identity.serial_number == system.serial
    assert system.identity.prod_nbr == "A8207-VE"
    ledger.virtual_clock.advance(59.999)
    ledger.virtual_clock.step(-3600)
    assert system.uptime == 59
    system.request_restart()
    system.request_factory_default("soft")
    assert isinstance(system.lifecycle, Wishes)
    assert (system.lifecycle.restarts, system.lifecycle.resets) == (1, ["soft"])
    with pytest.raises(RuntimeError):
        SystemService(Product(), ledger.virtual_clock.mono_ns).request_restart()


@pytest.mark.parametrize(
    "name", ["", "Mars/Phobos", "../etc/passwd", "/etc/passwd", "Europe/", "UTC\0", "a" * 200, "Europe"]
)
def test_unknown_zones(name: str) -> None:
    with pytest.raises(InputError):
        zones.check_zone(name)
    assert zones.posix_zone(name) is None
    assert zones.local(0, name).isoformat() == "1970-01-01T00:00:00+00:00"


def test_zones() -> None:
    winter, summer = 1_767_268_800_000_000_000, 1_782_907_200_000_000_000
    assert zones.check_zone("UTC") == "UTC"
    assert zones.posix_zone("UTC") == "UTC0"
    assert zones.local(winter, "America/New_York").isoformat() == "2026-01-01T07:00:00-05:00"
    assert not zones.has_dst(winter, "Europe/Stockholm")
    assert zones.has_dst(summer, "Europe/Stockholm")
    assert zones.posix_zone("Asia/Kolkata") == "IST-5:30"
