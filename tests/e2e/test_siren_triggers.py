"""The strobe siren manual, *Set up rules for events*: each example's own steps, on a started device, seen from outside.

The two SIP examples are in ``test_siren_sip.py``; the MQTT example is ``make demo-siren`` (``test_demo_siren.py``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Instance
from axcore.model import events
from axcore.testing.signal import Frame, SignalReader
from tests.e2e.patience import PATIENCE

PROFILES = "/config/rest/siren/v1/profiles"


class Siren:
    """A siren that was installed: an operator, maintenance mode off."""

    def __init__(self, device: Instance) -> None:
        self.device = device
        device.start()
        device.create_admin()
        self.client, self.board = device.client(), device.board()
        self.signal = SignalReader(device.data_dir)
        self.call("setMaintenanceMode", {"maintenanceMode": False})
        device.tap.expect("light", False, PATIENCE)

    def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        return self.client.ajr("siren_and_light", method, params or {})

    def profile(self, name: str, color: str, priority: int, *, sound: bool = False) -> None:
        light = {"pattern": "Steady", "colors": [color], "intensity": 5, "priority": priority}
        siren = {"pattern": "Siren: Alternate", "intensity": 1, "priority": priority}
        self.client.rest("POST", PROFILES, {"name": name, "light": light, **({"siren": siren} if sound else {})})

    def rule(self, condition: dict[str, Any], profile: str) -> None:
        action = {"type": "profile_while_active", "profile": profile}
        self.client.rest("POST", net.RULES, {"name": profile, "conditions": [condition], "action": action})

    def shows(self, color: str | None) -> Frame:
        """Wait until the light is of one colour (or dark)."""
        channel = {"red": 0, "green": 1, "blue": 2, None: None}[color]

        def wanted(frame: Frame) -> bool:
            lit = {n for n in range(3) if any(frame.rgb[n::3])}
            return lit == (set() if channel is None else {channel})

        since = self.signal.frames()
        if since and wanted(since[-1]):
            return since[-1]
        return self.signal.wait_frame(wanted, since[-1].number if since else 0, PATIENCE)


@pytest.fixture
def siren() -> Iterator[Siren]:
    with Instance(model="d4100-ve-mk2") as device:
        siren = Siren(device)
        yield siren
        siren.signal.close()


def test_start_a_profile_when_an_alarm_is_triggered(siren: Siren) -> None:
    """Port 1 > Normal state > Circuit closed; I/O > Digital input is active; run profile while the rule is active."""
    siren.client.rest("PATCH", f"{net.IO}/ports/0", {"direction": "input", "normal_state": "closed"})
    siren.profile("Alarm", "red", 3, sound=True)
    siren.rule({"topic": events.IO_PORT, "source": {"port": "0"}}, "Alarm")
    siren.board.call("input", port="1", active=True)
    siren.shows("red")
    siren.device.tap.expect("siren", True, PATIENCE)
    siren.board.call("input", port="1", active=False)
    siren.shows(None)
    siren.device.tap.expect("siren", False, PATIENCE)


def test_run_two_profiles_with_different_priorities(siren: Siren) -> None:
    """The profile with priority 4 interrupts the one with priority 3 while the port is active."""
    siren.profile("Low", "green", 3)
    siren.profile("High", "red", 4)
    siren.rule({"topic": events.IO_PORT, "source": {"port": "1"}}, "High")
    siren.client.rest("POST", f"{PROFILES}/Low/start", {})
    siren.shows("green")
    siren.board.call("input", port="2", active=True)
    siren.shows("red")
    running = [entry["pattern"] for entry in siren.call("getStatus")["light"]]
    assert len(running) == 2
    siren.board.call("input", port="2", active=False)
    siren.shows("green")


def test_activate_through_virtual_input_when_a_camera_detects_motion(siren: Siren) -> None:
    """The camera's recipients are activate.cgi and deactivate.cgi, with schemaversion=1&port=1 and its own login."""
    siren.profile("Camera", "blue", 3)
    siren.rule({"topic": events.IO_VIRTUAL_INPUT, "source": {"port": "1"}}, "Camera")
    siren.client.text("GET", "/axis-cgi/pwdgrp.cgi?action=add&user=camera&pwd=motion&grp=users&sgrp=viewer:operator")
    camera = siren.device.client()
    camera.text("GET", "/axis-cgi/virtualinput/activate.cgi?schemaversion=1&port=1")
    siren.shows("blue")
    camera.text("GET", "/axis-cgi/virtualinput/deactivate.cgi?schemaversion=1&port=1")
    siren.shows(None)


def test_activate_through_http_post_when_a_camera_detects_motion(siren: Siren) -> None:
    """The bodies of the manual: start and stop of "Strobe siren profile"."""
    siren.profile("Strobe siren profile", "red", 3, sound=True)
    siren.call("start", {"profile": "Strobe siren profile"})
    siren.shows("red")
    siren.device.tap.expect("siren", True, PATIENCE)
    siren.call("stop", {"profile": "Strobe siren profile"})
    siren.shows(None)


def test_a_door_station_posts_to_the_siren_as_a_camera_would(siren: Siren) -> None:
    """Two axcore devices: a rule of one sends the manual's POST to the other, with a digest login."""
    siren.profile("Strobe siren profile", "blue", 3)
    with Instance() as station:
        station.start()
        station.create_admin()
        client = station.client()
        target = {
            "type": "http", "url": f"{siren.device.running.http}/axis-cgi/siren_and_light.cgi",
            "username": siren.device.user, "password": siren.device.password,
        }  # fmt: skip
        client.rest("POST", "/config/rest/recipients/v1/recipients", {"name": "Strobe siren", "target": target})
        for port, method in (("1", "start"), ("2", "stop")):
            call = {"apiVersion": "1.0", "method": method, "params": {"profile": "Strobe siren profile"}}
            action = {"type": "http_notification", "recipient": "Strobe siren", "method": "POST",
                      "body": json.dumps(call), "content_type": "application/json"}  # fmt: skip
            condition = {"topic": events.IO_PORT, "source": {"port": str(int(port) - 1)}}
            client.rest("POST", net.RULES, {"name": method, "conditions": [condition], "action": action})
        board = station.board()
        board.call("input", port="1", active=True)
        siren.shows("blue")
        board.call("input", port="2", active=True)
        siren.shows(None)


def test_identify_is_above_everything_and_health_check_passes(siren: Siren) -> None:
    """Overview: Maintenance (11), Identify (12), Health check (13)."""
    siren.profile("P", "red", 10)
    siren.client.rest("POST", f"{PROFILES}/P/start", {})
    siren.call("setMaintenanceMode", {"maintenanceMode": True})
    siren.client.ajr("findmydevice", "find", {"duration": 60})
    shown = [entry["pattern"] for entry in siren.call("getStatus")["light"]]
    assert shown == ["Identify", "Maintenance", "Steady"]
    siren.client.ajr("findmydevice", "stop", {})
    siren.call("setMaintenanceMode", {"maintenanceMode": False})
    siren.shows("red")
