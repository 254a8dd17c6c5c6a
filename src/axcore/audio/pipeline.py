"""The sound of a door station as one graph, and the partners and the room around it.

The graph is described in ``ax/pipeline.h``: microphone, echo canceller, gain control and voice detector on the way to
the legs; jitter buffers, decoders, clips, tones, volume control and limiter on the way to the loudspeaker. Here it is
stepped by hand, 10 ms at a time; ``axcore.drivers.sound`` steps it by the clock of a sound card.

    >>> from array import array
    >>> pipeline = Pipeline(16000)
    >>> partner, phone = Leg("PCMU", 16000), Leg("PCMU", 16000)
    >>> pipeline.seat(0, partner)
    1
    >>> silence = array("h", bytes(2 * pipeline.frame))
    >>> for tick in range(2):
    ...     speaker = pipeline.step(tick * 10_000_000, silence)
    >>> timestamp, payload = partner.take()
    >>> timestamp, len(payload)
    (0, 160)
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

import msgspec

from axcore._native import pipeline as native
from axcore.audio._rates import check_range, check_rate
from axcore.audio.tones import Tone
from axcore.errors import FormatError, InputError

__all__ = ["CODECS", "Echo", "Leg", "LegStats", "Pipeline", "PipelineEvent", "PipelineStats", "Room", "What"]

RATES = (8000, 16000, 32000, 48000)
CODECS = {"PCM": 0, "PCMU": 1, "PCMA": 2, "G722": 3, "G726-32": 4, "L16": 5}
"""Names as in SDP (RFC 3551); ``PCM`` is for partners in this process: frames as they are."""
L16_RATES = (8000, 16000, 32000, 44100, 48000)
LEGS, PLAYS = native.LEGS, native.PLAYS
SPEAKER = "speaker"
GAIN_MOST = 16.0
CURVES = ("linear", "soft", "hard")
PARTS = {
    "echo_db": (0, -100.0, 20.0),
    "delay_ms": (1, 0.0, 500.0),
    "noise_db": (2, -100.0, 0.0),
    "cover_db": (3, 0.0, 80.0),
    "speaker": (4, 0.0, 1.0),
}


class Echo(IntEnum):
    """How much is done against echo."""

    OFF = 0
    FILTER = 1
    """The adaptive filter alone: no delay at 8 and 16 kHz."""
    FULL = 2


class What(IntEnum):
    """What an event tells."""

    KEY_DOWN = 1
    KEY_UP = 2
    """``value``: ms that the key was down."""
    TALK = 3
    """Somebody began to talk at the microphone."""
    QUIET = 4
    RISE = 5
    """The level of the microphone came to the threshold; ``value``: the level, 0 to 100."""
    FALL = 6
    ENDED = 7
    """What was played at place ``index`` is over; ``serial``: what ``play`` gave."""


class PipelineEvent(msgspec.Struct, frozen=True):
    """Something that the pipeline heard or did. ``index``: leg or place; ``t_ns``: the time given to the step."""

    what: What
    t_ns: int
    index: int
    value: int
    key: str
    serial: int


class LegStats(msgspec.Struct, frozen=True, kw_only=True):
    """Of one leg; the last two are of now, the others rise."""

    offered: int
    refused: int
    """Packets that found no room."""
    late: int
    lost: int
    concealed_ms: int
    stretched: int
    """Packets that were made longer or shorter, so that the delay could change."""
    underruns: int
    """Frames of a ``PCM`` leg that were not there in time."""
    made: int
    dropped: int
    """Packets that nobody took in time."""
    delay_ms: int
    """What the jitter buffer aims at."""
    held: int


class PipelineStats(msgspec.Struct, frozen=True, kw_only=True):
    """As of the last step. Powers are dBFS (0: a square wave of full scale), of the last frame."""

    steps: int
    events_lost: int
    mic_db: float
    near_db: float
    """What the legs hear of the microphone."""
    speaker_db: float
    level: float
    """Of the microphone, 0 to 100 (``LevelDetector``)."""
    erle_db: float
    """What the echo canceller takes away, of about a second."""
    echo_delay_ms: float | None
    drift_ppm: float
    gain_db: float
    """Of the gain control."""
    volume_db: float
    noise_db: float
    """Of the volume control, and the noise that it heard."""
    talking: bool
    legs: dict[int, LegStats]


class Leg:
    """One partner: packets in and out, between them sound in the pipeline's rate.

    Args:
        codec: one of ``CODECS``.
        rate: of the pipeline.
        codec_rate: samples a second of L16; of the others it is known.
        packet_ms: of what is sent, 10 to 60 in steps of 10; 10 for ``PCM``.
        min_delay_ms, max_delay_ms: of the jitter buffer, up to 2000.
        keys: tell of DTMF keys in what the partner says.

    Any thread may ``offer`` and ``take``. A leg has a seat in one pipeline at a time.
    """

    __slots__ = ("_core", "codec")

    def __init__(
        self,
        codec: str,
        rate: int,
        *,
        codec_rate: int | None = None,
        packet_ms: int | None = None,
        min_delay_ms: int = 0,
        max_delay_ms: int = 500,
        keys: bool = False,
    ) -> None:
        check_rate(rate, RATES)
        if codec not in CODECS:
            raise InputError("codec", f"{codec!r} is none of {', '.join(CODECS)}")
        if codec == "L16":
            check_rate(codec_rate or 0, L16_RATES, "codec_rate")
        elif codec_rate is not None:
            raise InputError("codec_rate", f"{codec} has a rate of its own; leave it out")
        length = (10 if codec == "PCM" else 20) if packet_ms is None else packet_ms
        if length not in ((10,) if codec == "PCM" else (10, 20, 30, 40, 50, 60)):
            raise InputError("packet_ms", f"{length} is not possible for {codec}")
        check_range("max_delay_ms", max_delay_ms, 0, 2000)
        check_range("min_delay_ms", min_delay_ms, 0, max_delay_ms)
        self.codec = codec
        self._core = native.Leg(rate, CODECS[codec], codec_rate or 0, length, min_delay_ms, max_delay_ms, keys)

    @property
    def core(self) -> native.Leg:
        """The native object."""
        return self._core

    @property
    def clock(self) -> int:
        """Ticks of the payload's clock in a second: what timestamps count."""
        return self._core.clock

    @property
    def ticks(self) -> int:
        """Of a packet that it makes."""
        return self._core.ticks

    @property
    def seated(self) -> bool:
        """Whether a pipeline has it, or may still have it."""
        return self._core.seated

    def offer(
        self,
        payload: Any,
        arrived_ns: int,
        *,
        sequence: int = 0,
        timestamp: int = 0,
        ssrc: int = 0,
        marker: bool = False,
    ) -> None:
        """A packet came at ``arrived_ns`` (monotonic).

        Raises:
            QueueFullError: 32 packets wait already.
            RangeError: longer than 60 ms; for ``PCM``, not one frame.
            StateError: the RTP thread does that (``axcore.drivers.media``).
        """
        self._core.offer(payload, arrived_ns, sequence, timestamp, ssrc, marker)

    def take(self) -> tuple[int, bytes] | None:
        """Timestamp and payload of the oldest packet that was made; None when there is none."""
        return self._core.take()


