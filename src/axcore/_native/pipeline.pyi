"""Legs, the pipeline of a door station and the virtual room. The public face is ``axcore.audio.pipeline``.

Units: 16-bit samples in frames of 10 ms; ns of CLOCK_MONOTONIC; dB. Source: ``ax/leg.h``, ``ax/pipeline.h``, ``ax/room.h``.
"""

from typing import Any, Self, final

from axcore._native.dtmf import Tone

LEGS: int
PLAYS: int
SPEAKER: int
LEG_STATS: tuple[str, ...]

@final
class Leg:
    """``codec`` is the number of ``enum ax_leg_codec``. RangeError: what the header calls AX_E_RANGE."""

    seated: bool
    """Whether a pipeline has it, or may still have it."""

    carried: bool
    """Whether the RTP thread brings and fetches its packets."""

    def __new__(
        cls,
        rate: int,
        codec: int,
        codec_rate: int = 0,
        packet_ms: int = 20,
        min_delay_ms: int = 0,
        max_delay_ms: int = 500,
        keys: bool = False,
    ) -> Self: ...
    def offer(
        self,
        payload: Any,
        arrived_ns: int,
        sequence: int = 0,
        timestamp: int = 0,
        ssrc: int = 0,
        marker: bool = False,
    ) -> None:
        """A packet came. QueueFullError, RangeError (too long)."""

    def take(self) -> tuple[int, bytes] | None:
        """Timestamp and payload of the oldest packet that was made."""

    @property
    def rate(self) -> int: ...
    @property
    def codec_rate(self) -> int: ...
    @property
    def clock(self) -> int: ...
    @property
    def most(self) -> int: ...
    @property
    def ticks(self) -> int:
        """Of a packet that it makes."""

@final
class Room:
    """``response``: float32, or None for a made-up one."""

    def __new__(cls, rate: int, curve: int = 0, rt60_ms: int = 200, seed: int = 1, response: Any = None) -> Self: ...
    def set(self, part: int, value: float) -> None:
        """``part``: the number of ``enum ax_room_part``. RangeError."""

    def step(self, speaker: Any, talker: Any = None, out: Any = None) -> Any:
        """What the microphone hears in 10 ms."""

    @property
    def rate(self) -> int: ...
    @property
    def frame(self) -> int: ...

@final
class Pipeline:
    """``echo``: 0 off, 1 filter, 2 full. Commands give their serial number, and take effect with the next step."""

    running: bool
    """Whether a native thread steps it."""

    def __new__(
        cls,
        rate: int,
        echo: int,
        tail_ms: int,
        max_attenuation_db: float,
        gain_control: bool,
        target_db: float,
        volume_control: bool,
        quiet_db: float,
        threshold: float,
        untold: int = 0,
    ) -> Self: ...
    def seat(self, index: int, leg: Leg | None, gain: float = 1.0, conference: bool = False, mute: bool = False) -> int:
        """RangeError; StateError: the leg has a seat; QueueFullError."""

    def adjust(self, index: int, gain: float, conference: bool, mute: bool) -> int: ...
    def play(self, index: int, sound: Tone | Any | None, repeat: int = 1, to: int = ..., gain: float = 1.0) -> int:
        """``sound``: a tone, a buffer of int16 (kept, and not to be changed), or None; ``repeat`` 0: without end."""

    def speaker_gain(self, gain: float) -> int: ...
    def microphone(self, gain: float, mute: bool) -> int: ...
    def threshold(self, threshold: float) -> int: ...
    def reset(self) -> int: ...
    @property
    def done(self) -> int: ...
    @property
    def held(self) -> int:
        """Legs and sounds that the thread may still use."""

    def playing(self, index: int) -> int: ...
    def events(self) -> list[tuple[int, int, int, int, str, int]]:
        """Kind, t_ns, index, value, key, serial."""

    def step(self, now_ns: int, mic: Any, out: Any = None) -> Any:
        """10 ms. StateError: a thread steps it; FormatError: not a frame of int16."""

    def stats(self) -> tuple[dict[str, Any], dict[int, tuple[int, ...]]]:
        """Of the pipeline; of each leg, in the order of ``LEG_STATS``."""

    @property
    def rate(self) -> int: ...
    @property
    def frame(self) -> int: ...
    @property
    def near_latency(self) -> int: ...
    @property
    def far_latency(self) -> int: ...
