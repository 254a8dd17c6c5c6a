"""The resampler and the AGC of Debian's libspeexdsp1, by ctypes."""

import ctypes
import ctypes.util
from typing import Any

import numpy as np

_NAME = ctypes.util.find_library("speexdsp")
lib = ctypes.CDLL(_NAME) if _NAME else None

SET_DENOISE, SET_AGC, SET_AGC_LEVEL, SET_AGC_TARGET = 0, 2, 6, 46


class Resampler:
    """``quality`` 0 to 10; 8 has a stop band about like ours."""

    def __init__(self, source: int, target: int, quality: int) -> None:
        assert lib is not None
        lib.speex_resampler_init.restype = ctypes.c_void_p
        error = ctypes.c_int()
        self.state = ctypes.c_void_p(lib.speex_resampler_init(1, source, target, quality, ctypes.byref(error)))
        assert error.value == 0

    def process(self, samples: Any, out: Any) -> int:
        """int16 arrays; how many came out."""
        assert lib is not None
        n, m = ctypes.c_uint32(len(samples)), ctypes.c_uint32(len(out))
        lib.speex_resampler_process_int(
            self.state,
            0,
            ctypes.c_void_p(samples.ctypes.data),
            ctypes.byref(n),
            ctypes.c_void_p(out.ctypes.data),
            ctypes.byref(m),
        )
        return m.value


class Agc:
    """Gain control of the preprocessor, noise suppression off."""

    def __init__(self, rate: int) -> None:
        assert lib is not None
        lib.speex_preprocess_state_init.restype = ctypes.c_void_p
        self.state = ctypes.c_void_p(lib.speex_preprocess_state_init(rate // 100, rate))
        for request, value in ((SET_DENOISE, 0), (SET_AGC, 1)):
            number = ctypes.c_int(value)
            lib.speex_preprocess_ctl(self.state, request, ctypes.byref(number))

    def process(self, samples: Any) -> None:
        """A frame of int16, in place."""
        assert lib is not None
        lib.speex_preprocess_run(self.state, ctypes.c_void_p(samples.ctypes.data))


def level(samples: Any) -> float:
    """dBFS of what is active."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(float)
    power = (frames**2).mean(1)
    return float(10 * np.log10(power[power > power.max() * 1e-4].mean() / 32768**2))
