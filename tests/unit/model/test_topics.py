"""The spellings of topics, and their namespaces."""

from __future__ import annotations

import pytest

from axcore.model import events
from axcore.model.topics import filter_form, plain_form, segments
from axcore.rules import canonical

TOPICS = sorted(value for name, value in vars(events).items() if name.isupper() and isinstance(value, str))


def test_spellings() -> None:
    assert filter_form(events.IO_PORT) == "onvif:Device/axis:IO/Port"
    assert plain_form(events.IO_PORT) == "Device/IO/Port"
    assert segments(events.RELAY) == (("tns1", "Device"), ("tns1", "Trigger"), ("tns1", "Relay"))
    assert segments(events.IO_PORT) == (("tns1", "Device"), ("tnsaxis", "IO"), ("tnsaxis", "Port"))


@pytest.mark.parametrize("topic", TOPICS)
def test_declared_topics_are_canonical(topic: str) -> None:
    assert canonical(topic) == topic
    assert canonical(filter_form(topic)) == topic
