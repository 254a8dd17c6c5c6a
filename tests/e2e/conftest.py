"""Real devices for the end-to-end tests."""

from collections.abc import Iterator

import pytest

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Edge, Instance
from axcore.model.events import ENTRY_GRANTED, RFID

CARD = {"format": "H10301", "facility": 7, "card": 4711, "interval_us": 200, "pulse_us": 40}


EARLY_S, LATE_S = 0.05, 3.0


def lasted(opened: Edge, closed: Edge, seconds: float) -> bool:
    """Whether a pulse was not cut short and ended by itself. How exactly it ends is measured by the benches: here
    somebody else may have the processor just then."""
    return -EARLY_S < (closed.t_ns - opened.t_ns) / 1e9 - seconds < LATE_S


def let_in(device: Instance, seconds: float, validity: dict[str, object] | None = None) -> net.EventLog:
    """Let CARD in, hold the door for ``seconds``; gives a log reader."""
    client = device.client()
    client.rest("PATCH", net.ENTRY_SETTINGS, {"use_entry_list": True})
    log = net.EventLog(client)
    with device.board() as board:
        board.call("card", **CARD, correlation="learn")
        log.wait(RFID, "learn", 120.0)
    spec: dict[str, object] = {"first_name": "Ada", "card": client.rest("GET", net.LATEST)["card"]}
    client.rest("POST", net.HOLDERS, spec | ({"validity": validity} if validity else {}))
    action = {"type": "toggle_io_once", "port": "Door", "state": True, "duration": seconds}
    client.rest("POST", net.RULES, {"name": "Open door", "conditions": [{"topic": ENTRY_GRANTED}], "action": action})
    return log


@pytest.fixture
def device() -> Iterator[Instance]:
    """A device that is not started yet."""
    with Instance() as instance:
        yield instance


@pytest.fixture
def started(device: Instance) -> Instance:
    """A started device with an admin."""
    device.start()
    device.create_admin()
    return device


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    """A started device with an admin, for all tests of a module."""
    with Instance() as device:
        device.start()
        device.create_admin()
        yield device
