"""The pipeline stepped by hand: who hears whom, events, statistics, what is refused, what is kept and let go."""

from __future__ import annotations

import gc
import random
import weakref
from array import array
from math import pi, sin
from typing import Any

import numpy as np
import pytest

from axcore.audio import G711, DtmfGenerator, Echo, Leg, Pipeline, Room, Tone, What
from axcore.errors import FormatError, InputError, QueueFullError, RangeError, StateError
from axcore.testing.demo_call import voice

TICK = 10_000_000
SILENCE = array("h", bytes(320))


def sine(hertz: float, amplitude: float = 8000.0, n: int = 160, rate: int = 16000) -> array[int]:
    return array("h", [round(amplitude * sin(2 * pi * hertz * k / rate)) for k in range(n)])


def power_db(samples: Any) -> float:
    return float(10 * np.log10(np.mean(np.square(np.asarray(samples, float))) / 32768**2 + 1e-12))


def carry(sender: Leg, receiver: Leg, now_ns: int, sequence: int) -> int:
    while (packet := sender.take()) is not None:
        timestamp, payload = packet
        receiver.offer(payload, now_ns, sequence=sequence & 0xFFFF, timestamp=timestamp, ssrc=9)
        sequence += 1
    return sequence


@pytest.mark.parametrize("phase_ms", [0, 5, 9])
def test_mouth_to_ear_is_short(phase_ms: int) -> None:
    """G.711 with everything on; the second station's ticks are later by a phase. The delay: of the best match."""
    stations, legs = [Pipeline(16000) for _ in range(2)], [Leg("PCMU", 16000) for _ in range(2)]
    for station, leg in zip(stations, legs, strict=True):
        station.seat(0, leg)
    t = np.arange(250 * 160) / 16000
    loud = np.where(np.sin(2 * pi * 2.2 * t) > -0.4, 1.0, 0.02)  # Talks; a steady noise would be suppressed.
    words = (np.random.default_rng(9).normal(0, 3000, len(t)) * loud).astype(np.int16)
    heard, number, mic = [], 0, np.zeros(160, np.int16)
    for tick, frame in enumerate(words.reshape(-1, 160)):
        stations[0].step(tick * TICK, mic)
        mic = frame  # The card gives what was said in the last 10 ms.
        number = carry(legs[0], legs[1], tick * TICK, number)
        heard.append(np.array(stations[1].step(tick * TICK + phase_ms * 1_000_000, SILENCE)))
        legs[1].take()
    played, said = np.concatenate(heard)[16000:].astype(float), words[16000:].astype(float)
    n = 2 * len(said)
    match = np.fft.irfft(np.fft.rfft(played, n) * np.conj(np.fft.rfft(said, n)), n)[:8000]
    assert 25 < np.argmax(np.abs(match)) / 16 + phase_ms <= 45
    stats = stations[1].stats.legs[0]
    assert stats.lost == stats.late == stats.concealed_ms == 0


@pytest.mark.parametrize("codec", ["PCMU", "PCMA", "G722", "G726-32", "PCM"])
def test_a_call_carries_both_ways(codec: str) -> None:
    pipeline = Pipeline(16000, gain_control=False)
    room = Room(16000, delay_ms=20, noise_db=-80)
    here, there = Leg(codec, 16000), Leg(codec, 16000)
    phone = Pipeline(16000, echo=Echo.OFF, gain_control=False)
    pipeline.seat(0, here)
    phone.seat(0, there)
    rng = np.random.default_rng(5)
    mic: Any = SILENCE
    sent = back = 0
    heard, reached = [], []
    for tick in range(400):
        now = tick * TICK
        talks = tick % 200 >= 100  # The phone talks, then the door.
        far = SILENCE if talks else array("h", rng.normal(0, 3000, 160).astype(np.int16).tobytes())
        near = array("h", rng.normal(0, 3000, 160).astype(np.int16).tobytes()) if talks else None
        reached.append(power_db(phone.step(now, far)))
        sent = carry(there, here, now, sent)
        speaker = pipeline.step(now, mic)
        heard.append(power_db(speaker))
        mic = room.step(speaker, near)
        back = carry(here, there, now, back)
    wanted = power_db(rng.normal(0, 3000, 1600))
    assert np.mean(heard[220:290]) == pytest.approx(wanted, abs=4)  # Coding takes what is above its band.
    assert np.mean(reached[320:390]) == pytest.approx(wanted, abs=4)
    assert np.mean(reached[230:290]) < wanted - 30  # The echo of the phone's own voice is gone.
    stats = pipeline.stats
    assert stats.steps == 400
    assert stats.legs[0].lost == stats.legs[0].late == stats.legs[0].dropped == 0
    assert stats.echo_delay_ms == pytest.approx(30, abs=3)
    assert stats.events_lost == 0


