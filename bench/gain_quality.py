"""How fast does the gain control find the level of real speech? Steps of level in running speech, one table.

``python bench/gain_quality.py [--quick]``. Needs PyAV and scipy (dependency group ``audio-bench``) and Debian's
asterisk-core-sounds-{en,it,ru,es,fr}-g722; the sentences are those that nothing was tuned on.

The talker's level is the active speech level of ITU-T P.56 (method B: the mean power while somebody talks, pauses left
out, which is what a listener and the levels of telephony go by) over the whole of what he says at that level; every
prompt is brought to the same one. The gain is right while it is within 2 dB of what brings that level to -20 dBFS.

``reached`` is the time from the step until the gain is right for the first time, ``settled`` until it stays right for
the rest of 4 s; ``in time`` is the share of steps that settle within 1 s up (a fainter talker) and 0.3 s down.
``told`` is told the instant of the step and takes the mean power of the talk since then, of 3 s at most: nobody who has
not heard the talker at his new level can settle much faster. The last table says why: how well the talk of so many
seconds tells its level.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal

sys.path.insert(0, str(Path(__file__).parents[1]))

from axcore.audio import GainControl
from bench.audio.speech import RATE, Signal, decode, is_clear, prompts, trim

FRAME, TARGET, WITHIN = RATE // 100, -20.0, 2.0
STEPS = ((-45, -10), (-40, -25), (-30, -20), (-28, -22), (-26, -21))
OVER = 0.25
"""dB by which frames within 20 dB of their mean are louder than talk is by P.56."""
Gains = NDArray[np.float64]
Follower = Callable[[Signal, int], Gains]


def active_level(x: Signal) -> float:
    """ITU-T P.56, method B: dB, where 0 is a square wave of full scale."""
    g, hold, margin = np.exp(-1 / (0.03 * RATE)), RATE // 5, 15.9
    envelope = signal.lfilter([1 - g], [1, -g], signal.lfilter([1 - g], [1, -g], np.abs(x)))
    energy, at = float((x**2).sum()), np.arange(x.size)
    before: tuple[float, float] | None = None
    for threshold in 2.0 ** np.arange(-15, 0):
        last = np.maximum.accumulate(np.where(envelope >= threshold, at, -RATE))
        active = int((at - last <= hold).sum())
        level = 10 * np.log10(energy / max(active, 1) + 1e-20)
        over = level - 20 * np.log10(threshold)
        if not active or over <= margin:
            if before is None or not active:
                return float(level if before is None else before[0])
            part = (before[1] - margin) / (before[1] - over)
            return float(before[0] + part * (level - before[0]))
        before = level, over
    return float(level)


def running(voice: str, seconds: float, seed: int) -> Signal:
    """Prompts one after the other, each at an active level of 0 dB."""
    files = [p for p in prompts(voice, True) if is_clear(p)]
    parts: list[Signal] = []
    for at in np.random.default_rng(seed).permutation(len(files)):
        part = trim(decode(files[at]), 0.15)
        parts.append(part / 10 ** (active_level(part) / 20))
        if sum(p.size for p in parts) >= seconds * RATE:
            break
    x = np.concatenate(parts)[: int(seconds * RATE)]
    return np.asarray(x / 10 ** (active_level(x) / 20))


def frame_power(x: Signal) -> Signal:
    return np.asarray((x[: x.size // FRAME * FRAME].reshape(-1, FRAME) ** 2).mean(1))


def ours(x: Signal, step: int) -> Gains:
    control, out = GainControl(RATE, TARGET), np.empty(FRAME, np.int16)
    pcm = np.clip(np.round(x * 32768), -32768, 32767).astype(np.int16)
    gains = []
    for part in pcm[: x.size // FRAME * FRAME].reshape(-1, FRAME):
        control.process(part, out)
        gains.append(control.gain_db)
    return np.array(gains)


def told(x: Signal, step: int) -> Gains:
    power, gains, heard = frame_power(np.clip(x, -1, 1)), [], [1e-9]
    for i, p in enumerate(power):
        if i == step:
            heard = heard[:0]
        if not heard or p > np.mean(heard[-300:]) / 100:
            heard.append(float(p))
        gains.append(TARGET + OVER - 10 * np.log10(np.mean(heard[-300:]) + 1e-12))
    return np.array(gains)


def measure(follow: Follower, voices: tuple[str, ...], seeds: int) -> dict[str, Any]:
    reached: dict[str, list[float]] = {"up": [], "down": []}
    settled: dict[str, list[float]] = {"up": [], "down": []}
    steady = []
    for voice in voices:
        for seed in range(seeds):
            x = running(voice, 12, 1000 + seed)
            power = frame_power(x)
            starts = [k for k in range(500, 700) if power[k : k + 2].min() > 0.1 and power[k - 5 : k].max() < 0.05]
            for step in (starts[0] if starts else 550, 600):  # Where somebody begins to talk, and anywhere.
                for low, high in (*STEPS, *((b, a) for a, b in STEPS)):
                    db = np.where(np.arange(x.size) < step * FRAME, low, high)
                    gain = follow(x * 10 ** (db / 20), step)
                    wrong = np.abs(gain[step : step + 400] - TARGET + high) > WITHIN
                    name = "up" if high < low else "down"
                    reached[name].append(float(np.append(np.flatnonzero(~wrong), 400)[0] / 100))
                    settled[name].append(float((np.append(-1, np.flatnonzero(wrong))[-1] + 1) / 100))
                    steady.append(np.abs(gain[300:step] - TARGET + low))
    return {"reached": reached, "settled": settled, "steady": np.concatenate(steady)}


def windows(voices: tuple[str, ...], seeds: int) -> None:
    print("\nmean power of that much talk against the talker's active level, pauses left out")
    print(f"{'seconds':>10}{'deviation':>11}{'within 2 dB':>13}{'95 % within':>13}")
    power = [frame_power(running(v, 20, s)) for v in voices for s in range(seeds)]
    talk = [p[p > 1e-2] for p in power]
    for seconds in (0.1, 0.2, 0.3, 0.5, 1.0, 1.5):
        n = int(seconds * 100)
        db = np.concatenate([10 * np.log10(np.convolve(p, np.ones(n) / n, "valid")) for p in talk])
        off = np.abs(db - np.median(db))
        print(f"{seconds:10.1f}{db.std():8.1f} dB{(off <= WITHIN).mean():13.0%}{np.quantile(off, 0.95):10.1f} dB")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="two voices, one talk each")
    quick = parser.parse_args().quick
    voices, seeds = (("fr", "it"), 1) if quick else (("en", "it", "ru", "fr", "es"), 4)
    print(f"{'':14}{'reached s':^24}{'settled s':^24}{'in time':>8}{'wrong while steady':>20}")
    print(f"{'':14}" + 2 * f"{'median':>8}{'p90':>8}{'worst':>8}")
    for name, follow in (("axcore", ours), ("told", told)):
        found = measure(follow, voices, seeds)
        for way, limit in (("up", 1.0), ("down", 0.3)):
            line = f"{name:8}{way:6}"
            for key in ("reached", "settled"):
                t = np.array(found[key][way])
                line += f"{np.median(t):8.2f}{np.quantile(t, 0.9):8.2f}{t.max():8.2f}"
            print(line + f"{(t <= limit).mean():8.0%}{(found['steady'] > WITHIN).mean():20.1%}")
    windows(voices, seeds)


if __name__ == "__main__":
    main()
