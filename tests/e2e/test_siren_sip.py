"""The strobe siren manual's examples with SIP, each made from its own steps: a telephone calls, a profile runs.

A device in a process of its own, seen from outside: the light and the sound that were really put out.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_siren_triggers import Siren

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.model import events
from axcore.model.voice import Ended
from axcore.testing.phone import Phone
from axcore.testing.ports import free_port
from tests.e2e.patience import PATIENCE

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")

SIP = "/config/rest/sip/v1"


class SipSiren(Siren):
    """A siren whose SIP is on, and that may be called: *Activate SIP*, steps 1 to 3 of both examples."""

    def __init__(self, device: Instance) -> None:
        super().__init__(device)
        self.port = free_port()
        settings = {"enabled": True, "allow_incoming": True, "port": self.port, "rtp_start_port": free_port(48)}
        self.client.rest("PATCH", f"{SIP}/settings", settings)
        wait_for("the voice processes", lambda: all(self.client.rest("GET", f"{SIP}/status")["processes"]), 60)

    def extension(self, number: str) -> str:
        """How a telephone calls it."""
        return f"sip:{number}@127.0.0.1:{self.port}"

    def add_rule(self, name: str, condition: dict[str, Any], **action: str) -> None:
        self.client.rest("POST", net.RULES, {"name": name, "conditions": [condition], "action": action})

    def voice_processes(self) -> list[int]:
        """Its children that speak SIP."""
        threads = Path(f"/proc/{self.device.pid}/task").glob("*/children")
        children = [int(pid) for thread in threads for pid in thread.read_text().split()]
        return [pid for pid in children if b"axcore.voice" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def sounds(self, on: bool) -> None:
        self.device.tap.expect("siren", on, PATIENCE)


@pytest.fixture
def siren() -> Iterator[SipSiren]:
    with Instance(model="d4100-ve-mk2") as device:
        siren = SipSiren(device)
        yield siren
        siren.signal.close()


@pytest.fixture
def phone() -> Iterator[Phone]:
    with Phone("ada") as phone:
        yield phone


def test_start_a_profile_through_sip(siren: SipSiren, phone: Phone) -> None:
    """Call > State, Active; run light and siren profile while the rule is active."""
    siren.profile("Alarm", "red", 3, sound=True)
    siren.rule({"topic": events.CALL_STATE, "data": {"CallState": "Active"}}, "Alarm")
    phone.call(siren.extension("siren"))
    phone.connected(PATIENCE)  # it answers by itself: there is no button at a siren
    siren.shows("red")
    siren.sounds(True)
    phone.hang_up()
    phone.wait(Ended, PATIENCE)
    siren.shows(None)
    siren.sounds(False)
    phone.call(siren.extension("siren"))  # and again
    siren.shows("red")


def test_control_more_than_one_profile_through_sip_extensions(siren: SipSiren, phone: Phone) -> None:
    """Call > State change, Accepted by device or Terminated, Incoming, Local SIP URI; start and stop a profile."""
    for number, name, color in (("1001", "Fire", "red"), ("1002", "Gas", "blue")):
        siren.profile(name, color, 3)
        # The manual writes the address with and without brackets.
        for reason, action, uri in (
            ("AcceptedByDevice", "start_profile", f"<sip:{number}@127.0.0.1>"),
            ("Terminated", "stop_profile", f"sip:{number}@127.0.0.1"),
        ):
            data = {"Reason": reason, "CallDirection": "Incoming", "DeviceURI": uri}
            condition = {"topic": events.CALL_STATE_CHANGE, "data": data}
            siren.add_rule(f"{name} {action}", condition, type=action, profile=name)
    for number, color in (("1001", "red"), ("1002", "blue"), ("1001", "red")):
        phone.call(siren.extension(number))
        phone.connected(PATIENCE)
        siren.shows(color)
        phone.hang_up()
        phone.wait(Ended, PATIENCE)
        siren.shows(None)
    phone.call(siren.extension("1003"))  # an extension without a profile
    phone.connected(PATIENCE)
    phone.hang_up()
    log = net.EventLog(siren.client)
    assert {e["data"]["DeviceURI"] for e in log.read() if e["topic"] == events.CALL_STATE_CHANGE} <= {
        f"sip:{number}@127.0.0.1" for number in ("1001", "1002", "1003")
    }


def test_a_key_of_the_telephone_runs_a_profile(siren: SipSiren, phone: Phone) -> None:
    """SIP > DTMF: a sequence and what it is for; Call > DTMF in a rule."""
    siren.profile("Code", "green", 3)
    key = siren.client.rest("POST", f"{SIP}/dtmf", {"sequence": "42", "description": "Light on"})["id"]
    condition = {"topic": events.CALL_DTMF, "data": {"DTMFEventId": key}}
    siren.add_rule("Code", condition, type="start_profile", profile="Code")
    phone.call(siren.extension("siren"))
    phone.connected(PATIENCE)
    phone.press("42")
    siren.shows("green")


def test_who_is_not_allowed_starts_nothing(siren: SipSiren, phone: Phone) -> None:
    """Allow incoming calls: off; then the access list: the caller is blocked."""
    siren.profile("Alarm", "red", 3)
    siren.rule({"topic": events.CALL_STATE, "data": {"CallState": "Active"}}, "Alarm")
    denied = {"Reason": "Denied", "CallDirection": "Incoming", "RemoteURI": "sip:ada@127.0.0.1"}
    siren.profile("Denied", "blue", 3)
    condition = {"topic": events.CALL_STATE_CHANGE, "data": denied}
    siren.add_rule("Denied", condition, type="start_profile", profile="Denied")
    siren.client.rest("PATCH", f"{SIP}/settings", {"use_access_list": True, "access_list_policy": "block",
                                                   "access_list": ["ada"]})  # fmt: skip
    wait_for("the voice processes", lambda: all(siren.client.rest("GET", f"{SIP}/status")["processes"]), 60)

    def refused() -> bool:
        phone.call(siren.extension("siren"))
        return phone.wait(Ended, PATIENCE).code == 403

    wait_for("a refusal", refused, 60)  # the process that listened before may still end
    siren.shows("blue")


def test_a_voice_process_that_is_killed_stops_its_profile(siren: SipSiren, phone: Phone) -> None:
    """While the rule is active: the call is over when nobody can hold it any more."""
    siren.profile("Alarm", "red", 3)
    siren.rule({"topic": events.CALL_STATE, "data": {"CallState": "Active"}}, "Alarm")
    phone.call(siren.extension("siren"))
    phone.connected(PATIENCE)
    siren.shows("red")
    for pid in siren.voice_processes():
        os.kill(pid, signal.SIGKILL)
    siren.shows(None)
