"""Peers of the echo canceller: speexdsp (Debian libspeexdsp1), its filter alone and with its suppressor, and WebRTC's
two: the old one (Debian libwebrtc-audio-processing1) and AEC3 (PyPI aec-audio-processing, which pip builds from source
in some minutes: dependency group audio-aec3). ``missing`` says what cannot be compared with here, and why.
"""

from __future__ import annotations

import ctypes as ct
import importlib.util
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


class Aec2:
    """WebRTC's echo canceller before AEC3, from Debian's libwebrtc-audio-processing1: delay-agnostic, high suppression,
    its filter of 48 ms (with the extended one it cancels some 10 dB less here). 8 and 16 kHz."""

    class Config(ct.Structure):
        """AecConfig of echo_cancellation.h."""

        _fields_ = [("nlp", ct.c_int16), ("skew", ct.c_int16), ("metrics", ct.c_int16), ("delay_logging", ct.c_int)]

    def __init__(self, rate: int) -> None:
        lib = ct.CDLL("libwebrtc_audio_processing.so.1")
        for name in ("Create", "aec_core"):
            getattr(lib, "WebRtcAec_" + name).restype = ct.c_void_p
        self.lib, self.frame, self.latency = lib, rate // 100, 7 * rate // 1000
        self.state = ct.c_void_p(lib.WebRtcAec_Create())
        lib.WebRtcAec_Init(self.state, rate, 48000)
        core = ct.c_void_p(lib.WebRtcAec_aec_core(self.state))
        lib.WebRtcAec_enable_delay_agnostic(core, 1)
        lib.WebRtcAec_set_config(self.state, self.Config(2, 0, 0, 0))

    def run(self, mic: Pcm, ref: Pcm) -> tuple[Pcm, float]:
        """The output, and microseconds a frame."""
        rows = [np.ascontiguousarray(x, np.float32) for x in (mic, ref, np.zeros_like(mic))]
        far, process, n = self.lib.WebRtcAec_BufferFarend, self.lib.WebRtcAec_Process, mic.size // self.frame
        size, one = ct.c_size_t(self.frame), ct.c_size_t(1)
        places = [[row.ctypes.data + 4 * self.frame * k for row in rows] for k in range(n)]
        calls = [(ct.c_void_p(r), (ct.c_void_p * 1)(m), (ct.c_void_p * 1)(o)) for m, r, o in places]
        start = time.perf_counter()
        for r, m, o in calls:
            far(self.state, r, size)
            process(self.state, m, one, o, size, ct.c_int16(0), ct.c_int32(0))
        micros = (time.perf_counter() - start) / n * 1e6
        return np.clip(np.round(rows[2]), -32768, 32767).astype(np.int16), micros


class Aec3:
    """The echo canceller of today's WebRTC (2.1), alone, with its defaults. Its binding takes and gives bytes; those
    are made and read outside of what is measured."""

    def __init__(self, rate: int) -> None:
        from aec_audio_processing import AudioProcessor

        self.frame, self.latency = rate // 100, 8 * rate // 1000
        self.core = AudioProcessor(enable_aec=True, enable_ns=False, enable_agc=False, enable_vad=False)
        self.core.set_stream_format(rate, 1)
        self.core.set_reverse_stream_format(rate, 1)
        self.core.set_stream_delay(0)

    def run(self, mic: Pcm, ref: Pcm) -> tuple[Pcm, float]:
        """The output, and microseconds a frame."""
        n = mic.size // self.frame
        rows = [[part.tobytes() for part in x[: n * self.frame].reshape(n, -1)] for x in (ref, mic)]
        play, hear, got = self.core.process_reverse_stream, self.core.process_stream, []
        start = time.perf_counter()
        for far, near in zip(*rows, strict=True):
            play(far)
            got.append(hear(near))
        micros = (time.perf_counter() - start) / n * 1e6
        out = np.zeros_like(mic)
        out[: n * self.frame] = np.frombuffer(b"".join(got), np.int16)
        return out, micros


def missing() -> dict[str, str]:
    """Peers that are not on this machine, and what to install."""
    found = {}
    for name, library, package in (
        ("speex", "libspeexdsp.so.1", "Debian's libspeexdsp1"),
        ("aec2", "libwebrtc_audio_processing.so.1", "Debian's libwebrtc-audio-processing1"),
    ):
        try:
            ct.CDLL(library)
        except OSError:
            found[name] = package
    if importlib.util.find_spec("aec_audio_processing") is None:
        found["aec3"] = "the dependency group audio-aec3 (make aec3)"
    return found