def test_events_tell_of_keys_talk_level_and_the_end_of_a_clip() -> None:
    pipeline = Pipeline(16000, echo=Echo.OFF, gain_control=False, threshold=70)
    leg = Leg("PCM", 16000, keys=True)
    pipeline.seat(4, leg)
    clip = sine(300, n=400)
    serial = pipeline.play(2, clip, repeat=2, gain=0.5)
    keys = DtmfGenerator("7", 16000).samples()
    keys.extend(bytes(640))
    happened = []
    for tick in range(100):
        frame = keys[tick * 160 : tick * 160 + 160]
        leg.offer((frame if len(frame) == 160 else SILENCE).tobytes(), 0)
        pipeline.step(tick, sine(500) if 30 <= tick < 40 else SILENCE)
        happened += pipeline.events()
    told = {event.what: event for event in happened}
    assert (told[What.KEY_DOWN].key, told[What.KEY_DOWN].index) == ("7", 4)
    assert told[What.KEY_UP].value == pytest.approx(100, abs=15)
    assert (told[What.ENDED].index, told[What.ENDED].serial, told[What.ENDED].t_ns) == (2, serial, 4)
    assert told[What.RISE].t_ns == 30
    assert told[What.RISE].value >= 70
    assert told[What.FALL].t_ns >= 40
    assert 30 <= told[What.TALK].t_ns < 40


def test_what_nobody_asks_for_is_not_told() -> None:
    pipeline = Pipeline(16000, echo=Echo.OFF, threshold=70, untold=[What.TALK, What.QUIET, What.RISE])
    serial = pipeline.play(2, SILENCE)
    for tick in range(100):
        pipeline.step(tick, sine(500) if 30 <= tick < 40 else SILENCE)
    assert [(event.what, event.serial) for event in pipeline.events()] == [(What.ENDED, serial), (What.FALL, 0)]
    assert not pipeline.stats.events_lost


def test_what_the_thread_may_use_is_kept_and_then_let_go() -> None:
    pipeline = Pipeline(16000, echo=Echo.OFF)

    class Sound(array):  # type: ignore[type-arg]
        """An array that can be watched."""

    clip = Sound("h", bytes(640))
    watch = weakref.ref(clip)
    pipeline.play(0, clip, repeat=2)
    pipeline.play(1, Tone.named("ringback", 16000))
    del clip
    gc.collect()
    assert watch() is not None
    for tick in range(5):
        pipeline.step(tick, SILENCE)
    assert pipeline.core.held == 1
    assert watch() is None
    pipeline.play(1, None)
    assert pipeline.core.held == 1
    pipeline.step(9, SILENCE)
    assert pipeline.core.held == 0


def test_a_leg_has_one_seat() -> None:
    pipeline = Pipeline(16000, echo=Echo.OFF)
    leg = Leg("PCMU", 16000)
    pipeline.seat(0, leg)
    with pytest.raises(StateError):
        pipeline.seat(1, leg)
    pipeline.seat(0, None)
    assert leg.seated
    pipeline.step(0, SILENCE)
    assert pipeline.core.held == 0
    assert not leg.seated
    pipeline.seat(1, leg)
    pipeline.step(1, SILENCE)
    assert set(pipeline.stats.legs) == {1}


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("rate", lambda: Pipeline(44100)),
        ("tail_ms", lambda: Pipeline(tail_ms=5)),
        ("max_attenuation_db", lambda: Pipeline(max_attenuation_db=61)),
        ("target_db", lambda: Pipeline(target_db=float("nan"))),
        ("quiet_db", lambda: Pipeline(quiet_db=3)),
        ("threshold", lambda: Pipeline(threshold=101)),
        ("codec", lambda: Leg("OPUS", 16000)),
        ("codec_rate", lambda: Leg("L16", 16000)),
        ("codec_rate", lambda: Leg("PCMU", 16000, codec_rate=8000)),
        ("packet_ms", lambda: Leg("PCMU", 16000, packet_ms=25)),
        ("packet_ms", lambda: Leg("PCM", 16000, packet_ms=20)),
        ("min_delay_ms", lambda: Leg("PCMU", 16000, min_delay_ms=300, max_delay_ms=200)),
        ("max_delay_ms", lambda: Leg("PCMU", 16000, max_delay_ms=2001)),
        ("curve", lambda: Room(16000, curve="odd")),
        ("rt60_ms", lambda: Room(16000, rt60_ms=1001)),
        ("noise_db", lambda: Room(16000, noise_db=1)),
        ("window", lambda: Room(16000, window=1)),
        ("index", lambda: Pipeline().seat(6, None)),
        ("gain", lambda: Pipeline().seat(0, None, gain=17)),
        ("leg", lambda: Pipeline(8000).seat(0, Leg("PCMU", 16000))),
        ("index", lambda: Pipeline().play(8, None)),
        ("repeat", lambda: Pipeline().play(0, SILENCE, repeat=-1)),
        ("to", lambda: Pipeline().play(0, SILENCE, to=(6,))),
        ("to", lambda: Pipeline().play(0, SILENCE, to=("door",))),
        ("sound", lambda: Pipeline(16000).play(0, Tone.named("busy", 8000))),
        ("gain", lambda: Pipeline().set_speaker(-1)),
        ("gain", lambda: Pipeline().set_microphone(float("inf"))),
        ("threshold", lambda: Pipeline().set_threshold(-1)),
    ],
)
def test_what_is_not_possible_is_named(field: str, make: Any) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert caught.value.field == field


