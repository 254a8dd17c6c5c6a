"""Learns the weights of the noise suppressor's network and writes ``cext/audio/ax_ns_weights.c``.

``python bench/audio/noise_training.py [--seed 0] [--out FILE]``: needs the dependency group ``noise-training`` and
Debian's asterisk-core-sounds-{en,it,ru}-g722, two cores, 6 GB, and an hour and a half. The same arguments give the same
scenes and order; the last digits of the weights depend on the machine's rounding.

Network (ax_ns_step.h): 6 features of a band and its two neighbours on each side -> 16 tanh units -> a gated recurrent
unit of 24 states, all bands with the same weights, which also see the means of the states of four regions of bands ->
gains of both half frames. Loss: the difference of magnitudes to the power 0.3 between what is left and the talker (a
talker lost counts more than a noise left), of the square root of the gain to the ideal one, and of the gain to the
ideal one where the talker is loud; and, from the second stage on, how badly the envelope of each band follows the
talker's over 0.38 s, which is what STOI measures.

Four stages: 16 states with scenes of 4 s; then 24 (the first 16 do at first what they did) with scenes of 8 s of
which crops of 3 s are learned, so that what the network remembers may grow old; then smaller steps, of which the
running average is kept; then the gains as the core uses them, and what a listener
would hear (perceptual.py) beside the rest. Of what the fourth changes KEPT is kept: all of it gives more PESQ in rain
and wind, and loses in STOI what the third had won. The weights that ship: the table of the third stage, and then
``--last`` with it, which takes a quarter of an hour of one core.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import re
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.audio import training_scenes as scenes
from bench.audio.perceptual import disturbance
from bench.audio.training_scenes import BANDS

FEATURES, TAPS, FRONT, REGIONS = 6, 5, 16, 4
WARM = 20  # Frames of a crop that do not count.
LOW = 3  # Bands below 300 Hz do not tell how loud the talk is: wind is there.
SEGMENT = 38  # Frames over which envelopes are compared.
HEARD = 1e-4  # A band that holds so much of the talk counts.
AVERAGED = 0.008
EXPONENT, LITTLE = 0.3, 1e-2
POWER, LEAST = 1.25, 10**-1.5
KEPT = 0.8  # Of what the last stage changes.
UNIT = 1024  # NS_UNIT of ax_ns_internal.h.
WEIGHTS = Path(__file__).parents[2] / "cext" / "audio" / "ax_ns_weights.c"

Params = dict[str, jax.Array]
Batch = tuple[jax.Array, jax.Array, jax.Array]  # Features; power of talk and noise, of talk alone.


@dataclass(frozen=True)
class Stage:
    """What is learned from, and how."""

    states: int
    mix: scenes.Mix
    first: int  # Seeds of scenes from here on,
    pairs: int  # so many, of so long:
    seconds: float
    checked: int  # the first of them are not learned from.
    crop: int
    batch: int
    rate: float
    steps: int
    planned: int  # Steps in which the rate would go to nothing.
    noise_left: float  # What noise left counts, beside talk lost.
    envelopes: float  # What envelopes that do not follow count,
    heard: float  # and what P.862 would hear.
    averaged: bool


STAGES = (
    Stage(16, scenes.EASY, 0, 14000, 4.0, 64, 160, 28, 4e-3, 11000, 11000, 0.6, 0.0, 0.0, False),
    Stage(24, scenes.HARD, 100000, 6000, 8.0, 32, 300, 16, 2e-3, 1000, 3500, 0.75, 0.15, 0.0, False),
    Stage(24, scenes.HARD, 100000, 4000, 8.0, 32, 300, 16, 1e-3, 1942, 1942, 0.75, 0.3, 0.0, True),
    Stage(24, scenes.HARDER, 200000, 2400, 8.0, 32, 260, 16, 1.5e-3, 1400, 1400, 0.75, 0.3, 0.15, True),
)


def features(power: jax.Array, tones: jax.Array) -> jax.Array:
    """Half frames x bands, frames x bands -> frames x bands x FEATURES; the constants are those of ax_ns_core.c."""
    log = jnp.log2(power + 1e-9).reshape(-1, 2, BANDS)
    mean, loud = log.mean(1), jnp.log2(power.reshape(-1, 2, BANDS)[..., LOW:].sum((1, 2)) + 1e-7)

    def track(state: Any, now: Any) -> Any:
        floor, slow, talk = state
        m, e = now
        floor = floor + jnp.where(m < floor, 0.15, 0.006) * jnp.clip(m - floor, -20, 4)
        slow = slow + 0.02 * (m - slow)
        talk = talk + jnp.where(e > talk, 0.2, 0.002) * (e - talk)
        return (floor, slow, talk), (floor, slow, talk)

    _, (floor, slow, talk) = jax.lax.scan(track, (mean[0], mean[0], loud[0]), (mean, loud))
    over = talk[:, None] - 4
    rows = [log[:, 0] - floor, log[:, 1] - floor, slow - floor, floor - over, log[:, 1] - over, 4 * tones]
    return jnp.clip(0.25 * jnp.stack(rows, -1), -4, 4)


def start(key: jax.Array, states: int) -> Params:
    k = jax.random.split(key, 5)

    def draw(at: int, scale: float, *shape: int) -> jax.Array:
        return jax.random.normal(k[at], shape) * scale

    return {
        "front": draw(0, (FEATURES * TAPS) ** -0.5, TAPS * FEATURES, FRONT),
        "front_bias": jnp.zeros((BANDS, FRONT)),
        "input": draw(1, FRONT**-0.5, FRONT, 3 * states),
        "past": draw(2, 0.5 * states**-0.5, states, 3 * states),
        "whole": draw(3, 0.3 * states**-0.5, states, 3 * states),  # From the mean of all bands; see widen.
        "bias": jnp.zeros(3 * states).at[:states].set(-1.0),
        "gain": draw(4, 0.5 * (3 * states) ** -0.5, 3 * states, 2),
        "gain_bias": jnp.ones(2),
    }


def widen(p: Params, states: int, seed: int) -> Params:
    """More states, which nothing listens to yet, and each region by itself instead of the mean of all."""
    was, rng = p["past"].shape[0], np.random.default_rng(seed)

    def gates(a: Any, scale: float) -> Any:
        wide = rng.normal(size=(*a.shape[:-1], 3, states)) * scale
        wide[..., :was] = np.asarray(a).reshape(*a.shape[:-1], 3, was)
        return wide

    past = np.zeros((states, 3, states))
    past[:was], past[was:, :, was:] = gates(p["past"], 0.1), rng.normal(size=(states - was, 3, states - was)) * 0.1
    whole = np.zeros((REGIONS, states, 3, states))
    for region in range(REGIONS):
        whole[region, :was] = gates(p["whole"], 0.05) / REGIONS
    bias, gain = np.zeros((3, states)), np.zeros((3, states, 2))
    bias[:, :was], bias[0, was:] = p["bias"].reshape(3, was), -1.0
    gain[:, :was] = p["gain"].reshape(3, was, 2)
    wide = {
        "input": gates(p["input"], 0.7 * FRONT**-0.5).reshape(FRONT, -1),
        "past": past.reshape(states, -1),
        "whole": whole.reshape(REGIONS * states, -1),
        "bias": bias.reshape(-1),
        "gain": gain.reshape(-1, 2),
    }
    return p | {k: jnp.asarray(a, jnp.float32) for k, a in wide.items()}


def beside(x: jax.Array, reach: int) -> jax.Array:
    """Each band with its neighbours; beyond the ends is what is at the end."""
    wide = jnp.pad(x, ((0, 0), (0, 0), (reach, reach), (0, 0)), mode="edge")
    return jnp.concatenate([wide[:, :, i : i + BANDS] for i in range(2 * reach + 1)], -1)


def network(p: Params, f: jax.Array) -> jax.Array:
    """Time x sequences x bands x FEATURES -> ... x 2 gains."""
    x = jnp.tanh(beside(f, TAPS // 2) @ p["front"] + p["front_bias"]) @ p["input"] + p["bias"]
    states = p["past"].shape[0]
    regions = p["whole"].shape[0] // states

    def step(h: jax.Array, now: jax.Array) -> tuple[jax.Array, jax.Array]:
        means = h.reshape(h.shape[0], regions, -1, states).mean(2).reshape(h.shape[0], 1, -1)
        past, now = h @ p["past"], now + means @ p["whole"]
        gates = jax.nn.sigmoid(now[..., : 2 * states] + past[..., : 2 * states])
        update, reset = gates[..., :states], gates[..., states:]
        h = h + update * (jnp.tanh(now[..., 2 * states :] + reset * past[..., 2 * states :]) - h)
        return h, h

    _, h = jax.lax.scan(step, jnp.zeros((*f.shape[1:3], states)), x)
    return jax.nn.sigmoid(beside(h, 1) @ p["gain"] + p["gain_bias"])


def unlike(heard: jax.Array, talk: jax.Array, least: jax.Array) -> jax.Array:
    """1 less the correlation of the envelopes of each band over SEGMENT frames, where the talk is above ``least``."""
    n = (heard.shape[0] - WARM) // SEGMENT

    def segments(power: jax.Array) -> jax.Array:
        return power.mean(-1)[WARM : WARM + n * SEGMENT].reshape(n, SEGMENT, *power.shape[1:3])

    a, b = (jnp.sqrt(segments(power) + 1e-12) for power in (heard, talk))
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    same = (a * b).sum(1) / jnp.sqrt((a * a).sum(1) * (b * b).sum(1) + 1e-16)
    counts = (segments(talk).mean(1) > least).astype(jnp.float32).at[..., :1].set(0)
    return ((1 - same) * counts).sum() / (counts.sum() + 1)


def taken(g: jax.Array) -> jax.Array:
    """What the core makes of the gains of the network: ax_ns_core.c, shape()."""
    return jnp.maximum((g + 1e-6) ** POWER, LEAST)


def loss(p: Params, stage: Stage, batch: Batch) -> jax.Array:
    f, both, talk = batch
    g = network(p, f)
    all_ = jnp.maximum(
        jnp.maximum(talk.mean((0, 2, 3), keepdims=True), 0.03 * both.mean((0, 2, 3), keepdims=True)), 1e-8
    )
    unit = jnp.sqrt(all_ * jnp.maximum(talk.mean((0, 3), keepdims=True), 1e-4 * all_))
    left = (g * jnp.sqrt(both / unit) + LITTLE) ** EXPONENT
    over = left - (jnp.sqrt(talk / unit) + LITTLE) ** EXPONENT
    ideal = jnp.clip(jnp.sqrt(talk / (both + 1e-12)), 0, 1)
    gains = (jnp.sqrt(g + 1e-4) - jnp.sqrt(ideal + 1e-4)) ** 2
    clear = jnp.minimum(talk / unit, 1e3) ** EXPONENT * (g - ideal) ** 2
    near = (jnp.where(over < 0, 1.0, stage.noise_left) * over**2 + 0.5 * gains + 0.5 * clear)[WARM:].mean()
    if stage.heard == 0.0:
        return near + stage.envelopes * unlike(g * g * both, talk, HEARD * all_[0, :, :, 0])
    heard = taken(g) ** 2 * both
    missed = stage.envelopes * unlike(heard, talk, HEARD * all_[0, :, :, 0])
    there = (talk.mean((0, 2, 3)) > 1e-4 * both.mean((0, 2, 3))).astype(jnp.float32)
    worse = (disturbance(heard[WARM:], talk[WARM:]) * there).sum() / (there.sum() + 1e-9)
    return near + missed + stage.heard * worse


def updater(stage: Stage) -> Callable[..., Any]:
    """A step of Adam with gradients of length 1 at most, and the running average."""

    def update(state: tuple[Params, ...], t: jax.Array, rate: jax.Array, batch: Batch) -> Any:
        p, m, v, mean = state
        value, g = jax.value_and_grad(loss)(p, stage, batch)
        scale = jnp.minimum(1.0, 1.0 / (jnp.sqrt(sum(jnp.sum(x * x) for x in jax.tree.leaves(g))) + 1e-9))
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g * scale, m, g)
        v = jax.tree.map(lambda v, g: 0.99 * v + 0.01 * (g * scale) ** 2, v, g)
        p = jax.tree.map(lambda p, m, v: p - rate * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.99**t)) + 1e-8), p, m, v)
        mean = jax.tree.map(lambda e, p: e + AVERAGED * (p - e), mean, p) if stage.averaged else p
        return (p, m, v, mean), value

    return jax.jit(update)


VOICES: scenes.Voices = []


def _pair(job: tuple[int, float, str]) -> scenes.Pair:
    seed, seconds, mix = job
    return scenes.pair(seed, seconds, VOICES, scenes.MIXES[mix])


class Data:
    """Pairs, and batches of crops of them: time first."""

    def __init__(self, stage: Stage, pool: Any) -> None:
        f, frames, pairs = jax.jit(features), int(stage.seconds * 100), stage.pairs
        mix = next(name for name, mix in scenes.MIXES.items() if mix is stage.mix)  # Functions do not travel.
        jobs = [(stage.first + i, stage.seconds, mix) for i in range(pairs)]
        self.crop = stage.crop
        self.features = np.zeros((pairs, frames, BANDS, FEATURES), np.float16)
        self.both, self.talk = (np.zeros((pairs, frames, BANDS, 2), np.float32) for _ in range(2))
        for i, p in enumerate(pool.imap(_pair, jobs, chunksize=8)):
            self.features[i] = f(p.both, p.tones)
            for into, power in ((self.both, p.both), (self.talk, p.talk)):
                into[i] = power.reshape(frames, 2, BANDS).transpose(0, 2, 1)

    def batch(self, which: Any, at: Any) -> Batch:
        rows = list(zip(which, at, strict=True))
        f, both, talk = (
            jnp.asarray(np.stack([a[i, o : o + self.crop] for i, o in rows], 1).astype(np.float32))
            for a in (self.features, self.both, self.talk)
        )
        return f, both, talk


def learn(p: Params, data: Data, stage: Stage, seed: int, keep: Path | None = None) -> Params:
    state = (p, jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p), p)
    check, update, rng = jax.jit(lambda p, batch: loss(p, stage, batch)), updater(stage), np.random.default_rng(seed)
    held = data.batch(np.arange(stage.checked), np.full(stage.checked, 100))
    seen: list[float] = []
    began = time.monotonic()
    pairs, frames = data.features.shape[:2]
    for t in range(1, stage.steps + 1):
        rate = stage.rate * min(1, t / 50) * (0.5 * (1 + np.cos(np.pi * t / stage.planned)) + 0.01)
        which, at = (
            rng.integers(stage.checked, pairs, stage.batch),
            rng.integers(0, frames - stage.crop, stage.batch),
        )
        state, value = update(state, jnp.float32(t), jnp.float32(rate), data.batch(which, at))
        seen.append(float(value))
        if t % 200 == 0 or t == stage.steps:
            left, now = float(check(state[3], held)), time.monotonic() - began
            print(f"{t:6} {now:6.0f} s  {np.mean(seen[-200:]):.5f}, held {left:.5f}", flush=True)
            if keep:
                np.savez(keep, **{k: np.asarray(a) for k, a in state[3].items()})
    return state[3]


def numbers(a: Any) -> str:
    return "{" + ", ".join(numbers(x) if a.ndim > 1 else str(round(float(x) * UNIT)) for x in a) + "}"


def write(p: Params, path: Path) -> None:
    """As C, where rows are outputs."""
    text = (
        "/* Weights of the noise suppressor's network, learned and written by bench/audio/noise_training.py; see "
        "ax_ns_internal.h.\n * Units: 1/1024. Threads: constant. Allocation: none. */\n"
        '#include "ax_ns_internal.h"\n\nconst struct ns_weights ns_weights = {\n'
    )
    for name, a in p.items():
        lines = textwrap.wrap(
            numbers(np.asarray(a).T), 150, initial_indent=" " * 8, subsequent_indent=" " * 8, break_on_hyphens=False
        )
        text += f"    .{name} =\n" + "\n".join(lines).replace(", ", ",") + ",\n"
    path.write_text(text + "};\n")


def read(path: Path) -> Params:
    """The weights of a table that ``write`` wrote."""
    parts = re.findall(r"\n    \.(\w+) =([-{}0-9,\s]+),", path.read_text())
    tables = {name: json.loads(text.translate(str.maketrans("{}", "[]"))) for name, text in parts}
    return {name: jnp.asarray(np.array(a, np.float32).T / UNIT) for name, a in tables.items()}


def keep_memory() -> None:
    """Large blocks stay with the process: mapping them anew for each batch takes as long as the work (mallopt)."""
    libc = ctypes.CDLL(None)
    for option, value in (
        (-4, 0),
        (-1, 2**31 - 1),
        (-2, 2**29),
        (-8, 1),
    ):  # MMAP_MAX, TRIM_THRESHOLD, TOP_PAD, ARENA_MAX
        libc.mallopt(option, value)


def main() -> None:
    keep_memory()
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="write the state of learning there (.npz) from time to time")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--last", type=Path, help="the last stage only, from the weights of this table (.c)")
    options = parser.parse_args()
    VOICES.extend(scenes.load())
    with Pool(os.cpu_count()) as pool:  # Before JAX has threads.
        p = read(options.last) if options.last else start(jax.random.key(options.seed), STAGES[0].states)
        for i, stage in list(enumerate(STAGES))[-1 if options.last else 0 :]:
            if stage.states != p["past"].shape[0]:
                p = widen(p, stage.states, options.seed + 5)
            was, p = p, learn(p, Data(stage, pool), stage, options.seed + max(0, i - 1), options.keep)
            if stage.heard:
                p = jax.tree.map(lambda old, new: old + KEPT * (new - old), was, p)
    write(p, options.out)


if __name__ == "__main__":
    main()
