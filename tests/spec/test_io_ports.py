"""Manual: System > Accessories > I/O ports, sentence by sentence, on a real I/O thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from axcore.app import Device
from axcore.errors import InputError
from axcore.interfaces.cli.instance import wait_for
from axcore.model import events
from axcore.model.rules import Condition, RuleSpec, ToggleIoWhileActive


class Site:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.begin()

    def begin(self) -> None:
        self.device = Device("a8207-ve-mk2", self.folder)
        self.device.start()
        self.ports = self.device.ports

    def do(self, method: str, *arguments: Any, **options: Any) -> Any:
        return self.device.ledger.submit(lambda tx: getattr(self.ports, method)(tx, *arguments, **options)).result(60)

    def until(self, what: Callable[[], bool]) -> None:
        wait_for("the state", what, 60)

    def until_state(self, port: int, state: str) -> None:
        self.until(lambda: self.ports.port(port).state == state)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.device.stop()


def test_activated_when_the_current_state_differs_from_the_normal_state(site: Site) -> None:
    assert (site.ports.port(0).state, site.ports.port(0).active) == ("open", False)
    site.device.board.feed_input("port1", True)
    site.until_state(0, "closed")
    assert site.ports.port(0).active
    site.do("configure", 0, {"normal_state": "closed"})
    site.until(lambda: not site.ports.port(0).active)
    assert site.ports.port(0).state == "closed"


def test_an_input_is_open_when_disconnected(site: Site) -> None:
    assert all(port.state == "open" for port in site.ports.ports() if port.config.direction == "input")


def test_rename(site: Site) -> None:
    """ "Name: Edit the text to rename the port"."""
    site.do("configure", 2, {"name": "Window"})
    assert site.ports.resolve("window") == 2


def test_only_the_four_configurable_ports_change_direction(site: Site) -> None:
    for port in range(4):
        site.do("configure", port, {"direction": "output"})
        assert site.ports.port(port).config.direction == "output"
    for port in (4, 5):
        with pytest.raises(InputError) as raised:
            site.do("configure", port, {"direction": "input"})
        assert raised.value.field == "direction"


def test_changed_settings_bring_the_output_to_normal_regardless_of_active_triggers(site: Site) -> None:
    rule = RuleSpec(
        name="hold",
        conditions=(Condition(topic=events.IO_VIRTUAL_INPUT, source={"port": "1"}),),
        action=ToggleIoWhileActive(port="Door"),
    )
    site.device.ledger.submit(lambda tx: site.device.events.add_rule(tx, rule)).result(60)
    site.do("set_virtual_input", 1, True)
    site.until_state(4, "closed")
    site.do("configure", 4, {"usage": "Lock"})
    site.until_state(4, "open")
    site.do("set_virtual_input", 1, False)
    site.do("set_virtual_input", 1, True)
    site.until_state(4, "closed")


def test_after_a_restart_outputs_are_in_their_normal_position(site: Site) -> None:
    site.do("configure", 5, {"normal_state": "closed"})
    site.do("set_state", 4, "closed")
    site.do("set_state", 5, "open")
    site.until_state(4, "closed")
    site.until_state(5, "open")
    site.device.stop()
    site.begin()
    assert (site.ports.port(4).state, site.ports.port(5).state) == ("open", "closed")


def test_state_sequence_ends_in_its_last_state(site: Site) -> None:
    site.do("sequence", 4, [("closed", 20), ("open", 20), ("closed", 5)])
    site.until_state(4, "closed")
    site.until_state(4, "open")
    site.until_state(4, "closed")
    site.until(lambda: not site.ports._sequences)
    assert site.ports.port(4).state == "closed"


def test_changing_the_normal_state_cancels_a_sequence(site: Site) -> None:
    site.do("sequence", 4, [("closed", 60_000), ("open", 0)])
    site.until_state(4, "closed")
    site.do("configure", 4, {"normal_state": "closed"})
    site.until(lambda: not site.ports._sequences)
    site.do("sequence", 4, [("open", 10), ("closed", 0)])
    site.until_state(4, "closed")


def test_rex_hold_time_and_output_are_settings(site: Site) -> None:
    site.do("set_rex", {"port": 5, "hold_time": 0.05})
    site.device.board.feed_input("rex", True)
    site.until_state(5, "closed")
    assert site.ports.port(4).state == "open"
    site.device.board.feed_input("rex", False)
    site.until_state(5, "open")


def test_every_state_is_announced_at_start(site: Site) -> None:
    seen = {(event.topic, *event.source.values()): event.data for event in site.device.bus.properties()}
    assert seen[events.IO_PORT, "0"] == {"state": "0"}
    assert seen[events.RELAY, "4"] == {"LogicalState": "inactive"}
    assert seen[events.IO_VIRTUAL_INPUT, "64"] == {"active": "0"}
    assert seen[events.CASING_OPEN, "Casing"] == {"Open": "0"}
    assert seen[(events.CALL_BUTTON,)] == {"active": "0"}
    assert seen[events.REX, "rex"] == {"active": "0"}