def test_bad_buffers_are_refused() -> None:
    pipeline = Pipeline(16000)
    for bad in (array("h", bytes(318)), array("f", bytes(640)), b"\0" * 320, 7):
        with pytest.raises(FormatError):
            pipeline.step(0, bad)
    with pytest.raises(FormatError):
        pipeline.step(0, SILENCE, bytes(320))
    with pytest.raises(FormatError):
        pipeline.play(0, array("h"))
    with pytest.raises(FormatError):
        pipeline.play(0, array("f", bytes(16)))
    assert pipeline.stats.steps == 0
    leg = Leg("PCMU", 16000)
    with pytest.raises(RangeError):
        leg.offer(bytes(481), 0)
    for sequence in range(32):
        leg.offer(bytes(160), 0, sequence=sequence)
    with pytest.raises(QueueFullError):
        leg.offer(bytes(160), 0)
    for _ in range(64):
        pipeline.reset()
    with pytest.raises(QueueFullError):
        pipeline.reset()


def test_numpy_in_numpy_out() -> None:
    pipeline = Pipeline(48000, echo=Echo.FILTER)
    out = pipeline.step(0, np.zeros(480, np.int16))
    assert isinstance(out, np.ndarray)
    assert pipeline.step(1, np.zeros(480, np.int16), out) is out
    assert Pipeline(16000, echo=Echo.FILTER, gain_control=False).near_latency == 64 + 16  # Noise suppressor, limiter.
    assert Pipeline(echo=Echo.FILTER, max_attenuation_db=0, gain_control=False).near_latency == 16


@pytest.mark.parametrize("after_ms", [0, 0.02, 0.1, 5, 9.9, 9.99])
def test_packets_that_come_near_a_tick_are_no_jitter(after_ms: float) -> None:
    """Whether a packet just makes a tick, or just misses it, is chance; it must not stretch the sound to and fro."""
    pipeline, leg, dice = Pipeline(16000, echo=Echo.OFF, max_attenuation_db=0), Leg("PCMU", 16000), random.Random(1)
    pipeline.seat(0, leg)
    sent, due, begin = 0, after_ms * 1e6, 10**10
    for tick in range(1000):
        now = begin + tick * 10_000_000 + int(abs(dice.gauss(0, 60_000)))
        while begin + due <= now:
            leg.offer(b"\x80" * 160, int(begin + due), sequence=sent, timestamp=160 * sent, ssrc=1)
            sent += 1
            due = after_ms * 1e6 + sent * 20_000_000 + abs(dice.gauss(0, 60_000))
        pipeline.step(now, SILENCE)
    stats = pipeline.stats.legs[0]
    assert (stats.late, stats.lost, stats.concealed_ms) == (0, 0, 0)
    assert stats.stretched < 15  # it begins with some delay to spare, and gives that back


def test_what_is_left_of_an_echo_does_not_set_the_gain() -> None:
    """The loudspeaker talks for six seconds, nobody else does: noise and rests of echo are not pulled up. Then somebody
    does."""
    pipeline, room, leg, codec = Pipeline(16000), Room(16000, rt60_ms=150, noise_db=-65), Leg("PCMU", 16000), G711("mu")
    room.set(delay_ms=15, echo_db=-12)
    pipeline.seat(0, leg)
    far, speaker, near = voice(6.0), SILENCE, []
    for tick in range(600):
        if tick % 2 == 0:
            at = tick // 2 * 160
            payload = bytes(codec.encode(far[at : at + 160]))
            leg.offer(payload, tick * 10_000_000, sequence=tick // 2, timestamp=at, ssrc=1)
        speaker = pipeline.step(tick * 10_000_000, room.step(speaker))
        near.append(pipeline.stats.near_db)
    assert np.median(near[200:]) < -50
    assert pipeline.stats.gain_db < 25
    talker = np.repeat(np.asarray(voice(3.0, seed=2), np.int16), 2) // 16
    for tick in range(300):
        frame = talker[160 * tick : 160 * (tick + 1)]
        speaker = pipeline.step((600 + tick) * 10_000_000, room.step(speaker, frame))
        near.append(pipeline.stats.near_db)
    assert -30 < max(near[-100:]) < -5
