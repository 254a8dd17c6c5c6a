"""The strobe siren's manual, *Sound pattern names*, and the signals of standards by what their tables say."""

from __future__ import annotations

from array import array
from collections import Counter

import pytest

from axcore.siren import RATES, SOUNDS, STANDARD_SIGNALS, Sound, Tone

# D4100-VE Mk II, "Sound pattern names": 14 alarms, 10 notifications, 5 sirens.
MANUAL = """
Alarm: Alarm high pitch, Alarm: Alarm low pitch, Alarm: Bird, Alarm: Boat horn, Alarm: Car alarm,
Alarm: Car alarm fast, Alarm: Classic clock, Alarm: First attender, Alarm: Horror, Alarm: Industrial,
Alarm: Single beep, Alarm: Soft quad beep, Alarm: Soft triple beep, Alarm: Triple high pitch,
Notification: Accepted, Notification: Calling, Notification: Denied, Notification: Done, Notification: Entry,
Notification: Failed, Notification: Hurry, Notification: Message, Notification: Next, Notification: Open,
Siren: Alternate, Siren: Bouncy, Siren: Evac, Siren: Falling pitch, Siren: Home soft
"""


def bursts(sound: Sound) -> list[tuple[float, float]]:
    """(seconds on, seconds off) of one cycle of the first voice; pieces without a break are one."""
    found: list[tuple[float, float]] = []
    for segment in sound.voices[0]:
        if segment.silent:
            on, off = found.pop()
            found.append((on, round(off + segment.seconds, 6)))
        elif found and not segment.attack:
            found[-1] = (round(found[-1][0] + segment.seconds, 6), 0.0)
        else:
            found.append((segment.seconds, 0.0))
    return found


def test_sound_pattern_names_every_name_in_the_order_of_the_manual() -> None:
    assert list(SOUNDS) == [name.strip() for name in MANUAL.replace("\n", " ").split(",")]


def test_sound_pattern_names_14_alarms_10_notifications_5_sirens() -> None:
    assert Counter(name.partition(":")[0] for name in SOUNDS) == {"Alarm": 14, "Notification": 10, "Siren": 5}


def test_sound_pattern_names_no_two_sound_the_same() -> None:
    assert len({sound.voices for sound in SOUNDS.values()}) == 29


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("rate", RATES)
def test_sound_pattern_names_each_is_heard_at_every_rate(name: str, rate: int) -> None:
    tone = Tone(name, rate=rate)
    out = array("h", bytes(2 * tone.cycle))
    assert tone.render(0, out) == tone.cycle
    assert max(map(abs, out)) > 12000


@pytest.mark.parametrize(("name", "beeps"), [("Single", 1), ("Soft triple", 3), ("Soft quad", 4), ("Triple high", 3)])
def test_sound_pattern_names_that_count_beeps_have_so_many(name: str, beeps: int) -> None:
    (sound,) = [sound for sound in SOUNDS.values() if f": {name}" in sound.name]
    assert len(bursts(sound)) == beeps


def test_sound_pattern_names_that_tell_a_direction_or_a_speed() -> None:
    falling = SOUNDS["Siren: Falling pitch"].voices[0][0]
    assert falling.end_hz < falling.hz
    high, low = (SOUNDS[f"Alarm: Alarm {which} pitch"] for which in ("high", "low"))
    assert min(s.hz for s in high.voices[0]) > 2 * max(s.hz for s in low.voices[0])
    assert SOUNDS["Alarm: Car alarm fast"].seconds < SOUNDS["Alarm: Car alarm"].seconds / 4


@pytest.mark.parametrize("name", STANDARD_SIGNALS)
def test_standard_signals_name_their_source_and_whether_it_was_read(name: str) -> None:
    signal = STANDARD_SIGNALS[name]
    assert signal.source
    assert isinstance(signal.timing_verified, bool)
    assert signal.timing_verified is ("from memory" not in signal.source)


def test_iso_8201_three_pulses_and_a_pause() -> None:
    for name in ("ISO 8201 T3", "ISO 8201 T3 520 Hz"):
        assert bursts(STANDARD_SIGNALS[name]) == [(0.5, 0.5), (0.5, 0.5), (0.5, 1.5)]


@pytest.mark.parametrize(
    ("name", "low", "high", "expected"),
    [
        ("DIN 33404-3", 1200, 500, [(1.0, 0.0)]),
        ("NEN 2575 slow whoop", 500, 1200, [(3.5, 0.5)]),
        ("AS 2220 action", 500, 1200, [(3.75, 0.25)]),
        ("AS 2220 alert", 420, 420, [(0.6, 0.65)]),
        ("AS 1670.4 alert", 420, 420, [(0.6, 0.6)]),
        ("SS 03 17 11 imminent danger", 500, 500, [(0.15, 0.1)]),
        ("SS 03 17 11 local warning", 500, 500, [(0.15, 0.6)]),
        ("NFPA whoop", 422, 775, [(0.85, 1.0)]),
        ("BS 5839 evacuate", 970, 970, [(1.0, 0.0)]),
    ],
)
def test_standard_signals_have_the_numbers_of_their_tables(
    name: str, low: float, high: float, expected: list[tuple[float, float]]
) -> None:
    signal = STANDARD_SIGNALS[name]
    first = signal.voices[0][0]
    assert (first.hz, first.end_hz) == (low, high)
    assert bursts(signal) == expected


def test_temporal_four_and_the_french_signal_are_marked_as_not_verified() -> None:
    marked = {name for name, signal in STANDARD_SIGNALS.items() if not signal.timing_verified}
    assert {"T4 carbon monoxide", "NF S 32-001", "BS 5839 alert", "BS 5839 alternating"} <= marked
