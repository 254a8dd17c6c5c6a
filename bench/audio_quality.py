"""How good is the echo canceller? Ours, speexdsp and WebRTC's two on the same scenes, one table.

``python bench/audio_quality.py [--quick] [--set tuned|developed|held-out|fresh|usual|all] [--scenes lin,dt0]
[--peers speex,aec3] [--json FILE]``. Needs the dependency group ``audio-bench``, and from Debian
asterisk-core-sounds-{en,it,ru,es,fr}-g722, libspeexdsp1 and libwebrtc-audio-processing1; AEC3 is in the group
``audio-aec3``. A peer that is not there is named and left out. Scenes, rooms and levels: bench/audio/scenes.py;
measures: bench/audio/metrics.py. Scenes are at 16 kHz and last 9 s, of which the last 4 are steady. The usual sets are
tuned and held-out.

Columns are means over the pairs of talkers of a set. ``erle`` is in dB, ``first`` over the first second, ``e1`` in
the second after the event, ``t20`` in seconds to 20 dB (0.25 is the least that can be measured). Double talk: PESQ
(wide band), STOI, SDR with a filter of 24 ms allowed, gain of the talker in dB, ``lost``: per cent of the talker's
frames that come out 15 dB lower. ``turns`` is a talker who says something of a second, five times.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.audio import metrics
from bench.audio.peers import Aec2, Aec3, Pcm, Speex, missing
from bench.audio.scenes import BUILDERS, EVENT, SETS, Scene, Stage
from bench.audio.speech import RATE

STEADY = 5.0
USUAL = ("tuned", "held-out")
QUICK = ("lin", "hard", "jump", "dt0")


class Canceller(Protocol):
    """What is measured: a latency in samples, and a run over a scene."""

    latency: int

    def run(self, mic: Pcm, ref: Pcm) -> tuple[Pcm, float]: ...


class Ours:
    """axcore's, through its Python face."""

    def __init__(self, rate: int, full: bool) -> None:
        from axcore.audio import EchoCanceller

        self.canceller = EchoCanceller(rate, suppress=full)
        self.latency = self.canceller.latency

    def run(self, mic: Pcm, ref: Pcm) -> tuple[Pcm, float]:
        out = np.zeros_like(mic)
        process, frame = self.canceller.process, self.canceller.frame
        rows = [x[: x.size // frame * frame].reshape(-1, frame) for x in (mic, ref, out)]
        views = list(zip(*(list(r) for r in rows), strict=True))
        start = time.perf_counter()
        for m, r, o in views:
            process(m, r, o)
        return out, (time.perf_counter() - start) / len(views) * 1e6


@dataclass(frozen=True)
class Goal:
    scene: str
    measure: str
    bound: float
    least: bool = True


GOALS = (
    Goal("lin", "erle", 40),
    Goal("soft", "erle", 37),
    Goal("hard", "erle", 28),
    Goal("lin", "first", 30),
    Goal("lin", "t20", 0.25, False),
    Goal("change", "e1", 33),
    Goal("change", "t20", 0.3, False),
    Goal("jump", "e1", 30),
    Goal("jump", "t20", 0.4, False),
    Goal("bulk", "erle", 37),
    Goal("drift", "erle", 36),
    Goal("noise", "erle", 30),
    Goal("dt0", "pesq", 2.8),
    Goal("dt0", "stoi", 0.965),
    Goal("dt0", "sdr", 19.5),
    Goal("dt0", "lost", 0.5, False),
    Goal("dt+10", "pesq", 3.85),
    Goal("dt+10", "stoi", 0.994),
    Goal("dt+10", "sdr", 27),
    Goal("dt-10", "pesq", 1.6),
    Goal("dt-10", "stoi", 0.87),
    Goal("dt-10", "sdr", 12),
    Goal("dtstart", "pesq", 2.2),
    Goal("dtstart", "stoi", 0.94),
    Goal("dtstart", "sdr", 14.5),
    Goal("near", "pesq", 4.5),
    Goal("near", "gain", -0.3),
)
FILTER_GOALS = (Goal("lin", "erle", 33), Goal("drift", "erle", 25))


def measure(scene: Scene, out: Pcm, latency: int) -> dict[str, float]:
    """Every number that the scene is for."""
    mic = scene.mic / 32768.0
    heard = np.concatenate([out[latency:], np.zeros(latency, np.int16)]) / 32768.0
    end = mic.size / RATE
    if scene.near is not None:
        a, b = int(scene.near_from * RATE), mic.size - latency
        # Alone at the microphone, the talker is judged by what came in: room noise is not the canceller's business.
        near = (mic if scene.name == "near" else scene.near)[a:b]
        sdr, gain = metrics.sdr(near, heard[a:b])
        return {
            "pesq": metrics.wideband_pesq(near, heard[a:b]),
            "stoi": metrics.intelligibility(near, heard[a:b]),
            "sdr": sdr,
            "gain": gain,
            "lost": metrics.frames_lost(near, heard[a:b]),
        }
    found = {"erle": metrics.erle(mic, heard, STEADY + 1.5 if scene.event else STEADY, end)}
    if scene.event is not None:
        found |= {
            "e1": metrics.erle(mic, heard, EVENT, EVENT + 1),
            "t20": metrics.time_to_20(mic, heard, EVENT),
        }
    else:
        found |= {"first": metrics.erle(mic, heard, 0, 1), "t20": metrics.time_to_20(mic, heard, 0)}
    return found


def table(title: str, columns: dict[str, dict[str, dict[str, float]]]) -> None:
    """Scenes and measures down, cancellers across."""
    print(f"\n{title}\n{'':22}" + "".join(f"{name:>14}" for name in columns) + f"{'goal':>10}")
    goals = {(g.scene, g.measure): g for g in GOALS}
    first = next(iter(columns.values()))
    for scene, values in first.items():
        for key in values:
            numbers = [columns[name][scene][key] for name in columns]
            digits = 3 if key in {"pesq", "stoi"} else 2 if key == "t20" else 1
            goal = goals.get((scene, key))
            mark = ""
            if goal:
                met = numbers[0] >= goal.bound if goal.least else numbers[0] <= goal.bound
                mark = f"{goal.bound:>9g}{' ' if met else '*'}"
            print(f"{scene:12}{key:10}" + "".join(f"{n:>14.{digits}f}" for n in numbers) + mark)


MAKERS: dict[str, Callable[[], Canceller]] = {
    "axcore": lambda: Ours(RATE, True),
    "axcore filter": lambda: Ours(RATE, False),
    "speex": lambda: Speex(RATE, True),
    "speex filter": lambda: Speex(RATE, False),
    "aec2": lambda: Aec2(RATE),
    "aec3": lambda: Aec3(RATE),
}
COST_GOALS = {"speex": 0.5, "aec3": 0.4}
"""Our time over theirs, at most."""


def evaluate(name: str, scenes: list[str], pairs: int) -> dict[str, dict[str, dict[str, float]]]:
    """Means over the pairs of a set, for each canceller; microseconds a frame are the least of all runs."""
    sums: dict[str, dict[str, dict[str, list[float]]]] = {maker: {} for maker in MAKERS}
    micros: dict[str, list[float]] = {maker: [] for maker in MAKERS}
    for pair in SETS[name][:pairs]:
        stage = Stage(pair)
        for scene in (stage.scene(s) for s in scenes):
            for maker, make in MAKERS.items():
                canceller = make()
                out, us = canceller.run(scene.mic, scene.ref)
                if scene.name != "near":
                    micros[maker].append(us)
                for key, value in measure(scene, out, canceller.latency).items():
                    sums[maker].setdefault(scene.name, {}).setdefault(key, []).append(value)
    means = {m: {s: {k: float(np.mean(v)) for k, v in d.items()} for s, d in sums[m].items()} for m in MAKERS}
    for maker in MAKERS:
        means[maker]["cost"] = {"us/frame": min(micros[maker])}
    return means


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="four scenes of one pair per set: less than a minute")
    parser.add_argument("--set", choices=[*SETS, "usual", "all"], default="usual")
    parser.add_argument("--peers", help="names, with commas: speex,aec2,aec3; none: ours alone")
    parser.add_argument("--scenes", help="names, with commas: " + ",".join(BUILDERS))
    parser.add_argument("--json", type=Path, help="write all numbers there")
    options = parser.parse_args()
    names = options.scenes.split(",") if options.scenes else list(QUICK) if options.quick else list(BUILDERS)
    wanted = COST_GOALS.keys() | {"aec2"} if options.peers is None else set(options.peers.split(","))
    for peer, package in missing().items():
        if peer in wanted:
            print(f"{peer} is not compared with: {package} is not installed")
            wanted.discard(peer)
    for maker in [m for m in MAKERS if not m.startswith("axcore") and m.split()[0] not in wanted]:
        del MAKERS[maker]
    results = {}
    for name in SETS if options.set == "all" else USUAL if options.set == "usual" else (options.set,):
        results[name] = evaluate(name, names, 1 if options.quick else len(SETS[name]))
        table(f"{name}: {len(SETS[name][: 1 if options.quick else None])} pair(s)   (* = goal missed)", results[name])
        ours = results[name]["axcore"]["cost"]["us/frame"]
        for peer, bound in COST_GOALS.items():
            if peer in results[name]:
                part = ours / results[name][peer]["cost"]["us/frame"]
                print(f"{'cost':12}ours over {peer} {part:.2f}, goal {bound:g}{'' if part <= bound else ' *'}")
        for goal in FILTER_GOALS:
            if goal.scene in names:
                got = results[name]["axcore filter"][goal.scene][goal.measure]
                print(
                    f"{goal.scene:12}filter alone {got:.1f} dB, goal {goal.bound:g}{'' if got >= goal.bound else ' *'}"
                )
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