class Room:
    """A virtual room with a loudspeaker and a microphone; the same seed gives the same sound.

    Args:
        rate: 8000, 16000, 32000 or 48000.
        curve: of the loudspeaker: ``linear``, ``soft`` or ``hard``.
        rt60_ms: reverberation time of the response that is made up, 0 to 1000.
        response: impulse response from loudspeaker to microphone (float32, up to 24,000 samples), instead.
        seed: of response and noise.
        parts: first values for ``set``.
    """

    __slots__ = ("_core",)

    def __init__(
        self,
        rate: int,
        *,
        curve: str = "linear",
        rt60_ms: int = 200,
        response: Any = None,
        seed: int = 1,
        **parts: float,
    ) -> None:
        check_rate(rate, RATES)
        if curve not in CURVES:
            raise InputError("curve", f"{curve!r} is none of {', '.join(CURVES)}")
        check_range("rt60_ms", rt60_ms, 0, 1000)
        self._core = native.Room(rate, CURVES.index(curve), rt60_ms, seed, response)
        self.set(**parts)

    @property
    def core(self) -> native.Room:
        """The native object."""
        return self._core

    @property
    def frame(self) -> int:
        """Samples in 10 ms."""
        return self._core.frame

    def set(self, **parts: float) -> None:
        """Change the room: ``echo_db`` (gain from loudspeaker to microphone, -100 to 20), ``delay_ms`` (0 to 500),
        ``noise_db`` (-100 to 0 dBFS), ``cover_db`` (what a cover takes from the microphone, 0 to 80), ``speaker`` (0:
        broken). InputError names what is not possible; then nothing has changed."""
        for name, value in parts.items():
            if name not in PARTS:
                raise InputError(name, f"a room has only {', '.join(PARTS)}")
            check_range(name, value, *PARTS[name][1:])
        for name, value in parts.items():
            self._core.set(PARTS[name][0], value)

    def step(self, speaker: Any, talker: Any = None, out: Any = None) -> Any:
        """10 ms: what the microphone hears of the loudspeaker and of a talker (int16)."""
        return self._core.step(speaker, talker, out)


