"""From a talker's mouth before one door station to the ear before another, and where the time goes.

``python bench/mouth_to_ear.py [--live]``. Two door stations at 16 kHz with echo canceller (full), noise suppressor and
gain control, G.711 in packets of 20 ms, in virtual rooms. First in simulated time: the ticks of the two stand at every
phase to each other, packets come 0.2 ms after the tick that made them, exactly or with some jitter; the delay is that
of the best match of what the loudspeaker plays with what was said. With ``--live`` the same on the native threads over
UDP on loopback, by the monotonic clock.

Ends: a sample is said when the virtual room gets it, and heard when the room's loudspeaker plays it. The card of the
room plays a frame from the tick on that made it; an ALSA card has 5 ms more in its ring, and 10 ms once it ran dry.
"""

from __future__ import annotations

import argparse
import socket
import time
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from axcore.audio import Leg, Pipeline, Room
from axcore.errors import QueueFullError

RATE, FRAME, TICK_NS = 16000, 160, 10_000_000
NETWORK_NS = 200_000
ALSA_RING_MS = 5.0
GOAL_MS = 45.0
Samples = npt.NDArray[np.int16]


def said(seconds: float, seed: int = 9) -> Samples:
    """Noise that talks: bursts as long as syllables, of the telephone's band."""
    rng = np.random.default_rng(seed)
    n = int(seconds * RATE)
    spectrum = np.fft.rfft(rng.normal(0, 1, n))
    hz = np.fft.rfftfreq(n, 1 / RATE)
    shaped = np.fft.irfft(spectrum * ((hz > 250) & (hz < 3400)), n)
    t = np.arange(n) / RATE
    loud = np.where(np.sin(2 * np.pi * 2.2 * t) > -0.4, 1.0, 0.02)
    return (shaped / shaped.std() * 3000 * loud).clip(-32768, 32767).astype(np.int16)


