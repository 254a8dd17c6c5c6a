"""A door station's pipeline at 16 kHz, echo canceller (200 ms) and gain control on: calls by G.711, ours and a chain
of speexdsp's parts in the same run.

Ten seconds with one partner, and with six in conference. Beside them are told: what one more partner costs, the worst
tick, and the delay from a talker's mouth before one door station to the ear before another, in virtual rooms without a
network between them (packets of 20 ms, a sound card of 10 ms on either side), as the call begins and when the jitter
buffer has learnt that nothing is late.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axcore.audio import G711, Leg, Pipeline, Room

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import audio_speexdsp

needs_speex = pytest.mark.skipif(audio_speexdsp.lib is None, reason="libspeexdsp1 is not installed")
RATE, FRAME, TICK = 16000, 160, 10_000_000
TICKS = 1000
LATEST_MS = (62.0, 52.0)
"""Mouth to ear: in the second and in the twelfth second."""


def scene() -> tuple[Any, Any]:
    """What the microphone hears in ten seconds (echo of the partner, then a talker too), and the partner's packets."""
    rng = np.random.default_rng(4)
    t = np.arange(TICKS * FRAME) / RATE
    syllables = np.where(np.sin(2 * np.pi * 2.2 * t) > -0.4, 0.6 + 0.4 * np.sin(2 * np.pi * 7 * t), 0.003)
    far = (rng.normal(0, 2500, len(t)) * syllables).clip(-32768, 32767).astype(np.int16)
    near = (rng.normal(0, 1500, len(t)) * np.roll(syllables, 3000) * (t > 5)).clip(-32768, 32767).astype(np.int16)
    room = Room(RATE, rt60_ms=200, delay_ms=20, noise_db=-70)
    pairs = zip(far.reshape(-1, FRAME), near.reshape(-1, FRAME), strict=True)
    mic = np.concatenate([room.step(speaker, talker) for speaker, talker in pairs])
    packets = np.asarray(G711("mu").encode(np.ascontiguousarray(far[::2]))).reshape(-1, FRAME)
    return mic.reshape(-1, FRAME), packets


MIC, PACKETS = scene()
PAYLOADS = [bytes(packet) for packet in PACKETS]


def station(n: int) -> tuple[Pipeline, list[Leg]]:
    """With ``n`` partners in conference."""
    pipeline, legs = Pipeline(RATE), [Leg("PCMU", RATE) for _ in range(n)]
    for k, leg in enumerate(legs):
        pipeline.seat(k, leg, conference=True)
    return pipeline, legs


