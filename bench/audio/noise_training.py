"""Learns the weights of the noise suppressor's network and writes ``cext/audio/ax_ns_weights.c``.

``python bench/audio/noise_training.py [--pairs 14000] [--steps 11000] [--seed 0]``: needs the dependency group
``noise-training`` and Debian's asterisk-core-sounds-{en,it,ru}-g722, two cores, 6 GB, and half an hour. The same
arguments give the same scenes and order; the last digits of the weights depend on the machine's rounding.

Network (ax_ns_step.h): 6 features of a band and its two neighbours on each side -> 16 tanh units -> a gated recurrent
unit of 16 states, all bands with the same weights, which also see the mean of all bands' states -> gains of both half
frames. Loss: the difference of magnitudes to the power 0.3 between what is left and the talker (a talker lost counts
more than a noise left), of the square root of the gain to the ideal one, and of the gain to the ideal one where the
talker is loud.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
import time
from multiprocessing import Pool
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.audio import training_scenes as scenes
from bench.audio.training_scenes import BANDS

FEATURES, TAPS, FRONT, STATES = 6, 5, 16, 16
SECONDS, CHECKED, CROP, BATCH, RATE = 4.0, 64, 160, 28, 4e-3
WARM = 20  # Frames of a crop that do not count.
LOW = 3  # Bands below 300 Hz do not tell how loud the talk is: wind is there.
NOISE_LEFT = 0.6  # What noise left counts, beside talk lost.
EXPONENT, LITTLE = 0.3, 1e-2
WEIGHTS = Path(__file__).parents[2] / "cext" / "audio" / "ax_ns_weights.c"

Params = dict[str, jax.Array]


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


def start(key: jax.Array) -> Params:
    k = jax.random.split(key, 5)

    def draw(at: int, scale: float, *shape: int) -> jax.Array:
        return jax.random.normal(k[at], shape) * scale

    return {
        "front": draw(0, (FEATURES * TAPS) ** -0.5, TAPS * FEATURES, FRONT),
        "front_bias": jnp.zeros((BANDS, FRONT)),
        "input": draw(1, FRONT**-0.5, FRONT, 3 * STATES),
        "past": draw(2, 0.5 * STATES**-0.5, STATES, 3 * STATES),
        "whole": draw(3, 0.3 * STATES**-0.5, STATES, 3 * STATES),
        "bias": jnp.zeros(3 * STATES).at[:STATES].set(-1.0),
        "gain": draw(4, 0.5 * (3 * STATES) ** -0.5, 3 * STATES, 2),
        "gain_bias": jnp.ones(2),
    }


def beside(x: jax.Array, reach: int) -> jax.Array:
    """Each band with its neighbours; beyond the ends is what is at the end."""
    wide = jnp.pad(x, ((0, 0), (0, 0), (reach, reach), (0, 0)), mode="edge")
    return jnp.concatenate([wide[:, :, i : i + BANDS] for i in range(2 * reach + 1)], -1)


def network(p: Params, f: jax.Array) -> jax.Array:
    """Time x sequences x bands x FEATURES -> ... x 2 gains."""
    x = jnp.tanh(beside(f, TAPS // 2) @ p["front"] + p["front_bias"]) @ p["input"] + p["bias"]

    def step(h: jax.Array, now: jax.Array) -> tuple[jax.Array, jax.Array]:
        past, now = h @ p["past"], now + h.mean(1, keepdims=True) @ p["whole"]
        gates = jax.nn.sigmoid(now[..., : 2 * STATES] + past[..., : 2 * STATES])
        update, reset = gates[..., :STATES], gates[..., STATES:]
        h = h + update * (jnp.tanh(now[..., 2 * STATES :] + reset * past[..., 2 * STATES :]) - h)
        return h, h

    _, h = jax.lax.scan(step, jnp.zeros((*f.shape[1:3], STATES)), x)
    return jax.nn.sigmoid(beside(h, 1) @ p["gain"] + p["gain_bias"])


def loss(p: Params, f: jax.Array, both: jax.Array, talk: jax.Array) -> jax.Array:
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
    return (jnp.where(over < 0, 1.0, NOISE_LEFT) * over**2 + 0.5 * gains + 0.5 * clear)[WARM:].mean()


@jax.jit
def update(p: Params, m: Params, v: Params, t: jax.Array, rate: jax.Array, *batch: jax.Array) -> Any:
    """A step of Adam with gradients of length 1 at most."""
    value, g = jax.value_and_grad(loss)(p, *batch)
    scale = jnp.minimum(1.0, 1.0 / (jnp.sqrt(sum(jnp.sum(x * x) for x in jax.tree.leaves(g))) + 1e-9))
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g * scale, m, g)
    v = jax.tree.map(lambda v, g: 0.99 * v + 0.01 * (g * scale) ** 2, v, g)
    p = jax.tree.map(lambda p, m, v: p - rate * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.99**t)) + 1e-8), p, m, v)
    return p, m, v, value


VOICES: scenes.Voices = []


def _pair(seed: int) -> scenes.Pair:
    return scenes.pair(seed, SECONDS, VOICES)


class Data:
    """Pairs, and batches of crops of them: time first."""

    def __init__(self, pairs: int) -> None:
        VOICES.extend(scenes.load())
        f, frames = jax.jit(features), int(SECONDS * 100)
        self.features = np.zeros((pairs, frames, BANDS, FEATURES), np.float16)
        self.both, self.talk = (np.zeros((pairs, frames, BANDS, 2), np.float32) for _ in range(2))
        with Pool(os.cpu_count()) as pool:
            for i, p in enumerate(pool.imap(_pair, range(pairs), chunksize=8)):
                self.features[i] = f(p.both, p.tones)
                for into, power in ((self.both, p.both), (self.talk, p.talk)):
                    into[i] = power.reshape(frames, 2, BANDS).transpose(0, 2, 1)

    def batch(self, which: Any, at: Any) -> list[jax.Array]:
        rows = list(zip(which, at, strict=True))
        return [
            jnp.asarray(np.stack([a[i, o : o + CROP] for i, o in rows], 1).astype(np.float32))
            for a in (self.features, self.both, self.talk)
        ]


def learn(data: Data, steps: int, seed: int, keep: Path | None = None) -> Params:
    p = start(jax.random.key(seed))
    m, v = jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p)
    check, rng = jax.jit(loss), np.random.default_rng(seed)
    held = data.batch(np.arange(CHECKED), np.full(CHECKED, 100))
    seen: list[float] = []
    began = time.monotonic()
    pairs, frames = data.features.shape[:2]
    for t in range(1, steps + 1):
        rate = RATE * min(1, t / 50) * (0.5 * (1 + np.cos(np.pi * t / steps)) + 0.01)
        batch = data.batch(rng.integers(CHECKED, pairs, BATCH), rng.integers(0, frames - CROP, BATCH))
        p, m, v, value = update(p, m, v, jnp.float32(t), jnp.float32(rate), *batch)
        seen.append(float(value))
        if t % 200 == 0 or t == steps:
            now = time.monotonic() - began
            print(f"{t:6} {now:6.0f} s  {np.mean(seen[-200:]):.5f}, held {float(check(p, *held)):.5f}", flush=True)
            if keep:
                np.savez(keep, **{k: np.asarray(a) for k, a in p.items()})
    return p


def number(x: float) -> str:
    text = f"{x:.4g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def rows(a: Any, indent: int) -> str:
    pad = " " * indent
    if a.ndim > 1:
        return pad + "{\n" + ",\n".join(rows(x, indent + 1) for x in a) + "}"
    lines, line = [], pad + "{"
    for i, x in enumerate(a):
        item = number(float(x)) + (", " if i + 1 < len(a) else "")
        if len(line) + len(item.rstrip()) > 126:
            lines.append(line.rstrip())
            line = pad + " "
        line += item
    return "\n".join([*lines, line + "}"])


def write(p: Params, path: Path) -> None:
    """As C, where rows are outputs."""
    text = (
        "/* Weights of the noise suppressor's network, learned and written by bench/audio/noise_training.py; see "
        "ax_ns_internal.h.\n * Units: none. Threads: constant. Allocation: none. */\n"
        '#include "ax_ns_internal.h"\n\nconst struct ns_weights ns_weights = {\n'
    )
    for name, a in p.items():
        text += f"    .{name} =\n{rows(np.asarray(a).T, 8)},\n"
    path.write_text(text + "};\n")


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
    parser.add_argument("--pairs", type=int, default=14000, help="scenes of 4 s")
    parser.add_argument("--steps", type=int, default=11000, help="batches")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="write the state of learning there (.npz) from time to time")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    write(learn(Data(options.pairs), options.steps, options.seed, options.keep), options.out)


if __name__ == "__main__":
    main()