class Pipeline:
    """The graph. Commands take effect with the next step; any thread may give them.

    Args:
        rate: 8000, 16000, 32000 or 48000.
        echo: what is done against echo.
        tail_ms: how long the room may ring, 20 to 400.
        max_attenuation_db: how far the noise suppressor takes noise down, 0 (not at all) to 60.
        gain_control: bring talk at the microphone to ``target_db`` (-40 to -6 dBFS).
        volume_control: make the loudspeaker louder in noise above ``quiet_db`` (-90 to 0 dBFS).
        threshold: of the sound level, 0 to 100.
        untold: events that nobody asks for: they are not told, and wake nobody.

    Raises:
        InputError: an argument is not possible; ``field`` names it.
    """

    __slots__ = ("_core",)

    def __init__(
        self,
        rate: int = 16000,
        *,
        echo: Echo = Echo.FULL,
        tail_ms: int = 200,
        max_attenuation_db: float = 30.0,
        gain_control: bool = True,
        target_db: float = -20.0,
        volume_control: bool = False,
        quiet_db: float = -60.0,
        threshold: float = 50.0,
        untold: Iterable[What] = (),
    ) -> None:
        check_rate(rate, RATES)
        check_range("tail_ms", tail_ms, 20, 400)
        check_range("max_attenuation_db", max_attenuation_db, 0, 60)
        check_range("target_db", target_db, -40, -6)
        check_range("quiet_db", quiet_db, -90, 0)
        check_range("threshold", threshold, 0, 100)
        self._core = native.Pipeline(
            rate,
            Echo(echo),
            tail_ms,
            max_attenuation_db,
            gain_control,
            target_db,
            volume_control,
            quiet_db,
            threshold,
            sum(1 << kind for kind in set(untold)),
        )

    @property
    def core(self) -> native.Pipeline:
        """The native object."""
        return self._core

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self._core.rate

    @property
    def frame(self) -> int:
        """Samples in 10 ms."""
        return self._core.frame

    @property
    def near_latency(self) -> int:
        """Samples from the microphone to the legs."""
        return self._core.near_latency

    @property
    def far_latency(self) -> int:
        """Samples from the legs to the loudspeaker."""
        return self._core.far_latency

    def seat(
        self, index: int, leg: Leg | None, *, gain: float = 1.0, conference: bool = False, mute: bool = False
    ) -> int:
        """Give seat ``index`` (0 to 5) to a leg, or to nobody. ``gain``: how loud the partner is heard (0 to 16);
        ``conference``: it hears the others in conference, and they hear it; ``mute``: it is not heard.

        Raises:
            InputError: ``index`` or ``gain``; the leg was made for another rate.
            StateError: the leg has a seat already.
            QueueFullError: 64 commands wait.
        """
        _check_index("index", index, LEGS)
        check_range("gain", gain, 0, GAIN_MOST)
        if leg is not None and leg.core.rate != self.rate:
            raise InputError("leg", f"was made for {leg.core.rate} Hz, the pipeline runs at {self.rate}")
        return self._core.seat(index, None if leg is None else leg.core, gain, conference, mute)

    def adjust(self, index: int, *, gain: float = 1.0, conference: bool = False, mute: bool = False) -> int:
        """Change how the leg at a seat is heard."""
        _check_index("index", index, LEGS)
        check_range("gain", gain, 0, GAIN_MOST)
        return self._core.adjust(index, gain, conference, mute)

    def play(
        self,
        index: int,
        sound: Any,
        *,
        repeat: int = 1,
        to: Iterable[int | str] = (SPEAKER,),
        gain: float = 1.0,
    ) -> int:
        """Play a ``Tone`` or int16 samples (which are kept, not copied) at place ``index`` (0 to 7), instead of what
        plays there; None is silence. ``repeat``: rounds, 0 without end; ``to``: seats, and ``"speaker"``. Gives the
        number that the ENDED event carries."""
        _check_index("index", index, PLAYS)
        check_range("gain", gain, 0, GAIN_MOST)
        if not 0 <= repeat < 1 << 32:
            raise InputError("repeat", f"must be 0 or more, not {repeat}")
        bits = 0
        for place in to:
            if place == SPEAKER:
                bits |= native.SPEAKER
            elif isinstance(place, int):
                _check_index("to", place, LEGS)
                bits |= 1 << place
            else:
                raise InputError("to", f"{place!r} is neither a seat nor {SPEAKER!r}")
        if isinstance(sound, Tone):
            sound = sound.core
            if sound.rate != self.rate:
                raise InputError("sound", f"was made for {sound.rate} Hz, the pipeline runs at {self.rate}")
        elif sound is not None and len(sound) == 0:
            raise FormatError("sound: there is no sample to play")
        return self._core.play(index, sound, repeat, bits, gain)

    def playing(self, index: int) -> int:
        """Number of what plays at a place; 0: nothing, or not yet."""
        _check_index("index", index, PLAYS)
        return self._core.playing(index)

    def set_speaker(self, gain: float) -> int:
        """How loud the loudspeaker is, 0 to 16."""
        return self._core.speaker_gain(check_range("gain", gain, 0, GAIN_MOST))

    def set_microphone(self, gain: float = 1.0, *, mute: bool = False) -> int:
        """How loud the legs hear the microphone, 0 to 16."""
        return self._core.microphone(check_range("gain", gain, 0, GAIN_MOST), mute)

    def set_threshold(self, threshold: float) -> int:
        """Of the sound level, 0 to 100."""
        return self._core.threshold(check_range("threshold", threshold, 0, 100))

    def reset(self) -> int:
        """Forget the room, the noise and the talkers."""
        return self._core.reset()

    def step(self, now_ns: int, mic: Any, out: Any = None) -> Any:
        """10 ms: what the microphone heard, for what the loudspeaker gets (``out``; a new buffer if None).

        Raises:
            FormatError: not a frame of int16.
            StateError: a thread steps this pipeline.
        """
        return self._core.step(now_ns, mic, out)

    def events(self) -> list[PipelineEvent]:
        """What happened since the last call; 256 are kept."""
        return [PipelineEvent(What(event[0]), *event[1:]) for event in self._core.events()]

    @property
    def stats(self) -> PipelineStats:
        """As of the last step."""
        own, legs = self._core.stats()
        named = {k: LegStats(**dict(zip(native.LEG_STATS, values, strict=True))) for k, values in legs.items()}
        return PipelineStats(**own, legs=named)


def _check_index(field: str, index: int, count: int) -> None:
    if not 0 <= index < count:
        raise InputError(field, f"must be 0 to {count - 1}, not {index}")