def delay_ms(heard: npt.NDArray[np.float64], original: npt.NDArray[np.float64]) -> float:
    """How much later ``heard`` is, by the best match of up to 500 ms, between samples by a parabola."""
    n = 2 * len(heard)
    match = np.fft.irfft(np.fft.rfft(heard, n) * np.conj(np.fft.rfft(original, n)), n)[: RATE // 2]
    k = int(np.argmax(np.abs(match)))
    if not 0 < k < len(match) - 1:
        return k * 1000 / RATE
    left, middle, right = np.abs(match[k - 1 : k + 2])
    return (k + 0.5 * (left - right) / (left - 2 * middle + right)) * 1000 / RATE


def pipeline(codec_rate: int | None = None) -> tuple[Pipeline, Leg]:
    """A door station's, with a call by G.711, or by L16 at a rate."""
    made, leg = Pipeline(RATE), Leg("L16" if codec_rate else "PCMU", RATE, codec_rate=codec_rate)
    made.seat(0, leg)
    return made, leg


class Run(NamedTuple):
    """Delay in ms in the 2nd and the 12th second; ms that were concealed, frames that were stretched."""

    first: float
    later: float
    concealed: int
    stretched: int


def simulated(phase_ms: float, jitter_ms: float = 0.0, seconds: float = 13.0, codec_rate: int | None = None) -> Run:
    """The ticks of the second station come ``phase_ms`` after those of the first."""
    sides = pipeline(codec_rate), pipeline(codec_rate)
    rooms = Room(RATE, rt60_ms=0, noise_db=-75), Room(RATE, rt60_ms=150, delay_ms=15, echo_db=-12, noise_db=-75)
    words = said(seconds).reshape(-1, FRAME)
    rng = np.random.default_rng(1)
    mics = [np.zeros(FRAME, np.int16)] * 2
    played: list[Samples] = []
    coming: list[tuple[int, int, bytes]] = []
    sequence, phase = 0, int(phase_ms * 1e6)
    for tick, frame in enumerate(words):
        now = tick * TICK_NS
        out = np.array(sides[0][0].step(now, mics[0]))
        mics[0] = rooms[0].step(out, frame)
        while (packet := sides[0][1].take()) is not None:
            late = int(abs(rng.normal(0, jitter_ms)) * 1e6)
            coming.append((now + NETWORK_NS + late, *packet))
        ask = now + phase
        for at, timestamp, payload in [one for one in coming if one[0] <= ask]:
            sides[1][1].offer(payload, at, sequence=sequence & 0xFFFF, timestamp=timestamp, ssrc=3)
            sequence += 1
        coming = [one for one in coming if one[0] > ask]
        out = np.array(sides[1][0].step(ask, mics[1]))
        mics[1] = rooms[1].step(out)
        played.append(out)
        while sides[1][1].take() is not None:
            pass
    heard, found = np.concatenate(played).astype(float), []
    original = words.reshape(-1).astype(float)
    for second in (1, 11):
        at = slice(int(second * RATE), int(second * RATE) + RATE)
        found.append(delay_ms(heard[at], original[at]) + phase_ms)
    leg = sides[1][0].stats.legs[0]
    return Run(found[0], found[1], leg.concealed_ms, leg.stretched)


def converter_ms() -> float:
    """Delay from 16 kHz to 8 kHz and back: what a codec at the pipeline's rate does without."""
    return simulated(3, codec_rate=8000).first - simulated(3, codec_rate=16000).first


def account(runs: dict[float, Run]) -> None:
    """What each part takes; the wait for the tick is what is left."""
    one = pipeline()[0]
    mean = float(np.mean([run.later for run in runs.values()]))
    parts = [
        ("microphone: a frame of the card is full", 10.0),
        ("echo canceller, noise suppressor, gain control, limiter", one.near_latency * 1000 / RATE),
        ("16 kHz -> 8 kHz -> 16 kHz", converter_ms()),
        ("packet of 20 ms: the second frame", 10.0),
        ("network", NETWORK_NS / 1e6),
        ("limiter of the loudspeaker", one.far_latency * 1000 / RATE),
    ]
    parts.insert(5, ("jitter buffer and wait for the tick", mean - sum(ms for _, ms in parts)))
    for name, ms in parts:
        print(f"    {name:<58} {ms:5.1f} ms")
    print(f"    {'together, mean of all phases':<58} {mean:5.1f} ms")
    print(f"    {'with the ring of an ALSA card':<58} {mean + ALSA_RING_MS:5.1f} ms")


def live(seconds: float = 8.0) -> list[float]:
    """On the native threads, over UDP on loopback: delay of each second."""
    from axcore.drivers.capture import Capture
    from axcore.drivers.media import Media
    from axcore.drivers.sound import Sound, open_room

    sounds, medias, ports = [], [], []
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    for k in range(2):
        line, leg = pipeline()
        room = Room(RATE, rt60_ms=150, delay_ms=15, echo_db=-12, noise_db=-75)
        sound = Sound(line, open_room(room))
        media = Media(sound)
        ports.append(media.open(leg, sockets[k], peer=sockets[1 - k].getsockname()))
        sounds.append(sound)
        medias.append(media)
    words = said(seconds)
    captures = [Capture(sound.card.fd) for sound in sounds]
    for sound, media in zip(sounds, medias, strict=True):
        media.start()
        sound.start()
    time.sleep(1.0)
    # What is given to talk is said with the next tick, frame by frame.
    before = captures[0].latest
    while (record := captures[0].latest) is None or record == before:
        time.sleep(0.001)
    start = 0
    for frame in words.reshape(-1, FRAME):
        while True:
            try:
                sounds[0].talk(frame)
                break
            except QueueFullError:
                time.sleep(0.02)
        if start == 0:
            latest = captures[0].latest
            assert latest is not None
            start = latest.t_ns + TICK_NS  # The tick that takes the first frame.
    time.sleep(0.6)
    records = list(captures[1].since())
    heard = np.concatenate([np.frombuffer(record.data, np.int16) for record in records]).astype(float)
    begins = (records[0].t_ns - start) * RATE / 1e9
    found = []
    for second in range(1, int(seconds) - 1):
        here = round(second * RATE - begins)
        shift = second * RATE - begins - here
        original = words[second * RATE : (second + 1) * RATE].astype(float)
        found.append(delay_ms(heard[here : here + RATE], original) - shift * 1000 / RATE)
    leg = sounds[1].stats.legs[0]
    print(f"    aims at {leg.delay_ms} ms, concealed {leg.concealed_ms} ms, stretched {leg.stretched};", end=" ")
    for sound, media in zip(sounds, medias, strict=True):
        sound.stop()
        media.stop()
    for one in sockets:
        one.close()
    return found


def main() -> None:
    """The tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--live", action="store_true", help="on the native threads, over UDP")
    arguments = parser.parse_args()
    runs = {}
    print("simulated, by how much later the ticks of the hearing station are; ms in the 2nd and the 12th second")
    for phase in (0.0, 1.0, 2.0, 3.0, 5.0, 7.0, 9.0):
        run = runs[phase] = simulated(phase)
        busy = simulated(phase, 0.5)
        print(
            f"    {phase:3.0f} ms later: {run.first:5.1f} {run.later:5.1f}   with 0.5 ms of jitter "
            f"{busy.first:5.1f} {busy.later:5.1f}, concealed {busy.concealed} ms, stretched {busy.stretched}"
        )
    account(runs)
    print(f"    goal: <= {GOAL_MS:.0f} ms")
    if arguments.live:
        for _ in range(3):
            print("live, each second:", " ".join(f"{ms:.1f}" for ms in live()), "ms")


if __name__ == "__main__":
    main()
