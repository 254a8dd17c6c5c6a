"""Peers of the echo canceller by ctypes: speexdsp (Debian libspeexdsp1), its filter alone and with its suppressor."""

from __future__ import annotations

import ctypes as ct
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]
Run = Callable[[Pcm, Pcm], tuple[Pcm, float]]


class Speex:
    """speexdsp with a 10 ms hop. ``full`` adds its preprocessor: the residual suppressor works with denoise on only."""

    ECHO_SET_RATE, PRE_DENOISE, PRE_ECHO = 24, 0, 24

    def __init__(self, rate: int, full: bool, tail_ms: int = 200) -> None:
        lib = ct.CDLL("libspeexdsp.so.1")
        for name in ("speex_echo_state_init", "speex_preprocess_state_init"):
            getattr(lib, name).restype = ct.c_void_p
        self.lib, self.frame = lib, rate // 100
        self.echo = ct.c_void_p(lib.speex_echo_state_init(self.frame, rate * tail_ms // 1000))
        lib.speex_echo_ctl(self.echo, self.ECHO_SET_RATE, ct.byref(ct.c_int(rate)))
        self.pre = None
        if full:
            self.pre = ct.c_void_p(lib.speex_preprocess_state_init(self.frame, rate))
            lib.speex_preprocess_ctl(self.pre, self.PRE_ECHO, self.echo)
            lib.speex_preprocess_ctl(self.pre, self.PRE_DENOISE, ct.byref(ct.c_int(1)))
        self.latency = self.frame if full else 0

    def run(self, mic: Pcm, ref: Pcm) -> tuple[Pcm, float]:
        """The output, and microseconds a frame."""
        out = np.zeros_like(mic)
        cancel, process = self.lib.speex_echo_cancellation, self.lib.speex_preprocess_run
        base = [a.ctypes.data for a in (mic, ref, out)]
        n = mic.size // self.frame
        start = time.perf_counter()
        for at in range(0, 2 * n * self.frame, 2 * self.frame):
            m, r, o = (ct.c_void_p(b + at) for b in base)
            cancel(self.echo, m, r, o)
            if self.pre is not None:
                process(self.pre, o)
        return out, (time.perf_counter() - start) / n * 1e6
