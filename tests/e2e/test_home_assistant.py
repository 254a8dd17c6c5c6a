"""Home Assistant's client library sets the device up, sees its ports and opens the door (seen on the pin)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from axis.device import AxisDevice
from axis.models.configuration import Configuration
from axis.models.port_management import PortConfiguration, Sequence
from axis.models.pwdgrp_cgi import SecondaryGroup

from axcore.interfaces.cli.instance import Instance

DOOR = "4"
TIMEOUT = 120.0


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    with Instance() as device:
        device.start()
        assert device.create_admin() == f"Created account {device.user}."
        yield device


@asynccontextmanager
async def connected(instance: Instance, user: str = "", password: str = "") -> AsyncIterator[AxisDevice]:
    """The library, over plain HTTP (so by digest), as Home Assistant uses it."""
    url = httpx.URL(instance.running.http)
    async with httpx.AsyncClient(verify=False) as session:
        configuration = Configuration(
            session,
            url.host,
            port=url.port or 80,
            username=user or instance.user,
            password=password or instance.password,
        )
        yield AxisDevice(configuration)


async def edge(instance: Instance, active: bool) -> None:
    await asyncio.to_thread(instance.tap.expect, "relay1", active, TIMEOUT)


async def test_set_up_finds_everything(instance: Instance, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with connected(instance) as device:
        vapix = device.vapix
        await vapix.initialize()
        assert {"api-discovery", "basic-device-info", "io-port-management"} <= set(vapix.api_discovery.keys())
        assert vapix.basic_device_info.initialized
        assert vapix.params.property_handler.initialized
        assert vapix.product_number == "A8207-VE Mk II"
        assert vapix.product_type == "Network Video Door Station"
        assert isinstance(vapix.serial_number, str)
        assert len(vapix.serial_number) == 12
        assert vapix.firmware_version
        assert vapix.params.property_handler["0"].system_serial_number == vapix.serial_number
        assert vapix.ports is vapix.io_port_management
        assert list(vapix.ports.keys()) == ["0", "1", "2", "3", "4", "5"]
        door = vapix.ports[DOOR]
        assert (door.name, door.direction, door.state, door.normal_state) == ("Door", "output", "open", "open")
    assert [record.message for record in caplog.records] == []


async def test_door_by_port_management(instance: Instance) -> None:
    async with connected(instance) as device:
        await device.vapix.initialize()
        ports = device.vapix.io_port_management
        await ports.close(DOOR)
        await edge(instance, True)
        await ports.update()
        assert ports[DOOR].state == "closed"
        await ports.open(DOOR)
        await edge(instance, False)
        await ports.update()
        assert ports[DOOR].state == "open"
        assert await ports.get_supported_versions() == ["1.1"]


async def test_door_by_sequence(instance: Instance) -> None:
    async with connected(instance) as device:
        await device.vapix.initialize()
        steps = [Sequence("closed", 100), Sequence("open", 100), Sequence("closed", 100), Sequence("open", 0)]
        await device.vapix.io_port_management.set_state_sequence(DOOR, steps)
        for active in (True, False, True, False):
            await edge(instance, active)


async def test_door_by_port_cgi(instance: Instance) -> None:
    async with connected(instance) as device:
        await device.vapix.initialize()
        ports = device.vapix.port_cgi
        assert await ports.update()
        assert ports[DOOR].name == "Door"
        await ports.close(DOOR)
        await edge(instance, True)
        await ports.open(DOOR)
        await edge(instance, False)


async def test_configure_a_port(instance: Instance) -> None:
    async with connected(instance) as device:
        await device.vapix.initialize()
        ports = device.vapix.io_port_management
        await ports.set_ports([PortConfiguration("0", name="Gate", usage="Button", normal_state="closed")])
        await ports.update()
        assert (ports["0"].name, ports["0"].usage, ports["0"].normal_state) == ("Gate", "Button", "closed")
        await ports.set_ports([PortConfiguration("0", name="Port 1", usage="", normal_state="open")])


async def test_users(instance: Instance) -> None:
    async with connected(instance) as device:
        vapix = device.vapix
        await vapix.initialize_users()
        await vapix.load_user_groups()
        assert vapix.access_rights is SecondaryGroup.ADMIN_PTZ
        await vapix.users.create("watcher", pwd="watching 1", sgrp=SecondaryGroup.VIEWER)
        users = await vapix.users.list()
        assert users["watcher"].privileges is SecondaryGroup.VIEWER
        await vapix.users.modify("watcher", sgrp=SecondaryGroup.OPERATOR)
        assert (await vapix.users.list())["watcher"].privileges is SecondaryGroup.OPERATOR
        await vapix.users.delete("watcher")
        assert "watcher" not in await vapix.users.list()


async def test_a_viewer_can_set_up_too(instance: Instance) -> None:
    async with connected(instance) as admin:
        await admin.vapix.users.create("watcher", pwd="watching 1", sgrp=SecondaryGroup.VIEWER)
    try:
        async with connected(instance, "watcher", "watching 1") as device:
            await device.vapix.initialize()
            await device.vapix.initialize_users()
            await device.vapix.load_user_groups()
            assert device.vapix.access_rights is SecondaryGroup.VIEWER
            assert device.vapix.serial_number
            assert device.vapix.io_port_management[DOOR].name == "Door"
    finally:
        async with connected(instance) as admin:
            await admin.vapix.users.delete("watcher")
