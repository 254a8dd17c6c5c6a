"""What a rule takes from an input's edge, or from an MQTT message, to the relay: series and goals of
``event_latency.py`` and ``mqtt_latency.py``."""

from typing import Any

import pytest

from bench import event_latency, mqtt_latency
from bench.replay import Replay, best_of

SWITCHINGS = 100
MESSAGES = 10
SERIES = ("idle", "flood")
REPLAY = Replay()


@pytest.fixture(scope="module")
def edges() -> dict[str, Any]:
    """Input to relay."""
    return best_of(lambda: event_latency.measure(SWITCHINGS))


@pytest.fixture(scope="module")
def messages() -> dict[str, Any]:
    """MQTT to relay, on every transport."""
    return best_of(lambda: mqtt_latency.judged(mqtt_latency.measure(MESSAGES, compare=False)), attempts=3)


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.benchmark(group="events-input", timer=REPLAY)
def test_axcore(benchmark: Any, edges: dict[str, Any], series: str) -> None:
    REPLAY.show(benchmark, edges["values"][series])
    benchmark.extra_info["unit"] = "switchings"
    assert not [goal for goal in edges["missed"] if series in goal]


@pytest.mark.benchmark(group="events-mqtt", timer=REPLAY)
def test_axcore_mqtt(benchmark: Any, messages: dict[str, Any]) -> None:
    REPLAY.show(benchmark, messages["seconds"])
    benchmark.extra_info["unit"] = "messages"
    assert not messages["missed"]
