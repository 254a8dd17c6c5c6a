"""The adaptive jitter buffer: what to play now."""

from __future__ import annotations

import enum

import msgspec

from axcore._native.jitter import Buffer
from axcore._native.rtp import Packet


class Kind(enum.IntEnum):
    """What to do for the next ``play`` ticks."""

    WAIT = 0
    """Silence or comfort noise: nothing came yet, or a pause between words."""
    FRAME = 1
    """Play the payload as it is."""
    STRETCH = 2
    """Play the payload in ``play`` ticks instead of its own ``ticks``, pitch kept."""
    CONCEAL = 3
    """Nothing is here: conceal from what was played before."""
    REST = 4
    """Play the next ``ticks`` of the frame that came last, in ``play`` ticks."""


class Sound(msgspec.Struct, frozen=True):
    """One answer of the buffer."""

    kind: Kind
    play: int
    """Ticks to render; never 0."""
    ticks: int
    """What of the frame this is, in its own length."""
    rest: int
    """Ticks of the frame that are left for the next answers; 0 without stretching."""
    payload: bytes | None
    """None unless FRAME or STRETCH."""
    sequence: int
    timestamp: int
    payload_type: int
    delay_us: int
    """Delay of this frame over the fastest packet of the last seconds."""


class JitterBuffer:
    """Holds packets until the moment with the least impairment by the E-model (ITU-T G.107), and adapts to the network.

    ``rate``: ticks a second (1,000 to 192,000); ``frame``: ticks of a packet until that is learnt; ``slots``: packets
    held at most, a power of two from 16 to 1,024; ``max_payload``: bytes, at most 8,192; delays in ms, at most 2,000;
    ``stretch=False`` when the player cannot stretch; ``tick_us``: the player asks at ticks of so many microseconds (at
    most 50,000), 0: at any time. Values outside raise ``RangeError``.
    """

    def __init__(
        self,
        rate: int,
        frame: int,
        *,
        slots: int = 64,
        max_payload: int = 2048,
        min_delay_ms: int = 0,
        max_delay_ms: int = 400,
        stretch: bool = True,
        tick_us: int = 0,
    ) -> None:
        self._buffer = Buffer(rate, frame, slots, max_payload, min_delay_ms, max_delay_ms, stretch, tick_us)

    def put(self, packet: Packet, now_ns: int) -> str:
        """A packet arrived: ``stored``, ``late``, ``duplicate``, ``strange`` (another source or a far number, not yet
        believed) or ``restarted`` (stored, and what was held is gone). Too long a payload raises ``RangeError``."""
        return self._buffer.put(
            packet.ssrc,
            packet.sequence,
            packet.timestamp,
            packet.payload,
            now_ns,
            packet.payload_type,
            packet.marker,
        )

    def get(self, now_ns: int, ahead_ns: int = 0) -> Sound:
        """What to play from ``ahead_ns`` after now on; ask again when its ``play`` ticks are over. With ticks, all that
        is played until the next one is asked for at a tick."""
        kind, play, ticks, rest, payload, sequence, timestamp, payload_type, delay_us = self._buffer.get(
            now_ns, ahead_ns
        )
        return Sound(Kind(kind), play, ticks, rest, payload, sequence, timestamp, payload_type, delay_us)

    def reset(self) -> None:
        """As new; counters stay."""
        self._buffer.reset()

    def __len__(self) -> int:
        """Packets held."""
        return len(self._buffer)

    @property
    def target_us(self) -> int:
        """The delay that is aimed at, over the fastest packet."""
        return self._buffer.target_us

    @property
    def stats(self) -> dict[str, int]:
        """Counters: put, late, duplicates, reordered, strange, restarts, overflow, frames, longer and shorter (frames
        stretched), lost, concealed_ticks, played_ticks, waits."""
        return self._buffer.stats
