"""Noise suppressors of others, by ctypes: the preprocessor of speexdsp (Debian libspeexdsp1), the suppressor of WebRTC
(Debian libwebrtc-audio-processing1), and RNNoise (PyPI pyrnnoise, 48 kHz only).

Each takes int16 at its rate and gives the output, aligned to the input by what ``latency`` says, and microseconds a
frame of 10 ms, of which RNNoise's include no resampling.
"""

from __future__ import annotations

import ctypes as ct
import ctypes.util
import importlib.util
import time
from pathlib import Path
from typing import Any

import numpy as np


def _library(name: str) -> Any:
    found = ctypes.util.find_library(name)
    return ct.CDLL(found) if found else None


class Speex:
    """The preprocessor with its defaults: denoise on, 15 dB."""

    lib = _library("speexdsp")

    def __init__(self, rate: int) -> None:
        self.frame = self.latency = rate // 100
        self.lib.speex_preprocess_state_init.restype = ct.c_void_p
        self.state = ct.c_void_p(self.lib.speex_preprocess_state_init(self.frame, rate))

    def __del__(self) -> None:
        self.lib.speex_preprocess_state_destroy(self.state)

    def process(self, samples: Any) -> None:
        """A frame, in place."""
        self.lib.speex_preprocess_run(self.state, ct.c_void_p(samples.ctypes.data))

    def run(self, mic: Any) -> tuple[Any, float]:
        out = mic.copy()
        n, call = mic.size // self.frame, self.lib.speex_preprocess_run
        at = [ct.c_void_p(out.ctypes.data + 2 * i * self.frame) for i in range(n)]
        start = time.perf_counter()
        for frame in at:
            call(self.state, frame)
        return out, (time.perf_counter() - start) / n * 1e6


class WebRtc:
    """The suppressor of WebRTC's audio processing, "high" (18 dB); 16 kHz."""

    lib = _library("webrtc_audio_processing")
    latency = 96

    def __init__(self, rate: int) -> None:
        if rate != 16000:
            raise ValueError("WebRTC's suppressor is measured at 16 kHz only")
        self.lib.WebRtcNs_Create.restype = ct.c_void_p
        self.state = ct.c_void_p(self.lib.WebRtcNs_Create())
        self.lib.WebRtcNs_Init(self.state, ct.c_uint32(rate))
        self.lib.WebRtcNs_set_policy(self.state, 2)

    def __del__(self) -> None:
        self.lib.WebRtcNs_Free(self.state)

    def run(self, mic: Any) -> tuple[Any, float]:
        x, out = mic.astype(np.float32), np.zeros(mic.size, np.float32)
        n = mic.size // 160
        rows = [
            [(ct.c_void_p * 1)(ct.c_void_p(a.ctypes.data + 4 * 160 * i)) for a in (x, out)] + [x.ctypes.data + 640 * i]
            for i in range(n)
        ]
        start = time.perf_counter()
        for source, target, data in rows:
            self.lib.WebRtcNs_Analyze(self.state, ct.c_void_p(data))
            self.lib.WebRtcNs_Process(self.state, source, ct.c_size_t(1), target)
        micros = (time.perf_counter() - start) / n * 1e6
        return np.clip(np.round(out), -32768, 32767).astype(np.int16), micros


class RnNoise:
    """RNNoise; what is at 16 kHz is brought up and down again (linear phase, delay taken out)."""

    lib = None

    def __init__(self, rate: int) -> None:
        self.up = 48000 // rate
        self.latency = 0  # Aligned in `run`, by cross-correlation.
        self.lib.rnnoise_create.restype = ct.c_void_p  # type: ignore[attr-defined]
        self.lib.rnnoise_process_frame.restype = ct.c_float  # type: ignore[attr-defined]
        self.state = ct.c_void_p(self.lib.rnnoise_create(None))  # type: ignore[attr-defined]

    def run(self, mic: Any) -> tuple[Any, float]:
        from scipy import signal

        x = signal.resample_poly(mic.astype(np.float64), self.up, 1).astype(np.float32)
        x = np.concatenate([x, np.zeros(4800, np.float32)])
        out = np.zeros_like(x)
        n, call = x.size // 480, self.lib.rnnoise_process_frame  # type: ignore[attr-defined]
        at = [(ct.c_void_p(out.ctypes.data + 1920 * i), ct.c_void_p(x.ctypes.data + 1920 * i)) for i in range(n)]
        start = time.perf_counter()
        for target, source in at:
            call(self.state, target, source)
        micros = (time.perf_counter() - start) / n * 1e6
        low = signal.resample_poly(out.astype(np.float64), 1, self.up)
        lags = signal.correlate(low, mic.astype(np.float64), "valid", "fft")
        late = int(np.argmax(lags))
        self.measured_latency = late
        return np.clip(np.round(low[late : late + mic.size]), -32768, 32767).astype(np.int16), micros


def _find_rnnoise() -> Any:
    spec = importlib.util.find_spec("pyrnnoise")
    if spec is None or spec.origin is None:
        return None
    found = sorted(Path(spec.origin).parent.glob("*rnnoise*.so*"))
    return ct.CDLL(str(found[0])) if found else None


RnNoise.lib = _find_rnnoise()
