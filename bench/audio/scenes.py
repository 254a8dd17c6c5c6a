"""Scenes for the echo canceller: loudspeaker, room (image sources), talker, noise, and what goes wrong between them.

Each scene gives the reference, the microphone, and the near-end talker alone at the microphone (reverberant), as int16
at 16 kHz. Levels: echo -22 dBFS, room noise -70 dBFS, over the whole scene. `SETS` names the scenes that are tuned on
(``tuned`` and ``developed``) and those that only judge (``held-out`` and ``fresh``); they differ in rooms, voices,
sentences and seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from bench.audio.speech import RATE, Signal, pink, speech

ECHO_DB, NOISE_DB = -22.0, -70.0
EVENT = 5.0  # A path change, a delay jump: seconds.
NEAR_FROM = 3.0


@dataclass(frozen=True)
class Room:
    """A shoe box in metres; absorption by reverberation time, or per wall (west east south north floor ceiling)."""

    name: str
    size: tuple[float, float, float]
    rt60: float = 0.0
    walls: tuple[float, ...] = ()


ROOMS = {
    r.name: r
    for r in (
        Room("lobby", (6.0, 4.5, 2.8), rt60=0.45),
        Room("street", (14.0, 9.0, 7.0), walls=(0.25, 0.85, 0.9, 0.9, 0.4, 0.98)),
        Room("porch", (2.4, 2.0, 2.6), walls=(0.2, 0.3, 0.9, 0.3, 0.25, 0.3)),
        Room("hall", (9.0, 5.5, 3.2), rt60=0.6),
        Room("stairs", (3.2, 2.6, 5.0), rt60=0.5),
        Room("gate", (11.0, 7.0, 6.0), walls=(0.2, 0.7, 0.5, 0.95, 0.3, 0.97)),
        Room("yard", (18.0, 12.0, 9.0), walls=(0.15, 0.8, 0.7, 0.9, 0.5, 0.98)),
    )
}


@dataclass(frozen=True)
class Pair:
    """Who is far, who is near, in which room."""

    far: str
    near: str
    room: str
    seed: int
    held_out: bool


SETS = {
    "tuned": (Pair("en", "it", "lobby", 1, False), Pair("it", "ru", "street", 2, False)),
    "developed": (
        Pair("fr", "es", "porch", 21, False),
        Pair("es", "en", "hall", 22, False),
        Pair("ru", "fr", "yard", 23, False),
        Pair("en", "it", "lobby", 24, False),
    ),
    "held-out": (
        Pair("ru", "en", "hall", 11, True),
        Pair("it", "en", "porch", 12, True),
        Pair("en", "ru", "yard", 13, True),
    ),
    "fresh": (
        Pair("es", "fr", "stairs", 31, True),
        Pair("fr", "it", "gate", 32, True),
        Pair("en", "es", "lobby", 33, True),
        Pair("it", "ru", "hall", 34, True),
    ),
}


@dataclass
class Scene:
    """What a canceller is given, and what it is judged by. Times in seconds."""

    name: str
    ref: NDArray[np.int16]
    mic: NDArray[np.int16]
    near: Signal | None = None  # The talker at the microphone, full scale 1.0.
    near_from: float = 0.0
    event: float | None = None
    parts: dict[str, Signal] = field(default_factory=dict)


def responses(room: Room, rng: np.random.Generator) -> tuple[Signal, Signal, Signal]:
    """Room impulse responses: loudspeaker to microphone, the same after somebody moved things, talker to microphone."""
    import pyroomacoustics as pra

    size = np.array(room.size)
    if room.walls:
        names = ("west", "east", "south", "north", "floor", "ceiling")
        materials = {n: pra.Material(a) for n, a in zip(names, room.walls, strict=True)}
        order = 14
    else:
        absorption, order = pra.inverse_sabine(room.rt60, room.size)
        materials, order = pra.Material(absorption), min(order, 30)
    mic = np.array([0.25, size[1] * rng.uniform(0.35, 0.65), 1.35])
    speaker = mic + np.array([0.0, 0.02, -0.118])
    talker = mic + np.array([rng.uniform(0.45, 0.7), rng.uniform(-0.15, 0.15), rng.uniform(0.1, 0.3)])
    box = pra.ShoeBox(room.size, fs=RATE, materials=materials, max_order=order)
    box.add_microphone(mic)
    moved = mic + np.array([rng.uniform(0.15, 0.3), rng.uniform(-0.5, 0.5), 0.1])
    box.add_microphone(moved)
    box.add_source(speaker)
    box.add_source(moved + np.array([0.03, 0.0, -0.115]))
    box.add_source(talker)
    box.compute_rir()
    return box.rir[0][0], box.rir[1][1], box.rir[0][2]


def loudspeaker(x: Signal) -> Signal:
    """A small loudspeaker: 250 Hz high pass, resonance at 900 Hz."""
    b, a = signal.butter(2, 250, "high", fs=RATE)
    x = signal.lfilter(b, a, x)
    b, a = signal.iirpeak(900, 3, fs=RATE)
    return x + 0.6 * signal.lfilter(b, a, x)


def soft(x: Signal) -> Signal:
    """The curve of an amplifier near its limit."""
    return 3.0 * np.tanh(x / 3.0)


def hard(x: Signal) -> Signal:
    """Clipped at its root mean square: about the worst that still is speech."""
    return np.clip(x, -0.85, 0.85)


def fir(h: Signal, x: Signal) -> Signal:
    return signal.oaconvolve(x, h)[: x.size]


def drifted(x: Signal, ppm: float) -> Signal:
    """As sampled by a clock that is ``ppm`` faster (cubic spline on an eightfold grid)."""
    from scipy.interpolate import CubicSpline

    fine = signal.resample_poly(x, 4, 1)
    at = np.arange(x.size) * (1 - ppm * 1e-6) * 4
    return CubicSpline(np.arange(fine.size), fine)(np.minimum(at, fine.size - 1))


def pcm(x: Signal) -> NDArray[np.int16]:
    return np.clip(np.round(x * 32768), -32768, 32767).astype(np.int16)


@dataclass
class Stage:
    """A pair in its room: makes every scene from the same sentences."""

    pair: Pair
    seconds: float = 9.0

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.pair.seed)
        self.rng = rng
        self.h, self.h2, self.g = responses(ROOMS[self.pair.room], rng)
        self.far = speech(self.pair.far, self.seconds, rng, self.pair.held_out)
        self.near = fir(self.g, speech(self.pair.near, self.seconds, rng, self.pair.held_out))
        self.near /= np.sqrt((self.near**2).mean())
        self.noise = rng.standard_normal(self.far.size)
        self.pink = pink(self.far.size, rng)

    def scene(self, name: str) -> Scene:
        build = BUILDERS[name]
        return build(self, name)

    def echo(self, curve: Callable[[Signal], Signal] = lambda x: x) -> Signal:
        return fir(self.h, loudspeaker(curve(self.far)))

    def finish(
        self,
        name: str,
        echo: Signal,
        *,
        near: Signal | None = None,
        near_db: float = 0.0,
        near_from: float = 0.0,
        event: float | None = None,
        noise_db: float = NOISE_DB,
        far: bool = True,
    ) -> Scene:
        scale = 10 ** (ECHO_DB / 20)
        echo = echo / np.sqrt((echo**2).mean()) * scale if far else echo * 0.0
        noise = self.noise if noise_db == NOISE_DB else self.pink
        mic = echo + noise * 10 ** (noise_db / 20)
        if near is not None:
            near = near * scale * 10 ** (near_db / 20)
            near[: int(near_from * RATE)] = 0.0
            mic = mic + near
        ref = self.far * 0.1 * far
        return Scene(name, pcm(ref), pcm(mic), near, near_from, event, {"echo": echo})


def _jump(samples: int) -> Callable[[Stage, str], Scene]:
    """The echo comes so much later from the event on; a negative jump needs something to come earlier from."""

    def build(stage: Stage, name: str) -> Scene:
        echo, at, base = stage.echo(), int(EVENT * RATE), max(0, -samples)
        early = np.concatenate([np.zeros(base), echo])[: echo.size]
        late = np.concatenate([np.zeros(base + samples), echo])[: echo.size]
        return stage.finish(name, np.concatenate([early[:at], late[at:]]), event=EVENT)

    return build


def _change(stage: Stage, name: str) -> Scene:
    at = int(EVENT * RATE)
    x = loudspeaker(stage.far)
    before, after = fir(stage.h, x), fir(stage.h2, x)
    return stage.finish(name, np.concatenate([before[:at], after[at:]]), event=EVENT)


def _talk(db: float, since: float = NEAR_FROM) -> Callable[[Stage, str], Scene]:
    return lambda s, n: s.finish(n, s.echo(), near=s.near.copy(), near_db=db, near_from=since)


def _turns(stage: Stage, name: str) -> Scene:
    """The talker says something of a second, five times."""
    t = np.arange(stage.far.size) / RATE
    near = stage.near * ((t > 1.0) & (t % 1.7 < 0.9))
    return stage.finish(name, stage.echo(), near=near, near_from=1.0)


BUILDERS: dict[str, Callable[[Stage, str], Scene]] = {
    "lin": lambda s, n: s.finish(n, s.echo()),
    "soft": lambda s, n: s.finish(n, s.echo(soft)),
    "hard": lambda s, n: s.finish(n, s.echo(hard)),
    "change": _change,
    "jump": _jump(480),
    "jump+43": _jump(691),
    "jump-25": _jump(-405),
    "bulk": lambda s, n: s.finish(n, np.concatenate([np.zeros(1920), s.echo()])[: s.far.size]),
    "drift": lambda s, n: s.finish(n, drifted(s.echo(), 50.0)),
    "drift-": lambda s, n: s.finish(n, drifted(s.echo(), -50.0)),
    "drift100": lambda s, n: s.finish(n, drifted(s.echo(), 100.0)),
    "noise": lambda s, n: s.finish(n, s.echo(), noise_db=-58.0),
    "dt0": _talk(0.0),
    "dt+10": _talk(10.0),
    "dt-10": _talk(-10.0),
    "dtstart": _talk(0.0, 0.5),
    "turns": _turns,
    "near": lambda s, n: s.finish(n, s.echo(), near=s.near.copy(), far=False),
}
