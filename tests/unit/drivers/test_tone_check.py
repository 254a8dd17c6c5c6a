"""The speaker test's tones through the audio thread: in a room whose parts break, and without a card."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from axcore.audio.speaker_test import compare, fault_of
from axcore.drivers.tone_check import FAULTS, SimulatedRoom, ToneCheck
from axcore.errors import NotFoundError


def record(check: ToneCheck) -> tuple[Any, str]:
    told: list[tuple[Any, str]] = []
    done = threading.Event()

    def tell(response: Any, error: str) -> None:
        told.append((response, error))
        done.set()

    check.record(tell)
    assert done.wait(60)
    return told[0]


def test_a_loudspeaker_that_breaks_is_found() -> None:
    room = SimulatedRoom()
    check = ToneCheck(room.card)
    reference, error = record(check)
    assert error == ""
    assert fault_of(reference) is None
    room.fault("speaker", True)
    assert room.state() == {"faults": ["speaker"]}
    broken, _ = record(check)
    assert compare(reference, broken).reason == "no_sound"
    room.fault("speaker", False)
    mended, _ = record(check)
    assert compare(reference, mended).passed


def test_parts_of_the_room() -> None:
    room = SimulatedRoom()
    for part in FAULTS:
        room.fault(part, True)
    assert room.state() == {"faults": sorted(FAULTS)}
    for part in FAULTS:
        room.fault(part, False)
    with pytest.raises(NotFoundError, match="window"):
        room.fault("window", True)


@pytest.mark.parametrize("name", ["", "no-such-card"])
def test_without_a_card_the_reason_is_told(name: str) -> None:
    response, error = record(ToneCheck.on_card(name, ""))
    assert response is None
    assert error
