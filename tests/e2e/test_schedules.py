"""Schedules of a real device: a step of its clock is acted on at once; rules are explained from the command line."""

import json
import subprocess
import sys
import time
from datetime import datetime

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Instance
from axcore.model.events import ENTRY_DENIED, ENTRY_GRANTED, SCHEDULE_INTERVAL
from tests.e2e.conftest import CARD, let_in
from tests.e2e.patience import PATIENCE

SCHEDULES = "/config/rest/schedules/v1/schedules"
MORNINGS = {"name": "Mornings", "icalendar": "DTSTART:20260101T080000 DTEND:20260101T120000 RRULE:FREQ=DAILY"}


class Clock:
    """Steps the wall clock of a device to where a schedule is active, or not."""

    def __init__(self, device: Instance, schedule: str) -> None:
        self._device = device
        self._path = f"{SCHEDULES}/{schedule}"
        self._offset = 0.0

    def to(self, active: bool) -> None:
        """A minute after the next change to ``active``; nothing if it is so already."""
        client = self._device.client()
        if client.rest("GET", self._path)["active"] is active:
            return
        edge = next(edge for edge in client.rest("GET", f"{self._path}/edges") if edge["active"] is active)
        now = time.time() + self._offset  # wall clock: it is the device's, but for the steps
        step = datetime.fromisoformat(edge["utc"]).timestamp() + 60 - now
        with self._device.board(PATIENCE) as board:
            board.call("clock", step=step)
        self._offset += step


def test_a_step_of_the_clock_activates_a_rule_at_once(started: Instance) -> None:
    client = started.client()
    clock = Clock(started, client.rest("POST", SCHEDULES, MORNINGS)["id"])
    clock.to(False)
    condition = {"topic": SCHEDULE_INTERVAL, "source": {"id": "1"}}
    action = {"type": "toggle_io_while_active", "port": "Relay 2"}
    rule = client.rest("POST", net.RULES, {"name": "Open hours", "conditions": [condition], "action": action})
    for active in (True, False, True):
        clock.to(active)
        started.tap.expect("relay2", active, PATIENCE)
    assert client.rest("GET", f"{net.RULES}/{rule['id']}/explain")["active"] is True
    command = [sys.executable, "-m", "axcore", "rules"]
    options = ["--login", started.user, "--login-password-file", "-", "--data-dir", str(started.data_dir)]
    for words, word in ((["list"], "Open hours"), (["explain", rule["id"]], "its action runs"),
                        (["simulate"], "start"), (["check"], "nothing odd")):  # fmt: skip
        for more in ([], ["--json"]):
            done = subprocess.run(
                [*command, *words, *options, *more], input=started.password, capture_output=True, text=True,
                check=False, timeout=PATIENCE,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert isinstance(json.loads(done.stdout), list | dict) if more else word in done.stdout


def test_a_card_is_valid_during_its_schedule(started: Instance) -> None:
    clock = Clock(started, started.client().rest("POST", SCHEDULES, MORNINGS)["id"])
    log = let_in(started, 0.05, {"type": "schedule", "schedule": "mornings"})
    for active, topic in ((True, ENTRY_GRANTED), (False, ENTRY_DENIED), (True, ENTRY_GRANTED)):
        clock.to(active)
        name = f"{topic} after {log.last}"
        with started.board(PATIENCE) as board:
            board.call("card", **CARD, correlation=name)
        found = log.wait(topic, name, PATIENCE)
        assert found["data"].get("reason", "schedule_inactive") == "schedule_inactive"


def test_the_manual_trigger_over_http(started: Instance) -> None:
    client = started.client()
    condition = {"topic": "tns1:Device/tnsaxis:IO/VirtualPort"}
    action = {"type": "toggle_io_while_active", "port": "Relay 2"}
    client.rest("POST", net.RULES, {"name": "Try", "conditions": [condition], "action": action})
    for query, active in (("action=6:/", True), ("action=6:%5C", False), ("action=6:/100%5C", True)):
        assert client.text("GET", f"/axis-cgi/io/virtualinput.cgi?{query}") == ""
        started.tap.expect("relay2", active, PATIENCE)
    started.tap.expect("relay2", False, PATIENCE)
