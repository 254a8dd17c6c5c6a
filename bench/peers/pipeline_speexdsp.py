"""What a door station would be made of with Debian's libspeexdsp1, by ctypes: jitter buffer, resampler, echo canceller
and preprocessor (its suppressor works with denoise on only; AGC on). G.711 and the rest are ours."""

import ctypes
from typing import Any

import numpy as np
from audio_speexdsp import SET_AGC, SET_DENOISE, Resampler, lib

from axcore.audio import G711

RATE, FRAME, PACKET = 16000, 160, 160
ECHO_SET_RATE, PRE_ECHO = 24, 24


class Packet(ctypes.Structure):
    """JitterBufferPacket of speex_jitter.h."""

    _fields_ = [
        ("data", ctypes.c_void_p), ("len", ctypes.c_uint32), ("timestamp", ctypes.c_uint32), ("span", ctypes.c_uint32),
        ("sequence", ctypes.c_uint16), ("user_data", ctypes.c_uint32),
    ]  # fmt: skip


def _at(samples: Any, first: int = 0) -> ctypes.c_void_p:
    return ctypes.c_void_p(samples.ctypes.data + samples.itemsize * first)


class Leg:
    """A partner by G.711, 20 ms a packet."""

    def __init__(self) -> None:
        assert lib is not None
        lib.jitter_buffer_init.restype = ctypes.c_void_p
        self.jitter = ctypes.c_void_p(lib.jitter_buffer_init(PACKET))
        self.up, self.down = Resampler(8000, RATE, 5), Resampler(RATE, 8000, 5)
        self.law = G711("mu")
        self.room = np.empty(PACKET, np.uint8)
        self.heard = np.zeros(2 * FRAME, np.int16)
        self.narrow = np.empty(PACKET, np.int16)
        self.offset = ctypes.c_int32()

    def put(self, payload: Any, number: int) -> None:
        """A packet came."""
        packet = Packet(_at(payload), PACKET, number * PACKET, PACKET, number & 0xFFFF, number)
        lib.jitter_buffer_put(self.jitter, ctypes.byref(packet))

    def hear(self) -> Any:
        """20 ms at 16 kHz."""
        out = Packet(_at(self.room), PACKET)
        found = lib.jitter_buffer_get(self.jitter, ctypes.byref(out), PACKET, ctypes.byref(self.offset))
        lib.jitter_buffer_tick(self.jitter)
        if found == 0:
            self.up.process(np.asarray(self.law.decode(self.room)), self.heard)
        else:
            self.heard[:] = 0
        return self.heard

    def say(self, near: Any) -> Any:
        """20 ms at 16 kHz into a packet."""
        self.down.process(near, self.narrow)
        return self.law.encode(self.narrow)


class Chain:
    """The whole station with ``n`` partners in conference."""

    def __init__(self, n: int) -> None:
        assert lib is not None
        for name in ("speex_echo_state_init", "speex_preprocess_state_init"):
            getattr(lib, name).restype = ctypes.c_void_p
        self.echo = ctypes.c_void_p(lib.speex_echo_state_init(FRAME, RATE // 5))
        lib.speex_echo_ctl(self.echo, ECHO_SET_RATE, ctypes.byref(ctypes.c_int(RATE)))
        self.pre = ctypes.c_void_p(lib.speex_preprocess_state_init(FRAME, RATE))
        lib.speex_preprocess_ctl(self.pre, PRE_ECHO, self.echo)
        for request in (SET_DENOISE, SET_AGC):
            lib.speex_preprocess_ctl(self.pre, request, ctypes.byref(ctypes.c_int(1)))
        self.legs = [Leg() for _ in range(n)]
        self.near = np.empty(2 * FRAME, np.int16)

    def step(self, mic: Any, payloads: Any, number: int) -> None:
        """20 ms: packets in, the loudspeaker's sound, packets out."""
        heard = []
        for leg in self.legs:
            leg.put(payloads, number)
            heard.append(leg.hear())
        total = np.sum(heard, axis=0, dtype=np.int32) if len(heard) > 1 else heard[0]
        speaker = np.clip(total, -32768, 32767).astype(np.int16)
        for first in (0, FRAME):
            near = _at(self.near, first)
            lib.speex_echo_cancellation(self.echo, _at(mic, first), _at(speaker, first), near)
            lib.speex_preprocess_run(self.pre, near)
        for leg, own in zip(self.legs, heard, strict=True):
            said = self.near
            if len(heard) > 1:
                said = np.clip(total - own + self.near, -32768, 32767).astype(np.int16)
            leg.say(said)
