"""Manual, System > Detectors and I/O ports > Supervised: what the device feels can start a rule."""

from __future__ import annotations

import pytest

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.board import BoardError
from axcore.interfaces.cli.instance import Instance
from axcore.interfaces.cli.main import main
from axcore.model import events

ONCE = {"type": "led_once", "led": "stripe", "color": "red", "duration": 60.0}


@pytest.mark.parametrize(
    ("condition", "name", "value"),
    [
        ({"topic": events.AUDIO_LEVEL, "trigger": True}, "microphone", 80),
        ({"topic": events.SHOCK}, "shock", "hit"),
        ({"topic": events.SUPERVISED_PORT, "source": {"port": "1"}, "trigger": True}, "port2", "cut"),
        ({"topic": events.TEMPERATURE_ABOVE, "trigger": True}, "temperature", 90),
        ({"topic": events.STORAGE_DISRUPTION, "trigger": True}, "storage", "disrupted"),
    ],
)
def test_what_is_felt_starts_a_rule(started: Instance, condition: dict[str, object], name: str, value: object) -> None:
    client, board = started.client(), started.board()
    log = net.EventLog(client)
    rule = client.rest("POST", net.RULES, {"name": name, "conditions": [condition], "action": ONCE})
    board.call("sensor", name=name, value=value, correlation=f"felt {name}")
    assert log.wait(str(condition["topic"]), f"felt {name}")
    lit = log.wait(events.LED_STATE, f"felt {name}")
    assert (lit["source"], lit["data"]["color"]) == ({"led": "stripe"}, "red")
    client.rest("DELETE", f"{net.RULES}/{rule['id']}")


def test_what_cannot_be_felt_is_refused_by_name(started: Instance) -> None:
    with pytest.raises(BoardError, match="temperature"):
        started.board().call("sensor", name="nose", value=1)
    with pytest.raises(BoardError, match="disrupted"):
        started.board().call("sensor", name="storage", value="gone")


def test_dawn_and_dusk_at_the_call_button(started: Instance) -> None:
    log = net.EventLog(started.client())
    for lux, color in ((1000, "off"), (5, "white")):
        words = ["sim", "light", str(lux), "--correlation", f"{lux} lux", "--data-dir", str(started.data_dir)]
        assert main(words) == 0
        lit = log.wait(events.LED_STATE, f"{lux} lux")
        assert (lit["source"], lit["data"]["color"]) == ({"led": "callButton"}, color)