def call(pipeline: Pipeline, legs: list[Leg], took: list[int] | None = None) -> None:
    """Ten seconds."""
    out = np.empty(FRAME, np.int16)
    start = pipeline.stats.steps
    for tick in range(TICKS):
        now = (start + tick) * TICK
        if tick % 2 == 0:
            number = (start + tick) // 2
            for leg in legs:
                leg.offer(PAYLOADS[tick // 2], now, sequence=number & 0xFFFF, timestamp=number * 160, ssrc=7)
        began = time.perf_counter_ns()
        pipeline.step(now, MIC[tick], out)
        if took is not None:
            took.append(time.perf_counter_ns() - began)
        for leg in legs:
            leg.take()


def seconds(n: int) -> float:
    """The shortest of five calls with ``n`` partners."""
    pipeline, legs = station(n)
    best = 1e9
    for _ in range(5):
        began = time.perf_counter()
        call(pipeline, legs)
        best = min(best, time.perf_counter() - began)
    return best


def ours(benchmark: Any, n: int) -> None:
    pipeline, legs = station(n)
    benchmark.pedantic(call, (pipeline, legs), rounds=10, warmup_rounds=1)
    stats = pipeline.stats
    assert all(leg.lost == leg.late == leg.refused == leg.dropped == 0 for leg in stats.legs.values())
    benchmark.extra_info.update(units=TICKS, unit="ticks")


def peer(benchmark: Any, n: int) -> None:
    from pipeline_speexdsp import Chain

    chain, mic = Chain(n), MIC.reshape(-1, 2 * FRAME)
    number = 0

    def run() -> None:
        nonlocal number
        for k in range(TICKS // 2):
            chain.step(mic[k], PACKETS[k], number)
            number += 1

    benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    benchmark.extra_info.update(units=TICKS, unit="ticks")


@pytest.mark.benchmark(group="pipeline-call")
def test_axcore_call(benchmark: Any) -> None:
    ours(benchmark, 1)
    pipeline, legs = station(1)
    took: list[int] = []
    for _ in range(5):
        call(pipeline, legs, took)
    middle, worst = float(np.median(took)) / 1e3, max(took) / 1e3
    benchmark.extra_info["tick"] = (
        f"{middle:.0f} us in the middle, {np.percentile(took, 99.9) / 1e3:.0f} us of 99.9 %, "
    )
    benchmark.extra_info["tick"] += f"{worst:.0f} us at worst"


@needs_speex
@pytest.mark.benchmark(group="pipeline-call")
def test_peer_speexdsp_call(benchmark: Any) -> None:
    peer(benchmark, 1)


@pytest.mark.benchmark(group="pipeline-six")
def test_axcore_six(benchmark: Any) -> None:
    ours(benchmark, 6)
    more = (seconds(6) - seconds(1)) / 5 / (TICKS / 100)
    benchmark.extra_info["one more partner"] = f"{100 * more:.3f} % of a processor"


@needs_speex
@pytest.mark.benchmark(group="pipeline-six")
def test_peer_speexdsp_six(benchmark: Any) -> None:
    peer(benchmark, 6)


def mouth_to_ear() -> tuple[float, ...]:
    """ms from a talker before one station until the loudspeaker of another plays it, in two seconds of a call."""
    here, there = station(1), station(1)
    rooms = Room(RATE, rt60_ms=0, noise_db=-75), Room(RATE, rt60_ms=0, noise_db=-75)
    said = (np.random.default_rng(9).normal(0, 3000, 1300 * FRAME)).clip(-32768, 32767).astype(np.int16)
    mics, played, sequence = [np.zeros(FRAME, np.int16)] * 2, [], 0
    for tick, talker in enumerate(said.reshape(-1, FRAME)):
        outs = []
        for side, (pipeline, _) in enumerate((here, there)):
            outs.append(np.array(pipeline.step(tick * TICK, mics[side])))
        # What the card gives to the pipeline in this tick was recorded in the one before.
        mics = [rooms[0].step(outs[0], talker), rooms[1].step(outs[1])]
        played.append(outs[1])
        while (packet := here[1][0].take()) is not None:
            there[1][0].offer(packet[1], tick * TICK, sequence=sequence & 0xFFFF, timestamp=packet[0], ssrc=3)
            sequence += 1
    heard, found = np.concatenate(played), []
    for second in (1, 11):
        at = slice(second * RATE, (second + 1) * RATE)
        spectra = [np.fft.rfft(part[at].astype(float), 2 * RATE) for part in (heard, said)]
        match = np.fft.irfft(spectra[0] * np.conj(spectra[1]))[: RATE // 2]
        card_ms = 10.0  # The loudspeaker plays a frame after the tick that made it.
        found.append(float(np.argmax(np.abs(match))) * 1000 / RATE + card_ms)
    return tuple(found)


@pytest.mark.benchmark(group="pipeline-delay")
def test_axcore_mouth_to_ear(benchmark: Any) -> None:
    first, later = benchmark.pedantic(mouth_to_ear, rounds=1)
    benchmark.extra_info["mouth to ear"] = f"{first:.1f} ms as the call begins, {later:.1f} ms after ten seconds"
    assert 20 < later <= LATEST_MS[1]
    assert later <= first <= LATEST_MS[0]
