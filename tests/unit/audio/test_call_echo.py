"""What a partner hears of itself, when the packets of its voice come as a busy machine sends them: the call of
``axcore.testing.demo_call`` on a virtual clock."""

from __future__ import annotations

import random
from array import array
from functools import cache
from typing import Any

import numpy as np
import pytest

from axcore.audio import G711, Leg, Pipeline, Room
from axcore.testing.demo_call import FRAME, voice

TALKS_MS = 6000
PACKET_MS = 20
TICK_MS = 10
DRY_MS = 100
BEGIN_NS = 10**10
STALLS = {"idle": (0.0, 0.0), "busy": (0.06, 150.0), "starved": (0.15, 300.0)}
"""How often a packet is held up, and for how long at most; what comes after it waits too. The audio thread is held up a
quarter as often, and begins anew after 100 ms, as the simulated card does."""


@cache
def said() -> tuple[array[int], tuple[bytes, ...]]:
    samples, codec = voice(TALKS_MS / 1000), G711("mu")
    return samples, tuple(bytes(codec.encode(samples[at : at + FRAME])) for at in range(0, len(samples), FRAME))


def sent_ms(dice: random.Random, load: str, count: int) -> list[float]:
    often, most = STALLS[load]
    free, times = 0.0, []
    for number in range(count):
        free = max(number * PACKET_MS, free) + abs(dice.gauss(0, 2 if often else 0.3))
        free += dice.uniform(5, most) if dice.random() < often else 0
        times.append(free)
    return times


def rms(samples: Any) -> float:
    return float(np.sqrt(np.mean(np.square(np.asarray(samples, float)))))


def less_comes_back(load: str, seed: int) -> float:
    """dB by which what the partner hears is fainter than what it said, over the second half of its talk."""
    dice, (voiced, payloads) = random.Random(seed), said()
    pipeline, leg, codec = Pipeline(16000), Leg("PCMU", 16000), G711("mu")
    room = Room(16000, rt60_ms=150, delay_ms=15, echo_db=-12, noise_db=-65)
    pipeline.seat(0, leg)
    times, heard = sent_ms(dice, load, len(payloads)), array("h")
    mic: Any = array("h", bytes(320))
    begin, now, due, number = dice.uniform(0, 2000), 0.0, 0.0, 0
    while now < begin + TALKS_MS:
        now = max(now, due) + (dice.uniform(5, 160) if dice.random() < STALLS[load][0] / 4 else 0)
        due = now if now > due + DRY_MS else due
        due += TICK_MS
        while number < len(payloads) and begin + times[number] <= now:
            came_ns = BEGIN_NS + int((begin + times[number]) * 1e6)
            leg.offer(payloads[number], came_ns, sequence=number, timestamp=number * FRAME, ssrc=1)
            number += 1
        mic = room.step(pipeline.step(BEGIN_NS + int(now * 1e6), mic))
        while (packet := leg.take()) is not None:
            if now >= begin:
                heard.extend(codec.decode(packet[1]))
    return 20 * float(np.log10(rms(voiced[len(voiced) // 2 :]) / rms(heard[len(heard) // 2 :])))


@pytest.mark.parametrize(("load", "seeds"), [("idle", (8, 35)), ("busy", (5, 17, 28)), ("starved", (6, 16, 23))])
def test_a_partner_does_not_hear_itself_however_its_packets_come(load: str, seeds: tuple[int, ...]) -> None:
    """The seeds are among the worst of 200. A card has silence before its first samples, which is no noise; and
    what is left of an echo sets no gain."""
    assert min(less_comes_back(load, seed) for seed in seeds) > 40
